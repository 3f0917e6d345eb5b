"""What a run remembers between two epochs: plain records, which a checkpoint writes and reads."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Self

from twin.precoding import Precoding
from twin.records import documented
from twin.simulation.handover.state import HandoverState


@documented
@dataclass(frozen=True, slots=True, kw_only=True)
class PendingWeights:
    """Weights that are being computed or distributed."""

    due_ns: int
    """When they are in force, since the start of the run."""
    precoding: int
    """Number of the precoding."""


@documented
@dataclass(slots=True, kw_only=True)
class LoopState:
    """What the loop remembers between two epochs: decisions, with precodings by number."""

    next_epoch: int = 0
    """Number of the first epoch that has not been closed."""
    handover: HandoverState
    """Written by handover control alone."""
    next_precoding: int = 0
    """Number of the next precoding task."""
    pending: list[PendingWeights] = field(default_factory=list)
    """Weights that are being computed."""
    in_force: int | None = None
    """Number of the precoding on the air."""
    latest: int | None = None
    """Number of the newest precoding, in force or not, from which the next one of its block starts."""
    solved_epoch: int = -1
    """Epoch in which the newest precoding was computed."""
    known_ns: int
    """Instant of the newest statistical CSI that has reached the precoder."""
    reports_ns: list[int] = field(default_factory=list)
    """Instants of the reports of statistical CSI on their way."""

    @classmethod
    def initial(cls, terminals: int, csi_age_ns: int) -> Self:
        """Before the first epoch: no terminal is served."""
        return cls(handover=HandoverState.initial(terminals), known_ns=-csi_age_ns)

    @property
    def live(self) -> set[int]:
        """Numbers of the precodings that can still be needed."""
        named = {self.in_force, self.latest, *(pending.precoding for pending in self.pending)}
        return {number for number in named if number is not None}

    def copy(self) -> Self:
        """The state as it is now; the records that it holds are never changed, only replaced."""
        return replace(
            self, handover=self.handover.copy(), pending=list(self.pending), reports_ns=list(self.reports_ns)
        )


@documented
@dataclass(slots=True, kw_only=True)
class RunState:
    """All that a run remembers between two epochs."""

    loop: LoopState
    """State of the deciding loop."""
    solutions: dict[int, Precoding] = field(default_factory=dict)
    """Precodings that can still be needed, by number."""

    @classmethod
    def initial(cls, terminals: int, csi_age_ns: int) -> Self:
        """Before the first epoch."""
        return cls(loop=LoopState.initial(terminals, csi_age_ns))

    def copy(self) -> Self:
        """The state as it is now."""
        return replace(self, loop=self.loop.copy(), solutions=dict(self.solutions))
