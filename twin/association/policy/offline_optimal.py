"""Lower bound on handovers: the fewest possible if the whole ephemeris is known in advance."""

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
    """Price of a handover."""

    price_deg: Annotated[float, Ge(0.0)] | None = None
    """Gain in elevation, summed over decisions, that justifies one handover. None, without the other price, means the
    fewest handovers."""
    price_bps_hz: Annotated[float, Ge(0.0)] | None = None
    """Gain in spectral efficiency, summed over decisions, that justifies one handover; for satellites that spend their
    full power on the terminal, without interference."""

    def __post_init__(self) -> None:
        if self.price_deg is not None and self.price_bps_hz is not None:
            found = f"price_deg = {self.price_deg:g} and price_bps_hz = {self.price_bps_hz:g}"
            raise ValueError(f"found {found}; only one price of a handover is allowed")


@policies.register(
    "offline_optimal",
    source="ours; shortest path in the time-expanded visibility graph",
    options=OfflineOptions,
    largest_cluster=1,
)
def offline_optimal(view: AssociationView, *, options: OfflineOptions) -> Assignment:
    """The fewest handovers that keep each terminal in service, or their optimal trade-off with elevation or rate.

    The whole ephemeris is known and each terminal is planned independently: a bound for policies that serve a terminal
    whenever a satellite is visible, not a policy for a network. It is exact for the visibility at decisions and without
    a capacity limit; among plans with the same number of handovers it has the highest mean elevation. Handovers are
    traded for the rate of a single terminal: without interference, at a satellite's full power.
    """
    plan = view.memory["plan"] if "plan" in view.memory else _plan(view, options)
    now = plan[min(view.instant_ns // view.every_ns, len(plan) - 1)] if len(plan) else np.full(plan.shape[1:], -1)
    planned = (view.norad_id[:, None] == now) & view.visible
    # 180 degrees put the planned satellite before all others; where it is not available, the highest one serves
    serving = best(view.elevation_deg + 180.0 * planned, view.visible, 1, view.capacity)
    wanted = led(serving, view.elevation_deg)
    reason = np.where((serving & planned).any(axis=0), "plan", "not planned")
    return replace(wanted, reason=reason, memory={"plan": plan})


def _plan(view: AssociationView, options: OfflineOptions) -> np.ndarray[Any, np.dtype[np.int32]]:
    """Return (T,K) NORAD ids of the satellites that serve at each decision."""
    by_rate = options.price_bps_hz is not None
    price = options.price_bps_hz if by_rate else options.price_deg
    plans = [_planned(contacts, price) for contacts in view.contacts("rate" if by_rate else "elevation")]
    return np.stack(plans, axis=1) if plans else np.zeros((0, 0), dtype=np.int32)


def _planned(contacts: ContactPlan, price: float | None) -> np.ndarray[Any, np.dtype[np.int32]]:
    """Return (T,) NORAD ids that serve one terminal at each decision, -1 without service."""
    plan = fewest_handovers(contacts) if price is None else best_at_price(contacts, price=price)
    return plan.assignment.astype(np.int32)
