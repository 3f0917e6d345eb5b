"""Motion along great circles of the geodetic vertical.

A place is represented by its unit vertical ``up``. A great circle of verticals is a great circle of the sphere in
geodetic latitude and longitude, and the vertical turns along it at a constant rate. Ground speed is measured on the
sphere of mean radius; on the ellipsoid it differs by up to 0.7 %.
"""

from dataclasses import dataclass
from itertools import pairwise
from typing import Final, Self

import numpy as np

from twin.arrays import FloatArray
from twin.constants import EARTH_RADIUS_KM
from twin.geometry.ephemeris.frames import ECCENTRICITY_SQUARED, local_axes
from twin.records import documented

MEAN_EARTH_RADIUS_KM: Final = 6371.0088
"""Mean radius of WGS-84 (IUGG): (2a + b) / 3."""

_ANTIPODAL_RAD = 1e-9
_SAME_RAD = 1e-12


def arc_rad(start: FloatArray, end: FloatArray) -> float:
    """Angle between two unit vectors; accurate for small angles and near 180 degrees too."""
    return float(2.0 * np.arctan2(np.linalg.norm(start - end), np.linalg.norm(start + end)))


def antipodal(start: FloatArray, end: FloatArray) -> bool:
    """Whether no single great circle joins two places."""
    return bool(arc_rad(start, end) > np.pi - _ANTIPODAL_RAD)


def along(start: FloatArray, direction: FloatArray, angle_rad: FloatArray) -> FloatArray:
    """Unit vectors (..., 3) at an angle from ``start`` along the great circle in the tangent ``direction``."""
    return start * np.cos(angle_rad)[..., None] + direction * np.sin(angle_rad)[..., None]


def _level(vector: FloatArray, up: FloatArray) -> FloatArray:
    """Unit vector along the horizontal component; two applications are accurate on short legs too."""
    horizontal = vector - (vector @ up) * up
    return np.asarray(horizontal / np.linalg.norm(horizontal))


@documented
@dataclass(frozen=True, slots=True, kw_only=True)
class Track:
    """A path through W places at given times; at rest before the first time and after the last."""

    time_s: FloatArray
    """(W,) seconds after the start of the run, ascending."""
    start: FloatArray
    """(W-1, 3) vertical at the start of each leg."""
    direction: FloatArray
    """(W-1, 3) horizontal unit vector of the heading at the start of each leg."""
    arc_rad: FloatArray
    """(W-1,) angle of each leg."""

    @classmethod
    def through(cls, up: FloatArray, time_s: FloatArray, first_north: FloatArray) -> Self:
        """Join places (W, 3) by great circles.

        Successive places must not be antipodes. A leg of zero length keeps the heading of the leg before it, or
        ``first_north`` if there is none.
        """
        arcs = np.array([arc_rad(*pair) for pair in pairwise(up)])
        directions, heading = np.empty((len(arcs), 3)), None
        for leg, (begin, finish) in enumerate(pairwise(up)):
            if arcs[leg] > _SAME_RAD:
                directions[leg] = _level(_level(finish - begin, begin), begin)
                heading = -begin * np.sin(arcs[leg]) + directions[leg] * np.cos(arcs[leg])
            else:
                arcs[leg] = 0.0
                directions[leg] = first_north if heading is None else heading
        return cls(time_s=time_s, start=up[:-1], direction=directions, arc_rad=arcs)

    def at(self, elapsed_s: FloatArray) -> tuple[FloatArray, FloatArray, FloatArray]:
        """Vertical (T, 3), heading (T, 3; unit, horizontal) and angular rate (T,) of the vertical in rad/s."""
        leg = np.clip(np.searchsorted(self.time_s, elapsed_s, side="right") - 1, 0, len(self.arc_rad) - 1)
        length_s = self.time_s[leg + 1] - self.time_s[leg]
        into_leg_s = np.clip(elapsed_s - self.time_s[leg], 0.0, length_s)
        rate = np.divide(self.arc_rad[leg], length_s, out=np.zeros(len(leg)), where=length_s > 0.0)
        angle = rate * into_leg_s
        start, direction = self.start[leg], self.direction[leg]
        under_way = (elapsed_s >= self.time_s[0]) & (elapsed_s < self.time_s[-1])
        up, heading = along(start, direction, angle), along(direction, -start, angle)
        return up, heading, np.where(under_way, rate, 0.0)


def velocity_along(up: FloatArray, heading: FloatArray, rate_rad_s: FloatArray, altitude_km: float) -> FloatArray:
    """Velocity (T, 3) in km/s: derivative of the position of a terminal whose vertical turns towards ``heading``."""
    turning = heading * rate_rad_s[:, None]
    normal_km = EARTH_RADIUS_KM / np.sqrt(1.0 - ECCENTRICITY_SQUARED * up[:, 2] ** 2)
    normal_rate = ECCENTRICITY_SQUARED * normal_km**3 / EARTH_RADIUS_KM**2 * up[:, 2] * turning[:, 2]
    velocity = (normal_km + altitude_km)[:, None] * turning + normal_rate[:, None] * up
    flat = 1.0 - ECCENTRICITY_SQUARED
    velocity[:, 2] = (flat * normal_km + altitude_km) * turning[:, 2] + flat * normal_rate * up[:, 2]
    return velocity


def geodetic_of(up: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Latitude and longitude [deg] of unit verticals (..., 3)."""
    latitude = np.degrees(np.arctan2(up[..., 2], np.hypot(up[..., 0], up[..., 1])))
    return latitude, np.degrees(np.arctan2(up[..., 1], up[..., 0]))


def north_of(latitude_deg: float, longitude_deg: float) -> FloatArray:
    """Unit vector (3,) to the north at a place."""
    return local_axes(latitude_deg, longitude_deg)[2]
