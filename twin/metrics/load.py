"""Load of satellites: the number of terminals that they serve."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from twin.errors import InputError
from twin.metrics.run import Run

if TYPE_CHECKING:
    import pandas as pd


def load_by_satellite(run: Run) -> pd.DataFrame:
    """One row per satellite that is ever active, sorted by NORAD id.

    Returns
    -------
    DataFrame
        ``active_epochs``, ``mean_served`` (terminals, mean over all epochs of the run), ``mean_served_active`` (mean
        over the epochs in which the satellite is active), ``most_served``.
    """
    import pandas as pd

    frame = pd.DataFrame({"satellite": run.load_satellite, "served": run.load_served})
    by = frame.groupby("satellite")["served"].agg(["count", "sum", "max"])
    return pd.DataFrame(
        {
            "active_epochs": by["count"],
            "mean_served": by["sum"] / run.epochs,
            "mean_served_active": by["sum"] / by["count"],
            "most_served": by["max"],
        }
    )


def load_by_epoch(run: Run) -> pd.DataFrame:
    """One row per epoch: load of the satellites that are active in the epoch.

    Returns
    -------
    DataFrame
        ``active`` (satellites), ``served`` (sum of the terminals served), ``mean_served``, ``most_served``, ``jain``:
        Jain's index (Σ x)² / (n Σ x²) over the n active satellites; it is 1 if all serve equally many terminals and
        1/n if one satellite serves all. Mean and index are missing if no satellite serves a terminal.

    Raises
    ------
    InputError
        If a satellite has two rows for one epoch, or serves a negative number of terminals.
    """
    import pandas as pd

    if len(run.load_served) and run.load_served.min() < 0:
        raise InputError(f"satellites: served: found {run.load_served.min()}, allowed 0 or more")
    pairs = pd.MultiIndex.from_arrays([run.load_epoch, run.load_satellite])
    if not pairs.is_unique:
        epoch, satellite = pairs[pairs.duplicated()][0]
        raise InputError(f"satellites: satellite {satellite} has two rows at epoch {epoch}, allowed one")
    served = run.load_served.astype(np.float64)
    active = np.bincount(run.load_epoch, minlength=run.epochs)
    total = np.bincount(run.load_epoch, weights=served, minlength=run.epochs)
    squares = np.bincount(run.load_epoch, weights=served**2, minlength=run.epochs)
    most = np.zeros(run.epochs, dtype=np.int64)
    np.maximum.at(most, run.load_epoch, run.load_served)
    missing = np.full(run.epochs, np.nan)
    return pd.DataFrame(
        {
            "active": active,
            "served": total.astype(np.int64),
            "mean_served": np.divide(total, active, out=missing.copy(), where=total > 0),
            "most_served": most,
            "jain": np.divide(total**2, active * squares, out=missing.copy(), where=total > 0),
        },
        index=pd.RangeIndex(run.epochs, name="epoch"),
    )
