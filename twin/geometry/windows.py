"""Visibility of satellites over the epochs of a run, computed window by window."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import fields, replace
from functools import partial
from typing import Final, Protocol, TypeVar

import numpy as np
from numpy.typing import ArrayLike

from twin.arrays import FloatArray, IntArray, TimeArray
from twin.geometry.ephemeris import Masked, SatelliteStates
from twin.geometry.links import LinkStates, Visibility, link_states, visibility
from twin.geometry.snapshot import Snapshot
from twin.geometry.terminals import TerminalStates
from twin.timeline import Timeline

States = TypeVar("States", SatelliteStates, TerminalStates)

WINDOW_EPOCHS: Final = 64
"""Most epochs of a window."""
WINDOW_NS: Final = 64_000_000_000
"""Longest window; a longer one would follow many satellites that do not come into view."""
CHUNK_PAIRS: Final = 2_000_000
"""Most elevations held at once; larger windows are computed in chunks of fewer epochs."""


class Orbits(Protocol):
    """True or believed positions of satellites."""

    @property
    def norad_ids(self) -> IntArray:
        """(S,) catalogue numbers, ascending."""

    @property
    def masked(self) -> Sequence[Masked]:
        """Satellites masked so far."""

    def states(self, instants: TimeArray, norad_ids: ArrayLike) -> SatelliteStates:
        """States of some satellites at UTC instants."""

    def in_reach(self, instants: TimeArray, observers_km: FloatArray, min_elevation_deg: float) -> IntArray:
        """Every satellite that may reach an elevation for any observer during the instants."""


class Places(Protocol):
    """True or believed positions of terminals."""

    @property
    def count(self) -> int:
        """K."""

    def states(self, instants: TimeArray, start: np.datetime64) -> TerminalStates:
        """States of the terminals at UTC instants of a run."""


class VisibilityWindows:
    """Follows satellites and terminals over the epochs of a run.

    Windows begin at fixed epochs, wherever a run begins or resumes, and the numbers of a satellite do not depend on
    which other satellites are followed.

    Parameters
    ----------
    ephemeris
        True or believed orbits.
    terminals
        True or believed positions.
    timeline
        Start and epochs of the run.
    min_elevation_deg
        Satellites below are not visible.
    distortion
        Turns true links into those that the network believes in; None leaves them as they are.
    """

    def __init__(
        self,
        *,
        ephemeris: Orbits,
        terminals: Places,
        timeline: Timeline,
        min_elevation_deg: float,
        distortion: Callable[[LinkStates], LinkStates] | None = None,
    ) -> None:
        self.ephemeris = ephemeris
        self.terminals = terminals
        self.timeline = timeline
        self._min_elevation_deg = min_elevation_deg
        self._distortion = distortion
        self._min_sine = np.sin(np.radians(min_elevation_deg))
        self._length = max(1, min(WINDOW_EPOCHS, WINDOW_NS // timeline.epoch_ns))
        self._window: tuple[int, SatelliteStates, TerminalStates] | None = None
        self._chunk: tuple[range, Visibility] | None = None
        self._latest: Snapshot | None = None

    def at(self, epoch: int) -> Snapshot:
        """Visibility at the start of an epoch; asked again for the same epoch, the same record."""
        if self._latest is None or self._latest.epoch != epoch:
            self._latest = self._snapshot(epoch)
        return self._latest

    def _snapshot(self, epoch: int) -> Snapshot:
        first, satellites, terminals = self._window_of(epoch)
        epochs, seen = self._chunk_of(epoch, first, satellites, terminals)
        sine = seen.sine_elevation[epoch - epochs.start]
        rows = np.flatnonzero(sine.max(axis=1, initial=-1.0) >= self._min_sine)
        sine = sine[rows]
        return Snapshot(
            epoch=epoch,
            satellites=satellites,
            terminals=terminals,
            index=epoch - first,
            rows=rows,
            sine_elevation=sine,
            range_km=seen.range_km[epoch - epochs.start, rows],
            visible=sine >= self._min_sine,
            distortion=self._distortion,
            beyond=partial(self.links_at, self.timeline.begin_ns(epoch)),
        )

    def links_at(self, time_ns: int, norad_id: IntArray) -> LinkStates:
        """Geometry of the links of some satellites at any time, before the start of the run included."""
        instants = np.array([self.timeline.instant(time_ns)])
        terminals = self.terminals.states(instants, self.timeline.start)
        links = link_states(self.ephemeris.states(instants, norad_id), terminals, 0)
        return links if self._distortion is None else self._distortion(links)

    def _window_of(self, epoch: int) -> tuple[int, SatelliteStates, TerminalStates]:
        first = epoch - epoch % self._length
        if self._window is None or self._window[0] != first:
            self._chunk = None
            stop = min(first + self._length, self.timeline.epochs)
            instants = self.timeline.instants(first, stop)
            terminals = self.terminals.states(instants, self.timeline.start)
            reached = self.ephemeris.in_reach(instants, terminals.position_km, self._min_elevation_deg)
            self._window = first, self.ephemeris.states(instants, reached), terminals
        return self._window

    def _chunk_of(
        self, epoch: int, first: int, satellites: SatelliteStates, terminals: TerminalStates
    ) -> tuple[range, Visibility]:
        if self._chunk is None or epoch not in self._chunk[0]:
            instants, satellite_count = satellites.usable.shape
            pairs = max(1, satellite_count * self.terminals.count)
            size = max(1, min(instants, CHUNK_PAIRS // pairs))
            start = (epoch - first) // size * size
            part = slice(start, min(start + size, instants))
            chunk = visibility(_part(satellites, part), _part(terminals, part))
            self._chunk = range(first + part.start, first + part.stop), chunk
        return self._chunk


def _part(states: States, part: slice) -> States:
    """States over a part of a window."""
    held = [each.name for each in fields(states) if each.name != "norad_id"]
    return replace(states, **{name: getattr(states, name)[part] for name in held})
