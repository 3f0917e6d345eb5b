"""What the loop must remember between two epochs: plain records, which a checkpoint writes and reads."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any

from numpy.typing import NDArray

from twin.association import NOBODY, Cluster, Handover
from twin.precoding import Precoding


@dataclass(frozen=True, slots=True, kw_only=True)
class PlannedHandover:
    """A decision on its way to execution: it waits while another one of the terminal is executed, then is prepared."""

    terminal: int
    satellites: tuple[int, ...]
    """NORAD ids of the new cluster."""
    master: int | None
    beam: int | None = None
    """Beam of the master."""
    power_fraction: tuple[tuple[int, float], ...] | None = None
    """NORAD ids of the new cluster and the share of its budget that each spends; none for equal shares."""
    decided_ns: int
    begin_ns: int | None
    """When its preparation ends; none while it waits."""
    look_ns: int
    """When it is to be looked at next: its wait or preparation ends, or its time is over."""
    reason: str

    def aims_at(self, satellites: tuple[int, ...], master: int | None, beam: int | None) -> bool:
        """Whether it leads to a certain cluster."""
        return (self.satellites, self.master, self.beam) == (satellites, master, beam)


@dataclass(frozen=True, slots=True, kw_only=True)
class LoggedAttempt:
    """A decided change and what became of it."""

    time_ns: int
    """When that was known."""
    terminal: int
    decided_ns: int
    begun_ns: int | None
    """When its execution began; none if it never did."""
    before: tuple[int, ...]
    """NORAD ids of the cluster at that time, before the change."""
    wanted: tuple[int, ...]
    """NORAD ids of the cluster that was decided for."""
    outcome: str
    """executed, target lost, capacity refused, timed out or superseded."""
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PendingWeights:
    """Weights that are computed and not in force yet."""

    due_ns: int
    precoding: Precoding


@dataclass(frozen=True, slots=True, kw_only=True)
class LoggedHandover:
    """An event and when it happened."""

    time_ns: int
    handover: Handover


@dataclass(slots=True, kw_only=True)
class LoopState:
    """All that a run must remember between two epochs; plain data, so that it can be written and read again."""

    next_epoch: int = 0
    clusters: list[Cluster]
    """(K,) who serves each terminal."""
    memory: dict[str, NDArray[Any]] = field(default_factory=dict)
    """Of the policy."""
    changed_ns: dict[int, int] = field(default_factory=dict)
    """When the policy last changed the members or the master of each terminal, unless a member was lost since."""
    arriving: list[int] = field(default_factory=list)
    """Terminals that have arrived during the run and have not been served since."""
    planned: list[PlannedHandover] = field(default_factory=list)
    """One at most for each terminal."""
    pending: list[PendingWeights] = field(default_factory=list)
    in_force: Precoding | None = None
    latest: Precoding | None = None
    """The newest solution, in force or not: where the next one starts from."""
    solved_epoch: int = -1
    """When it was computed."""
    solved_current: bool = False
    """Whether the clusters are still those that it was computed for."""
    known_ns: int
    """Instant of the newest statistical CSI that has reached the precoder."""
    reports_ns: list[int] = field(default_factory=list)
    """Instants of the statistical CSI on its way."""
    events: list[LoggedHandover] = field(default_factory=list)
    """Of epochs that are not closed yet."""
    attempts: list[LoggedAttempt] = field(default_factory=list)
    """Of epochs that are not closed yet."""

    @classmethod
    def fresh(cls, terminals: int, csi_age_ns: int) -> LoopState:
        """Before the first epoch: nobody is served."""
        return cls(clusters=[NOBODY] * terminals, known_ns=-csi_age_ns)

    def snapshot(self) -> LoopState:
        """The state as it is now; what it holds is never changed, only replaced."""
        return replace(
            self,
            clusters=list(self.clusters),
            memory=dict(self.memory),
            changed_ns=dict(self.changed_ns),
            arriving=list(self.arriving),
            planned=list(self.planned),
            pending=list(self.pending),
            reports_ns=list(self.reports_ns),
            events=list(self.events),
            attempts=list(self.attempts),
        )
