"""Size and churn of serving sets."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from twin.arrays import FloatArray
from twin.errors import InputError
from twin.metrics.presence import known_rows
from twin.metrics.run import Run

if TYPE_CHECKING:
    import pandas as pd


def churn(run: Run) -> FloatArray:
    """(K,E-1) Jaccard distance between the serving sets at the ends of consecutive epochs.

    It is the fraction of the union of both sets that is not in their intersection: 0 for equal sets (also two empty
    ones), 1 for disjoint sets. It is NaN if the terminal is absent at one of the two ends.

    Raises
    ------
    InputError
        If a set contains a satellite twice.
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
    # keys that differ by one are of consecutive epochs; the column after the last epoch is discarded
    common = np.bincount(cell, minlength=cells).reshape(run.cluster_size.shape)[:, :-1]
    either = run.cluster_size[:, :-1] + run.cluster_size[:, 1:] - common
    distance = 1.0 - np.divide(common, either, out=np.ones(either.shape), where=either > 0)
    return np.asarray(np.where(run.present[:, :-1] & run.present[:, 1:], distance, np.nan))


def clusters(run: Run) -> pd.DataFrame:
    """One row per terminal: mean, least and greatest cluster size at the ends of epochs, and mean churn.

    Epochs at whose end the terminal is absent do not count; without any other epoch, values are missing.

    Returns
    -------
    DataFrame
        ``mean_cluster_size`` (epochs without service count as 0), ``least_cluster_size``, ``most_cluster_size``,
        ``churn`` (mean Jaccard distance between consecutive epochs; missing without two of them).
    """
    import pandas as pd

    size, present, distance = run.cluster_size, run.present, churn(run)
    table = pd.DataFrame(
        {
            "mean_cluster_size": size.sum(axis=1, where=present) / np.maximum(present.sum(axis=1), 1),
            "least_cluster_size": size.min(axis=1, where=present, initial=size.max(initial=0)),
            "most_cluster_size": size.max(axis=1, where=present, initial=0),
        },
        index=pd.Index(run.names, name="terminal"),
    )
    table = known_rows(np.asarray(present.any(axis=1)), table)
    return table.assign(churn=pd.DataFrame(distance, index=table.index).mean(axis=1))
