"""A scenario in a few lines of text."""

from __future__ import annotations

from typing import Protocol

from twin.scenario.sections import (
    AssociationSection,
    ChannelSection,
    ConstellationSection,
    PrecodingSection,
    PrecompensationSection,
    SatellitesSection,
    TimeSection,
)
from twin.scenario.terminals import AnyGroup, DiscGroupSection, ListGroupSection
from twin.text import counted

_LONGEST = 100
"""Characters of a line."""
_MOST_GROUPS = 3


class Summarised(Protocol):
    """The parts of a scenario that its summary names."""

    name: str
    seed: int
    time: TimeSection
    constellation: ConstellationSection
    satellites: SatellitesSection
    terminals: tuple[AnyGroup, ...]
    channel: ChannelSection
    precompensation: PrecompensationSection
    association: AssociationSection
    precoding: PrecodingSection


def summary(scenario: Summarised) -> str:
    """Name, seed and the main choices of a scenario, in eight lines."""
    time, channel = scenario.time, scenario.channel
    association, precoding = scenario.association, scenario.precoding
    array = scenario.satellites.array
    epochs = counted(time.epochs, "epoch")
    lines = {
        f'Scenario "{scenario.name}"': f"seed {scenario.seed}",
        "  time": f"{time.start:%Y-%m-%dT%H:%M:%SZ}, {time.duration} in {epochs} of {time.epoch}",
        "  constellation": _constellation(scenario.constellation),
        "  satellites": f"arrays of {array.rows} x {array.columns},"
        f" {scenario.satellites.power_per_subcarrier_dbm:g} dBm per subcarrier",
        "  terminals": _terminals(scenario.terminals),
        "  channel": f"{channel.carrier_ghz:g} GHz, {channel.bandwidth_mhz:g} MHz,"
        f" {channel.path_loss.name}, {channel.fading.name}",
        "  association": f"{association.name} every {association.every}",
        "  precoding": f"{precoding.name} every {precoding.every}, {scenario.precompensation.name}",
    }
    width = max(map(len, lines))
    return "\n".join(_shortened(f"{key:{width}}  {value}") for key, value in lines.items())


def _constellation(section: ConstellationSection) -> str:
    if section.source:
        first, *others = (file.name for file in section.source)
        return f"{first} and {counted(len(others), 'other file')}" if others else first
    walker = section.walker
    return (
        f"Walker {walker.kind}, {walker.planes} x {walker.per_plane} satellites,"
        f" {walker.altitude_km:g} km, {walker.inclination_deg:g} deg"
    )


def _terminals(groups: tuple[AnyGroup, ...]) -> str:
    words = [f"{_count(group)} ({group.kind})" for group in groups[:_MOST_GROUPS]]
    more = len(groups) - len(words)
    return " + ".join(words) + (f" + {counted(more, 'other group')}" if more else "")


def _count(group: AnyGroup) -> str:
    """The number of terminals of a group where the scenario gives it, and its name."""
    match group:
        case DiscGroupSection():
            return f"{group.count:,} {group.name}"
        case ListGroupSection():
            return f"{len(group.positions):,} {group.name}"
        case _:
            return group.name


def _shortened(line: str) -> str:
    return line if len(line) <= _LONGEST else f"{line[: _LONGEST - 3]}..."
