"""Registries of the models that a scenario selects by name.

A model is one function in one file, registered in the registry of its kind. Its options are a frozen dataclass whose
fields become keys of the scenario section, which are checked before the run starts.
"""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final, Generic, TypeVar, dataclass_transform

from twin.errors import InputError, did_you_mean, listed
from twin.records import documented

Model = TypeVar("Model")
Options = TypeVar("Options")

ROOMS: Final = {
    "precoder": "twin.precoding",
    "policy": "twin.association",
    "path loss": "twin.radio.channel.path_loss",
    "fading": "twin.radio.channel.fading",
    "phase error": "twin.radio.synchronisation",
}
"""Package that holds the models of each kind."""

_registries: dict[str, Registry[Any]] = {}


@dataclass_transform(frozen_default=True, kw_only_default=True)
def dataclass_options(options: type[Options]) -> type[Options]:
    """Decorate a class as the options of a model: a frozen dataclass with keyword-only fields."""
    return documented(dataclass(frozen=True, slots=True, kw_only=True)(options))


@dataclass_options
class NoOptions:
    """The options of a model that has none."""


@documented
@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """What is known of a scenario before its run, for options that depend on it.

    Options that do have a method ``check(facts)``, which raises ValueError with a message that begins with the key.
    """

    carrier_hz: float
    """Carrier frequency."""
    path_loss: Any
    """Options of the selected path loss."""
    satellite_rows: int
    """Rows of every satellite's array."""
    satellite_columns: int
    """Columns of every satellite's array."""
    terminal_elements: int
    """Elements of the smallest terminal's array."""
    largest_cluster: int | None
    """Most satellites that the policy lets serve one terminal; None if it does not declare that."""


def check(options: Any, facts: Facts) -> None:
    """Let options refuse what a scenario cannot meet.

    Raises
    ------
    ValueError
        Of the options' own ``check``; the message begins with the key.
    """
    own = getattr(options, "check", None)
    if own is not None:
        own(facts)


@documented
@dataclass(frozen=True, slots=True, kw_only=True)
class Entry(Generic[Model]):
    """One selectable model."""

    name: str
    """Name that a scenario writes."""
    model: Model
    """Registered function."""
    options: type
    """Class of its options, a frozen dataclass."""
    summary: str
    """First line of its docstring."""
    source: str
    """Paper and equation, or ``ours``."""


class Registry(Generic[Model]):
    """The models of one kind, by name.

    The modules of the kind's room are imported when a name is first looked up, so that all models are found,
    independent of earlier imports.
    """

    def __init__(self, kind: str) -> None:
        self.kind = kind
        self._entries: dict[str, Entry[Model]] = {}
        self._complete = False
        _registries[kind] = self

    def add(self, name: str, model: Model, *, source: str, options: type = NoOptions) -> None:
        """Make a model selectable; its docstring's first line is its summary.

        Parameters
        ----------
        name
            What a scenario writes.
        model
            The function.
        source
            Paper and equation, or "ours".
        options
            A frozen dataclass; its fields become keys of the scenario section.

        Raises
        ------
        ValueError
            If the name is taken.
        """
        if name in self._entries and self._entries[name].model is not model:
            raise ValueError(f'the {self.kind} "{name}" is registered already')
        summary = (model.__doc__ or "").strip().split("\n")[0]
        self._entries[name] = Entry(name=name, model=model, options=options, summary=summary, source=source)

    def remove(self, name: str) -> None:
        """Forget a model, as if it had not been added."""
        del self._entries[name]

    def __getitem__(self, name: str) -> Entry[Model]:
        self._read_room()
        if name not in self._entries:
            raise InputError(
                f'"{name}" is no {self.kind}{did_you_mean(name, self._entries)} (known: {listed(self.names())})'
            )
        return self._entries[name]

    def __contains__(self, name: object) -> bool:
        self._read_room()
        return name in self._entries

    def __iter__(self) -> Iterator[Entry[Model]]:
        return iter([self._entries[name] for name in self.names()])

    def __len__(self) -> int:
        return len(self.names())

    def __repr__(self) -> str:
        return f"<registry of {self.kind} models: {', '.join(self.names())}>"

    def names(self) -> list[str]:
        """Names in alphabetical order."""
        self._read_room()
        return sorted(self._entries)

    def _read_room(self) -> None:
        """Import every module of the room, once."""
        if self._complete:
            return
        self._complete = True  # modules of the room may look names up while they are imported
        try:
            room = importlib.import_module(ROOMS[self.kind])
            for module in pkgutil.walk_packages(getattr(room, "__path__", ()), f"{room.__name__}."):
                importlib.import_module(module.name)
        except BaseException:
            self._complete = False
            raise


def of_kind(kind: str) -> Registry[Any]:
    """The registry of a kind."""
    if kind not in _registries:
        importlib.import_module(ROOMS[kind])
    return _registries[kind]
