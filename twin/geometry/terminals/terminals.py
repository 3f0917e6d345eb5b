"""Place the terminals of a run and compute their states."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields
from itertools import pairwise
from typing import Self

import numpy as np

from twin.arrays import FloatArray, IntArray, TimeArray
from twin.errors import InputError
from twin.geometry.ephemeris.frames import local_axes, position_along, up_of
from twin.geometry.terminals.csv_places import csv_places
from twin.geometry.terminals.groups import (
    Disc,
    GreatCircle,
    Grid,
    Orientation,
    Place,
    PlaceFile,
    PlaceList,
    Route,
    TerminalGroup,
)
from twin.geometry.terminals.places import disc_places, grid_places, listed_places
from twin.geometry.terminals.states import TerminalStates
from twin.geometry.terminals.tracks import (
    MEAN_EARTH_RADIUS_KM,
    Track,
    antipodal,
    arc_rad,
    geodetic_of,
    north_of,
    velocity_along,
)
from twin.records import documented


@documented
@dataclass(frozen=True, slots=True, kw_only=True)
class Terminals:
    """All terminals, in the order of their groups."""

    names: tuple[str, ...]
    """(K,) unique."""
    group: IntArray
    """(K,) index of each terminal's group."""
    weight: FloatArray
    """(K,) weight in the weighted sum rate."""
    fixed: TerminalStates
    """States of all terminals at one instant; moving terminals are at their initial positions."""
    tracks: tuple[tuple[int, Track, float, Orientation], ...]
    """Index, path, altitude [km] and antenna orientation of each moving terminal."""

    @property
    def count(self) -> int:
        """Number of terminals, K."""
        return len(self.names)

    @classmethod
    def place(cls, groups: Sequence[TerminalGroup], *, seed: int) -> Self:
        """Place the terminals of all groups.

        Raises
        ------
        InputError
            If a CSV file is invalid, a great circle is not defined or two terminals have the same name.
        """
        names: list[str] = []
        owner: list[int] = []
        placed: list[tuple[Place, Orientation]] = []
        tracks = []
        for index, group in enumerate(groups):
            places, track = _placed(group, seed, index)
            if track is not None:
                tracks.append((len(names), track, places[0].altitude_km, group.orientation))
            names += _names(group.name, places)
            owner += [index] * len(places)
            placed += [(place, group.orientation) for place in places]
        _check_unique(names, [groups[index].name for index in owner])
        numbers = np.array(owner, dtype=np.int64)
        weight = np.array([groups[index].weight for index in owner])
        for array in (numbers, weight):
            array.flags.writeable = False
        return cls(names=tuple(names), group=numbers, weight=weight, fixed=_fixed_states(placed), tracks=tuple(tracks))

    def states(self, instants: TimeArray, start: np.datetime64) -> TerminalStates:
        """States of the terminals at UTC instants (T,) of a run that begins at ``start``.

        If no terminal moves, nothing is computed: the arrays are views of one instant.
        """
        times = np.array(instants, dtype="datetime64[ns]").reshape(-1)
        arrays: dict[str, FloatArray] = {}
        for field in fields(TerminalStates):
            if field.name != "instant":
                one = getattr(self.fixed, field.name)
                view = np.broadcast_to(one, (len(times), *one.shape[1:]))
                arrays[field.name] = view.copy() if self.tracks else view
        elapsed_s = (times - start).astype(np.int64) / 1e9
        for index, track, altitude_km, orientation in self.tracks:
            for name, value in _moving_states(track, altitude_km, orientation, elapsed_s).items():
                arrays[name][:, index] = value
        for array in (times, *arrays.values()):
            array.flags.writeable = False
        return TerminalStates(instant=times, **arrays)


def antenna_axes(orientations: Sequence[Orientation], up: FloatArray, ahead: FloatArray) -> FloatArray:
    """Unit vectors x, y, z of antennas, as the rows of matrices (N, 3, 3).

    Azimuths count clockwise from the horizontal direction ``ahead`` (N, 3). Without tilt, z points along ``up`` and x
    in the direction of the azimuth; a tilt turns both about y. A single orientation applies to all N.
    """
    tilt = np.radians([[orientation.tilt_deg] for orientation in orientations])
    azimuth = np.radians([[orientation.azimuth_deg] for orientation in orientations])
    level = np.cos(azimuth) * ahead + np.sin(azimuth) * np.cross(ahead, up)
    z = np.cos(tilt) * up + np.sin(tilt) * level
    x = np.cos(tilt) * level - np.sin(tilt) * up
    return np.stack([x, np.cross(z, x), z], axis=-2)


