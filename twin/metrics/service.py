"""When a terminal is served and when not."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from twin.arrays import BoolArray, IntArray
from twin.metrics.idle import idle, without
from twin.metrics.presence import absences, where
from twin.metrics.run import Run

if TYPE_CHECKING:
    import pandas as pd


def outages(run: Run) -> pd.DataFrame:
    """Every stretch of time in which nobody serves a terminal that is there, to the nanosecond.

    A terminal is out of service while its cluster is empty (before the first attach, from a detach to the next attach)
    and while an event interrupts it (for ``interruption_s`` from the event on); stretches that touch are one. A
    terminal without events is out for the whole run. So far the events alone say it; absences, which end an outage and
    begin another, come from the epochs (`twin.metrics.presence.absences` says how exactly).

    Returns
    -------
    DataFrame
        One row an outage, by terminal and begin: ``terminal``, ``begin_s``, ``end_s`` (since the start of the run),
        ``outage_s``, ``from_start``, ``to_end`` (it touches the start or the end of the run, and may be longer).
    """
    import pandas as pd

    begin, end = without(*idle(run), *absences(run))
    terminal, begin = np.divmod(begin, run.line_ns)
    end = end - terminal * run.line_ns
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
    """How well each terminal is served while it is there: one row a terminal, those that never are served included.

    Returns
    -------
    DataFrame
        From the events, to the nanosecond: ``availability`` (share of the time in which it is there without outage),
        ``outages`` (count), ``outage_s`` (total), ``longest_outage_s``. From the events' own ``interruption_s``,
        without regard to overlaps, absences or the end of the run: ``announced_s``. From the epochs'
        ``interrupted_fraction``, what handovers under way took of the run: ``interrupted_s``; the rest of the outages
        is time without any satellite. From the epochs' ``in_service``, which shows the end of each epoch, of those at
        whose end the terminal is there: ``served_epochs`` (share), ``longest_unserved_epochs`` (count, one after the
        other). A terminal that never is there, or never at the end of an epoch, has missing values.
    """
    import pandas as pd

    by = outages.groupby("terminal")["outage_s"].agg(["count", "sum", "max"])
    by = by.reindex(pd.Index(run.names, name="terminal")).fillna(0.0)
    announced = np.bincount(run.events.terminal, weights=run.events.interruption_ns / 1e9, minlength=len(run.names))
    ends = run.present.sum(axis=1)
    exact = pd.DataFrame(
        {
            "availability": 1.0 - by["sum"] / np.where(run.present_s > 0.0, run.present_s, np.nan),
            "outages": by["count"].astype(np.int64),
            "outage_s": by["sum"],
            "longest_outage_s": by["max"],
            "announced_s": announced,
            "interrupted_s": run.interrupted.sum(axis=1) * run.epoch_s,
        },
        index=by.index,
    )
    sampled = pd.DataFrame(
        {
            "served_epochs": run.in_service.sum(axis=1) / np.maximum(ends, 1),
            "longest_unserved_epochs": _longest(~run.in_service & run.present),
        },
        index=by.index,
    )
    return pd.concat([where(run.present_s > 0.0, exact), where(ends > 0, sampled)], axis=1)


def _longest(flags: BoolArray) -> IntArray:
    """(K,) the most flags of (K,E) that stand side by side."""
    place = np.arange(1, flags.shape[1] + 1)
    cleared = np.maximum.accumulate(np.where(flags, 0, place), axis=1)
    return np.asarray((place - cleared).max(axis=1))
