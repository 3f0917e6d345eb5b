"""Where each pair of satellite and terminal looks into a random field, and how the field is turned for it."""

from __future__ import annotations

from functools import cache

import numpy as np
from numpy.typing import NDArray

from twin.arrays import FloatArray, KeyArray
from twin.radio.channel.environment.keys import derived

Triple = tuple[FloatArray, FloatArray, FloatArray]

EARTH_RADIUS_M = 6_371_000.0
"""Radius of TR 38.811's Earth (section 6.3), by which a terminal's way over ground is measured."""
_TURNS = 1 << 12
"""Rotations to choose from."""


def clutter_points_m(
    *,
    elevation_deg: FloatArray,
    azimuth_deg: FloatArray,
    latitude_deg: FloatArray,
    longitude_deg: FloatArray,
    terminal: NDArray[np.intp],
    clutter_distance_m: float,
) -> Triple:
    """Points (P,) where the rays from terminals to satellites pass what shadows them, in the Earth's axes.

    A point lies on the ray, ``clutter_distance_m`` from the terminal: a terminal's step moves it by as much,
    a satellite's turn by the angle times that distance.

    Parameters
    ----------
    elevation_deg, azimuth_deg
        (P,) directions of the satellites.
    latitude_deg, longitude_deg
        (K,) terminals.
    terminal
        (P,) which terminal each pair has.
    """
    latitude, longitude = np.radians(latitude_deg), np.radians(longitude_deg)
    (cos_lat, sin_lat), (cos_lon, sin_lon) = (
        (np.cos(angle)[terminal], np.sin(angle)[terminal]) for angle in (latitude, longitude)
    )
    # sines of single floats are ten times cheaper, and put a point 100 m away wrong by less than 0.1 mm
    elevation, azimuth = np.radians(elevation_deg).astype(np.float32), np.radians(azimuth_deg).astype(np.float32)
    level = clutter_distance_m * np.cos(elevation).astype(np.float64)
    east, north = level * np.sin(azimuth), level * np.cos(azimuth)
    up = EARTH_RADIUS_M + clutter_distance_m * np.sin(elevation).astype(np.float64)
    outward = up * cos_lat - north * sin_lat
    x = outward * cos_lon - east * sin_lon
    y = outward * sin_lon + east * cos_lon
    z = up * sin_lat + north * cos_lat
    return x, y, z


def turns(key: KeyArray) -> NDArray[np.intp]:
    """Which of the rotations (P,) each key has."""
    return (derived(key, 101) & np.uint64(_TURNS - 1)).astype(np.intp)


def turned(points: Triple, turn: NDArray[np.intp]) -> Triple:
    """Points (P,) turned about the Earth's centre, each by its own rotation (`turns`)."""
    x, y, z = points
    a, b, c, d, e, f, g, h, i = np.take(_rotations(), turn, axis=1)
    return (a * x + b * y) + c * z, (d * x + e * y) + f * z, (g * x + h * y) + i * z


@cache
def _rotations() -> FloatArray:
    """Rotation matrices (9,_TURNS), row by row, spread evenly over all there are.

    Unit quaternions by Shoemake (Graphics Gems III, 1992), from three coordinates that fill the unit cube evenly.
    """
    # powers of the root of r^4 = r + 1
    step = 1.0 / 1.2207440846057596 ** np.arange(1, 4)
    share, one, other = np.modf(0.5 + np.outer(step, np.arange(_TURNS)))[0]
    low, high = np.sqrt(1.0 - share), np.sqrt(share)
    x, y = low * np.sin(2.0 * np.pi * one), low * np.cos(2.0 * np.pi * one)
    z, w = high * np.sin(2.0 * np.pi * other), high * np.cos(2.0 * np.pi * other)
    return np.array(
        [
            1.0 - 2.0 * (y * y + z * z),
            2.0 * (x * y - z * w),
            2.0 * (x * z + y * w),
            2.0 * (x * y + z * w),
            1.0 - 2.0 * (x * x + z * z),
            2.0 * (y * z - x * w),
            2.0 * (x * z - y * w),
            2.0 * (y * z + x * w),
            1.0 - 2.0 * (x * x + y * y),
        ]
    )
