"""Plug-ins: modules of the user that register precoders, policies and other models."""

from __future__ import annotations

import importlib
import importlib.util
import inspect
import sys
import traceback
from collections.abc import Iterable, Mapping
from dataclasses import fields
from pathlib import Path
from types import ModuleType
from typing import Any, Final
from zlib import crc32

from twin.errors import InputError, definition, place
from twin.registry import ROOMS, Entry, of_kind
from twin.scenario.faults import is_there, nearest_file
from twin.scenario.models import MODELS

_KEYWORDS: Final[Mapping[str, tuple[str, ...]]] = {"path loss": ("carrier_hz", "options")}
"""Keyword arguments with which models of a kind are called, where they are not ``options`` alone."""

_Entries = dict[tuple[str, str], tuple[str, Entry[Any]]]
"""Kind and entry of each registered model, by kind and name."""

_registered: dict[str, list[tuple[str, Entry[Any]]]] = {}
"""Kind and entry of each model that a plug-in has registered, by the name of its module."""


def import_plugins(plugins: Iterable[str], folder: Path, where: str) -> None:
    """Import modules by name, or ``.py`` files relative to a folder, and check the models that they register.

    Raises
    ------
    InputError
        If a plug-in does not exist or raises an exception, or if it registers a model that cannot be called or whose
        options are not a frozen dataclass. The message begins with ``where`` and names file and line.
    """
    for plugin in plugins:
        before = _entries()
        try:
            _import(plugin, folder, f'{where}: "{plugin}"', before)
        except InputError:
            _forget(before)
            raise


def _import(plugin: str, folder: Path, where: str, before: _Entries) -> None:
    """Import one plug-in and check its models."""
    loaded = set(sys.modules)
    try:
        module = _import_file(folder / plugin) if plugin.endswith(".py") else importlib.import_module(plugin)
    except InputError as error:
        raise InputError(f"{where} {error}") from None
    except Exception as error:
        raise InputError(f"{where} {_import_fault(error, plugin)}") from error
    own = [item for key, item in _entries().items() if key not in before or _is_from(item[1], module)]
    known = _registered.get(module.__name__, own)
    try:
        for kind, entry in known:
            _check(kind, entry, where)
    except InputError:
        for name in {module.__name__} - loaded:
            del sys.modules[name]
        raise
    _registered[module.__name__] = known


def _forget(before: _Entries) -> None:
    """Undo the registrations of a plug-in that was refused, so that a corrected one can take its names."""
    for kind, name in _entries().keys() - before.keys():
        of_kind(kind).remove(name)


def _entries() -> _Entries:
    """All registered models, by kind and name."""
    return {(kind, entry.name): (kind, entry) for kind in ROOMS for entry in of_kind(kind)}


def _is_from(entry: Entry[Any], module: ModuleType) -> bool:
    return getattr(entry.model, "__module__", None) == module.__name__


def _check(kind: str, entry: Entry[Any], where: str) -> None:
    """Refuse a model that the twin cannot call, or whose options cannot become keys."""
    file, line = definition(entry.model)
    at = f"{where}: {place(file, line)}: the {kind}" if file else f"{where}: the {kind}"
    if (fault := _options_fault(kind, entry.options)) is not None:
        raise InputError(f'{at} "{entry.name}": {fault}')
    keywords = _KEYWORDS.get(kind, ("options",))
    try:
        inspect.signature(entry.model).bind(None, **dict.fromkeys(keywords))
    except TypeError as error:
        called = ", ".join(["...", "*", *keywords])
        raise InputError(f'{at} "{entry.name}" must accept ({called}): {error}') from None
    except ValueError:  # a built-in without a signature
        return


def _options_fault(kind: str, options: Any) -> str | None:
    """Why a class cannot be the options of a model; None if it can."""
    name = options.__name__ if isinstance(options, type) else repr(options)
    parameters = getattr(options, "__dataclass_params__", None)
    if not isinstance(options, type) or parameters is None or not parameters.frozen:
        file, line = definition(options) if isinstance(options, type) else (None, None)
        at = f" ({place(file, line)})" if file else ""
        return f"its options {name}{at} must be a frozen dataclass, as made by @dataclass_options"
    (section,) = [section for section in MODELS.values() if section.kind == kind]
    taken = {*section.model_fields, "kind", "options", "bound"}
    if reserved := [field.name for field in fields(options) if field.name in taken]:
        return f"its option {name}.{reserved[0]} has the name of a key that the section has already"
    return None


def _import_file(path: Path) -> ModuleType:
    if not is_there(path) or path.is_dir():
        raise InputError(f"is not a file{nearest_file(path)}")
    file = path.resolve()
    name = f"twin_plugin_{file.stem}_{crc32(str(file).encode()):08x}"
    if name in sys.modules:
        return sys.modules[name]
    spec = importlib.util.spec_from_file_location(name, file)
    if spec is None or spec.loader is None:
        raise InputError("is not a Python file")
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module  # its dataclasses look their module up while it is executed
    try:
        spec.loader.exec_module(module)
    except BaseException:
        del sys.modules[name]
        raise
    return module


def _import_fault(error: Exception, plugin: str) -> str:
    """Why a plug-in cannot be imported, with the line in it; and the file where it is not the plug-in itself."""
    if isinstance(error, ModuleNotFoundError) and error.name == plugin.partition(".")[0]:
        return "is not a module that can be found; the name of a file must end in .py"
    message = f"{type(error).__name__}: {error.msg if isinstance(error, SyntaxError) else error}"
    if isinstance(error, SyntaxError) and error.lineno is not None:
        return f"cannot be imported: {_line(error.filename, error.lineno, plugin)}: {message}"
    frames = traceback.extract_tb(error.__traceback__)
    own = [frame for frame in frames if "importlib" not in frame.filename and frame.filename != __file__]
    at = f"{_line(own[0].filename, own[0].lineno, plugin)}: " if own else ""
    return f"cannot be imported: {at}{message}"


def _line(file: str | None, line: int | None, plugin: str) -> str:
    """The line in a file, without the file where the message has named it already."""
    return f"line {line}" if file is None or plugin.endswith(Path(file).name) else place(file, line)
