"""The clusters of a state: how they change, and what they lose."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace

import numpy as np

from twin.arrays import IntArray
from twin.association import Cluster, Handover, ServingTable, transition
from twin.geometry.snapshot import Snapshot
from twin.simulation.state import LoggedHandover, LoopState
from twin.vocabulary import Reason
from twin.world.network import Network, found


class Clusters:
    """Who serves whom, each change with its events.

    Parameters
    ----------
    cut
        Called before a cluster changes.
    """

    def __init__(self, network: Network, state: LoopState, cut: Callable[[], None]) -> None:
        self.network = network
        self.state = state
        self._cut = cut
        self._tabulated: ServingTable | None = None

    @property
    def table(self) -> ServingTable:
        """The clusters as they are."""
        if self._tabulated is None:
            self._tabulated = ServingTable.of(self.state.clusters)
        return self._tabulated

    def executing(self, terminal: int, now_ns: int) -> int | None:
        """When all members of a cluster will be ready to serve; none if they are."""
        ready_ns = max(self.state.clusters[terminal].ready_ns.values(), default=now_ns)
        return ready_ns if ready_ns > now_ns else None

    def change(self, terminal: int, new: Cluster, reason: str, now_ns: int) -> list[Handover]:
        """Give a terminal another cluster from now on."""
        old = self.state.clusters[terminal]
        if new == old:
            return []
        self._cut()
        execution_ns = int(self.network.scenario.association.execution)
        events = transition(terminal, old, new, reason=reason, execution_ns=execution_ns)
        if waits_ns := _waits_ns(old, new, now_ns):
            events[0] = replace(events[0], interruption_ns=waits_ns)
        self.state.events += [LoggedHandover(time_ns=now_ns, handover=event) for event in events]
        self.state.clusters[terminal] = new
        if new.ready_ns:
            self.state.arriving = [other for other in self.state.arriving if other != terminal]
        self.state.solved_current = False
        self._tabulated = None
        return events

    def power_fraction(self, terminal: int, power_fraction: dict[int, float] | None) -> None:
        """Give the members of a cluster other shares of power: no event, but the precoder has to know."""
        if power_fraction != self.state.clusters[terminal].power_fraction:
            self.state.clusters[terminal] = replace(self.state.clusters[terminal], power_fraction=power_fraction)
            self.state.solved_current = False
            self._tabulated = None

    def drop_lost(self, snapshot: Snapshot, now_ns: int) -> None:
        """Take out members that have sunk below the minimum elevation or are not usable any more."""
        table, norad_id = self.table, snapshot.norad_id
        seen = np.zeros(table.member.shape, dtype=np.bool_)
        _, there, rows = np.intersect1d(table.norad_id, norad_id, assume_unique=True, return_indices=True)
        seen[there] = snapshot.visible[rows]
        for terminal in np.flatnonzero((table.member & ~seen).any(axis=0)).tolist():
            lost = table.norad_id[table.member[:, terminal] & ~seen[:, terminal]]
            reason = Reason.SATELLITE_NOT_USABLE if snapshot.unusable(lost).any() else Reason.BELOW_MINIMUM_ELEVATION
            self._lose(terminal, lost, reason, snapshot, now_ns)

    def drop_barred(self, snapshot: Snapshot, now_ns: int) -> None:
        """Take out members that the timetable bars from now on."""
        table = self.table
        for reason, pairs in self.network.outages.barred(now_ns, table.norad_id):
            barred = table.member & pairs
            for terminal in np.flatnonzero(barred.any(axis=0)).tolist():
                self._lose(terminal, table.norad_id[barred[:, terminal]], reason, snapshot, now_ns)

    def _lose(self, terminal: int, lost: IntArray, reason: str, snapshot: Snapshot, now_ns: int) -> None:
        old = self.state.clusters[terminal]
        self.state.changed_ns.pop(terminal, None)
        self.change(terminal, old.without(lost.tolist(), ranges_km(snapshot, terminal, old)), reason, now_ns)


def ranges_km(snapshot: Snapshot, terminal: int, cluster: Cluster) -> Mapping[int, float]:
    """NORAD id of each member that anyone sees, and its distance from a terminal."""
    members = np.array(sorted(cluster.ready_ns), dtype=np.int64)
    known, rows = found(snapshot.norad_id, members)
    return dict(zip(members[known].tolist(), snapshot.range_km[rows, terminal].tolist(), strict=True))


def _waits_ns(old: Cluster, new: Cluster, now_ns: int) -> int:
    """For how long a cluster that lost all who served waits for those who have joined and are not ready yet."""
    served = any(ready_ns <= now_ns for ready_ns in old.ready_ns.values())
    if not served or old.ready_ns.keys().isdisjoint(new.ready_ns):
        return 0
    return max(0, min(new.ready_ns.values()) - now_ns)
