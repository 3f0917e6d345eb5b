"""What a report shows of a run, read from its trace."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Self

import numpy as np

from twin.arrays import FloatArray, IntArray, TimeArray
from twin.metrics import Metrics, Run, evaluate
from twin.metrics.rates import rate_while_present
from twin.results import Trace

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Findings:
    """One run: K terminals, E epochs."""

    header: Mapping[str, Any]
    """What ``run.json`` holds."""
    run: Run
    metrics: Metrics
    begin: np.datetime64
    """Start of the first epoch."""
    places: pd.DataFrame
    """``latitude_deg`` and ``longitude_deg`` of each terminal at the first epoch."""
    epochs: pd.DataFrame
    """``visible_satellites`` and ``active_satellites`` of each epoch."""
    reasons: pd.DataFrame
    """How often each ``kind`` of event had each ``reason``: ``count``."""
    outcomes: pd.DataFrame
    """How many attempts had each ``outcome``: ``count``."""
    stage_ms: pd.Series[float]
    """Wall-clock time of each stage, mean over the epochs."""

    @classmethod
    def of(cls, trace: Trace) -> Self:
        """Read what is durable of a trace.

        Raises
        ------
        InputError
            If no epoch is durable yet, or a table is missing or damaged.
        """
        run = Run.of(trace)
        first = trace.table("terminals", columns=["time", "terminal", "latitude_deg", "longitude_deg"], stop=1)
        events = trace.table("handovers", columns=["kind", "reason"])
        attempts = trace.table("attempts", columns=["outcome"])
        timings = trace.table("timings", columns=["stage", "wall_s"])
        return cls(
            header=trace.run,
            run=run,
            metrics=evaluate(run),
            begin=np.datetime64(first["time"].min().tz_localize(None), "ns"),
            places=first.set_index("terminal")[["latitude_deg", "longitude_deg"]].reindex(list(run.names)),
            epochs=trace.table("epochs", columns=["visible_satellites", "active_satellites"]),
            reasons=events.value_counts(["kind", "reason"]).rename("count").reset_index(),
            outcomes=attempts.value_counts(["outcome"]).rename("count").reset_index(),
            stage_ms=timings.groupby("stage")["wall_s"].sum().sort_values(ascending=False) / run.epochs * 1e3,
        )

    def times(self, begins: IntArray) -> TimeArray:
        """Instants at which epochs begin."""
        return np.asarray(self.begin + begins * np.timedelta64(self.run.epoch_ns, "ns"))

    def binned_mbps(self, most: int) -> tuple[IntArray, FloatArray]:
        """First epochs (T,) of at most so many equal bins, and each terminal's mean rate (K,T) in them.

        Bins in which a terminal is not there are missing (NaN); the last one may be shorter.
        """
        run = self.run
        begins = np.arange(0, run.epochs, -(-run.epochs // most))
        rate = np.add.reduceat(run.rate_bps, begins, axis=1) / 1e6
        there = np.add.reduceat(run.present_fraction, begins, axis=1)
        return begins, np.divide(rate, there, out=np.full(rate.shape, np.nan), where=there > 0.0)

    def epoch_mbps(self) -> FloatArray:
        """Rates of all terminals and epochs in which they are there, rising."""
        return np.sort(rate_while_present(self.run)[self.run.present_ns > 0]) / 1e6
