"""The strongest satellites."""

from __future__ import annotations

from typing import Annotated, Literal

import numpy as np
from annotated_types import Ge

from twin.arrays import FloatArray
from twin.association.problem import Assignment, AssociationView, policies
from twin.association.toolkit.ranking import clustered, received_db
from twin.registry import dataclass_options
from twin.units import from_db, to_db


@dataclass_options
class StrongestOptions:
    """What strong means, and when to leave the satellites that serve."""

    rank_by: Literal["snr", "sinr"] = "snr"
    """By mean received power over noise, or over noise and what the other visible satellites would disturb with."""
    cluster_size: Annotated[int, Ge(1)] = 1
    """Satellites that serve a terminal together."""
    hysteresis_db: Annotated[float, Ge(0.0)] = 0.0
    """By so much a satellite must be stronger to take a member's place, or the master's."""


@policies.register(
    "strongest",
    source="P5, Section VI, benchmarks 2 and 3",
    options=StrongestOptions,
    largest_cluster=lambda options: options.cluster_size,
)
def strongest(view: AssociationView, *, options: StrongestOptions) -> Assignment:
    """Each terminal is served by the satellite, or the few, that it receives best on average."""
    score = received_db(view) if options.rank_by == "snr" else sinr_db(view)
    return clustered(view, score, size=options.cluster_size, hysteresis=options.hysteresis_db)


def sinr_db(view: AssociationView) -> FloatArray:
    """(V,K) mean signal-to-interference-and-noise ratio of each satellite at its whole power, in dB.

    Every other satellite that the terminal sees is taken to send its whole budget to others, in no particular
    direction: γ/N of it arrives, γ holding the gain of the whole array of N elements. With that load the order of a
    terminal's satellites is that of their received powers; the distances between them, and so what a hysteresis
    means, are not.
    """
    own_db = received_db(view)
    heard = np.where(view.visible, from_db(own_db), 0.0)
    others = np.maximum(heard.sum(axis=0) - heard, 0.0)
    return np.asarray(own_db - to_db(1.0 + others / view.statistics().array.elements))
