"""Absences of terminals; time of absence is neither service nor outage."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from twin.arrays import BoolArray, IntArray
from twin.errors import InputError
from twin.metrics.events import whole_microseconds
from twin.metrics.run import Run
from twin.metrics.unserved import difference, unserved

if TYPE_CHECKING:
    import pandas as pd

Intervals = list[tuple[int, int]]
"""Begin and end of each interval on the axis of `Run.axis_ns`, sorted."""


def absences(run: Run) -> tuple[IntArray, IntArray]:
    """Begin and end (N,) of all absences on the axis of `Run.axis_ns`, sorted and truncated to microseconds.

    ``present_fraction`` gives the length of an absence within an epoch. If the terminal arrives or leaves once in the
    epoch, its presence at the ends of this epoch and of the one before gives the instant exactly. If it does so more
    often, the absence is placed by the events: at the end of service, or before the end of service for a terminal that
    arrives and leaves. That is exact while the terminal is served; otherwise only the placement of outages depends on
    it, not their totals.

    Raises
    ------
    InputError
        If a terminal is served during an absence, by more than a thousandth of an epoch.
    """
    away_ns = run.epoch_ns - run.present_ns
    if not away_ns.any():
        return np.empty(0, dtype=np.int64), np.empty(0, dtype=np.int64)
    without_service, (k, e) = unserved(run), np.nonzero(away_ns)
    begin = run.axis_ns(k, e * run.epoch_ns)
    whole = away_ns[k, e] == run.epoch_ns
    pieces = [(int(a), int(a) + run.epoch_ns) for a in begin[whole]]
    for cell in np.flatnonzero(~whole).tolist():
        pieces += _within_epoch(run, int(k[cell]), int(e[cell]), without_service)
    edges = np.array(pieces, dtype=np.int64).reshape(-1, 2).T
    begins, ends = difference(edges[0], edges[1], begin[:0], begin[:0])
    _check_unserved(run, begins, ends, without_service)
    return _truncated(run, begins), _truncated(run, ends)


def known_rows(known: BoolArray, table: pd.DataFrame) -> pd.DataFrame:
    """A table with missing values in the rows that are not known; integers stay integers if all rows are known."""
    return table.where(np.broadcast_to(known[:, None], table.shape))


def _within_epoch(run: Run, k: int, e: int, without_service: tuple[IntArray, IntArray]) -> Intervals:
    """The absences of a terminal in an epoch in which it is present for a part of the time."""
    begin = int(run.axis_ns(np.int64(k), np.int64(e * run.epoch_ns)))
    end, away_ns = begin + run.epoch_ns, run.epoch_ns - int(run.present_ns[k, e])
    present_after = bool(run.present[k, e])
    present_before = bool(run.present[k, e - 1]) if e else not present_after
    free = _clipped(without_service, begin, end)
    if _length(free) < away_ns - _tolerance_ns(run):
        raise _served_away(run, k, e * run.epoch_ns)
    if present_before and not present_after:
        placed = [(end - away_ns, end)]
    elif present_after and not present_before:
        placed = [(begin, begin + away_ns)]
    elif present_before:
        placed = _first_of(free, away_ns)
    else:
        leaves = free[-1][0] if free and free[-1][1] == end and free[-1][0] > begin else end
        arrives = max(begin, leaves - (run.epoch_ns - away_ns))
        placed = [(begin, arrives), (arrives + run.epoch_ns - away_ns, end)]
    return placed if _overlap(placed, free) >= away_ns - _tolerance_ns(run) else _first_of(free, away_ns)


def _clipped(intervals: tuple[IntArray, IntArray], begin: int, end: int) -> Intervals:
    first = np.searchsorted(intervals[1], begin, side="right")
    stop = np.searchsorted(intervals[0], end)
    pairs = (np.clip(each[first:stop], begin, end).tolist() for each in intervals)
    return list(zip(*pairs, strict=True))


def _length(intervals: Intervals) -> int:
    return sum(b - a for a, b in intervals)


def _overlap(some: Intervals, others: Intervals) -> int:
    return sum(max(0, min(b, d) - max(a, c)) for a, b in some for c, d in others)


def _first_of(intervals: Intervals, length: int) -> Intervals:
    """A part of given total length: the beginning of the first interval that is long enough, else of all in order."""
    found = [(a, a + length) for a, b in intervals if b - a >= length][:1]
    if found:
        return found
    for a, b in intervals:
        found.append((a, min(b, a + length)))
        length -= found[-1][1] - a
        if not length:
            break
    return found


def _truncated(run: Run, at_ns: IntArray) -> IntArray:
    """Instants truncated as those of events are, so that equal instants stay equal."""
    terminal, time_ns = np.divmod(at_ns, run.axis_step_ns)
    return run.axis_ns(terminal, whole_microseconds(time_ns))


def _tolerance_ns(run: Run) -> int:
    """Fractions may have been written with three digits, and instants of events are truncated to microseconds."""
    return max(1_000, run.epoch_ns // 1_000)


def _check_unserved(run: Run, begin: IntArray, end: IntArray, without_service: tuple[IntArray, IntArray]) -> None:
    served_begin, served_end = difference(begin, end, *without_service)
    wrong = served_end - served_begin > _tolerance_ns(run)
    if wrong.any():
        raise _served_away(run, *divmod(int(served_begin[wrong][0]), run.axis_step_ns))


def _served_away(run: Run, k: int, at_ns: int) -> InputError:
    return InputError(
        f'terminals: present_fraction: "{run.names[k]}" is absent in epoch {at_ns // run.epoch_ns}, but served'
        " according to the handovers"
    )
