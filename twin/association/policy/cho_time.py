"""Conditional handover within a time window that is set in advance."""

from __future__ import annotations

from dataclasses import replace
from typing import Annotated

import numpy as np
from annotated_types import Ge, Gt, Le

from twin.association.problem import Assignment, AssociationView, policies
from twin.association.toolkit.conditional import executed, prepared
from twin.association.toolkit.memory import same_master
from twin.association.toolkit.ranking import leads, received_db
from twin.registry import dataclass_options
from twin.units import Duration


@dataclass_options
class ChoTimeOptions:
    """Times of preparation and execution, and the signal threshold."""

    prepare_before: Annotated[Duration, Gt(0)] = Duration.parse("60s")
    """Candidates are prepared when the serving satellite is predicted to be lost within this time."""
    open_before: Annotated[Duration, Gt(0)] = Duration.parse("20s")
    """Time from t1 to the predicted loss; t1 is never before the preparation."""
    window: Annotated[Duration, Gt(0)] = Duration.parse("20s")
    """Time from t1 during which execution is allowed."""
    threshold_db: Annotated[float, Ge(-200.0), Le(200.0)] = -10.0
    """Event A4: threshold that a candidate's mean signal-to-noise ratio must exceed."""
    hysteresis_db: Annotated[float, Ge(0.0), Le(30.0)] = 1.0
    """Margin by which it must exceed the threshold."""
    time_to_trigger: Annotated[Duration, Ge(0)] = Duration(0)
    """Time for which it must exceed the threshold; the time before t1 counts."""
    candidates: Annotated[int, Ge(1)] = 3
    """Number of prepared satellites: those that stay visible longest."""


@policies.register(
    "cho_time",
    source="TS 38.331, 5.5.4.16 and 5.5.4.5 (CondEvent T1 with A4)",
    options=ChoTimeOptions,
    largest_cluster=1,
)
def cho_time(view: AssociationView, *, options: ChoTimeOptions) -> Assignment:
    """Conditional handover T1: within a time window set in advance, to a prepared satellite that is strong enough.

    Candidates and window are set at the preparation, from the prediction at that time; if the window passes without a
    handover, another is prepared. A terminal that has lost its satellite takes the strongest at once.
    The preparation is done in advance: set association.preparation to zero; association.execution applies.
    Simplified: only satellites that are visible at the preparation, and stay visible longer than the serving one, are
    prepared; the signal is not filtered.
    """
    now_ns, level_db = view.instant_ns, received_db(view)
    opens_ns = np.where(same_master(view), view.memory.get("opens_ns", -1), -1)
    opens_ns = np.where(now_ns > opens_ns + int(options.window), -1, opens_ns)
    stay_s = view.remaining_s()
    loss_s = np.where(leads(view), stay_s, 0.0).sum(axis=0)
    due = (opens_ns < 0) & (loss_s <= options.prepare_before.seconds)
    candidate, renewed = prepared(view, due, stay_s > loss_s, options.candidates)
    opening_ns = now_ns + np.maximum(0, np.rint(loss_s * 1e9).astype(np.int64) - int(options.open_before))
    opens_ns = np.where(renewed & candidate.any(axis=0), opening_ns, opens_ns)
    decision = executed(
        view,
        level_db,
        candidate=candidate & (opens_ns >= 0),
        holds=level_db - options.hysteresis_db > options.threshold_db,
        allowed=(opens_ns >= 0) & (now_ns > opens_ns) & (now_ns <= opens_ns + int(options.window)),
        wait_ns=int(options.time_to_trigger),
        condition="T1 and A4",
    )
    return replace(decision, memory={**decision.memory, "opens_ns": opens_ns})
