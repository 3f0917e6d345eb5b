"""The bound that no policy can beat: with the whole ephemeris known, the fewest handovers."""

from __future__ import annotations

from dataclasses import replace
from typing import Annotated, Any

import numpy as np
from annotated_types import Ge

from twin.association.offline import ContactPlan, best_at_price, fewest_handovers
from twin.association.problem import Assignment, AssociationView, policies
from twin.association.toolkit.ranking import best, led
from twin.registry import dataclass_options


@dataclass_options
class OfflineOptions:
    """What a handover costs."""

    price_deg: Annotated[float, Ge(0.0)] | None = None
    """Degrees of elevation, summed over decisions, for which a handover is worth making; none makes the fewest."""
    price_bps_hz: Annotated[float, Ge(0.0)] | None = None
    """Bit/s/Hz, summed over decisions, for which one is; of satellites that each spend their whole power on the
    terminal, with nobody's interference."""

    def __post_init__(self) -> None:
        if self.price_deg is not None and self.price_bps_hz is not None:
            found = f"price_deg = {self.price_deg:g} and price_bps_hz = {self.price_bps_hz:g}"
            raise ValueError(f"found {found}; a handover has one price")


@policies.register(
    "offline_optimal",
    source="ours; shortest path in the time-expanded visibility graph",
    options=OfflineOptions,
    largest_cluster=1,
)
def offline_optimal(view: AssociationView, *, options: OfflineOptions) -> Assignment:
    """The fewest handovers that keep each terminal in service, or the best trade of them against elevation or rate.

    The whole ephemeris is known, and each terminal is planned for by itself: a bound for policies that serve whenever
    somebody is visible, not a policy for a network. It is exact for what is visible at the decisions and without a
    limit of capacity; of plans with as many handovers it takes the one of the highest mean elevation. The rate that
    handovers are traded for is that of a terminal alone: nobody's interference and no other's share of power.
    """
    plan = view.memory["plan"] if "plan" in view.memory else _plan(view, options)
    now = plan[min(view.instant_ns // view.every_ns, len(plan) - 1)] if len(plan) else np.full(plan.shape[1:], -1)
    planned = (view.norad_id[:, None] == now) & view.visible
    # what the plan does not foresee is met by the highest: 180 degrees put whom it names before all others
    serving = best(view.elevation_deg + 180.0 * planned, view.visible, 1, view.capacity)
    wanted = led(serving, view.elevation_deg)
    reason = np.where((serving & planned).any(axis=0), "plan", "not planned")
    return replace(wanted, reason=reason, memory={"plan": plan})


def _plan(view: AssociationView, options: OfflineOptions) -> np.ndarray[Any, np.dtype[np.int32]]:
    """(T,K) NORAD ids that serve at each decision."""
    by_rate = options.price_bps_hz is not None
    price = options.price_bps_hz if by_rate else options.price_deg
    plans = [_planned(contacts, price) for contacts in view.contacts("rate" if by_rate else "elevation")]
    return np.stack(plans, axis=1) if plans else np.zeros((0, 0), dtype=np.int32)


def _planned(contacts: ContactPlan, price: float | None) -> np.ndarray[Any, np.dtype[np.int32]]:
    """(T,) NORAD id that serves one terminal at each decision, -1 for none."""
    found = fewest_handovers(contacts) if price is None else best_at_price(contacts, price=price)
    return found.assignment.astype(np.int32)
