"""Points at which pairs of satellite and terminal evaluate their random fields, and rotations of the fields."""

from __future__ import annotations

from functools import cache

import numpy as np
from numpy.typing import NDArray

from twin.arrays import FloatArray, KeyArray
from twin.radio.channel.environment.keys import derived

Triple = tuple[FloatArray, FloatArray, FloatArray]

EARTH_RADIUS_M = 6_371_000.0
"""Earth radius of TR 38.811 (Section 6.3); distances over ground are measured on this sphere."""
_ROTATIONS = 1 << 12
"""Number of rotations in the table."""


def clutter_points_m(
    *,
    elevation_deg: FloatArray,
    azimuth_deg: FloatArray,
    latitude_deg: FloatArray,
    longitude_deg: FloatArray,
    terminal: NDArray[np.intp],
    clutter_distance_m: float,
) -> Triple:
    """Earth-fixed points at which the rays from terminals to satellites pass the clutter.

    A point lies on the ray at ``clutter_distance_m`` from the terminal. A displacement of the terminal moves it by the
    same displacement; a change of the satellite's direction moves it by the angle in rad times that distance.

    Parameters
    ----------
    elevation_deg, azimuth_deg
        (P,) directions of the satellites at the terminals.
    latitude_deg, longitude_deg
        (K,) positions of the terminals.
    terminal
        (P,) index of each pair's terminal.

    Returns
    -------
    tuple of arrays
        (P,) x, y and z in m.
    """
    latitude, longitude = np.radians(latitude_deg), np.radians(longitude_deg)
    (cos_lat, sin_lat), (cos_lon, sin_lon) = (
        (np.cos(angle)[terminal], np.sin(angle)[terminal]) for angle in (latitude, longitude)
    )
    # single-precision sines cost a tenth and misplace a point at 100 m by less than 0.1 mm
    elevation, azimuth = np.radians(elevation_deg).astype(np.float32), np.radians(azimuth_deg).astype(np.float32)
    level = clutter_distance_m * np.cos(elevation).astype(np.float64)
    east, north = level * np.sin(azimuth), level * np.cos(azimuth)
    up = EARTH_RADIUS_M + clutter_distance_m * np.sin(elevation).astype(np.float64)
    outward = up * cos_lat - north * sin_lat
    x = outward * cos_lon - east * sin_lon
    y = outward * sin_lon + east * cos_lon
    z = up * sin_lat + north * cos_lat
    return x, y, z


def rotation_index(key: KeyArray) -> NDArray[np.intp]:
    """(P,) index of the rotation that belongs to each key."""
    return (derived(key, 101) & np.uint64(_ROTATIONS - 1)).astype(np.intp)


def rotated(points: Triple, rotation: NDArray[np.intp]) -> Triple:
    """Points (P,) rotated about the Earth's centre, each by the rotation of its index (`rotation_index`)."""
    x, y, z = points
    a, b, c, d, e, f, g, h, i = np.take(_rotations(), rotation, axis=1)
    return (a * x + b * y) + c * z, (d * x + e * y) + f * z, (g * x + h * y) + i * z


@cache
def _rotations() -> FloatArray:
    """(9,_ROTATIONS) rotation matrices in row-major order, distributed evenly over all rotations.

    Unit quaternions by Shoemake (Graphics Gems III, 1992), from a low-discrepancy sequence in the unit cube.
    """
    # additive recurrence with powers of the root of r^4 = r + 1
    step = 1.0 / 1.2207440846057596 ** np.arange(1, 4)
    fraction, first, second = np.modf(0.5 + np.outer(step, np.arange(_ROTATIONS)))[0]
    low, high = np.sqrt(1.0 - fraction), np.sqrt(fraction)
    x, y = low * np.sin(2.0 * np.pi * first), low * np.cos(2.0 * np.pi * first)
    z, w = high * np.sin(2.0 * np.pi * second), high * np.cos(2.0 * np.pi * second)
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
