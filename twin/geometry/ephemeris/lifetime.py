"""How long an element set describes an orbit at all.

After the decay that an element set predicts, SGP4's drag polynomials let the orbit grow again through every
size, ordinary ones among them. So each set is probed at fixed ages between its epoch and the age asked for;
from the first age at which it fails, it is over. The ages do not depend on what is asked or in which order.
"""

from typing import Final

import numpy as np

from twin.arrays import BoolArray, IntArray
from twin.geometry.ephemeris.elements import ElementTable

PROBE_AGES_D: Final = 0.5 * 1.1 ** np.arange(110)
"""Ages at which a set is probed, on both sides of its epoch; up to 45 years.

A decayed set takes some 20 % of its age to look ordinary again: steps of 10 % see it failing."""

_PROBE_NS: Final = np.round(PROBE_AGES_D * 86_400e9).astype(np.int64)


class Lifetimes:
    """The age at which each set is over, found as far as it was needed."""

    def __init__(self, table: ElementTable) -> None:
        self._table = table
        shape = (2, len(table.satrecs))
        self._probed = np.zeros(shape, dtype=np.int64)
        self._over_ns = np.full(shape, np.iinfo(np.int64).max)

    def over(self, sets: IntArray, age_ns: IntArray) -> BoolArray:
        """Whether each set is over at an age (negative before its epoch); equal shapes."""
        side = (age_ns < 0).astype(np.intp)
        size_ns = np.abs(age_ns)
        needed = np.searchsorted(_PROBE_NS, size_ns, side="right")
        short = needed > self._probed[side, sets]
        if short.any():
            most = np.zeros_like(self._probed)
            np.maximum.at(most, (side[short], sets[short]), needed[short])
            for which, index in np.argwhere(most > 0):
                self._probe(int(which), int(index), int(most[which, index]))
        return np.asarray(size_ns >= self._over_ns[side, sets])

    def _probe(self, side: int, index: int, until: int) -> None:
        """Look at one set at the ages not yet looked at."""
        start = int(self._probed[side, index])
        self._probed[side, index] = until
        table, satrec = self._table, self._table.satrecs[index]
        days = PROBE_AGES_D[start:until] * (-1.0 if side else 1.0)
        whole = np.full(len(days), satrec.jdsatepoch)
        error, position, _ = satrec.sgp4_array(whole, satrec.jdsatepochF + days)
        with np.errstate(invalid="ignore", over="ignore"):
            radius_km = np.sqrt((position**2).sum(axis=-1))
        fits = (radius_km >= table.lowest_km[index]) & (radius_km <= table.highest_km[index])
        failed = np.flatnonzero((error != 0) | ~fits)
        if failed.size:
            found_ns = _PROBE_NS[start + int(failed[0])]
            self._over_ns[side, index] = min(int(self._over_ns[side, index]), int(found_ns))
