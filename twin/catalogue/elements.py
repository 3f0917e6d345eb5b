"""Element set: the mean orbit of a satellite at an epoch, with its SGP4 model."""

import math
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from sgp4.api import SGP4_ERRORS, WGS72, Satrec

from twin.records import documented

ALPHA5_LARGEST: Final = 339_999
"""Largest catalogue number that the five columns of a TLE can hold (Space-Track, Alpha-5)."""

NORAD_ID_LARGEST: Final = 999_999_999
"""Largest catalogue number: nine digits (CCSDS 502.0-B, NORAD_CAT_ID)."""

SGP4_EPOCH: Final = np.datetime64("1949-12-31T00:00:00", "ns")
"""Day zero of SGP4 epochs."""

SGP4_EPOCH_JD: Final = 2_433_281.5
"""Julian date of `SGP4_EPOCH`."""

DAY_NS: Final = 86_400_000_000_000
"""Nanoseconds in a day."""


class ElementError(Exception):
    """An element set is unusable; the message is the reason, `line` the faulty line if known."""

    def __init__(self, reason: str, *, line: int | None = None) -> None:
        super().__init__(reason)
        self.line = line


@documented
@dataclass(frozen=True, slots=True, kw_only=True)
class ElementSet:
    """Mean elements of one satellite at one epoch (SGP4, TEME, WGS-72)."""

    norad_id: int
    """Catalogue number, up to nine digits."""
    name: str
    """Name, or the catalogue number if the source has no name."""
    designator: str
    """International designator such as 1998-067A, or an empty string."""
    epoch: np.datetime64
    """Epoch (UTC, ns)."""
    satrec: Any
    """The `sgp4.api.Satrec`; its `satnum` is 0 if the catalogue number has no TLE form."""
    source: str
    """Name of the file that it was read from."""
    line: int
    """Line of the file (TLE, CSV) or number of the record (JSON, XML), from 1."""

    @property
    def perigee_km(self) -> float:
        """Mean perigee altitude above the equatorial radius, km (Brouwer elements, WGS-72)."""
        return float(self.satrec.altp * self.satrec.radiusearthkm)

    @property
    def apogee_km(self) -> float:
        """Mean apogee altitude above the equatorial radius, km (Brouwer elements, WGS-72)."""
        return float(self.satrec.alta * self.satrec.radiusearthkm)

    @property
    def inclination_deg(self) -> float:
        """Mean inclination, degrees."""
        return math.degrees(self.satrec.inclo)

    def __reduce__(self) -> tuple[Any, ...]:
        # a Satrec cannot be pickled: its values are pickled, and SGP4 is initialised again from them
        record = (self.norad_id, self.name, self.designator, self.epoch, self.source, self.line)
        sat = self.satrec
        numbers = (sat.bstar, sat.ndot, sat.nddot, sat.ecco, sat.argpo, sat.inclo, sat.mo, sat.no_kozai)
        labels = (sat.classification, sat.intldesg, sat.ephtype, sat.elnum, sat.revnum, sat.satnum_str)
        dates = (sat.jdsatepoch, sat.jdsatepochF, sat.epochyr, sat.epochdays)
        return _rebuild, (record, (*numbers, sat.nodeo), labels, dates)


def _rebuild(
    record: tuple[Any, ...],
    numbers: tuple[float, ...],
    labels: tuple[Any, ...],
    dates: tuple[Any, ...],
) -> ElementSet:
    satrec = Satrec()
    satrec.sgp4init(WGS72, "i", 0, dates[0] + dates[1] - SGP4_EPOCH_JD, *numbers)
    satrec.jdsatepoch, satrec.jdsatepochF, satrec.epochyr, satrec.epochdays = dates
    satrec.classification, satrec.intldesg, satrec.ephtype = labels[:3]
    satrec.elnum, satrec.revnum, satrec.satnum_str = labels[3:]
    norad_id, name, designator, epoch, source, line = record
    return ElementSet(
        norad_id=norad_id,
        name=name,
        designator=designator,
        epoch=epoch,
        satrec=satrec,
        source=source,
        line=line,
    )


def check_ranges(*, eccentricity: float, inclination_deg: float, mean_motion_rev_day: float) -> None:
    """Check that elements describe a closed orbit.

    Raises
    ------
    ElementError
        If a value is out of range.
    """
    if not 0.0 <= eccentricity < 1.0:
        raise ElementError(f"eccentricity {eccentricity:g} is outside 0 <= e < 1")
    if not 0.0 <= inclination_deg <= 180.0:
        raise ElementError(f"inclination {inclination_deg:g} is outside 0 to 180 degrees")
    if not mean_motion_rev_day > 0.0:
        raise ElementError(f"mean motion {mean_motion_rev_day:g} is not above 0 revolutions a day")


def check_satrec(satrec: Any) -> None:
    """Check that SGP4 can propagate the elements at their epoch.

    Raises
    ------
    ElementError
        If the elements are not for SGP4, SGP4 reports an error or its position is not finite.
    """
    if satrec.ephtype == 4:
        raise ElementError("ephemeris type 4 (SGP4-XP) is not SGP4")
    if satrec.error:
        raise ElementError(f"SGP4 at the epoch: {SGP4_ERRORS[satrec.error]}")
    error, position_km, velocity_km_s = satrec.sgp4_tsince(0.0)
    if error or not all(map(math.isfinite, (*position_km, *velocity_km_s))):
        raise ElementError(f"SGP4 at the epoch: {SGP4_ERRORS.get(error, 'the position is not finite')}")
