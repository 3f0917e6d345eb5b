"""Error messages for a scenario: the key, the value found and the values allowed."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Any, Final, get_args, get_origin

import pydantic

from twin.errors import did_you_mean, listed
from twin.records import documented
from twin.scenario.allowed import (
    is_section,
    is_union,
    key_annotation,
    keys_of,
    kinds_of,
    limit_words,
    may_be_none,
    section_of,
    section_of_kind,
    stripped,
    type_words,
)
from twin.scenario.section import ModelSection
from twin.units import Duration

Location = tuple[int | str, ...]

LONGEST: Final = Duration.parse("36525d")
"""A century; longer durations exceed the range of instants in nanoseconds."""

_MISSING: Final = {
    "name": 'is missing; write name = "..." at the top of the file',
    "terminals": "is missing; write a [terminals] section, or several [[terminals]]",
}
_TABLES: Final = frozenset({"terminals", "events"})
"""Lists of tables; a list of one may be written as a single table."""
_DAY: Final = re.compile(r"\s*\d{4}-\d{2}-\d{2}")
_NAME: Final = "allowed are letters, digits, dots, dashes and underscores, a letter or digit first"


@documented
@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """One fault of a scenario."""

    key: str
    """The key, as ``terminals[1].count``; empty for the scenario as a whole."""
    text: str
    """The value found and the values allowed."""

    def __str__(self) -> str:
        return f"{self.key}: {self.text}" if self.key else self.text


def misfits(tree: Mapping[str, Any], model: type[pydantic.BaseModel]) -> list[Fault]:
    """Values of a wrong type: text for a number, or a number for true or false.

    pydantic would convert many of them silently.
    """
    return list(_misfits(tree, model, ""))


def described(error: pydantic.ValidationError, model: type[pydantic.BaseModel], tree: Mapping[str, Any]) -> list[Fault]:
    """The faults that pydantic found in a scenario."""
    found = []
    for fault in error.errors(include_url=False):
        kind, value = fault["type"], fault["input"]
        if kind == "too_short" and len(value) >= fault["ctx"]["min_length"]:
            continue  # it has enough entries; invalid entries have faults of their own
        key, annotation, inside = _place(fault["loc"], model, tree)
        text = _reason(dict(fault), key, annotation, inside)
        found.append(Fault(key=f"{key}.kind" if kind == "union_tag_invalid" else key, text=text))
    return found


def is_there(file: Path) -> bool:
    """Whether a file or folder exists."""
    try:
        return file.exists()
    except (OSError, ValueError):  # an impossible file name
        return False


def nearest_file(file: Path) -> str:
    """A suggestion of the existing file with the nearest name, as the end of a sentence."""
    try:
        names = [entry.name for entry in file.parent.iterdir()]
    except (OSError, ValueError):
        names = []
    return did_you_mean(file.name, sorted(names))


# Values of a wrong type


def _misfits(value: Any, annotation: Any, key: str) -> Iterator[Fault]:
    plain, metadata = stripped(annotation)
    if value is None and may_be_none(annotation):
        return
    wraps_one = any(isinstance(item, pydantic.BeforeValidator) for item in metadata)
    if get_origin(plain) is tuple and wraps_one and _stands_for_one(value, get_args(plain)[0]):
        yield from _misfits(value, get_args(plain)[0], key)
    elif get_origin(plain) is tuple and isinstance(value, list | tuple) and _count_fits(value, plain):
        inner = get_args(plain)
        for place, item in enumerate(value):
            yield from _misfits(item, inner[0 if inner[1:] == (...,) else place], f"{key}[{place}]")
    elif isinstance(value, dict) and (section := section_of(plain, value)) is not None:
        for name, field in keys_of(section).items():
            if name in value:
                yield from _misfits(value[name], key_annotation(field), f"{key}.{name}" if key else name)
    elif plain is Duration and isinstance(value, str):
        yield from _too_long(value, key)
    elif not _fits(value, plain):
        words = type_words(annotation)
        wanted = f"{type_words(get_args(plain)[0])} or {words}" if wraps_one else words
        yield Fault(key=key, text=f"found {shown(value)}, must be {wanted}")


def _stands_for_one(value: Any, entry: Any) -> bool:
    """Whether a value is the single entry of a list."""
    return isinstance(value, str | dict | Path) or (isinstance(value, int) and _fits(value, stripped(entry)[0]))


def _too_long(value: str, key: str) -> Iterator[Fault]:
    try:
        duration = Duration.parse(value)
    except ValueError:
        return  # pydantic reports it
    if duration > LONGEST:
        yield Fault(key=key, text=f'found "{value}", must be at most "{LONGEST}", a hundred years')


def _fits(value: Any, plain: Any) -> bool:
    """Whether a value has the type of an annotation that is not a list."""
    if is_section(plain):
        return isinstance(value, pydantic.BaseModel | dict)
    if is_union(plain):
        return any(_fits(value, stripped(option)[0]) for option in get_args(plain))
    if get_origin(plain) is tuple:
        return False
    if plain is bool:
        return isinstance(value, bool)
    if plain is int:
        return not isinstance(value, bool) and (isinstance(value, int) or _is_whole(value))
    if plain is float:
        return not isinstance(value, bool) and isinstance(value, int | float)
    if plain is datetime:  # pydantic would read digits as seconds since 1970
        return isinstance(value, date) or (isinstance(value, str) and _DAY.match(value) is not None)
    expected = {str: str, Path: str | Path, Duration: str | Duration}.get(plain)
    return expected is None or isinstance(value, expected)


def _is_whole(value: Any) -> bool:
    return isinstance(value, float) and value.is_integer()


def _count_fits(value: Any, plain: Any) -> bool:
    inner = get_args(plain)
    return inner[1:] == (...,) or len(inner) == len(value)


# Faults found by pydantic


def _place(location: Location, model: Any, tree: Mapping[str, Any]) -> tuple[str, Any, Any]:
    """The key as a scenario writes it, its annotation, and the section (or union of sections) that holds it."""
    key, annotation, inside = "", model, model
    for step in location:
        plain, _ = stripped(annotation)
        if is_union(plain):
            annotation = section_of_kind(plain, step)  # pydantic lists the kind as a step
            continue
        inside = plain
        if isinstance(step, int):
            single = key in _TABLES and isinstance(tree.get(key), dict)
            key = key if single else f"{key}[{step}]"
            inner = get_args(plain)
            annotation = inner[0 if inner[1:] == (...,) else step] if inner else Any
        else:
            key = f"{key}.{step}" if key else step
            field = keys_of(plain).get(str(step)) if is_section(plain) else None
            annotation = Any if field is None else key_annotation(field)
    return key, annotation, inside


def _reason(fault: dict[str, Any], key: str, annotation: Any, inside: Any) -> str:
    kind, context, value = fault["type"], fault.get("ctx", {}), fault["input"]
    plain, metadata = stripped(annotation)
    if kind == "extra_forbidden":
        known = list(keys_of(inside)) if is_section(inside) else []
        word = fault["loc"][-1]
        return f"unknown key{_for_model(inside)}{did_you_mean(str(word), known)} (known: {listed(known)})"
    if kind == "missing":
        return _MISSING.get(key, f"is missing and has no default; it must be {type_words(annotation)}")
    if kind == "value_error":
        return str(context["error"])
    if kind == "literal_error":
        allowed = get_args(plain)
        return f"found {shown(value)}, allowed is one of {listed(allowed)}{did_you_mean(str(value), allowed)}"
    if kind in ("union_tag_invalid", "union_tag_not_found"):
        kinds = kinds_of(plain)
        if kind == "union_tag_not_found":
            return f'is missing its key "kind" (known kinds: {listed(kinds)})'
        tag = str(context["tag"])
        return f'unknown kind "{tag}"{did_you_mean(tag, kinds)} (known: {listed(kinds)})'
    if kind in ("too_short", "string_too_short"):
        return f"found {shown(value)}, must have at least {_entries(context['min_length'])}"
    if kind == "string_pattern_mismatch":
        return f"found {shown(value)}, {_NAME if key == 'name' else 'must fit ' + context['pattern']}"
    if kind == "finite_number":
        return f"found {shown(value)}, must be a finite number"
    limits = limit_words(metadata)
    if limits and kind.startswith(("greater_than", "less_than")):
        return f"found {shown(value)}, must be {limits}"
    return f"found {shown(value)}, must be {type_words(annotation)}"


def _for_model(section: Any) -> str:
    """The name of the model whose options a section holds, as part of a sentence."""
    is_named = is_section(section) and issubclass(section, ModelSection)
    names = get_args(section.model_fields["name"].annotation) if is_named else ()
    return f' for "{names[0]}"' if names else ""


def shown(value: Any) -> str:
    """A value for a message, close to how it was written."""
    match value:
        case bool():
            return "true" if value else "false"
        case str() | Path():
            text = f'"{value}"'
        case dict():
            return "a table"
        case datetime():
            text = value.isoformat()
        case list() | tuple():
            text = f"[{', '.join(shown(item) for item in value)}]"
        case _:
            text = str(value)
    return text if len(text) <= 60 else f"{text[:57]}..."


def _entries(count: int) -> str:
    return f"{count} entry" if count == 1 else f"{count} entries"
