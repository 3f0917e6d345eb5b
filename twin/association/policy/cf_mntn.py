"""Clusters and powers decided together (P5)."""

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
    """Which beams the powers are for, and how clusters and powers are found."""

    beams: Beams = "smrt"
    """Beams for which powers are found: those of the precoder `smrt` or `szf`."""
    interference: Interference = "coherent"
    """Whether mean amplitudes of several satellites add up at strangers, in the phases of the moment of the decision as
    in P5, or their powers, as they do over the seconds until the next decision."""
    tolerated_loss: Annotated[float, Ge(0.0), Lt(1.0)] = 0.05
    """Clusters are kept while, measured by the least SINR without limits of numbers, they have lost no more than this
    share since they were chosen: the hysteresis."""


@policies.register(
    "cf_mntn",
    source="P5, Section IV, Algorithm 1",
    options=CfMntnOptions,
    largest_cluster=lambda options: options.satellites_per_terminal,
)
def cf_mntn(view: AssociationView, *, options: CfMntnOptions) -> Assignment:
    """Cell-free clusters and power shares that maximise the least SINR, by sparse max-min allocation."""
    if not view.visible.any():
        return led(np.zeros_like(view.visible), view.elevation_deg)
    most = (
        options.terminals_per_satellite
        if view.capacity is None
        else min(options.terminals_per_satellite, view.capacity)
    )
    power_w = np.full(len(view.norad_id), view.power_w)
    coefficients = coefficients_of(view.statistics(), power_w, beams=options.beams, interference=options.interference)
    start = _carried(view) if "worth" in view.memory else None
    found = clusters(coefficients, view.visible, options=replace(options, terminals_per_satellite=most), start=start)
    score = found.power_fraction * view.mean_gain()
    wanted = led(found.serving, score, np.where(leads(view), np.inf, score))  # a master leads as long as it serves
    memory = {SATELLITES: view.norad_id, "share": found.power_fraction, "worth": np.array(found.worth)}
    return replace(wanted, power_fraction=found.power_fraction, score=score, memory=memory)


def _carried(view: AssociationView) -> Allocation:
    """The last decision, of the satellites that are in view now."""
    power_fraction = np.where(view.visible, recalled(view, "share", 0.0), 0.0)
    return Allocation(
        power_fraction=power_fraction,
        serving=power_fraction > 0.0,
        sinr=np.zeros(power_fraction.shape[1]),
        least_sinr=0.0,
        bound=np.inf,
        worth=float(view.memory["worth"]),
        iterations=0,
        converged=False,
        reason="kept",
    )
