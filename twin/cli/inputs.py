"""Options that several commands share, and the resolved network behind a scenario."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from twin.errors import InputError

if TYPE_CHECKING:
    from twin.world.setup import Setup

ScenarioFile = Annotated[Path, typer.Argument(metavar="SCENARIO", help="The scenario, a TOML file.")]
Settings = Annotated[
    list[str] | None,
    typer.Option("--set", metavar="KEY.PATH=VALUE", help='Replace a key, as time.duration="1h"; repeatable.'),
]


def resolved(scenario: Path, settings: list[str]) -> Setup:
    """Read a scenario and all that it names.

    Raises
    ------
    InputError
        If anything is wrong, beginning with the scenario's or the setting's name.
    """
    from twin.scenario import load_scenario
    from twin.world.setup import Setup

    loaded = load_scenario(scenario, settings)
    with named(scenario):
        return Setup.of(loaded)


@contextmanager
def named(scenario: Path) -> Iterator[None]:
    """Put the name of the scenario before errors that arise from what it says."""
    try:
        yield
    except InputError as error:
        raise InputError(f"{scenario}: {error}") from error
