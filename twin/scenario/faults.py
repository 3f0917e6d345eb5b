"""What is wrong with a scenario, told to a person: the key, what stands there and what may stand there."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from types import NoneType, UnionType
from typing import Annotated, Any, Final, Literal, Union, get_args, get_origin

import pydantic
from annotated_types import Ge, Gt, Le, Lt

from twin.errors import did_you_mean, listed
from twin.units import Duration

Location = tuple[int | str, ...]

LONGEST: Final = Duration.parse("36525d")
"""A century: longer durations leave the range in which instants are counted in nanoseconds."""

_WORDS: Final[dict[Any, str]] = {
    bool: "true or false",
    int: "a whole number",
    float: "a number",
    str: "text",
    Path: "text (a path)",
    datetime: "a date and time, as 2026-01-01T00:00:00Z",
    Duration: 'a duration, as "15s"',
}
_NEEDED_KEYS: Final = {
    "name": 'write name = "..." at the top of the file',
    "terminals": "write a [terminals] section, or several [[terminals]]",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """One thing that is wrong."""

    key: str
    """Where, as ``terminals[1].count``; empty for the scenario as a whole."""
    text: str
    """What was found, and what is allowed."""

    def __str__(self) -> str:
        return f"{self.key}: {self.text}" if self.key else self.text


def misfits(tree: Mapping[str, Any], model: type[pydantic.BaseModel]) -> list[Fault]:
    """Values that are not written as their key wants them: text for a number, a number for true or false.

    pydantic would turn many of them silently into something else.
    """
    return list(_misfits(tree, model, (), model, tree))


def described(
    error: pydantic.ValidationError, tree: Mapping[str, Any], model: type[pydantic.BaseModel]
) -> list[Fault]:
    """One entry for each fault that pydantic has found in a scenario."""
    found = []
    for fault in error.errors(include_url=False):
        location = fault["loc"]
        found.append(Fault(key=_key(location, tree, model), text=_reason(dict(fault), location, model)))
    return found


def nearest_file(file: Path) -> str:
    """The file that may have been meant, as the end of a sentence."""
    try:
        names = [entry.name for entry in file.parent.iterdir()]
    except (OSError, ValueError):
        names = []
    return did_you_mean(file.name, names)


def type_words(annotation: Any) -> str:
    """What a key takes, in words.

    >>> type_words(tuple[float, float]), type_words(Annotated[int, Ge(1)] | None)
    ('a list of 2 numbers', 'a whole number, at least 1')
    """
    plain, metadata = _plain(annotation)
    if _is_model(plain):
        return "a table"
    if _is_union(plain):
        return " or ".join(type_words(option) for option in get_args(plain) if option is not NoneType)
    if get_origin(plain) is Literal:
        return f"one of {listed(get_args(plain))}"
    if get_origin(plain) is tuple:
        inner = get_args(plain)
        plural = _plain(inner[0])[0]
        words = {float: "numbers", int: "whole numbers", str: "texts", Path: "paths"}.get(plural, "entries")
        return f"a list of {words}" if inner[1:] == (...,) else f"a list of {len(inner)} {words}"
    limits = _limits(metadata)
    return _WORDS.get(plain, "a value") + (f", {limits}" if limits else "")


# The walk through sections, and what stands at a place


def _misfits(
    value: Any, annotation: Any, at: Location, model: type[pydantic.BaseModel], tree: Mapping[str, Any]
) -> Iterator[Fault]:
    plain, metadata = _plain(annotation)
    if value is None and _is_optional(annotation):
        return
    if _is_union(plain):
        plain = _tagged(plain, value.get("kind")) if isinstance(value, dict) else pydantic.BaseModel
    if plain is None:
        return
    if _is_model(plain):
        if isinstance(value, dict):
            for name, field in plain.model_fields.items():
                if name in value:
                    inner = Annotated[field.annotation, None, *field.metadata]
                    yield from _misfits(value[name], inner, (*at, name), model, tree)
        elif not isinstance(value, pydantic.BaseModel):
            yield Fault(key=_key(at, tree, model), text=f"found {_shown(value)}, must be a table")
        return
    if get_origin(plain) is tuple and isinstance(value, list | tuple):
        elements = get_args(plain)
        many = elements[1:] == (...,)
        if many or len(elements) == len(value):
            for place, item in enumerate(value):
                yield from _misfits(item, elements[0 if many else place], (*at, place), model, tree)
            return
    if _wraps_one(metadata) and isinstance(value, str | dict | Path):
        yield from _misfits(value, get_args(plain)[0], at if isinstance(value, dict) else at, model, tree)
    elif not _fits(value, plain):
        yield Fault(
            key=_key(at, tree, model), text=f"found {_shown(value)}, must be {type_words(plain)}{_too_long(value)}"
        )
