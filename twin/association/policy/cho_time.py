"""Conditional handover at a time that was told in advance."""

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
    """When a handover is prepared, and when it may be executed."""

    prepare_before: Annotated[Duration, Gt(0)] = Duration.parse("60s")
    """Candidates are chosen when the serving satellite is predicted to set within this."""
    open_before: Annotated[Duration, Gt(0)] = Duration.parse("20s")
    """t1 lies this long before the predicted loss, but not before the preparation."""
    window: Annotated[Duration, Gt(0)] = Duration.parse("20s")
    """From t1 on execution is allowed for so long."""
    threshold_db: Annotated[float, Ge(-200.0), Le(200.0)] = -10.0
    """Event A4: a candidate's mean signal-to-noise ratio must be above this."""
    hysteresis_db: Annotated[float, Ge(0.0), Le(30.0)] = 1.0
    """Above it by so much more."""
    time_to_trigger: Annotated[Duration, Ge(0)] = Duration(0)
    """For so long the signal must be above, before or after t1."""
    candidates: Annotated[int, Ge(1)] = 3
    """Satellites that are prepared, those that stay longest."""


@policies.register(
    "cho_time",
    source="TS 38.331, 5.5.4.16 and 5.5.4.5 (CondEvent T1 with A4)",
    options=ChoTimeOptions,
    largest_cluster=1,
)
def cho_time(view: AssociationView, *, options: ChoTimeOptions) -> Assignment:
    """Conditional handover T1: within a time window told in advance, to a prepared satellite that is strong enough.

    Candidates and window are fixed at the preparation, from the prediction of then; if the window passes without a
    handover, another is prepared. A terminal that has lost its satellite takes the strongest at once.
    What the scenario calls preparation has then been done already: set association.preparation to zero; execution
    applies. The prediction must look further ahead than ``prepare_before``.
    Simplified: only satellites that are in view at the preparation, and outlast the serving one, are prepared; the
    signal is not filtered.
    """
    now_ns, level_db = view.instant_ns, received_db(view)
    opens_ns = np.where(same_master(view), view.memory.get("opens_ns", -1), -1)
    opens_ns = np.where(now_ns > opens_ns + int(options.window), -1, opens_ns)
    stay_s = view.remaining_s()
    loss_s = np.where(leads(view), stay_s, 0.0).sum(axis=0)
    due = (opens_ns < 0) & (loss_s <= options.prepare_before.seconds)
    candidate, anew = prepared(view, due, stay_s > loss_s, options.candidates)
    opening_ns = now_ns + np.maximum(0, np.rint(loss_s * 1e9).astype(np.int64) - int(options.open_before))
    opens_ns = np.where(anew & candidate.any(axis=0), opening_ns, opens_ns)
    made = executed(
        view,
        level_db,
        candidate=candidate & (opens_ns >= 0),
        holds=level_db - options.hysteresis_db > options.threshold_db,
        allowed=(opens_ns >= 0) & (now_ns > opens_ns) & (now_ns <= opens_ns + int(options.window)),
        wait_ns=int(options.time_to_trigger),
        condition="T1 and A4",
    )
    return replace(made, memory={**made.memory, "opens_ns": opens_ns})
