"""Reassignment of all terminals at fixed times."""

from __future__ import annotations

from dataclasses import replace
from typing import Annotated, Literal

import numpy as np
from annotated_types import Ge, Gt

from twin.arrays import FloatArray
from twin.association.problem import Assignment, AssociationView, policies
from twin.association.toolkit.ranking import best, led, one_satellite, received_db
from twin.association.toolkit.reasons import reasons, served_before
from twin.randomness import stream
from twin.registry import dataclass_options
from twin.units import Duration


@dataclass_options
class ScheduledOptions:
    """Period and criterion of the reassignment."""

    period: Annotated[Duration, Gt(0)] = Duration.parse("15s")
    """Time between reassignments; the default was measured for Starlink."""
    choose_by: Literal["elevation", "gain", "random"] = "elevation"
    """Choose the satellite of the highest elevation, the strongest one, or a random one."""
    whole_slot: bool = True
    """Prefer satellites that stay visible until the next reassignment."""
    seed: Annotated[int, Ge(0)] = 0
    """Seed of the random choice, which also depends on the slot and on each satellite's NORAD id."""


@policies.register(
    "scheduled",
    source="Starlink's global scheduler, as measured (15 s slots)",
    options=ScheduledOptions,
    largest_cluster=1,
)
def scheduled(view: AssociationView, *, options: ScheduledOptions) -> Assignment:
    """All terminals are reassigned at every multiple of a period, and keep their satellites in between.

    Where the decision interval does not divide the period, the reassignment is at the first decision at or after each
    multiple; with a period shorter than the decision interval it is at every decision. In between, only unserved
    terminals get a satellite.
    """
    slot = view.instant_ns // int(options.period)
    score = _score(view, slot, options)
    rank = score
    if options.whole_slot:
        rest_s = ((slot + 1) * int(options.period) - view.instant_ns) / 1e9
        rank = score + (1.0 + np.ptp(score) if score.size else 1.0) * (view.remaining_s() >= rest_s)
    if slot in view.memory.get("slot", ()):
        decision, reason = one_satellite(view, rank, np.zeros_like(view.visible)), reasons(view, "")
    else:
        decision, reason = led(best(rank, view.visible, 1, view.capacity), rank), np.full(view.master.shape, "slot")
    return replace(decision, score=score, reason=reason, memory={"slot": np.array([slot]), **served_before(view)})


def _score(view: AssociationView, slot: int, options: ScheduledOptions) -> FloatArray:
    if options.choose_by == "elevation":
        return view.elevation_deg
    if options.choose_by == "gain":
        return received_db(view)
    terminals = view.visible.shape[1]
    drawn = [stream(options.seed, "scheduled", slot, int(satellite)).random(terminals) for satellite in view.norad_id]
    return np.array(drawn).reshape(view.visible.shape)
