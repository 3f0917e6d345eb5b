"""Sums over the satellites that a terminal hears, draw by draw."""

from __future__ import annotations

import numpy as np

from twin.arrays import FloatArray, NumberArray, Reach


def over_satellites(reach: Reach, values: NumberArray) -> NumberArray:
    """Values (D,S,B,...) summed over the satellites of each terminal (D,K,...)."""
    if reach.whole:
        return np.asarray(values.sum(axis=1))
    return np.moveaxis(reach.sum_by_terminal(np.moveaxis(values, 0, 2)), 1, 0)


def in_power(reach: Reach, receive: NumberArray, power: FloatArray) -> NumberArray:
    """(D,K,M,M) Σ_s g gᴴ of receive sides (D,S,B,M), each with its power (S,B)."""
    if receive.shape[-1] == 1:  # every matrix is a number, and real
        side = receive[..., 0]
        return over_satellites(reach, (side.real**2 + side.imag**2) * power)[..., None, None]
    outer = receive[..., :, None] * receive[..., None, :].conj()
    return over_satellites(reach, outer * power[..., None, None])
