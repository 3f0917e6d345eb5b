"""P5's baseline: clusters of the nearest satellites."""

from typing import Annotated

from annotated_types import Ge

from twin.association.problem import Assignment, AssociationView, policies
from twin.association.toolkit.ranking import clustered
from twin.registry import dataclass_options


@dataclass_options
class DistanceClusterOptions:
    """Cluster size and hysteresis."""

    cluster_size: Annotated[int, Ge(1)] = 5
    """L_k: satellites that jointly serve a terminal; P5 gives no number."""
    hysteresis_km: Annotated[float, Ge(0.0)] = 0.0
    """A satellite replaces a member, or the master, only if it is nearer by more than this; P5 has no hysteresis."""


@policies.register(
    "distance_cluster",
    source="P5, Section VI, Fig. 5",
    options=DistanceClusterOptions,
    largest_cluster=lambda options: options.cluster_size,
)
def distance_cluster(view: AssociationView, *, options: DistanceClusterOptions) -> Assignment:
    """Each terminal is jointly served by its nearest satellites, independent of their channels."""
    return clustered(view, -view.range_km, size=options.cluster_size, hysteresis=options.hysteresis_km)
