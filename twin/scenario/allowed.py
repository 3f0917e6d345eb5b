"""The values that a key of a scenario accepts: read from its annotation, and described in words."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from types import NoneType, UnionType
from typing import Annotated, Any, Final, Literal, Union, get_args, get_origin

import pydantic
from annotated_types import Ge, Gt, Le, Lt

from twin.errors import listed
from twin.units import Duration

_WORDS: Final[dict[Any, str]] = {
    bool: "true or false",
    int: "a whole number",
    float: "a number",
    str: "text",
    Path: "text (a path)",
    datetime: "a date and time, as 2026-01-01T00:00:00Z",
    Duration: 'a duration, as "15s"',
}
_ENTRIES: Final[dict[Any, str]] = {float: "numbers", int: "whole numbers", str: "texts", Path: "paths"}
_LIMITS: Final = ((Ge, "ge", "at least"), (Gt, "gt", "more than"), (Le, "le", "at most"), (Lt, "lt", "less than"))


def type_words(annotation: Any) -> str:
    """The values that a key accepts, in words.

    >>> type_words(tuple[float, float]), type_words(Annotated[int, Ge(1)] | None)
    ('a list of 2 numbers', 'a whole number, at least 1')
    """
    plain, metadata = stripped(annotation)
    if is_section(plain):
        return "a table"
    if is_union(plain):
        options = [option for option in get_args(plain) if option is not NoneType]
        return " or ".join(dict.fromkeys(type_words(option) for option in options))
    if get_origin(plain) is Literal:
        return f"one of {listed(get_args(plain))}"
    if get_origin(plain) is tuple:
        inner = get_args(plain)
        entry = stripped(inner[0])[0]
        entries = get_args(entry) if is_union(entry) else [entry]
        words = " or ".join(_ENTRIES.get(each, "tables") for each in dict.fromkeys(map(_bare, entries)))
        return f"a list of {words}" if inner[1:] == (...,) else f"a list of {len(inner)} {words}"
    limits = limit_words(metadata)
    return _WORDS.get(plain, "a value") + (f", {limits}" if limits else "")


def _bare(annotation: Any) -> Any:
    plain, _ = stripped(annotation)
    return dict if is_section(plain) else plain


def keys_of(section: Any) -> dict[str, Any]:
    """The fields of a section by the keys that a scenario writes."""
    return {field.alias or name: field for name, field in section.model_fields.items()}


def limit_words(metadata: list[Any]) -> str:
    """The limits of a number, in words."""
    found = {kind: getattr(item, name) for kind, name, _ in _LIMITS for item in metadata if isinstance(item, kind)}
    if set(found) == {Ge, Le}:
        return f"from {found[Ge]:,.10g} to {found[Le]:,.10g}"
    return " and ".join(f"{words} {found[kind]:,.10g}" for kind, _, words in _LIMITS if kind in found)


def key_annotation(field: Any) -> Any:
    """The annotation of a key of a section, including its metadata."""
    return Annotated[field.annotation, *field.metadata] if field.metadata else field.annotation


def stripped(annotation: Any) -> tuple[Any, list[Any]]:
    """An annotation without its metadata and without None; and the metadata."""
    metadata: list[Any] = []
    while True:
        if get_origin(annotation) is Annotated:
            metadata += annotation.__metadata__
            annotation = annotation.__origin__
            continue
        options = [option for option in get_args(annotation) if option is not NoneType]
        if is_union(annotation) and len(options) == 1:
            annotation = options[0]
            continue
        return annotation, metadata


def may_be_none(annotation: Any) -> bool:
    """Whether a key may be None."""
    bare = annotation.__origin__ if get_origin(annotation) is Annotated else annotation
    return NoneType in get_args(bare)


def section_of(plain: Any, value: Mapping[str, Any]) -> Any:
    """The section class of a table; None if the annotation has no such class, which pydantic reports."""
    if is_union(plain):
        return section_of_kind(plain, value.get("kind"))
    return plain if is_section(plain) else None


def section_of_kind(union: Any, tag: Any) -> Any:
    """The section class of a kind in a union of section classes; None if the kind is unknown."""
    for option in get_args(union):
        if is_section(option) and tag in get_args(option.model_fields["kind"].annotation):
            return option
    return None


def kinds_of(union: Any) -> list[str]:
    """The kinds of the section classes in a union."""
    return [kind for option in get_args(union) for kind in get_args(option.model_fields["kind"].annotation)]


def is_union(value: Any) -> bool:
    """Whether an annotation is a union of types."""
    return get_origin(value) in (Union, UnionType)


def is_section(value: Any) -> bool:
    """Whether an annotation is a section class, so that the value is a table."""
    return isinstance(value, type) and issubclass(value, pydantic.BaseModel)
