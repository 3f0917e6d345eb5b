"""Places of groups that do not move: lists, discs and grids."""

from dataclasses import replace

import numpy as np

from twin.arrays import FloatArray
from twin.geometry.ephemeris.frames import local_axes
from twin.geometry.terminals.groups import Disc, Grid, Place, PlaceList
from twin.geometry.terminals.tracks import MEAN_EARTH_RADIUS_KM, along, geodetic_of
from twin.randomness import stream


def wrapped_deg(longitude_deg: float) -> float:
    """Map a longitude from [-180, 360] to [-180, 180] degrees.

    >>> wrapped_deg(350.0), wrapped_deg(-180.0), wrapped_deg(12.3)
    (-10.0, -180.0, 12.3)
    """
    return longitude_deg - 360.0 if longitude_deg > 180.0 else longitude_deg


def listed_places(layout: PlaceList) -> list[Place]:
    """The listed places, with longitudes in [-180, 180]."""
    return [replace(place, longitude_deg=wrapped_deg(place.longitude_deg)) for place in layout.places]


def disc_places(disc: Disc, seed: int, index: int) -> list[Place]:
    """Draw places uniformly over the area of a spherical cap.

    The draws are keyed by the index of the group. Terminals are drawn in order, so that a larger ``count`` does not
    change the first ones.
    """
    draws: FloatArray = stream(seed, "terminals", index).random((disc.count, 2))
    # 1 - cos(angle) is uniform; the half-angle form keeps its precision for small discs
    half_angle = np.arcsin(np.sqrt(draws[:, 0]) * np.sin(disc.radius_km / MEAN_EARTH_RADIUS_KM / 2.0))
    bearing = 2.0 * np.pi * draws[:, 1, None]
    centre, east, north = local_axes(disc.latitude_deg, disc.longitude_deg)
    direction = np.cos(bearing) * north + np.sin(bearing) * east
    latitude, longitude = geodetic_of(along(centre, direction, 2.0 * half_angle))
    return [
        Place(latitude_deg=float(a), longitude_deg=float(b), altitude_km=disc.altitude_km)
        for a, b in zip(latitude, longitude, strict=True)
    ]


def grid_places(grid: Grid) -> list[Place]:
    """Places of a grid, ordered by latitude and then by longitude; poles and meridians occur once."""
    meridians: dict[float, float] = {}
    for longitude in _steps(grid.longitude_deg, grid.step_deg):
        degrees = wrapped_deg(float(longitude))
        meridians.setdefault(round(degrees % 360.0, 9) % 360.0, degrees)
    longitudes = list(meridians.values())
    places = []
    for latitude in np.minimum(_steps(grid.latitude_deg, grid.step_deg), 90.0):
        polar = abs(latitude) > 90.0 - 1e-9
        places += [
            Place(latitude_deg=float(latitude), longitude_deg=longitude, altitude_km=grid.altitude_km)
            for longitude in (longitudes[:1] if polar else longitudes)
        ]
    return places


def _steps(interval_deg: tuple[float, float], step_deg: float) -> FloatArray:
    low, high = interval_deg
    count = int(np.floor((high - low) / step_deg + 1e-9)) + 1
    return np.asarray(low + step_deg * np.arange(count), dtype=np.float64)
