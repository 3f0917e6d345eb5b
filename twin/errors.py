"""Errors in the user's input, and the words of their messages."""

from __future__ import annotations

import traceback
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from difflib import get_close_matches
from functools import lru_cache, partial
from pathlib import Path
from typing import Any, Final

_PACKAGE: Final = Path(__file__).parent


class InputError(Exception):
    """The input is wrong; the message gives the place, the value found and the values allowed.

    The command line prints the message without a traceback and exits with status 2.
    """


def did_you_mean(found: str, allowed: Iterable[str]) -> str:
    """Suggest the nearest allowed word as the end of a sentence; empty if no word is near.

    >>> did_you_mean("preocding", ["precoding", "receiver"])
    '; did you mean "precoding"?'
    >>> did_you_mean("zzz", ["precoding"])
    ''
    """
    nearest = get_close_matches(found, list(allowed), n=1)
    return f'; did you mean "{nearest[0]}"?' if nearest else ""


def listed(words: Iterable[object]) -> str:
    """Join words for a message, each in quotation marks.

    >>> listed(["b", "a"])
    '"b", "a"'
    """
    return ", ".join(f'"{word}"' for word in words)


def plugin_fault(model: Any, error: BaseException) -> str:
    """Describe an exception of a user's model as ``file:line: ExceptionType: message``.

    Parameters
    ----------
    model
        The function, class or callable object that the plug-in registered, or its options class; also as a partial.
    error
        What it raised. The line is that of the innermost traceback frame in the model's file; if no frame lies there,
        as after a call with wrong arguments, the line where the model is defined.
    """
    message = f"{type(error).__name__}: {error}" if str(error) else type(error).__name__
    file, defined_at = definition(model)
    lines = [frame.lineno for frame in traceback.extract_tb(error.__traceback__) if frame.filename == file]
    return f"{place(file, lines[-1] if lines else defined_at)}: {message}" if file else message


@contextmanager
def plugin_errors(model: Any, where: str) -> Iterator[None]:
    """Report any exception of a plug-in's model as an error of the input, with the plug-in's file and line.

    Parameters
    ----------
    model
        What the body calls; an exception of a model of this package passes unchanged.
    where
        Key and name of the model, as the beginning of the message.

    Raises
    ------
    InputError
        If the model is a plug-in's and the body raises.
    """
    try:
        yield
    except InputError:
        raise
    except Exception as error:
        if not is_plugin(model):
            raise
        raise InputError(f"{where} failed at {plugin_fault(model, error)}") from error


def plugin_place(model: Any) -> str:
    """Where a plug-in defines a model, as `` (file:line)``; empty for a model of this package."""
    file, line = definition(model)
    return f" ({place(file, line)})" if file and not _in_package(file) else ""


def is_plugin(model: Any) -> bool:
    """Whether a model was defined outside this package."""
    file, _ = definition(model)
    return file is None or not _in_package(file)


def definition(model: Any) -> tuple[str | None, int | None]:
    """File and line where a function, a class or the class of an object is defined; None where unknown."""
    import inspect  # slow to import, and needed for plug-ins only

    while isinstance(model, partial):
        model = model.func
    defined = inspect.unwrap(model) if callable(model) else model
    if not (inspect.isfunction(defined) or inspect.ismethod(defined) or inspect.isclass(defined)):
        defined = type(defined)
    return _source(defined)


@lru_cache(maxsize=256)
def _source(defined: Any) -> tuple[str | None, int | None]:
    """File and line of a function, method or class; remembered, since a run asks at every decision."""
    import inspect

    try:
        file = inspect.getsourcefile(defined)
    except TypeError:  # a built-in
        return None, None
    try:
        return file, inspect.getsourcelines(defined)[1]
    except (OSError, TypeError):  # the source is not available
        return file, None


@lru_cache(maxsize=256)
def _in_package(file: str) -> bool:
    return Path(file).is_relative_to(_PACKAGE)


def place(file: str, line: int | None) -> str:
    """A place in a file for a message.

    >>> place("mine.py", 3), place("mine.py", None)
    ('mine.py:3', 'mine.py')
    """
    return file if line is None else f"{file}:{line}"
