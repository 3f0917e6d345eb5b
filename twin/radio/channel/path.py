"""Geometry of links that channel models read."""

from __future__ import annotations

from typing import Protocol

from twin.arrays import FloatArray, IntArray


class Path(Protocol):
    """Links of which a large-scale or fading model reads range and elevation; arrays of one shape, (S,K) in a run."""

    @property
    def range_km(self) -> FloatArray:
        """Slant range."""

    @property
    def elevation_deg(self) -> FloatArray:
        """Elevation of the satellite at the terminal."""


class LocatedPath(Path, Protocol):
    """Links of S satellites and K terminals with identities and places, which shadowing is drawn from.

    Range and elevation have shape (S,K).
    """

    @property
    def norad_id(self) -> IntArray:
        """(S,) NORAD ids of the satellites."""

    @property
    def azimuth_deg(self) -> FloatArray:
        """(S,K) azimuth of the satellite at the terminal, clockwise from north."""

    @property
    def latitude_deg(self) -> FloatArray:
        """(K,) latitude of the terminals."""

    @property
    def longitude_deg(self) -> FloatArray:
        """(K,) longitude of the terminals."""


class AimedPath(Path, Protocol):
    """Links with their angles from the boresights of both arrays. Only directive element patterns read the angles."""

    @property
    def departure_nadir_cos(self) -> FloatArray:
        """(S,K) cosine of the angle at the satellite between nadir and the terminal."""

    @property
    def arrival_boresight_cos(self) -> FloatArray:
        """(S,K) cosine of the angle at the terminal between its boresight and the satellite."""


class LinkGeometry(LocatedPath, AimedPath, Protocol):
    """All that statistical CSI is derived from; `twin.geometry.links.LinkStates` has it."""

    @property
    def departure(self) -> FloatArray:
        """(S,K,2) direction cosines of the terminal along the axes of the satellite's array."""

    @property
    def arrival(self) -> FloatArray:
        """(S,K,2) direction cosines of the satellite along the axes of the terminal's array."""

    @property
    def delay_s(self) -> FloatArray:
        """(S,K) propagation delay."""
