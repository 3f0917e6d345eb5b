"""Stays of satellites in clusters, and ping-pongs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from twin.errors import InputError
from twin.metrics.events import KINDS, NO_SATELLITE
from twin.metrics.presence import absences
from twin.metrics.run import Run
from twin.vocabulary import EventKind, Reason

if TYPE_CHECKING:
    import pandas as pd

OPENING: Final = (EventKind.SERVICE_START, EventKind.HARD, EventKind.ADD)
"""Kinds of event with which a satellite joins a terminal's cluster."""
CLOSING: Final = (EventKind.SERVICE_END, EventKind.HARD, EventKind.DROP)
"""Kinds of event with which a satellite leaves a terminal's cluster."""
TERMINAL_LEFT: Final = Reason.TERMINAL_LEFT.value
"""``closed_by`` of a stay that ends because the terminal leaves."""


def complete(stays: pd.DataFrame) -> pd.Series[bool]:
    """Whether each stay was observed from its beginning to its end."""
    return ~stays["from_start"] & left_by_choice(stays)


def left_by_choice(stays: pd.DataFrame) -> pd.Series[bool]:
    """Whether each stay ended within the run while the terminal was present."""
    return ~stays["to_end"] & (stays["closed_by"] != TERMINAL_LEFT)


def stays(run: Run) -> pd.DataFrame:
    """All stays of satellites in clusters, each from the event with which it joins to the one with which it leaves.

    Returns
    -------
    DataFrame
        One row per stay, sorted by terminal, satellite and begin: ``terminal``, ``satellite`` (NORAD id), ``begin_s``,
        ``end_s`` (since the start of the run), ``stay_s``, ``opened_by`` and ``closed_by`` (kinds of event; "end" if
        the stay outlasts the run, "terminal_left" if it ends because the terminal leaves), ``from_start`` (it begins at
        the first instant of the run and may have begun earlier), ``to_end`` (it outlasts the run). A stay with either
        flag, or ended by the terminal's leaving, is censored: its length is a lower bound. The execution time in which
        a joining satellite does not serve yet belongs to the stay.

    Raises
    ------
    InputError
        If the events are inconsistent: a satellite leaves a cluster that it is not in, or joins one that it is in.
    """
    import pandas as pd

    events = run.events
    opens, closes = (np.flatnonzero(events.of_kind(*kinds)) for kinds in (OPENING, CLOSING))
    event = np.concatenate([opens, closes])
    opening = np.arange(len(event)) < len(opens)
    satellite = np.concatenate([events.to_satellite[opens], events.from_satellite[closes]])
    if (satellite == NO_SATELLITE).any():
        which = event[np.argmin(satellite)]
        raise InputError(
            f'handovers: an event "{KINDS[events.kind[which]]}" of {_described(run, which)} names no satellite'
        )
    order = np.lexsort((event, satellite, events.terminal[event]))
    event, opening, satellite = event[order], opening[order], satellite[order]
    terminal = events.terminal[event]
    first = np.ones(len(event), dtype=np.bool_)
    first[1:] = (np.diff(terminal) != 0) | (np.diff(satellite) != 0)
    wrong = np.where(first, ~opening, np.append(True, opening[:-1]) == opening)
    if wrong.any():
        at = int(np.argmax(wrong))
        fault = "joins a cluster that it is already in" if opening[at] else "leaves a cluster that it is not in"
        raise InputError(f"handovers: satellite {satellite[at]} {fault}, {_described(run, event[at])}")
    begin = np.flatnonzero(opening)
    ended = np.append(~first[1:], False)[begin]
    end = event[np.where(ended, begin + 1, begin)] if len(begin) else event
    terminal_left = np.isin(run.axis_ns(events.terminal, events.time_ns), absences(run)[0])
    time_s, kinds = events.time_ns / 1e9, np.array(KINDS, dtype=object)
    closed_by = np.where(terminal_left[end], TERMINAL_LEFT, kinds[events.kind[end]])
    begin_s, end_s = time_s[event[begin]], np.where(ended, time_s[end], run.duration_ns / 1e9)
    return pd.DataFrame(
        {
            "terminal": np.array(run.names, dtype=object)[terminal[begin]],
            "satellite": satellite[begin],
            "begin_s": begin_s,
            "end_s": end_s,
            "stay_s": end_s - begin_s,
            "opened_by": kinds[events.kind[event[begin]]],
            "closed_by": np.where(ended, closed_by, "end"),
            "from_start": begin_s == 0.0,
            "to_end": ~ended,
        }
    )


def ping_pongs(stays: pd.DataFrame, *, window_s: float = 10.0) -> pd.DataFrame:
    """Satellites that rejoin a terminal's cluster within a time window after leaving it.

    A hard ping-pong is a hard handover back to a satellite that had left the cluster; a soft one is an ``add`` of such
    a satellite. The event with which it left and the satellites that served in between do not matter, unless it left
    because the terminal did. A start of service is not a ping-pong. A satellite that rejoins twice counts twice.

    Parameters
    ----------
    stays
        Result of `stays`.
    window_s
        Longest time between leaving and rejoining, inclusive.

    Returns
    -------
    DataFrame
        One row per ping-pong, sorted by terminal, satellite and time: ``terminal``, ``satellite``, ``left_s``,
        ``back_s``, ``away_s``, ``kind`` (hard or soft).

    Raises
    ------
    InputError
        If the window is negative or NaN.
    """
    if not window_s >= 0.0:
        raise InputError(f"window_s: found {window_s}, allowed 0 or more")
    before = stays.shift(1)
    rejoined = (stays["terminal"] == before["terminal"]) & (stays["satellite"] == before["satellite"])
    # times are whole nanoseconds; rounding removes the error of their difference in seconds, as the limit is inclusive
    away_ns = ((stays["begin_s"] - before["end_s"]) * 1e9).round()
    chosen = rejoined & (away_ns <= window_s * 1e9) & stays["opened_by"].isin([EventKind.HARD, EventKind.ADD])
    chosen &= before["closed_by"] != TERMINAL_LEFT
    found = stays.loc[chosen, ["terminal", "satellite"]]
    found = found.assign(left_s=before.loc[chosen, "end_s"], back_s=stays.loc[chosen, "begin_s"])
    kind = stays.loc[chosen, "opened_by"].map({EventKind.HARD: "hard", EventKind.ADD: "soft"})
    return found.assign(away_s=away_ns[chosen] / 1e9, kind=kind).reset_index(drop=True)


def _described(run: Run, event: np.int64) -> str:
    return f'terminal "{run.names[run.events.terminal[event]]}", {run.events.time_ns[event] / 1e9} s after the start'
