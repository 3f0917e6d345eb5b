"""``twin report``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from twin.cli.output import say
from twin.errors import InputError


def report(
    directory: Annotated[Path, typer.Argument(metavar="DIR", help="The folder of a trace.")],
    out: Annotated[
        Path | None,
        typer.Option("--out", metavar="FILE", help="The page; by default report.html in the trace's folder."),
    ] = None,
) -> None:
    """Write one self-contained HTML page of a run."""
    from twin.report import write_report
    from twin.results import read_trace

    file = directory / "report.html" if out is None else out
    trace = read_trace(directory)
    if not file.parent.is_dir():
        raise InputError(f"--out {file}: there is no folder {file.parent}")
    if file.is_dir():
        raise InputError(f"--out {file}: is a folder, must be the name of a file")
    write_report(trace, file)
    say(str(file))
