"""The state of all handovers of a run: plain records, which a checkpoint writes and reads."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray

from twin.association import EMPTY_CLUSTER, Cluster
from twin.records import documented
from twin.results.record import LoggedAttempt, LoggedHandover


@documented
@dataclass(frozen=True, slots=True, kw_only=True)
class PlannedHandover:
    """A decided change before its execution: it waits for an execution of the same terminal, then it is prepared."""

    terminal: int
    """Index of the terminal."""
    satellites: tuple[int, ...]
    """NORAD ids of the new cluster."""
    master: int | None
    """NORAD id of the new master."""
    beam: int | None = None
    """Beam of the master."""
    power_fraction: tuple[tuple[int, float], ...] | None = None
    """NORAD ids of the new cluster and the fraction of its budget that each spends; None means equal fractions."""
    decided_ns: int
    """When the policy decided, since the start of the run."""
    begin_ns: int | None
    """When its preparation ends; None while it waits."""
    advance_ns: int
    """When it is advanced next: its wait or preparation ends, or it times out."""
    reason: str
    """The policy's reason, or its name."""

    def aims_at(self, satellites: tuple[int, ...], master: int | None, beam: int | None) -> bool:
        """Whether it leads to a given cluster."""
        return (self.satellites, self.master, self.beam) == (satellites, master, beam)


@documented
@dataclass(slots=True, kw_only=True)
class HandoverState:
    """All that handover control remembers. Its only writer is `HandoverControl`."""

    clusters: list[Cluster]
    """(K,) the satellites that serve each terminal."""
    memory: dict[str, NDArray[Any]] = field(default_factory=dict)
    """Of the policy."""
    changed_ns: dict[int, int] = field(default_factory=dict)
    """When the policy last changed members or master of each terminal, unless a member was lost since."""
    arriving: list[int] = field(default_factory=list)
    """Terminals that have arrived during the run and have not been served since."""
    planned: list[PlannedHandover] = field(default_factory=list)
    """At most one for each terminal."""
    weights_outdated: bool = True
    """Whether clusters have changed since weights were last computed for them."""
    events: list[LoggedHandover] = field(default_factory=list)
    """Events that no finished epoch contains yet."""
    attempts: list[LoggedAttempt] = field(default_factory=list)
    """Attempts that no finished epoch contains yet."""

    @classmethod
    def initial(cls, terminals: int) -> Self:
        """Before the first epoch: no terminal is served."""
        return cls(clusters=[EMPTY_CLUSTER] * terminals)

    def copy(self) -> Self:
        """The state as it is now; the records that it holds are never changed, only replaced."""
        return replace(
            self,
            clusters=list(self.clusters),
            memory=dict(self.memory),
            changed_ns=dict(self.changed_ns),
            arriving=list(self.arriving),
            planned=list(self.planned),
            events=list(self.events),
            attempts=list(self.attempts),
        )


def remembered(memory: dict[str, ArrayLike]) -> dict[str, NDArray[Any]]:
    """Read-only copies of a policy's memory: a checkpoint, perhaps written later, must hold what was."""
    kept = {name: np.array(array) for name, array in memory.items()}
    for array in kept.values():
        array.flags.writeable = False
    return kept
