"""The nearest satellites of each terminal, P5's baseline."""

from typing import Annotated

from annotated_types import Ge

from twin.association.problem import Assignment, AssociationView, policies
from twin.association.toolkit.ranking import clustered
from twin.registry import dataclass_options


@dataclass_options
class DistanceClusterOptions:
    """How large clusters are."""

    cluster_size: Annotated[int, Ge(1)] = 5
    """L_k: satellites that serve a terminal together; P5 names no number."""
    hysteresis_km: Annotated[float, Ge(0.0)] = 0.0
    """By so much a satellite must be nearer to take a member's place, or the master's; P5 has none."""


@policies.register(
    "distance_cluster",
    source="P5, Section VI, Fig. 5",
    options=DistanceClusterOptions,
    largest_cluster=lambda options: options.cluster_size,
)
def distance_cluster(view: AssociationView, *, options: DistanceClusterOptions) -> Assignment:
    """Each terminal is served by its nearest satellites together, whatever their channels."""
    return clustered(view, -view.range_km, size=options.cluster_size, hysteresis=options.hysteresis_km)
