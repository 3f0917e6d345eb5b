"""The whole scenario."""

from __future__ import annotations

import hashlib
import json
from typing import Annotated, Any, Self

from annotated_types import Ge, MinLen
from pydantic import BeforeValidator, StringConstraints, model_validator

from twin.scenario.belief import BeliefSection
from twin.scenario.events import AnyEvent
from twin.scenario.section import Section, WordList
from twin.scenario.sections import (
    AssociationSection,
    ChannelSection,
    ConstellationSection,
    PrecodingSection,
    PrecompensationSection,
    ReceiverSection,
    SatellitesSection,
    TimeSection,
    TraceSection,
)
from twin.scenario.summary import summary
from twin.scenario.terminals import AnyGroup
from twin.units import Duration


def _as_list(value: object) -> object:
    return [value] if isinstance(value, dict) else value


class Scenario(Section):
    """A checked, frozen experiment: all inputs that determine what a run computes."""

    name: Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*$")]
    """Name of the trace: letters, digits, dot, dash and underscore."""
    seed: Annotated[int, Ge(0)] = 0
    """Seed of all random draws."""
    plugins: WordList = ()
    """Modules or .py files that register your own precoders, policies and other models."""
    time: TimeSection = TimeSection()
    """Start, duration and epoch."""
    constellation: ConstellationSection = ConstellationSection()
    """Satellites and the source of their elements."""
    satellites: SatellitesSection = SatellitesSection()
    """Power and antenna arrays of the satellites."""
    belief: BeliefSection = BeliefSection()
    """Errors of what the network believes."""
    terminals: Annotated[tuple[AnyGroup, ...], MinLen(1), BeforeValidator(_as_list)]
    """Groups of terminals; one group may be written as one table."""
    channel: ChannelSection
    """Carrier, bandwidth, path loss, fading and noise."""
    precompensation: PrecompensationSection
    """Model of the phase error that compensation leaves."""
    association: AssociationSection
    """Policy, capacity and duration of handovers."""
    precoding: PrecodingSection
    """Precoder and its cadence."""
    receiver: ReceiverSection = ReceiverSection()
    """Receiver, interference and draws of the rates."""
    events: Annotated[tuple[AnyEvent, ...], BeforeValidator(_as_list)] = ()
    """Outages, exclusion windows and absences."""
    trace: TraceSection = TraceSection()
    """Tables that are written."""

    @model_validator(mode="after")
    def _cadences_fit(self) -> Self:
        for key, cadence in (
            ("association.every", self.association.every),
            ("precoding.every", self.precoding.every),
        ):
            if cadence <= 0 or cadence % self.time.epoch:
                raise ValueError(
                    f'{key} = "{cadence}" must be a whole multiple of time.epoch = "{self.time.epoch}", at least one'
                )
        return self

    @model_validator(mode="after")
    def _group_names_differ(self) -> Self:
        names = [group.name for group in self.terminals]
        if repeated := {name for name in names if names.count(name) > 1}:
            raise ValueError(
                f'terminals: {names.count(min(repeated))} groups have the name "{min(repeated)}";'
                " give each group its own name"
            )
        return self

    def resolved(self) -> dict[str, Any]:
        """Every key with its value, defaults included, as plain data."""
        return self.model_dump(mode="json", by_alias=True)

    def digest(self) -> str:
        """SHA-256 of the resolved scenario without ``trace.flush``, which changes no row."""
        resolved = self.resolved()
        del resolved["trace"]["flush"]
        text = json.dumps(resolved, sort_keys=True, separators=(",", ":"))
        return hashlib.sha256(text.encode()).hexdigest()

    def __str__(self) -> str:
        return summary(self)

    def __repr__(self) -> str:
        return summary(self)

    def epochs_in(self, duration: Duration) -> int:
        """Number of whole epochs in a duration."""
        return int(duration) // int(self.time.epoch)
