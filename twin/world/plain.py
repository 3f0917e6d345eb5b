"""Plain records of the geometry and uncertainty rooms, converted from scenario sections."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from twin.geometry.terminals.groups import (
    Disc,
    GreatCircle,
    Grid,
    Layout,
    Orientation,
    Place,
    PlaceFile,
    PlaceList,
    Route,
    TerminalGroup,
    TimedPlace,
)
from twin.uncertainty.errors import AttitudeError, ClockError, OrbitError, PositionError

if TYPE_CHECKING:
    from twin.scenario import belief, terminals
    from twin.units import Duration


def terminal_groups(sections: Sequence[terminals.AnyGroup]) -> tuple[TerminalGroup, ...]:
    """Convert the ``[[terminals]]`` sections, in their order."""
    return tuple(
        TerminalGroup(
            name=section.name,
            layout=_layout(section),
            orientation=Orientation(tilt_deg=section.orientation.tilt_deg, azimuth_deg=section.orientation.azimuth_deg),
            weight=section.weight,
        )
        for section in sections
    )


def _layout(section: terminals.AnyGroup) -> Layout:
    altitude_km = section.altitude_km
    if section.kind == "list":
        return PlaceList(places=tuple(_place(position, altitude_km) for position in section.positions))
    if section.kind == "csv":
        return PlaceFile(path=section.path, altitude_km=altitude_km)
    if section.kind == "disc":
        return Disc(
            latitude_deg=section.latitude_deg,
            longitude_deg=section.longitude_deg,
            radius_km=section.radius_km,
            count=section.count,
            altitude_km=altitude_km,
        )
    if section.kind == "grid":
        return Grid(
            latitude_deg=section.latitude_deg,
            longitude_deg=section.longitude_deg,
            step_deg=section.step_deg,
            altitude_km=altitude_km,
        )
    if section.kind == "great_circle":
        return GreatCircle(
            start_deg=section.start,
            end_deg=section.end,
            speed_km_h=section.speed_km_h,
            delay_ns=int(section.delay),
            altitude_km=altitude_km,
        )
    return Route(places=tuple(_timed_place(point) for point in section.waypoints), altitude_km=altitude_km)


def _place(section: terminals.PositionSection, group_altitude_km: float) -> Place:
    return Place(
        latitude_deg=section.latitude_deg,
        longitude_deg=section.longitude_deg,
        altitude_km=group_altitude_km if section.altitude_km is None else section.altitude_km,
        name=section.name,
    )


def _timed_place(section: terminals.WaypointSection) -> TimedPlace:
    return TimedPlace(latitude_deg=section.latitude_deg, longitude_deg=section.longitude_deg, time_ns=int(section.at))


def orbit_error(section: belief.OrbitErrorSection) -> OrbitError:
    """Convert ``[belief.orbit]``."""
    return OrbitError(
        law=section.law,
        every_ns=_nanoseconds(section.every),
        along_track_km=section.along_track_km,
        cross_track_km=section.cross_track_km,
        radial_km=section.radial_km,
    )


def attitude_error(section: belief.AttitudeErrorSection) -> AttitudeError:
    """Convert ``[belief.attitude]``."""
    return AttitudeError(
        law=section.law,
        every_ns=_nanoseconds(section.every),
        roll_deg=section.roll_deg,
        pitch_deg=section.pitch_deg,
        yaw_deg=section.yaw_deg,
    )


def position_error(section: belief.PositionErrorSection) -> PositionError:
    """Convert ``[belief.position]``."""
    return PositionError(
        law=section.law,
        every_ns=_nanoseconds(section.every),
        horizontal_km=section.horizontal_km,
        vertical_km=section.vertical_km,
        latency_ns=int(section.latency),
    )


def clock_error(section: belief.ClockErrorSection) -> ClockError:
    """Convert ``[belief.clock]``."""
    return ClockError(
        law=section.law,
        every_ns=_nanoseconds(section.every),
        satellite_ns=section.satellite_ns,
        terminal_ns=section.terminal_ns,
        satellite_ppb=section.satellite_ppb,
        terminal_ppb=section.terminal_ppb,
    )


def _nanoseconds(duration: Duration | None) -> int | None:
    return None if duration is None else int(duration)
