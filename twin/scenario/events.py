"""The ``[[events]]``: what happens to satellites and terminals at set times."""

from __future__ import annotations

from typing import Annotated, Literal, Self

from annotated_types import MinLen
from pydantic import Field, model_validator

from twin.scenario.section import SatelliteList, Section, WordList
from twin.units import Duration

SomeSatellites = Annotated[SatelliteList, MinLen(1)]
SomeTerminals = Annotated[WordList, MinLen(1)]


class TimedSection(Section):
    """When it begins and ends, counted from the start of the run."""

    from_: Duration = Field(default=Duration(0), alias="from")
    until: Duration | None = None
    """None for the rest of the run."""

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if self.until is not None and self.until <= self.from_:
            raise ValueError(f'until = "{self.until}" must be after from = "{self.from_}"')
        return self


class OutageSection(TimedSection):
    """Satellites that nobody can use."""

    kind: Literal["outage"]
    satellites: SomeSatellites
    """NORAD ids or name patterns."""


class ExclusionSection(TimedSection):
    """Satellites that may not serve some of the terminals."""

    kind: Literal["exclusion"]
    satellites: SomeSatellites
    terminals: SomeTerminals
    """Names of terminals or groups."""


class AbsenceSection(TimedSection):
    """Terminals that are not there: they arrive at its end, or leave at its beginning."""

    kind: Literal["absence"]
    terminals: SomeTerminals


AnyEvent = Annotated[OutageSection | ExclusionSection | AbsenceSection, Field(discriminator="kind")]
