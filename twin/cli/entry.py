"""Runs a command line and returns its exit status."""

from __future__ import annotations

import os
import signal
import sys
import threading
import traceback
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Final

import typer

from twin.cli import output
from twin.cli.usage import usage_message
from twin.errors import InputError

DONE: Final = 0
DEFECT: Final = 1
WRONG_INPUT: Final = 2
INTERRUPTED: Final = 130


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line.

    Parameters
    ----------
    arguments
        Arguments after the program name; by default those of the process.

    Returns
    -------
    0 success; 1 an internal error (a defect of twin); 2 invalid input; 130 interrupted.
    """
    words = list(sys.argv[1:] if arguments is None else arguments)
    with output.warnings_shown(), _sigterm_as_interrupt():
        try:
            return _run_command(list(words))
        except BrokenPipeError:
            return DONE
        except KeyboardInterrupt:
            output.note("twin: interrupted")
            return INTERRUPTED
        except Exception as error:
            if "--debug" in words or os.environ.get("TWIN_DEBUG", "0") not in ("", "0"):
                output.note(traceback.format_exc().rstrip())
            return _reported(error)
        finally:
            output.flush()


def _run_command(words: list[str]) -> int:
    from twin.cli.app import app

    command = typer.main.get_command(app)
    try:
        with command.make_context("twin", words) as context:
            command.invoke(context)
    except typer.Exit as end:
        return int(end.exit_code)
    return DONE


def _reported(error: Exception) -> int:
    """Print an error and return the exit status."""
    if isinstance(error, InputError):
        output.complain(str(error))
        return WRONG_INPUT
    if (message := usage_message(error)) is not None:
        output.complain(message)
        return WRONG_INPUT
    if isinstance(error, MemoryError):
        output.complain(f"not enough memory ({error})")
        return WRONG_INPUT
    frame = traceback.extract_tb(error.__traceback__)[-1]
    output.complain(
        f"internal error (a defect of twin): {type(error).__name__}: {error}\n"
        f"at {frame.filename}:{frame.lineno}; --debug before the command, or TWIN_DEBUG=1, shows the whole traceback"
    )
    return DEFECT


@contextmanager
def _sigterm_as_interrupt() -> Iterator[None]:
    """Handle SIGTERM like Ctrl-C, so that a run closes its trace."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)
