"""Elevation, range, delay, Doppler and directions between satellites and terminals."""

from twin.geometry.links.doppler import doppler_hz, doppler_rate_hz_s
from twin.geometry.links.geometry import LinkStates, link_states
from twin.geometry.links.visibility import Visibility, visibility

__all__ = ["LinkStates", "Visibility", "doppler_hz", "doppler_rate_hz_s", "link_states", "visibility"]
