"""Joint clustering and power allocation of P5."""

from __future__ import annotations

from dataclasses import replace
from typing import Annotated

import numpy as np
from annotated_types import Ge, Lt

from twin.association.cell_free import (
    Allocation,
    Beams,
    CellFreeOptions,
    Interference,
    clusters,
    coefficients_of,
)
from twin.association.problem import Assignment, AssociationView, policies
from twin.association.toolkit.memory import SATELLITES, recalled
from twin.association.toolkit.ranking import leads, led
from twin.registry import dataclass_options


@dataclass_options
class CfMntnOptions(CellFreeOptions):
    """Beams, interference model and hysteresis of the joint allocation."""

    beams: Beams = "smrt"
    """Beams that the powers are optimised for: those of the precoder `smrt` or `szf`."""
    interference: Interference = "coherent"
    """How the mean interference of several satellites adds up at a terminal: as amplitudes, with the carrier phases at
    the decision (coherent, P5), or as powers, which is its average until the next decision (independent)."""
    tolerated_loss: Annotated[float, Ge(0.0), Lt(1.0)] = 0.05
    """Hysteresis: clusters are kept until the ratio of their least SINR to the one without count limits has fallen by
    more than this fraction since they were chosen."""


@policies.register(
    "cf_mntn",
    source="P5, Section IV, Algorithm 1",
    options=CfMntnOptions,
    largest_cluster=lambda options: options.satellites_per_terminal,
)
def cf_mntn(view: AssociationView, *, options: CfMntnOptions) -> Assignment:
    """Cell-free clusters and power fractions that maximise the least SINR, by sparse max-min allocation."""
    if not view.visible.any():
        return led(np.zeros_like(view.visible), view.elevation_deg)
    load = (
        options.terminals_per_satellite
        if view.capacity is None
        else min(options.terminals_per_satellite, view.capacity)
    )
    power_w = np.full(len(view.norad_id), view.power_w)
    coefficients = coefficients_of(view.statistics(), power_w, beams=options.beams, interference=options.interference)
    start = _last_allocation(view) if "sinr_ratio" in view.memory else None
    found = clusters(coefficients, view.visible, options=replace(options, terminals_per_satellite=load), start=start)
    score = found.power_fraction * view.mean_gain()
    wanted = led(found.serving, score, np.where(leads(view), np.inf, score))  # a serving master stays master
    memory = {
        SATELLITES: view.norad_id,
        "power_fraction": found.power_fraction,
        "sinr_ratio": np.array(found.sinr_ratio),
    }
    return replace(wanted, power_fraction=found.power_fraction, score=score, memory=memory)


def _last_allocation(view: AssociationView) -> Allocation:
    """Return the last decision for the pairs that are visible now."""
    power_fraction = np.where(view.visible, recalled(view, "power_fraction", 0.0), 0.0)
    return Allocation(
        power_fraction=power_fraction,
        serving=power_fraction > 0.0,
        sinr=np.zeros(power_fraction.shape[1]),
        least_sinr=0.0,
        bound=np.inf,
        sinr_ratio=float(view.memory["sinr_ratio"]),
        iterations=0,
        converged=False,
        reason="kept",
    )
