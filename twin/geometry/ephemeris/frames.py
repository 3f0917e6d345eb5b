"""Frames: TEME (of SGP4) to ITRS (Earth-fixed), geodetic coordinates on WGS-84, local directions.

Vectors have shape (..., 3). Rotations are written by component, so that a row does not depend on the other rows. Polar
motion is neglected (up to 10 m on the ground), as in Skyfield without a polar motion table.
"""

from typing import Final

import numpy as np
from numpy.typing import ArrayLike

from twin.arrays import FloatArray
from twin.constants import EARTH_FLATTENING, EARTH_RADIUS_KM, EARTH_ROTATION_RAD_S

ECCENTRICITY_SQUARED: Final = EARTH_FLATTENING * (2.0 - EARTH_FLATTENING)
"""First eccentricity of the WGS-84 ellipsoid, squared."""

_LATITUDE_STEPS = 4


def teme_to_itrs(
    position_km: FloatArray, velocity_km_s: FloatArray, sidereal_angle_rad: FloatArray
) -> tuple[FloatArray, FloatArray]:
    """Transform states from TEME to the Earth-fixed frame.

    Parameters
    ----------
    position_km, velocity_km_s
        (..., 3) in TEME.
    sidereal_angle_rad
        GMST of 1982; its shape must broadcast with (...).

    Returns
    -------
    tuple
        Position [km], and velocity [km/s] relative to the rotating Earth: R v - ω x (R r), R = R_z(-θ).
        Source: AIAA 2006-6753, appendix C.
    """
    cosine, sine = np.cos(sidereal_angle_rad), np.sin(sidereal_angle_rad)
    position, velocity = np.empty_like(position_km), np.empty_like(velocity_km_s)
    for rotated, vector in ((position, position_km), (velocity, velocity_km_s)):
        rotated[..., 0] = cosine * vector[..., 0] + sine * vector[..., 1]
        rotated[..., 1] = cosine * vector[..., 1] - sine * vector[..., 0]
        rotated[..., 2] = vector[..., 2]
    velocity[..., 0] += EARTH_ROTATION_RAD_S * position[..., 1]
    velocity[..., 1] -= EARTH_ROTATION_RAD_S * position[..., 0]
    return position, velocity


def up_of(latitude_deg: ArrayLike, longitude_deg: ArrayLike) -> FloatArray:
    """Unit vector along the geodetic vertical, (..., 3).

    >>> up_of(90.0, 0.0).round(12).tolist()
    [0.0, 0.0, 1.0]
    """
    latitude, longitude = np.radians(latitude_deg), np.radians(longitude_deg)
    return np.stack(
        np.broadcast_arrays(
            np.cos(latitude) * np.cos(longitude), np.cos(latitude) * np.sin(longitude), np.sin(latitude)
        ),
        axis=-1,
    )


def local_axes(latitude_deg: ArrayLike, longitude_deg: ArrayLike) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Unit vectors up, east and north, each (..., 3); at a pole they are the limit along the given meridian."""
    latitude, longitude = np.radians(latitude_deg), np.radians(longitude_deg)
    zero = np.zeros_like(latitude * longitude)
    east = np.stack([zero - np.sin(longitude), zero + np.cos(longitude), zero], axis=-1)
    north = np.stack(
        [
            -np.sin(latitude) * np.cos(longitude),
            -np.sin(latitude) * np.sin(longitude),
            zero + np.cos(latitude),
        ],
        axis=-1,
    )
    return up_of(latitude_deg, longitude_deg), east, north


def position_along(up: FloatArray, altitude_km: ArrayLike) -> FloatArray:
    """Position (..., 3) in km with geodetic vertical ``up`` (..., 3), at an altitude above WGS-84."""
    altitude = np.asarray(altitude_km, dtype=np.float64)
    normal_km = EARTH_RADIUS_KM / np.sqrt(1.0 - ECCENTRICITY_SQUARED * up[..., 2] ** 2)
    position = (normal_km + altitude)[..., None] * up
    position[..., 2] = ((1.0 - ECCENTRICITY_SQUARED) * normal_km + altitude) * up[..., 2]
    return position


def geodetic_to_itrs(latitude_deg: ArrayLike, longitude_deg: ArrayLike, altitude_km: ArrayLike) -> FloatArray:
    """Position (..., 3) in km from geodetic coordinates on WGS-84.

    >>> geodetic_to_itrs(0.0, 90.0, 10.0).round(9).tolist()
    [0.0, 6388.137, 0.0]
    """
    return position_along(up_of(latitude_deg, longitude_deg), altitude_km)


def itrs_to_geodetic(position_km: FloatArray) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Geodetic latitude [deg], longitude [deg, -180 to 180] and altitude above WGS-84 [km] of positions (..., 3).

    Fixed-point iteration on the latitude. From 100 km below the surface outwards, the error of the altitude is below a
    nanometre after four steps. At the Earth's centre the result is meaningless.
    """
    x, y, z = position_km[..., 0], position_km[..., 1], position_km[..., 2]
    equatorial = np.hypot(x, y)
    latitude = np.arctan2(z, equatorial * (1.0 - ECCENTRICITY_SQUARED))
    for _ in range(_LATITUDE_STEPS):
        sine = np.sin(latitude)
        normal_km = EARTH_RADIUS_KM / np.sqrt(1.0 - ECCENTRICITY_SQUARED * sine**2)
        lifted = z + ECCENTRICITY_SQUARED * normal_km * sine
        latitude = np.arctan2(lifted, equatorial)
    altitude = np.hypot(equatorial, lifted) - normal_km
    return np.degrees(latitude), np.degrees(np.arctan2(y, x)), altitude
