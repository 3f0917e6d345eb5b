"""When a terminal is served and when not."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from twin.metrics.run import Run

if TYPE_CHECKING:
    import pandas as pd

Whole = NDArray[np.int64]


def outages(run: Run) -> pd.DataFrame:
    """Every stretch of time in which nobody serves a terminal, to the nanosecond, from the events alone.

    A terminal is out of service while its cluster is empty (before the first attach, from a detach to the next attach)
    and while an event interrupts it (for ``interruption_s`` from the event on); stretches that touch are one. A
    terminal without events is out for the whole run.

    Returns
    -------
    DataFrame
        One row an outage, by terminal and begin: ``terminal``, ``begin_s``, ``end_s`` (since the start of the run),
        ``outage_s``, ``from_start``, ``to_end`` (it touches the start or the end of the run, and may be longer).
    """
    import pandas as pd

    terminal, begin, end = _idle(run)
    # terminals are put one behind the other on one line of time, so far apart that their stretches do not touch
    offset = terminal * (run.duration_ns + 1)
    order = np.lexsort((end, begin + offset))
    terminal, begin, end, offset = terminal[order], begin[order], end[order], offset[order]
    latest = np.maximum.accumulate(end + offset) if len(end) else end
    first = np.flatnonzero(np.append(True, (begin + offset)[1:] > latest[:-1])[: len(end)])
    last = np.append(first[1:] - 1, len(end) - 1)[: len(first)]
    begin, end = begin[first], latest[last] - offset[last]
    return pd.DataFrame(
        {
            "terminal": np.array(run.names, dtype=object)[terminal[first]],
            "begin_s": begin / 1e9,
            "end_s": end / 1e9,
            "outage_s": (end - begin) / 1e9,
            "from_start": begin == 0,
            "to_end": end == run.duration_ns,
        }
    )


def _idle(run: Run) -> tuple[Whole, Whole, Whole]:
    """Terminal, begin and end of stretches without members or with an event's interruption; they may overlap."""
    events, terminals = run.events, np.arange(len(run.names))
    change = events.of_kind("attach", "add").astype(np.int64) - events.of_kind("detach", "drop")
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
    return terminal[some], begin[some], end[some]


def service(run: Run, outages: pd.DataFrame) -> pd.DataFrame:
    """How well each terminal is served: one row a terminal, those that never are included.

    Returns
    -------
    DataFrame
        From the events, to the nanosecond: ``availability`` (share of the run without outage), ``outages`` (count),
        ``outage_s`` (total), ``longest_outage_s``. From the events' own ``interruption_s``, without regard to overlaps
        or to the end of the run: ``announced_s``. From the epochs' ``interrupted_fraction``, what handovers under way
        took of the run: ``interrupted_s``; the rest of the outages is time without any satellite. From the epochs'
        ``in_service``, which shows the end of each epoch: ``served_epochs`` (share), ``longest_unserved_epochs``
        (count, one after the other).
    """
    import pandas as pd

    by = outages.groupby("terminal")["outage_s"].agg(["count", "sum", "max"])
    by = by.reindex(pd.Index(run.names, name="terminal")).fillna(0.0)
    announced = np.bincount(run.events.terminal, weights=run.events.interruption_ns / 1e9, minlength=len(run.names))
    return pd.DataFrame(
        {
            "availability": 1.0 - by["sum"] / (run.duration_ns / 1e9),
            "outages": by["count"].astype(np.int64),
            "outage_s": by["sum"],
            "longest_outage_s": by["max"],
            "announced_s": announced,
            "interrupted_s": run.interrupted.sum(axis=1) * run.epoch_s,
            "served_epochs": run.in_service.mean(axis=1),
            "longest_unserved_epochs": _longest(~run.in_service),
        },
        index=by.index,
    )


def _longest(flags: NDArray[np.bool_]) -> Whole:
    """(K,) the most flags of (K,E) that stand side by side."""
    place = np.arange(1, flags.shape[1] + 1)
    cleared = np.maximum.accumulate(np.where(flags, 0, place), axis=1)
    return np.asarray((place - cleared).max(axis=1))
