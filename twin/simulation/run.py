"""The main job: a scenario in, a trace out."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from time import perf_counter
from typing import Any

import threadpoolctl

from twin.results import TABLES, Manifest, Trace, TraceWriter, file_sha256, read_trace
from twin.results.record import EpochRecord
from twin.scenario import Scenario, as_scenario
from twin.simulation.checkpoint import restored, saved
from twin.simulation.engine import Engine
from twin.simulation.state import RunState
from twin.world.setup import Setup

Progress = Callable[[int, int], None]
"""Called with the number of finished epochs and the number of all epochs."""


def run(
    scenario: Scenario | Mapping[str, Any] | str | Path,
    out: str | Path | None = None,
    *,
    overrides: Iterable[str] | Mapping[str, Any] = (),
    resume: bool = False,
    progress: Progress | None = None,
) -> Trace:
    """Run a scenario and write its trace.

    Parameters
    ----------
    scenario
        A scenario, the path of a scenario file, or a mapping of the same form.
    out
        Directory of the trace; by default the first free one of ``traces/NAME``, ``traces/NAME-2``, ...
    overrides
        Keys to change in a file or mapping, as ``{"time.duration": "1h"}`` or ``["time.duration=1h"]``.
    resume
        Resume the trace in ``out`` after its last durable epoch; its rows are those of an uninterrupted run.
    progress
        Called after each finished epoch.

    Raises
    ------
    InputError
        If an input is wrong, ``out`` holds something else, or there is nothing to resume.
    TypeError
        If overrides are given for a `Scenario`, which is checked and frozen.
    KeyboardInterrupt
        If the user interrupts; the finished epochs are durable then.
    """
    loaded = as_scenario(scenario, overrides)
    directory = free_directory(loaded.name) if out is None else Path(out)
    return run_setup(Setup.of(loaded), directory, resume=resume, progress=progress)


def run_setup(setup: Setup, directory: Path, *, resume: bool = False, progress: Progress | None = None) -> Trace:
    """Run a setup; see `run`."""
    flush_s = setup.scenario.trace.flush.seconds
    manifest = manifest_of(setup)
    age_ns = int(setup.scenario.precoding.csi_age)
    state = RunState.initial(setup.terminals.count, age_ns)
    if resume:
        writer, _, arrays = TraceWriter.resume(directory, manifest=manifest, flush_interval_s=flush_s)
        if writer.status == "complete":
            writer.close()
            return read_trace(directory)
        if arrays:
            state = restored(arrays, setup.channel.satellite_array)
    else:
        writer = TraceWriter.create(
            directory, manifest=manifest, tables=tables_of(setup.scenario), flush_interval_s=flush_s
        )
    with writer:
        _advance(setup, state, writer, progress)
    return read_trace(directory)


def manifest_of(setup: Setup) -> Manifest:
    """What a run is made from."""
    scenario, health = setup.scenario, setup.catalogue.health
    files = [("constellation", file.source, file.sha256) for file in health.files if scenario.constellation.source]
    files += [("belief", file.name, file_sha256(file)) for file in scenario.belief.source]
    files += [
        ("terminals", each.path.name, file_sha256(each.path)) for each in scenario.terminals if each.kind == "csv"
    ]
    return Manifest(
        name=scenario.name,
        scenario=scenario.resolved(),
        scenario_sha256=scenario.digest(),
        inputs=_named(files),
        seed=scenario.seed,
        epochs=setup.timeline.epochs,
        notes={"catalogue": health.summary(setup.timeline.start)},
    )


def _named(files: Sequence[tuple[str, str, str]]) -> dict[str, str]:
    """Hashes of files by name; files of equal names are distinguished by role and number."""
    names = [name for _, name, _ in files]
    return {
        name if names.count(name) == 1 else f"{role}: {name} ({names[:place].count(name) + 1})": sha256
        for place, (role, name, sha256) in enumerate(files)
    }


def free_directory(name: str) -> Path:
    """The first of ``traces/NAME``, ``traces/NAME-2``, ... that does not exist."""
    number = 1
    while (directory := Path("traces") / (name if number == 1 else f"{name}-{number}")).exists():
        number += 1
    return directory


def tables_of(scenario: Scenario) -> list[str]:
    """Names of the tables that the trace of a scenario holds."""
    return [name for name, table in TABLES.items() if table.key is None or getattr(scenario.trace, table.key)]


def _advance(setup: Setup, state: RunState, writer: TraceWriter, progress: Progress | None) -> None:
    """Run the epochs that are left and write them; an interruption keeps what is finished."""
    total = setup.timeline.epochs
    engine = Engine(setup, state)
    if progress is not None:
        progress(state.loop.next_epoch, total)
    try:
        with threadpoolctl.threadpool_limits(1):
            for record in engine.records():
                _write(writer, record, engine.state)
                if progress is not None:
                    progress(record.epoch + 1, total)
    except BaseException:
        writer.finish("interrupted", notes=_found(setup, writer))
        raise
    writer.finish("complete", notes=_found(setup, writer))


def _write(writer: TraceWriter, record: EpochRecord, state: RunState) -> None:
    """Add the rows of a finished epoch, and the state from which the run goes on after it."""
    begun = perf_counter()
    for name, table in TABLES.items():
        if name in writer.tables and name != "timings" and table.occurs(record):
            writer.add(name, table.rows(record))
    kept = state.copy()
    record.wall_s["trace"] = perf_counter() - begun
    writer.add("timings", TABLES["timings"].rows(record))
    writer.mark(record.epoch, lambda: saved(kept))


def _found(setup: Setup, writer: TraceWriter) -> dict[str, Any]:
    """What came to light only during the run, what an earlier part of it noted included."""
    masked = {one["norad_id"]: one for one in writer.notes.get("masked", [])}
    for one in [*setup.truth.windows.ephemeris.masked, *setup.belief.windows.ephemeris.masked]:
        row = {"norad_id": one.norad_id, "name": one.name, "instant": str(one.instant), "reason": one.reason}
        masked.setdefault(one.norad_id, row)
    return {"masked": [masked[norad_id] for norad_id in sorted(masked)]}
