"""Acceleration in the Earth-fixed frame: gravity with J2, Coriolis and centrifugal terms."""

from typing import Final

import numpy as np

from twin.arrays import FloatArray
from twin.constants import EARTH_GM_WGS72_KM3_S2, EARTH_RADIUS_WGS72_KM, EARTH_ROTATION_RAD_S

EARTH_J2: Final = 1.082_616e-3
"""Second zonal harmonic of WGS-72, the gravity model of element sets (AIAA 2006-6753)."""


def rotating_acceleration_km_s2(position_km: FloatArray, velocity_km_s: FloatArray) -> FloatArray:
    """Acceleration (3, ...) of a satellite in free flight from its Earth-fixed position and velocity (3, ...).

    Source: the J2 potential, e.g. Vallado, Fundamentals of Astrodynamics, 8.6. Higher harmonics, drag,
    Sun and Moon are neglected; together they are below 3e-7 km/s² in low orbit.
    """
    x, y, z = position_km
    squared = x * x + y * y + z * z
    polar = 5.0 * z * z / squared
    bulge = 1.5 * EARTH_J2 * EARTH_RADIUS_WGS72_KM**2 / squared
    central = -EARTH_GM_WGS72_KM3_S2 / (squared * np.sqrt(squared))
    across = central * (1.0 - bulge * (polar - 1.0)) + EARTH_ROTATION_RAD_S**2
    coriolis = 2.0 * EARTH_ROTATION_RAD_S
    return np.array(
        [
            across * x + coriolis * velocity_km_s[1],
            across * y - coriolis * velocity_km_s[0],
            central * (1.0 - bulge * (polar - 3.0)) * z,
        ]
    )
