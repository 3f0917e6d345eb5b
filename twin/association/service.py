"""Who serves whom, and the events by which that changes."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, slots=True, kw_only=True)
class Handover:
    """One event of one terminal."""

    terminal: int
    """Its index."""
    kind: str
    """attach, detach, satellite, add, drop or master."""
    from_satellite: int | None
    to_satellite: int | None
    reason: str
    interruption_ns: int
    """For so long the event leaves the terminal without service."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Cluster:
    """The satellites that serve one terminal."""

    ready_ns: dict[int, int]
    """NORAD id of each member, and when it is ready to serve."""
    master: int | None
    """NORAD id of the member that leads."""

    def kept(self, satellites: Iterable[int], master: int | None, *, joining_ready_ns: int) -> Cluster:
        """The cluster with other members: those that stay keep their readiness."""
        ready_ns = {satellite: self.ready_ns.get(satellite, joining_ready_ns) for satellite in sorted(satellites)}
        return Cluster(ready_ns=ready_ns, master=master)

    def without(self, lost: Iterable[int]) -> Cluster:
        """The cluster less some members; if the master goes, the member that has been there longest leads."""
        gone = set(lost)
        ready_ns = {satellite: ready for satellite, ready in self.ready_ns.items() if satellite not in gone}
        if self.master in ready_ns:
            return replace(self, ready_ns=ready_ns)
        heir = min(ready_ns, key=lambda satellite: (ready_ns[satellite], satellite), default=None)
        return Cluster(ready_ns=ready_ns, master=heir)


NOBODY = Cluster(ready_ns={}, master=None)
"""The cluster of a terminal that is not served."""


def transition(terminal: int, old: Cluster, new: Cluster, *, reason: str, execution_ns: int) -> list[Handover]:
    """The events that lead from one cluster to another, in an order that replays to the new one.

    A change that keeps no satellite is one hard handover from master to master; the others join or leave it.
    """

    def event(kind: str, leaves: int | None = None, joins: int | None = None, gap_ns: int = 0) -> Handover:
        return Handover(
            terminal=terminal,
            kind=kind,
            from_satellite=leaves,
            to_satellite=joins,
            reason=reason,
            interruption_ns=gap_ns,
        )

    before, after = set(old.ready_ns), set(new.ready_ns)
    hard = not before & after
    spared = {old.master, new.master} if hard else set()
    events = [event("drop", leaves=satellite) for satellite in sorted(before - after - spared)]
    if hard and before and after:
        events.append(event("satellite", leaves=old.master, joins=new.master, gap_ns=execution_ns))
    elif hard and after:
        events.append(event("attach", joins=new.master, gap_ns=execution_ns))
    elif hard and before:
        events.append(event("detach", leaves=old.master))
    events += [event("add", joins=satellite) for satellite in sorted(after - before - spared)]
    if not hard and old.master != new.master:
        events.append(event("master", leaves=old.master, joins=new.master))
    return events


@dataclass(frozen=True, slots=True, kw_only=True)
class ServingTable:
    """All clusters as arrays: A satellites that serve someone, K terminals."""

    norad_id: NDArray[np.int64]
    """(A,) satellites, rising."""
    member: NDArray[np.bool_]
    """(A,K) who belongs to whose cluster."""
    ready_ns: NDArray[np.int64]
    """(A,K) when each member is ready to serve."""
    master: NDArray[np.int64]
    """(K,) row of each cluster's master, -1 for none."""

    @classmethod
    def of(cls, clusters: list[Cluster]) -> ServingTable:
        """Tabulate clusters."""
        norad_id = np.array(sorted({id_ for cluster in clusters for id_ in cluster.ready_ns}), dtype=np.int64)
        row = {int(id_): index for index, id_ in enumerate(norad_id)}
        member = np.zeros((len(norad_id), len(clusters)), dtype=np.bool_)
        ready_ns = np.zeros(member.shape, dtype=np.int64)
        master = np.full(len(clusters), -1, dtype=np.int64)
        for terminal, cluster in enumerate(clusters):
            for satellite, ready in cluster.ready_ns.items():
                member[row[satellite], terminal] = True
                ready_ns[row[satellite], terminal] = ready
            if cluster.master is not None:
                master[terminal] = row[cluster.master]
        return cls(norad_id=norad_id, member=member, ready_ns=ready_ns, master=master)
