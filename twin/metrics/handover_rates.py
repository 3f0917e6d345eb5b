"""How often terminals change satellites."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from twin.metrics.events import KINDS
from twin.metrics.run import Run
from twin.vocabulary import EventKind

if TYPE_CHECKING:
    import pandas as pd

HARD: Final = (EventKind.HARD,)
"""Kinds of event in which no serving satellite carries over; attach and detach are no handovers."""
SOFT: Final = (EventKind.ADD, EventKind.DROP, EventKind.MASTER)
"""Kinds of event that change a cluster of which someone stays."""


def handovers_per_hour(run: Run) -> pd.DataFrame:
    """Events of each terminal for an hour of simulated time in which it is there.

    Returns
    -------
    DataFrame
        One row a terminal, those without events included; a column for each kind, and ``hard`` (satellite) and
        ``soft`` (add, drop and master; some of these adds and drops accompany a hard handover, an attach or a
        departure, as some of the attaches and detaches are arrivals and departures). A terminal that never is there has
        missing values.
    """
    import pandas as pd

    events, shape = run.events, (len(run.names), len(KINDS))
    counts = np.bincount(events.terminal * len(KINDS) + events.kind, minlength=len(run.names) * len(KINDS))
    names = pd.Index(run.names, name="terminal")
    table = pd.DataFrame(counts.reshape(shape) / run.present_hours[:, None], index=names, columns=pd.Index(KINDS))
    return table.assign(soft=table[list(SOFT)].sum(axis=1, skipna=False))
