"""The main job: a scenario in, a trace out."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from time import perf_counter
from typing import Any

import threadpoolctl

from twin.results import Manifest, Trace, TraceWriter, file_sha256, read_trace
from twin.scenario import Scenario
from twin.simulation import rows
from twin.simulation.checkpoint import restored, saved
from twin.simulation.loop import EpochReport, Loop
from twin.simulation.state import LoopState
from twin.world.network import Network

Progress = Callable[[int, int], None]
"""Called with the number of finished epochs and of all epochs."""

TABLES = ("terminals", "handovers", "attempts", "satellites", "epochs", "timings")
"""Tables that every trace holds."""


def run(
    scenario: Scenario,
    out: str | Path | None = None,
    *,
    resume: bool = False,
    progress: Progress | None = None,
) -> Trace:
    """Run a scenario and write its trace.

    Parameters
    ----------
    scenario
        What to run.
    out
        Directory of the trace; by default the first free one of ``traces/NAME``, ``traces/NAME-2``, ...
    resume
        Go on with the trace in ``out`` after its last durable epoch; the rows come out as if it had never stopped.
    progress
        Told of each finished epoch.

    Raises
    ------
    InputError
        If an input is wrong, ``out`` holds something else, or there is nothing to resume.
    KeyboardInterrupt
        As it came, after the trace has been made durable.
    """
    directory = free_directory(scenario.name) if out is None else Path(out)
    return run_network(Network.of(scenario), directory, resume=resume, progress=progress)


def run_network(network: Network, directory: Path, *, resume: bool = False, progress: Progress | None = None) -> Trace:
    """Run a network that is resolved already; otherwise as `run`."""
    flush_s = network.scenario.trace.flush.seconds
    manifest = manifest_of(network)
    age_ns = int(network.scenario.precoding.csi_age)
    state = LoopState.fresh(network.terminals.count, age_ns)
    if resume:
        writer, _, arrays = TraceWriter.resume(directory, manifest=manifest, flush_interval_s=flush_s)
        if writer.status == "complete":
            writer.close()
            return read_trace(directory)
        if arrays:
            state = restored(arrays, network.channel.satellite_array)
    else:
        asked = [name for name in ("links", "candidates") if getattr(network.scenario.trace, name)]
        writer = TraceWriter.create(directory, manifest=manifest, tables=[*TABLES, *asked], flush_interval_s=flush_s)
    with writer:
        _advance(network, state, writer, progress)
    return read_trace(directory)


def manifest_of(network: Network) -> Manifest:
    """What a run is made from."""
    scenario, health = network.scenario, network.catalogue.health
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
        epochs=network.timeline.epochs,
        notes={"catalogue": health.summary(network.timeline.start)},
    )


def _named(files: Sequence[tuple[str, str, str]]) -> dict[str, str]:
    """Hashes of files by name; files of one name are told apart by what they are for, and by number."""
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


def _advance(network: Network, state: LoopState, writer: TraceWriter, progress: Progress | None) -> None:
    """Run what is left and write it; an interruption leaves what is finished."""
    total = network.timeline.epochs
    loop = Loop(network, state)

    def closed(report: EpochReport) -> None:
        begun = perf_counter()
        _write(network, writer, report)
        snapshot = loop.state.snapshot()
        report.wall_s["trace"] = perf_counter() - begun
        writer.add("timings", rows.timing_rows(report))
        writer.mark(report.epoch, lambda: saved(snapshot))
        if progress is not None:
            progress(report.epoch + 1, total)

    if progress is not None:
        progress(state.next_epoch, total)
    try:
        with threadpoolctl.threadpool_limits(1):
            loop.run(closed)
    except BaseException:
        writer.finish("interrupted", notes=_found(network, writer))
        raise
    writer.finish("complete", notes=_found(network, writer))


def _write(network: Network, writer: TraceWriter, report: EpochReport) -> None:
    tables: dict[str, Mapping[str, Any]] = {
        "terminals": rows.terminal_rows(network, report),
        "satellites": rows.satellite_rows(network, report),
        "epochs": rows.epoch_rows(network, report),
    }
    if report.events:
        tables["handovers"] = rows.handover_rows(network, report)
    if report.attempts:
        tables["attempts"] = rows.attempt_rows(network, report)
    if report.decision is not None:
        tables["candidates"] = rows.candidate_rows(network, report)
    if network.scenario.trace.links:
        tables["links"] = rows.link_rows(network, report)
    for table, columns in tables.items():
        writer.add(table, columns)


def _found(network: Network, writer: TraceWriter) -> dict[str, Any]:
    """What came to light only during the run, what an earlier part of it noted included."""
    masked = {one["norad_id"]: one for one in writer.notes.get("masked", [])}
    for one in [*network.sky.ephemeris.masked, *network.believed_sky.ephemeris.masked]:
        row = {"norad_id": one.norad_id, "name": one.name, "instant": str(one.instant), "reason": one.reason}
        masked.setdefault(one.norad_id, row)
    return {"masked": [masked[norad_id] for norad_id in sorted(masked)]}
