"""Handover control: the one object that decides, plans and executes changes of clusters, and owns their state."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Protocol

import numpy as np

from twin.arrays import IntArray
from twin.association import Assignment, AssociationView, Cluster, Handover, ServingTable, transition
from twin.association.check import checked
from twin.errors import plugin_errors, plugin_place
from twin.geometry.snapshot import Snapshot
from twin.records import documented
from twin.results.record import LoggedAttempt, LoggedHandover
from twin.simulation.handover.admission import admitted
from twin.simulation.handover.execution import executed, ranges_km, waiting_ns
from twin.simulation.handover.planning import advanced, changed_terminals, is_followed, planned_handover
from twin.simulation.handover.state import HandoverState, PlannedHandover, remembered
from twin.simulation.handover.view import association_view
from twin.vocabulary import AttemptOutcome, EventKind, Reason
from twin.world.setup import Setup


@documented
@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """What a policy was given, and its answer."""

    view: AssociationView
    """What the policy was given."""
    wanted: Assignment
    """What the policy answered."""


class Clock(Protocol):
    """What handover control asks of the loop, which owns time."""

    def advance_at(self, at_ns: int) -> None:
        """Call `HandoverControl.advance` at an instant."""

    def ready_at(self, at_ns: int) -> None:
        """Begin a new segment at an instant at which members become ready."""

    def close_segment(self) -> None:
        """End the current segment: clusters change now."""


class HandoverControl:
    """Leads clusters to where the policy wants them.

    Every method is given the time; what has a duration is handed to the clock, which calls back.
    """

    def __init__(self, setup: Setup, state: HandoverState, clock: Clock) -> None:
        self.setup = setup
        self.state = state
        self._clock = clock
        self._section = setup.scenario.association
        self._table: ServingTable | None = None

    @property
    def table(self) -> ServingTable:
        """The clusters as arrays."""
        if self._table is None:
            self._table = ServingTable.of(self.state.clusters)
        return self._table

    def weights_computed(self) -> None:
        """Take note that weights are computed for the clusters of now."""
        self.state.weights_outdated = False

    def finished(self, end_ns: int) -> tuple[tuple[LoggedHandover, ...], tuple[LoggedAttempt, ...]]:
        """Hand over the events and attempts before the end of an epoch."""
        state = self.state
        events = tuple(event for event in state.events if event.time_ns < end_ns)
        attempts = tuple(attempt for attempt in state.attempts if attempt.time_ns < end_ns)
        state.events, state.attempts = state.events[len(events) :], state.attempts[len(attempts) :]
        return events, attempts

    # Decisions

    def view(self, snapshot: Snapshot) -> AssociationView:
        """What the policy may know at the start of an epoch."""
        return association_view(self.setup, snapshot, self.table, self.state.memory)

    def decide(self, snapshot: Snapshot, now_ns: int) -> Decision:
        """Ask the policy and start the changes that it wants.

        Raises
        ------
        InputError
            If the policy, perhaps a user's own, wants what is not possible.
        """
        view = self.view(snapshot)
        where = f'association.name: the policy "{self._section.name}"'
        with plugin_errors(self.setup.policy, where):
            answer = self.setup.policy(view)
        wanted = checked(answer, view, f"{where}{plugin_place(self.setup.policy)}")
        self.apply(view, wanted, snapshot, now_ns)
        return Decision(view=view, wanted=wanted)

    def apply(self, view: AssociationView, wanted: Assignment, snapshot: Snapshot, now_ns: int) -> None:
        """Start the changes that lead to an assignment."""
        self.state.memory = remembered(dict(wanted.memory))
        changed = changed_terminals(view, wanted, self.table)
        under_way = {planned.terminal: planned for planned in self.state.planned}
        for planned in under_way.values():
            if planned.begin_ns is None and not changed[planned.terminal]:
                self._give_up(planned, AttemptOutcome.SUPERSEDED, now_ns)
        at_once = []
        for terminal in np.flatnonzero(changed).tolist():
            wish = planned_handover(view, wanted, terminal, policy=self._section.name, now_ns=now_ns)
            planned = self._advanced(wish, now_ns)
            if not self._is_followed(planned, under_way.get(terminal), view, now_ns):
                continue
            if terminal in under_way:
                self._give_up(under_way[terminal], AttemptOutcome.SUPERSEDED, now_ns)
            if planned.begin_ns == now_ns:
                at_once.append(planned)
            else:
                self._plan(planned)
        self._begin(at_once, snapshot, now_ns)
        self._set_power_fractions(view, wanted)

    def _is_followed(
        self, planned: PlannedHandover, under_way: PlannedHandover | None, view: AssociationView, now_ns: int
    ) -> bool:
        terminal = planned.terminal
        still_serving = view.norad_id[view.serving[:, terminal]].tolist()
        since_ns = self.state.changed_ns.get(terminal)
        held = since_ns is not None and now_ns - since_ns < self._section.min_dwell
        cluster = self.state.clusters[terminal]
        return is_followed(planned, under_way, cluster, still_serving, held=held, now_ns=now_ns)

    def _set_power_fractions(self, view: AssociationView, wanted: Assignment) -> None:
        """Give serving pairs the power fractions of now: no event, but weights must be computed again."""
        for terminal, cluster in enumerate(self.state.clusters):
            fractions = None
            if wanted.power_fraction is not None:
                rows = np.flatnonzero(wanted.serving[:, terminal])
                pairs = zip(view.norad_id[rows].tolist(), wanted.power_fraction[rows, terminal].tolist(), strict=True)
                new = (cluster.power_fraction or {}) | {one: part for one, part in pairs if one in cluster.ready_ns}
                fractions = {one: new[one] for one in sorted(new)} or None
            if fractions != cluster.power_fraction:
                self._replace(terminal, replace(cluster, power_fraction=fractions))

    # Planned handovers

    def advance(self, snapshot: Snapshot, now_ns: int) -> None:
        """Advance every planned handover that is due now."""
        due = [planned for planned in self.state.planned if planned.advance_ns == now_ns]
        begin = []
        for before in due:
            planned = self._advanced(before, now_ns)
            if planned.begin_ns == now_ns:
                self.state.planned.remove(before)
                begin.append(planned)
            elif planned.advance_ns == now_ns:
                self._give_up(before, AttemptOutcome.TIMED_OUT, now_ns)
            else:
                self.state.planned.remove(before)
                self._plan(planned)
        self._begin(begin, snapshot, now_ns)

    def _advanced(self, planned: PlannedHandover, now_ns: int) -> PlannedHandover:
        ready_ns = max(self.state.clusters[planned.terminal].ready_ns.values(), default=now_ns)
        executing_until_ns = ready_ns if ready_ns > now_ns else None
        return advanced(planned, self._section, executing_until_ns=executing_until_ns, now_ns=now_ns)

    def _plan(self, planned: PlannedHandover) -> None:
        self.state.planned.append(planned)
        self._clock.advance_at(planned.advance_ns)

    def _give_up(self, planned: PlannedHandover, outcome: AttemptOutcome, now_ns: int, reason: str = "") -> None:
        if planned in self.state.planned:
            self.state.planned.remove(planned)
        self._log(planned, outcome, now_ns, begun_ns=None, reason=reason or planned.reason)

    def _log(
        self, planned: PlannedHandover, outcome: AttemptOutcome, now_ns: int, *, begun_ns: int | None, reason: str
    ) -> None:
        attempt = LoggedAttempt(
            time_ns=now_ns,
            terminal=planned.terminal,
            decided_ns=planned.decided_ns,
            begun_ns=begun_ns,
            before=tuple(sorted(self.state.clusters[planned.terminal].ready_ns)),
            wanted=planned.satellites,
            outcome=outcome,
            reason=reason,
        )
        self.state.attempts.append(attempt)

    # Execution

    def _begin(self, batch: Sequence[PlannedHandover], snapshot: Snapshot, now_ns: int) -> None:
        """Execute handovers with the satellites that are still available and have capacity."""
        if not batch:
            return
        available = self.setup.available(snapshot, now_ns)
        there = {
            planned.terminal: set(snapshot.norad_id[available[:, planned.terminal]].tolist()) & set(planned.satellites)
            for planned in batch
        }
        left = [planned for planned in batch if there[planned.terminal] or not planned.satellites]
        got = self._admitted({planned.terminal: there[planned.terminal] for planned in left}, batch, snapshot)
        for planned in batch:
            if planned not in left:
                self._give_up(planned, AttemptOutcome.TARGET_LOST, now_ns)  # the present service goes on
            elif planned.terminal not in got:
                self._give_up(planned, AttemptOutcome.ADMISSION_REJECTED, now_ns)
        for planned in left:
            if planned.terminal in got:
                rejected = len(there[planned.terminal]) - len(got[planned.terminal])
                reason = f"{self._reason(planned)}, {rejected} refused" if rejected else self._reason(planned)
                self._log(planned, AttemptOutcome.EXECUTED, now_ns, begun_ns=now_ns, reason=reason)
                self._execute(planned, got[planned.terminal], reason, snapshot, now_ns)

    def _admitted(
        self, wanted: dict[int, set[int]], batch: Sequence[PlannedHandover], snapshot: Snapshot
    ) -> dict[int, set[int]]:
        """Admission control: the earliest decision first, among decisions of one instant the nearest terminal."""
        if self._section.capacity is None:
            return wanted
        decided_ns = {planned.terminal: planned.decided_ns for planned in batch}

        def rank(satellite: int, terminal: int) -> tuple[float, ...]:
            row = int(np.searchsorted(snapshot.norad_id, satellite))
            return decided_ns[terminal], float(snapshot.range_km[row, terminal])

        return admitted(self.state.clusters, wanted, self._section.capacity, rank)

    def _reason(self, planned: PlannedHandover) -> str:
        arrives = planned.terminal in self.state.arriving and not self.state.clusters[planned.terminal].ready_ns
        return Reason.ARRIVAL if arrives else planned.reason

    def _execute(
        self, planned: PlannedHandover, satellites: set[int], reason: str, snapshot: Snapshot, now_ns: int
    ) -> None:
        old = self.state.clusters[planned.terminal]
        ranges = ranges_km(snapshot, planned.terminal, satellites | old.ready_ns.keys())
        new = executed(planned, old, satellites, self._section, ranges, now_ns)
        for at_ns in sorted({at for at in new.ready_ns.values() if at > now_ns} - set(old.ready_ns.values())):
            self._clock.ready_at(at_ns)
        events = self._change(planned.terminal, new, reason, now_ns)
        if any(event.kind != EventKind.BEAM for event in events):
            self.state.changed_ns[planned.terminal] = now_ns

    # Changes that no policy decides

    def drop_lost(self, snapshot: Snapshot, now_ns: int) -> None:
        """Drop members below the minimum elevation or without a valid state."""
        table, seen = self.table, np.zeros(self.table.member.shape, dtype=np.bool_)
        _, there, rows = np.intersect1d(table.norad_id, snapshot.norad_id, assume_unique=True, return_indices=True)
        seen[there] = snapshot.visible[rows]
        for terminal in np.flatnonzero((table.member & ~seen).any(axis=0)).tolist():
            lost = table.norad_id[table.member[:, terminal] & ~seen[:, terminal]]
            unusable = snapshot.unusable(lost).any()
            reason = Reason.SATELLITE_NOT_USABLE if unusable else Reason.BELOW_MINIMUM_ELEVATION
            self._lose(terminal, lost, reason, snapshot, now_ns)

    def follow_outages(self, snapshot: Snapshot, now_ns: int) -> None:
        """Follow a transition of the outage schedule: drop restricted members, take note of arrivals and leavings."""
        outages = self.setup.outages
        absent = outages.absent(now_ns)
        came = np.flatnonzero(outages.absent(now_ns - 1) & ~absent).tolist()
        self.state.arriving = sorted({*self.state.arriving, *came})
        for planned in [planned for planned in self.state.planned if absent[planned.terminal]]:
            self._give_up(planned, AttemptOutcome.SUPERSEDED, now_ns, Reason.TERMINAL_LEFT)
        table = self.table
        for reason, pairs in outages.restricted(now_ns, table.norad_id):
            restricted = table.member & pairs
            for terminal in np.flatnonzero(restricted.any(axis=0)).tolist():
                self._lose(terminal, table.norad_id[restricted[:, terminal]], reason, snapshot, now_ns)

    def _lose(self, terminal: int, lost: IntArray, reason: str, snapshot: Snapshot, now_ns: int) -> None:
        old = self.state.clusters[terminal]
        self.state.changed_ns.pop(terminal, None)
        ranges = ranges_km(snapshot, terminal, set(old.ready_ns))
        self._change(terminal, old.without(lost.tolist(), ranges), reason, now_ns)

    def _change(self, terminal: int, new: Cluster, reason: str, now_ns: int) -> list[Handover]:
        """Give a terminal another cluster from now on, and log the events."""
        old = self.state.clusters[terminal]
        if new == old:
            return []
        self._clock.close_segment()
        events = transition(terminal, old, new, reason=reason, execution_ns=int(self._section.execution))
        if waits_ns := waiting_ns(old, new, now_ns):
            events[0] = replace(events[0], interruption_ns=waits_ns)
        self.state.events += [LoggedHandover(time_ns=now_ns, handover=event) for event in events]
        if new.ready_ns:
            self.state.arriving = [other for other in self.state.arriving if other != terminal]
        self._replace(terminal, new)
        return events

    def _replace(self, terminal: int, cluster: Cluster) -> None:
        self.state.clusters[terminal] = cluster
        self.state.weights_outdated = True
        self._table = None
