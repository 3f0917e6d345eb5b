"""Which states are not to be believed, and the account of them.

SGP4's error code 0 is no proof: far past decay its drag polynomials turn round and it returns orbits of
any size with code 0. So a state is also checked against the height of the atmosphere, against the range
of radii that its own elements allow, against the age of the elements, and against the life of the set.
"""

import logging
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray
from sgp4.api import SGP4_ERRORS

from twin.arrays import BoolArray, FloatArray, IntArray
from twin.geometry.ephemeris.elements import ElementTable
from twin.geometry.ephemeris.lifetime import Lifetimes

log = logging.getLogger(__name__)

RADIUS: Final = 10
"""Verdict: the radius is outside the plausible range of the orbit."""
TOO_OLD: Final = 11
"""Verdict: the elements are older (or further ahead) than allowed."""
OUTLIVED: Final = 12
"""Verdict: between its epoch and now the set had decayed already."""

_NEVER = np.iinfo(np.int64).max


@dataclass(frozen=True, slots=True, kw_only=True)
class Masked:
    """A satellite that could not be used."""

    norad_id: int
    """Catalogue number."""
    name: str
    """Name in the catalogue."""
    instant: np.datetime64
    """The earliest instant, UTC, at which it was looked at and found unusable."""
    reason: str
    """Why, in words."""


class Judge:
    """Decides which states are usable, and remembers the first failure of each satellite."""

    def __init__(self, table: ElementTable, max_element_age_ns: int | None) -> None:
        self._table = table
        self._lifetimes = Lifetimes(table)
        self._max_age_ns = _NEVER if max_element_age_ns is None else int(max_element_age_ns)
        self._since_ns = np.full(len(table.norad_ids), _NEVER)
        self._reasons: dict[int, str] = {}

    def verdicts(
        self, sets: IntArray, instant_ns: IntArray, error: NDArray[np.uint8], radius_km: FloatArray
    ) -> NDArray[np.uint8]:
        """0 where usable, else SGP4's error code or one of this module's; all arguments (T, R)."""
        verdict = error.copy()
        fits = (radius_km >= self._table.lowest_km[sets]) & (radius_km <= self._table.highest_km[sets])
        verdict[(verdict == 0) & ~fits] = RADIUS
        age_ns = instant_ns - self._table.epoch_ns[sets]
        verdict[(verdict == 0) & self._lifetimes.over(sets, age_ns)] = OUTLIVED
        verdict[(verdict == 0) & (np.abs(age_ns) > self._max_age_ns)] = TOO_OLD
        return verdict

    def hopeless(self, sets: IntArray, instant_ns: int, half_ns: int) -> BoolArray:
        """Whether sets (R,) are too old, or outlived, at every instant within ``half_ns`` of one."""
        age_ns = instant_ns - self._table.epoch_ns[sets]
        nearest_ns = np.sign(age_ns) * np.maximum(np.abs(age_ns) - half_ns, 0)
        return np.asarray((np.abs(nearest_ns) > self._max_age_ns) | self._lifetimes.over(sets, nearest_ns))

    def record(self, columns: IntArray, sets: IntArray, instant_ns: IntArray, verdict: NDArray[np.uint8]) -> None:
        """Keep each satellite's earliest failure; ``columns`` (R,), ``instant_ns`` (T,), others (T, R)."""
        if not verdict.any():
            return
        first_ns = np.where(verdict > 0, instant_ns[:, None], _NEVER).min(axis=0)
        for row in np.flatnonzero(first_ns < self._since_ns[columns]):
            column, at_ns = int(columns[row]), int(first_ns[row])
            if at_ns >= self._since_ns[column]:
                continue  # the same satellite stands twice, under two of its sets
            at = int(np.flatnonzero((instant_ns == at_ns) & (verdict[:, row] > 0))[0])
            reason = self._reason(int(verdict[at, row]), int(sets[at, row]), at_ns)
            if column not in self._reasons:
                name, when = self._table.names[column], np.datetime64(at_ns, "ns")
                log.warning("satellite %d (%s) masked at %s: %s", self._table.norad_ids[column], name, when, reason)
            self._since_ns[column], self._reasons[column] = at_ns, reason

    def _reason(self, verdict: int, at_set: int, at_ns: int) -> str:
        table = self._table
        age_d = (at_ns - int(table.epoch_ns[at_set])) / 86_400e9
        if verdict == RADIUS:
            low, high = table.lowest_km[at_set], table.highest_km[at_set]
            return f"radius outside {low:.0f} to {high:.0f} km, where its elements ({age_d:.1f} d old) put it"
        if verdict == TOO_OLD:
            return f"elements are {age_d:.1f} d old, more than the {self._max_age_ns / 86_400e9:g} d allowed"
        if verdict == OUTLIVED:
            return f"its elements ({age_d:.1f} d old) describe an orbit that has decayed before"
        return f"SGP4 error {verdict} with elements {age_d:.1f} d old: {SGP4_ERRORS[verdict]}"

    def masked(self) -> tuple[Masked, ...]:
        """What was found unusable so far, by catalogue number."""
        return tuple(
            Masked(
                norad_id=int(self._table.norad_ids[column]),
                name=self._table.names[column],
                instant=np.datetime64(int(self._since_ns[column]), "ns"),
                reason=self._reasons[column],
            )
            for column in sorted(self._reasons)
        )
