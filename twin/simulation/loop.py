"""The discrete-event loop: one process owns the epochs, others exist for what has a duration of its own.

The loop decides and computes no weights: it emits `EpochDecisions`, in which precodings are tasks with numbers.
"""

from __future__ import annotations

from collections.abc import Generator, Iterator

import numpy as np
import simpy
from simpy.events import EventPriority

from twin.association import ServingTable
from twin.geometry.snapshot import Snapshot
from twin.results.record import Candidates
from twin.simulation.csi_reports import greatest_age_ns, report_age_ns
from twin.simulation.decisions import EpochDecisions, PrecodingTask, Segment
from twin.simulation.handover.control import Decision, HandoverControl
from twin.simulation.state import LoopState, PendingWeights
from twin.simulation.stopwatch import Stopwatch
from twin.world.setup import Setup

Process = Generator[simpy.Event, None, None]

BEFORE_ALL_ELSE = EventPriority(0)
"""SimPy priority of the outage schedule: a satellite that fails at an instant is not there for what begins at it."""
AFTER_ALL_ELSE = EventPriority(2)
"""SimPy priority of the end of an epoch: everything else at that instant has happened before."""


class _Turn(simpy.Event):
    """A timeout that lets everything else of its instant happen first, or last."""

    def __init__(self, env: simpy.Environment, delay_ns: int, priority: EventPriority = AFTER_ALL_ELSE) -> None:
        super().__init__(env)
        self._ok, self._value = True, None
        env.schedule(self, priority=priority, delay=delay_ns)


