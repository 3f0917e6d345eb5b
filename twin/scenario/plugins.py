"""Modules of the user's own, which register precoders, policies and other models."""

from __future__ import annotations

import importlib
import importlib.util
import sys
import traceback
from collections.abc import Iterable
from pathlib import Path
from types import ModuleType
from zlib import crc32

from twin.errors import InputError
from twin.scenario.faults import is_there, nearest_file


def import_plugins(plugins: Iterable[str], folder: Path, where: str) -> None:
    """Import modules by name, or ``.py`` files relative to a folder.

    Raises
    ------
    InputError
        Beginning with ``where``, if one does not exist or raises an exception, with the line where it does.
    """
    for plugin in plugins:
        try:
            if plugin.endswith(".py"):
                _import_file(folder / plugin)
            else:
                importlib.import_module(plugin)
        except InputError as error:
            raise InputError(f'{where}: "{plugin}" {error}') from None
        except Exception as error:
            raise InputError(f'{where}: "{plugin}" {_told(error, plugin)}') from error


def _import_file(path: Path) -> ModuleType:
    if not is_there(path) or path.is_dir():
        raise InputError(f"is no file{nearest_file(path)}")
    file = path.resolve()
    name = f"twin_plugin_{file.stem}_{crc32(str(file).encode()):08x}"
    if name in sys.modules:
        return sys.modules[name]
    spec = importlib.util.spec_from_file_location(name, file)
    if spec is None or spec.loader is None:
        raise InputError("is no Python file")
    module = importlib.util.module_from_spec(spec)
    # its own dataclasses look it up while it is being executed
    sys.modules[name] = module
    try:
        spec.loader.exec_module(module)
    except BaseException:
        del sys.modules[name]
        raise
    return module


def _told(error: Exception, plugin: str) -> str:
    if isinstance(error, ModuleNotFoundError) and error.name == plugin.partition(".")[0]:
        return "is no module that can be found; a file must be written with its ending, .py"
    said = f"{type(error).__name__}: {error.msg if isinstance(error, SyntaxError) else error}"
    if isinstance(error, SyntaxError) and error.lineno is not None:
        return f"cannot be imported: line {error.lineno}: {said}"
    frames = traceback.extract_tb(error.__traceback__)
    own = [frame for frame in frames if "importlib" not in frame.filename and frame.filename != __file__]
    return f"cannot be imported: line {own[0].lineno}: {said}" if own else f"cannot be imported: {said}"
