"""Walker constellations: equally spaced planes with equally spaced satellites, at one altitude and inclination.

The notation i:t/p/f is that of J. G. Walker, "Satellite constellations", J. British Interplanetary Society 37
(1984): t satellites in p planes; the phase offset between neighbouring planes is f x 360/t degrees.
"""

import math
import re
from dataclasses import dataclass
from typing import Any, Final, Literal, NotRequired, TypedDict, Unpack

import numpy as np
from sgp4.api import WGS72, Satrec

from twin.catalogue.catalogue import Catalogue
from twin.catalogue.elements import ALPHA5_LARGEST, DAY_NS, SGP4_EPOCH, ElementSet
from twin.catalogue.read import assemble, read_contents
from twin.catalogue.tle import TICK_NS, tle_text
from twin.constants import EARTH_GM_WGS72_KM3_S2, EARTH_RADIUS_WGS72_KM
from twin.errors import InputError, did_you_mean, listed
from twin.records import documented

NODE_RANGE_DEG: Final = {"delta": 360.0, "star": 180.0}
"""Range of right ascension over which the planes are distributed, by pattern."""

LOWEST_KM: Final = 150.0
HIGHEST_KM: Final = 100_000.0

_PREFIX = re.compile(r"[A-Za-z][A-Za-z0-9 ._-]{0,13}")


@documented
@dataclass(frozen=True, slots=True, kw_only=True)
class Walker:
    """Parameters of a Walker constellation.

    Raises
    ------
    InputError
        If a parameter is out of range; the message begins with its name.
    """

    pattern: Literal["delta", "star"]
    """Planes over 360 degrees of right ascension ("delta") or 180 ("star")."""
    planes: int
    """Number of orbital planes, p."""
    per_plane: int
    """Satellites in each plane, t/p."""
    altitude_km: float
    """Mean altitude above the equatorial radius of WGS-72, km."""
    inclination_deg: float
    """Inclination, degrees."""
    phasing: int
    """Phasing parameter f, from 0 to p - 1."""
    epoch: np.datetime64
    """Epoch of all element sets (UTC)."""
    first_norad_id: int = 90_000
    """Catalogue number of the first satellite; the others follow in sequence."""
    name_prefix: str = "WALKER"
    """Prefix of the names, followed by the plane and the position in the plane: WALKER-01-01."""

    def __post_init__(self) -> None:
        if self.pattern not in NODE_RANGE_DEG:
            hint = did_you_mean(str(self.pattern), NODE_RANGE_DEG)
            raise InputError(f'pattern: found "{self.pattern}", allowed {listed(NODE_RANGE_DEG)}{hint}')
        _check_whole("planes", self.planes, 1, ALPHA5_LARGEST)
        _check_whole("per_plane", self.per_plane, 1, ALPHA5_LARGEST)
        _check_whole("phasing", self.phasing, 0, self.planes - 1)
        _check_number("altitude_km", self.altitude_km, LOWEST_KM, HIGHEST_KM)
        _check_number("inclination_deg", self.inclination_deg, 0.0, 180.0)
        _check_whole("first_norad_id", self.first_norad_id, 1, ALPHA5_LARGEST)
        if (last := self.first_norad_id + self.satellites - 1) > ALPHA5_LARGEST:
            raise InputError(
                f"first_norad_id: {self.satellites} satellites from {self.first_norad_id} end at {last},"
                f" allowed up to {ALPHA5_LARGEST}, the last number with a TLE form"
            )
        if not np.datetime64("1957-01-01") <= self.epoch < np.datetime64("2057-01-01"):
            raise InputError(f"epoch: found {self.epoch}, allowed 1957 to 2056, the years of a TLE")
        if _PREFIX.fullmatch(self.name_prefix) is None:
            raise InputError(
                f'name_prefix: found "{self.name_prefix}", allowed a letter, then up to 13 letters,'
                " digits, spaces, dots, dashes or underscores"
            )

    @property
    def satellites(self) -> int:
        """Number of satellites, t."""
        return self.planes * self.per_plane


def _check_whole(key: str, value: object, low: int, high: int) -> None:
    if isinstance(value, bool) or not isinstance(value, int | np.integer) or not low <= value <= high:
        raise InputError(f"{key}: found {value}, allowed a whole number from {low} to {high}")


def _check_number(key: str, value: float, low: float, high: float) -> None:
    if not low <= value <= high:
        raise InputError(f"{key}: found {value:g}, allowed {low:g} to {high:g}")


