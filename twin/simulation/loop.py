"""The discrete-event loop: one process owns the epochs, others live for what has a duration of its own."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from time import perf_counter

import simpy
from simpy.events import EventPriority

from twin.association import ServingTable
from twin.geometry.snapshot import Snapshot
from twin.precoding import Precoding, Weights
from twin.simulation.csi_reports import greatest_age_ns, report_age_ns
from twin.simulation.epoch import EpochChannels, Outcome, Segment, scored
from twin.simulation.handover.clusters import Clusters
from twin.simulation.handover.handovers import Decision, Handovers
from twin.simulation.state import LoggedAttempt, LoggedHandover, LoopState, PendingWeights
from twin.world.network import Network

Process = Generator[simpy.Event, None, None]

BEFORE_ALL_ELSE = EventPriority(0)
"""SimPy priority of the timetable: who fails at an instant is not there for what begins at it."""
AFTER_ALL_ELSE = EventPriority(2)
"""SimPy priority of an epoch's turn: whatever else falls on that instant has happened before."""


@dataclass(frozen=True, slots=True, kw_only=True)
class EpochReport:
    """One closed epoch, for whoever writes or watches."""

    epoch: int
    snapshot: Snapshot
    """The sky as it is, whatever the network believed."""
    outcome: Outcome
    events: tuple[LoggedHandover, ...]
    attempts: tuple[LoggedAttempt, ...]
    decision: Decision | None
    """What the policy saw and wanted, if it was asked and the trace shall hold candidates."""
    iterations: int
    """That the precoder took in this epoch; 0 where it did not run."""
    converged: bool
    """Of the weights in force."""
    wall_s: dict[str, float]
    """Wall-clock time of each stage."""


class _Turn(simpy.Event):
    """A timeout that lets everything else of its instant happen first, or last."""

    def __init__(self, env: simpy.Environment, delay_ns: int, priority: EventPriority = AFTER_ALL_ELSE) -> None:
        super().__init__(env)
        self._ok, self._value = True, None
        env.schedule(self, priority=priority, delay=delay_ns)


