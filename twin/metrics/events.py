"""The events of a run, as arrays."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from twin.arrays import BoolArray, IntArray
from twin.errors import InputError, listed
from twin.metrics.columns import check_range, finite
from twin.records import documented
from twin.vocabulary import EventKind

if TYPE_CHECKING:
    import pandas as pd


KINDS: Final = tuple(kind.value for kind in EventKind)
"""Kinds of event as the plain strings that frames hold; `Events.kind` gives their indices."""
NO_SATELLITE: Final = -1
"""NORAD id in `Events` if the event names no satellite."""


@documented
@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Events:
    """N events, sorted by terminal and then by time."""

    terminal: IntArray
    """(N,) index of the terminal."""
    time_ns: IntArray
    """(N,) ns since the start of the run, whole microseconds."""
    kind: IntArray
    """(N,) index of the kind in `KINDS`."""
    from_satellite: IntArray
    """(N,) NORAD id of the satellite before the event, -1 if there is none."""
    to_satellite: IntArray
    """(N,) NORAD id of the satellite after the event, -1 if there is none."""
    interruption_ns: IntArray
    """(N,) ns without service that the event causes."""

    def of_kind(self, *kinds: str) -> BoolArray:
        """(N,) whether each event is of one of the given kinds."""
        return np.isin(self.kind, [KINDS.index(kind) for kind in kinds])


def whole_microseconds(time_ns: IntArray) -> IntArray:
    """Nanoseconds truncated to whole microseconds, the resolution of a trace."""
    return time_ns - time_ns % 1_000


def events_of(frame: pd.DataFrame, names: Sequence[str], begin: pd.Timestamp, duration_ns: int) -> Events:
    """The rows of the handovers frame, checked and sorted.

    Raises
    ------
    InputError
        If an event names an unknown terminal or kind, lies outside the run, or has a negative interruption.
    """
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
    before, after = (
        np.asarray(frame[name].astype("Int64").fillna(NO_SATELLITE), dtype=np.int64)
        for name in ("from_satellite", "to_satellite")
    )
    return Events(
        terminal=terminal[order],
        time_ns=time_ns[order],
        kind=kind[order],
        from_satellite=before[order],
        to_satellite=after[order],
        interruption_ns=np.rint(interruption_s * 1e9).astype(np.int64)[order],
    )
