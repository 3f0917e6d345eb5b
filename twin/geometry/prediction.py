"""When satellites will set: predicted once a window, from its satellites propagated ahead in coarse steps."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import fields, replace
from functools import cached_property
from typing import Final

import numpy as np

from twin.arrays import FloatArray, IntArray
from twin.geometry.ephemeris import Elements, Ephemeris, SatelliteStates
from twin.geometry.links import visibility
from twin.geometry.snapshot import Snapshot
from twin.geometry.terminals import TerminalStates

HORIZON_S: Final = 1200.0
"""A satellite that stays longer counts as staying so long: more than a pass of anything below 1,000 km."""
STEP_NS: Final = 10_000_000_000
"""Between two steps the sine of the elevation is taken for straight.

That misses a setting by a fifth of a second, or by more where a satellite only just comes up."""


class Forecast:
    """Predicts for how long satellites stay above the minimum elevation.

    Windows are those of the sky, at fixed epochs; within one a moving terminal counts as standing where it was at the
    window's start. What is predicted for the future says nothing of what was found unusable so far, so that the
    prediction has an ephemeris of its own.
    """

    def __init__(self, sets: Sequence[Elements], *, min_elevation_deg: float, lag_ns: int = 0) -> None:
        self._sets = sets
        self._lag_ns = lag_ns
        self._min_sine = float(np.sin(np.radians(min_elevation_deg)))
        self._window: tuple[int, IntArray] | None = None

    @cached_property
    def _ephemeris(self) -> Ephemeris:
        return Ephemeris(self._sets, lag_ns=self._lag_ns)

    def remaining_s(self, snapshot: Snapshot) -> FloatArray:
        """For how long each satellite in view stays at or above the minimum elevation, (V,K).

        At most `HORIZON_S`; 0 for pairs below.
        """
        instants = snapshot.satellites.instant.astype(np.int64)
        if self._window is None or self._window[0] != instants[0]:
            self._window = int(instants[0]), self._set_ns(snapshot)
        left_s = (self._window[1][snapshot.rows] - instants[snapshot.index]) / 1e9
        return np.asarray(np.where(snapshot.visible, np.clip(left_s, 0.0, HORIZON_S), 0.0))

    def _set_ns(self, snapshot: Snapshot) -> IntArray:
        """(C,K) instant at which each satellite of the window first falls below the minimum elevation."""
        first, last = snapshot.satellites.instant.astype(np.int64)[[0, -1]]
        steps = -int(-(last - first + HORIZON_S * 1e9) // STEP_NS)
        times = first + STEP_NS * np.arange(steps + 1)
        ahead = self._ephemeris.states(times.astype("datetime64[ns]"), snapshot.satellites.norad_id)
        place = _first(snapshot.terminals)
        rows = np.arange(len(ahead.norad_id))
        before = visibility(_at(ahead, 0, rows), place).sine_elevation[0]
        set_ns = np.full(before.shape, times[-1])
        stays = np.ones(before.shape, dtype=np.bool_)
        for step in range(1, steps + 1):
            if times[step - 1] >= last:  # who is not up by the end of the window is not asked for
                stays &= before >= self._min_sine
                left = stays.any(axis=1)
                rows, before, stays = rows[left], before[left], stays[left]
            sine = visibility(_at(ahead, step, rows), place).sine_elevation[0]
            falls = np.nonzero(stays & (before >= self._min_sine) & (sine < self._min_sine))
            above, below = before[falls] - self._min_sine, self._min_sine - sine[falls]
            lasts_ns = np.rint(STEP_NS * above / (above + below)).astype(np.int64)
            set_ns[rows[falls[0]], falls[1]] = times[step - 1] + lasts_ns
            stays[falls] = False
            before = sine
        return set_ns


def _at(states: SatelliteStates, step: int, rows: IntArray) -> SatelliteStates:
    cut = {name: getattr(states, name)[step : step + 1, rows] for name in ("position_km", "velocity_km_s", "usable")}
    return replace(states, norad_id=states.norad_id[rows], instant=states.instant[step : step + 1], **cut)


def _first(states: TerminalStates) -> TerminalStates:
    return replace(states, **{each.name: getattr(states, each.name)[:1] for each in fields(states)})
