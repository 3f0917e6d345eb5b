"""Predict how long satellites stay in view.

The satellites of a window are propagated ahead in coarse steps, once per window, until all have set.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, fields, replace
from functools import cached_property
from typing import Final

import numpy as np

from twin.arrays import BoolArray, FloatArray, IntArray
from twin.constants import EARTH_ROTATION_RAD_S
from twin.geometry.ephemeris import Elements, Ephemeris, SatelliteStates
from twin.geometry.links import visibility
from twin.geometry.snapshot import Snapshot
from twin.geometry.terminals import TerminalStates

HORIZON_S: Final = 30 * 86_400.0
"""Longest remaining time in view.

A satellite that turns once around the Earth, relative to its surface, within this time is predicted until it sets: no
pass lasts longer than one such turn."""
SYNCHRONOUS_S: Final = 86_400.0
"""Time for which a slower satellite, as a geostationary one, is predicted; still in view, it counts `HORIZON_S`."""
STEP_NS: Final = 10_000_000_000
"""Time between the first steps; the sine of the elevation is interpolated by a parabola through three of them."""
CHUNK: Final = 60
"""Steps after which those that follow are twice as long, up to `LONGEST_STEP_NS`.

A satellite that is still in view then moves slowly: a step is below a fiftieth of the time that has been predicted."""
LONGEST_STEP_NS: Final = 320_000_000_000
"""Largest time between two steps."""


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
    def _synchronous(self) -> IntArray:
        """Catalogue numbers of the satellites that take longer than `HORIZON_S` for a turn relative to the Earth."""
        slowest_rad_s = 2.0 * np.pi / HORIZON_S
        turn_rad_s = np.array([one.satrec.no_kozai / 60.0 - EARTH_ROTATION_RAD_S for one in self._sets])
        norad_id = np.array([one.norad_id for one in self._sets], dtype=np.int64)
        return np.asarray(np.unique(norad_id[np.abs(turn_rad_s) < slowest_rad_s]))

    @cached_property
    def _ephemeris(self) -> Ephemeris:
        return Ephemeris(self._sets, lag_ns=self._lag_ns)

    def remaining_s(self, snapshot: Snapshot) -> FloatArray:
        """Time (V,K) for which each pair stays at or above the minimum elevation.

        0 for pairs that are below it now. `HORIZON_S`, longer than any pass that is predicted to its end, for a nearly
        synchronous satellite (within 3.3 % of the Earth's rotation) that is still in view after `SYNCHRONOUS_S`.
        """
        instants = snapshot.satellites.instant.astype(np.int64)
        if self._window is None or self._window[0] != instants[0]:
            self._window = int(instants[0]), self._set_ns(snapshot)
        remaining_s = (self._window[1][snapshot.rows] - instants[snapshot.index]) / 1e9
        return np.asarray(np.where(snapshot.visible, np.clip(remaining_s, 0.0, HORIZON_S), 0.0))

    def _set_ns(self, snapshot: Snapshot) -> IntArray:
        """(C,K) instant at which each satellite of the window first falls below the minimum elevation."""
        first, last = snapshot.satellites.instant.astype(np.int64)[[0, -1]]
        terminals, norad_id = _at_start(snapshot.terminals), snapshot.satellites.norad_id
        rows = np.arange(len(norad_id))
        turns = ~np.isin(norad_id, self._synchronous)
        set_ns = np.full((len(rows), terminals.latitude_deg.shape[1]), last + int(HORIZON_S * 1e9))
        pending = np.ones(set_ns.shape, dtype=np.bool_)
        samples: list[_Sample] = []
        for times in _chunks(int(first), int(last)):
            ahead = self._ephemeris.states(times.astype("datetime64[ns]"), norad_id[rows])
            kept = np.arange(len(rows))
            for step, time_ns in enumerate(times.tolist()):
                above = visibility(_at_step(ahead, step, kept), terminals).sine_elevation[0] - self._min_sine
                samples = [*samples[-2:], _Sample(time_ns=time_ns, above=above)]
                if len(samples) < 3:
                    continue
                found = _settings(samples, pending)
                set_ns[rows[found.row], found.terminal] = found.time_ns
                pending[found.row, found.terminal] = False
                if time_ns >= last:  # pairs not in view by the end of the window are not needed
                    pending &= above >= 0.0
                    stay = pending.any(axis=1) & (turns[rows] | (time_ns < last + int(SYNCHRONOUS_S * 1e9)))
                    if not stay.any():
                        return set_ns
                    rows, kept, pending = rows[stay], kept[stay], pending[stay]
                    samples = [replace(sample, above=sample.above[stay]) for sample in samples]
        return set_ns


@dataclass(frozen=True, slots=True, kw_only=True)
class _Sample:
    """Elevations at one step."""

    time_ns: int
    """Instant of the step, in ns since 1970."""
    above: FloatArray
    """(C,K) sine of the elevation minus that of the minimum elevation."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Settings:
    """Pairs that set between two steps."""

    row: IntArray
    """(P,) row of the satellite."""
    terminal: IntArray
    """(P,)"""
    time_ns: IntArray
    """(P,) instant at which the pair falls below the minimum elevation."""


def _chunks(first_ns: int, last_ns: int) -> Iterator[IntArray]:
    """Instants to propagate to: from one step before the window to the horizon after its end."""
    time_ns, step_ns, end_ns = first_ns - STEP_NS, STEP_NS, last_ns + int(HORIZON_S * 1e9)
    while time_ns < end_ns:
        yield time_ns + step_ns * np.arange(CHUNK)
        time_ns += step_ns * CHUNK
        if time_ns > last_ns:
            step_ns = min(2 * step_ns, LONGEST_STEP_NS)


def _settings(samples: Sequence[_Sample], pending: BoolArray) -> _Settings:
    """Pairs that fall below the minimum elevation between the last two of three steps.

    The sine is a parabola through the three. A pair that is below at both of the last two has set too if the parabola
    rises above in between.
    """
    before, start, end = samples
    span_ns = end.time_ns - start.time_ns
    behind = (start.time_ns - before.time_ns) / span_ns
    low = pending & (end.above < 0.0)
    candidate = low & ((start.above >= 0.0) | (start.above > np.maximum(before.above, end.above)))
    candidate |= low & (start.above < 0.0) & (before.above < start.above) & (start.above <= end.above)
    row, terminal = np.nonzero(candidate)
    a, b, c = (sample.above[row, terminal] for sample in samples)
    # Newton's divided differences, in units of the last step
    backward, forward = (b - a) / behind, c - b
    curvature = (forward - backward) / (1.0 + behind)
    slope = forward - curvature
    discriminant = slope**2 - 4.0 * curvature * b
    root = np.sqrt(np.maximum(discriminant, 0.0))
    # the root at which the parabola falls: slope + 2 curvature x = -root
    with np.errstate(divide="ignore", invalid="ignore"):
        falling = np.where(slope > 0.0, (slope + root) / (-2.0 * curvature), 2.0 * b / (root - slope))
    falling = np.where(np.isfinite(falling), falling, 0.0)
    sets = (discriminant >= 0.0) & (falling >= 0.0) & (falling <= 1.0)
    certain = b >= 0.0
    falling = np.where(sets, falling, np.where(certain, b / np.where(certain, b - c, 1.0), 0.0))
    taken = sets | certain
    time_ns = start.time_ns + np.rint(span_ns * falling).astype(np.int64)
    return _Settings(row=row[taken], terminal=terminal[taken], time_ns=time_ns[taken])


def _at_step(states: SatelliteStates, step: int, rows: IntArray) -> SatelliteStates:
    """States of some satellites at one step."""
    part = {name: getattr(states, name)[step : step + 1, rows] for name in ("position_km", "velocity_km_s", "usable")}
    return replace(states, norad_id=states.norad_id[rows], instant=states.instant[step : step + 1], **part)


def _at_start(states: TerminalStates) -> TerminalStates:
    """States at the first instant."""
    return replace(states, **{each.name: getattr(states, each.name)[:1] for each in fields(states)})
