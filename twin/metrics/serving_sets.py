"""Serving sets: how large they are and how fast they change."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from twin.arrays import FloatArray
from twin.errors import InputError
from twin.metrics.presence import where
from twin.metrics.run import Run

if TYPE_CHECKING:
    import pandas as pd


def churn(run: Run) -> FloatArray:
    """(K,E-1) Jaccard distance between the serving sets at the ends of neighbouring epochs.

    It is the share of the satellites of either set that are not in both: 0 for equal sets (two empty ones included),
    1 for sets without a common member. It is missing (NaN) where the terminal is away at one of the two ends.

    Raises
    ------
    InputError
        If a set names a satellite twice.
    """
    import pandas as pd

    code, _ = pd.factorize(run.member_satellite)
    cells = run.cluster_size.size
    key = np.sort(code.astype(np.int64) * cells + run.member_cell)
    step = np.diff(key)
    if (step == 0).any():
        k, e = divmod(int(key[np.argmax(step == 0)]) % cells, run.epochs)
        raise InputError(f'terminals: serving: "{run.names[k]}" has a satellite twice at epoch {e}, allowed once')
    cell = key[:-1][step == 1] % cells
    # the next key is that of the next epoch, unless the row of the terminal ends
    common = np.bincount(cell, minlength=cells).reshape(run.cluster_size.shape)[:, :-1]
    either = run.cluster_size[:, :-1] + run.cluster_size[:, 1:] - common
    apart = 1.0 - np.divide(common, either, out=np.ones(either.shape), where=either > 0)
    return np.asarray(np.where(run.present[:, :-1] & run.present[:, 1:], apart, np.nan))


def clusters(run: Run) -> pd.DataFrame:
    """One row a terminal: mean, least and most members at the ends of epochs, and mean churn.

    Epochs at whose end the terminal is away do not count; one that never is there at such an end has missing values.

    Returns
    -------
    DataFrame
        ``mean_cluster_size`` (epochs without service count as 0), ``least_cluster_size``, ``most_cluster_size``,
        ``churn`` (mean Jaccard distance between neighbouring epochs; missing where there are no two).
    """
    import pandas as pd

    size, there, apart = run.cluster_size, run.present, churn(run)
    table = pd.DataFrame(
        {
            "mean_cluster_size": size.sum(axis=1, where=there) / np.maximum(there.sum(axis=1), 1),
            "least_cluster_size": size.min(axis=1, where=there, initial=size.max(initial=0)),
            "most_cluster_size": size.max(axis=1, where=there, initial=0),
        },
        index=pd.Index(run.names, name="terminal"),
    )
    table = where(np.asarray(there.any(axis=1)), table)
    return table.assign(churn=pd.DataFrame(apart, index=table.index).mean(axis=1))
