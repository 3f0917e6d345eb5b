"""Writes a trace so that a kill at any instant leaves it readable and ready to go on."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Collection, Mapping
from pathlib import Path
from typing import Any, Final, Literal, Self

from numpy.typing import NDArray

from twin.errors import InputError
from twin.results import provenance
from twin.results.buffer import TableBuffer, Values
from twin.results.durable import DirectoryLock, remove
from twin.results.parts import EMPTY, leftovers, parts_of, write_empty, write_part
from twin.results.provenance import RUN_FILE, Manifest
from twin.results.state_file import STATES, read_state, states_but, write_state
from twin.results.tables import TABLES

State = Callable[[], Mapping[str, NDArray[Any]]]
"""Makes the plain arrays from which a run goes on after the epoch it was given with."""

FLUSH_INTERVAL_S: Final = 10.0
FLUSH_ROWS: Final = 100_000
_LONGEST_INTERVAL_S: Final = 600.0
_SHARE_AT_RISK: Final = 0.02

logger = logging.getLogger(__name__)


class TraceWriter:
    """The one writer of a trace.

    Rows come with `add`; `mark` says that an epoch is complete. Complete epochs become durable together with
    the state from which the run goes on: first the parts of all tables, then the state, then ``run.json``,
    which alone says how far the trace counts. What lies beyond it after a kill is deleted by `resume`.

    Epochs become durable whenever ``flush_rows`` rows wait in any table, or after ``flush_interval_s`` of
    wall time. So that a long run does not leave thousands of small files, the interval grows with the time
    since the writer was opened: to 2 % of it, and no further than ten minutes (about 350 parts a table
    for the first day). A kill costs at most that much work.

    >>> from tempfile import TemporaryDirectory
    >>> manifest = Manifest(name="demo", scenario={}, scenario_sha256="0", inputs={}, seed=1)
    >>> with TemporaryDirectory() as folder:
    ...     with TraceWriter.create(Path(folder), manifest=manifest, tables=["timings"]) as writer:
    ...         writer.add("timings", {"epoch": [0], "stage": ["rates"], "wall_s": [0.25]})
    ...         writer.mark(0, dict)
    ...         writer.finish("complete")
    ...     len(parts_of(Path(folder) / "timings"))
    1
    """

    def __init__(
        self,
        directory: Path,
        lock: DirectoryLock,
        run: dict[str, Any],
        *,
        flush_interval_s: float,
        flush_rows: int,
    ) -> None:
        self.directory = directory
        self._lock = lock
        self._run = run
        self._buffers = {name: TableBuffer(TABLES[name]) for name in run["tables"]}
        self._interval_s, self._rows = flush_interval_s, flush_rows
        self._opened = self._flushed = time.monotonic()
        self._mark: tuple[int, State] = run["last_durable_epoch"], dict
        self._flush_failed = False
        self._finished = False

    @property
    def tables(self) -> Collection[str]:
        """Names of the tables that the trace holds."""
        return self._buffers.keys()

    @classmethod
    def create(
        cls,
        directory: Path,
        *,
        manifest: Manifest,
        tables: Collection[str],
        flush_interval_s: float = FLUSH_INTERVAL_S,
        flush_rows: int = FLUSH_ROWS,
    ) -> Self:
        """Begin a trace in a directory that is absent or empty.

        Raises
        ------
        InputError
            If the directory holds anything, cannot be written to, or is being written to.
        """
        names = [name for name in TABLES if name in tables]
        if len(names) != len(set(tables)):
            raise ValueError(f"unknown tables {sorted(set(tables) - set(TABLES))}")
        lock = _prepared(directory)
        try:
            for name in names:
                (directory / name).mkdir(exist_ok=True)
                write_empty(directory / name, TABLES[name])
            (directory / STATES).mkdir(exist_ok=True)
            run = provenance.begun(manifest, names)
            provenance.write_run(directory, run)
        except BaseException:
            lock.close()
            raise
        return cls(directory, lock, run, flush_interval_s=flush_interval_s, flush_rows=flush_rows)

    @classmethod
    def resume(
        cls,
        directory: Path,
        *,
        manifest: Manifest,
        flush_interval_s: float = FLUSH_INTERVAL_S,
        flush_rows: int = FLUSH_ROWS,
    ) -> tuple[Self, int, dict[str, NDArray[Any]]]:
        """Go on with a trace.

        Returns
        -------
        The writer, the last durable epoch (-1: none) and its state (empty: none).

        Raises
        ------
        InputError
            If there is no trace, another run began it, it is damaged, or it is being written to.
        """
        provenance.read_run(directory)
        lock = DirectoryLock(directory)
        try:
            run = provenance.read_run(directory)
            provenance.check_same(directory, run, manifest)
            epoch: int = run["last_durable_epoch"]
            state = read_state(directory, epoch)
            writer = cls(directory, lock, run, flush_interval_s=flush_interval_s, flush_rows=flush_rows)
            writer._restore()
            if run["status"] != "complete":
                again = {"after_epoch": epoch, "versions": dict(manifest.versions)}
                run["resumed"] = [*run.get("resumed", []), again]
                run["status"] = "running"
                provenance.write_run(directory, run)
        except BaseException:
            lock.close()
            raise
        return writer, epoch, state

    @property
    def last_durable_epoch(self) -> int:
        """The last epoch that a kill cannot take back, -1 before the first."""
        return int(self._run["last_durable_epoch"])

    @property
    def status(self) -> str:
        """What ``run.json`` says: running, complete or interrupted."""
        return str(self._run["status"])

    @property
    def notes(self) -> Mapping[str, Any]:
        """What ``run.json`` notes beside the manifest."""
        return dict(self._run["notes"])

    def add(self, table: str, columns: Mapping[str, Values]) -> None:
        """Keep rows of one or several epochs, in epoch order, none of them marked yet.

        Raises
        ------
        ValueError
            If they do not fit the schema: a defect of the caller.
        """
        if self._finished:
            raise ValueError("the trace is finished")
        self._buffers[table].add(columns, after=self._mark[0])

    def mark(self, epoch: int, state: State) -> None:
        """Say that all rows up to and including an epoch have come.

        Parameters
        ----------
        epoch
            Later than the last one marked.
        state
            Called if this epoch becomes durable, now or in a later `flush` or `finish`: it must give the
            state after this very epoch even then.
        """
        if epoch <= self._mark[0] or self._finished:
            raise ValueError(f"epoch {epoch} is marked after epoch {self._mark[0]} or after the end")
        self._mark = epoch, state
        now = time.monotonic()
        grown_s = min(_SHARE_AT_RISK * (now - self._opened), _LONGEST_INTERVAL_S)
        enough_rows = any(buffer.rows >= self._rows for buffer in self._buffers.values())
        if enough_rows or now - self._flushed >= max(self._interval_s, grown_s):
            self.flush()

    def flush(self) -> None:
        """Make all marked epochs durable."""
        if self._flush_failed:
            self._recover()
        first, (last, state) = self.last_durable_epoch + 1, self._mark
        if last < first:
            return
        self._flush_failed = True
        for name, buffer in self._buffers.items():
            rows = buffer.through(last)
            if rows.num_rows:
                write_part(self.directory / name, TABLES[name], rows, first=first, last=last)
        write_state(self.directory, last, state())
        run = self._run | {"last_durable_epoch": last, "status": "running"}
        provenance.write_run(self.directory, run)
        self._run = run
        self._forget(last)
        self._flush_failed = False
        remove(states_but(self.directory, last))
        self._flushed = time.monotonic()
        logger.debug("%s: durable up to epoch %d", self.directory, last)

    def finish(self, status: Literal["complete", "interrupted"], *, notes: Mapping[str, Any] | None = None) -> None:
        """Make all marked epochs durable, say how the run ended, and let go of the directory.

        Rows of epochs that were not marked are dropped; a complete run has none.

        Parameters
        ----------
        notes
            Added to those of the manifest.
        """
        if self._finished:
            raise ValueError("the trace is finished")
        self.flush()
        last, epochs = self._mark[0], self._run.get("epochs")
        whole = epochs is None or last == epochs - 1
        if status == "complete" and (not whole or any(buffer.rows for buffer in self._buffers.values())):
            raise ValueError(f"epoch {last} is the last one marked of {epochs}; the run is not complete")
        self._run |= {"status": status, "notes": self._run["notes"] | provenance.plain(notes or {})}
        provenance.write_run(self.directory, self._run)
        self._finished = True
        self.close()

    def close(self) -> None:
        """Let go of the directory without a word on how the run ended; what is not durable is dropped."""
        self._finished = True
        self._lock.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _forget(self, epoch: int) -> None:
        for name, buffer in self._buffers.items():
            self._buffers[name] = buffer.after(epoch)

    def _recover(self) -> None:
        """Take up what an interrupted flush left: ``run.json`` says whether it counts."""
        self._run = provenance.read_run(self.directory)
        self._forget(self.last_durable_epoch)
        self._restore()
        self._flush_failed = False

    def _restore(self) -> None:
        """Bring the directory back to what ``run.json`` says."""
        durable = self.last_durable_epoch
        folders = [self.directory / name for name in self._buffers]
        beyond = [part.path for folder in folders for part in parts_of(folder) if part.last > durable]
        remove(beyond + leftovers([self.directory, self.directory / STATES, *folders]))
        for name, folder in zip(self._buffers, folders, strict=True):
            if not (folder / EMPTY).is_file():
                folder.mkdir(exist_ok=True)
                write_empty(folder, TABLES[name])
        (self.directory / STATES).mkdir(exist_ok=True)
        remove(states_but(self.directory, durable))


def _prepared(directory: Path) -> DirectoryLock:
    """Lock a directory that holds nothing, or nothing but what a killed `TraceWriter.create` left."""
    try:
        directory.mkdir(parents=True, exist_ok=True)
        _check_empty(directory)
    except OSError as error:
        raise InputError(f"{directory}: no trace can be written here ({error.strerror})") from None
    lock = DirectoryLock(directory)
    try:
        _check_empty(directory)
    except InputError:
        lock.close()
        raise
    return lock


def _check_empty(directory: Path) -> None:
    if (directory / RUN_FILE).exists():
        raise InputError(f"{directory}: holds a trace already; resume it, or choose another directory")
    begun = {"_lock", STATES, f".{RUN_FILE}.tmp"}
    for path in sorted(directory.iterdir()):
        only_begun = path.name in begun or (
            path.name in TABLES and path.is_dir() and {p.name for p in path.iterdir()} <= {EMPTY, f".{EMPTY}.tmp"}
        )
        if not only_begun:
            raise InputError(
                f'{directory}: holds "{path.name}" and no trace; choose a directory that is empty or absent'
            )
