"""The outage schedule: outages, exclusion windows, inactive terminals and excluded satellites, known beforehand."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from itertools import pairwise
from typing import TYPE_CHECKING, Final, Self

import numpy as np

from twin.arrays import BoolArray, FloatArray, IntArray
from twin.errors import InputError, did_you_mean, listed
from twin.geometry.terminals import Terminals
from twin.records import documented
from twin.vocabulary import Reason

if TYPE_CHECKING:
    from twin.scenario import Scenario


_END: Final = np.iinfo(np.int64).max
_REASONS: Final = {
    "absence": Reason.TERMINAL_LEFT,
    "outage": Reason.OUTAGE,
    "exclusion": Reason.EXCLUSION_WINDOW,
}
"""By kind of event in the scenario."""


@documented
@dataclass(frozen=True, slots=True, kw_only=True)
class Restriction:
    """An interval in which some satellites must not serve some terminals."""

    reason: Reason
    """Why the satellites are restricted."""
    begin_ns: int
    """Since the start of the run."""
    end_ns: int
    """The first instant after the restriction."""
    norad_id: IntArray | None
    """Satellites, ascending; None means all."""
    terminals: BoolArray | None
    """(K,) which terminals; None means all."""

    def holds(self, now_ns: int) -> bool:
        """Whether it is in force at an instant."""
        return self.begin_ns <= now_ns < self.end_ns

    def pairs(self, norad_id: IntArray, terminals: int) -> BoolArray:
        """(S,K) pairs of some satellites and all terminals that it concerns."""
        rows = np.ones(len(norad_id), np.bool_) if self.norad_id is None else np.isin(norad_id, self.norad_id)
        columns = np.ones(terminals, np.bool_) if self.terminals is None else self.terminals
        return np.asarray(rows[:, None] & columns)


@documented
@dataclass(frozen=True, slots=True, kw_only=True)
class OutageSchedule:
    """All restrictions of a run: a function of time alone, so that a checkpoint need not hold it."""

    terminals: int
    """K."""
    restrictions: tuple[Restriction, ...]
    """All restrictions of the run."""

    @classmethod
    def of(cls, scenario: Scenario, names: dict[int, str], terminals: Terminals) -> Self:
        """Resolve the names of a scenario's events.

        Parameters
        ----------
        names
            Name of each satellite by NORAD id.

        Raises
        ------
        InputError
            If a satellite or terminal is unknown.
        """
        restrictions = []
        groups = {group.name: index for index, group in enumerate(scenario.terminals)}
        for place, event in enumerate(scenario.events):
            where = f"events[{place}]"
            satellites = getattr(event, "satellites", None)
            wanted = getattr(event, "terminals", None)
            restrictions.append(
                Restriction(
                    reason=_REASONS[event.kind],
                    begin_ns=int(event.from_),
                    end_ns=_END if event.until is None else int(event.until),
                    norad_id=None if satellites is None else _satellites(satellites, names, where),
                    terminals=None if wanted is None else _terminals(wanted, terminals, groups, where),
                )
            )
        if exclude := scenario.association.exclude:
            never = _satellites(exclude, names, "association", "exclude")
            restrictions.append(
                Restriction(reason=Reason.EXCLUDED, begin_ns=0, end_ns=_END, norad_id=never, terminals=None)
            )
        order = (Reason.TERMINAL_LEFT, Reason.EXCLUDED, Reason.OUTAGE, Reason.EXCLUSION_WINDOW)
        return cls(
            terminals=terminals.count,
            restrictions=tuple(sorted(restrictions, key=lambda restriction: order.index(restriction.reason))),
        )

    @property
    def transitions_ns(self) -> list[int]:
        """Instants at which a restriction begins or ends, ascending."""
        return sorted(
            {at for restriction in self.restrictions for at in (restriction.begin_ns, restriction.end_ns) if at != _END}
        )

    def restricted(self, now_ns: int, norad_id: IntArray) -> list[tuple[Reason, BoolArray]]:
        """For each restriction in force, its reason and the (S,K) pairs of some satellites that must not serve."""
        return [
            (restriction.reason, restriction.pairs(norad_id, self.terminals))
            for restriction in self.restrictions
            if restriction.holds(now_ns)
        ]

    def allowed(self, now_ns: int, norad_id: IntArray) -> BoolArray | None:
        """(S,K) pairs of some satellites that may serve; None means that all may."""
        found = self.restricted(now_ns, norad_id)
        return ~np.logical_or.reduce([pairs for _, pairs in found]) if found else None

    def absent(self, now_ns: int) -> BoolArray:
        """(K,) inactive terminals: those that have not arrived or have left."""
        absent = np.zeros(self.terminals, dtype=np.bool_)
        for restriction in self.restrictions:
            inactivity = restriction.reason == Reason.TERMINAL_LEFT and restriction.holds(now_ns)
            if inactivity and restriction.terminals is not None:
                absent |= restriction.terminals
        return absent

    def present_fraction(self, begin_ns: int, end_ns: int) -> FloatArray:
        """(K,) fraction of an interval in which each terminal is present."""
        if not any(restriction.reason == Reason.TERMINAL_LEFT for restriction in self.restrictions):
            return np.ones(self.terminals)
        edges = [begin_ns, *(at for at in self.transitions_ns if begin_ns < at < end_ns), end_ns]
        present = np.zeros(self.terminals)
        for start, stop in pairwise(edges):
            present += (stop - start) * ~self.absent(start)
        return np.asarray(present / (end_ns - begin_ns))


def _satellites(wanted: Sequence[int | str], names: dict[int, str], where: str, key: str = "satellites") -> IntArray:
    chosen: set[int] = set()
    for one in wanted:
        if isinstance(one, int):
            found = [one] if one in names else []
            fault = f"satellite {one} is not in the catalogue"
        else:
            found = [norad_id for norad_id, name in names.items() if fnmatchcase(name.upper(), one.upper())]
            fault = f'no satellite is named "{one}"' + ("" if found else _nearest(one.upper(), names.values()))
        if not found:
            raise InputError(f"{where}.{key}: {fault}")
        chosen.update(found)
    return np.array(sorted(chosen), dtype=np.int64)


def _nearest(word: str, words: Iterable[str]) -> str:
    return did_you_mean(word, sorted(set(words)))


def _terminals(wanted: Sequence[str], terminals: Terminals, groups: dict[str, int], where: str) -> BoolArray:
    chosen = np.zeros(terminals.count, dtype=np.bool_)
    for one in wanted:
        if one not in terminals.names and one not in groups:
            near = _nearest(one, [*terminals.names, *groups])
            raise InputError(
                f'{where}.terminals: no terminal or group is named "{one}"{near} (groups: {listed(groups)})'
            )
        if one in terminals.names:
            chosen[terminals.names.index(one)] = True
        if one in groups:
            chosen |= terminals.group == groups[one]
    return chosen
