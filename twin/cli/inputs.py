"""Options shared by several commands, and the set-up that a scenario resolves to."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from twin.errors import InputError

if TYPE_CHECKING:
    from twin.world.setup import Setup

ScenarioFile = Annotated[Path, typer.Argument(metavar="SCENARIO", help="Scenario file (TOML).")]
Settings = Annotated[
    list[str] | None,
    typer.Option(
        "--set", metavar="KEY.PATH=VALUE", help='Override a scenario key, such as time.duration="1h"; repeatable.'
    ),
]


def resolved(scenario: Path, settings: list[str]) -> Setup:
    """Read a scenario and its input files.

    Raises
    ------
    InputError
        If anything is invalid; the message begins with the name of the scenario or the setting.
    """
    from twin.scenario import load_scenario
    from twin.world.setup import Setup

    loaded = load_scenario(scenario, settings)
    with named(scenario):
        return Setup.of(loaded)


@contextmanager
def named(scenario: Path) -> Iterator[None]:
    """Prefix input errors with the name of the scenario."""
    try:
        yield
    except InputError as error:
        raise InputError(f"{scenario}: {error}") from error
