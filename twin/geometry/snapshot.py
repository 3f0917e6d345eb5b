"""What is above the terminals at the start of one epoch."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np

from twin.arrays import BoolArray, FloatArray, IntArray
from twin.geometry.ephemeris import SatelliteStates
from twin.geometry.links import LinkStates, link_states
from twin.geometry.links.vectors import components, dot
from twin.geometry.terminals import TerminalStates
from twin.geometry.terminals.tracks import MEAN_EARTH_RADIUS_KM
from twin.records import documented


@documented
@dataclass(frozen=True, slots=True, kw_only=True)
class Snapshot:
    """Geometry at the start of one epoch: K terminals, and the V satellites in view of at least one of them."""

    epoch: int
    """Number of the epoch."""
    satellites: SatelliteStates
    """The C satellites that come into view during the window of this epoch."""
    terminals: TerminalStates
    """All K terminals over the same window."""
    index: int
    """Place of this epoch in the window."""
    rows: IntArray
    """(V,) rows of the satellites in view of at least one terminal now."""
    sine_elevation: FloatArray
    """(V,K) sine of the elevation."""
    range_km: FloatArray
    """(V,K) slant range."""
    visible: BoolArray
    """(V,K) at or above the minimum elevation."""
    distortion: Callable[[LinkStates], LinkStates] | None
    """Turns true links into those that the network believes in; None means that links are as they are."""
    beyond: Callable[[IntArray], LinkStates]
    """Computes the links of satellites that this window does not follow."""
    _links: dict[bytes, LinkStates] = field(default_factory=dict, repr=False, compare=False)
    """Links that were computed, by the NORAD ids asked for."""

    @property
    def norad_id(self) -> IntArray:
        """(V,) satellites in view of at least one terminal now, ascending."""
        return self.satellites.norad_id[self.rows]

    @property
    def elevation_deg(self) -> FloatArray:
        """(V,K) elevation, computed on request."""
        return np.degrees(np.arcsin(np.clip(self.sine_elevation, -1.0, 1.0)))

    @property
    def departure_nadir_cos(self) -> FloatArray:
        """(V,K) cosine of the angle at a satellite between nadir and the terminal, computed on request."""
        position = components(self.satellites.position_km[self.index, self.rows])
        up = position / np.sqrt(dot(position, position))
        return dot(up[:, :, None], self._ray())

    @property
    def arrival_boresight_cos(self) -> FloatArray:
        """(V,K) cosine of the angle at a terminal between boresight and the satellite, computed on request."""
        return dot(components(self.terminals.antenna[self.index, :, 2])[:, None, :], self._ray())

    def _ray(self) -> FloatArray:
        """(3,V,K) unit vectors from terminals to satellites."""
        place = components(self.terminals.position_km[self.index])
        across = components(self.satellites.position_km[self.index, self.rows])[:, :, None] - place[:, None, :]
        return np.asarray(across / np.sqrt(dot(across, across)))

    def unusable(self, norad_id: IntArray) -> BoolArray:
        """Which of some satellites of this window have no valid state now."""
        held = np.isin(self.satellites.norad_id, norad_id)
        return np.asarray(~self.satellites.usable[self.index, held])

    def links(self, norad_id: IntArray) -> LinkStates:
        """Geometry of all links of some satellites; the same record for the same satellites."""
        key = norad_id.tobytes()
        if key not in self._links:
            self._links[key] = self._computed_links(norad_id)
        return self._links[key]

    def _computed_links(self, norad_id: IntArray) -> LinkStates:
        held = self.satellites.norad_id
        rows = np.searchsorted(held, norad_id)
        if len(held) and np.array_equal(held[np.minimum(rows, len(held) - 1)], norad_id):
            links = link_states(self.satellites, self.terminals, self.index, rows)
            return links if self.distortion is None else self.distortion(links)
        return self.beyond(norad_id)

    def ground_distance_km(self) -> FloatArray:
        """(V,K) great-circle distance on the mean sphere from each terminal to the sub-satellite point.

        Both points are projected radially onto the sphere, which is within half a percent of the ellipsoid.
        """
        above = _direction(self.satellites.position_km[self.index, self.rows])
        place = _direction(self.terminals.position_km[self.index])
        chord = np.sqrt(((above[:, None, :] - place) ** 2).sum(axis=-1))
        return np.asarray(2.0 * MEAN_EARTH_RADIUS_KM * np.arcsin(np.minimum(chord / 2.0, 1.0)))


def _direction(position_km: FloatArray) -> FloatArray:
    return np.asarray(position_km / np.sqrt((position_km**2).sum(axis=-1, keepdims=True)))
