"""Predict how long satellites stay in view.

The satellites of a window are propagated ahead in coarse steps, once per window.
"""

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
"""Longest time that is predicted; longer than a pass of any satellite below 1,000 km."""
STEP_NS: Final = 10_000_000_000
"""Time between two steps, over which the sine of the elevation is interpolated linearly.

The error of a setting time is about 0.2 s, and larger if the culmination is just above the minimum elevation."""


class VisibilityPrediction:
    """Predicts how long satellites stay above the minimum elevation.

    Windows are those of `VisibilityWindows`, at fixed epochs. Within a window a moving terminal is assumed at rest at
    its initial position. The prediction has its own ephemeris, so that a satellite that is unusable in the future is
    not reported as masked now.

    Parameters
    ----------
    sets
        Element sets of all satellites.
    min_elevation_deg
        Elevation below which a satellite is not in view.
    lag_ns
        Delay after its epoch at which a set becomes known, see `Ephemeris`.
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
        """Time (V,K) for which each pair stays at or above the minimum elevation.

        At most `HORIZON_S`; 0 for pairs that are below it now.
        """
        instants = snapshot.satellites.instant.astype(np.int64)
        if self._window is None or self._window[0] != instants[0]:
            self._window = int(instants[0]), self._set_ns(snapshot)
        remaining_s = (self._window[1][snapshot.rows] - instants[snapshot.index]) / 1e9
        return np.asarray(np.where(snapshot.visible, np.clip(remaining_s, 0.0, HORIZON_S), 0.0))

    def _set_ns(self, snapshot: Snapshot) -> IntArray:
        """(C,K) instant at which each satellite of the window first falls below the minimum elevation."""
        first, last = snapshot.satellites.instant.astype(np.int64)[[0, -1]]
        steps = -int(-(last - first + HORIZON_S * 1e9) // STEP_NS)
        times = first + STEP_NS * np.arange(steps + 1)
        ahead = self._ephemeris.states(times.astype("datetime64[ns]"), snapshot.satellites.norad_id)
        terminals = _at_start(snapshot.terminals)
        rows = np.arange(len(ahead.norad_id))
        before = visibility(_at_step(ahead, 0, rows), terminals).sine_elevation[0]
        set_ns = np.full(before.shape, times[-1])
        pending = np.ones(before.shape, dtype=np.bool_)
        for step in range(1, steps + 1):
            if times[step - 1] >= last:  # pairs not in view by the end of the window are not needed
                pending &= before >= self._min_sine
                kept = pending.any(axis=1)
                rows, before, pending = rows[kept], before[kept], pending[kept]
            sine = visibility(_at_step(ahead, step, rows), terminals).sine_elevation[0]
            setting = np.nonzero(pending & (before >= self._min_sine) & (sine < self._min_sine))
            above, below = before[setting] - self._min_sine, self._min_sine - sine[setting]
            into_step_ns = np.rint(STEP_NS * above / (above + below)).astype(np.int64)
            set_ns[rows[setting[0]], setting[1]] = times[step - 1] + into_step_ns
            pending[setting] = False
            before = sine
        return set_ns


def _at_step(states: SatelliteStates, step: int, rows: IntArray) -> SatelliteStates:
    """States of some satellites at one step."""
    part = {name: getattr(states, name)[step : step + 1, rows] for name in ("position_km", "velocity_km_s", "usable")}
    return replace(states, norad_id=states.norad_id[rows], instant=states.instant[step : step + 1], **part)


def _at_start(states: TerminalStates) -> TerminalStates:
    """States at the first instant."""
    return replace(states, **{each.name: getattr(states, each.name)[:1] for each in fields(states)})
