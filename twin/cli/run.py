"""``twin run``."""

from __future__ import annotations

import shlex
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from time import perf_counter
from typing import TYPE_CHECKING, Annotated, Any

import typer

from twin.cli import output, scenario_warnings
from twin.cli.inputs import ScenarioFile, Settings, resolved
from twin.cli.link_budget import budget_lines
from twin.cli.plausibility import plausibility_warnings
from twin.cli.progress import Progress, on_screen
from twin.cli.summary_lines import summary_lines
from twin.errors import InputError
from twin.text import counted

if TYPE_CHECKING:
    from twin.world.setup import Setup


def run(
    scenario: ScenarioFile,
    out: Annotated[
        Path | None,
        typer.Option(
            "--out",
            metavar="DIR",
            help="Folder of the trace; by default traces/NAME or the next free traces/NAME-2, ...",
        ),
    ] = None,
    settings: Settings = None,
    resume: Annotated[
        bool, typer.Option("--resume", help="Resume a trace: that of --out, or the newest incomplete one.")
    ] = False,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Show errors only.")] = False,
) -> None:
    """Run a scenario and write its trace."""
    if quiet:
        output.warnings_off()
    setup = resolved(scenario, settings or [])
    directory = _directory(setup.scenario.name, out, resume)
    last_epoch = _last_epoch(setup, directory) if resume else -1
    if last_epoch + 1 == setup.timeline.epochs:
        output.say(f"{directory}: this run is complete; there is nothing to resume", str(directory))
        return
    command = shlex.join(
        ["twin", "run", str(scenario)]
        + [word for setting in settings or [] for word in ("--set", setting)]
        + ["--out", str(directory), "--resume"]
    )
    started = perf_counter()
    with _resumable(directory, command):
        _run(setup, directory, last_epoch=last_epoch, resume=resume, quiet=quiet)
    if not quiet:
        _summary(directory, setup.timeline.epochs - last_epoch - 1, perf_counter() - started)


def _run(setup: Setup, directory: Path, *, last_epoch: int, resume: bool, quiet: bool) -> None:
    """Run; the header is printed after the trace has been opened, because errors of the input appear before that."""
    from twin.simulation.run import run_setup

    with ExitStack() as stack:
        shown: list[Progress] = []

        def progress(done: int, total: int) -> None:
            if not shown:
                output.say(*_header(setup, directory, last_epoch))
                for text in scenario_warnings.warnings(setup):
                    output.warn(text)
                if last_epoch < 0:
                    _show_budget(setup)
                shown.append(stack.enter_context(on_screen(setup.scenario.time.epoch.seconds)))
            shown[0](done, total)

        run_setup(setup, directory, resume=resume, progress=None if quiet else progress)


def _show_budget(setup: Setup) -> None:
    """Print the link budget at the start, and warnings about implausible values."""
    snapshot = setup.truth.windows.at(0)
    output.say(*budget_lines(setup, snapshot))
    for text in plausibility_warnings(setup, snapshot):
        output.warn(text)


def _summary(directory: Path, computed: int, wall_s: float) -> None:
    from twin.results.summary import summarise

    output.say(*summary_lines(summarise(directory), computed=computed, wall_s=wall_s), str(directory))


def _directory(name: str, out: Path | None, resume: bool) -> Path:
    from twin.simulation.run import free_directory

    if out is not None:
        return out
    return _unfinished(name) if resume else free_directory(name)


def _unfinished(name: str) -> Path:
    """The trace in ``traces/`` that ``--resume`` selects without ``--out``: the newest incomplete one."""
    from twin.results import read_trace

    found, unreadable = [], ""
    for folder in sorted(Path("traces").glob("*/run.json")):
        try:
            trace = read_trace(folder.parent)
        except InputError as error:
            unreadable += f"\n{error}"
            continue
        if trace.run.get("name") == name:
            incomplete = trace.run["status"] != "complete"
            found.append((incomplete, trace.run.get("updated", ""), folder.stat().st_mtime_ns, folder.parent))
    if not found:
        raise InputError(
            f'--resume: there is no trace of "{name}" in traces/; give its folder with --out DIR{unreadable}'
        )
    return max(found)[-1]


def _last_epoch(setup: Setup, directory: Path) -> int:
    """The last durable epoch of a trace of the same run.

    Raises
    ------
    InputError
        If there is no trace, or a different run or an earlier version of twin wrote it.
    """
    from twin.results.provenance import check_same, read_run
    from twin.simulation.run import manifest_of

    record = read_run(directory)
    check_same(directory, record, manifest_of(setup))
    return int(record["last_durable_epoch"])


def _header(setup: Setup, directory: Path, last_epoch: int) -> Iterator[str]:
    scenario, terminals = setup.scenario, setup.terminals
    where = " (generated)" if not scenario.constellation.source else ""
    yield f"{scenario_warnings.catalogue_line(setup.catalogue.health)}{where}"
    groups = counted(len(scenario.terminals), "group")
    yield f"terminals: {terminals.count:,} in {groups}"
    yield f"policy: {scenario.association.name}; precoder: {scenario.precoding.name}"
    epochs = counted(setup.timeline.epochs, "epoch")
    resumed = f", resumed after {last_epoch + 1:,} of them" if last_epoch >= 0 else ""
    yield f"run: {epochs} of {scenario.time.epoch} from {scenario.time.start:%Y-%m-%dT%H:%M:%SZ}{resumed}"
    yield f"trace: {directory}"


@contextmanager
def _resumable(directory: Path, command: str) -> Iterator[None]:
    """Print the command that resumes a run that was interrupted or could not write."""
    try:
        yield
    except KeyboardInterrupt:
        output.note(f"twin: interrupted; {_how_far(directory)}, resume with: {command}")
        raise typer.Exit(130) from None
    except OSError as error:
        if error.errno is None:
            raise
        raise InputError(
            f"{directory}: cannot be written to: {error.strerror}; {_how_far(directory)}\n"
            f"free some space, then resume with: {command}"
        ) from error


def _how_far(directory: Path) -> str:
    from twin.results.provenance import read_run

    try:
        record: dict[str, Any] = read_run(directory)
    except InputError:
        return "nothing is written yet"
    done, planned = int(record["last_durable_epoch"]) + 1, record.get("epochs")
    return f"{done:,} of {planned:,} epochs are written" if planned else f"{done:,} epochs are written"
