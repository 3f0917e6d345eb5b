"""Intervals in which no satellite serves a terminal, from the events alone and regardless of its presence."""

from __future__ import annotations

import numpy as np

from twin.arrays import IntArray
from twin.metrics.run import Run
from twin.vocabulary import EventKind


def unserved(run: Run) -> tuple[IntArray, IntArray]:
    """Begin and end (N,) of all intervals without members or during execution, on the axis of `Run.axis_ns`, sorted."""
    begin, end = _intervals(run)
    return difference(begin, end, begin[:0], end[:0])


def difference(
    begin: IntArray, end: IntArray, removed_begin: IntArray, removed_end: IntArray
) -> tuple[IntArray, IntArray]:
    """Union of some intervals less the union of others, sorted; touching intervals are merged."""
    edges = np.concatenate([begin, end, removed_begin, removed_end])
    steps = np.repeat([1, -1, 0, 0], [len(begin), len(end), len(removed_begin), len(removed_end)])
    removals = np.repeat([0, 0, 1, -1], [len(begin), len(end), len(removed_begin), len(removed_end)])
    instants, inverse = np.unique(edges, return_inverse=True)
    covered = np.bincount(inverse, weights=steps, minlength=len(instants)).cumsum() > 0.5
    removed = np.bincount(inverse, weights=removals, minlength=len(instants)).cumsum() > 0.5
    kept = np.concatenate([[False], covered & ~removed])
    return instants[kept[1:] & ~kept[:-1]], instants[~kept[1:] & kept[:-1]]


def _intervals(run: Run) -> tuple[IntArray, IntArray]:
    """Begin and end of intervals without members or with an event's interruption; they may overlap."""
    events, terminals = run.events, np.arange(len(run.names))
    change = events.of_kind(EventKind.SERVICE_START, EventKind.ADD).astype(np.int64)
    change -= events.of_kind(EventKind.SERVICE_END, EventKind.DROP)
    # clusters are empty at the start, and events are sorted by terminal
    total = np.append(0, np.cumsum(change))
    firsts = np.searchsorted(events.terminal, terminals)
    members = total[1:] - total[firsts][events.terminal]
    last = np.append(events.terminal[1:] != events.terminal[:-1], True)[: len(members)]
    following = np.where(last, run.duration_ns, np.append(events.time_ns[1:], 0)[: len(members)])
    first_event = np.full(len(terminals), run.duration_ns)
    with_events = np.flatnonzero(firsts < np.searchsorted(events.terminal, terminals, side="right"))
    first_event[with_events] = events.time_ns[firsts[with_events]]
    empty = members == 0
    begin = np.concatenate([np.zeros(len(terminals), dtype=np.int64), events.time_ns[empty], events.time_ns])
    interrupted = np.minimum(events.time_ns + events.interruption_ns, run.duration_ns)
    end = np.concatenate([first_event, following[empty], interrupted])
    terminal = np.concatenate([terminals, events.terminal[empty], events.terminal])
    positive = end > begin
    return run.axis_ns(terminal[positive], begin[positive]), run.axis_ns(terminal[positive], end[positive])
