"""Overrides: ``key.path=value`` settings that replace values of a scenario."""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from twin.errors import InputError
from twin.records import documented
from twin.scenario.former import FORMER_KEYS, present_name, with_present_names
from twin.scenario.models import MODELS, without_options

Tree = dict[str, Any]

_PATHS: Final = frozenset({"source", "path", "file"})
"""Keys whose values are file names."""
_MODELS: Final = frozenset(key.rpartition(".")[2] for key in MODELS)
"""Keys whose text is the name of a model: ``fading = "none"``."""


@documented
@dataclass(frozen=True, slots=True, kw_only=True)
class Setting:
    """One value that replaces that of a scenario."""

    written: str
    """The key path as written, without spaces."""
    steps: tuple[str, ...]
    """Keys and positions in lists that lead to the value; keys by their present names."""
    value: Any
    """The new value; relative paths are made absolute from the current folder."""
    origin: str
    """Beginning of a message on the value: ``--set``."""
    shown: str
    """The whole setting for a message on its key: ``--set seed.x=1``."""


def parsed(overrides: Iterable[str] | Mapping[str, Any]) -> list[Setting]:
    """Read overrides: ``key.path=value`` strings, or a mapping of key paths to values.

    Raises
    ------
    InputError
        If one is not written as ``key.path=value``, or a key is set by its present and by its former name.
    TypeError
        If ``overrides`` is neither an iterable of strings nor a mapping with text keys.
    """
    if isinstance(overrides, str | bytes) or not isinstance(overrides, Iterable):
        raise TypeError(
            f'overrides must be a list of "key.path=value" texts or a mapping, found {type(overrides).__name__}'
        )
    items: list[Any] = list(overrides)
    if wrong := [item for item in items if not isinstance(item, str)]:
        raise TypeError(f"overrides must have text keys or entries, found {wrong[0]!r}")
    given = overrides if isinstance(overrides, Mapping) else None
    made = [_from_text(item) if given is None else _from_item(item, given[item]) for item in items]
    _refuse_both_names(made)
    return made


def apply(tree: Tree, settings: Iterable[Setting]) -> dict[str, str]:
    """Put settings into a scenario in place.

    A setting that selects another model removes the options of the former model.

    Returns
    -------
    The keys that were set, as messages write them (``terminals[1].count``), with the origin of each.

    Raises
    ------
    InputError
        If a key path leads through a value that is not a table or list.
    """
    return {_put(tree, setting): setting.origin for setting in settings}


def plain(tree: Mapping[str, Any], folder: Path, origin: str) -> Tree:
    """A copy of a scenario in which every table is a dictionary and every path is absolute.

    Parameters
    ----------
    tree
        Sections and keys.
    folder
        Relative paths are relative to it.
    origin
        Beginning of an error message.

    Raises
    ------
    InputError
        If a key is not text.
    """
    _check_keys(tree, origin)
    return {key: _resolved(key, value, folder) for key, value in tree.items()}


def absolute(path: str | Path, folder: Path) -> str:
    """A path made absolute; one that cannot be expanded stays, and opening it fails later."""
    try:
        return str((folder / Path(path).expanduser()).absolute())
    except RuntimeError:  # ~name of a user without a home folder
        return str((folder / path).absolute())


def _resolved(key: str, value: Any, folder: Path) -> Any:
    """A copy of a value in which every path is absolute."""
    if isinstance(value, Mapping):
        return {name: _resolved(name, item, folder) for name, item in value.items()}
    if isinstance(value, list | tuple):
        return [_resolved(key, item, folder) for item in value]
    is_path = key in _PATHS or (key == "plugins" and str(value).endswith(".py"))
    return absolute(value, folder) if is_path and isinstance(value, str | Path) and str(value) else value


def _check_keys(value: Any, origin: str) -> None:
    if isinstance(value, Mapping):
        for key, item in value.items():
            if not isinstance(key, str):
                raise InputError(f"{origin}: found the key {key!r}, keys must be text")
            _check_keys(item, origin)
    elif isinstance(value, list | tuple):
        for item in value:
            _check_keys(item, origin)


