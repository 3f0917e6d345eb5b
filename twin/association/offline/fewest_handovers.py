"""The fewest handovers of one terminal, and what fewer of them cost."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from twin.arrays import FloatArray
from twin.association.offline.contacts import ContactPlan
from twin.association.offline.search import OfflinePlan, Slots
from twin.errors import InputError
from twin.records import documented

_ROUNDING: Final = 1e-12
"""Fraction of the sum of all scores in view; two sums that differ by less are equal."""


@documented
@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Frontier:
    """The corners of the upper concave hull of score over handovers."""

    plans: tuple[OfflinePlan, ...]
    """N plans, by ascending handovers and score; each has the highest score of all with at most its handovers."""
    prices: FloatArray
    """(N-1,) descending: price of a handover at which two neighbouring plans are equally good."""


def fewest_handovers(contacts: ContactPlan) -> OfflinePlan:
    """Serve whenever a satellite is visible, with the fewest handovers, and among those with the highest score.

    The three aims rank in this order. The plan is a shortest path in the time-expanded graph whose nodes are the
    visible pairs of instant and satellite, whose edges to another satellite cost one handover, and in which no path
    leaves out an instant that has a node. A change after a gap is no handover. The count is exact; among plans with
    that count, the score is the highest to rounding. Of equal plans, one that stays longer is taken.
    """
    slots = Slots.of(contacts)
    return slots.plans(np.array([slots.prohibitive]), 1)[0]


def best_at_price(contacts: ContactPlan, *, price: float, dwell_instants: int = 1) -> OfflinePlan:
    """Serve whenever a satellite is visible, with the highest sum of scores minus a price for each handover.

    Parameters
    ----------
    contacts
        Visible pairs of instant and satellite, with scores.
    price
        What a handover costs, in units of the score.
    dwell_instants
        Least number of instants of service before a handover from a satellite that is still visible; the end of the
        horizon counts as setting.

    Raises
    ------
    InputError
        If the price is negative or not finite, or the dwell is below 1.
    """
    if not 0.0 <= price < np.inf:
        raise InputError(f"price: found {price}, allowed 0 or more, finite")
    return Slots.of(contacts).plans(np.array([price]), _checked(dwell_instants))[0]


def frontier(contacts: ContactPlan, *, dwell_instants: int = 1) -> Frontier:
    """All plans that are best at some price of a handover, from the fewest handovers to the highest score.

    Between two known corners the price is tried at which both are worth the same: what is better there is a new corner,
    and if nothing is, the two are neighbours.

    Raises
    ------
    InputError
        If the dwell is below 1.
    """
    slots, dwell = Slots.of(contacts), _checked(dwell_instants)
    slack = _ROUNDING * sum(float(np.abs(score).sum()) for score in contacts.score)
    few, high = slots.plans(np.array([slots.prohibitive, 0.0]), dwell)
    found, between = [few, high], [(few, high)]
    while between := [(a, b) for a, b in between if b.handovers > a.handovers + 1 and b.score - a.score > slack]:
        prices = [(b.score - a.score) / (b.handovers - a.handovers) for a, b in between]
        narrower = []
        for (a, b), price, new in zip(between, prices, slots.plans(np.array(prices), dwell), strict=True):
            gain = new.score - a.score - price * (new.handovers - a.handovers)
            if a.handovers < new.handovers < b.handovers and gain > slack:
                found.append(new)
                narrower += [(a, new), (new, b)]
        between = narrower
    return _hull(found, slack)


def _hull(found: list[OfflinePlan], slack: float) -> Frontier:
    """The plans at which the slope changes; what rounding alone lifts over a line is no corner."""
    corners: list[OfflinePlan] = []
    for plan in sorted(found, key=lambda plan: (plan.handovers, -plan.score)):
        if corners and plan.score - corners[-1].score <= slack:
            continue
        while len(corners) > 1 and _above(corners[-2], corners[-1], plan) <= slack:
            corners.pop()
        corners.append(plan)
    score, handovers = (np.array([getattr(plan, name) for plan in corners]) for name in ("score", "handovers"))
    return Frontier(plans=tuple(corners), prices=np.diff(score) / np.diff(handovers))


def _above(left: OfflinePlan, middle: OfflinePlan, right: OfflinePlan) -> float:
    """How far the score of a plan stands over the line between two others."""
    share = (middle.handovers - left.handovers) / (right.handovers - left.handovers)
    return middle.score - (left.score + share * (right.score - left.score))


def _checked(dwell_instants: int) -> int:
    if dwell_instants < 1:
        raise InputError(f"dwell_instants: found {dwell_instants}, allowed 1 or more")
    return dwell_instants
