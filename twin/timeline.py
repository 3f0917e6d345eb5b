"""The time axis of a run: nanoseconds since its start, divided into epochs."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from twin.arrays import TimeArray
from twin.records import documented


@documented
@dataclass(frozen=True, slots=True, kw_only=True)
class Timeline:
    """Epochs of equal length that begin at a UTC instant; no leap second is inserted.

    >>> line = Timeline(start=np.datetime64("2026-01-01T00:00:00", "ns"), epoch_ns=100_000_000, epochs=1000)
    >>> line.instant(line.begin_ns(10))
    np.datetime64('2026-01-01T00:00:01.000000000')
    """

    start: np.datetime64
    """UTC instant at which epoch 0 begins, to the nanosecond."""
    epoch_ns: int
    """Length of an epoch in ns."""
    epochs: int
    """Number of epochs."""

    def begin_ns(self, epoch: int) -> int:
        """Time in ns from the start of the run to the beginning of an epoch."""
        return epoch * self.epoch_ns

    def instant(self, time_ns: int) -> np.datetime64:
        """UTC instant of a time since the start of the run."""
        return self.start + np.timedelta64(time_ns, "ns")

    def instants(self, first: int, stop: int) -> TimeArray:
        """(T,) UTC instants at which the epochs from ``first`` to ``stop`` (excluded) begin."""
        return self.start + np.arange(first, stop) * np.timedelta64(self.epoch_ns, "ns")
