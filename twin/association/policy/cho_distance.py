"""Conditional handover by distance: far from the serving cell's reference point and near to a candidate's."""

from __future__ import annotations

from dataclasses import replace
from typing import Annotated

import numpy as np
from annotated_types import Ge, Gt
from numpy.typing import NDArray

from twin.association.problem import Assignment, AssociationView, policies
from twin.association.toolkit.conditional import executed, prepared
from twin.association.toolkit.memory import recalled, same_master
from twin.association.toolkit.ranking import leads
from twin.registry import dataclass_options
from twin.units import Duration

Real = NDArray[np.float64]


@dataclass_options
class ChoDistanceOptions:
    """The distances, and how long what was prepared stands."""

    target_within_km: Annotated[float, Ge(0.0)] = 500.0
    """Threshold 2: the terminal must be nearer than this to the candidate's reference point."""
    serving_further_km: Annotated[float, Ge(0.0)] = 100.0
    """Threshold 1 less threshold 2: the serving satellite's reference point must be further away than both together.

    Were threshold 1 the smaller, two satellites could each be left for the other."""
    hysteresis_km: Annotated[float, Ge(0.0)] = 10.0
    """By so much more in both."""
    time_to_trigger: Annotated[Duration, Ge(0)] = Duration(0)
    """For so long both must hold."""
    renewal: Annotated[Duration, Gt(0)] = Duration.parse("10s")
    """After so long candidates are prepared anew; fixed reference points are then fixed anew."""
    candidates: Annotated[int, Ge(1)] = 3
    """Satellites that are prepared, those that stay longest."""


@policies.register(
    "cho_location", source="TS 38.331, 5.5.4.15 (CondEvent D1)", options=ChoDistanceOptions, largest_cluster=1
)
def cho_location(view: AssociationView, *, options: ChoDistanceOptions) -> Assignment:
    """Conditional handover D1: by distances to reference points that stay where they were at the preparation.

    The reference point of a satellite's cell is the point below the satellite when candidates were last prepared: at
    once after a handover, and at every renewal. In between nothing moves but the terminal, and that is neglected (an
    airliner makes 2.5 km in 10 s). A terminal that has lost its satellite takes the nearest at once. What the scenario
    calls preparation has been done in advance: set association.preparation to zero; execution applies.
    """
    return _by_distance(view, options, fixed=True)


@policies.register("d2", source="TS 38.331, 5.5.4.15a (CondEvent D2)", options=ChoDistanceOptions, largest_cluster=1)
def d2(view: AssociationView, *, options: ChoDistanceOptions) -> Assignment:
    """Conditional handover D2: by distances to moving reference points, the points below the satellites.

    Candidates are prepared at once after a handover, and at every renewal; the distances are those of each decision. A
    terminal that has lost its satellite takes the nearest at once. What the scenario calls preparation has been done in
    advance: set association.preparation to zero; execution applies.
    """
    return _by_distance(view, options, fixed=False)


def _by_distance(view: AssociationView, options: ChoDistanceOptions, *, fixed: bool) -> Assignment:
    now_ns, lead = view.instant_ns, leads(view)
    distance_km = view.ground_distance_km()
    prepared_ns = np.where(same_master(view), view.memory.get("prepared_ns", -1), -1)
    due = (prepared_ns < 0) | (now_ns >= prepared_ns + int(options.renewal))
    candidate, anew = prepared(view, due, np.ones_like(view.visible), options.candidates)
    reference_km = np.where(anew, distance_km, recalled(view, "reference_km", 0.0)) if fixed else distance_km
    from_serving_km = np.where(lead, reference_km, 0.0).sum(axis=0)
    beyond_km = options.target_within_km + options.serving_further_km
    away = from_serving_km - options.hysteresis_km > beyond_km
    near = reference_km + options.hysteresis_km < options.target_within_km
    made = executed(
        view,
        -distance_km,
        candidate=candidate,
        holds=near & away & lead.any(axis=0),
        allowed=np.ones_like(view.visible),
        wait_ns=int(options.time_to_trigger),
        condition="D1" if fixed else "D2",
    )
    memory = {"prepared_ns": np.where(anew, now_ns, prepared_ns)}
    return replace(made, memory={**made.memory, **memory, **({"reference_km": reference_km} if fixed else {})})
