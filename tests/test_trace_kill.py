"""A kill between any two file operations, and real ones, leave a trace that reads well and goes on."""

import json
import os
import signal
import subprocess
import sys
import textwrap
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from tests.helpers.made_up_trace import EPOCHS, SOME, append, arrow_rows, manifest, rows, state, whole_trace
from twin.errors import InputError
from twin.results import TraceWriter, read_trace
from twin.results.parts import parts_of

FLUSH_ROWS = 6
"""Two epochs of three rows."""


class Killed(BaseException):
    """What stands for the end of the process."""


class Fuse:
    """Counts file operations, and raises before the one it is set to, and syncs nothing, for speed."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.count, self.limit = 0, -1
        for name in ("fsync", "replace", "unlink", "mkdir"):
            real = getattr(os, name) if name != "fsync" else lambda descriptor: None
            monkeypatch.setattr(os, name, self._counted(real))

    def _counted(self, real: Callable[..., Any]) -> Callable[..., Any]:
        def operation(*arguments: Any, **options: Any) -> Any:
            if self.count == self.limit:
                raise Killed
            self.count += 1
            return real(*arguments, **options)

        return operation

    def set(self, limit: int) -> None:
        self.count, self.limit = 0, limit


@pytest.fixture
def fuse(monkeypatch: pytest.MonkeyPatch) -> Fuse:
    return Fuse(monkeypatch)


def run(directory: Path) -> None:
    """Begin a run or go on with one, to the end; a kill lets go of the lock, as the end of a process does."""
    if (directory / "run.json").exists():
        writer, last, found = TraceWriter.resume(directory, manifest=manifest(), flush_rows=FLUSH_ROWS)
        assert {name: array.tolist() for name, array in found.items()} == (
            {name: array.tolist() for name, array in state(last)().items()} if last >= 0 else {}
        )
        first = last + 1
    else:
        writer = TraceWriter.create(directory, manifest=manifest(), tables=SOME, flush_rows=FLUSH_ROWS)
        first = 0
    with writer:
        append(writer, first)
        writer.finish("complete")


def check_readable(directory: Path, undisturbed: Path) -> None:
    """Tables hold the first rows of the undisturbed ones; those of `read_trace` all end at one epoch."""
    if not (directory / "run.json").exists():
        return
    last = read_trace(directory).last_epoch
    for table in SOME:
        found, whole = arrow_rows(directory, table), arrow_rows(undisturbed, table)
        assert found.equals(whole.slice(0, found.num_rows))
        assert read_trace(directory).table(table)["epoch"].tolist() == whole["epoch"].to_pylist()[: 3 * (last + 1)]


def check_equal(directory: Path, undisturbed: Path) -> None:
    for table in SOME:
        assert arrow_rows(directory, table).equals(arrow_rows(undisturbed, table))
    hidden = [path for path in directory.rglob(".*") if path.is_file()]
    states = [path.name for path in (directory / "_state").iterdir()]
    assert (hidden, states) == ([], [f"epoch-{EPOCHS - 1}.npz"])
    record = json.loads((directory / "run.json").read_text())
    assert (record["status"], record["last_durable_epoch"]) == ("complete", EPOCHS - 1)


@pytest.fixture
def undisturbed(tmp_path: Path) -> Path:
    return whole_trace(tmp_path / "undisturbed", flush_rows=FLUSH_ROWS)


def test_a_kill_before_any_file_operation(fuse: Fuse, tmp_path: Path, undisturbed: Path) -> None:
    fuse.set(-1)
    run(tmp_path / "counted")
    operations = fuse.count
    assert operations > 50  # three flushes of three parts, a state and run.json: three operations each
    for limit in range(operations):
        directory = tmp_path / f"killed-{limit}"
        fuse.set(limit)
        with pytest.raises(Killed):
            run(directory)
        fuse.set(-1)
        check_readable(directory, undisturbed)
        run(directory)
        check_equal(directory, undisturbed)


def test_a_second_kill_before_any_operation_of_the_resumed_run(fuse: Fuse, tmp_path: Path, undisturbed: Path) -> None:
    """The first kill leaves all that can be left: parts of every table and a state, all not durable."""

    def killed_once(directory: Path) -> None:
        with TraceWriter.create(directory, manifest=manifest(), tables=SOME, flush_rows=FLUSH_ROWS) as writer:
            append(writer, 0, 2)
            fuse.set(4 * 3 + 1)  # three parts and a state are in place, run.json is synced but not renamed
            with pytest.raises(Killed):
                append(writer, 3, 3)
        assert {path.name for path in (directory / "_state").iterdir()} == {"epoch-1.npz", "epoch-3.npz"}
        assert (directory / ".run.json.tmp").exists()
        assert [part.last for part in parts_of(directory / "epochs")] == [1, 3]

    fuse.set(-1)
    killed_once(tmp_path / "counted")
    fuse.set(-1)
    run(tmp_path / "counted")
    operations = fuse.count
    assert operations > 40  # the clearing up, two flushes and the end
    for limit in range(operations):
        directory = tmp_path / f"killed-{limit}"
        fuse.set(-1)
        killed_once(directory)
        fuse.set(limit)
        with pytest.raises(Killed):
            run(directory)
        fuse.set(-1)
        check_readable(directory, undisturbed)
        run(directory)
        check_equal(directory, undisturbed)


def test_an_interrupted_flush_is_made_good_by_the_same_writer(fuse: Fuse, tmp_path: Path, undisturbed: Path) -> None:
    fuse.set(-1)
    with TraceWriter.create(tmp_path / "counted", manifest=manifest(), tables=SOME) as writer:
        append(writer, 0, 3)
        before = fuse.count
        writer.flush()
        operations = fuse.count - before
    for limit in range(operations):
        directory = tmp_path / f"interrupted-{limit}"
        fuse.set(-1)
        with TraceWriter.create(directory, manifest=manifest(), tables=SOME) as writer:
            append(writer, 0, 3)
            fuse.set(limit)
            with pytest.raises(Killed):
                writer.flush()
            fuse.set(-1)
            if limit % 2:
                append(writer, 4, 4)
            writer.finish("interrupted")
        assert read_trace(directory).run["status"] == "interrupted"
        assert read_trace(directory).last_epoch == 3 + limit % 2
        check_readable(directory, undisturbed)
        run(directory)
        check_equal(directory, undisturbed)


def test_a_kill_after_an_interrupt_takes_back_nothing_that_was_durable(
    fuse: Fuse, tmp_path: Path, undisturbed: Path
) -> None:
    def interrupted(directory: Path) -> TraceWriter:
        """A writer whose flush ended right after it had renamed run.json."""
        writer = TraceWriter.create(directory, manifest=manifest(), tables=SOME)
        append(writer, 0, 3)
        fuse.set(4 * 3 + 2)
        with pytest.raises(Killed):
            writer.flush()
        fuse.set(-1)
        assert (writer.last_durable_epoch, read_trace(directory).last_epoch) == (-1, 3)
        append(writer, 4, 4)
        return writer

    fuse.set(-1)
    with interrupted(tmp_path / "counted") as writer:
        writer.finish("interrupted")
    for limit in range(fuse.count):
        directory = tmp_path / f"killed-{limit}"
        fuse.set(-1)
        with interrupted(directory) as writer:
            fuse.set(limit)
            with pytest.raises(Killed):
                writer.finish("interrupted")
        fuse.set(-1)
        assert read_trace(directory).last_epoch in (3, 4)
        check_readable(directory, undisturbed)
        run(directory)
        check_equal(directory, undisturbed)


def test_rows_of_an_unfinished_epoch_are_neither_written_nor_lost(tmp_path: Path, undisturbed: Path) -> None:
    directory = tmp_path / "run"
    with TraceWriter.create(directory, manifest=manifest(), tables=SOME) as writer:
        for table in SOME:  # a window of epochs comes before its first mark
            for epoch in range(4):
                writer.add(table, rows(table, epoch))
        writer.mark(1, state(1))
        writer.flush()
        check_readable(directory, undisturbed)
        assert read_trace(directory).last_epoch == 1
        writer.mark(2, state(2))
        writer.finish("interrupted")
    assert arrow_rows(directory, "terminals").num_rows == 9
    run(directory)
    check_equal(directory, undisturbed)


def test_one_call_may_span_a_mark(tmp_path: Path) -> None:
    with TraceWriter.create(tmp_path / "run", manifest=manifest(), tables=["timings"]) as writer:
        writer.add("timings", {"epoch": [0, 0, 1, 2], "stage": ["a", "b", "a", "a"], "wall_s": [0.0, 1.0, 2.0, 3.0]})
        writer.mark(0, state(0))
        writer.flush()
        writer.mark(1, state(1))
        writer.flush()
        writer.mark(2, state(2))
        writer.flush()
    parts = parts_of(tmp_path / "run" / "timings")
    assert [pd.read_parquet(part.path)["wall_s"].tolist() for part in parts] == [[0.0, 1.0], [2.0], [3.0]]


ENDLESS = textwrap.dedent(
    """
    import sys
    from pathlib import Path
    from tests.helpers.made_up_trace import SOME, append, manifest
    from twin.results import TraceWriter
    directory = Path(sys.argv[1])
    tables, of = SOME, manifest(epochs=None)
    if (directory / "run.json").exists():
        writer, last, _ = TraceWriter.resume(directory, manifest=of, flush_rows=30)
    else:
        writer, last = TraceWriter.create(directory, manifest=of, tables=tables, flush_rows=30), -1
    print("writing", flush=True)
    while True:
        last += 1
        append(writer, last, last)
    """
)


def test_real_kills_at_random_instants(tmp_path: Path) -> None:
    directory, draw, lasts = tmp_path / "run", np.random.default_rng(5), [-1]
    for _ in range(4):
        with subprocess.Popen(
            [sys.executable, "-c", ENDLESS, str(directory)],
            stdout=subprocess.PIPE,
            cwd=Path(__file__).parents[1],
        ) as process:
            assert process.stdout is not None
            assert process.stdout.readline() == b"writing\n"
            time.sleep(draw.uniform(0.1, 0.6))
            process.send_signal(signal.SIGKILL)
        trace = read_trace(directory)
        lasts.append(trace.last_epoch)
        for table in SOME:
            seen = pd.read_parquet(directory / table)["epoch"].to_numpy()
            assert np.array_equal(seen, np.repeat(np.arange(len(seen) // 3), 3))
            assert len(trace.table(table)) == 3 * (trace.last_epoch + 1) <= len(seen)
    assert lasts == sorted(set(lasts)), "every session got further"
    writer, last, found = TraceWriter.resume(directory, manifest=manifest(epochs=None))
    with writer:
        assert found["master"][0] == last == lasts[-1]
        append(writer, last + 1, last + 5)
        writer.finish("complete")
    with TraceWriter.create(tmp_path / "at once", manifest=manifest(epochs=None), tables=SOME) as writer:
        append(writer, 0, last + 5)
        writer.finish("complete")
    for table in SOME:
        assert arrow_rows(directory, table).equals(arrow_rows(tmp_path / "at once", table))


def test_a_second_writer_is_kept_out(tmp_path: Path) -> None:
    directory = tmp_path / "run"
    message = f"{directory}: another run is writing here; wait for it to end, or choose another directory"
    with TraceWriter.create(directory, manifest=manifest(), tables=SOME):
        with pytest.raises(InputError) as refused:
            TraceWriter.resume(directory, manifest=manifest())
        assert str(refused.value) == message
    TraceWriter.resume(directory, manifest=manifest())[0].close()


FORKED = textwrap.dedent(
    """
    import os, sys, time
    from pathlib import Path
    from twin.results.durable import DirectoryLock
    lock = DirectoryLock(Path(sys.argv[1]))
    child = os.fork()
    if child == 0:
        print(os.getpid(), flush=True)  # from the child: what it does when it is born is done
    time.sleep(60)
    """
)


def test_workers_that_outlive_a_killed_run_do_not_keep_its_lock(tmp_path: Path) -> None:
    directory = whole_trace(tmp_path / "run")
    with subprocess.Popen(
        [sys.executable, "-c", FORKED, str(directory)], stdout=subprocess.PIPE, cwd=Path(__file__).parents[1]
    ) as process:
        assert process.stdout is not None
        child = int(process.stdout.readline())
        try:
            with pytest.raises(InputError, match="another run is writing here"):
                TraceWriter.resume(directory, manifest=manifest())
            process.kill()
            process.wait()
            os.kill(child, 0)  # the worker is still there
            TraceWriter.resume(directory, manifest=manifest())[0].close()
        finally:
            os.kill(child, signal.SIGKILL)
