"""The base class of all sections: frozen, without unknown keys, with defaults for tables given in part."""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from dataclasses import MISSING, Field, fields
from functools import cache, partial
from pathlib import Path
from typing import Annotated, Any, ClassVar, Literal, get_type_hints

import pydantic
from annotated_types import Ge, Gt, Le
from pydantic import BeforeValidator, ConfigDict, model_validator

from twin.records import documented
from twin.registry import of_kind

Latitude = Annotated[float, Ge(-90.0), Le(90.0)]
Longitude = Annotated[float, Ge(-180.0), Le(360.0)]
Positive = Annotated[float, Gt(0.0)]
NotNegative = Annotated[float, Ge(0.0)]
Count = Annotated[int, Ge(1)]


def _as_tuple(value: object) -> object:
    return [value] if isinstance(value, str | Path | int) else value


def _not_empty(value: object) -> object:
    """Refuse an empty path, which would mean the current folder."""
    if value == "":
        raise ValueError('found "", must be the path of a file')
    return value


PathList = Annotated[tuple[Annotated[Path, BeforeValidator(_not_empty)], ...], BeforeValidator(_as_tuple)]
WordList = Annotated[tuple[str, ...], BeforeValidator(_as_tuple)]
SatelliteList = Annotated[tuple[int | str, ...], BeforeValidator(_as_tuple)]
"""NORAD ids and name patterns (``STARLINK-1*``)."""

_SELECTORS = ("kind", "name")
"""Keys that decide which other keys a table has."""


class Section(pydantic.BaseModel):
    """A table of a scenario.

    A key that a table inside it does not give has the value of this section's default for that table: with
    ``array: ArraySection = ArraySection(rows=16, columns=16)``, ``array = { rows = 8 }`` is an array of 8 x 16.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    @classmethod
    def __pydantic_init_subclass__(cls, **options: Any) -> None:
        super().__pydantic_init_subclass__(**options)
        documented(cls)
        keys = cls.model_fields.items()
        cls.__signature__ = inspect.Signature([_parameter(key, field.is_required()) for key, field in keys])

    @model_validator(mode="before")
    @classmethod
    def _complete_tables(cls, given: Any) -> Any:
        if not isinstance(given, Mapping):
            return given
        completed = dict(given)
        for name, field in cls.model_fields.items():
            key, default = field.alias or name, field.default
            if isinstance(default, Section) and isinstance(given.get(key), Mapping):
                completed[key] = _completed(given[key], default.model_dump(exclude_unset=True, by_alias=True))
        return completed


class _Default:
    """A default in a signature."""

    def __repr__(self) -> str:
        return "..."


def _parameter(key: str, required: bool) -> inspect.Parameter:
    """A key in the signature that ``help()`` shows; types and defaults stand in the list of fields."""
    default = inspect.Parameter.empty if required else _Default()
    return inspect.Parameter(key, inspect.Parameter.KEYWORD_ONLY, default=default)


def _completed(given: Mapping[str, Any], default: Mapping[str, Any]) -> dict[str, Any]:
    """A table with the keys of the default that it does not give, unless it selects another kind or name."""
    if any(key in given and given[key] != default.get(key) for key in _SELECTORS if key in default):
        return dict(given)
    both = {
        key: _completed(value, default[key])
        for key, value in given.items()
        if isinstance(value, Mapping) and isinstance(default.get(key), Mapping)
    }
    return {**default, **given, **both}


class ModelSection(Section):
    """A section that selects a model by name; the model's options are further keys of it."""

    kind: ClassVar[str]
    name: str
    """Name of the selected model."""

    def options(self) -> Any:
        """The options of the selected model, as the dataclass that it registered."""
        options = of_kind(self.kind)[self.name].options
        return options(**{field.name: getattr(self, field.name) for field in fields(options)})

    def bound(self) -> Any:
        """The selected model with its options bound."""
        return partial(of_kind(self.kind)[self.name].model, options=self.options())


@cache
def selected(base: type[ModelSection], name: str) -> type[ModelSection]:
    """The section class of one model: the base section with the model's options as keys.

    Raises
    ------
    InputError
        If no model has that name.
    """
    entry = of_kind(base.kind)[name]
    hints = get_type_hints(entry.options, include_extras=True)
    keys: dict[str, Any] = {"name": (Literal[name], name)}
    for option in fields(entry.options):
        keys[option.name] = (hints[option.name], _default(option))
    made: type[ModelSection] = pydantic.create_model(
        f"{base.__name__}.{name}", __base__=base, __doc__=entry.summary, **keys
    )
    return made


def _default(option: Field[Any]) -> Any:
    """The default of an option as pydantic writes it."""
    if option.default is not MISSING:
        return option.default
    return ... if option.default_factory is MISSING else pydantic.Field(default_factory=option.default_factory)
