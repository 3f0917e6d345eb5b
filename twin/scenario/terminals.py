"""The ``[terminals]`` section, or several ``[[terminals]]``: where the terminals are and how they point."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal, Self

from annotated_types import Ge, Gt, Le, MinLen
from pydantic import Field, model_validator

from twin.scenario.section import Latitude, Longitude, Positive, Section
from twin.units import Duration


class PatternSection(Section):
    """Gain of an antenna element over the angle from its boresight, relative to that along it."""

    name: Literal["isotropic", "cosine", "reflector"] = "isotropic"
    """The same in front; a power of the cosine (a patch); a circular aperture (TR 38.811, section 6.4.1)."""
    exponent: Annotated[float, Ge(0.0), Le(1000.0)] | None = None
    """Of `cosine`: the power, 1 if not given."""
    aperture_wavelengths: Annotated[float, Gt(0.0), Le(1e5)] | None = None
    """Of `reflector`, which must have it: the diameter."""

    @model_validator(mode="after")
    def _has_its_own_keys(self) -> Self:
        if self.exponent is not None and self.name != "cosine":
            raise ValueError(f'exponent = {self.exponent:g} belongs to name = "cosine", found name = "{self.name}"')
        if self.aperture_wavelengths is not None and self.name != "reflector":
            raise ValueError(
                f'aperture_wavelengths = {self.aperture_wavelengths:g} belongs to name = "reflector",'
                f' found name = "{self.name}"'
            )
        if self.aperture_wavelengths is None and self.name == "reflector":
            raise ValueError('name = "reflector" needs aperture_wavelengths, the diameter of its aperture')
        return self


class ArraySection(Section):
    """A uniform planar array of equal elements."""

    rows: Annotated[int, Ge(1), Le(1024)] = 1
    columns: Annotated[int, Ge(1), Le(1024)] = 1
    spacing_wavelengths: Positive = 0.5
    """Distance between neighbours, in wavelengths."""
    element_gain_dbi: Annotated[float, Ge(-100.0), Le(100.0)] = 0.0
    """Along the boresight."""
    pattern: PatternSection = PatternSection()


class OrientationSection(Section):
    """Where an antenna's boresight points, in the local frame of a terminal."""

    tilt_deg: Annotated[float, Ge(0.0), Le(180.0)] = 0.0
    """Angle between boresight and the local vertical."""
    azimuth_deg: float = 0.0
    """Direction in which the boresight is tilted, from north (fixed) or from the heading (moving)."""


class GroupSection(Section):
    """What all groups of terminals share."""

    name: Annotated[str, MinLen(1)] = "ut"
    """Terminals are called by it: ``ut-00``, ``ut-01``, ...; a group of one is called ``ut`` alone."""
    altitude_km: Annotated[float, Ge(-0.5), Le(100.0)] = 0.0
    antenna: ArraySection = ArraySection()
    orientation: OrientationSection = OrientationSection()
    weight: Annotated[float, Gt(0.0), Le(1e6)] = 1.0
    """Weight of each of its terminals in the weighted sum rate."""


class PositionSection(Section):
    """One place."""

    latitude_deg: Latitude
    longitude_deg: Longitude
    altitude_km: Annotated[float, Ge(-0.5), Le(100.0)] | None = None
    """Overrides the altitude of the group."""
    name: str | None = None


class ListGroupSection(GroupSection):
    """Terminals at the places that the scenario lists."""

    kind: Literal["list"]
    positions: Annotated[tuple[PositionSection, ...], MinLen(1)]


class CsvGroupSection(GroupSection):
    """Terminals at the places of a CSV file: latitude_deg, longitude_deg and, at will, altitude_km and name."""

    kind: Literal["csv"]
    path: Path


class DiscGroupSection(GroupSection):
    """Terminals drawn uniformly over a disc on the ground."""

    kind: Literal["disc"]
    latitude_deg: Latitude
    longitude_deg: Longitude
    radius_km: Annotated[float, Gt(0.0), Le(20_000.0)]
    count: Annotated[int, Ge(1), Le(1_000_000)]


class GridGroupSection(GroupSection):
    """Terminals on a latitude-longitude grid, both ends included."""

    kind: Literal["grid"]
    latitude_deg: tuple[Latitude, Latitude]
    longitude_deg: tuple[Longitude, Longitude]
    step_deg: Annotated[float, Ge(0.01), Le(90.0)]

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        for key in ("latitude_deg", "longitude_deg"):
            low, high = getattr(self, key)
            if low > high:
                raise ValueError(f"{key} = [{low:g}, {high:g}] must be [from, to] with from <= to")
        return self


class GreatCircleGroupSection(GroupSection):
    """One terminal that flies a great circle at constant speed and height, from start to end and no further."""

    kind: Literal["great_circle"]
    start: tuple[Latitude, Longitude]
    end: tuple[Latitude, Longitude]
    speed_km_h: Positive
    delay: Duration = Duration(0)
    """It leaves this long after the run starts."""


class WaypointSection(Section):
    """A place and when the terminal is there, counted from the start of the run."""

    latitude_deg: Latitude
    longitude_deg: Longitude
    at: Duration


class WaypointGroupSection(GroupSection):
    """One terminal that passes waypoints at set times, on great circles between them."""

    kind: Literal["waypoints"]
    waypoints: Annotated[tuple[WaypointSection, ...], MinLen(2)]

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        for earlier, later in zip(self.waypoints, self.waypoints[1:], strict=False):
            if later.at <= earlier.at:
                raise ValueError(f'waypoints must be in order of time: "{later.at}" does not follow "{earlier.at}"')
        return self


AnyGroup = Annotated[
    ListGroupSection
    | CsvGroupSection
    | DiscGroupSection
    | GridGroupSection
    | GreatCircleGroupSection
    | WaypointGroupSection,
    Field(discriminator="kind"),
]
