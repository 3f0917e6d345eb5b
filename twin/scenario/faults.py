"""What pydantic found, told to a person: the key, what stands there and what may stand there."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Union, get_args, get_origin

import pydantic

from twin.errors import did_you_mean, listed


def described(error: pydantic.ValidationError, tree: Mapping[str, Any], model: type[pydantic.BaseModel]) -> list[str]:
    """One line for each fault of a scenario."""
    lines = []
    for fault in error.errors(include_url=False):
        path, at = _path(fault["loc"], tree)
        lines.append(f"{path}: {_reason(dict(fault), at, model)}" if path else _reason(dict(fault), at, model))
    return lines


def nearest_file(file: Path) -> str:
    """The file that may have been meant, as the end of a sentence."""
    folder = file.parent
    names = [entry.name for entry in folder.iterdir()] if folder.is_dir() else []
    return did_you_mean(file.name, names)


def _path(location: tuple[int | str, ...], tree: Mapping[str, Any]) -> tuple[str, tuple[int | str, ...]]:
    """The key as a person writes it: tags of unions and single tables written as lists are left out."""
    steps: list[str] = []
    kept: list[int | str] = []
    place: Any = tree
    for number, step in enumerate(location):
        last = number == len(location) - 1
        if isinstance(step, int):
            if steps == ["terminals"] and isinstance(tree.get("terminals"), dict):
                place = tree["terminals"]
            else:
                steps[-1:] = [f"{steps[-1]}[{step}]"] if steps else [f"[{step}]"]
                place = place[step] if isinstance(place, list | tuple) and step < len(place) else None
        elif isinstance(place, dict) and (step in place or last) or place is None:
            steps.append(step)
            place = place.get(step) if isinstance(place, dict) else None
        elif last and not isinstance(place, dict | list):
            continue
        else:
            continue
        kept.append(step)
    return ".".join(steps), tuple(kept)


def _reason(fault: dict[str, Any], at: tuple[int | str, ...], model: type[pydantic.BaseModel]) -> str:
    kind, context = fault["type"], fault.get("ctx", {})
    if kind == "extra_forbidden":
        known = _keys_at(model, fault["loc"][:-1])
        return f"unknown key{did_you_mean(str(fault['loc'][-1]), known)} (known: {listed(known)})"
    if kind == "missing":
        return "is missing and has no default"
    if kind == "value_error":
        return str(context["error"])
    found = _shown(fault["input"])
    if kind == "literal_error":
        expected = [word.strip("'") for word in context["expected"].replace(" or ", ", ").split(", ")]
        return f"found {found}, allowed is one of {listed(expected)}{did_you_mean(str(fault['input']), expected)}"
    if kind == "union_tag_invalid":
        expected = [word.strip("'") for word in context["expected_tags"].split(", ")]
        tag = str(context["tag"])
        return f'kind "{tag}" is unknown{did_you_mean(tag, expected)} (known: {listed(expected)})'
    if kind == "union_tag_not_found":
        return 'is missing its key "kind"'
    message = fault["msg"].replace("Input should be", "must be").replace("String should", "must")
    return f"found {found}, {message[0].lower()}{message[1:]}"


def _shown(value: Any) -> str:
    text = f'"{value}"' if isinstance(value, str) else repr(value)
    return text if len(text) <= 60 else f"{text[:57]}..."


def _keys_at(model: Any, location: tuple[int | str, ...]) -> list[str]:
    """The keys allowed at a place of the scenario."""
    for step in location:
        model = _inside(model, step)
    return list(model.model_fields) if _is_model(model) else []


def _inside(model: Any, step: int | str) -> Any:
    if _is_model(model):
        field = model.model_fields.get(step)
        return _unwrapped(field.annotation) if field is not None else model
    if isinstance(step, int):
        return model
    for option in get_args(model):
        plain = _unwrapped(option)
        kind = plain.model_fields.get("kind") if _is_model(plain) else None
        if kind is not None and step in get_args(kind.annotation):
            return plain
    return model


def _unwrapped(annotation: Any) -> Any:
    """The section class (or union of section classes) inside Annotated, tuple[...] and Optional."""
    while not _is_model(annotation) and get_args(annotation):
        origin = get_origin(annotation)
        options = [option for option in get_args(annotation) if _is_model(_first(option))]
        if (origin is Union or type(annotation).__name__ == "UnionType") and len(options) > 1:
            return annotation
        annotation = options[0] if options and origin in (Union,) else get_args(annotation)[0]
    return annotation


def _first(annotation: Any) -> Any:
    return annotation if _is_model(annotation) else (get_args(annotation) or (annotation,))[0]


def _is_model(value: Any) -> bool:
    return isinstance(value, type) and issubclass(value, pydantic.BaseModel)
