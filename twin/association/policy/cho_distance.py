"""Conditional handover by the distances to the reference points of the serving and the candidate cell."""

from __future__ import annotations

from dataclasses import replace
from typing import Annotated

import numpy as np
from annotated_types import Ge, Gt

from twin.association.problem import Assignment, AssociationView, policies
from twin.association.toolkit.conditional import executed, prepared
from twin.association.toolkit.memory import recalled, same_master
from twin.association.toolkit.ranking import leads
from twin.registry import dataclass_options
from twin.units import Duration


@dataclass_options
class ChoDistanceOptions:
    """Distance thresholds and preparation of candidates."""

    target_within_km: Annotated[float, Ge(0.0)] = 500.0
    """Threshold 2: the terminal must be nearer than this to the candidate's reference point."""
    serving_further_km: Annotated[float, Ge(0.0)] = 100.0
    """Threshold 1 minus threshold 2; the distance to the serving satellite's reference point must exceed threshold 1.

    The difference is not negative: otherwise each of two satellites could be left for the other."""
    hysteresis_km: Annotated[float, Ge(0.0)] = 10.0
    """Margin by which both distances must pass their thresholds."""
    time_to_trigger: Annotated[Duration, Ge(0)] = Duration(0)
    """Time for which both conditions must hold."""
    renewal: Annotated[Duration, Gt(0)] = Duration.parse("10s")
    """Time after which candidates are prepared again; fixed reference points are updated then."""
    candidates: Annotated[int, Ge(1)] = 3
    """Number of prepared satellites: those that stay visible longest."""


@policies.register(
    "cho_location", source="TS 38.331, 5.5.4.15 (CondEvent D1)", options=ChoDistanceOptions, largest_cluster=1
)
def cho_location(view: AssociationView, *, options: ChoDistanceOptions) -> Assignment:
    """Conditional handover D1: by distances to reference points that are fixed at the preparation.

    The reference point of a satellite's cell is the sub-satellite point when candidates were last prepared: directly
    after a handover, and at every renewal. The terminal's own movement in between is neglected (an airliner flies
    2.5 km in 10 s). A terminal that has lost its satellite takes the nearest at once. The preparation is done in
    advance: set association.preparation to zero; association.execution applies.
    """
    return _by_distance(view, options, fixed=True)


@policies.register("d2", source="TS 38.331, 5.5.4.15a (CondEvent D2)", options=ChoDistanceOptions, largest_cluster=1)
def d2(view: AssociationView, *, options: ChoDistanceOptions) -> Assignment:
    """Conditional handover D2: by distances to moving reference points, the sub-satellite points.

    Candidates are prepared directly after a handover, and at every renewal; distances are those at each decision. A
    terminal that has lost its satellite takes the nearest at once. The preparation is done in advance: set
    association.preparation to zero; association.execution applies.
    """
    return _by_distance(view, options, fixed=False)


def _by_distance(view: AssociationView, options: ChoDistanceOptions, *, fixed: bool) -> Assignment:
    now_ns, masters = view.instant_ns, leads(view)
    distance_km = view.ground_distance_km()
    prepared_ns = np.where(same_master(view), view.memory.get("prepared_ns", -1), -1)
    due = (prepared_ns < 0) | (now_ns >= prepared_ns + int(options.renewal))
    candidate, renewed = prepared(view, due, np.ones_like(view.visible), options.candidates)
    reference_km = np.where(renewed, distance_km, recalled(view, "reference_km", 0.0)) if fixed else distance_km
    from_serving_km = np.where(masters, reference_km, 0.0).sum(axis=0)
    threshold_1_km = options.target_within_km + options.serving_further_km
    serving_far = from_serving_km - options.hysteresis_km > threshold_1_km
    candidate_near = reference_km + options.hysteresis_km < options.target_within_km
    decision = executed(
        view,
        -distance_km,
        candidate=candidate,
        holds=candidate_near & serving_far & masters.any(axis=0),
        allowed=np.ones_like(view.visible),
        wait_ns=int(options.time_to_trigger),
        condition="D1" if fixed else "D2",
    )
    memory = {"prepared_ns": np.where(renewed, now_ns, prepared_ns)}
    reference = {"reference_km": reference_km} if fixed else {}
    return replace(decision, memory={**decision.memory, **memory, **reference})
