"""Clusters of the satellites with the highest mean SNR or SINR."""

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
    """Ranking, cluster size and hysteresis."""

    rank_by: Literal["snr", "sinr"] = "snr"
    """Rank by mean received power over noise, or over noise and the interference of the other visible satellites."""
    cluster_size: Annotated[int, Ge(1)] = 1
    """Satellites that jointly serve a terminal."""
    hysteresis_db: Annotated[float, Ge(0.0)] = 0.0
    """A satellite replaces a member, or the master, only if it is stronger by more than this."""


@policies.register(
    "strongest",
    source="P5, Section VI, benchmarks 2 and 3",
    options=StrongestOptions,
    largest_cluster=lambda options: options.cluster_size,
)
def strongest(view: AssociationView, *, options: StrongestOptions) -> Assignment:
    """Each terminal is served by the satellite, or the satellites, with the highest mean SNR or SINR."""
    score = received_db(view) if options.rank_by == "snr" else sinr_db(view)
    return clustered(view, score, size=options.cluster_size, hysteresis=options.hysteresis_db)


def sinr_db(view: AssociationView) -> FloatArray:
    """Return the (V,K) mean signal-to-interference-and-noise ratio of each satellite at full power, in dB.

    Every other visible satellite is assumed to transmit its full power to other terminals, in random directions: a
    power gain of γ/N applies, where γ includes the gain of the whole array of N elements. Under this load satellites
    rank as by received power, but their differences are other ones, so that a hysteresis acts differently.
    """
    own_db = received_db(view)
    received = np.where(view.visible, from_db(own_db), 0.0)
    interference = np.maximum(received.sum(axis=0) - received, 0.0)
    return np.asarray(own_db - to_db(1.0 + interference / view.statistics().array.elements))
