"""Rates: over a run, and around handovers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

import numpy as np

from twin.arrays import FloatArray
from twin.errors import InputError, listed
from twin.metrics.events import KINDS
from twin.metrics.run import Run
from twin.vocabulary import EventKind

if TYPE_CHECKING:
    import pandas as pd

LOW_PERCENT: Final = 5.0
"""Percentile that stands for the badly served; interpolated between the nearest two."""


def rates(run: Run) -> pd.DataFrame:
    """One row a terminal, over the time in which it is there: without service a rate counts as 0.

    Returns
    -------
    DataFrame
        ``mean_rate_bps``, ``low_rate_bps`` (5th percentile over the epochs in which it is there, each with the rate
        while it is, and each counted once), ``mean_se_bps_hz``. A terminal that never is there has missing values.
    """
    import pandas as pd

    there = run.there_ns > 0
    total = np.where(there.any(axis=1), run.present_fraction.sum(axis=1), np.nan)
    by = zip(rate_while_there(run), there, strict=True)
    return pd.DataFrame(
        {
            "mean_rate_bps": run.rate_bps.sum(axis=1) / total,
            "low_rate_bps": [low(rate[some]) for rate, some in by],
            "mean_se_bps_hz": run.spectral_efficiency_bps_hz.sum(axis=1) / total,
        },
        index=pd.Index(run.names, name="terminal"),
    )


def rate_while_there(run: Run) -> FloatArray:
    """(K,E) mean rate over the part of each epoch in which the terminal is there; 0 where it is not at all."""
    there = run.there_ns > 0
    return np.divide(run.rate_bps, run.present_fraction, out=np.zeros(there.shape), where=there)


def low(values: FloatArray) -> float:
    """The 5th percentile of some values, missing (NaN) where there are none."""
    return float(np.percentile(values, LOW_PERCENT)) if values.size else np.nan


def rate_around(run: Run, *, kinds: Sequence[str] = (EventKind.HARD,), window_s: float = 10.0) -> pd.DataFrame:
    """Rate in the epochs around events, as a function of the distance in time.

    A terminal's events of these kinds within one epoch count as one. Where the window reaches over the ends of the run
    or into an absence, there are fewer samples; a rate is that while the terminal is there. Where events stand closer
    than the window, an epoch is counted for each of them.

    Parameters
    ----------
    run
        The run.
    kinds
        Which events.
    window_s
        How far to look to either side; of the epochs, those that begin no farther away than that from the beginning of
        the event's own.

    Returns
    -------
    DataFrame
        One row for each ``offset_s``, from the beginning of the event's epoch to that of the epoch meant (0: the one in
        which the event falls): ``mean_rate_bps``, ``low_rate_bps`` (5th percentile), ``samples``. The rates are
        missing where there is no sample.

    Raises
    ------
    InputError
        If a kind is unknown or the window is negative or not finite.
    """
    import pandas as pd

    unknown = [kind for kind in kinds if kind not in KINDS]
    if unknown:
        raise InputError(f'kinds: found "{unknown[0]}", allowed {listed(KINDS)}')
    if not 0.0 <= window_s < np.inf:
        raise InputError(f"window_s: found {window_s}, allowed 0 or more, finite")
    events, reach = run.events, int(round(window_s * 1e9) // run.epoch_ns)
    chosen = events.of_kind(*kinds)
    cells = np.unique(events.terminal[chosen] * run.epochs + events.time_ns[chosen] // run.epoch_ns)
    terminal, epoch = np.divmod(cells, run.epochs)
    offsets = np.arange(-reach, reach + 1)
    mean, least = np.full((2, len(offsets)), np.nan)
    samples, rate = np.zeros(len(offsets), dtype=np.int64), rate_while_there(run)
    for place, offset in enumerate(offsets.tolist()):
        inside = (epoch + offset >= 0) & (epoch + offset < run.epochs)
        where = terminal[inside], epoch[inside] + offset
        found = rate[where][run.there_ns[where] > 0]
        samples[place] = len(found)
        if len(found):
            mean[place], least[place] = found.mean(), low(found)
    return pd.DataFrame(
        {"mean_rate_bps": mean, "low_rate_bps": least, "samples": samples},
        index=pd.Index(offsets * run.epoch_s, name="offset_s"),
    )
