"""The summary of a trace, computed in one pass over its tables with constant memory."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from twin.arrays import FloatArray, IntArray
from twin.errors import InputError
from twin.records import documented
from twin.results.parts import parts_of
from twin.results.provenance import read_run
from twin.units import Duration
from twin.vocabulary import EventKind

_ROWS_AT_ONCE: Final = 65_536


@documented
@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Summary:
    """The figures of a run over all terminals while they are present; without service a rate counts as 0."""

    status: str
    """running, complete or interrupted."""
    epochs: int
    """Durable epochs, over which all figures are computed."""
    planned_epochs: int
    """Epochs of the whole run."""
    epoch_s: float
    """Length of an epoch."""
    terminals: tuple[str, ...]
    """(K,) names, in the order of the trace."""
    present: FloatArray
    """(K,) fraction of the time in which each terminal is present."""
    rate_bps: FloatArray
    """(K,) mean rate of each terminal while it is present; 0 if it never is."""
    spectral_efficiency_bps_hz: FloatArray
    """(K,) mean spectral efficiency while present; 0 if it never is."""
    in_service: float
    """Fraction in service of all pairs of an epoch and a terminal that is present at its end."""
    interrupted: float
    """Fraction of the presence time of all terminals that was lost to handover execution."""
    handovers: Mapping[str, int]
    """Number of events of each kind."""
    masked: tuple[Mapping[str, Any], ...] = field(repr=False)
    """Satellites that were masked as unusable."""
    stage_s: Mapping[str, float]
    """Mean wall-clock time of each stage per epoch."""

    @property
    def simulated_s(self) -> float:
        """Simulated time."""
        return self.epochs * self.epoch_s

    @property
    def mean_rate_bps(self) -> float:
        """Mean of the mean rates of all terminals that are ever present."""
        return float(self._terminal_rates_bps.mean())

    @property
    def low_rate_bps(self) -> float:
        """5th percentile of these mean rates, linearly interpolated."""
        return float(np.percentile(self._terminal_rates_bps, 5.0))

    @property
    def _terminal_rates_bps(self) -> FloatArray:
        """Mean rates of the terminals that are ever present; a single zero if there is none."""
        found = self.rate_bps[self.present > 0.0]
        return found if len(found) else np.zeros(1)

    @property
    def sum_spectral_efficiency_bps_hz(self) -> float:
        """Spectral efficiency summed over all terminals, mean over all epochs."""
        return float((self.spectral_efficiency_bps_hz * self.present).sum())

    @property
    def epoch_wall_s(self) -> float:
        """Mean wall-clock time of an epoch, summed over its stages."""
        return sum(self.stage_s.values())

    def handover_rate(self, kind: str) -> float:
        """Events of a kind per terminal and hour of its presence in simulated time."""
        hours = float(self.present.sum()) * self.simulated_s / 3600.0
        return self.handovers[kind] / hours if hours > 0.0 else 0.0


def summarise(directory: Path | str) -> Summary:
    """Summarise a trace up to its last durable epoch; no table is held in memory.

    Raises
    ------
    InputError
        If there is no trace, no epoch in it yet, or a table is damaged.
    """
    directory = Path(directory)
    run = read_run(directory)
    last = int(run["last_durable_epoch"])
    if last < 0:
        raise InputError(f"{directory}: no epoch is complete yet; there is nothing to summarise")
    epochs = last + 1
    sums = _TerminalSums()
    for batch in _batches(directory, "terminals", _TerminalSums.COLUMNS, last):
        sums.add(batch)
    totals = np.array(list(sums.totals.values())).reshape(-1, 3) / epochs
    present = totals[:, 2]
    means = np.divide(totals[:, :2], present[:, None], out=np.zeros((len(totals), 2)), where=present[:, None] > 0.0)
    for array in (totals, means):
        array.flags.writeable = False
    stages = _totals(directory, "timings", "stage", "wall_s", last)
    return Summary(
        status=str(run["status"]),
        epochs=epochs,
        planned_epochs=int(run.get("epochs") or epochs),
        epoch_s=_epoch_s(directory, run),
        terminals=tuple(sums.totals),
        present=present,
        rate_bps=means[:, 0],
        spectral_efficiency_bps_hz=means[:, 1],
        in_service=sums.in_service / max(sums.present, 1),
        interrupted=sums.interrupted / max(float(present.sum()) * epochs, 1.0),
        handovers={kind.value: 0 for kind in EventKind} | _counts(directory, "handovers", "kind", last),
        masked=tuple(run["notes"].get("masked", ())),
        stage_s={stage: total / epochs for stage, total in stages.items()},
    )


class _TerminalSums:
    """Sums over the rows of the table terminals."""

    COLUMNS: Final = (
        *("terminal", "rate_bps", "se_bps_hz", "in_service", "interrupted_fraction"),
        *("present", "present_fraction"),
    )

    def __init__(self) -> None:
        self.totals: dict[str, FloatArray] = {}
        """(3,) sums of rate, spectral efficiency and present fraction over the epochs, by terminal."""
        self.present = 0
        self.in_service = 0
        self.interrupted = 0.0

    def add(self, batch: Any) -> None:
        names, which = _encoded(batch["terminal"])
        always_present = "present" not in batch.schema.names
        fraction = np.ones(len(which)) if always_present else batch["present_fraction"].to_numpy()
        for column, values in enumerate((batch["rate_bps"].to_numpy(), batch["se_bps_hz"].to_numpy(), fraction)):
            sums = np.bincount(which, weights=values, minlength=len(names))
            for name, total in zip(names, sums, strict=True):
                self.totals.setdefault(name, np.zeros(3))[column] += total
        self.present += len(which) if always_present else batch["present"].true_count
        self.in_service += batch["in_service"].true_count
        self.interrupted += float(batch["interrupted_fraction"].to_numpy().sum())


def _counts(directory: Path, table: str, label: str, last: int) -> dict[str, int]:
    """Number of rows of each label in a table."""
    found: dict[str, int] = {}
    for batch in _batches(directory, table, (label,), last):
        names, which = _encoded(batch[label])
        for name, count in zip(names, np.bincount(which, minlength=len(names)), strict=True):
            found[name] = found.get(name, 0) + int(count)
    return found


def _totals(directory: Path, table: str, label: str, value: str, last: int) -> dict[str, float]:
    """Sum of a column by label."""
    found: dict[str, float] = {}
    for batch in _batches(directory, table, (label, value), last):
        names, which = _encoded(batch[label])
        sums = np.bincount(which, weights=batch[value].to_numpy(), minlength=len(names))
        for name, total in zip(names, sums, strict=True):
            found[name] = found.get(name, 0.0) + float(total)
    return found


def _encoded(labels: Any) -> tuple[list[str], IntArray]:
    encoded = labels.dictionary_encode()
    return encoded.dictionary.to_pylist(), encoded.indices.to_numpy().astype(np.int64)


def _batches(directory: Path, table: str, columns: tuple[str, ...], last: int) -> Iterator[Any]:
    for part in parts_of(directory / table):
        if part.first > last:
            return
        try:
            with pq.ParquetFile(part.path) as file:
                yield from file.iter_batches(batch_size=_ROWS_AT_ONCE, columns=list(columns))
        except (pa.ArrowException, OSError) as error:
            raise InputError(f"{part.path}: damaged ({error})") from None


def _epoch_s(directory: Path, run: Mapping[str, Any]) -> float:
    try:
        return Duration.parse(run["scenario"]["time"]["epoch"]).seconds
    except (KeyError, TypeError, ValueError):
        raise InputError(f"{directory}: run.json does not hold a valid time.epoch") from None
