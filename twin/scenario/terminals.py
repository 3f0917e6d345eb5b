"""The ``[terminals]`` section, or several ``[[terminals]]``: positions, antennas and orientations of terminals."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal, Self

from annotated_types import Ge, Gt, Le, MinLen
from pydantic import Field, model_validator

from twin.scenario.section import Latitude, Longitude, Positive, Section
from twin.units import Duration


class PatternSection(Section):
    """Gain of an antenna element over the angle from its boresight, relative to the gain on boresight."""

    name: Literal["isotropic", "cosine", "reflector"] = "isotropic"
    """Constant over the front half-space; a power of the cosine, as of a patch; or a circular aperture (TR 38.811,
    section 6.4.1)."""
    exponent: Annotated[float, Ge(0.0), Le(1000.0)] | None = None
    """Exponent of the cosine, for ``cosine`` only; 1 if not given."""
    aperture_wavelengths: Annotated[float, Gt(0.0), Le(1e5)] | None = None
    """Diameter of the aperture in wavelengths, for ``reflector`` only, which requires it."""

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
    """Number of rows of elements."""
    columns: Annotated[int, Ge(1), Le(1024)] = 1
    """Number of columns of elements."""
    spacing_wavelengths: Positive = 0.5
    """Distance between adjacent elements, in wavelengths."""
    element_gain_dbi: Annotated[float, Ge(-100.0), Le(100.0)] = 0.0
    """Gain of one element on boresight."""
    pattern: PatternSection = PatternSection()
    """Gain of one element off boresight."""


class OrientationSection(Section):
    """Direction of an antenna's boresight in the local frame of a terminal."""

    tilt_deg: Annotated[float, Ge(0.0), Le(180.0)] = 0.0
    """Angle between boresight and the local vertical."""
    azimuth_deg: float = 0.0
    """Azimuth of the boresight, clockwise from north (fixed terminals) or from the heading (moving terminals)."""


class GroupSection(Section):
    """Keys of all groups of terminals."""

    name: Annotated[str, MinLen(1)] = "ut"
    """Name of the group. Its terminals are ``ut-00``, ``ut-01``, ...; the terminal of a group of one is ``ut``."""
    altitude_km: Annotated[float, Ge(-0.5), Le(100.0)] = 0.0
    """Altitude above the WGS-84 ellipsoid."""
    antenna: ArraySection = ArraySection()
    """Antenna array of each terminal."""
    orientation: OrientationSection = OrientationSection()
    """Orientation of the arrays."""
    weight: Annotated[float, Gt(0.0), Le(1e6)] = 1.0
    """Weight of each of its terminals in the weighted sum rate."""


class PositionSection(Section):
    """One position."""

    latitude_deg: Latitude
    """Geodetic latitude (WGS-84), north positive."""
    longitude_deg: Longitude
    """Longitude, east positive."""
    altitude_km: Annotated[float, Ge(-0.5), Le(100.0)] | None = None
    """Altitude; None means that of the group."""
    name: str | None = None
    """Name of the terminal; None means a name formed from that of the group."""


class ListGroupSection(GroupSection):
    """Terminals at listed positions."""

    kind: Literal["list"]
    """Terminals at listed positions."""
    positions: Annotated[tuple[PositionSection, ...], MinLen(1)]
    """Position of each terminal."""


class CsvGroupSection(GroupSection):
    """Terminals at the positions of a CSV file with the columns latitude_deg, longitude_deg and, optionally,
    altitude_km and name."""

    kind: Literal["csv"]
    """Terminals at the positions of a CSV file."""
    path: Path
    """The CSV file."""


class DiscGroupSection(GroupSection):
    """Terminals drawn uniformly over a spherical cap on the ground."""

    kind: Literal["disc"]
    """Terminals drawn uniformly in a disc."""
    latitude_deg: Latitude
    """Latitude of the centre."""
    longitude_deg: Longitude
    """Longitude of the centre."""
    radius_km: Annotated[float, Gt(0.0), Le(20_000.0)]
    """Radius along the ground."""
    count: Annotated[int, Ge(1), Le(1_000_000)]
    """Number of terminals."""


class GridGroupSection(GroupSection):
    """Terminals on a latitude-longitude grid that includes both ends."""

    kind: Literal["grid"]
    """Terminals on a grid of latitudes and longitudes."""
    latitude_deg: tuple[Latitude, Latitude]
    """First and last latitude."""
    longitude_deg: tuple[Longitude, Longitude]
    """First and last longitude."""
    step_deg: Annotated[float, Ge(0.01), Le(90.0)]
    """Distance between adjacent terminals in latitude and in longitude."""

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        for key in ("latitude_deg", "longitude_deg"):
            low, high = getattr(self, key)
            if low > high:
                raise ValueError(f"{key} = [{low:g}, {high:g}] must be [from, to] with from <= to")
        return self


class GreatCircleGroupSection(GroupSection):
    """One terminal that moves along a great circle at constant speed and altitude, and stops at the end."""

    kind: Literal["great_circle"]
    """Terminals that move along a great circle."""
    start: tuple[Latitude, Longitude]
    """Latitude and longitude of the start."""
    end: tuple[Latitude, Longitude]
    """Latitude and longitude of the end."""
    speed_km_h: Positive
    """Ground speed."""
    delay: Duration = Duration(0)
    """Time from the start of the run to the departure."""


class WaypointSection(Section):
    """A position and the time at which the terminal is there."""

    latitude_deg: Latitude
    """Geodetic latitude (WGS-84), north positive."""
    longitude_deg: Longitude
    """Longitude, east positive."""
    at: Duration
    """Time from the start of the run."""


class WaypointGroupSection(GroupSection):
    """One terminal that passes waypoints at given times, along great circles between them."""

    kind: Literal["waypoints"]
    """Terminals that move from waypoint to waypoint."""
    waypoints: Annotated[tuple[WaypointSection, ...], MinLen(2)]
    """Waypoints in order of time."""

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
