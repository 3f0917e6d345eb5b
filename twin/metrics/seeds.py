"""Means and confidence intervals over several runs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np
from scipy.special import stdtrit

from twin.errors import InputError

if TYPE_CHECKING:
    import pandas as pd


def over_runs(runs: Sequence[pd.Series[float] | Mapping[str, float]], *, level: float = 0.95) -> pd.DataFrame:
    """Mean of each figure over independent runs, with its Student t confidence interval.

    The interval is m ± t s / √n, where t is the (1 + level) / 2 quantile of Student's distribution with n - 1 degrees
    of freedom. It contains the expectation with probability ``level`` if the runs are independent (different seeds) and
    their figures are normally distributed. Runs of one constellation and period tell nothing about others.

    Parameters
    ----------
    runs
        The figures of each run by name, such as `Metrics.totals`.
    level
        Confidence level, between 0 and 1.

    Returns
    -------
    DataFrame
        One row per figure: ``mean``, ``low`` and ``high`` (the interval), ``std`` (sample standard deviation, n - 1),
        ``count`` (runs that have the figure; runs without it are excluded). Interval and std need two runs.

    Raises
    ------
    InputError
        If there is no run, the runs have different figures, a figure is infinite, or the level is out of range.
    """
    import pandas as pd

    if not 0.0 < level < 1.0:
        raise InputError(f"level: found {level}, allowed between 0 and 1")
    if not runs:
        raise InputError("runs: found none, allowed one or more")
    columns = [pd.Series(run, dtype=np.float64) for run in runs]
    for number, column in enumerate(columns):
        if set(column.index) != set(columns[0].index):
            name = min(set(column.index) ^ set(columns[0].index))
            raise InputError(f'runs: only one of run 0 and run {number} has "{name}", allowed the same figures for all')
    table = pd.concat(columns, axis=1).reindex(columns[0].index)
    if np.isinf(table.to_numpy()).any():
        raise InputError(f'runs: "{table.index[np.isinf(table.to_numpy()).any(axis=1)][0]}" is infinite in one of them')
    count, mean, std = table.count(axis=1), table.mean(axis=1), table.std(axis=1)
    quantile = stdtrit(np.maximum(count - 1, 1), (1.0 + level) / 2.0)
    half = quantile * std / np.sqrt(np.maximum(count, 1))
    return pd.DataFrame({"mean": mean, "low": mean - half, "high": mean + half, "std": std, "count": count})
