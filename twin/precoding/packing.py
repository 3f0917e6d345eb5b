"""Weights as plain arrays, for a checkpoint, and back."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from twin.channel import PlanarArray, Reach
from twin.precoding.weights import AntennaWeights, SpannedWeights, Weights

Arrays = dict[str, NDArray[Any]]


def packed(weights: Weights) -> Arrays:
    """Plain arrays that hold the weights.

    Raises
    ------
    TypeError
        If they are of a class of somebody's own.
    """
    if isinstance(weights, AntennaWeights):
        return _present(norad_id=weights.norad_id, weights=weights.weights, slot=weights.slot)
    if isinstance(weights, SpannedWeights):
        return _present(
            norad_id=weights.norad_id,
            terminal=weights.reach.terminal,
            terminals=np.array([weights.reach.terminals, weights.reach.whole]),
            departure=weights.departure,
            gram=weights.gram,
            coefficients=weights.coefficients,
            beams=weights.beams,
            slot=weights.slot,
        )
    raise TypeError(f"{type(weights).__name__} must be SpannedWeights or AntennaWeights")


def unpacked(arrays: Mapping[str, NDArray[Any]], array: PlanarArray) -> Weights:
    """The weights that plain arrays hold, for satellites with a given array."""
    held = dict(arrays)
    if "weights" in held:
        return AntennaWeights(array=array, **held)
    terminals, whole = held.pop("terminals").tolist()
    reach = Reach(terminal=held.pop("terminal"), terminals=terminals, whole=bool(whole))
    return SpannedWeights(array=array, reach=reach, **held)


def _present(**arrays: NDArray[Any] | None) -> Arrays:
    return {name: array for name, array in arrays.items() if array is not None}