class Loop:
    """Decides the epochs of a run from a state on.

    At the start of an epoch everything else that is due has happened. The policy decides, lost satellites are dropped,
    statistical CSI is sent, the precoder is called. At the end of the epoch its decisions are emitted, cut into
    segments in which neither clusters nor weights change. The loop owns time; handover control owns the handovers.
    """

    def __init__(self, setup: Setup, state: LoopState) -> None:
        self.setup = setup
        self.state = state
        scenario, timeline = setup.scenario, setup.timeline
        self._decide_every = scenario.epochs_in(scenario.association.every)
        self._precode_every = scenario.epochs_in(scenario.precoding.every)
        self._env = simpy.Environment(initial_time=timeline.begin_ns(state.next_epoch))
        self._handovers = HandoverControl(setup, state.handover, self)
        self._candidates: Candidates | None = None
        self._segments: list[Segment] = []
        self._segment_begin_ns = self._now
        self._tasks: list[PrecodingTask] = []
        self._stopwatch = Stopwatch()
        if state.next_epoch == 0:
            self._assume_earlier_reports()
        self._restart_processes()

    @property
    def _now(self) -> int:
        return int(self._env.now)

    def epochs(self) -> Iterator[EpochDecisions]:
        """Decide all epochs that are left; after each, the state is that of its end."""
        while self.state.next_epoch < self.setup.timeline.epochs:
            decisions = self._env.run(until=self._env.process(self._epoch()))
            assert isinstance(decisions, EpochDecisions)
            yield decisions

    def _epoch(self) -> Generator[simpy.Event, None, EpochDecisions]:
        self._stopwatch = Stopwatch()
        with self._stopwatch.timed("geometry"):
            snapshot = self.setup.belief.snapshot(self.state.next_epoch)
        self._open(snapshot)
        yield _Turn(self._env, self.setup.timeline.epoch_ns)
        return self._close(snapshot.epoch)

    # What handover control asks of the clock

    def advance_at(self, at_ns: int) -> None:
        """Advance planned handovers at an instant."""
        self._env.process(self._advancing(at_ns))

    def ready_at(self, at_ns: int) -> None:
        """Begin a new segment at an instant at which members become ready."""
        self._env.process(self._execution(at_ns))

    def close_segment(self) -> None:
        """End the current segment: from now on something else is on the air."""
        if self._now > self._segment_begin_ns:
            segment = Segment(
                begin_ns=self._segment_begin_ns,
                end_ns=self._now,
                table=self._handovers.table,
                precoding=self.state.in_force,
            )
            self._segments.append(segment)
            self._segment_begin_ns = self._now

    # An epoch opens and closes

    def _open(self, snapshot: Snapshot) -> None:
        with self._stopwatch.timed("association"):
            self._candidates = None
            if snapshot.epoch % self._decide_every == 0:
                decision = self._handovers.decide(snapshot, self._now)
                self._candidates = candidates_of(decision) if self.setup.scenario.trace.candidates else None
            self._handovers.drop_lost(snapshot, self._now)
        self._send_csi()
        due = snapshot.epoch % self._precode_every == 0
        changed = self.setup.scenario.precoding.on_handover and self.state.handover.weights_outdated
        if due or changed:
            self._precode(snapshot.epoch)

    def _close(self, epoch: int) -> EpochDecisions:
        self.close_segment()
        events, attempts = self._handovers.finished(self._now)
        segments, self._segments = self._segments, []
        tasks, self._tasks = self._tasks, []
        self.state.next_epoch += 1
        return EpochDecisions(
            epoch=epoch,
            segments=tuple(segments),
            tasks=tuple(tasks),
            events=events,
            attempts=attempts,
            candidates=self._candidates,
            wall_s=self._stopwatch.wall_s,
        )

    def _send_csi(self) -> None:
        """Report the statistical CSI of now; it reaches the precoder after the age that the scenario gives."""
        age_ns = report_age_ns(self.setup.scenario, self._now)
        if age_ns == 0:
            self.state.known_ns = self._now
        else:
            self.state.reports_ns.append(self._now)
            self._env.process(self._report(self._now, age_ns))

    def _precode(self, epoch: int) -> None:
        """Call the precoder for the clusters of now, with the CSI that has arrived, if any terminal is served."""
        state, table = self.state, self._handovers.table
        self._handovers.weights_computed()
        if not len(table.norad_id):
            return
        task = self._task(epoch, table)
        self._tasks.append(task)
        state.next_precoding += 1
        state.latest, state.solved_epoch = task.number, epoch
        latency_ns = int(self.setup.scenario.precoding.latency)
        if latency_ns == 0:
            self._put_in_force(task.number)
        else:
            pending = PendingWeights(due_ns=self._now + latency_ns, precoding=task.number)
            state.pending.append(pending)
            self._env.process(self._computation(pending))

    def _task(self, epoch: int, table: ServingTable) -> PrecodingTask:
        """The next precoding; it starts from the newest one of the same block of ``precoding.restart_epochs``."""
        state, block = self.state, self.setup.scenario.precoding.restart_epochs
        warm = state.latest is not None and state.solved_epoch // block == epoch // block
        return PrecodingTask(
            number=state.next_precoding,
            epoch=epoch,
            time_ns=self._now,
            csi_ns=state.known_ns,
            table=table,
            start=state.latest if warm else None,
        )

    def _put_in_force(self, precoding: int) -> None:
        self.close_segment()
        self.state.in_force = precoding

    # What has a duration of its own

    def _advancing(self, at_ns: int) -> Process:
        """Planned handovers; one that would begin at the very end of the run does not belong to it."""
        yield self._env.timeout(at_ns - self._now)
        epoch = self._now // self.setup.timeline.epoch_ns
        if epoch < self.setup.timeline.epochs:
            self._handovers.advance(self.setup.belief.snapshot(epoch), self._now)

    def _transition(self, at_ns: int) -> Process:
        """A transition of the outage schedule."""
        yield _Turn(self._env, at_ns - self._now, BEFORE_ALL_ELSE)
        epoch = self._now // self.setup.timeline.epoch_ns
        self._handovers.follow_outages(self.setup.belief.snapshot(epoch), self._now)

    def _execution(self, ready_ns: int) -> Process:
        """Joining members become ready at its end, unless none of them is left by then."""
        yield self._env.timeout(ready_ns - self._now)
        if any(ready_ns in cluster.ready_ns.values() for cluster in self.state.handover.clusters):
            self.close_segment()

    def _report(self, sent_ns: int, age_ns: int) -> Process:
        """Statistical CSI on its way to the precoder."""
        yield self._env.timeout(sent_ns + age_ns - self._now)
        self.state.reports_ns.remove(sent_ns)
        self.state.known_ns = max(self.state.known_ns, sent_ns)

    def _computation(self, pending: PendingWeights) -> Process:
        """Weights being computed and distributed."""
        yield self._env.timeout(pending.due_ns - self._now)
        self.state.pending.remove(pending)
        self._put_in_force(pending.precoding)

    def _assume_earlier_reports(self) -> None:
        """Assume that statistical CSI was reported at every epoch before the run, too."""
        epoch_ns, scenario = self.setup.timeline.epoch_ns, self.setup.scenario
        oldest_ns = greatest_age_ns(scenario) // -epoch_ns * epoch_ns
        sent = range(oldest_ns, 0, epoch_ns)
        here = [sent_ns for sent_ns in sent if sent_ns + report_age_ns(scenario, sent_ns) <= 0]
        self.state.known_ns = max(here, default=0)
        self.state.reports_ns = [sent_ns for sent_ns in sent if sent_ns + report_age_ns(scenario, sent_ns) > 0]

    def _restart_processes(self) -> None:
        """Start the processes that a resumed state holds."""
        timeline, handover, env = self.setup.timeline, self.state.handover, self._env
        for at_ns in self.setup.outages.transitions_ns:
            if self._now < at_ns < timeline.begin_ns(timeline.epochs):
                env.process(self._transition(at_ns))
        for at_ns in sorted({planned.advance_ns for planned in handover.planned}):
            env.process(self._advancing(at_ns))
        for at_ns in sorted(
            {ready for one in handover.clusters for ready in one.ready_ns.values() if ready > self._now}
        ):
            env.process(self._execution(at_ns))
        for sent_ns in self.state.reports_ns:
            env.process(self._report(sent_ns, report_age_ns(self.setup.scenario, sent_ns)))
        for pending in self.state.pending:
            env.process(self._computation(pending))


def candidates_of(decision: Decision) -> Candidates:
    """The pairs among which a policy could choose, terminal by terminal."""
    view, wanted = decision.view, decision.wanted
    pairs = np.array(np.nonzero(view.visible.T))
    score = np.full(pairs.shape[1], np.nan) if wanted.score is None else np.asarray(wanted.score).T[tuple(pairs)]
    return Candidates(
        terminal=pairs[0],
        satellite=view.norad_id[pairs[1]],
        score=score.astype(np.float64),
        elevation_deg=view.elevation_deg.T[tuple(pairs)],
        chosen=wanted.serving.T[tuple(pairs)],
    )
