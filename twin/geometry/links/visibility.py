"""Who is above whose horizon: the cheap part of the geometry, for a whole window."""

from dataclasses import dataclass

import numpy as np

from twin.arrays import FloatArray, IntArray, TimeArray
from twin.geometry.ephemeris import SatelliteStates
from twin.geometry.links.vectors import components
from twin.geometry.terminals import TerminalStates


@dataclass(frozen=True, slots=True, kw_only=True)
class Visibility:
    """Elevation and range of every pair over a window; read-only."""

    norad_id: IntArray
    """(C,) catalogue numbers."""
    instant: TimeArray
    """(T,) UTC, nanoseconds."""
    sine_elevation: FloatArray
    """(T, C, K) sine of the elevation over the geodetic horizon, no refraction; -1 where unusable."""
    range_km: FloatArray
    """(T, C, K) straight-line distance at the instant; without meaning where unusable."""


def visibility(satellites: SatelliteStates, terminals: TerminalStates) -> Visibility:
    """Elevation and range of all pairs of a window.

    Takes two arrays of T * C * K numbers; everything is elementwise, so that a pair's numbers do not depend
    on which other pairs are in the window.
    """
    shape = (*satellites.usable.shape, terminals.latitude_deg.shape[1])
    sine, range_km = np.empty(shape), np.empty(shape)
    for epoch in range(shape[0]):  # one instant at a time stays in the processor's cache
        position, place, up = (
            components(array[epoch]) for array in (satellites.position_km, terminals.position_km, terminals.up)
        )
        across = position[:, :, None] - place[:, None, :]
        rising = across * up[:, None, :]
        np.add(rising[0], rising[1], out=sine[epoch])
        sine[epoch] += rising[2]
        np.multiply(across, across, out=across)
        np.add(across[0], across[1], out=range_km[epoch])
        range_km[epoch] += across[2]
        np.sqrt(range_km[epoch], out=range_km[epoch])
        sine[epoch] /= range_km[epoch]
    sine[~satellites.usable] = -1.0
    for array in (sine, range_km):
        array.flags.writeable = False
    return Visibility(norad_id=satellites.norad_id, instant=satellites.instant, sine_elevation=sine, range_km=range_km)
