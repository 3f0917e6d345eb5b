"""Absorption by oxygen and water vapour."""

from __future__ import annotations

from functools import lru_cache

import numpy as np

from twin.arrays import FloatArray

VAPOUR_G_M3 = 7.5
"""Water vapour density at the ground in the mean annual global reference atmosphere (TR 38.811, Section 6.6.4)."""
LOWEST_DEG = 5.0
"""The cosecant law ignores the Earth's curvature; below this elevation its value here is used."""
HIGHEST_GHZ = 54.0
"""Upper limit of the approximation: the oxygen lines begin here."""

# water vapour lines: centre in GHz, strength, width (0: omitted), whether the factor g of the line wing applies
_LINES = (
    (22.235, 3.98, 9.42, True),
    (183.31, 11.96, 11.14, False),
    (321.226, 0.081, 6.29, False),
    (325.153, 3.66, 9.22, False),
    (380.0, 25.37, 0.0, False),
    (448.0, 17.4, 0.0, False),
    (557.0, 844.6, 0.0, True),
    (752.0, 290.0, 0.0, True),
    (1780.0, 8.3328e4, 0.0, True),
)


@lru_cache(maxsize=64)
def zenith_attenuation_db(carrier_hz: float) -> float:
    """Gas absorption in dB towards the zenith from sea level, for 288.15 K, 1013.25 hPa and 7.5 g/m³.

    Source: ITU-R P.676-10, Annex 2, at its standard pressure and temperature.

    Raises
    ------
    ValueError
        Above 54 GHz.

    >>> round(zenith_attenuation_db(20e9), 2)
    0.26
    """
    f = carrier_hz / 1e9
    if f > HIGHEST_GHZ:
        raise ValueError(
            f"zenith_attenuation_db must be given for a carrier of {f:g} GHz: the model of gas absorption ends at"
            f" {HIGHEST_GHZ:g} GHz"
        )
    return _oxygen_db_km(f) * _oxygen_height_km(f) + _vapour_db_km(f) * _vapour_height_km(f)


def gas_db(elevation_deg: FloatArray, zenith_db: float) -> FloatArray:
    """Gas absorption on a slant path: A_zenith / sin(elevation) in dB (TR 38.811, eq. 6.6-8; P5, after (9)).

    Elevations below 5 degrees get the value at 5 degrees.
    """
    return np.asarray(zenith_db / np.sin(np.radians(np.maximum(elevation_deg, LOWEST_DEG))))


def _oxygen_db_km(f: float) -> float:
    """Specific attenuation of dry air in dB/km at f GHz."""
    return float((7.2 / (f * f + 0.34) + 0.62 / ((HIGHEST_GHZ - f) ** 1.16 + 0.83)) * f * f * 1e-3)


def _vapour_db_km(f: float) -> float:
    """Specific attenuation of water vapour in dB/km at f GHz."""
    widened = 0.955 + 0.006 * VAPOUR_G_M3
    total = 0.0
    for centre, strength, width, weighted in _LINES:
        # the line at 1780 GHz models the continuum and has a width factor of its own
        breadth = 0.735 + 0.0353 * VAPOUR_G_M3 if centre == 1780.0 else widened
        wing = 1.0 + ((f - centre) / (f + centre)) ** 2 if weighted else 1.0
        total += strength * breadth * wing / ((f - centre) ** 2 + width * breadth * breadth)
    return total * f * f * VAPOUR_G_M3 * 1e-4


def _oxygen_height_km(f: float) -> float:
    """Equivalent height of dry air in km."""
    oxygen_60 = 4.64 / 1.066 * np.exp(-(((f - 59.7) / (2.87 + 12.4 * np.exp(-7.9))) ** 2))
    oxygen_119 = 0.14 * np.exp(2.12) / ((f - 118.75) ** 2 + 0.031 * np.exp(2.2))
    wing = (-0.0247 + 1e-4 * f + 1.61e-6 * f * f) / (1.0 - 0.0169 * f + 4.1e-5 * f * f + 3.2e-7 * f**3)
    continuum = 0.0114 / 1.14 * f * wing
    return float(6.1 / 1.17 * (1.0 + oxygen_60 + oxygen_119 + continuum))


def _vapour_height_km(f: float) -> float:
    """Equivalent height of water vapour in km."""
    pressure_factor = 1.013 / (1.0 + np.exp(-8.6 * 0.43))
    lines = ((22.235, 1.39, 2.56), (183.31, 3.37, 4.69), (325.1, 1.58, 2.89))
    excess = sum(
        strength * pressure_factor / ((f - centre) ** 2 + width * pressure_factor) for centre, strength, width in lines
    )
    return float(1.66 * (1.0 + excess))
