"""Which satellites can be in reach of anybody near an instant: coarse, but never short of one.

Around a node each satellite is followed on its tangent in the rotating frame. What the tangent misses is
bounded by half the largest acceleration times the square of the time; a margin covers what SGP4 adds to that.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import cKDTree

from twin.arrays import BoolArray, FloatArray, IntArray
from twin.constants import EARTH_GM_WGS72_KM3_S2, EARTH_ROTATION_RAD_S

VERTICAL_DEFLECTION_DEG: Final = 0.2
"""The geodetic vertical is nowhere further than 0.1925 degrees from the geocentric one."""

_GRAVITY_MARGIN = 1.05  # J2 adds at most 0.5 %, SGP4's own drag and deep-space terms far less
_SGP4_MARGIN_KM = 2.0  # its velocity misses its position's derivative by 0.024 m/s, and more in thick air
_FINE_STEP_S = 10.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Node:
    """The whole constellation at one instant."""

    column: IntArray
    """(R,) which satellite a row is; one with several sets in force around the node has several rows."""
    position_km: FloatArray
    """(R, 3) in ITRS."""
    velocity_km_s: FloatArray
    """(R, 3) relative to the rotating Earth."""
    speed_km_s: FloatArray
    """(R,) length of the velocity."""
    slack_km: FloatArray
    """(R,) how far a satellite can be from its tangent within the node's reach."""
    always: IntArray
    """Satellites that have no tangent here and may be usable at an instant nearby."""


def slack_km(position_km: FloatArray, speed_km_s: FloatArray, within_s: float) -> FloatArray:
    """Largest distance (R,) from the tangent within some seconds of the node."""
    radius = np.sqrt((position_km**2).sum(axis=-1))
    moved = speed_km_s * within_s
    gravity = _GRAVITY_MARGIN * EARTH_GM_WGS72_KM3_S2 / np.maximum(radius - moved, 1.0) ** 2
    rotation = 2.0 * EARTH_ROTATION_RAD_S * 1.05 * speed_km_s + EARTH_ROTATION_RAD_S**2 * (radius + moved)
    return np.asarray(0.5 * within_s**2 * (gravity + rotation) + _SGP4_MARGIN_KM)


def longest_range_km(
    radius_km: FloatArray, observer_radius_km: tuple[float, float], min_elevation_deg: float
) -> FloatArray:
    """Upper bound of the range of anything at or above an elevation, seen from radii in [low, high]."""
    low, high = observer_radius_km
    elevation = np.radians(max(min_elevation_deg - VERTICAL_DEFLECTION_DEG, -90.0))
    root = np.sqrt(np.maximum(radius_km**2 - (low * np.cos(elevation)) ** 2, 0.0))
    return np.asarray(root - (low if elevation > 0.0 else high) * np.sin(elevation))


def in_reach(
    node: Node,
    observers_km: FloatArray,
    observer_slack_km: float,
    span_s: tuple[float, float],
    elevation_deg: float,
) -> BoolArray:
    """Rows (R,) that may reach an elevation for any observer (K, 3) in a span of time around the node."""
    radii = np.sqrt((observers_km**2).sum(axis=-1))
    radius_range = float(radii.min()) - observer_slack_km, float(radii.max()) + observer_slack_km
    centre = observers_km.mean(axis=0)
    spread = float(np.sqrt(((observers_km - centre) ** 2).sum(axis=-1).max()))
    found = np.zeros(len(node.column), dtype=np.bool_)

    def limit(rows: NDArray[np.intp], position: FloatArray, half_s: float) -> FloatArray:
        reach = node.slack_km[rows] + node.speed_km_s[rows] * half_s
        radius = np.sqrt((position**2).sum(axis=-1)) + reach
        return longest_range_km(radius, radius_range, elevation_deg) + reach + observer_slack_km

    middle, half = (span_s[0] + span_s[1]) / 2.0, (span_s[1] - span_s[0]) / 2.0
    rows: NDArray[np.intp] = np.arange(len(found))
    position = node.position_km + middle * node.velocity_km_s
    distance = np.sqrt(((position - centre) ** 2).sum(axis=-1))
    rows = rows[distance <= limit(rows, position, half) + spread]
    tree = cKDTree(observers_km)
    parts = max(1, int(np.ceil(2.0 * half / _FINE_STEP_S)))
    for part in range(parts):
        at_s = span_s[0] + (2 * part + 1) * half / parts
        position = node.position_km[rows] + at_s * node.velocity_km_s[rows]
        distance, _ = tree.query(position)
        near = distance <= limit(rows, position, half / parts)
        found[rows[near]] = True
        rows = rows[~near]
    return found
