"""Time scales: UTC instants as SGP4 wants them, and the angle of the Earth.

UTC instants are ``datetime64[ns]``, which has no name for the inside of a leap second. Leap seconds and
UT1 come from the tables that Skyfield carries; past their end UT1 is Skyfield's own prediction, whose
error (tens of milliseconds a year ahead) turns the Earth by some ten metres under all satellites alike.
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
    """UTC Julian date at the last midnight and the fraction of the day, as SGP4 takes them.

    >>> jd, fraction = julian_date(np.array(["2026-05-30T12:00"], dtype="datetime64[ns]"))
    >>> float(jd[0]), float(fraction[0])
    (2461190.5, 0.5)
    """
    day, within_ns = np.divmod(nanoseconds(instants), _DAY_NS)
    return day + _UNIX_EPOCH_JD, within_ns / _DAY_NS


@cache
def timescale() -> Any:
    """Skyfield's time scale, from the tables it carries: no download."""
    return load.timescale(builtin=True)


def skyfield_time(instants: TimeArray) -> Any:
    """The same instants as Skyfield's ``Time``."""
    day, within_ns = np.divmod(nanoseconds(instants), _DAY_NS)
    return timescale().utc(1970, 1, 1 + day, 0, 0, within_ns / 1e9)


def sidereal_angle_rad(instants: TimeArray) -> FloatArray:
    """Greenwich mean sidereal time of 1982: the angle from TEME to the Earth-fixed frame; as ``instants``.

    Source: AIAA 2006-6753, appendix C, in Skyfield's implementation, at UT1.
    """
    time = skyfield_time(instants)
    theta, _ = theta_GMST1982(time.whole, time.ut1_fraction)
    return np.asarray(theta, dtype=np.float64)
