"""Weights as plain arrays for a checkpoint, and back."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from twin.arrays import Reach
from twin.precoding import rule
from twin.precoding.rule import InstantaneousRule, Weights
from twin.precoding.weights import AntennaWeights, SpannedWeights
from twin.radio.channel import PlanarArray

RULE: Final = "rule."
"""Prefix of the arrays of the instantaneous-CSI rule."""

Arrays = dict[str, NDArray[Any]]


def packed(weights: Weights) -> Arrays:
    """Plain arrays that hold the weights.

    Raises
    ------
    TypeError
        If the weights are neither SpannedWeights nor AntennaWeights, or their rule cannot be packed.
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
            **_packed_rule(weights.rule),
        )
    raise TypeError(f"{type(weights).__name__} must be SpannedWeights or AntennaWeights")


def unpacked(arrays: Mapping[str, NDArray[Any]], array: PlanarArray) -> Weights:
    """The weights that plain arrays hold, for satellites with a given array.

    Raises
    ------
    ValueError
        If they follow a rule whose class is not defined, or has other fields.
    """
    held = {name: value for name, value in arrays.items() if not name.startswith(RULE)}
    if "weights" in held:
        return AntennaWeights(norad_id=held["norad_id"], array=array, weights=held["weights"], slot=held.get("slot"))
    terminals, whole = held.pop("terminals").tolist()
    reach = Reach(terminal=held.pop("terminal"), terminals=terminals, whole=bool(whole))
    parts = {name.removeprefix(RULE): value for name, value in arrays.items() if name.startswith(RULE)}
    return SpannedWeights(array=array, reach=reach, rule=rule.unpacked(parts) if parts else None, **held)


def check_packable(weights: Weights) -> None:
    """Refuse weights that a checkpoint cannot hold and give back.

    Raises
    ------
    ValueError
        If they are of another class, or follow a rule that cannot be packed and unpacked.
    """
    try:
        parts = packed(weights)
        if weights.rule is not None:
            rule.unpacked({name.removeprefix(RULE): value for name, value in parts.items() if name.startswith(RULE)})
    except (TypeError, ValueError) as error:
        raise ValueError(f"weights that no checkpoint can hold: {error}") from None


def _packed_rule(followed: InstantaneousRule | None) -> Arrays:
    """The rule's arrays, each under its prefixed name."""
    if followed is None:
        return {}
    if not isinstance(followed, InstantaneousRule):
        raise TypeError(f"{type(followed).__name__} must derive from twin.precoding.rule.InstantaneousRule")
    return {RULE + name: array for name, array in followed.packed().items()}


def _present(**arrays: NDArray[Any] | None) -> Arrays:
    """The arrays that are not None."""
    return {name: array for name, array in arrays.items() if array is not None}
