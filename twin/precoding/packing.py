"""Weights as plain arrays, for a checkpoint, and back."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields
from typing import Any

import numpy as np
from numpy.typing import NDArray

from twin.arrays import Reach
from twin.precoding.instantaneous.genie import GenieRule
from twin.precoding.instantaneous.uplink_pilots import PilotRule
from twin.precoding.weights import AntennaWeights, InstantaneousRule, SpannedWeights, Weights
from twin.radio.channel import PlanarArray

RULE = "instant."
"""Before the names of what belongs to the rule by which weights follow the channels."""

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
            **_rule(weights.rule),
        )
    raise TypeError(f"{type(weights).__name__} must be SpannedWeights or AntennaWeights")


def unpacked(arrays: Mapping[str, NDArray[Any]], array: PlanarArray) -> Weights:
    """The weights that plain arrays hold, for satellites with a given array."""
    held = {name: value for name, value in arrays.items() if not name.startswith(RULE)}
    if "weights" in held:
        return AntennaWeights(norad_id=held["norad_id"], array=array, weights=held["weights"], slot=held.get("slot"))
    terminals, whole = held.pop("terminals").tolist()
    reach = Reach(terminal=held.pop("terminal"), terminals=terminals, whole=bool(whole))
    rule = {name.removeprefix(RULE): value for name, value in arrays.items() if name.startswith(RULE)}
    return SpannedWeights(array=array, reach=reach, rule=_ruled(rule), **held)


def _rule(instant: InstantaneousRule | None) -> Arrays:
    """How weights follow the channels, field by field."""
    if instant is None:
        return {}
    if not isinstance(instant, GenieRule | PilotRule):
        raise TypeError(f"{type(instant).__name__} must be GenieRule or PilotRule")
    held = {field.name: np.asarray(getattr(instant, field.name)) for field in fields(instant)}
    return {RULE + name: value for name, value in held.items()} | {RULE + "class": np.array(type(instant).__name__)}


def _ruled(arrays: Arrays) -> InstantaneousRule | None:
    if not arrays:
        return None
    rules: tuple[type[GenieRule] | type[PilotRule], ...] = (GenieRule, PilotRule)
    made = {rule.__name__: rule for rule in rules}[str(arrays.pop("class"))]
    plain: dict[str, Any] = {name: value if value.ndim else value.item() for name, value in arrays.items()}
    return made(**plain)


def _present(**arrays: NDArray[Any] | None) -> Arrays:
    return {name: array for name, array in arrays.items() if array is not None}
