"""``twin compare``."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from twin.cli.inputs import ScenarioFile, Settings, named, resolved
from twin.cli.output import note, say
from twin.errors import InputError

Names = Annotated[
    list[str] | None, typer.Option("--precoder", metavar="NAME", help="A precoder to compare; repeatable.")
]
Out = Annotated[Path | None, typer.Option("--out", metavar="FILE", help="Also write the table to a CSV file.")]
Quiet = Annotated[bool, typer.Option("--quiet", help="Print only the table.")]


def compare(
    scenario: ScenarioFile,
    precoders: Names = None,
    settings: Settings = None,
    out: Out = None,
    quiet: Quiet = False,
) -> None:
    """Run several precoders on the same epochs, clusters and channel draws, and print one table."""
    from twin.simulation.compare import as_frame, compare_setup

    setup = resolved(scenario, settings or [])
    if not precoders:
        raise InputError("twin compare: at least one --precoder is needed; twin precoders lists them")
    if out is not None and not out.parent.is_dir():
        raise InputError(f"--out {out}: folder {out.parent} does not exist")
    with named(scenario):
        scores = compare_setup(setup, precoders, progress=None if quiet else _report_progress)
    table = as_frame(scores)
    if out is not None:
        table.to_csv(out, index=False)
    say(*table.to_string(index=False, float_format=lambda value: f"{value:.4g}").split("\n"))
    if out is not None:
        say(str(out))


def _report_progress(precoder: str, done: int, epochs: int) -> None:
    if done == epochs and not sys.stdout.closed:
        note(f"{precoder}: {epochs:,} epochs")
