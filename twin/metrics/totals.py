"""All metrics of a run at once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from twin.arrays import FloatArray
from twin.metrics.events import KINDS
from twin.metrics.handover_rates import handovers_per_hour
from twin.metrics.load import load_by_epoch, load_by_satellite
from twin.metrics.presence import where
from twin.metrics.rates import low, rate_around, rate_while_there, rates
from twin.metrics.run import Run
from twin.metrics.service import outages, service
from twin.metrics.serving_sets import clusters
from twin.metrics.stays import complete, left_by_choice, ping_pongs, stays
from twin.vocabulary import EventKind

if TYPE_CHECKING:
    import pandas as pd

PER_TIME: Final = (
    *KINDS,
    *("soft", "hard_ping_pongs_per_hour", "soft_ping_pongs_per_hour", "availability", "served_epochs"),
)
"""Figures that are counted by the time in which terminals are there."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Metrics:
    """The metrics of one run; missing values stand where there is nothing to average, as for who is never there."""

    terminals: pd.DataFrame
    """One row a terminal: all that `handovers_per_hour`, `service`, `clusters` and `rates` give, and from the stays
    ``hard_ping_pongs_per_hour``, ``soft_ping_pongs_per_hour``, ``mean_stay_s``, ``complete_stays``, ``stays`` and
    ``stay_per_leave_s``."""
    totals: pd.Series[float]
    """One number each, over all terminals that are ever there."""
    stays: pd.DataFrame
    """What `twin.metrics.stays` gives."""
    ping_pongs: pd.DataFrame
    """What `twin.metrics.ping_pongs` gives."""
    outages: pd.DataFrame
    """What `twin.metrics.outages` gives."""
    satellites: pd.DataFrame
    """What `load_by_satellite` gives."""
    load: pd.DataFrame
    """What `load_by_epoch` gives."""
    around: pd.DataFrame
    """What `rate_around` gives."""


def evaluate(
    run: Run,
    *,
    ping_pong_window_s: float = 10.0,
    around_kinds: Sequence[str] = (EventKind.HARD,),
    around_window_s: float = 10.0,
) -> Metrics:
    """Work out all metrics of a run.

    Totals are means over all terminals that are ever there, those never served included. For events per hour and shares
    of time (``availability``, ``served_epochs``) a terminal counts by the time in which it is there, so that a total is
    the events, or the service, of all over the time of all. Others are: ``mean_stay_s`` (over all complete stays),
    ``stay_per_leave_s`` (all time of all stays by all ends but departures: the mean stay where leaving is equally
    likely at any time, with censored stays counted), ``least_``, ``most_`` and ``longest_`` (the least, most and
    longest of all), ``low_rate_bps`` (5th percentile of the terminals' mean rates), ``low_epoch_rate_bps`` (of the
    rates of all terminals and epochs in which they are there), ``mean_served`` and ``jain`` (over the epochs in which
    anyone serves).

    Raises
    ------
    InputError
        If an option is out of range or the events do not replay.
    """
    import pandas as pd

    found, out = stays(run), outages(run)
    again, load = ping_pongs(found, window_s=ping_pong_window_s), load_by_epoch(run)
    parts = [handovers_per_hour(run), _of_stays(run, found, again), service(run, out), clusters(run), rates(run)]
    terminals = pd.concat(parts, axis=1)
    return Metrics(
        terminals=terminals,
        totals=_totals(run, terminals, found, load),
        stays=found,
        ping_pongs=again,
        outages=out,
        satellites=load_by_satellite(run),
        load=load,
        around=rate_around(run, kinds=around_kinds, window_s=around_window_s),
    )


def _of_stays(run: Run, found: pd.DataFrame, again: pd.DataFrame) -> pd.DataFrame:
    """One row a terminal; a stay is complete that the run or a departure cuts at neither end."""
    import pandas as pd

    names = pd.Index(run.names, name="terminal")
    whole = found[complete(found)]
    spent = found.groupby("terminal")["stay_s"].sum().reindex(names)
    ends = left_by_choice(found).groupby(found["terminal"]).sum().reindex(names)
    table = pd.DataFrame(
        {
            "stays": found.groupby("terminal").size().reindex(names, fill_value=0),
            "complete_stays": whole.groupby("terminal").size().reindex(names, fill_value=0),
            "mean_stay_s": whole.groupby("terminal")["stay_s"].mean().reindex(names),
            "stay_per_leave_s": spent / ends.where(ends > 0),
        },
        index=names,
    )
    table = where(run.present_s > 0.0, table)
    for kind in ("hard", "soft"):
        count = again[again["kind"] == kind].groupby("terminal").size().reindex(names, fill_value=0)
        table[f"{kind}_ping_pongs_per_hour"] = count / run.present_hours
    return table


def _totals(run: Run, terminals: pd.DataFrame, found: pd.DataFrame, load: pd.DataFrame) -> pd.Series[float]:
    ends = int(left_by_choice(found).sum())
    others = {
        "mean_stay_s": found.loc[complete(found), "stay_s"].mean(),
        "stay_per_leave_s": found["stay_s"].sum() / ends if ends else np.nan,
        "longest_outage_s": terminals["longest_outage_s"].max(),
        "least_cluster_size": terminals["least_cluster_size"].min(),
        "most_cluster_size": terminals["most_cluster_size"].max(),
        "longest_unserved_epochs": terminals["longest_unserved_epochs"].max(),
        "low_rate_bps": low(terminals["mean_rate_bps"].dropna().to_numpy()),
        "low_epoch_rate_bps": low(rate_while_there(run)[run.there_ns > 0]),
        "mean_served": load["mean_served"].mean(),
        "most_served": load["most_served"].max(),
        "jain": load["jain"].mean(),
    }
    totals = terminals.mean()
    there, ends_there = run.there_ns.sum(axis=1) / run.duration_ns, run.present.mean(axis=1)
    for name in terminals.columns:
        if name in PER_TIME:
            totals[name] = _weighted(terminals[name].to_numpy(), ends_there if name == "served_epochs" else there)
    totals = totals.drop(labels=[name for name in others if name in terminals])
    for name, value in others.items():
        totals[name] = float(value)
    return totals


def _weighted(values: FloatArray, weights: FloatArray) -> float:
    """Mean of values with weights, missing (NaN) where all weights are 0."""
    some = weights > 0.0
    return float((values[some] * weights[some]).sum() / weights.sum()) if some.any() else np.nan