def _from_text(text: str) -> Setting:
    key, equals, value = text.partition("=")
    return _setting(key if equals else "", _toml_value(value), origin="--set", shown=f"--set {text}")


def _from_item(key: str, value: Any) -> Setting:
    return _setting(key, value, origin="override", shown=f"override {key}")


def _setting(key: str, value: Any, *, origin: str, shown: str) -> Setting:
    written = ".".join(step.strip() for step in key.split("."))
    if not all(written.split(".")):
        form = 'key.path=value, as in --set time.duration="1h"' if origin == "--set" else 'a key, as "time.duration"'
        raise InputError(f"{shown}: write {form}")
    steps = tuple(present_name(written).split("."))
    words = [step for step in steps if not step.isdecimal()]
    _check_keys(value, shown)
    resolved = _resolved(words[-1] if words else "", value, Path.cwd())
    if len(steps) == 1:
        resolved = with_present_names({steps[0]: resolved}, shown)[steps[0]]
    return Setting(written=written, steps=steps, value=resolved, origin=origin, shown=shown)


def _refuse_both_names(settings: Iterable[Setting]) -> None:
    written = {setting.written: setting.shown for setting in settings}
    for section, renamed in FORMER_KEYS.items():
        for former, present in renamed.items():
            if f"{section}.{former}" in written and f"{section}.{present}" in written:
                raise InputError(
                    f"{written[f'{section}.{former}']}: {section}.{present} is set too;"
                    f" {former} is the former name of {present}, set {present} alone"
                )


def _put(tree: Tree, setting: Setting) -> str:
    """Put one setting into a scenario; returns its key as messages write it."""
    place, name = _descend(tree, setting)
    *_, last = setting.steps
    if isinstance(place, list):
        place[_index(place, last, name, setting)] = setting.value
        return f"{name}[{int(last)}]"
    key = f"{name}.{last}" if name else last
    if key == "base":
        raise InputError(
            f"{setting.shown}: base can stand in a scenario file only, which is read before settings are applied"
        )
    _place(place, last, setting.value, name=name, key=key)
    return key


def _place(table: Tree, last: str, value: Any, *, name: str, key: str) -> None:
    """Put a value into a table, without options of another model."""
    if key in MODELS and isinstance(value, str) and isinstance(table.get(last), dict):
        table, name, last = table[last], key, "name"  # text is the name of the model
    if last == "name" and name in MODELS and isinstance(value, str):
        kept = without_options(table, value, name)
        for option in table.keys() - kept.keys():
            del table[option]
    table[last] = value


def _descend(tree: Tree, setting: Setting) -> tuple[Any, str]:
    """The table or list that holds the last step, and its key; missing tables are created."""
    place: Any = tree
    name = ""
    for step in setting.steps[:-1]:
        if isinstance(place, list):
            place, name = place[_index(place, step, name, setting)], f"{name}[{int(step)}]"
        else:
            inner = place.setdefault(step, {})
            if isinstance(inner, str) and step in _MODELS:
                inner = place[step] = {"name": inner}
            place, name = inner, f"{name}.{step}" if name else step
        if not isinstance(place, dict | list):
            raise InputError(f"{setting.shown}: {name} holds a value, not keys")
    return place, name


def _index(place: list[Any], step: str, name: str, setting: Setting) -> int:
    if not (step.isascii() and step.isdecimal()) or int(step) >= len(place):
        count = "1 entry, number 0" if len(place) == 1 else f"{len(place)} entries, numbers 0 to {len(place) - 1}"
        raise InputError(
            f'{setting.shown}: "{step}" is not among them: {name} has {count}'
            if place
            else f"{setting.shown}: {name} is an empty list"
        )
    return int(step)


def _toml_value(text: str) -> Any:
    """A TOML value; text that is not valid TOML is taken literally."""
    try:
        table = tomllib.loads(f"value = {text}")
    except (tomllib.TOMLDecodeError, RecursionError):
        return text.strip()
    return table["value"] if table.keys() == {"value"} else text.strip()
