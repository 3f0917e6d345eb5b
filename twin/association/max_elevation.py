"""The highest satellite."""

from typing import Annotated, Any

from annotated_types import Ge

from twin.association.policy import Assignment, AssociationView, policies
from twin.association.ranking import best, led
from twin.registry import dataclass_options


@dataclass_options
class MaxElevationOptions:
    """When to leave the satellite that serves."""

    hysteresis_deg: Annotated[float, Ge(0.0)] = 0.0
    """A satellite is left only for one that stands higher by more than this."""
    capacity: Annotated[int, Ge(1)] | None = None
    """Most terminals that one satellite serves; none is no limit."""


@policies.register("max_elevation", source="TR 38.821, 7.3.2; common baseline", options=MaxElevationOptions)
def max_elevation(view: AssociationView, *, options: Any) -> Assignment:
    """Each terminal is served by the satellite that stands highest."""
    score = view.elevation_deg + options.hysteresis_deg * view.serving
    return led(best(score, view.visible, 1, options.capacity), score)
