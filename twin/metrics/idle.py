"""When nobody serves a terminal, to the nanosecond: from the events alone, whether the terminal is there or not."""

from __future__ import annotations

import numpy as np

from twin.arrays import IntArray
from twin.metrics.run import Run
from twin.vocabulary import EventKind


def idle(run: Run) -> tuple[IntArray, IntArray]:
    """Begin and end (N,) of all stretches without members or under execution, on the line of `Run.at_ns`, rising."""
    begin, end = _stretches(run)
    return without(begin, end, begin[:0], end[:0])


def without(begin: IntArray, end: IntArray, cut_begin: IntArray, cut_end: IntArray) -> tuple[IntArray, IntArray]:
    """What some stretches cover and others do not, in rising order; stretches may overlap, those that touch are one."""
    edges = np.concatenate([begin, end, cut_begin, cut_end])
    steps = np.repeat([1, -1, 0, 0], [len(begin), len(end), len(cut_begin), len(cut_end)])
    cuts = np.repeat([0, 0, 1, -1], [len(begin), len(end), len(cut_begin), len(cut_end)])
    places, inverse = np.unique(edges, return_inverse=True)
    covered = np.bincount(inverse, weights=steps, minlength=len(places)).cumsum() > 0.5
    barred = np.bincount(inverse, weights=cuts, minlength=len(places)).cumsum() > 0.5
    kept = np.concatenate([[False], covered & ~barred])
    return places[kept[1:] & ~kept[:-1]], places[~kept[1:] & kept[:-1]]


def _stretches(run: Run) -> tuple[IntArray, IntArray]:
    """Begin and end of stretches without members or with an event's interruption; they may overlap."""
    events, terminals = run.events, np.arange(len(run.names))
    change = events.of_kind(EventKind.SERVICE_START, EventKind.ADD).astype(np.int64)
    change -= events.of_kind(EventKind.SERVICE_END, EventKind.DROP)
    # the clusters at the start are empty, and the changes of a terminal come after those of others
    total = np.append(0, np.cumsum(change))
    firsts = np.searchsorted(events.terminal, terminals)
    members = total[1:] - total[firsts][events.terminal]
    stops = np.append(events.terminal[1:] != events.terminal[:-1], True)[: len(members)]
    following = np.where(stops, run.duration_ns, np.append(events.time_ns[1:], 0)[: len(members)])
    opening = np.full(len(terminals), run.duration_ns)
    there = np.flatnonzero(firsts < np.searchsorted(events.terminal, terminals, side="right"))
    opening[there] = events.time_ns[firsts[there]]
    empty = members == 0
    begin = np.concatenate([np.zeros(len(terminals), dtype=np.int64), events.time_ns[empty], events.time_ns])
    waited = np.minimum(events.time_ns + events.interruption_ns, run.duration_ns)
    end = np.concatenate([opening, following[empty], waited])
    terminal = np.concatenate([terminals, events.terminal[empty], events.terminal])
    some = end > begin
    return run.at_ns(terminal[some], begin[some]), run.at_ns(terminal[some], end[some])
