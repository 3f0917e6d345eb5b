"""Age up to which an element set is valid.

After the decay that an element set predicts, the drag polynomials of SGP4 let the orbit grow again, through plausible
sizes too. Therefore each set is tested at fixed ages between its epoch and the requested age, and expires at the first
age at which the test fails. The ages do not depend on the requests or their order.
"""

from typing import Final

import numpy as np

from twin.arrays import BoolArray, IntArray
from twin.geometry.ephemeris.elements import ElementTable

PROBE_AGES_D: Final = 0.5 * 1.1 ** np.arange(110)
"""Ages at which a set is tested, before and after its epoch; up to 45 years.

A decayed set looks plausible again after about 20 % of its age; steps of 10 % detect the failure in between."""

_PROBE_NS: Final = np.round(PROBE_AGES_D * 86_400e9).astype(np.int64)


class Lifetimes:
    """The age at which each set expires, computed as far as it was requested."""

    def __init__(self, table: ElementTable) -> None:
        self._table = table
        shape = (2, len(table.satrecs))
        self._probed = np.zeros(shape, dtype=np.int64)
        self._expiry_ns = np.full(shape, np.iinfo(np.int64).max)

    def expired(self, sets: IntArray, age_ns: IntArray) -> BoolArray:
        """Whether each set has expired at an age (negative before its epoch); all shapes are equal."""
        side = (age_ns < 0).astype(np.intp)
        size_ns = np.abs(age_ns)
        needed = np.searchsorted(_PROBE_NS, size_ns, side="right")
        short = needed > self._probed[side, sets]
        if short.any():
            most = np.zeros_like(self._probed)
            np.maximum.at(most, (side[short], sets[short]), needed[short])
            for which, index in np.argwhere(most > 0):
                self._probe(int(which), int(index), int(most[which, index]))
        return np.asarray(size_ns >= self._expiry_ns[side, sets])

    def _probe(self, side: int, index: int, until: int) -> None:
        """Test one set at the ages that were not tested before."""
        start = int(self._probed[side, index])
        self._probed[side, index] = until
        table, satrec = self._table, self._table.satrecs[index]
        days = PROBE_AGES_D[start:until] * (-1.0 if side else 1.0)
        whole = np.full(len(days), satrec.jdsatepoch)
        error, position, _ = satrec.sgp4_array(whole, satrec.jdsatepochF + days)
        with np.errstate(invalid="ignore", over="ignore"):
            radius_km = np.sqrt((position**2).sum(axis=-1))
        plausible = (radius_km >= table.lowest_km[index]) & (radius_km <= table.highest_km[index])
        failed = np.flatnonzero((error != 0) | ~plausible)
        if failed.size:
            failed_ns = _PROBE_NS[start + int(failed[0])]
            self._expiry_ns[side, index] = min(int(self._expiry_ns[side, index]), int(failed_ns))
