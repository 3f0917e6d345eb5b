"""Clusters of the satellites that stay visible longest."""

from typing import Annotated

from annotated_types import Ge

from twin.association.problem import Assignment, AssociationView, policies
from twin.association.toolkit.ranking import best, leads, led
from twin.registry import dataclass_options


@dataclass_options
class LongestVisibilityOptions:
    """Cluster size."""

    cluster_size: Annotated[int, Ge(1)] = 1
    """Satellites that jointly serve a terminal."""


@policies.register(
    "longest_visibility",
    source="TR 38.821, 7.3.2; common baseline",
    options=LongestVisibilityOptions,
    largest_cluster=lambda options: options.cluster_size,
)
def longest_visibility(view: AssociationView, *, options: LongestVisibilityOptions) -> Assignment:
    """Each terminal keeps a satellite until it is lost, then takes the one that stays visible longest.

    Passes are predicted to their end. Nearly synchronous satellites that stay visible for more than a day
    come first and rank equally.
    """
    stay_s = view.remaining_s()
    priority_s = 1.0 + 2.0 * float(stay_s.max(initial=0.0))  # puts every member before all others
    chosen = best(stay_s + priority_s * view.serving, view.visible, options.cluster_size, view.capacity)
    return led(chosen, stay_s, stay_s + priority_s * leads(view))
