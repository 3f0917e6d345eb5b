"""The satellites that stay longest."""

from typing import Annotated

from annotated_types import Ge

from twin.association.problem import Assignment, AssociationView, policies
from twin.association.toolkit.ranking import best, leads, led
from twin.registry import dataclass_options


@dataclass_options
class LongestVisibilityOptions:
    """How large clusters are."""

    cluster_size: Annotated[int, Ge(1)] = 1
    """Satellites that serve a terminal together."""


@policies.register(
    "longest_visibility",
    source="TR 38.821, 7.3.2; common baseline",
    options=LongestVisibilityOptions,
    largest_cluster=lambda options: options.cluster_size,
)
def longest_visibility(view: AssociationView, *, options: LongestVisibilityOptions) -> Assignment:
    """Each terminal keeps a satellite until it is lost, then takes the one that will stay longest.

    Satellites that outlast the network's prediction stay equally long.
    """
    stay_s = view.remaining_s()
    whatever_s = 1.0 + 2.0 * float(stay_s.max(initial=0.0))
    chosen = best(stay_s + whatever_s * view.serving, view.visible, options.cluster_size, view.capacity)
    return led(chosen, stay_s, stay_s + whatever_s * leads(view))
