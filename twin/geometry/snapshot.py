"""What is above the terminals at each epoch, worked out window by window."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, fields, replace
from functools import partial
from typing import Any, Protocol, TypeVar

import numpy as np
from numpy.typing import ArrayLike

from twin.arrays import BoolArray, FloatArray, IntArray, TimeArray
from twin.geometry.ephemeris import Masked, SatelliteStates
from twin.geometry.links import LinkStates, Visibility, link_states, visibility
from twin.geometry.links.vectors import components, dot
from twin.geometry.terminals import TerminalStates
from twin.geometry.terminals.tracks import MEAN_EARTH_RADIUS_KM
from twin.timeline import Timeline

States = TypeVar("States", SatelliteStates, TerminalStates)

WINDOW_EPOCHS = 64
WINDOW_NS = 64_000_000_000
"""A window spans no more than this, so that few satellites are followed which do not come into view."""
CHUNK_PAIRS = 2_000_000
"""Elevations that are held at once; larger windows are gone through in chunks of fewer epochs."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Snapshot:
    """The sky at the start of one epoch."""

    epoch: int
    satellites: SatelliteStates
    """The C satellites that come into view during this window."""
    terminals: TerminalStates
    """All K terminals over the same window."""
    index: int
    """Place of this epoch in the window."""
    rows: IntArray
    """(V,) rows of the satellites that someone sees now."""
    sine_elevation: FloatArray
    """(V,K)"""
    range_km: FloatArray
    """(V,K)"""
    visible: BoolArray
    """(V,K) at or above the minimum elevation."""
    seen: Callable[[LinkStates], LinkStates] | None
    """How links seem to whoever looks; none for as they are."""
    beyond: Callable[[IntArray], LinkStates]
    """Works out the links of satellites that are not followed in this window."""
    kept: dict[tuple[str, bytes], Any] = field(default_factory=dict)
    """What was worked out for this epoch and may be asked for again."""

    @property
    def norad_id(self) -> IntArray:
        """(V,) satellites that someone sees now, rising."""
        return self.satellites.norad_id[self.rows]

    @property
    def elevation_deg(self) -> FloatArray:
        """(V,K) worked out when asked for."""
        return np.degrees(np.arcsin(np.clip(self.sine_elevation, -1.0, 1.0)))

    @property
    def departure_nadir_cos(self) -> FloatArray:
        """(V,K) cosine of the angle between a satellite's nadir and the terminal, worked out when asked for."""
        position = components(self.satellites.position_km[self.index, self.rows])
        up = position / np.sqrt(dot(position, position))
        return dot(up[:, :, None], self._ray())

    @property
    def arrival_boresight_cos(self) -> FloatArray:
        """(V,K) cosine of the angle between a terminal's boresight and the satellite, worked out when asked for."""
        return dot(components(self.terminals.antenna[self.index, :, 2])[:, None, :], self._ray())

    def _ray(self) -> FloatArray:
        """(3,V,K) unit vectors from terminals to satellites."""
        place = components(self.terminals.position_km[self.index])
        across = components(self.satellites.position_km[self.index, self.rows])[:, :, None] - place[:, None, :]
        return np.asarray(across / np.sqrt(dot(across, across)))

    def unusable(self, norad_id: IntArray) -> BoolArray:
        """Which of some satellites of this window are not to be believed now."""
        held = np.isin(self.satellites.norad_id, norad_id)
        return np.asarray(~self.satellites.usable[self.index, held])

    def links(self, norad_id: IntArray) -> LinkStates:
        """All about the links of some satellites; every answer is kept."""
        key = "links", norad_id.tobytes()
        if key not in self.kept:
            held = self.satellites.norad_id
            rows = np.searchsorted(held, norad_id)
            if len(held) and np.array_equal(held[np.minimum(rows, len(held) - 1)], norad_id):
                found = link_states(self.satellites, self.terminals, self.index, rows)
                self.kept[key] = found if self.seen is None else self.seen(found)
            else:
                self.kept[key] = self.beyond(norad_id)
        links: LinkStates = self.kept[key]
        return links

    def ground_distance_km(self) -> FloatArray:
        """(V,K) distance along a great circle of the mean sphere from each terminal to the point below each satellite.

        Both are taken on their radius from the Earth's centre, which is within half a percent of the ellipsoid.
        """
        above = _direction(self.satellites.position_km[self.index, self.rows])
        place = _direction(self.terminals.position_km[self.index])
        chord = np.sqrt(((above[:, None, :] - place) ** 2).sum(axis=-1))
        return np.asarray(2.0 * MEAN_EARTH_RADIUS_KM * np.arcsin(np.minimum(chord / 2.0, 1.0)))


class Orbits(Protocol):
    """Where satellites are, or are believed to be."""

    @property
    def norad_ids(self) -> IntArray:
        """(S,) catalogue numbers, ascending."""

    @property
    def masked(self) -> Sequence[Masked]:
        """Satellites found unusable so far."""

    def states(self, instants: TimeArray, norad_ids: ArrayLike) -> SatelliteStates:
        """States of some satellites."""

    def in_reach(self, instants: TimeArray, observers_km: FloatArray, min_elevation_deg: float) -> IntArray:
        """Every satellite that may reach an elevation for any observer."""


class Places(Protocol):
    """Where terminals are, or are believed to be."""

    @property
    def count(self) -> int:
        """How many terminals there are."""

    def states(self, instants: TimeArray, start: np.datetime64) -> TerminalStates:
        """Their states at some instants of a run."""


class VisibilityWindows:
    """Follows satellites and terminals over the epochs of a run.

    Windows lie at fixed epochs, wherever a run begins or goes on, and no number of a satellite depends on which others
    are followed.
    """

    def __init__(
        self,
        *,
        ephemeris: Orbits,
        terminals: Places,
        timeline: Timeline,
        min_elevation_deg: float,
        seen: Callable[[LinkStates], LinkStates] | None = None,
    ) -> None:
        self.ephemeris = ephemeris
        self.terminals = terminals
        self.timeline = timeline
        self._min_elevation_deg = min_elevation_deg
        self._seen = seen
        self._min_sine = np.sin(np.radians(min_elevation_deg))
        self._length = max(1, min(WINDOW_EPOCHS, WINDOW_NS // timeline.epoch_ns))
        self._window: tuple[int, SatelliteStates, TerminalStates] | None = None
        self._chunk: tuple[range, Visibility] | None = None

    def at(self, epoch: int) -> Snapshot:
        """The sky at the start of an epoch."""
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
            seen=self._seen,
            beyond=partial(self.links_at, self.timeline.begin_ns(epoch)),
        )

    def links_at(self, time_ns: int, norad_id: IntArray) -> LinkStates:
        """All about the links of some satellites at any time, the past before the run included."""
        instants = np.array([self.timeline.instant(time_ns)])
        terminals = self.terminals.states(instants, self.timeline.start)
        links = link_states(self.ephemeris.states(instants, norad_id), terminals, 0)
        return links if self._seen is None else self._seen(links)

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


def _direction(position_km: FloatArray) -> FloatArray:
    return np.asarray(position_km / np.sqrt((position_km**2).sum(axis=-1, keepdims=True)))


def _part(states: States, part: slice) -> States:
    """The states over a part of a window."""
    held = [each.name for each in fields(states) if each.name != "norad_id"]
    return replace(states, **{name: getattr(states, name)[part] for name in held})
