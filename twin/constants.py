"""Physical constants, each with its source."""

from typing import Final

LIGHT_SPEED_M_S: Final = 299_792_458.0
"""Speed of light in vacuum (SI definition)."""

BOLTZMANN_J_K: Final = 1.380_649e-23
"""Boltzmann constant (SI definition)."""

REFERENCE_TEMPERATURE_K: Final = 290.0
"""Temperature at which a noise figure is defined (IEEE Std 161)."""

EARTH_RADIUS_WGS72_KM: Final = 6378.135
"""Equatorial radius of WGS-72, the gravity model of SGP4 (AIAA 2006-6753)."""

EARTH_GM_WGS72_KM3_S2: Final = 398_600.8
"""Gravitational parameter of WGS-72, the gravity model of SGP4 (AIAA 2006-6753)."""

EARTH_RADIUS_KM: Final = 6378.137
"""Equatorial radius of WGS-84."""

EARTH_FLATTENING: Final = 1.0 / 298.257_223_563
"""Flattening of WGS-84."""

EARTH_ROTATION_RAD_S: Final = 7.292_115_146_7e-5
"""Rotation rate of the Earth (AIAA 2006-6753)."""

DAY_S: Final = 86_400.0
"""Length of a day."""
