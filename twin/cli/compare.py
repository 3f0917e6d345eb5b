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
Out = Annotated[Path | None, typer.Option("--out", metavar="FILE", help="Write the table to a CSV file as well.")]
Quiet = Annotated[bool, typer.Option("--quiet", help="Say nothing but the table.")]


def compare(
    scenario: ScenarioFile,
    precoders: Names = None,
    settings: Settings = None,
    out: Out = None,
    quiet: Quiet = False,
) -> None:
    """Run several precoders on the same epochs, clusters and draws, and print one table."""
    from twin.simulation.compare import as_frame
    from twin.simulation.compare import compare as compared

    setup = resolved(scenario, settings or [])
    if not precoders:
        raise InputError("twin compare: name at least one --precoder; twin precoders lists them")
    if out is not None and not out.parent.is_dir():
        raise InputError(f"--out {out}: there is no folder {out.parent}")
    with named(scenario):
        scores = compared(setup, precoders, progress=None if quiet else _told)
    table = as_frame(scores)
    if out is not None:
        table.to_csv(out, index=False)
    say(*table.to_string(index=False, float_format=lambda value: f"{value:.4g}").split("\n"))
    if out is not None:
        say(str(out))


def _told(precoder: str, done: int, epochs: int) -> None:
    if done == epochs and not sys.stdout.closed:
        note(f"{precoder}: {epochs:,} epochs")
