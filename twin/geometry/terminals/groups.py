"""Groups of terminals as plain values: where they are placed or how they move, and how their antennas point."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

from twin.records import documented


@documented
@dataclass(frozen=True, slots=True, kw_only=True)
class Orientation:
    """Direction of an antenna's boresight in the local frame of its terminal."""

    tilt_deg: float = 0.0
    """Angle between the boresight and the local vertical."""
    azimuth_deg: float = 0.0
    """Direction of the tilt, clockwise from north (fixed terminals) or from the heading (moving terminals)."""


@documented
@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Position of one terminal that does not move."""

    latitude_deg: float
    """Geodetic."""
    longitude_deg: float
    """From -180 to 360."""
    altitude_km: float = 0.0
    """Above the WGS-84 ellipsoid."""
    name: str | None = None
    """None means that the terminal is named after its group."""


@documented
@dataclass(frozen=True, slots=True, kw_only=True)
class PlaceList:
    """Fixed terminals at given places."""

    places: tuple[Place, ...]
    """Places, one for each terminal."""


@documented
@dataclass(frozen=True, slots=True, kw_only=True)
class PlaceFile:
    """Fixed terminals at the places of a CSV file, see `csv_places`."""

    path: Path
    """CSV file with one place a line."""
    altitude_km: float = 0.0
    """Altitude of the rows that state none."""


@documented
@dataclass(frozen=True, slots=True, kw_only=True)
class Disc:
    """Fixed terminals, drawn uniformly over a spherical cap."""

    latitude_deg: float
    """Of the centre."""
    longitude_deg: float
    """Of the centre."""
    radius_km: float
    """Great-circle distance from the centre to the edge, on the mean sphere."""
    count: int
    """Number of terminals."""
    altitude_km: float = 0.0
    """Height above the WGS-84 ellipsoid, in km."""


@documented
@dataclass(frozen=True, slots=True, kw_only=True)
class Grid:
    """Fixed terminals on a latitude-longitude grid that includes both ends of each interval."""

    latitude_deg: tuple[float, float]
    """Lowest and highest."""
    longitude_deg: tuple[float, float]
    """Lowest and highest."""
    step_deg: float
    """Distance between neighbours, in latitude and in longitude."""
    altitude_km: float = 0.0
    """Height above the WGS-84 ellipsoid, in km."""


@documented
@dataclass(frozen=True, slots=True, kw_only=True)
class GreatCircle:
    """One terminal that moves along a great circle at constant speed and altitude and stops at the end."""

    start_deg: tuple[float, float]
    """Latitude and longitude."""
    end_deg: tuple[float, float]
    """Latitude and longitude."""
    speed_km_h: float
    """Ground speed on the mean sphere."""
    delay_ns: int = 0
    """Time of departure after the start of the run."""
    altitude_km: float = 0.0
    """Height above the WGS-84 ellipsoid, in km."""


@documented
@dataclass(frozen=True, slots=True, kw_only=True)
class TimedPlace:
    """A place and the time at which a terminal is there."""

    latitude_deg: float
    """Geodetic latitude (WGS-84), north positive, in degrees."""
    longitude_deg: float
    """Longitude, east positive, in degrees."""
    time_ns: int
    """After the start of the run."""


@documented
@dataclass(frozen=True, slots=True, kw_only=True)
class Route:
    """One terminal that passes places at given times, along great circles between them."""

    places: tuple[TimedPlace, ...]
    """At least two, in ascending order of time."""
    altitude_km: float = 0.0
    """Height above the WGS-84 ellipsoid, in km."""


Layout: TypeAlias = PlaceList | PlaceFile | Disc | Grid | GreatCircle | Route


@documented
@dataclass(frozen=True, slots=True, kw_only=True)
class TerminalGroup:
    """Terminals that share a layout, an antenna orientation and a weight."""

    name: str
    """Prefix of the terminals' names."""
    layout: Layout
    """Where the terminals of the group are."""
    orientation: Orientation = Orientation()
    """Direction in which the terminals' arrays point."""
    weight: float = 1.0
    """Weight of each terminal in the weighted sum rate."""
