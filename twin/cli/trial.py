"""A few epochs of a run that nobody keeps: what an epoch costs, and what it writes."""

from __future__ import annotations

from dataclasses import dataclass
from time import perf_counter
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from twin.simulation.loop import EpochReport
    from twin.world.network import Network

EPOCHS: Final = 65
"""Most epochs of a trial: one more than the sky is followed for at a time."""
WALL_S: Final = 2.0
"""A trial ends with the epoch in which this is over."""

BYTES_A_ROW: Final = {
    "terminals": 32,
    "handovers": 16,
    "attempts": 24,
    "satellites": 19,
    "epochs": 20,
    "links": 48,
    "candidates": 24,
    "timings": 8,
}
"""On disk, rounded up from runs of five minutes to an hour."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TrialRun:
    """What the first epochs of a run came to."""

    epochs: int
    """How many were run."""
    wall_s: float
    """Wall-clock time of all of them."""
    rows: dict[str, float]
    """Rows of each table in an epoch, mean; handovers and attempts excepted: the first epochs say nothing of them."""

    @property
    def epoch_s(self) -> float:
        """Wall-clock time of an epoch."""
        return self.wall_s / self.epochs


class _EnoughError(Exception):
    """Ends a trial."""


def trial_run(network: Network) -> TrialRun:
    """Run the first epochs, at most two seconds of them, and one in any case."""
    import threadpoolctl

    from twin.simulation.loop import Loop
    from twin.simulation.state import LoopState

    counts = {"terminals": 0, "satellites": 0, "epochs": 0, "links": 0, "candidates": 0, "timings": 0}
    age_ns = int(network.scenario.precoding.csi_age)
    loop = Loop(network, LoopState.fresh(network.terminals.count, age_ns))
    begun = perf_counter()

    def closed(report: EpochReport) -> None:
        counts["terminals"] += network.terminals.count
        counts["satellites"] += len(report.outcome.norad_id)
        counts["epochs"] += 1
        counts["links"] += int(report.snapshot.visible.sum())
        counts["candidates"] += int(report.snapshot.visible.sum()) if report.decision is not None else 0
        counts["timings"] += len(report.wall_s) + 1  # that of the trace itself
        if counts["epochs"] == EPOCHS or perf_counter() > begun + WALL_S:
            raise _EnoughError

    try:
        with threadpoolctl.threadpool_limits(1):
            loop.run(closed)
    except _EnoughError:
        pass
    wall_s, epochs = perf_counter() - begun, counts["epochs"]
    for table in ("links", "candidates"):
        if not getattr(network.scenario.trace, table):
            del counts[table]
    return TrialRun(epochs=epochs, wall_s=wall_s, rows={table: count / epochs for table, count in counts.items()})
