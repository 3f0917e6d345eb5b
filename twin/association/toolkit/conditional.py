"""Conditional handover: candidates are prepared in advance, a condition that the terminal watches executes it."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from twin.arrays import BoolArray, FloatArray
from twin.association.problem import Assignment, AssociationView
from twin.association.toolkit.measurement import NEVER, held_since, lasted
from twin.association.toolkit.memory import SATELLITES, master_id, recalled, same_master
from twin.association.toolkit.ranking import best, leads, placed
from twin.association.toolkit.reasons import met, reasons


def prepared(view: AssociationView, due: BoolArray, eligible: BoolArray, count: int) -> tuple[BoolArray, BoolArray]:
    """The candidates (V,K) of each terminal, and for which terminals (K,) they have just been chosen.

    What was prepared stands, less satellites that are out of sight, until the terminal has another master or is due
    again. Candidates are those of the eligible satellites that stay longest.
    """
    standing = recalled(view, "candidate", False) & same_master(view) & view.visible & ~leads(view)
    anew = due & (view.master >= 0)
    if not anew.any():
        return standing, anew
    chosen = best(view.remaining_s(), eligible & view.visible & ~leads(view) & anew, count, None)
    return np.where(anew, chosen, standing), anew


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
    """Terminals go to the best candidate whose condition has held for a time and whose execution is allowed.

    Parameters
    ----------
    view
        The moment.
    score
        (V,K) by which the best is chosen, also by terminals that have lost their satellite.
    candidate
        (V,K) who has been prepared.
    holds
        (V,K) the condition that must last.
    allowed
        (V,K) or (K,) what must be so besides.
    wait_ns
        Time-to-trigger.
    condition
        What it is called, for the reasons.
    """
    past_ns = np.where(same_master(view), recalled(view, "since_ns", NEVER), NEVER)
    since_ns = held_since(holds & candidate, past_ns, view.instant_ns)
    made = placed(view, score, lasted(since_ns, view.instant_ns, wait_ns) & allowed)
    memory = {
        SATELLITES: view.norad_id,
        "master": master_id(view),
        "candidate": candidate,
        "since_ns": since_ns,
        **met(view),
    }
    return replace(made, reason=reasons(view, condition), memory=memory)
