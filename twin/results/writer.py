"""Writes a trace so that it stays readable and resumable after a kill at any time."""

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
from twin.results.state_file import STATES, other_states, read_state, write_state
from twin.results.tables import TABLES

State = Callable[[], Mapping[str, NDArray[Any]]]
"""Returns the plain arrays from which a run resumes after the epoch that it was marked with."""

FLUSH_INTERVAL_S: Final = 10.0
FLUSH_ROWS: Final = 100_000
_LONGEST_INTERVAL_S: Final = 600.0
_FRACTION_AT_RISK: Final = 0.02

logger = logging.getLogger(__name__)


class TraceWriter:
    """The only writer of a trace.

    `add` buffers rows, and `mark` declares an epoch complete. A flush makes complete epochs durable together with the
    state from which the run resumes: it writes the parts of all tables, then the state, then ``run.json``, which alone
    defines the last durable epoch. After a kill, `resume` deletes everything beyond that epoch.

    A flush happens when any table has ``flush_rows`` buffered rows, or after ``flush_interval_s`` of wall time. To
    avoid thousands of small files in a long run, the interval grows with the time since the writer was opened: to 2 %
    of that time, at most ten minutes (about 350 parts per table in the first day). A kill loses at most the work of
    one interval.

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
        """Begin a trace in a directory that does not exist or is empty.

        Raises
        ------
        InputError
            If the directory is not empty, is not writable, or has another writer.
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
            run = provenance.initial_record(manifest, names)
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
        """Resume a trace.

        Returns
        -------
        The writer, the last durable epoch (-1 before the first) and its state (empty before the first).

        Raises
        ------
        InputError
            If there is no trace, a different run or an earlier version of twin wrote it, it is damaged, or another
            writer holds it.
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
                resumption = {"after_epoch": epoch, "versions": dict(manifest.versions)}
                run["resumed"] = [*run.get("resumed", []), resumption]
                run["status"] = "running"
                provenance.write_run(directory, run)
        except BaseException:
            lock.close()
            raise
        return writer, epoch, state

    @property
    def last_durable_epoch(self) -> int:
        """The last epoch that is on disk and survives a kill; -1 before the first."""
        return int(self._run["last_durable_epoch"])

    @property
    def status(self) -> str:
        """The status in ``run.json``: running, complete or interrupted."""
        return str(self._run["status"])

    @property
    def notes(self) -> Mapping[str, Any]:
        """The notes in ``run.json``: those of the manifest and those added by `finish`."""
        return dict(self._run["notes"])

    def add(self, table: str, columns: Mapping[str, Values]) -> None:
        """Buffer rows of one or several epochs that are not marked yet, in epoch order.

        Raises
        ------
        ValueError
            If they do not match the schema, which is an error of the caller.
        """
        if self._finished:
            raise ValueError("the trace is finished")
        self._buffers[table].add(columns, after=self._mark[0])

    def mark(self, epoch: int, state: State) -> None:
        """Declare that all rows up to and including an epoch have been added.

        Parameters
        ----------
        epoch
            Later than the last marked epoch.
        state
            Called when this epoch becomes durable, now or in a later `flush` or `finish`; it must return the state
            after this epoch whenever it is called.
        """
        if epoch <= self._mark[0] or self._finished:
            raise ValueError(f"epoch {epoch} is marked after epoch {self._mark[0]} or after the end")
        self._mark = epoch, state
        now = time.monotonic()
        grown_s = min(_FRACTION_AT_RISK * (now - self._opened), _LONGEST_INTERVAL_S)
        full = any(buffer.rows >= self._rows for buffer in self._buffers.values())
        if full or now - self._flushed >= max(self._interval_s, grown_s):
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
        remove(other_states(self.directory, last))
        self._flushed = time.monotonic()
        logger.debug("%s: durable up to epoch %d", self.directory, last)

    def finish(self, status: Literal["complete", "interrupted"], *, notes: Mapping[str, Any] | None = None) -> None:
        """Make all marked epochs durable, record how the run ended, and release the directory.

        Rows of unmarked epochs are discarded; a complete run has none.

        Parameters
        ----------
        notes
            Added to the notes of the manifest.
        """
        if self._finished:
            raise ValueError("the trace is finished")
        self.flush()
        last, epochs = self._mark[0], self._run.get("epochs")
        all_epochs = epochs is None or last == epochs - 1
        if status == "complete" and (not all_epochs or any(buffer.rows for buffer in self._buffers.values())):
            raise ValueError(f"epoch {last} is the last one marked of {epochs}; the run is not complete")
        self._run |= {"status": status, "notes": self._run["notes"] | provenance.plain(notes or {})}
        provenance.write_run(self.directory, self._run)
        self._finished = True
        self.close()

    def close(self) -> None:
        """Release the directory without recording how the run ended; rows that are not durable are discarded."""
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
        """Recover from an interrupted flush: ``run.json`` tells whether it became durable."""
        self._run = provenance.read_run(self.directory)
        self._forget(self.last_durable_epoch)
        self._restore()
        self._flush_failed = False

    def _restore(self) -> None:
        """Restore the directory to the last durable epoch in ``run.json``."""
        durable = self.last_durable_epoch
        folders = [self.directory / name for name in self._buffers]
        beyond = [part.path for folder in folders for part in parts_of(folder) if part.last > durable]
        remove(beyond + leftovers([self.directory, self.directory / STATES, *folders]))
        for name, folder in zip(self._buffers, folders, strict=True):
            if not (folder / EMPTY).is_file():
                folder.mkdir(exist_ok=True)
                write_empty(folder, TABLES[name])
        (self.directory / STATES).mkdir(exist_ok=True)
        remove(other_states(self.directory, durable))


def _prepared(directory: Path) -> DirectoryLock:
    """Lock a directory that is empty or holds only the files of a killed `TraceWriter.create`."""
    try:
        directory.mkdir(parents=True, exist_ok=True)
        _check_empty(directory)
    except OSError as error:
        raise InputError(f"{directory}: a trace cannot be written here ({error.strerror})") from None
    lock = DirectoryLock(directory)
    try:
        _check_empty(directory)
    except InputError:
        lock.close()
        raise
    return lock


def _check_empty(directory: Path) -> None:
    if (directory / RUN_FILE).exists():
        raise InputError(f"{directory}: already holds a trace; resume it, or choose another directory")
    own = {"_lock", STATES, f".{RUN_FILE}.tmp"}
    for path in sorted(directory.iterdir()):
        left_behind = path.name in own or (
            path.name in TABLES and path.is_dir() and {p.name for p in path.iterdir()} <= {EMPTY, f".{EMPTY}.tmp"}
        )
        if not left_behind:
            raise InputError(f'{directory}: holds "{path.name}" but no trace; choose an empty or a new directory')
