"""How long satellites stay with a terminal, and whether they come back soon."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from twin.errors import InputError
from twin.metrics.events import KINDS, NOBODY
from twin.metrics.presence import absences
from twin.metrics.run import Run
from twin.vocabulary import EventKind, Reason

if TYPE_CHECKING:
    import pandas as pd

OPENING: Final = (EventKind.SERVICE_START, EventKind.HARD, EventKind.ADD)
"""Kinds of event with which a satellite begins to belong to a terminal's cluster."""
CLOSING: Final = (EventKind.SERVICE_END, EventKind.HARD, EventKind.DROP)
"""Kinds of event with which it ceases to."""
LEFT: Final = Reason.TERMINAL_LEFT.value
"""``closed_by`` of a stay that ends because the terminal leaves."""


def complete(stays: pd.DataFrame) -> pd.Series[bool]:
    """Which stays have been seen from begin to end."""
    return ~stays["from_start"] & left_by_choice(stays)


def left_by_choice(stays: pd.DataFrame) -> pd.Series[bool]:
    """Which stays have ended while the terminal was there."""
    return ~stays["to_end"] & (stays["closed_by"] != LEFT)


def stays(run: Run) -> pd.DataFrame:
    """Every stay of a satellite in a terminal's cluster, from attach, satellite or add to detach, satellite or drop.

    Returns
    -------
    DataFrame
        One row a stay, by terminal, satellite and begin: ``terminal``, ``satellite`` (NORAD id), ``begin_s``,
        ``end_s`` (since the start of the run), ``stay_s``, ``opened_by``, ``closed_by`` (kinds; "end" where the stay
        outlasts the run, "terminal_left" where the terminal leaves first), ``from_start`` (begun at
        the run's first instant: part of it may lie before), ``to_end`` (it outlasts the run). A stay with either mark
        or ended by a departure is censored: its length is a lower bound. The time of execution in which a joining
        satellite does not serve yet belongs to the stay.

    Raises
    ------
    InputError
        If the events do not replay: a satellite leaves that is not there, or comes that is.
    """
    import pandas as pd

    events = run.events
    opens, closes = (np.flatnonzero(events.of_kind(*kinds)) for kinds in (OPENING, CLOSING))
    place = np.concatenate([opens, closes])
    opening = np.arange(len(place)) < len(opens)
    satellite = np.concatenate([events.to_satellite[opens], events.from_satellite[closes]])
    if (satellite == NOBODY).any():
        which = place[np.argmin(satellite)]
        raise InputError(f'handovers: an event "{KINDS[events.kind[which]]}" of {_who(run, which)} names no satellite')
    order = np.lexsort((place, satellite, events.terminal[place]))
    place, opening, satellite = place[order], opening[order], satellite[order]
    terminal = events.terminal[place]
    fresh = np.ones(len(place), dtype=np.bool_)
    fresh[1:] = (np.diff(terminal) != 0) | (np.diff(satellite) != 0)
    wrong = np.where(fresh, ~opening, np.append(True, opening[:-1]) == opening)
    if wrong.any():
        at = int(np.argmax(wrong))
        word = "joins and is there already" if opening[at] else "leaves and is not there"
        raise InputError(f"handovers: satellite {satellite[at]} {word}, {_who(run, place[at])}")
    begin = np.flatnonzero(opening)
    ended = np.append(~fresh[1:], False)[begin]
    end = place[np.where(ended, begin + 1, begin)] if len(begin) else place
    left = np.isin(run.at_ns(events.terminal, events.time_ns), absences(run)[0])
    time_s, kinds = events.time_ns / 1e9, np.array(KINDS, dtype=object)
    closed_by = np.where(left[end], LEFT, kinds[events.kind[end]])
    begin_s, end_s = time_s[place[begin]], np.where(ended, time_s[end], run.duration_ns / 1e9)
    return pd.DataFrame(
        {
            "terminal": np.array(run.names, dtype=object)[terminal[begin]],
            "satellite": satellite[begin],
            "begin_s": begin_s,
            "end_s": end_s,
            "stay_s": end_s - begin_s,
            "opened_by": kinds[events.kind[place[begin]]],
            "closed_by": np.where(ended, closed_by, "end"),
            "from_start": begin_s == 0.0,
            "to_end": ~ended,
        }
    )


def ping_pongs(stays: pd.DataFrame, *, window_s: float = 10.0) -> pd.DataFrame:
    """Satellites that a terminal takes again no later than a window after it has left them.

    A hard ping-pong is a handover of kind ``satellite`` back to a satellite that had left the cluster, a soft one an
    ``add`` of such a satellite; it does not matter by which event it had left, nor who served in between, unless it
    left because the terminal did. An ``attach`` is no handover, and no ping-pong. A satellite that comes back twice
    counts twice.

    Parameters
    ----------
    stays
        What `stays` gives.
    window_s
        Longest time from leaving to coming back, this length included.

    Returns
    -------
    DataFrame
        One row each, by terminal, satellite and time: ``terminal``, ``satellite``, ``left_s``, ``back_s``, ``away_s``,
        ``kind`` (hard or soft).

    Raises
    ------
    InputError
        If the window is negative or not a number.
    """
    if not window_s >= 0.0:
        raise InputError(f"window_s: found {window_s}, allowed 0 or more")
    before = stays.shift(1)
    again = (stays["terminal"] == before["terminal"]) & (stays["satellite"] == before["satellite"])
    # times are whole nanoseconds: their difference in seconds has a rounding error, and the limit is included
    away_ns = ((stays["begin_s"] - before["end_s"]) * 1e9).round()
    chosen = again & (away_ns <= window_s * 1e9) & stays["opened_by"].isin([EventKind.HARD, EventKind.ADD])
    chosen &= before["closed_by"] != LEFT
    found = stays.loc[chosen, ["terminal", "satellite"]]
    found = found.assign(left_s=before.loc[chosen, "end_s"], back_s=stays.loc[chosen, "begin_s"])
    kind = stays.loc[chosen, "opened_by"].map({EventKind.HARD: "hard", EventKind.ADD: "soft"})
    return found.assign(away_s=away_ns[chosen] / 1e9, kind=kind).reset_index(drop=True)


def _who(run: Run, event: np.int64) -> str:
    return f'terminal "{run.names[run.events.terminal[event]]}", {run.events.time_ns[event] / 1e9} s after the start'
