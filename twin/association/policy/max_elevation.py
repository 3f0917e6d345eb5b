"""Service by the satellite of the highest elevation."""

from typing import Annotated

from annotated_types import Ge

from twin.association.problem import Assignment, AssociationView, policies
from twin.association.toolkit.ranking import clustered
from twin.registry import dataclass_options


@dataclass_options
class MaxElevationOptions:
    """Hysteresis."""

    hysteresis_deg: Annotated[float, Ge(0.0)] = 0.0
    """A terminal changes only to a satellite whose elevation is higher by more than this."""


@policies.register(
    "max_elevation", source="TR 38.821, 7.3.2; common baseline", options=MaxElevationOptions, largest_cluster=1
)
def max_elevation(view: AssociationView, *, options: MaxElevationOptions) -> Assignment:
    """Each terminal is served by the satellite of the highest elevation."""
    return clustered(view, view.elevation_deg, size=1, hysteresis=options.hysteresis_deg)
