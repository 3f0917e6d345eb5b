"""Coefficients of the max-min problem: received amplitudes for unit power fractions."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from twin.arrays import BoolArray, FloatArray, NumberArray, Reach
from twin.records import documented


@documented
@dataclass(frozen=True, slots=True, kw_only=True)
class Coefficients:
    """Received amplitudes when each satellite spends all its power on one beam of fixed shape.

    The B columns are the terminals in each satellite's reach; with p_sj² the fraction of its power that satellite s
    gives to terminal j, SINR_k = (Σ_s b p_sk)² / (Σ_j Σ_s c² p_sj² + Σ_{j≠k} |Σ_s d p_sj|² + σ_k²).
    """

    reach: Reach
    """Pairs within reach."""
    signal: FloatArray
    """(S,B) b, √W: mean amplitude of a terminal's own beam."""
    deviation: FloatArray
    """(S,B,B) c, √W: root of the power, at one terminal (first B), of what is sent to another (second B) or itself and
    has no mean that adds up over satellites."""
    leak: NumberArray
    """(S,B,B) d, √W: mean amplitude at one terminal of what is sent to another, as the carrier's phases turn it."""
    noise_w: FloatArray
    """(K,) σ²."""

    def useful(self, eligible: BoolArray) -> BoolArray:
        """(S,B) pairs that may serve (S,K) and whose beam has a nonzero mean.

        A beam of zero mean could still cancel interference. P5 allows it; here it does not count as serving.
        """
        return np.asarray(self.reach.gather(eligible) & (self.signal > 0.0))
