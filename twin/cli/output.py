"""Lines for people: results on standard output, warnings and errors on standard error."""

from __future__ import annotations

import logging
import os
import sys
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Final, TextIO

_OF_ONE_SORT: Final = 10
"""Warnings that differ in their numbers alone are shown so often and no more."""


def say(*lines: str) -> None:
    """Write lines of the result; a reader who has gone away is no fault."""
    _write(sys.stdout, "".join(f"{line}\n" for line in lines))


def note(line: str) -> None:
    """Write a line that is no result: progress, an interruption."""
    _write(sys.stderr, f"{line}\n")


def warn(text: str) -> None:
    """Warn, unless warnings are off."""
    logging.getLogger(__name__).warning("%s", text)


def complain(text: str) -> None:
    """Write an error, further lines indented."""
    first, *more = text.rstrip().split("\n")
    _write(sys.stderr, "".join(f"{line}\n" for line in [f"twin: error: {first}", *(f"  {line}" for line in more)]))


def flush() -> None:
    """Write out what waits, so that Python finds nothing to complain of at its end."""
    for stream in (sys.stdout, sys.stderr):
        _write(stream, "")


@contextmanager
def warnings_shown() -> Iterator[None]:
    """Show what the library and Python warn of as plain lines."""
    handler, root = _PlainLines(logging.WARNING), logging.getLogger()
    root.addHandler(handler)
    logging.captureWarnings(True)
    try:
        yield
    finally:
        logging.captureWarnings(False)
        logging.disable(logging.NOTSET)
        root.removeHandler(handler)


def warnings_off() -> None:
    """Show no warnings until the command ends."""
    logging.disable(logging.WARNING)


class _PlainLines(logging.Handler):
    """Writes warnings to what is standard error at that time: a progress bar puts itself in its place."""

    def __init__(self, level: int) -> None:
        super().__init__(level)
        self._seen: Counter[str] = Counter()

    def emit(self, record: logging.LogRecord) -> None:
        """Write one line."""
        sort = str(record.msg) if record.args else record.getMessage()
        if record.name != __name__:
            self._seen[sort] += 1
        if self._seen[sort] > _OF_ONE_SORT + 1:
            return
        first = (record.getMessage().strip().splitlines() or [""])[0]
        shown = first if self._seen[sort] <= _OF_ONE_SORT else "more warnings of this sort are not shown"
        _write(sys.stderr, f"twin: warning: {shown}\n")


def _write(stream: TextIO, text: str) -> None:
    try:
        stream.write(text)
        stream.flush()
    except BrokenPipeError:
        _silence(stream)
    except UnicodeEncodeError:
        stream.write(text.encode("ascii", "backslashreplace").decode())


def _silence(stream: TextIO) -> None:
    """Let whatever is still written to a broken pipe vanish."""
    with suppress(OSError, ValueError):
        devnull = os.open(os.devnull, os.O_WRONLY)
        os.dup2(devnull, stream.fileno())
        os.close(devnull)