def _placed(group: TerminalGroup, seed: int, index: int) -> tuple[list[Place], Track | None]:
    """Places of a group, and the path of its terminal if it moves."""
    match group.layout:
        case PlaceList() as places:
            return listed_places(places), None
        case PlaceFile() as file:
            return csv_places(file), None
        case Disc() as disc:
            return disc_places(disc, seed, index), None
        case Grid() as grid:
            return grid_places(grid), None
        case GreatCircle() | Route() as path:
            return _moving(path, group.name)


def _moving(path: GreatCircle | Route, name: str) -> tuple[list[Place], Track]:
    """Initial place and path of a moving terminal."""
    points, time_s = _great_circle(path) if isinstance(path, GreatCircle) else _route(path)
    up = up_of(*np.transpose(points))
    for leg, (start, end) in enumerate(pairwise(up)):
        if antipodal(start, end):
            raise InputError(
                f'terminals "{name}": {points[leg]} and {points[leg + 1]} are antipodes, which no single great circle'
                " joins; insert a point between them"
            )
    track = Track.through(up, time_s, north_of(*points[0]))
    latitude, longitude = geodetic_of(up[0])
    return [Place(latitude_deg=float(latitude), longitude_deg=float(longitude), altitude_km=path.altitude_km)], track


def _great_circle(path: GreatCircle) -> tuple[tuple[tuple[float, float], ...], FloatArray]:
    """Latitudes and longitudes of both ends, and the times (2,) in seconds."""
    points = (path.start_deg, path.end_deg)
    start, end = up_of(*np.transpose(points))
    rate_rad_s = path.speed_km_h / 3600.0 / MEAN_EARTH_RADIUS_KM
    delay_s = path.delay_ns / 1e9
    return points, np.array([delay_s, delay_s + arc_rad(start, end) / rate_rad_s])


def _route(path: Route) -> tuple[tuple[tuple[float, float], ...], FloatArray]:
    """Latitudes and longitudes of the W places, and the times (W,) in seconds."""
    points = tuple((place.latitude_deg, place.longitude_deg) for place in path.places)
    return points, np.array([place.time_ns / 1e9 for place in path.places])


def _names(group_name: str, places: list[Place]) -> list[str]:
    if len(places) == 1:
        return [places[0].name or group_name]
    width = max(2, len(str(len(places) - 1)))
    return [place.name or f"{group_name}-{number:0{width}}" for number, place in enumerate(places)]


def _check_unique(names: list[str], owners: list[str]) -> None:
    group_of: dict[str, str] = {}
    for name, owner in zip(names, owners, strict=True):
        if name in group_of:
            groups = f'group "{owner}"' if owner == group_of[name] else f'groups "{group_of[name]}" and "{owner}"'
            raise InputError(f'terminals: the name "{name}" occurs twice, in {groups}; terminal names must be unique')
        group_of[name] = owner


def _fixed_states(placed: list[tuple[Place, Orientation]]) -> TerminalStates:
    """States of fixed terminals at one instant."""
    latitude = np.array([place.latitude_deg for place, _ in placed])
    longitude = np.array([place.longitude_deg for place, _ in placed])
    altitude = np.array([place.altitude_km for place, _ in placed])
    up, east, north = local_axes(latitude, longitude)
    axes = antenna_axes([orientation for _, orientation in placed], up, north)
    return TerminalStates(
        instant=np.array(["NaT"], dtype="datetime64[ns]"),
        latitude_deg=latitude[None],
        longitude_deg=longitude[None],
        altitude_km=altitude[None],
        position_km=position_along(up, altitude)[None],
        velocity_km_s=np.zeros((1, *up.shape)),
        up=up[None],
        east=east[None],
        north=north[None],
        antenna=axes[None],
    )


def _moving_states(
    track: Track, altitude_km: float, orientation: Orientation, elapsed_s: FloatArray
) -> dict[str, FloatArray | float]:
    """Fields of `TerminalStates` for one moving terminal, each (T, ...)."""
    up, heading, rate_rad_s = track.at(elapsed_s)
    latitude, longitude = geodetic_of(up)
    _, east, north = local_axes(latitude, longitude)
    return {
        "latitude_deg": latitude,
        "longitude_deg": longitude,
        "altitude_km": altitude_km,
        "position_km": position_along(up, altitude_km),
        "velocity_km_s": velocity_along(up, heading, rate_rad_s, altitude_km),
        "up": up,
        "east": east,
        "north": north,
        "antenna": antenna_axes([orientation], up, heading),
    }
