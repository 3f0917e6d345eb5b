"""Gas, clouds, rain and scintillation of one place by the ITU-R's recommendations, through the package itur."""

from __future__ import annotations

import warnings
from functools import lru_cache
from importlib import import_module
from importlib.util import find_spec

import numpy as np

from twin.arrays import FloatArray
from twin.errors import InputError

LOWEST_DEG = 5.0
"""The recommendations hold from this elevation on; below, its value is held."""
WEATHER_GHZ = (1.0, 55.0)
"""Carriers for which the recommendation of the sum (P.618) has all its parts."""
MISSING = (
    "needs the package itur, which is not installed; it comes with the extra: pip install 'constellation-twin[atm]'"
)


def installed() -> bool:
    """Whether the package is there; it is not imported."""
    return find_spec("itur") is not None


def check_carrier(carrier_hz: float) -> None:
    """Refuse a carrier that the recommendations do not reach; ValueError."""
    lowest, highest = WEATHER_GHZ
    if not lowest <= carrier_hz / 1e9 <= highest:
        raise ValueError(
            f"weather_at needs a carrier from {lowest:g} to {highest:g} GHz, found {carrier_hz / 1e9:g} GHz"
        )


def weather_db(
    elevation_deg: FloatArray, *, carrier_hz: float, place_deg: tuple[float, float], percent: float, antenna_m: float
) -> FloatArray:
    """Attenuation of the atmosphere that is exceeded for a share of the time (ITU-R P.618, with P.676 and P.840).

    It is tabulated once for a place, a carrier and a share, at every degree, and interpolated over the cosecant of
    elevation, in which attenuation is nearly straight: within 4e-4 of what itur says, but for the last degree below
    the zenith, where the recommendation's rain has a cusp of up to 4 %.

    Parameters
    ----------
    elevation_deg
        Any shape; below 5 degrees the value of 5 degrees is held.
    place_deg
        Latitude and longitude.
    percent
        Share of an average year in which the attenuation is exceeded, 0.001 to 50.
    antenna_m
        Diameter of the terminal's antenna, over which scintillation is averaged.

    Raises
    ------
    InputError
        If the package is not installed.
    """
    angles_deg, table_db = _table(carrier_hz, place_deg, percent, antenna_m)
    cosecant = 1.0 / np.sin(np.radians(np.clip(elevation_deg, LOWEST_DEG, 90.0)))
    # np.interp wants rising places: from the zenith down
    return np.interp(cosecant, 1.0 / np.sin(np.radians(angles_deg[::-1])), table_db[::-1])


@lru_cache(maxsize=16)
def _table(
    carrier_hz: float, place_deg: tuple[float, float], percent: float, antenna_m: float
) -> tuple[FloatArray, FloatArray]:
    """Elevations, rising, and the attenuation at each."""
    if not installed():
        raise InputError(f"channel.path_loss.weather_at {MISSING}")
    itur = import_module("itur")
    angles_deg = np.arange(LOWEST_DEG, 91.0)
    latitude, longitude = place_deg
    with warnings.catch_warnings():
        # itur takes the zenith for an elevation below 5 degrees, and warns of its rain alone, not of the sum, above 5 %
        warnings.simplefilter("ignore", RuntimeWarning)
        found = itur.atmospheric_attenuation_slant_path(
            latitude, longitude, carrier_hz / 1e9, angles_deg, percent, antenna_m
        )
    table_db = np.asarray(getattr(found, "value", found), dtype=np.float64).reshape(angles_deg.shape)
    if not np.isfinite(table_db).all():
        lost = angles_deg[~np.isfinite(table_db)][0]
        raise InputError(
            f"channel.path_loss.weather_at: itur gave no number at {lost:g} degrees of elevation, for"
            f" {carrier_hz / 1e9:g} GHz at latitude {latitude:g}, longitude {longitude:g}, {percent:g} % of the time"
        )
    return angles_deg, table_db
