"""Screen satellites: a superset of those that can be in reach of any observer near an instant.

Around a node (an instant) each satellite moves along its tangent in the rotating frame. The error of the tangent is
bounded by half the largest acceleration times the square of the time, plus a margin for SGP4's other terms.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import cKDTree

from twin.arrays import BoolArray, FloatArray, IntArray
from twin.constants import EARTH_GM_WGS72_KM3_S2, EARTH_ROTATION_RAD_S
from twin.records import documented

VERTICAL_DEFLECTION_DEG: Final = 0.2
"""Bound of the angle between the geodetic and the geocentric vertical, which is at most 0.1925 degrees."""

_GRAVITY_MARGIN = 1.05  # J2 adds at most 0.5 %, drag and deep-space terms of SGP4 far less
_SGP4_MARGIN_KM = 2.0  # SGP4's velocity is not the derivative of its position: 0.024 m/s, more at low altitudes
_FINE_STEP_S = 10.0


@documented
@dataclass(frozen=True, slots=True, kw_only=True)
class Node:
    """States of the whole constellation at one instant."""

    column: IntArray
    """(R,) index of the satellite; one with several sets in force around the node has several rows."""
    position_km: FloatArray
    """(R, 3) in ITRS."""
    velocity_km_s: FloatArray
    """(R, 3) relative to the rotating Earth."""
    speed_km_s: FloatArray
    """(R,) length of the velocity."""
    slack_km: FloatArray
    """(R,) bound of the distance from the tangent within the interval of the node."""
    always: IntArray
    """Indices of satellites that have no state at the node but may be usable within its interval."""


def slack_km(position_km: FloatArray, speed_km_s: FloatArray, within_s: float) -> FloatArray:
    """Bound of the distance (R,) from the tangent within a time of the node."""
    radius = np.sqrt((position_km**2).sum(axis=-1))
    moved = speed_km_s * within_s
    gravity = _GRAVITY_MARGIN * EARTH_GM_WGS72_KM3_S2 / np.maximum(radius - moved, 1.0) ** 2
    rotation = 2.0 * EARTH_ROTATION_RAD_S * 1.05 * speed_km_s + EARTH_ROTATION_RAD_S**2 * (radius + moved)
    return np.asarray(0.5 * within_s**2 * (gravity + rotation) + _SGP4_MARGIN_KM)


def longest_range_km(
    radius_km: FloatArray, observer_radius_km: tuple[float, float], min_elevation_deg: float
) -> FloatArray:
    """Upper bound of the range of satellites at or above an elevation, for observers at radii in [low, high]."""
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
    """Whether each row (R,) may reach an elevation for any observer (K, 3) in a time interval around the node."""
    radii = np.sqrt((observers_km**2).sum(axis=-1))
    radius_range = float(radii.min()) - observer_slack_km, float(radii.max()) + observer_slack_km
    centre = observers_km.mean(axis=0)
    extent_km = float(np.sqrt(((observers_km - centre) ** 2).sum(axis=-1).max()))
    found = np.zeros(len(node.column), dtype=np.bool_)

    def limit(rows: NDArray[np.intp], position: FloatArray, half_s: float) -> FloatArray:
        reach = node.slack_km[rows] + node.speed_km_s[rows] * half_s
        radius = np.sqrt((position**2).sum(axis=-1)) + reach
        return longest_range_km(radius, radius_range, elevation_deg) + reach + observer_slack_km

    middle, half = (span_s[0] + span_s[1]) / 2.0, (span_s[1] - span_s[0]) / 2.0
    rows: NDArray[np.intp] = np.arange(len(found))
    position = node.position_km + middle * node.velocity_km_s
    distance = np.sqrt(((position - centre) ** 2).sum(axis=-1))
    rows = rows[distance <= limit(rows, position, half) + extent_km]
    tree = cKDTree(observers_km)
    parts = max(1, int(np.ceil(2.0 * half / _FINE_STEP_S)))
    for part in range(parts):
        at_s = span_s[0] + (2 * part + 1) * half / parts
        position = node.position_km[rows] + at_s * node.velocity_km_s[rows]
        distance, _ = tree.query(position)
        reached = distance <= limit(rows, position, half / parts)
        found[rows[reached]] = True
        rows = rows[~reached]
    return found
