"""Draws of errors.

Draws are keyed by purpose, satellite and update. A draw does not depend on which others are requested, nor on how a run
is divided into parts.
"""

from __future__ import annotations

from typing import Final

import numpy as np

from twin import randomness
from twin.arrays import FloatArray, IntArray
from twin.uncertainty.errors import Law, UpdatedError

_LARGEST: Final[dict[Law, float]] = {"normal": 6.0, "uniform": 3.0**0.5, "constant": 1.0}


def update_numbers(error: UpdatedError, instant_ns: IntArray) -> IntArray:
    """(T,) number of the last update before each instant [ns since 1970]; 0 if there is only one update."""
    return np.zeros_like(instant_ns) if error.every_ns is None else instant_ns // error.every_ns


def since_update_s(error: UpdatedError, instant_ns: IntArray, first_ns: int) -> FloatArray:
    """(T,) time since the last update, or since ``first_ns`` if there is only one update."""
    updated_ns = first_ns if error.every_ns is None else update_numbers(error, instant_ns) * error.every_ns
    return np.asarray((instant_ns - updated_ns) / 1e9)


def unit_errors(law: Law, shape: tuple[int, ...], *, seed: int, purpose: str, keys: tuple[int, ...]) -> FloatArray:
    """Errors of unit standard deviation; all ones for the constant law."""
    if law == "constant":
        return np.ones(shape)
    # updates before 1970 have negative numbers
    rng = randomness.stream(seed, purpose, *(key % (1 << 63) for key in keys))
    return rng.standard_normal(shape) if law == "normal" else rng.uniform(-(3.0**0.5), 3.0**0.5, shape)


def largest_unit_error(law: Law) -> float:
    """Bound of the magnitude of an error of unit standard deviation; six standard deviations for the normal law."""
    return _LARGEST[law]
