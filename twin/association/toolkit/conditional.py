"""Conditional handover: candidates are prepared in advance; the terminal executes it when a condition holds."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from twin.arrays import BoolArray, FloatArray
from twin.association.problem import Assignment, AssociationView
from twin.association.toolkit.measurement import NEVER, held_since, lasted
from twin.association.toolkit.memory import SATELLITES, master_id, recalled, same_master
from twin.association.toolkit.ranking import best, leads, one_satellite
from twin.association.toolkit.reasons import reasons, served_before


def prepared(view: AssociationView, due: BoolArray, eligible: BoolArray, count: int) -> tuple[BoolArray, BoolArray]:
    """Return each terminal's candidates (V,K), and the terminals (K,) whose candidates are prepared at this decision.

    Candidates stay prepared while they are visible, until the terminal has another master or a new preparation is due.
    They are the eligible satellites that stay visible longest.

    Parameters
    ----------
    view
        What the policy is given.
    due
        (K,) terminals whose preparation is due; only those that are served are prepared.
    eligible
        (V,K) pairs that may be prepared, if visible.
    count
        Most candidates of a terminal.
    """
    existing = recalled(view, "candidate", False) & same_master(view) & view.visible & ~leads(view)
    renewed = due & (view.master >= 0)
    if not renewed.any():
        return existing, renewed
    chosen = best(view.remaining_s(), eligible & view.visible & ~leads(view) & renewed, count, None)
    return np.where(renewed, chosen, existing), renewed


def executed(
    view: AssociationView,
    score: FloatArray,
    *,
    candidate: BoolArray,
    holds: BoolArray,
    allowed: BoolArray,
    wait_ns: int,
    condition: str,
) -> Assignment:
    """Move terminals to the best candidate whose condition has held for the time-to-trigger and that is allowed.

    Parameters
    ----------
    view
        What the policy is given.
    score
        (V,K) ranks the candidates, and all satellites for terminals that have lost theirs.
    candidate
        (V,K) prepared pairs.
    holds
        (V,K) pairs whose condition holds now.
    allowed
        (V,K) or (K,) pairs or terminals whose handover may be executed now.
    wait_ns
        Time-to-trigger.
    condition
        Name of the condition, for the reasons.
    """
    past_ns = np.where(same_master(view), recalled(view, "since_ns", NEVER), NEVER)
    since_ns = held_since(holds & candidate, past_ns, view.instant_ns)
    decision = one_satellite(view, score, lasted(since_ns, view.instant_ns, wait_ns) & allowed)
    memory = {
        SATELLITES: view.norad_id,
        "master": master_id(view),
        "candidate": candidate,
        "since_ns": since_ns,
        **served_before(view),
    }
    return replace(decision, reason=reasons(view, condition), memory=memory)
