"""Who serves whom, and the events by which that changes."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from math import inf
from typing import Final

import numpy as np

from twin.arrays import BoolArray, FloatArray, IntArray
from twin.vocabulary import EventKind


@dataclass(frozen=True, slots=True, kw_only=True)
class Handover:
    """One event of one terminal."""

    terminal: int
    """Its index."""
    kind: EventKind
    from_satellite: int | None
    to_satellite: int | None
    reason: str
    interruption_ns: int
    """For so long the event leaves the terminal without service."""
    from_beam: int | None = None
    """Beam of the master that is left."""
    to_beam: int | None = None
    """Beam of the master that is taken."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Cluster:
    """The satellites that serve one terminal."""

    ready_ns: dict[int, int]
    """NORAD id of each member, and when it is ready to serve."""
    master: int | None
    """NORAD id of the member that leads."""
    since_ns: dict[int, int] = field(default_factory=dict)
    """NORAD id of each member that joined after the start of the run, and when."""
    beam: int | None = None
    """Beam of the master that covers the terminal."""
    power_fraction: dict[int, float] | None = None
    """NORAD id of members, and the share of its budget that each spends on the terminal; none for equal shares."""

    def kept(self, satellites: Iterable[int], master: int | None, *, joining_ready_ns: int, now_ns: int = 0) -> Cluster:
        """The cluster with other members: those that stay keep their readiness; beam and shares are those of before."""
        chosen = sorted(satellites)
        return replace(
            self,
            ready_ns={satellite: self.ready_ns.get(satellite, joining_ready_ns) for satellite in chosen},
            master=master,
            since_ns={satellite: since for satellite in chosen if (since := self._since(satellite, now_ns))},
            beam=self.beam if master == self.master else None,
            power_fraction=_among(self.power_fraction, chosen),
        )

    def _since(self, satellite: int, now_ns: int) -> int:
        return self.since_ns.get(satellite, 0) if satellite in self.ready_ns else now_ns

    def without(self, lost: Iterable[int], range_km: Mapping[int, float] | None = None) -> Cluster:
        """The cluster less some members.

        If the master goes, the member leads that has been there longest; of several of them the nearest, where ranges
        are given.
        """
        left, far = self.ready_ns.keys() - set(lost), range_km or {}
        heir = min(left, key=lambda one: (self.ready_ns[one], far.get(one, inf), one), default=None)
        return self.kept(left, self.master if self.master in left else heir, joining_ready_ns=0)


def _among(fraction: dict[int, float] | None, satellites: list[int]) -> dict[int, float] | None:
    return {each: fraction[each] for each in satellites if each in fraction} if fraction and satellites else None


_OF_MASTERS: Final = (
    EventKind.SERVICE_START,
    EventKind.SERVICE_END,
    EventKind.HARD,
    EventKind.BEAM,
    EventKind.MASTER,
)
"""Kinds of event from one master to another, or from one of its beams to another."""

NOBODY = Cluster(ready_ns={}, master=None)
"""The cluster of a terminal that is not served."""


def transition(terminal: int, old: Cluster, new: Cluster, *, reason: str, execution_ns: int) -> list[Handover]:
    """The events that lead from one cluster to another, in an order that replays to the new one.

    A change that keeps no satellite is one hard handover from master to master; the others join or leave it.
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


@dataclass(frozen=True, slots=True, kw_only=True)
class ServingTable:
    """All clusters as arrays: A satellites that serve someone, K terminals."""

    norad_id: IntArray
    """(A,) satellites, rising."""
    member: BoolArray
    """(A,K) who belongs to whose cluster."""
    ready_ns: IntArray
    """(A,K) when each member is ready to serve."""
    master: IntArray
    """(K,) row of each cluster's master, -1 for none."""
    since_ns: IntArray
    """(A,K) when each member joined; 0 for those that are none."""
    beam: IntArray
    """(K,) beam of each master that covers the terminal, -1 for none."""
    power_fraction: FloatArray | None
    """(A,K) share of its budget that each satellite spends on each terminal; none for equal shares."""

    @classmethod
    def of(cls, clusters: list[Cluster]) -> ServingTable:
        """Tabulate clusters."""
        norad_id = np.array(sorted({id_ for cluster in clusters for id_ in cluster.ready_ns}), dtype=np.int64)
        row = {int(id_): index for index, id_ in enumerate(norad_id)}
        member = np.zeros((len(norad_id), len(clusters)), dtype=np.bool_)
        ready_ns, since_ns = np.zeros((2, *member.shape), dtype=np.int64)
        master, beam = np.full((2, len(clusters)), -1, dtype=np.int64)
        for terminal, cluster in enumerate(clusters):
            for satellite, ready in cluster.ready_ns.items():
                place = row[satellite], terminal
                member[place] = True
                ready_ns[place], since_ns[place] = ready, cluster.since_ns.get(satellite, 0)
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
            power_fraction=_shares(clusters, row, member),
        )


def _shares(clusters: list[Cluster], row: dict[int, int], member: BoolArray) -> FloatArray | None:
    """(A,K) shares, if any cluster has some: equal where none is known, and never more than the whole together.

    They may come to more than the whole while some terminals' changes are still under way.
    """
    if all(cluster.power_fraction is None for cluster in clusters):
        return None
    power_fraction = member / member.sum(axis=1, keepdims=True)
    for terminal, cluster in enumerate(clusters):
        for satellite, part in (cluster.power_fraction or {}).items():
            power_fraction[row[satellite], terminal] = part
    return np.asarray(power_fraction / np.maximum(power_fraction.sum(axis=1, keepdims=True), 1.0))
