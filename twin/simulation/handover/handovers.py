"""From decisions to clusters: what is planned, what becomes of it, and what is lost on the way."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from twin.association import Assignment, AssociationView
from twin.geometry.snapshot import Snapshot
from twin.simulation.handover.admission import admitted
from twin.simulation.handover.clusters import Clusters, ranges_km
from twin.simulation.handover.view import association_view
from twin.simulation.state import LoggedAttempt, PlannedHandover
from twin.vocabulary import AttemptOutcome, EventKind, Reason
from twin.world.outages import ABSENT


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """What a policy saw and wanted."""

    view: AssociationView
    wanted: Assignment


class Handovers:
    """Leads clusters to where the policy wants them.

    It knows the time only as it is told, and asks to be called again where something has a duration of its own.

    Parameters
    ----------
    look_at
        Asks for a call of `look` at an instant.
    ready_at
        Says that a member will be ready at an instant.
    """

    def __init__(
        self,
        clusters: Clusters,
        *,
        look_at: Callable[[int], None],
        ready_at: Callable[[int], None],
    ) -> None:
        self.clusters = clusters
        self.network, self.state = clusters.network, clusters.state
        self._look_at, self._ready_at = look_at, ready_at
        self._association = clusters.network.scenario.association

    # Decisions

    def decide(self, snapshot: Snapshot, now_ns: int) -> Decision:
        """Ask the policy and set off the changes that lead to what it wants."""
        view = association_view(self.network, snapshot, self.clusters.table, self.state.memory)
        wanted = self.network.decide(view)
        self.state.memory = {name: _kept(array) for name, array in wanted.memory.items()}
        changed = (wanted.serving != view.serving).any(axis=0) | (wanted.master != view.master)
        if wanted.beam is not None or (self.clusters.table.beam >= 0).any():
            changed |= self.clusters.table.beam != (-1 if wanted.beam is None else wanted.beam)
        under_way = {planned.terminal: planned for planned in self.state.planned}
        for planned in under_way.values():
            if planned.begin_ns is None and not changed[planned.terminal]:
                self._give_up(planned, AttemptOutcome.SUPERSEDED, now_ns)
        at_once = []
        for terminal in np.flatnonzero(changed).tolist():
            planned = self._planned(view, wanted, terminal, now_ns)
            if not self._is_new(planned, under_way.get(terminal), view, now_ns):
                continue
            if terminal in under_way:
                self._give_up(under_way[terminal], AttemptOutcome.SUPERSEDED, now_ns)
            if planned.begin_ns == now_ns:
                at_once.append(planned)
            else:
                self._plan(planned)
        self._begin(at_once, snapshot, now_ns)
        self._spread(view, wanted)
        return Decision(view=view, wanted=wanted)

    def _planned(self, view: AssociationView, wanted: Assignment, terminal: int, now_ns: int) -> PlannedHandover:
        rows = np.flatnonzero(wanted.serving[:, terminal])
        ids, master = view.norad_id[rows].tolist(), int(wanted.master[terminal])
        beam = -1 if wanted.beam is None else int(wanted.beam[terminal])
        power_fraction = (
            None
            if wanted.power_fraction is None
            else tuple(zip(ids, wanted.power_fraction[rows, terminal].tolist(), strict=True))
        )
        planned = PlannedHandover(
            terminal=terminal,
            satellites=tuple(ids),
            master=int(view.norad_id[master]) if master >= 0 else None,
            beam=beam if beam >= 0 else None,
            power_fraction=power_fraction,
            decided_ns=now_ns,
            begin_ns=None,
            look_ns=now_ns,
            reason=self._why(wanted, terminal),
        )
        return self._looked_at(planned, now_ns)

    def _why(self, wanted: Assignment, terminal: int) -> str:
        """The policy's own reason, or its name."""
        said = "" if wanted.reason is None else str(wanted.reason[terminal])
        return said or self._association.name

    def _is_new(
        self, planned: PlannedHandover, before: PlannedHandover | None, view: AssociationView, now_ns: int
    ) -> bool:
        """Whether a wish is to be followed: what is being prepared goes on, what only waits gives way."""
        aim = planned.satellites, planned.master, planned.beam
        if before is not None and (before.begin_ns is not None or before.aims_at(*aim)):
            return False
        cluster = self.state.clusters[planned.terminal]
        still = view.norad_id[view.serving[:, planned.terminal]].tolist()
        loses = len(still) < len(cluster.ready_ns)
        if loses and planned.begin_ns != now_ns:
            left = cluster.without(cluster.ready_ns.keys() - set(still))
            return not planned.aims_at(tuple(sorted(left.ready_ns)), left.master, left.beam)
        since_ns = self.state.changed_ns.get(planned.terminal)
        held = since_ns is not None and now_ns - since_ns < self._association.min_dwell and not loses
        only_beam = (planned.satellites, planned.master) == (tuple(sorted(cluster.ready_ns)), cluster.master)
        return not held or not cluster.ready_ns or only_beam

    def _spread(self, view: AssociationView, wanted: Assignment) -> None:
        """Give pairs that serve, and shall, the share of now; the precoder alone has to know of it."""
        for terminal, cluster in enumerate(self.state.clusters):
            if wanted.power_fraction is None:
                self.clusters.power_fraction(terminal, None)
                continue
            rows = np.flatnonzero(wanted.serving[:, terminal])
            parts = zip(view.norad_id[rows].tolist(), wanted.power_fraction[rows, terminal].tolist(), strict=True)
            new = (cluster.power_fraction or {}) | {one: part for one, part in parts if one in cluster.ready_ns}
            self.clusters.power_fraction(terminal, {one: new[one] for one in sorted(new)} or None)

    # What is planned

    def look(self, snapshot: Snapshot, now_ns: int) -> None:
        """Go on with all that is to be looked at now."""
        due = [planned for planned in self.state.planned if planned.look_ns == now_ns]
        begin = []
        for before in due:
            planned = self._looked_at(before, now_ns)
            if planned.begin_ns == now_ns:
                self.state.planned.remove(before)
                begin.append(planned)
            elif planned.look_ns == now_ns:
                self._give_up(before, AttemptOutcome.TIMED_OUT, now_ns)
            else:
                self.state.planned.remove(before)
                self._plan(planned)
        self._begin(begin, snapshot, now_ns)

    def _plan(self, planned: PlannedHandover) -> None:
        self.state.planned.append(planned)
        self._look_at(planned.look_ns)

    def _looked_at(self, planned: PlannedHandover, now_ns: int) -> PlannedHandover:
        """A plan as it goes on from now: it waits while the terminal is being handed over, then it is prepared."""
        busy_ns = self.clusters.executing(planned.terminal, now_ns)
        begin_ns, timeout_ns = planned.begin_ns, self._association.timeout
        if begin_ns is None and busy_ns is None:
            begin_ns = now_ns + int(self._association.preparation)
        look_ns = begin_ns if begin_ns is not None else busy_ns if busy_ns is not None else now_ns
        if timeout_ns is not None:
            look_ns = min(look_ns, planned.decided_ns + int(timeout_ns))
        return replace(planned, begin_ns=begin_ns, look_ns=look_ns)

    def _give_up(
        self, planned: PlannedHandover, outcome: AttemptOutcome, now_ns: int, reason: str | None = None
    ) -> None:
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
        """Execute decisions with the satellites that are still there and have a place."""
        if not batch:
            return
        available = self.network.available(snapshot, now_ns)
        there = {
            planned.terminal: set(snapshot.norad_id[available[:, planned.terminal]].tolist()) & set(planned.satellites)
            for planned in batch
        }
        left = [planned for planned in batch if there[planned.terminal] or not planned.satellites]
        got = self._places({planned.terminal: there[planned.terminal] for planned in left}, batch, snapshot)
        for planned in batch:
            if planned not in left:
                self._give_up(planned, AttemptOutcome.TARGET_LOST, now_ns)  # what serves now goes on
            elif planned.terminal not in got:
                self._give_up(planned, AttemptOutcome.ADMISSION_REJECTED, now_ns)
        for planned in left:
            if planned.terminal in got:
                refused = len(there[planned.terminal]) - len(got[planned.terminal])
                reason = f"{self._reason(planned)}, {refused} refused" if refused else self._reason(planned)
                self._log(planned, AttemptOutcome.EXECUTED, now_ns, begun_ns=now_ns, reason=reason)
                self._execute(planned, got[planned.terminal], reason, snapshot, now_ns)

    def _places(
        self, wanted: dict[int, set[int]], batch: Sequence[PlannedHandover], snapshot: Snapshot
    ) -> dict[int, set[int]]:
        """What is admitted: the earliest decisions first, of those of one instant the nearest satellite."""
        if self._association.capacity is None:
            return wanted
        decided_ns = {planned.terminal: planned.decided_ns for planned in batch}

        def rank(satellite: int, terminal: int) -> tuple[float, ...]:
            row = int(np.searchsorted(snapshot.norad_id, satellite))
            return decided_ns[terminal], float(snapshot.range_km[row, terminal])

        return admitted(self.state.clusters, wanted, self._association.capacity, rank)

    def _reason(self, planned: PlannedHandover) -> str:
        comes = planned.terminal in self.state.arriving and not self.state.clusters[planned.terminal].ready_ns
        return Reason.ARRIVAL if comes else planned.reason

    def _execute(
        self, planned: PlannedHandover, satellites: set[int], reason: str, snapshot: Snapshot, now_ns: int
    ) -> None:
        old = self.state.clusters[planned.terminal]
        ready_ns = now_ns + int(self._association.execution)
        stays, master = satellites & old.ready_ns.keys(), planned.master
        if stays and master not in stays and ready_ns > now_ns:
            left = old.without(old.ready_ns.keys() - stays, ranges_km(snapshot, planned.terminal, old))
            master = left.master  # who joins does not lead before it serves
        new = old.kept(satellites, master, joining_ready_ns=ready_ns, now_ns=now_ns)
        if master not in satellites:
            new = new.without(() if master is None else {master}, ranges_km(snapshot, planned.terminal, new))
        if new.master is not None and new.master == planned.master:
            new = replace(new, beam=planned.beam)
        beam_ns = int(self._association.beam_execution)
        if beam_ns and new.master is not None and new.master == old.master and new.beam != old.beam:
            new = replace(new, ready_ns=new.ready_ns | {new.master: now_ns + beam_ns})
        if planned.power_fraction is not None:
            new = replace(
                new, power_fraction={one: part for one, part in planned.power_fraction if one in satellites} or None
            )
        for at_ns in sorted({at for at in new.ready_ns.values() if at > now_ns} - set(old.ready_ns.values())):
            self._ready_at(at_ns)
        events = self.clusters.change(planned.terminal, new, reason, now_ns)
        if any(event.kind != EventKind.BEAM for event in events):
            self.state.changed_ns[planned.terminal] = now_ns

    # The timetable

    def turn(self, snapshot: Snapshot, now_ns: int) -> None:
        """Follow the timetable: take out members that are barred from now on, and let terminals come and go."""
        outages = self.network.outages
        absent = outages.absent(now_ns)
        came = np.flatnonzero(outages.absent(now_ns - 1) & ~absent).tolist()
        self.state.arriving = sorted({*self.state.arriving, *came})
        for planned in [planned for planned in self.state.planned if absent[planned.terminal]]:
            self._give_up(planned, AttemptOutcome.SUPERSEDED, now_ns, ABSENT)
        self.clusters.drop_barred(snapshot, now_ns)


def _kept(array: ArrayLike) -> NDArray[Any]:
    """A copy that nobody changes: a snapshot, perhaps written later, must show what was."""
    kept = np.array(array)
    kept.flags.writeable = False
    return kept
