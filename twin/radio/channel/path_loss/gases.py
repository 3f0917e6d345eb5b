"""Absorption by oxygen and water vapour."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from scipy.special import erfcx

from twin.arrays import FloatArray

VAPOUR_G_M3 = 7.5
"""Water vapour density at the ground in the mean annual global reference atmosphere (TR 38.811, Section 6.6.4)."""
LOWEST_DEG = 5.0
"""Lower limit of the cosecant law, which ignores the Earth's curvature (ITU-R P.676, Annex 2)."""
EFFECTIVE_RADIUS_KM = 8500.0
"""Radius of the Earth on which rays that the atmosphere refracts are straight lines (ITU-R P.676-3, Annex 2)."""
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


def gas_db(elevation_deg: FloatArray, zenith_db: float, *, carrier_hz: float = 20e9) -> FloatArray:
    """Gas absorption on a slant path in dB: A_zenith / sin(elevation) from 5 degrees (TR 38.811, eq. 6.6-8).

    P5 has the same (after (9)). Below, oxygen and water vapour are exponential atmospheres over a spherical Earth
    (`spherical_factor`), as in the formula of ITU-R P.676-3 for low elevations. A factor that is 1 at the horizon joins
    both at 5 degrees. Elevations below 0 get the value at 0. Over the absorption towards the zenith, it differs by at
    most 4.5 % from the layer-by-layer method of ITU-R P.676 from 0 to 4 degrees (2 to 50 GHz).

    Parameters
    ----------
    zenith_db
        Absorption towards the zenith.
    carrier_hz
        Carrier that decides how much of it is water vapour, which is closer to the ground; 54 GHz for higher ones.

    >>> gas_db(np.array([90.0, 30.0, 1.0]), zenith_attenuation_db(20e9)).round(2).tolist()
    [0.26, 0.51, 9.78]
    """
    factor = 1.0 / np.sin(np.radians(np.maximum(elevation_deg, LOWEST_DEG)))
    if (elevation_deg < LOWEST_DEG).any():
        factor = np.where(elevation_deg < LOWEST_DEG, _low_factor(elevation_deg, carrier_hz), factor)
    return np.asarray(zenith_db * factor)


def _low_factor(elevation_deg: FloatArray, carrier_hz: float) -> FloatArray:
    """Absorption over that towards the zenith from 0 to 5 degrees; elevations beyond get the values there."""
    f = min(carrier_hz / 1e9, HIGHEST_GHZ)
    within_deg = np.clip(elevation_deg, 0.0, LOWEST_DEG)
    at_border = _gas_factor(np.array(LOWEST_DEG), f) * np.sin(np.radians(LOWEST_DEG))
    return np.asarray(_gas_factor(within_deg, f) / at_border ** ((within_deg / LOWEST_DEG) ** 2))


def _gas_factor(elevation_deg: FloatArray, f: float) -> FloatArray:
    """Absorption over that towards the zenith at f GHz, of oxygen and vapour together."""
    heights = _oxygen_height_km(f), _vapour_height_km(f)
    oxygen_db, vapour_db = _oxygen_db_km(f) * heights[0], _vapour_db_km(f) * heights[1]
    oxygen, vapour = (spherical_factor(elevation_deg, height_km) for height_km in heights)
    return np.asarray((oxygen_db * oxygen + vapour_db * vapour) / (oxygen_db + vapour_db))


def spherical_factor(elevation_deg: FloatArray, height_km: float) -> FloatArray:
    """Absorption over that towards the zenith of an atmosphere of a scale height, over a spherical Earth.

    The path integral of e^{-z/h} with the height z = s sin φ + s² cos²φ / 2R is √π x erfcx(x tan φ)/cos φ with
    x = √(R/2h).

    >>> spherical_factor(np.array([0.0, 5.0, 30.0]), 6.0).round(3).tolist()
    [47.173, 10.623, 1.996]
    """
    elevation = np.radians(elevation_deg)
    x = np.sqrt(EFFECTIVE_RADIUS_KM / (2.0 * height_km))
    return np.asarray(np.sqrt(np.pi) * x * erfcx(x * np.tan(elevation)) / np.cos(elevation))


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
