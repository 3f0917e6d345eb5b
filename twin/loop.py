"""The discrete-event loop: one process owns the epochs, others live for what has a duration of its own."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from time import perf_counter
from typing import Any

import numpy as np
import simpy
from numpy.typing import ArrayLike, NDArray
from simpy.events import EventPriority

from twin.association import Cluster, ServingTable, transition
from twin.epoch import Air, Outcome, Segment, scored
from twin.network import Network
from twin.precoding import Precoding, Weights
from twin.sky import Moment
from twin.state import LoggedHandover, LoopState, PendingWeights, PlannedHandover

Process = Generator[simpy.Event, None, None]

AFTER_ALL_ELSE = EventPriority(2)
"""SimPy priority of an epoch's turn: whatever else falls on that instant has happened before."""


@dataclass(frozen=True, slots=True, kw_only=True)
class EpochReport:
    """One closed epoch, for whoever writes or watches."""

    epoch: int
    moment: Moment
    outcome: Outcome
    events: tuple[LoggedHandover, ...]
    iterations: int
    """That the precoder took in this epoch; 0 where it did not run."""
    converged: bool
    """Of the weights in force."""
    wall_s: dict[str, float]
    """Wall-clock time of each stage."""


class _Turn(simpy.Event):
    """A timeout that lets everything else of its instant happen first."""

    def __init__(self, env: simpy.Environment, delay_ns: int) -> None:
        super().__init__(env)
        self._ok, self._value = True, None
        env.schedule(self, priority=AFTER_ALL_ELSE, delay=delay_ns)


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
        self._tabulated: ServingTable | None = None
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
                moment = self.network.sky.at(epoch)
            self._open(moment)
            yield _Turn(self._env, timeline.epoch_ns)
            closed(self._close(moment))

    @property
    def _table(self) -> ServingTable:
        """The clusters as they are."""
        if self._tabulated is None:
            self._tabulated = ServingTable.of(self.state.clusters)
        return self._tabulated

    @contextmanager
    def _timed(self, stage: str) -> Iterator[None]:
        begun = perf_counter()
        yield
        self._wall_s[stage] = self._wall_s.get(stage, 0.0) + perf_counter() - begun

    # An epoch opens and is closed

    def _open(self, moment: Moment) -> None:
        with self._timed("association"):
            if moment.epoch % self._decide_every == 0:
                self._decide(moment)
            self._drop_lost(moment)
        self._send_csi()
        due = moment.epoch % self._precode_every == 0
        changed = self.network.scenario.precoding.on_handover and not self.state.solved_current
        if due or changed:
            with self._timed("precoding"):
                self._precode(moment)

    def _close(self, moment: Moment) -> EpochReport:
        self._cut()
        segments, self._segments = self._segments, []
        with self._timed("rates"):
            air = Air.over(self.network, moment, segments)
        if any(segment.weights is not None and segment.weights.instant is not None for segment in segments):
            with self._timed("precoding"):
                segments = [air.followed(segment) for segment in segments]
        with self._timed("rates"):
            outcome = scored(air, segments)
        state = self.state
        state.next_epoch += 1
        events = tuple(event for event in state.events if event.time_ns < self._now)
        state.events = state.events[len(events) :]
        return EpochReport(
            epoch=moment.epoch,
            moment=moment,
            outcome=outcome,
            events=events,
            iterations=self._iterations,
            converged=self._converged,
            wall_s=self._wall_s,
        )

    def _drop_lost(self, moment: Moment) -> None:
        """Take out members that have sunk below the minimum elevation or are not usable any more."""
        table, norad_id = self._table, moment.norad_id
        seen = np.zeros(table.member.shape, dtype=np.bool_)
        _, there, rows = np.intersect1d(table.norad_id, norad_id, assume_unique=True, return_indices=True)
        seen[there] = moment.visible[rows]
        for terminal in np.flatnonzero((table.member & ~seen).any(axis=0)):
            lost = table.norad_id[table.member[:, terminal] & ~seen[:, terminal]]
            old = self.state.clusters[terminal]
            reason = "satellite not usable" if moment.unusable(lost).any() else "below minimum elevation"
            self._change(int(terminal), old.without(lost.tolist()), reason)

    def _decide(self, moment: Moment) -> None:
        """Ask the policy and set off the handovers that lead to what it wants."""
        view = self.network.view(moment, self._table, self.state.memory)
        wanted = self.network.decide(view)
        self.state.memory = {name: _kept(array) for name, array in wanted.memory.items()}
        changed = (wanted.serving != view.serving).any(axis=0) | (wanted.master != view.master)
        under_way = {planned.terminal for planned in self.state.planned}
        association = self.network.scenario.association
        for terminal in np.flatnonzero(changed):
            if int(terminal) in under_way or self._executing(int(terminal)):
                continue
            master = int(wanted.master[terminal])
            planned = PlannedHandover(
                terminal=int(terminal),
                satellites=tuple(view.norad_id[wanted.serving[:, terminal]].tolist()),
                master=int(view.norad_id[master]) if master >= 0 else None,
                begin_ns=self._now + int(association.preparation),
                reason=association.name,
            )
            if planned.begin_ns == self._now:
                self._begin(planned, moment)
            else:
                self.state.planned.append(planned)
                self._env.process(self._handover(planned))

    def _executing(self, terminal: int) -> bool:
        return any(ready_ns > self._now for ready_ns in self.state.clusters[terminal].ready_ns.values())

    def _send_csi(self) -> None:
        """Report the statistical CSI of now; it reaches the precoder as old as the scenario says."""
        age_ns = int(self.network.scenario.precoding.csi_age)
        if age_ns == 0:
            self.state.known_ns = self._now
        else:
            self.state.reports_ns.append(self._now)
            self._env.process(self._report(self._now, age_ns))

    def _precode(self, moment: Moment) -> None:
        """Solve for the clusters as they are, with the CSI that has arrived; without any there is nothing to solve."""
        state, table = self.state, self._table
        if not len(table.norad_id):
            state.solved_current = True
            return
        if state.known_ns == self._now:
            csi = self.network.csi_now(moment, table.norad_id)
        else:
            csi = self.network.csi(self.network.sky.links_at(state.known_ns, table.norad_id))
        precoding = self.network.precode(csi, table, self._start(moment.epoch, table))
        self._iterations = precoding.iterations
        state.latest, state.solved_epoch, state.solved_current = precoding, moment.epoch, True
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

    def _handover(self, planned: PlannedHandover) -> Process:
        """Preparation, then execution; what would begin at the very end of the run does not belong to it."""
        yield self._env.timeout(planned.begin_ns - self._now)
        self.state.planned.remove(planned)
        epoch = self._now // self.network.timeline.epoch_ns
        if epoch < self.network.timeline.epochs:
            self._begin(planned, self.network.sky.at(epoch))

    def _execution(self, ready_ns: int) -> Process:
        """Members that join are ready to serve at its end, unless none of them is left by then."""
        yield self._env.timeout(ready_ns - self._now)
        if any(ready_ns in cluster.ready_ns.values() for cluster in self.state.clusters):
            self._cut()

    def _report(self, sent_ns: int, age_ns: int) -> Process:
        """Statistical CSI on its way to the precoder."""
        yield self._env.timeout(sent_ns + age_ns - self._now)
        self.state.reports_ns.remove(sent_ns)
        self.state.known_ns = sent_ns

    def _computation(self, pending: PendingWeights) -> Process:
        """Weights being computed and distributed."""
        yield self._env.timeout(pending.due_ns - self._now)
        self.state.pending.remove(pending)
        self._put_in_force(pending.precoding)

    def _look_back(self) -> None:
        """Statistical CSI has been reported at every epoch before the run, too."""
        epoch_ns, age_ns = self.network.timeline.epoch_ns, int(self.network.scenario.precoding.csi_age)
        self.state.known_ns = age_ns // -epoch_ns * epoch_ns
        self.state.reports_ns = list(range(self.state.known_ns + epoch_ns, 0, epoch_ns))

    def _take_up(self) -> None:
        """Start anew the processes that a resumed state holds."""
        for planned in self.state.planned:
            self._env.process(self._handover(planned))
        for ready_ns in sorted({r for c in self.state.clusters for r in c.ready_ns.values() if r > self._now}):
            self._env.process(self._execution(ready_ns))
        for sent_ns in self.state.reports_ns:
            self._env.process(self._report(sent_ns, int(self.network.scenario.precoding.csi_age)))
        for pending in self.state.pending:
            self._env.process(self._computation(pending))

    # Changes

    def _begin(self, planned: PlannedHandover, moment: Moment) -> None:
        """Execute a decision with the satellites that are still there."""
        there = set(moment.norad_id[moment.visible[:, planned.terminal]].tolist())
        satellites = there.intersection(planned.satellites)
        if planned.satellites and not satellites:
            return  # nobody is left to go to: what serves now goes on
        old = self.state.clusters[planned.terminal]
        ready_ns = self._now + int(self.network.scenario.association.execution)
        stays, master = satellites & old.ready_ns.keys(), planned.master
        if stays and master not in stays and ready_ns > self._now:
            master = old.without(old.ready_ns.keys() - stays).master  # who joins does not lead before it serves
        new = old.kept(satellites, master, joining_ready_ns=ready_ns, now_ns=self._now)
        if master not in satellites:
            new = new.without({master} if master is not None else ())
        if satellites - old.ready_ns.keys() and ready_ns > self._now:
            self._env.process(self._execution(ready_ns))
        self._change(planned.terminal, new, planned.reason)

    def _change(self, terminal: int, new: Cluster, reason: str) -> None:
        """Give a terminal another cluster from now on."""
        old = self.state.clusters[terminal]
        if new == old:
            return
        self._cut()
        execution_ns = int(self.network.scenario.association.execution)
        events = transition(terminal, old, new, reason=reason, execution_ns=execution_ns)
        if waits_ns := self._waits_ns(old, new):
            events[0] = replace(events[0], interruption_ns=waits_ns)
        self.state.events += [LoggedHandover(time_ns=self._now, handover=event) for event in events]
        self.state.clusters[terminal] = new
        self.state.solved_current = False
        self._tabulated = None

    def _waits_ns(self, old: Cluster, new: Cluster) -> int:
        """For how long a cluster that lost all who served waits for those who have joined and are not ready yet."""
        served = any(ready_ns <= self._now for ready_ns in old.ready_ns.values())
        if not served or old.ready_ns.keys().isdisjoint(new.ready_ns):
            return 0
        return max(0, min(new.ready_ns.values()) - self._now)

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


def _kept(array: ArrayLike) -> NDArray[Any]:
    """A copy that nobody changes: a snapshot, perhaps written later, must show what was."""
    kept = np.array(array)
    kept.flags.writeable = False
    return kept
