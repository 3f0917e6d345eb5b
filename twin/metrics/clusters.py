"""Serving sets: how large they are and how fast they change."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from twin.errors import InputError
from twin.metrics.run import Run

if TYPE_CHECKING:
    import pandas as pd


def churn(run: Run) -> NDArray[np.float64]:
    """(K,E-1) Jaccard distance between the serving sets at the ends of neighbouring epochs.

    It is the share of the satellites of either set that are not in both: 0 for equal sets (two empty ones included),
    1 for sets without a common member.

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
    return np.asarray(1.0 - np.divide(common, either, out=np.ones(either.shape), where=either > 0))


def clusters(run: Run) -> pd.DataFrame:
    """One row a terminal: mean, least and most members at the ends of epochs, and mean churn.

    Returns
    -------
    DataFrame
        ``mean_cluster_size`` (epochs without service count as 0), ``least_cluster_size``, ``most_cluster_size``,
        ``churn`` (mean Jaccard distance between neighbouring epochs; missing where there is one epoch only).
    """
    import pandas as pd

    size = run.cluster_size
    return pd.DataFrame(
        {
            "mean_cluster_size": size.mean(axis=1),
            "least_cluster_size": size.min(axis=1),
            "most_cluster_size": size.max(axis=1),
            "churn": churn(run).mean(axis=1) if run.epochs > 1 else np.nan,
        },
        index=pd.Index(run.names, name="terminal"),
    )
