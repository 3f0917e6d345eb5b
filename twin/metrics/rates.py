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
"""Percentile of the low rates, linearly interpolated."""


def rates(run: Run) -> pd.DataFrame:
    """One row per terminal, over the time in which it is present; without service a rate counts as 0.

    Returns
    -------
    DataFrame
        ``mean_rate_bps``, ``low_rate_bps`` (5th percentile over the epochs in which the terminal is present, with its
        rate while present and equal weights), ``mean_se_bps_hz``. A terminal that is never present has missing values.
    """
    import pandas as pd

    present = run.present_ns > 0
    total = np.where(present.any(axis=1), run.present_fraction.sum(axis=1), np.nan)
    by_terminal = zip(rate_while_present(run), present, strict=True)
    return pd.DataFrame(
        {
            "mean_rate_bps": run.rate_bps.sum(axis=1) / total,
            "low_rate_bps": [low(rate[epochs]) for rate, epochs in by_terminal],
            "mean_se_bps_hz": run.spectral_efficiency_bps_hz.sum(axis=1) / total,
        },
        index=pd.Index(run.names, name="terminal"),
    )


def rate_while_present(run: Run) -> FloatArray:
    """(K,E) mean rate over the part of each epoch in which the terminal is present; 0 if it is absent throughout."""
    present = run.present_ns > 0
    return np.divide(run.rate_bps, run.present_fraction, out=np.zeros(present.shape), where=present)


def low(values: FloatArray) -> float:
    """The 5th percentile of some values; NaN if there are none."""
    return float(np.percentile(values, LOW_PERCENT)) if values.size else np.nan


def rate_around(run: Run, *, kinds: Sequence[str] = (EventKind.HARD,), window_s: float = 10.0) -> pd.DataFrame:
    """Rate in the epochs before and after events, as a function of the time offset.

    Events of a terminal within one epoch count as one. There are fewer samples where the window extends beyond the run
    or into an absence; rates are those while the terminal is present. An epoch in the windows of several events counts
    once for each of them.

    Parameters
    ----------
    run
        The run.
    kinds
        Kinds of the events.
    window_s
        Half-width of the window: it holds the epochs that begin at most this time before or after the beginning of the
        event's epoch.

    Returns
    -------
    DataFrame
        One row per ``offset_s``, from the beginning of the event's epoch to the beginning of the sampled epoch (0 for
        the event's own epoch): ``mean_rate_bps``, ``low_rate_bps`` (5th percentile), ``samples``. Rates are missing
        without samples.

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
    events, half_width = run.events, int(round(window_s * 1e9) // run.epoch_ns)
    chosen = events.of_kind(*kinds)
    cells = np.unique(events.terminal[chosen] * run.epochs + events.time_ns[chosen] // run.epoch_ns)
    terminal, epoch = np.divmod(cells, run.epochs)
    offsets = np.arange(-half_width, half_width + 1)
    mean, low_rate = np.full((2, len(offsets)), np.nan)
    samples, rate = np.zeros(len(offsets), dtype=np.int64), rate_while_present(run)
    for index, offset in enumerate(offsets.tolist()):
        inside = (epoch + offset >= 0) & (epoch + offset < run.epochs)
        cell = terminal[inside], epoch[inside] + offset
        found = rate[cell][run.present_ns[cell] > 0]
        samples[index] = len(found)
        if len(found):
            mean[index], low_rate[index] = found.mean(), low(found)
    return pd.DataFrame(
        {"mean_rate_bps": mean, "low_rate_bps": low_rate, "samples": samples},
        index=pd.Index(offsets * run.epoch_s, name="offset_s"),
    )
