"""Rates of events."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from twin.metrics.events import KINDS
from twin.metrics.run import Run
from twin.vocabulary import EventKind

if TYPE_CHECKING:
    import pandas as pd

HARD: Final = (EventKind.HARD,)
"""Kinds of event in which all serving satellites change; starts and ends of service are not handovers."""
SOFT: Final = (EventKind.ADD, EventKind.DROP, EventKind.MASTER)
"""Kinds of event that change a cluster of which at least one member stays."""


def handovers_per_hour(run: Run) -> pd.DataFrame:
    """Events of each terminal per hour of simulated time in which it is present.

    Returns
    -------
    DataFrame
        One row per terminal, including those without events. One column per kind, and ``soft``: the sum of add, drop
        and master. Some adds and drops accompany a hard handover or a start or end of service, and some starts and ends
        of service are caused by terminals that arrive or leave. A terminal that is never present has missing values.
    """
    import pandas as pd

    events, shape = run.events, (len(run.names), len(KINDS))
    counts = np.bincount(events.terminal * len(KINDS) + events.kind, minlength=len(run.names) * len(KINDS))
    names = pd.Index(run.names, name="terminal")
    table = pd.DataFrame(counts.reshape(shape) / run.present_hours[:, None], index=names, columns=pd.Index(KINDS))
    return table.assign(soft=table[list(SOFT)].sum(axis=1, skipna=False))
