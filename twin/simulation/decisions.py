"""What is decided during an epoch, as plain records: who serves whom, and which weights are on the air when.

Decisions depend on believed statistics alone. Precodings are known by number: a precoding task can be computed in place
or elsewhere, and an epoch is scored once its precodings are there.
"""

from __future__ import annotations

from dataclasses import dataclass

from twin.arrays import BoolArray
from twin.association import ServingTable
from twin.records import documented
from twin.results.record import Candidates, LoggedAttempt, LoggedHandover


@documented
@dataclass(frozen=True, slots=True, kw_only=True)
class Segment:
    """A part of an epoch in which clusters and weights do not change."""

    begin_ns: int
    """Since the start of the run."""
    end_ns: int
    """End of the segment, in ns since the start of the run."""
    table: ServingTable
    """The clusters."""
    precoding: int | None
    """Number of the precoding on the air; None before the first one."""


@documented
@dataclass(frozen=True, slots=True, kw_only=True)
class PrecodingTask:
    """One call of the precoder."""

    number: int
    """Names the result; numbers ascend by one."""
    epoch: int
    """Epoch in which the weights are computed."""
    time_ns: int
    """When the computation begins, since the start of the run."""
    csi_ns: int
    """Instant of the statistical CSI that the precoder uses."""
    table: ServingTable
    """The clusters to serve."""
    start: int | None
    """Number of the precoding to start from; None for a cold start, which begins a new chain."""


@documented
@dataclass(frozen=True, slots=True, kw_only=True)
class EpochDecisions:
    """All that was decided during one epoch."""

    epoch: int
    """Number of the epoch, from 0."""
    segments: tuple[Segment, ...]
    """From the start of the epoch to its end without a gap."""
    tasks: tuple[PrecodingTask, ...]
    """In the order of their numbers."""
    events: tuple[LoggedHandover, ...]
    """Changes of service within the epoch."""
    attempts: tuple[LoggedAttempt, ...]
    """Attempted changes whose outcome became known within the epoch."""
    candidates: Candidates | None
    """Candidates of the epoch's decision; None without a decision or if not traced."""
    wall_s: dict[str, float]
    """Wall-clock time of each stage of deciding."""


def ready(segment_begin_ns: int, table: ServingTable) -> BoolArray:
    """(A,K) members that serve at an instant: those whose execution is over."""
    return table.member & (table.ready_ns <= segment_begin_ns)
