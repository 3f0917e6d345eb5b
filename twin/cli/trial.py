"""A trial run of a few epochs, whose rows are discarded: it measures the time and the rows of an epoch."""

from __future__ import annotations

from dataclasses import dataclass
from time import perf_counter
from typing import TYPE_CHECKING, Final

from twin.records import documented

if TYPE_CHECKING:
    from twin.world.setup import Setup

EPOCHS: Final = 65
"""Maximum number of epochs of a trial run: one more than a block of visibility windows."""
WALL_S: Final = 2.0
"""A trial run ends with the epoch in which this wall-clock time is exceeded."""

BYTES_PER_ROW: Final = {
    "terminals": 32,
    "handovers": 16,
    "attempts": 24,
    "satellites": 19,
    "epochs": 20,
    "links": 48,
    "candidates": 24,
    "timings": 8,
}
"""Bytes per row on disk, rounded up from runs of five minutes to an hour."""


@documented
@dataclass(frozen=True, slots=True, kw_only=True)
class TrialRun:
    """Measurements over the first epochs of a run."""

    epochs: int
    """Number of these epochs."""
    wall_s: float
    """Total wall-clock time in s."""
    rows: dict[str, float]
    """Mean rows of each table per epoch, except handovers and attempts, for which the first epochs are not typical."""

    @property
    def epoch_s(self) -> float:
        """Mean wall-clock time of an epoch in s."""
        return self.wall_s / self.epochs


def trial_run(setup: Setup) -> TrialRun:
    """Run the first epochs for about two seconds, at least one epoch."""
    import threadpoolctl

    from twin.simulation.engine import Engine
    from twin.simulation.state import RunState

    counts = {"terminals": 0, "satellites": 0, "epochs": 0, "links": 0, "candidates": 0, "timings": 0}
    state = RunState.initial(setup.terminals.count, int(setup.scenario.precoding.csi_age))
    begun = perf_counter()
    with threadpoolctl.threadpool_limits(1):
        for record in Engine(setup, state).records():
            counts["terminals"] += setup.terminals.count
            counts["satellites"] += len(record.score.norad_id)
            counts["epochs"] += 1
            counts["links"] += record.visible_pairs
            counts["candidates"] += record.visible_pairs if record.candidates is not None else 0
            counts["timings"] += len(record.wall_s) + 1  # the stage of the trace itself
            if counts["epochs"] == EPOCHS or perf_counter() > begun + WALL_S:
                break
    wall_s, epochs = perf_counter() - begun, counts["epochs"]
    for table in ("links", "candidates"):
        if not getattr(setup.scenario.trace, table):
            del counts[table]
    return TrialRun(epochs=epochs, wall_s=wall_s, rows={table: count / epochs for table, count in counts.items()})