class Loop:
    """Runs the epochs of a network from a state on.

    At the instant of an epoch everything else that is due has happened first. Then the epoch opens: lost satellites are
    dropped, the policy decides, statistical CSI is sent off, the precoder runs. At the next epoch's instant it is
    closed: what was on the air meanwhile, stretch by stretch, is scored.
    """

    def __init__(self, network: Network, state: LoopState) -> None:
        self.network = network
        self.state = state
        scenario, timeline = network.scenario, network.timeline
        self._decide_every = scenario.epochs_in(scenario.association.every)
        self._precode_every = scenario.epochs_in(scenario.precoding.every)
        self._env = simpy.Environment(initial_time=timeline.begin_ns(state.next_epoch))
        self._clusters = Clusters(network, state, self._cut)
        self._handovers = Handovers(
            self._clusters,
            look_at=lambda at_ns: self._begin(self._planned(at_ns)),
            ready_at=lambda at_ns: self._begin(self._execution(at_ns)),
        )
        self._decision: Decision | None = None
        self._segments: list[Segment] = []
        self._segment_begin_ns = self._now
        self._iterations, self._converged = 0, False
        self._wall_s: dict[str, float] = {}
        if state.next_epoch == 0:
            self._look_back()
        self._take_up()

    @property
    def _now(self) -> int:
        return int(self._env.now)

    def run(self, closed: Callable[[EpochReport], None]) -> None:
        """Run all epochs that are left, handing over each as it is closed; the state is then that of its end."""
        self._env.run(until=self._env.process(self._epochs(closed)))

    def _epochs(self, closed: Callable[[EpochReport], None]) -> Process:
        timeline = self.network.timeline
        while self.state.next_epoch < timeline.epochs:
            epoch = self.state.next_epoch
            self._wall_s, self._iterations = {}, 0
            with self._timed("geometry"):
                snapshot = self.network.believed_sky.at(epoch)
            self._open(snapshot)
            yield _Turn(self._env, timeline.epoch_ns)
            if self.network.believed_sky is not self.network.sky:
                with self._timed("geometry"):
                    snapshot = self.network.sky.at(epoch)
            closed(self._close(snapshot))

    @property
    def _table(self) -> ServingTable:
        """The clusters as they are."""
        return self._clusters.table

    def _begin(self, process: Process) -> None:
        self._env.process(process)

    @contextmanager
    def _timed(self, stage: str) -> Iterator[None]:
        begun = perf_counter()
        yield
        self._wall_s[stage] = self._wall_s.get(stage, 0.0) + perf_counter() - begun

    # An epoch opens and is closed

    def _open(self, snapshot: Snapshot) -> None:
        with self._timed("association"):
            self._decision = None
            if snapshot.epoch % self._decide_every == 0:
                decision = self._handovers.decide(snapshot, self._now)
                self._decision = decision if self.network.scenario.trace.candidates else None
            self._clusters.drop_lost(snapshot, self._now)
        self._send_csi()
        due = snapshot.epoch % self._precode_every == 0
        changed = self.network.scenario.precoding.on_handover and not self.state.solved_current
        if due or changed:
            with self._timed("precoding"):
                self._precode(snapshot)

    def _close(self, snapshot: Snapshot) -> EpochReport:
        self._cut()
        segments, self._segments = self._segments, []
        with self._timed("rates"):
            air = EpochChannels.over(self.network, snapshot, segments)
        if any(segment.weights is not None and segment.weights.rule is not None for segment in segments):
            with self._timed("precoding"):
                segments = [air.followed(segment) for segment in segments]
        with self._timed("rates"):
            outcome = scored(air, segments)
        state = self.state
        state.next_epoch += 1
        events = tuple(event for event in state.events if event.time_ns < self._now)
        state.events = state.events[len(events) :]
        attempts = tuple(attempt for attempt in state.attempts if attempt.time_ns < self._now)
        state.attempts = state.attempts[len(attempts) :]
        return EpochReport(
            epoch=snapshot.epoch,
            snapshot=snapshot,
            outcome=outcome,
            events=events,
            attempts=attempts,
            decision=self._decision,
            iterations=self._iterations,
            converged=self._converged,
            wall_s=self._wall_s,
        )

    def _send_csi(self) -> None:
        """Report the statistical CSI of now; it reaches the precoder as old as the scenario says."""
        age_ns = report_age_ns(self.network.scenario, self._now)
        if age_ns == 0:
            self.state.known_ns = self._now
        else:
            self.state.reports_ns.append(self._now)
            self._env.process(self._report(self._now, age_ns))

    def _precode(self, snapshot: Snapshot) -> None:
        """Solve for the clusters as they are, with the CSI that has arrived; without any there is nothing to solve."""
        state, table = self.state, self._table
        if not len(table.norad_id):
            state.solved_current = True
            return
        if state.known_ns == self._now:
            csi = self.network.csi_now(snapshot, table.norad_id)
        else:
            csi = self.network.csi(self.network.believed_sky.links_at(state.known_ns, table.norad_id))
        precoding = self.network.precode(csi, table, self._start(snapshot.epoch, table))
        self._iterations = precoding.iterations
        state.latest, state.solved_epoch, state.solved_current = precoding, snapshot.epoch, True
        latency_ns = int(self.network.scenario.precoding.latency)
        if latency_ns == 0:
            self._put_in_force(precoding)
        else:
            pending = PendingWeights(due_ns=self._now + latency_ns, precoding=precoding)
            state.pending.append(pending)
            self._env.process(self._computation(pending))

    def _start(self, epoch: int, table: ServingTable) -> Weights | None:
        """The newest weights, unless a cut of warm starts lies between."""
        state, block = self.state, self.network.scenario.precoding.restart_epochs
        if state.latest is None or state.solved_epoch // block != epoch // block:
            return None
        return state.latest.weights.on(table.norad_id)

    # What has a duration of its own

    def _planned(self, look_ns: int) -> Process:
        """Handovers that wait or are prepared; what would begin at the very end of the run does not belong to it."""
        yield self._env.timeout(look_ns - self._now)
        epoch = self._now // self.network.timeline.epoch_ns
        if epoch < self.network.timeline.epochs:
            self._handovers.look(self.network.believed_sky.at(epoch), self._now)

    def _timetabled(self, turn_ns: int) -> Process:
        """Outages, exclusion windows and absences that begin or end."""
        yield _Turn(self._env, turn_ns - self._now, BEFORE_ALL_ELSE)
        self._handovers.turn(self.network.believed_sky.at(self._now // self.network.timeline.epoch_ns), self._now)

    def _execution(self, ready_ns: int) -> Process:
        """Members that join are ready to serve at its end, unless none of them is left by then."""
        yield self._env.timeout(ready_ns - self._now)
        if any(ready_ns in cluster.ready_ns.values() for cluster in self.state.clusters):
            self._cut()

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

    def _look_back(self) -> None:
        """Statistical CSI has been reported at every epoch before the run, too."""
        epoch_ns, scenario = self.network.timeline.epoch_ns, self.network.scenario
        oldest_ns = greatest_age_ns(scenario) // -epoch_ns * epoch_ns
        sent = range(oldest_ns, 0, epoch_ns)
        here = [sent_ns for sent_ns in sent if sent_ns + report_age_ns(scenario, sent_ns) <= 0]
        self.state.known_ns = max(here, default=0)
        self.state.reports_ns = [sent_ns for sent_ns in sent if sent_ns + report_age_ns(scenario, sent_ns) > 0]

    def _take_up(self) -> None:
        """Start anew the processes that a resumed state holds."""
        timeline = self.network.timeline
        for turn_ns in self.network.outages.transitions_ns:
            if self._now < turn_ns < timeline.begin_ns(timeline.epochs):
                self._env.process(self._timetabled(turn_ns))
        for look_ns in sorted({planned.look_ns for planned in self.state.planned}):
            self._env.process(self._planned(look_ns))
        for ready_ns in sorted({r for c in self.state.clusters for r in c.ready_ns.values() if r > self._now}):
            self._env.process(self._execution(ready_ns))
        for sent_ns in self.state.reports_ns:
            self._env.process(self._report(sent_ns, report_age_ns(self.network.scenario, sent_ns)))
        for pending in self.state.pending:
            self._env.process(self._computation(pending))

    # What is on the air

    def _put_in_force(self, precoding: Precoding) -> None:
        self._cut()
        self.state.in_force = precoding

    def _cut(self) -> None:
        """End a segment: from now on something else is on the air."""
        if self._now > self._segment_begin_ns:
            in_force = self.state.in_force
            self._converged = in_force is not None and in_force.converged
            self._segments.append(
                Segment(
                    begin_ns=self._segment_begin_ns,
                    end_ns=self._now,
                    table=self._table,
                    weights=None if in_force is None else in_force.weights,
                )
            )
            self._segment_begin_ns = self._now
