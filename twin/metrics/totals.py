"""All metrics of a run together."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from twin.arrays import FloatArray
from twin.metrics.events import KINDS
from twin.metrics.handover_rates import handovers_per_hour
from twin.metrics.load import load_by_epoch, load_by_satellite
from twin.metrics.presence import known_rows
from twin.metrics.rates import low, rate_around, rate_while_present, rates
from twin.metrics.run import Run
from twin.metrics.service import outages, service
from twin.metrics.serving_sets import clusters
from twin.metrics.stays import complete, left_by_choice, ping_pongs, stays
from twin.records import documented
from twin.vocabulary import EventKind

if TYPE_CHECKING:
    import pandas as pd

PER_TIME: Final = (
    *KINDS,
    *("soft", "hard_ping_pongs_per_hour", "soft_ping_pongs_per_hour", "availability", "served_epochs"),
)
"""Figures whose totals weight each terminal by its time of presence."""


@documented
@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Metrics:
    """The metrics of one run; averages over nothing are missing, such as those of a terminal that is never present."""

    terminals: pd.DataFrame
    """One row per terminal: the columns of `handovers_per_hour`, `service`, `clusters` and `rates`, and from the stays
    ``hard_ping_pongs_per_hour``, ``soft_ping_pongs_per_hour``, ``mean_stay_s``, ``complete_stays``, ``stays`` and
    ``stay_per_leave_s``."""
    totals: pd.Series[float]
    """One number per figure, over all terminals that are ever present."""
    stays: pd.DataFrame
    """Result of `twin.metrics.stays`."""
    ping_pongs: pd.DataFrame
    """Result of `twin.metrics.ping_pongs`."""
    outages: pd.DataFrame
    """Result of `twin.metrics.outages`."""
    satellites: pd.DataFrame
    """Result of `load_by_satellite`."""
    load: pd.DataFrame
    """Result of `load_by_epoch`."""
    around: pd.DataFrame
    """Result of `rate_around`."""


def evaluate(
    run: Run,
    *,
    ping_pong_window_s: float = 10.0,
    around_kinds: Sequence[str] = (EventKind.HARD,),
    around_window_s: float = 10.0,
) -> Metrics:
    """Compute all metrics of a run.

    Totals are means over all terminals that are ever present, including those never served. For events per hour and
    fractions of time (``availability``, ``served_epochs``), terminals are weighted by their time of presence: a total
    is the number of all events, or the time of all service, divided by the time of all presence. Exceptions:
    ``mean_stay_s`` (mean of all complete stays), ``stay_per_leave_s`` (total time of all stays divided by the number of
    stays that end while the terminal is present: the mean stay, censored stays included, if leaving is equally likely
    at any time), ``least_``, ``most_`` and ``longest_`` (extremes over all terminals), ``low_rate_bps`` (5th percentile
    of the terminals' mean rates), ``low_epoch_rate_bps`` (5th percentile over all pairs of a terminal and an epoch in
    which it is present), ``mean_served`` and ``jain`` (means over the epochs in which any satellite serves).

    Raises
    ------
    InputError
        If an option is out of range or the events are inconsistent.
    """
    import pandas as pd

    all_stays, all_outages = stays(run), outages(run)
    rejoined, load = ping_pongs(all_stays, window_s=ping_pong_window_s), load_by_epoch(run)
    parts = [
        handovers_per_hour(run),
        _of_stays(run, all_stays, rejoined),
        service(run, all_outages),
        clusters(run),
        rates(run),
    ]
    terminals = pd.concat(parts, axis=1)
    return Metrics(
        terminals=terminals,
        totals=_totals(run, terminals, all_stays, load),
        stays=all_stays,
        ping_pongs=rejoined,
        outages=all_outages,
        satellites=load_by_satellite(run),
        load=load,
        around=rate_around(run, kinds=around_kinds, window_s=around_window_s),
    )


def _of_stays(run: Run, found: pd.DataFrame, again: pd.DataFrame) -> pd.DataFrame:
    """Figures of the stays, one row per terminal."""
    import pandas as pd

    names = pd.Index(run.names, name="terminal")
    whole = found[complete(found)]
    total_s = found.groupby("terminal")["stay_s"].sum().reindex(names)
    ends = left_by_choice(found).groupby(found["terminal"]).sum().reindex(names)
    table = pd.DataFrame(
        {
            "stays": found.groupby("terminal").size().reindex(names, fill_value=0),
            "complete_stays": whole.groupby("terminal").size().reindex(names, fill_value=0),
            "mean_stay_s": whole.groupby("terminal")["stay_s"].mean().reindex(names),
            "stay_per_leave_s": total_s / ends.where(ends > 0),
        },
        index=names,
    )
    table = known_rows(run.present_s > 0.0, table)
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
        "low_epoch_rate_bps": low(rate_while_present(run)[run.present_ns > 0]),
        "mean_served": load["mean_served"].mean(),
        "most_served": load["most_served"].max(),
        "jain": load["jain"].mean(),
    }
    totals = terminals.mean()
    present, present_at_ends = run.present_ns.sum(axis=1) / run.duration_ns, run.present.mean(axis=1)
    for name in terminals.columns:
        if name in PER_TIME:
            totals[name] = _weighted(
                terminals[name].to_numpy(), present_at_ends if name == "served_epochs" else present
            )
    totals = totals.drop(labels=[name for name in others if name in terminals])
    for name, value in others.items():
        totals[name] = float(value)
    return totals


def _weighted(values: FloatArray, weights: FloatArray) -> float:
    """Weighted mean of values; NaN if all weights are 0."""
    positive = weights > 0.0
    return float((values[positive] * weights[positive]).sum() / weights.sum()) if positive.any() else np.nan
