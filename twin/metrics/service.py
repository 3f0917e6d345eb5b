"""Outages and availability."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from twin.arrays import BoolArray, IntArray
from twin.metrics.presence import absences, known_rows
from twin.metrics.run import Run
from twin.metrics.unserved import difference, unserved

if TYPE_CHECKING:
    import pandas as pd


def outages(run: Run) -> pd.DataFrame:
    """All intervals in which no satellite serves a present terminal.

    A terminal is out of service while its cluster is empty (before the first start of service, and from an end of
    service to the next start) and during interruptions (``interruption_s`` from the event on); touching intervals are
    merged. A terminal without events is out of service for the whole run. Service follows from the events alone;
    absences, which divide outages, follow from the epochs (see `twin.metrics.presence.absences` for their accuracy).

    Returns
    -------
    DataFrame
        One row per outage, sorted by terminal and begin: ``terminal``, ``begin_s``, ``end_s`` (since the start of the
        run), ``outage_s``, ``from_start``, ``to_end`` (whether it touches the start or the end of the run; such an
        outage may be longer than observed).
    """
    import pandas as pd

    begin, end = difference(*unserved(run), *absences(run))
    terminal, begin = np.divmod(begin, run.axis_step_ns)
    end = end - terminal * run.axis_step_ns
    return pd.DataFrame(
        {
            "terminal": np.array(run.names, dtype=object)[terminal],
            "begin_s": begin / 1e9,
            "end_s": end / 1e9,
            "outage_s": (end - begin) / 1e9,
            "from_start": begin == 0,
            "to_end": end == run.duration_ns,
        }
    )


def service(run: Run, outages: pd.DataFrame) -> pd.DataFrame:
    """Service of each terminal while it is present: one row per terminal, including those that are never served.

    Returns
    -------
    DataFrame
        From the outages: ``availability`` (fraction of the time of presence without outage), ``outages`` (count),
        ``outage_s`` (total), ``longest_outage_s``. ``announced_s``: sum of the events' ``interruption_s``, regardless
        of overlaps, absences and the end of the run. ``interrupted_s``: time lost to handover execution, from
        ``interrupted_fraction`` of the epochs; the other outage time is without any satellite. From ``in_service`` at
        the ends of the epochs at which the terminal is present: ``served_epochs`` (fraction) and
        ``longest_unserved_epochs`` (longest sequence of unserved epochs). A terminal that is never present, or never at
        the end of an epoch, has missing values.
    """
    import pandas as pd

    by_terminal = outages.groupby("terminal")["outage_s"].agg(["count", "sum", "max"])
    by_terminal = by_terminal.reindex(pd.Index(run.names, name="terminal")).fillna(0.0)
    announced = np.bincount(run.events.terminal, weights=run.events.interruption_ns / 1e9, minlength=len(run.names))
    ends = run.present.sum(axis=1)
    exact = pd.DataFrame(
        {
            "availability": 1.0 - by_terminal["sum"] / np.where(run.present_s > 0.0, run.present_s, np.nan),
            "outages": by_terminal["count"].astype(np.int64),
            "outage_s": by_terminal["sum"],
            "longest_outage_s": by_terminal["max"],
            "announced_s": announced,
            "interrupted_s": run.interrupted.sum(axis=1) * run.epoch_s,
        },
        index=by_terminal.index,
    )
    sampled = pd.DataFrame(
        {
            "served_epochs": run.in_service.sum(axis=1) / np.maximum(ends, 1),
            "longest_unserved_epochs": _longest(~run.in_service & run.present),
        },
        index=by_terminal.index,
    )
    return pd.concat([known_rows(run.present_s > 0.0, exact), known_rows(ends > 0, sampled)], axis=1)


def _longest(flags: BoolArray) -> IntArray:
    """(K,) length of the longest sequence of true flags in each row of (K,E)."""
    position = np.arange(1, flags.shape[1] + 1)
    last_false = np.maximum.accumulate(np.where(flags, 0, position), axis=1)
    return np.asarray((position - last_false).max(axis=1))
