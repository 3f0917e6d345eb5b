"""When terminals are not there: such time is neither service nor outage."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from twin.arrays import BoolArray, IntArray
from twin.errors import InputError
from twin.metrics.events import whole_microseconds
from twin.metrics.idle import idle, without
from twin.metrics.run import Run

if TYPE_CHECKING:
    import pandas as pd

Stretches = list[tuple[int, int]]


def absences(run: Run) -> tuple[IntArray, IntArray]:
    """Begin and end (N,) of all absences, on the line of `Run.at_ns`, rising.

    For how long a terminal is away within an epoch is known to the nanosecond from ``present_fraction``. When, follows
    from whether it is there at the end of this epoch and of the one before, as exactly, if it comes or goes once in the
    epoch. If it does so more often, the events decide: it is away where its service ends, or before its service ends
    where it comes and goes. That is exact as long as it is served; else only how outages are cut depends on it, and no
    total.

    Raises
    ------
    InputError
        If the events have a terminal served while it is away, by more than a thousandth of an epoch.
    """
    away = run.epoch_ns - run.there_ns
    if not away.any():
        return np.empty(0, dtype=np.int64), np.empty(0, dtype=np.int64)
    unserved, (k, e) = idle(run), np.nonzero(away)
    begin = run.at_ns(k, e * run.epoch_ns)
    whole = away[k, e] == run.epoch_ns
    pieces = [(int(a), int(a) + run.epoch_ns) for a in begin[whole]]
    for cell in np.flatnonzero(~whole).tolist():
        pieces += _within(run, int(k[cell]), int(e[cell]), unserved)
    cuts = np.array(pieces, dtype=np.int64).reshape(-1, 2).T
    starts, ends = without(cuts[0], cuts[1], begin[:0], begin[:0])
    _check_unserved(run, starts, ends, unserved)
    return _truncated(run, starts), _truncated(run, ends)


def where(known: BoolArray, table: pd.DataFrame) -> pd.DataFrame:
    """A table with missing values in the rows that are not known; whole numbers stay whole where all are."""
    return table.where(np.broadcast_to(known[:, None], table.shape))


def _within(run: Run, k: int, e: int, unserved: tuple[IntArray, IntArray]) -> Stretches:
    """Where in an epoch a terminal is away that is there for a part of it."""
    begin = int(run.at_ns(np.int64(k), np.int64(e * run.epoch_ns)))
    end, away = begin + run.epoch_ns, run.epoch_ns - int(run.there_ns[k, e])
    after = bool(run.present[k, e])
    before = bool(run.present[k, e - 1]) if e else not after
    free = _clipped(unserved, begin, end)
    if _length(free) < away - _slack_ns(run):
        raise _served_away(run, k, e * run.epoch_ns)
    if before and not after:
        likely = [(end - away, end)]
    elif after and not before:
        likely = [(begin, begin + away)]
    elif before:
        likely = _first_of(free, away)
    else:
        left = free[-1][0] if free and free[-1][1] == end and free[-1][0] > begin else end
        comes = max(begin, left - (run.epoch_ns - away))
        likely = [(begin, comes), (comes + run.epoch_ns - away, end)]
    return likely if _common(likely, free) >= away - _slack_ns(run) else _first_of(free, away)


def _clipped(stretches: tuple[IntArray, IntArray], begin: int, end: int) -> Stretches:
    first = np.searchsorted(stretches[1], begin, side="right")
    stop = np.searchsorted(stretches[0], end)
    pairs = (np.clip(each[first:stop], begin, end).tolist() for each in stretches)
    return list(zip(*pairs, strict=True))


def _length(stretches: Stretches) -> int:
    return sum(b - a for a, b in stretches)


def _common(some: Stretches, others: Stretches) -> int:
    return sum(max(0, min(b, d) - max(a, c)) for a, b in some for c, d in others)


def _first_of(stretches: Stretches, length: int) -> Stretches:
    """So much of some stretches: the beginning of the first that is as long, else the earliest of all."""
    found = [(a, a + length) for a, b in stretches if b - a >= length][:1]
    if found:
        return found
    for a, b in stretches:
        found.append((a, min(b, a + length)))
        length -= found[-1][1] - a
        if not length:
            break
    return found


def _truncated(run: Run, at_ns: IntArray) -> IntArray:
    """Instants on the line of `Run.at_ns`, truncated as those of events are, so that equal instants stay equal."""
    terminal, time_ns = np.divmod(at_ns, run.line_ns)
    return run.at_ns(terminal, whole_microseconds(time_ns))


def _slack_ns(run: Run) -> int:
    """Tolerance: fractions may have three digits, and instants of events are truncated to microseconds."""
    return max(1_000, run.epoch_ns // 1_000)


def _check_unserved(run: Run, begin: IntArray, end: IntArray, unserved: tuple[IntArray, IntArray]) -> None:
    served_begin, served_end = without(begin, end, *unserved)
    wrong = served_end - served_begin > _slack_ns(run)
    if wrong.any():
        raise _served_away(run, *divmod(int(served_begin[wrong][0]), run.line_ns))


def _served_away(run: Run, k: int, at_ns: int) -> InputError:
    return InputError(
        f'terminals: present_fraction: "{run.names[k]}" is away in the epoch {at_ns // run.epoch_ns} while it is served'
        " according to the handovers"
    )
