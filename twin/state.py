"""What the loop must remember between two epochs: plain records, which a checkpoint writes and reads."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any

from numpy.typing import NDArray

from twin.association import NOBODY, Cluster, Handover
from twin.precoding import Precoding


@dataclass(frozen=True, slots=True, kw_only=True)
class PlannedHandover:
    """A decision on its way to execution."""

    terminal: int
    satellites: tuple[int, ...]
    """NORAD ids of the new cluster."""
    master: int | None
    begin_ns: int
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
    planned: list[PlannedHandover] = field(default_factory=list)
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
            planned=list(self.planned),
            pending=list(self.pending),
            reports_ns=list(self.reports_ns),
            events=list(self.events),
        )
