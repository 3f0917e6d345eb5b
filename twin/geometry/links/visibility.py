"""Elevation and range of all pairs over a window; the cheap part of the link geometry."""

from dataclasses import dataclass

import numpy as np

from twin.arrays import FloatArray, IntArray, TimeArray
from twin.geometry.ephemeris import SatelliteStates
from twin.geometry.links.vectors import components
from twin.geometry.terminals import TerminalStates
from twin.records import documented


@documented
@dataclass(frozen=True, slots=True, kw_only=True)
class Visibility:
    """Elevation and range of every pair over a window; read-only."""

    norad_id: IntArray
    """(C,) catalogue numbers."""
    instant: TimeArray
    """(T,) UTC, nanoseconds."""
    sine_elevation: FloatArray
    """(T, C, K) sine of the elevation above the geodetic horizon, without refraction; -1 if unusable."""
    range_km: FloatArray
    """(T, C, K) straight-line distance; meaningless if unusable."""


def visibility(satellites: SatelliteStates, terminals: TerminalStates) -> Visibility:
    """Compute elevation and range of all pairs of a window.

    The result holds two arrays of T * C * K numbers. All operations are elementwise, so that the values of a pair do
    not depend on the other pairs.
    """
    shape = (*satellites.usable.shape, terminals.latitude_deg.shape[1])
    sine, range_km = np.empty(shape), np.empty(shape)
    for epoch in range(shape[0]):  # one instant at a time fits in the processor's cache
        position, place, up = (
            components(array[epoch]) for array in (satellites.position_km, terminals.position_km, terminals.up)
        )
        separation = position[:, :, None] - place[:, None, :]
        vertical = separation * up[:, None, :]
        np.add(vertical[0], vertical[1], out=sine[epoch])
        sine[epoch] += vertical[2]
        squared = np.multiply(separation, separation, out=separation)
        np.add(squared[0], squared[1], out=range_km[epoch])
        range_km[epoch] += squared[2]
        np.sqrt(range_km[epoch], out=range_km[epoch])
        sine[epoch] /= range_km[epoch]
    sine[~satellites.usable] = -1.0
    for array in (sine, range_km):
        array.flags.writeable = False
    return Visibility(norad_id=satellites.norad_id, instant=satellites.instant, sine_elevation=sine, range_km=range_km)