def walker_text(walker: Walker) -> str:
    """Format a Walker constellation as TLE text, with name, line 1 and line 2 of each satellite.

    At the epoch the first satellite of the first plane is at its ascending node, which is at right ascension 0.
    Eccentricity and drag are 0. The mean motion is chosen such that the mean semi-major axis of SGP4 is the Earth's
    radius plus the altitude.
    """
    p, s = np.divmod(np.arange(walker.satellites), walker.per_plane)
    node_deg = NODE_RANGE_DEG[walker.pattern] * p / walker.planes
    along_deg = 360.0 * (s / walker.per_plane + walker.phasing * p / walker.satellites)
    motion = _kozai_mean_motion(walker.altitude_km, math.radians(walker.inclination_deg))
    digits = [max(2, len(str(count))) for count in (walker.planes, walker.per_plane)]
    sets = [
        ElementSet(
            norad_id=walker.first_norad_id + index,
            name=f"{walker.name_prefix}-{p[index] + 1:0{digits[0]}}-{s[index] + 1:0{digits[1]}}",
            designator="",
            epoch=walker.epoch,
            satrec=_satrec(walker, index, motion, float(node_deg[index]), float(along_deg[index])),
            source=_title(walker),
            line=index + 1,
        )
        for index in range(walker.satellites)
    ]
    return tle_text(sets)


def _title(walker: Walker) -> str:
    return f"walker-{walker.pattern}-{walker.planes}x{walker.per_plane}"


def _satrec(walker: Walker, index: int, motion: float, node_deg: float, along_deg: float) -> Any:
    ticks_ns = int((walker.epoch.astype("M8[ns]") - SGP4_EPOCH).astype(np.int64))
    days = round(ticks_ns / TICK_NS) * TICK_NS / DAY_NS
    # rounded as in a TLE, so that an angle just below 360 degrees becomes 0
    node, along = (math.radians(round(angle_deg, 4) % 360.0) for angle_deg in (node_deg, along_deg))
    return _circular(days, math.radians(walker.inclination_deg), motion, node, along, walker.first_norad_id + index)


def _circular(days: float, inclination: float, motion: float, node: float, along: float, satnum: int) -> Any:
    satrec = Satrec()
    no_drag = (0.0, 0.0, 0.0)
    satrec.sgp4init(WGS72, "i", satnum, days, *no_drag, 0.0, 0.0, inclination, along, motion, node)
    return satrec


def _kozai_mean_motion(altitude_km: float, inclination: float) -> float:
    """Kozai mean motion (rad/min, as in a TLE) of a circular orbit at a mean altitude.

    SGP4 converts the Kozai to the Brouwer mean motion (AIAA 2006-6753, `initl`) and computes the semi-major axis from
    it. Therefore the mean motion is found by fixed-point iteration with SGP4; each step gains three digits.
    """
    axis_km = EARTH_RADIUS_WGS72_KM + altitude_km
    motion = 60.0 * math.sqrt(EARTH_GM_WGS72_KM3_S2 / axis_km**3)
    for _ in range(8):
        satrec = _circular(0.0, inclination, motion, 0.0, 0.0, 0)
        motion *= (satrec.a * satrec.radiusearthkm / axis_km) ** 1.5
    return motion


class Parameters(TypedDict):
    """Keyword arguments of `walker_delta` and `walker_star`: the fields of `Walker` without the pattern."""

    planes: int
    per_plane: int
    altitude_km: float
    inclination_deg: float
    phasing: int
    epoch: np.datetime64
    first_norad_id: NotRequired[int]
    name_prefix: NotRequired[str]


def walker_delta(**parameters: Unpack[Parameters]) -> list[ElementSet]:
    """Element sets of planes over 360 degrees of right ascension; parameters and errors are those of `Walker`.

    >>> sets = walker_delta(
    ...     planes=3, per_plane=8, altitude_km=23_222.0, inclination_deg=56.0, phasing=1,
    ...     epoch=np.datetime64("2026-01-01"),
    ... )
    >>> len(sets), sets[8].name
    (24, 'WALKER-02-01')
    """
    return list(walker_catalogue(Walker(pattern="delta", **parameters)).sets)


def walker_star(**parameters: Unpack[Parameters]) -> list[ElementSet]:
    """Element sets of planes over 180 degrees of right ascension; parameters and errors are those of `Walker`."""
    return list(walker_catalogue(Walker(pattern="star", **parameters)).sets)


def walker_catalogue(walker: Walker) -> Catalogue:
    """Catalogue of a Walker constellation; identical to the file of `walker_text` after reading."""
    return assemble([read_contents(walker_text(walker).encode(), _title(walker))])
