"""``twin report``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from twin.cli.output import say
from twin.errors import InputError


def report(
    directory: Annotated[Path, typer.Argument(metavar="DIR", help="Folder of the trace.")],
    out: Annotated[
        Path | None,
        typer.Option("--out", metavar="FILE", help="Output file; by default report.html in the folder of the trace."),
    ] = None,
) -> None:
    """Write a self-contained HTML report of a run."""
    from twin.report import write_report
    from twin.results import read_trace

    file = directory / "report.html" if out is None else out
    trace = read_trace(directory)
    if not file.parent.is_dir():
        raise InputError(f"--out {file}: folder {file.parent} does not exist")
    if file.is_dir():
        raise InputError(f"--out {file}: is a folder, must be a file")
    write_report(trace, file)
    say(str(file))
