"""What a scenario selects by name: each room keeps a registry of its models.

A model is one function in one file plus ``@registry.register(...)``. Its keyword options are a frozen
dataclass whose fields become keys of the scenario section; the scenario checks them before the clock starts.
"""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Final, Generic, TypeVar, dataclass_transform

from twin.errors import InputError, did_you_mean, listed

Model = TypeVar("Model")
Options = TypeVar("Options")

ROOMS: Final = {
    "precoder": "twin.precoding",
    "policy": "twin.association",
    "path loss": "twin.radio.channel.path_loss",
    "fading": "twin.radio.channel.fading",
    "phase error": "twin.radio.synchronisation",
}
"""Package that holds the models of each kind; all its modules are read before a name is looked up."""

_registries: dict[str, Registry[Any]] = {}


@dataclass_transform(frozen_default=True, kw_only_default=True)
def dataclass_options(options: type[Options]) -> type[Options]:
    """Make a class the options of a model."""
    return dataclass(frozen=True, slots=True, kw_only=True)(options)


@dataclass_options
class NoOptions:
    """The options of a model that has none."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry(Generic[Model]):
    """One selectable model."""

    name: str
    model: Model
    options: type
    summary: str
    source: str


class Registry(Generic[Model]):
    """The models of one kind, by name."""

    def __init__(self, kind: str) -> None:
        self.kind = kind
        self._entries: dict[str, Entry[Model]] = {}
        _registries[kind] = self

    def register(self, name: str, *, source: str, options: type = NoOptions) -> Callable[[Model], Model]:
        """Make a model selectable; its docstring's first line is its summary.

        Parameters
        ----------
        name
            What a scenario writes.
        source
            Paper and equation, or "ours".
        options
            A frozen dataclass; its fields become keys beside ``name``.

        Raises
        ------
        ValueError
            If the name is taken.
        """

        def keep(model: Model) -> Model:
            if name in self._entries and self._entries[name].model is not model:
                raise ValueError(f'the {self.kind} "{name}" is registered already')
            summary = (model.__doc__ or "").strip().split("\n")[0]
            self._entries[name] = Entry(name=name, model=model, options=options, summary=summary, source=source)
            return model

        return keep

    def __getitem__(self, name: str) -> Entry[Model]:
        if name not in self._entries:
            raise InputError(
                f'"{name}" is no {self.kind}{did_you_mean(name, self._entries)} (known: {listed(self.names())})'
            )
        return self._entries[name]

    def __iter__(self) -> Iterator[Entry[Model]]:
        return iter([self._entries[name] for name in self.names()])

    def names(self) -> list[str]:
        """Names in alphabetical order."""
        return sorted(self._entries)


def of_kind(kind: str) -> Registry[Any]:
    """The registry of a kind, with every module of its room and sub-rooms read."""
    room = importlib.import_module(ROOMS[kind])
    for module in pkgutil.walk_packages(getattr(room, "__path__", ()), f"{room.__name__}."):
        importlib.import_module(module.name)
    return _registries[kind]
