"""Clock errors of satellites and terminals: time and carrier-frequency offsets of links."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from twin.arrays import FloatArray, IntArray
from twin.records import documented
from twin.uncertainty.draws import since_update_s, unit_errors, update_numbers
from twin.uncertainty.errors import ClockError


@documented
@dataclass(frozen=True, slots=True, kw_only=True)
class Clocks:
    """Clock errors of all satellites and terminals as functions of time."""

    error: ClockError
    """Standard deviations and update times."""
    seed: int
    """Key of the draws, together with the satellite and the update."""
    start: np.datetime64
    """UTC instant from which clocks drift that are never updated."""

    @property
    def perfect(self) -> bool:
        """Whether all clocks are exact."""
        error = self.error
        return not any((error.satellite_ns, error.terminal_ns, error.satellite_ppb, error.terminal_ppb))

    def offsets(self, instant: np.datetime64, norad_id: IntArray, terminals: int) -> tuple[FloatArray, FloatArray]:
        """Time advance [s] of each satellite's signal at each terminal, and relative carrier offset, both (S,K).

        Both are the error of the satellite's clock minus the error of the terminal's clock.
        """
        at_ns = np.array([instant]).astype("datetime64[ns]").astype(np.int64)
        start_ns = int(self.start.astype("datetime64[ns]").astype(np.int64))
        number = int(update_numbers(self.error, at_ns)[0])
        since_s = float(since_update_s(self.error, at_ns, start_ns)[0])
        units = [self._unit_errors("belief clock", (2,), (satellite, number)) for satellite in norad_id.tolist()]
        satellite = np.array(units).reshape(len(norad_id), 2)
        satellite = satellite * (1e-9 * np.array([self.error.satellite_ns, self.error.satellite_ppb]))
        terminal = self._unit_errors("belief terminal clock", (terminals, 2), (number,))
        terminal = terminal * (1e-9 * np.array([self.error.terminal_ns, self.error.terminal_ppb]))
        advance_s = satellite[:, None, 0] - terminal[None, :, 0]
        offset = satellite[:, None, 1] - terminal[None, :, 1]
        return np.asarray(advance_s + since_s * offset), np.asarray(offset)

    def _unit_errors(self, purpose: str, shape: tuple[int, ...], keys: tuple[int, ...]) -> FloatArray:
        return unit_errors(self.error.law, shape, seed=self.seed, purpose=purpose, keys=keys)
