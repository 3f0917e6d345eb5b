"""Text output: results on standard output, warnings and errors on standard error."""

from __future__ import annotations

import logging
import os
import sys
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Final, TextIO

_MAX_SIMILAR: Final = 10
"""Maximum number of warnings that are shown with the same text but different values."""


def say(*lines: str) -> None:
    """Write lines of the result; a closed pipe is not an error."""
    _write(sys.stdout, "".join(f"{line}\n" for line in lines))


def note(line: str) -> None:
    """Write a line that is not a result, such as progress or an interruption."""
    _write(sys.stderr, f"{line}\n")


def warn(text: str) -> None:
    """Write a warning, unless warnings are off."""
    logging.getLogger(__name__).warning("%s", text)


def complain(text: str) -> None:
    """Write an error; lines after the first are indented."""
    first, *more = text.rstrip().split("\n")
    _write(sys.stderr, "".join(f"{line}\n" for line in [f"twin: error: {first}", *(f"  {line}" for line in more)]))


def flush() -> None:
    """Flush both streams, so that Python reports no error at exit."""
    for stream in (sys.stdout, sys.stderr):
        _write(stream, "")


@contextmanager
def warnings_shown() -> Iterator[None]:
    """Show warnings of the library and of Python as plain lines."""
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
    """Suppress warnings until the command ends."""
    logging.disable(logging.WARNING)


class _PlainLines(logging.Handler):
    """Writes warnings to the current standard error, which a progress bar may have replaced."""

    def __init__(self, level: int) -> None:
        super().__init__(level)
        self._shown: Counter[str] = Counter()

    def emit(self, record: logging.LogRecord) -> None:
        """Write one line."""
        template = str(record.msg) if record.args else record.getMessage()
        if record.name != __name__:
            self._shown[template] += 1
        if self._shown[template] > _MAX_SIMILAR + 1:
            return
        first = (record.getMessage().strip().splitlines() or [""])[0]
        shown = first if self._shown[template] <= _MAX_SIMILAR else "more warnings of this kind are not shown"
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
    """Discard further output to a broken pipe."""
    with suppress(OSError, ValueError):
        devnull = os.open(os.devnull, os.O_WRONLY)
        os.dup2(devnull, stream.fileno())
        os.close(devnull)
