"""What every scenario section shares: frozen, complete, unknown keys refused."""

from __future__ import annotations

from dataclasses import MISSING, fields
from functools import cache, partial
from pathlib import Path
from typing import Annotated, Any, ClassVar, Literal, get_type_hints

import pydantic
from annotated_types import Ge, Gt, Le
from pydantic import BeforeValidator, ConfigDict

from twin.registry import of_kind

Latitude = Annotated[float, Ge(-90.0), Le(90.0)]
Longitude = Annotated[float, Ge(-180.0), Le(360.0)]
Positive = Annotated[float, Gt(0.0)]
NotNegative = Annotated[float, Ge(0.0)]
Count = Annotated[int, Ge(1)]


def _as_tuple(value: object) -> object:
    return [value] if isinstance(value, str | Path | int) else value


def _some_path(value: object) -> object:
    """An empty path would be the current folder."""
    if value == "":
        raise ValueError('found "", must be the path of a file')
    return value


PathList = Annotated[tuple[Annotated[Path, BeforeValidator(_some_path)], ...], BeforeValidator(_as_tuple)]
WordList = Annotated[tuple[str, ...], BeforeValidator(_as_tuple)]
SatelliteList = Annotated[tuple[int | str, ...], BeforeValidator(_as_tuple)]
"""NORAD ids and name patterns (``STARLINK-1*``)."""


class Section(pydantic.BaseModel):
    """A part of a scenario."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


class ModelSection(Section):
    """A section that selects a model by name; the model's options are keys beside ``name``."""

    kind: ClassVar[str]
    name: str

    def options(self) -> Any:
        """The selected model's options, as the dataclass that it registered."""
        options = of_kind(self.kind)[self.name].options
        return options(**{field.name: getattr(self, field.name) for field in fields(options)})

    def bound(self) -> Any:
        """The selected model, its options filled in."""
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
        default = ... if option.default is MISSING else option.default
        keys[option.name] = (hints[option.name], default)
    made: type[ModelSection] = pydantic.create_model(f"{base.__name__}.{name}", __base__=base, **keys)
    return made
