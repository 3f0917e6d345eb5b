"""Time scales: UTC as Julian dates for SGP4, and the rotation angle of the Earth.

UTC instants are ``datetime64[ns]``, which cannot represent instants within a leap second. Leap seconds and UT1 come
from the tables included in Skyfield. After the end of the tables UT1 is Skyfield's prediction; its error (tens of
milliseconds one year ahead) rotates the Earth by about ten metres, equally for all satellites.
"""

from functools import cache
from typing import Any

import numpy as np
from skyfield.api import load
from skyfield.sgp4lib import theta_GMST1982

from twin.arrays import FloatArray, IntArray, TimeArray

_UNIX_EPOCH_JD = 2_440_587.5
_DAY_NS = 86_400_000_000_000


def nanoseconds(instants: TimeArray) -> IntArray:
    """UTC instants as whole nanoseconds since 1970, leap seconds not counted."""
    return np.asarray(instants, dtype="datetime64[ns]").astype(np.int64)


def julian_date(instants: TimeArray) -> tuple[FloatArray, FloatArray]:
    """Split UTC instants into the Julian date of the last midnight and the fraction of the day, as SGP4 needs them.

    >>> jd, fraction = julian_date(np.array(["2026-05-30T12:00"], dtype="datetime64[ns]"))
    >>> float(jd[0]), float(fraction[0])
    (2461190.5, 0.5)
    """
    day, time_of_day_ns = np.divmod(nanoseconds(instants), _DAY_NS)
    return day + _UNIX_EPOCH_JD, time_of_day_ns / _DAY_NS


@cache
def timescale() -> Any:
    """Skyfield's time scale from its included tables; nothing is downloaded."""
    return load.timescale(builtin=True)


def skyfield_time(instants: TimeArray) -> Any:
    """UTC instants as a Skyfield ``Time``."""
    day, time_of_day_ns = np.divmod(nanoseconds(instants), _DAY_NS)
    return timescale().utc(1970, 1, 1 + day, 0, 0, time_of_day_ns / 1e9)


def sidereal_angle_rad(instants: TimeArray) -> FloatArray:
    """Greenwich mean sidereal time of 1982, the angle from TEME to the Earth-fixed frame; shape of ``instants``.

    Source: AIAA 2006-6753, appendix C, evaluated at UT1 by Skyfield.
    """
    time = skyfield_time(instants)
    theta, _ = theta_GMST1982(time.whole, time.ut1_fraction)
    return np.asarray(theta, dtype=np.float64)
