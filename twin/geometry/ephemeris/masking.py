"""Detect unusable states and record them.

SGP4's error code 0 does not imply a valid state: long after decay, its drag polynomials yield orbits of any size with
code 0. Therefore a state is also checked against the height of the atmosphere, the range of radii that its elements
allow, the age of the elements, and the age at which the set expires.
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
from twin.records import documented

log = logging.getLogger(__name__)

RADIUS: Final = 10
"""Fault: the radius is outside the plausible range of the orbit."""
TOO_OLD: Final = 11
"""Fault: the elements are older (or further ahead) than allowed."""
DECAYED: Final = 12
"""Fault: the set predicts a decay between its epoch and the instant."""

_NEVER = np.iinfo(np.int64).max


@documented
@dataclass(frozen=True, slots=True, kw_only=True)
class Masked:
    """A satellite with an unusable state."""

    norad_id: int
    """Catalogue number."""
    name: str
    """Name in the catalogue."""
    instant: np.datetime64
    """The earliest UTC instant at which its state was computed and unusable."""
    reason: str
    """Cause, as text."""


class UsabilityCheck:
    """Decides which states are usable, and records the first unusable state of each satellite."""

    def __init__(self, table: ElementTable, max_element_age_ns: int | None) -> None:
        self._table = table
        self._lifetimes = Lifetimes(table)
        self._max_age_ns = _NEVER if max_element_age_ns is None else int(max_element_age_ns)
        self._since_ns = np.full(len(table.norad_ids), _NEVER)
        self._reasons: dict[int, str] = {}

    def faults(
        self, sets: IntArray, instant_ns: IntArray, error: NDArray[np.uint8], radius_km: FloatArray
    ) -> NDArray[np.uint8]:
        """Fault codes (T, R): 0 if usable, otherwise the error code of SGP4 or of this module; all arguments (T, R)."""
        fault = error.copy()
        plausible = (radius_km >= self._table.lowest_km[sets]) & (radius_km <= self._table.highest_km[sets])
        fault[(fault == 0) & ~plausible] = RADIUS
        age_ns = instant_ns - self._table.epoch_ns[sets]
        fault[(fault == 0) & self._lifetimes.expired(sets, age_ns)] = DECAYED
        fault[(fault == 0) & (np.abs(age_ns) > self._max_age_ns)] = TOO_OLD
        return fault

    def unusable_within(self, sets: IntArray, instant_ns: int, half_ns: int) -> BoolArray:
        """Whether sets (R,) are too old or expired at every instant within ``half_ns`` of an instant."""
        age_ns = instant_ns - self._table.epoch_ns[sets]
        nearest_ns = np.sign(age_ns) * np.maximum(np.abs(age_ns) - half_ns, 0)
        return np.asarray((np.abs(nearest_ns) > self._max_age_ns) | self._lifetimes.expired(sets, nearest_ns))

    def record(self, columns: IntArray, sets: IntArray, instant_ns: IntArray, fault: NDArray[np.uint8]) -> None:
        """Record the earliest fault of each satellite; ``columns`` (R,), ``instant_ns`` (T,), others (T, R)."""
        if not fault.any():
            return
        first_ns = np.where(fault > 0, instant_ns[:, None], _NEVER).min(axis=0)
        for row in np.flatnonzero(first_ns < self._since_ns[columns]):
            column, at_ns = int(columns[row]), int(first_ns[row])
            if at_ns >= self._since_ns[column]:
                continue  # another set of the same satellite has an earlier fault
            at = int(np.flatnonzero((instant_ns == at_ns) & (fault[:, row] > 0))[0])
            reason = self._reason(int(fault[at, row]), int(sets[at, row]), at_ns)
            if column not in self._reasons:
                name, when = self._table.names[column], np.datetime64(at_ns, "ns")
                log.warning("satellite %d (%s) masked at %s: %s", self._table.norad_ids[column], name, when, reason)
            self._since_ns[column], self._reasons[column] = at_ns, reason

    def _reason(self, fault: int, index: int, at_ns: int) -> str:
        table = self._table
        age_d = (at_ns - int(table.epoch_ns[index])) / 86_400e9
        if fault == RADIUS:
            low, high = table.lowest_km[index], table.highest_km[index]
            return f"radius outside {low:.0f} to {high:.0f} km, the range of its elements ({age_d:.1f} d old)"
        if fault == TOO_OLD:
            return f"elements are {age_d:.1f} d old, more than the {self._max_age_ns / 86_400e9:g} d allowed"
        if fault == DECAYED:
            return f"its elements ({age_d:.1f} d old) predict that it has decayed"
        return f"SGP4 error {fault} with elements {age_d:.1f} d old: {SGP4_ERRORS[fault]}"

    def masked(self) -> tuple[Masked, ...]:
        """Satellites found unusable so far, in ascending order of catalogue number."""
        return tuple(
            Masked(
                norad_id=int(self._table.norad_ids[column]),
                name=self._table.names[column],
                instant=np.datetime64(int(self._since_ns[column]), "ns"),
                reason=self._reasons[column],
            )
            for column in sorted(self._reasons)
        )
