"""The ``[[events]]`` section: outages, exclusion windows and absences at given times."""

from __future__ import annotations

from typing import Annotated, Literal, Self

from annotated_types import MinLen
from pydantic import Field, model_validator

from twin.scenario.section import SatelliteList, Section, WordList
from twin.units import Duration

SomeSatellites = Annotated[SatelliteList, MinLen(1)]
SomeTerminals = Annotated[WordList, MinLen(1)]


class TimedSection(Section):
    """Beginning and end of an event, counted from the start of the run."""

    from_: Duration = Field(default=Duration(0), alias="from")
    """Beginning."""
    until: Duration | None = None
    """End; None means the end of the run."""

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if self.until is not None and self.until <= self.from_:
            raise ValueError(f'until = "{self.until}" must be after from = "{self.from_}"')
        return self


class OutageSection(TimedSection):
    """Satellites that are out of service."""

    kind: Literal["outage"]
    """Satellites neither serve nor are seen."""
    satellites: SomeSatellites
    """NORAD ids or name patterns."""


class ExclusionSection(TimedSection):
    """Satellites that may not serve some terminals."""

    kind: Literal["exclusion"]
    """Satellites are not selected any more."""
    satellites: SomeSatellites
    """NORAD ids or name patterns of the satellites."""
    terminals: SomeTerminals
    """Names of terminals or groups."""


class AbsenceSection(TimedSection):
    """Terminals that are absent: they leave at its beginning and arrive at its end."""

    kind: Literal["absence"]
    """Terminals take no part."""
    terminals: SomeTerminals
    """Names of terminals or groups."""


AnyEvent = Annotated[OutageSection | ExclusionSection | AbsenceSection, Field(discriminator="kind")]
