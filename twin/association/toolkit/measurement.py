"""What a terminal makes of its measurements: the filter and the condition that must last (TS 38.331)."""

from __future__ import annotations

import numpy as np

from twin.arrays import BoolArray, FloatArray, IntArray

ASSUMED_SAMPLE_NS = 200_000_000
"""Sampling interval that filter coefficients are given for (TS 38.133: one L1 measurement period without DRX)."""
NEVER = -1
"""In place of a time: the condition does not hold."""


def filtered(
    measured: FloatArray, past: FloatArray, known: BoolArray, *, coefficient: int, every_ns: int
) -> FloatArray:
    """Layer 3 filter F_n = (1 - a) F_{n-1} + a M_n with a = 2^(-k/4) (TS 38.331, 5.5.3.2).

    The coefficient is adapted so that the filter keeps its time constant at another sampling interval.

    Parameters
    ----------
    measured
        M_n in dB.
    past
        F_{n-1} in dB.
    known
        Where there is one; elsewhere the filter starts with its first measurement.
    coefficient
        k; 0 is no filter.
    every_ns
        The sampling interval.
    """
    kept = (1.0 - 2.0 ** (-coefficient / 4.0)) ** (every_ns / ASSUMED_SAMPLE_NS)
    return np.asarray(np.where(known, kept * past + (1.0 - kept) * measured, measured))


def held_since(holds: BoolArray, past_ns: IntArray, now_ns: int) -> IntArray:
    """When a condition began to hold without a break, `NEVER` where it does not hold now."""
    return np.where(holds, np.where(past_ns >= 0, past_ns, now_ns), NEVER)


def lasted(since_ns: IntArray, now_ns: int, duration_ns: int) -> BoolArray:
    """Where a condition has held for a duration."""
    return np.asarray((since_ns >= 0) & (now_ns - since_ns >= duration_ns))
