"""The data of a report, read from a trace."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Self

import numpy as np

from twin.arrays import FloatArray, IntArray, TimeArray
from twin.metrics import Metrics, Run, evaluate
from twin.metrics.rates import rate_while_present
from twin.records import documented
from twin.results import Trace

if TYPE_CHECKING:
    import pandas as pd


@documented
@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Findings:
    """One run: K terminals, E epochs."""

    header: Mapping[str, Any]
    """Content of ``run.json``."""
    run: Run
    """Run that the page shows."""
    metrics: Metrics
    """Metrics of the run."""
    begin: np.datetime64
    """Start of the first epoch."""
    locations: pd.DataFrame
    """``latitude_deg`` and ``longitude_deg`` of each terminal in the first epoch."""
    epochs: pd.DataFrame
    """``visible_satellites`` and ``active_satellites`` of each epoch."""
    reasons: pd.DataFrame
    """``count`` of events by ``kind`` and ``reason``."""
    outcomes: pd.DataFrame
    """``count`` of attempts by ``outcome``."""
    stage_ms: pd.Series[float]
    """Mean wall-clock time of each stage per epoch, in ms."""

    @classmethod
    def of(cls, trace: Trace) -> Self:
        """Read the durable epochs of a trace.

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
            locations=first.set_index("terminal")[["latitude_deg", "longitude_deg"]].reindex(list(run.names)),
            epochs=trace.table("epochs", columns=["visible_satellites", "active_satellites"]),
            reasons=events.value_counts(["kind", "reason"]).rename("count").reset_index(),
            outcomes=attempts.value_counts(["outcome"]).rename("count").reset_index(),
            stage_ms=timings.groupby("stage")["wall_s"].sum().sort_values(ascending=False) / run.epochs * 1e3,
        )

    def times(self, begins: IntArray) -> TimeArray:
        """UTC instants at which the given epochs begin."""
        return np.asarray(self.begin + begins * np.timedelta64(self.run.epoch_ns, "ns"))

    def binned_mbps(self, max_bins: int) -> tuple[IntArray, FloatArray]:
        """First epochs (T,) of at most ``max_bins`` equal bins, and the mean rate (K,T) of each terminal in each bin.

        The rate is NaN in bins in which a terminal is absent; the last bin may be shorter.
        """
        run = self.run
        begins = np.arange(0, run.epochs, -(-run.epochs // max_bins))
        rate = np.add.reduceat(run.rate_bps, begins, axis=1) / 1e6
        present = np.add.reduceat(run.present_fraction, begins, axis=1)
        return begins, np.divide(rate, present, out=np.full(rate.shape, np.nan), where=present > 0.0)

    def epoch_mbps(self) -> FloatArray:
        """Rates of all pairs of a terminal and an epoch in which it is present, ascending."""
        return np.sort(rate_while_present(self.run)[self.run.present_ns > 0]) / 1e6
