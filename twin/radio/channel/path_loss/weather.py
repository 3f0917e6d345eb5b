"""Loss by gas, clouds, rain and scintillation at one place by ITU-R recommendations, computed by the package itur."""

from __future__ import annotations

import warnings
from functools import lru_cache
from importlib import import_module
from importlib.util import find_spec

import numpy as np

from twin.arrays import FloatArray
from twin.errors import InputError
from twin.radio.channel.path_loss.gases import gas_db

LOWEST_DEG = 5.0
"""Lowest elevation of the recommendations; below it, gas absorption alone grows with the path."""
WEATHER_GHZ = (1.0, 55.0)
"""Carrier range in which ITU-R P.618 defines all terms of the sum."""
MISSING = (
    "needs the package itur, which is not installed; it comes with the extra: pip install 'constellation-twin[atm]'"
)


def installed() -> bool:
    """Whether the package itur is installed; it is not imported."""
    return find_spec("itur") is not None


def check_carrier(carrier_hz: float) -> None:
    """Check that a carrier is within the range of the recommendations; ValueError if not."""
    lowest, highest = WEATHER_GHZ
    if not lowest <= carrier_hz / 1e9 <= highest:
        raise ValueError(
            f"weather_at needs a carrier from {lowest:g} to {highest:g} GHz, found {carrier_hz / 1e9:g} GHz"
        )


def weather_db(
    elevation_deg: FloatArray, *, carrier_hz: float, place_deg: tuple[float, float], percent: float, antenna_m: float
) -> FloatArray:
    """Atmospheric attenuation in dB exceeded for a percentage of time (ITU-R P.618, with P.676 and P.840).

    It is tabulated once for each place, carrier and percentage, at every degree of elevation. Between these it is
    interpolated linearly over the cosecant of elevation. The error against itur is 4e-4, except in the last degree
    below the zenith, where the rain term of the recommendation has a cusp of up to 4 %.

    Parameters
    ----------
    elevation_deg
        Any shape. Below 5 degrees, where ITU-R P.618 ends, the gas absorption at 5 degrees grows as that of `gas_db`;
        rain, clouds and scintillation keep their values at 5 degrees.
    place_deg
        Latitude and longitude of the terminal.
    percent
        Percentage of an average year for which the attenuation is exceeded, 0.001 to 50.
    antenna_m
        Diameter of the terminal's antenna, for aperture averaging of scintillation.

    Raises
    ------
    InputError
        If the package is not installed.
    """
    angles_deg, table_db, gas_at_lowest_db = _table(carrier_hz, place_deg, percent, antenna_m)
    cosecant = 1.0 / np.sin(np.radians(np.clip(elevation_deg, LOWEST_DEG, 90.0)))
    # np.interp needs ascending abscissae: from the zenith down
    within_db = np.interp(cosecant, 1.0 / np.sin(np.radians(angles_deg[::-1])), table_db[::-1])
    return np.asarray(within_db + gas_at_lowest_db * _gas_growth(elevation_deg, carrier_hz))


def _gas_growth(elevation_deg: FloatArray, carrier_hz: float) -> FloatArray:
    """Gas absorption over that at `LOWEST_DEG`, less one; 0 from there up."""
    low_deg = np.minimum(elevation_deg, LOWEST_DEG)
    at_lowest = gas_db(np.array(LOWEST_DEG), 1.0, carrier_hz=carrier_hz)
    return np.asarray(gas_db(low_deg, 1.0, carrier_hz=carrier_hz) / at_lowest - 1.0)


@lru_cache(maxsize=16)
def _table(
    carrier_hz: float, place_deg: tuple[float, float], percent: float, antenna_m: float
) -> tuple[FloatArray, FloatArray, float]:
    """Ascending elevations in degrees, the attenuation in dB at each, and that of gases at the lowest."""
    if not installed():
        raise InputError(f"channel.path_loss.weather_at {MISSING}")
    itur = import_module("itur")
    angles_deg = np.arange(LOWEST_DEG, 91.0)
    latitude, longitude = place_deg
    with warnings.catch_warnings():
        # itur mistakes the zenith for an elevation below 5 degrees; above 5 % it warns of its rain term, not of the sum
        warnings.simplefilter("ignore", RuntimeWarning)
        found = itur.atmospheric_attenuation_slant_path(
            latitude, longitude, carrier_hz / 1e9, angles_deg, percent, antenna_m, return_contributions=True
        )
    gases_db, *_, table_db = (np.ravel(np.asarray(getattr(part, "value", part), dtype=np.float64)) for part in found)
    if not np.isfinite(table_db).all():
        invalid_deg = angles_deg[~np.isfinite(table_db)][0]
        raise InputError(
            f"channel.path_loss.weather_at: itur gave no finite value at {invalid_deg:g} degrees of elevation, for"
            f" {carrier_hz / 1e9:g} GHz at latitude {latitude:g}, longitude {longitude:g}, {percent:g} % of the time"
        )
    return angles_deg, table_db, float(gases_db[0])
