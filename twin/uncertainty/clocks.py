"""Clocks of satellites and terminals, and what their errors do to delay and Doppler compensation."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from twin.arrays import FloatArray, IntArray
from twin.uncertainty.draws import since_update_s, unit_errors, updates

if TYPE_CHECKING:
    from twin.scenario.belief import ClockErrorSection


@dataclass(frozen=True, slots=True, kw_only=True)
class Clocks:
    """Errors of all clocks as functions of time."""

    error: ClockErrorSection
    seed: int
    start: np.datetime64
    """From which clocks run away that are never updated."""

    @property
    def perfect(self) -> bool:
        """Whether no clock is ever wrong."""
        error = self.error
        return not any((error.satellite_ns, error.terminal_ns, error.satellite_ppb, error.terminal_ppb))

    def offsets(self, instant: np.datetime64, norad_id: IntArray, terminals: int) -> tuple[FloatArray, FloatArray]:
        """By how much each satellite's signal is early at each terminal [s], and its carrier high (S,K), relative.

        Both are those of the satellite's clock less the terminal's.
        """
        at_ns = np.array([instant]).astype("datetime64[ns]").astype(np.int64)
        start_ns = int(self.start.astype("datetime64[ns]").astype(np.int64))
        number = int(updates(self.error, at_ns)[0])
        since_s = float(since_update_s(self.error, at_ns, start_ns)[0])
        satellites = [self._drawn("belief clock", (2,), (satellite, number)) for satellite in norad_id.tolist()]
        theirs = np.array(satellites).reshape(len(norad_id), 2)
        theirs = theirs * (1e-9 * np.array([self.error.satellite_ns, self.error.satellite_ppb]))
        own = self._drawn("belief terminal clock", (terminals, 2), (number,))
        own = own * (1e-9 * np.array([self.error.terminal_ns, self.error.terminal_ppb]))
        early = theirs[:, None, 0] - own[None, :, 0]
        high = theirs[:, None, 1] - own[None, :, 1]
        return np.asarray(early + since_s * high), np.asarray(high)

    def _drawn(self, purpose: str, shape: tuple[int, ...], keys: tuple[int, ...]) -> FloatArray:
        return unit_errors(self.error.law, shape, seed=self.seed, purpose=purpose, keys=keys)
