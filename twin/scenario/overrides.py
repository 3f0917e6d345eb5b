"""``key.path=value`` settings that replace what a scenario file says."""

from __future__ import annotations

import tomllib
from collections.abc import Iterable
from pathlib import Path
from typing import Any, Final

from twin.errors import InputError
from twin.scenario.models import MODELS, without_options

Tree = dict[str, Any]

_PATHS: Final = frozenset({"source", "path", "file"})
"""Keys that name files."""
_MODELS: Final = frozenset(place.rpartition(".")[2] for place in MODELS)
"""Keys that name a model where they hold text: ``fading = "none"``."""


def apply(tree: Tree, overrides: Iterable[str]) -> list[str]:
    """Put settings into a scenario, paths among them relative to the current folder.

    Another name of a model leaves the options of the one before behind.

    Returns
    -------
    The keys that were set, as messages write them: ``terminals[1].count``.

    Raises
    ------
    InputError
        If one is not written as ``key.path=value``, or leads into a value.
    """
    return [_put(tree, override) for override in overrides]


def resolved(key: str, value: Any, folder: Path) -> Any:
    """A value with every path in it made absolute, relative ones being taken from a folder."""
    if isinstance(value, dict):
        return {name: resolved(name, item, folder) for name, item in value.items()}
    if isinstance(value, list | tuple):
        return [resolved(key, item, folder) for item in value]
    is_path = key in _PATHS or (key == "plugins" and str(value).endswith(".py"))
    return absolute(value, folder) if is_path and isinstance(value, str) and value else value


def absolute(path: str, folder: Path) -> str:
    """A path made absolute; one that cannot be is left for whoever opens it to complain of."""
    try:
        return str((folder / Path(path).expanduser()).absolute())
    except RuntimeError:  # ~somebody without a home
        return str((folder / path).absolute())


def _put(tree: Tree, override: str) -> str:
    key, equals, text = override.partition("=")
    steps = [step.strip() for step in key.split(".")]
    if not equals or not all(steps):
        raise InputError(f'--set {override}: write key.path=value, as in --set time.duration="1h"')
    place, name = _descend(tree, steps, override)
    words = [step for step in steps if not step.isdecimal()]
    value = resolved(words[-1] if words else "", _value(text), Path.cwd())
    if isinstance(place, list):
        place[_index(place, steps[-1], name, override)] = value
        return f"{name}[{int(steps[-1])}]"
    where = f"{name}.{steps[-1]}" if name else steps[-1]
    if where == "base":
        raise InputError(f"--set {override}: a base stands in a scenario file, where it is read before any setting")
    if where in MODELS and isinstance(value, str) and isinstance(place.get(steps[-1]), dict):
        place, name, steps = place[steps[-1]], where, [*steps, "name"]  # text stands for the model's name
    if steps[-1] == "name" and name in MODELS and isinstance(value, str):
        held = without_options(place, value, name)
        for key in place.keys() - held.keys():
            del place[key]
    place[steps[-1]] = value
    return where


def _descend(tree: Tree, steps: list[str], override: str) -> tuple[Any, str]:
    """The table or list that holds the last step, and its name; tables on the way are made."""
    place: Any = tree
    name = ""
    for step in steps[:-1]:
        if isinstance(place, list):
            place, name = place[_index(place, step, name, override)], f"{name}[{int(step)}]"
        else:
            inner = place.setdefault(step, {})
            if isinstance(inner, str) and step in _MODELS:
                inner = place[step] = {"name": inner}
            place, name = inner, f"{name}.{step}" if name else step
        if not isinstance(place, dict | list):
            raise InputError(f"--set {override}: {name} holds a value, not keys")
    return place, name


def _index(place: list[Any], step: str, name: str, override: str) -> int:
    if not (step.isascii() and step.isdecimal()) or int(step) >= len(place):
        count = "1 entry, number 0" if len(place) == 1 else f"{len(place)} entries, numbers 0 to {len(place) - 1}"
        raise InputError(
            f'--set {override}: "{step}" is not among them: {name} has {count}'
            if place
            else f"--set {override}: {name} is an empty list"
        )
    return int(step)


def _value(text: str) -> Any:
    """A TOML value, or the bare text where it is none."""
    try:
        table = tomllib.loads(f"value = {text}")
    except (tomllib.TOMLDecodeError, RecursionError):
        return text.strip()
    return table["value"] if table.keys() == {"value"} else text.strip()
