"""Serving clusters of terminals, and the events of a change from one cluster to another."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from math import inf
from typing import Final

import numpy as np

from twin.arrays import BoolArray, FloatArray, IntArray
from twin.records import documented
from twin.vocabulary import EventKind


@documented
@dataclass(frozen=True, slots=True, kw_only=True)
class Handover:
    """One event in the service of one terminal; None where no satellite or beam is left or taken."""

    terminal: int
    """Index of the terminal."""
    kind: EventKind
    """What happened."""
    from_satellite: int | None
    """NORAD id before the change; None if there is none."""
    to_satellite: int | None
    """NORAD id after the change; None if there is none."""
    reason: str
    """Reason of the change, given by the policy or the network."""
    interruption_ns: int
    """Time without service that the event causes."""
    from_beam: int | None = None
    """Beam of the master before the event."""
    to_beam: int | None = None
    """Beam of the master after the event."""


@documented
@dataclass(frozen=True, slots=True, kw_only=True)
class Cluster:
    """The satellites that serve one terminal."""

    ready_ns: dict[int, int]
    """Time from which each member, by NORAD id, is ready to serve."""
    master: int | None
    """NORAD id of the master. None means that the cluster is empty."""
    since_ns: dict[int, int] = field(default_factory=dict)
    """Time at which each member, by NORAD id, joined; only members that joined after the start of the run."""
    beam: int | None = None
    """Beam of the master that covers the terminal. None means no beam."""
    power_fraction: dict[int, float] | None = None
    """Fraction of its power budget that each member, by NORAD id, spends on the terminal. None means equal
    fractions."""

    def kept(self, satellites: Iterable[int], master: int | None, *, joining_ready_ns: int, now_ns: int = 0) -> Cluster:
        """Return the cluster with other members.

        Members that stay keep their times and power fractions; the beam stays if the master does.
        """
        chosen = sorted(satellites)
        return replace(
            self,
            ready_ns={satellite: self.ready_ns.get(satellite, joining_ready_ns) for satellite in chosen},
            master=master,
            since_ns={satellite: since for satellite in chosen if (since := self._since(satellite, now_ns))},
            beam=self.beam if master == self.master else None,
            power_fraction=_restricted(self.power_fraction, chosen),
        )

    def _since(self, satellite: int, now_ns: int) -> int:
        return self.since_ns.get(satellite, 0) if satellite in self.ready_ns else now_ns

    def without(self, lost: Iterable[int], range_km: Mapping[int, float] | None = None) -> Cluster:
        """Return the cluster without some members.

        If the master is lost, the member that has been ready longest becomes master; of several such members the
        nearest, where ranges are given.
        """
        left, ranges = self.ready_ns.keys() - set(lost), range_km or {}
        successor = min(left, key=lambda one: (self.ready_ns[one], ranges.get(one, inf), one), default=None)
        return self.kept(left, self.master if self.master in left else successor, joining_ready_ns=0)


def _restricted(fraction: dict[int, float] | None, satellites: list[int]) -> dict[int, float] | None:
    """Return the power fractions of some satellites alone."""
    return {each: fraction[each] for each in satellites if each in fraction} if fraction and satellites else None


_OF_MASTERS: Final = (EventKind.SERVICE_START, EventKind.SERVICE_END, EventKind.HARD, EventKind.BEAM, EventKind.MASTER)
"""Kinds of event that change the master or its beam."""

EMPTY_CLUSTER = Cluster(ready_ns={}, master=None)
"""Empty cluster of a terminal that is not served."""


def transition(terminal: int, old: Cluster, new: Cluster, *, reason: str, execution_ns: int) -> list[Handover]:
    """Return the events between two clusters, in an order in which they can be replayed.

    A change that keeps no satellite is one hard handover from the old to the new master, with a drop for every other
    old member and an add for every other new one.
    """

    def event(kind: EventKind, leaves: int | None = None, joins: int | None = None, gap_ns: int = 0) -> Handover:
        return Handover(
            terminal=terminal,
            kind=kind,
            from_satellite=leaves,
            to_satellite=joins,
            reason=reason,
            interruption_ns=gap_ns,
            from_beam=old.beam if kind in _OF_MASTERS else None,
            to_beam=new.beam if kind in _OF_MASTERS else None,
        )

    before, after = set(old.ready_ns), set(new.ready_ns)
    hard = not before & after
    spared = {old.master, new.master} if hard else set()
    events = [event(EventKind.DROP, leaves=satellite) for satellite in sorted(before - after - spared)]
    if hard and before and after:
        events.append(event(EventKind.HARD, leaves=old.master, joins=new.master, gap_ns=execution_ns))
    elif hard and after:
        events.append(event(EventKind.SERVICE_START, joins=new.master, gap_ns=execution_ns))
    elif hard and before:
        events.append(event(EventKind.SERVICE_END, leaves=old.master))
    events += [event(EventKind.ADD, joins=satellite) for satellite in sorted(after - before - spared)]
    if not hard and old.master != new.master:
        events.append(event(EventKind.MASTER, leaves=old.master, joins=new.master))
    elif not hard and old.beam != new.beam:
        events.append(event(EventKind.BEAM, leaves=old.master, joins=new.master))
    return events


@documented
@dataclass(frozen=True, slots=True, kw_only=True)
class ServingTable:
    """All clusters as arrays: A satellites that serve at least one terminal, K terminals."""

    norad_id: IntArray
    """(A,) NORAD ids, ascending."""
    member: BoolArray
    """(A,K) members of each terminal's cluster."""
    ready_ns: IntArray
    """(A,K) time from which each member is ready to serve; 0 for pairs that are not members."""
    master: IntArray
    """(K,) row of each cluster's master, -1 without a master."""
    since_ns: IntArray
    """(A,K) time at which each member joined; 0 for pairs that are not members."""
    beam: IntArray
    """(K,) beam of the master that covers each terminal, -1 without a beam."""
    power_fraction: FloatArray | None
    """(A,K) fraction of its power budget that each satellite spends on each terminal. None means equal fractions."""

    @classmethod
    def of(cls, clusters: list[Cluster]) -> ServingTable:
        """Make arrays of the clusters of K terminals."""
        norad_id = np.array(sorted({id_ for cluster in clusters for id_ in cluster.ready_ns}), dtype=np.int64)
        row = {int(id_): index for index, id_ in enumerate(norad_id)}
        member = np.zeros((len(norad_id), len(clusters)), dtype=np.bool_)
        ready_ns, since_ns = np.zeros((2, *member.shape), dtype=np.int64)
        master, beam = np.full((2, len(clusters)), -1, dtype=np.int64)
        for terminal, cluster in enumerate(clusters):
            for satellite, ready in cluster.ready_ns.items():
                pair = row[satellite], terminal
                member[pair] = True
                ready_ns[pair], since_ns[pair] = ready, cluster.since_ns.get(satellite, 0)
            if cluster.master is not None:
                master[terminal] = row[cluster.master]
            if cluster.beam is not None:
                beam[terminal] = cluster.beam
        return cls(
            norad_id=norad_id,
            member=member,
            ready_ns=ready_ns,
            master=master,
            since_ns=since_ns,
            beam=beam,
            power_fraction=_power_fractions(clusters, row, member),
        )


def _power_fractions(clusters: list[Cluster], row: dict[int, int], member: BoolArray) -> FloatArray | None:
    """Return (A,K) power fractions, or None if no cluster has any; equal fractions where a cluster has none.

    While changes of some terminals are still being executed, the fractions of a satellite can sum to more than 1; they
    are then scaled to a sum of 1.
    """
    if all(cluster.power_fraction is None for cluster in clusters):
        return None
    power_fraction = member / member.sum(axis=1, keepdims=True)
    for terminal, cluster in enumerate(clusters):
        for satellite, fraction in (cluster.power_fraction or {}).items():
            power_fraction[row[satellite], terminal] = fraction
    return np.asarray(power_fraction / np.maximum(power_fraction.sum(axis=1, keepdims=True), 1.0))
