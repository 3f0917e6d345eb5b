"""Sums over the satellites that a terminal receives, for each draw."""

from __future__ import annotations

import numpy as np

from twin.arrays import FloatArray, NumberArray, Reach


def sum_over_satellites(reach: Reach, values: NumberArray) -> NumberArray:
    """Sum values (D,S,B,...) over the satellites of each terminal, to (D,K,...)."""
    if reach.whole:
        return np.asarray(values.sum(axis=1))
    return np.moveaxis(reach.sum_by_terminal(np.moveaxis(values, 0, 2)), 1, 0)


def weighted_covariance(reach: Reach, receive: NumberArray, power: FloatArray) -> NumberArray:
    """(D,K,M,M) Σ_s p g gᴴ over the satellites of each terminal, for receive sides g (D,S,B,M) and powers p (S,B)."""
    if receive.shape[-1] == 1:  # each matrix is a real number
        side = receive[..., 0]
        return sum_over_satellites(reach, (side.real**2 + side.imag**2) * power)[..., None, None]
    outer = receive[..., :, None] * receive[..., None, :].conj()
    return sum_over_satellites(reach, outer * power[..., None, None])
