"""The application with all commands."""

from __future__ import annotations

from typing import Annotated

import typer

from twin.cli import catalogue, models
from twin.cli.compare import compare
from twin.cli.output import say
from twin.cli.report import report
from twin.cli.run import run
from twin.cli.usage import Commands
from twin.cli.validate import validate

app = typer.Typer(
    name="twin",
    cls=Commands,
    help="A constellation digital twin: real orbits, statistical CSI, handover and multi-satellite precoding.",
    epilog="Exit status: 0 success, 2 invalid input, 130 interrupted, 1 an internal error (a defect of twin).",
    add_completion=False,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"]},
)
app.command()(run)
app.command()(validate)
app.command()(compare)
app.command()(report)
app.add_typer(catalogue.app, name="catalogue")
app.command()(models.precoders)
app.command()(models.policies)


def _print_version(requested: bool) -> None:
    if requested:
        import twin

        say(f"twin {twin.__version__}")
        raise typer.Exit


@app.callback()
def _twin(
    version: Annotated[
        bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Print the version.")
    ] = False,
    debug: Annotated[bool, typer.Option("--debug", help="Show the traceback of an error.")] = False,
) -> None:
    """Parse the options before the command."""
