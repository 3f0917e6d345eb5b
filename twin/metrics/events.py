"""What happened to the clusters of a run's terminals."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from twin.arrays import BoolArray, IntArray
from twin.errors import InputError, listed
from twin.metrics.columns import check_range, finite
from twin.vocabulary import EventKind

if TYPE_CHECKING:
    import pandas as pd


KINDS: Final = tuple(kind.value for kind in EventKind)
"""Kinds of event as the plain strings that frames hold; `Events.kind` gives their indices."""
NOBODY: Final = -1
"""Stands for the satellite that an event does not name."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Events:
    """N events, by terminal and, within one, in the order in which they happened."""

    terminal: IntArray
    """(N,) index of the terminal."""
    time_ns: IntArray
    """(N,) since the start of the run."""
    kind: IntArray
    """(N,) index of the kind in `KINDS`."""
    from_satellite: IntArray
    """(N,) NORAD id of the satellite left, -1 for none."""
    to_satellite: IntArray
    """(N,) NORAD id of the satellite taken, -1 for none."""
    interruption_ns: IntArray
    """(N,) for so long the event leaves the terminal without service."""

    def of_kind(self, *kinds: str) -> BoolArray:
        """(N,) which events are of some kinds."""
        return np.isin(self.kind, [KINDS.index(kind) for kind in kinds])


def whole_microseconds(time_ns: IntArray) -> IntArray:
    """Nanoseconds truncated to whole microseconds, the resolution of a trace."""
    return time_ns - time_ns % 1_000


def events_of(frame: pd.DataFrame, names: Sequence[str], begin: pd.Timestamp, duration_ns: int) -> Events:
    """The rows of a frame of handovers, checked and put in order."""
    import pandas as pd

    terminal = pd.Index(names).get_indexer(pd.Index(frame["terminal"].astype(object))).astype(np.int64)
    if (terminal < 0).any():
        raise InputError(
            f'handovers: terminal: found "{frame["terminal"].iloc[int(np.argmin(terminal))]}", not in terminals'
        )
    kind = pd.Index(KINDS).get_indexer(pd.Index(frame["kind"].astype(object))).astype(np.int64)
    if (kind < 0).any():
        raise InputError(
            f'handovers: kind: found "{frame["kind"].iloc[int(np.argmin(kind))]}", allowed {listed(KINDS)}'
        )
    since = (frame["time"] - begin).dt.as_unit("ns")
    time_ns = whole_microseconds(since.to_numpy("timedelta64[ns]").astype(np.int64))
    check_range("handovers: nanoseconds since the start of the run", time_ns, duration_ns - 1)
    interruption_s = finite(frame, "handovers", "interruption_s")
    if (interruption_s < 0.0).any():
        raise InputError(f"handovers: interruption_s: found {interruption_s.min()}, allowed 0 or more")
    order = np.lexsort((time_ns, terminal))
    left, taken = (
        np.asarray(frame[name].astype("Int64").fillna(NOBODY), dtype=np.int64)
        for name in ("from_satellite", "to_satellite")
    )
    return Events(
        terminal=terminal[order],
        time_ns=time_ns[order],
        kind=kind[order],
        from_satellite=left[order],
        to_satellite=taken[order],
        interruption_ns=np.rint(interruption_s * 1e9).astype(np.int64)[order],
    )
