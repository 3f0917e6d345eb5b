"""``twin precoders`` and ``twin policies``."""

from __future__ import annotations

import sys
from dataclasses import MISSING, Field, dataclass, fields
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, get_type_hints

import typer

from twin.cli.output import say

if TYPE_CHECKING:
    from twin.registry import Entry

Plugins = Annotated[
    list[str] | None,
    typer.Option("--plugin", metavar="FILE_OR_MODULE", help="Include models registered by this .py file or module."),
]


def precoders(plugins: Plugins = None) -> None:
    """List the precoders and their options."""
    _list("precoder", plugins)


def policies(plugins: Plugins = None) -> None:
    """List the association policies and their options."""
    _list("policy", plugins)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Option:
    """Text of an option of a model."""

    name: str
    default: str
    type_text: str

    def __str__(self) -> str:
        return f"{self.name} = {self.default}  ({self.type_text})"


def _list(kind: str, plugins: list[str] | None) -> None:
    from twin.registry import of_kind
    from twin.scenario.plugins import import_plugins

    registry = of_kind(kind)
    import_plugins(plugins or [], Path.cwd(), "--plugin")
    if sys.stdout.isatty():
        _table(kind, list(registry))
        return
    for entry in registry:
        say(f"{entry.name}: {entry.summary} [{entry.source}]", *(f"  {option}" for option in _options(entry)))


def _table(kind: str, entries: list[Entry[Any]]) -> None:
    from rich import box
    from rich.console import Console
    from rich.table import Table

    table = Table(kind, "description", "source", "options", box=box.SIMPLE_HEAD)
    for entry in entries:
        options = "\n".join(str(option) for option in _options(entry))
        table.add_row(*(_literal(text) for text in (entry.name, entry.summary, entry.source, options)))
    Console().print(table)


def _literal(text: str) -> Any:
    """A text without markup: brackets are printed as they are."""
    from rich.text import Text

    return Text(text)


def _options(entry: Entry[Any]) -> list[_Option]:
    from twin.scenario.allowed import type_words

    hints = get_type_hints(entry.options, include_extras=True)
    return [
        _Option(name=option.name, default=_default(option), type_text=type_words(hints[option.name]))
        for option in fields(entry.options)
    ]


def _default(option: Field[Any]) -> str:
    from twin.scenario.faults import shown

    if option.default is MISSING:
        return "(required)"
    return "none" if option.default is None else shown(option.default)
