"""Layer 3 filter of measurements, and conditions that must hold for a time (TS 38.331)."""

from __future__ import annotations

import numpy as np

from twin.arrays import BoolArray, FloatArray, IntArray

ASSUMED_SAMPLE_NS = 200_000_000
"""Sampling interval to which filter coefficients refer (TS 38.133: one L1 measurement period without DRX)."""
NEVER = -1
"""Stands for a time where a condition does not hold."""


def filtered(
    measured: FloatArray, past: FloatArray, known: BoolArray, *, coefficient: int, every_ns: int
) -> FloatArray:
    """Apply the layer 3 filter F_n = (1 - a) F_{n-1} + a M_n with a = 2^(-k/4) (TS 38.331, 5.5.3.2).

    At another sampling interval a is adapted so that the time constant stays the same.

    Parameters
    ----------
    measured
        M_n in dB.
    past
        F_{n-1} in dB.
    known
        Where F_{n-1} exists; elsewhere the filter starts with the first measurement.
    coefficient
        k; 0 means no filter.
    every_ns
        Sampling interval.
    """
    weight = (1.0 - 2.0 ** (-coefficient / 4.0)) ** (every_ns / ASSUMED_SAMPLE_NS)
    return np.asarray(np.where(known, weight * past + (1.0 - weight) * measured, measured))


def held_since(holds: BoolArray, past_ns: IntArray, now_ns: int) -> IntArray:
    """Return since when a condition has held without interruption, `NEVER` where it does not hold now."""
    return np.where(holds, np.where(past_ns >= 0, past_ns, now_ns), NEVER)


def lasted(since_ns: IntArray, now_ns: int, duration_ns: int) -> BoolArray:
    """Return where a condition has held for at least a duration."""
    return np.asarray((since_ns >= 0) & (now_ns - since_ns >= duration_ns))
