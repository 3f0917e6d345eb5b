"""The record that this room makes."""

from dataclasses import dataclass
from typing import Final

from twin.arrays import BoolArray, FloatArray, IntArray, TimeArray

UNUSABLE_POSITION_KM: Final = (1.0, 0.0, 0.0)
"""Stands for the position of an unusable satellite: inside the Earth, below every horizon."""

UNUSABLE_VELOCITY_KM_S: Final = (0.0, 1.0, 0.0)
"""Stands for the velocity of an unusable satellite: across the position, so that its frame is defined."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SatelliteStates:
    """Positions and velocities of some satellites over a window of instants; read-only, never NaN."""

    norad_id: IntArray
    """(C,) catalogue numbers, in the order asked for."""
    instant: TimeArray
    """(T,) UTC, nanoseconds."""
    position_km: FloatArray
    """(T, C, 3) in ITRS; `UNUSABLE_POSITION_KM` where not usable."""
    velocity_km_s: FloatArray
    """(T, C, 3) relative to the rotating Earth; SGP4's own velocity, turned; a stand-in where not usable."""
    usable: BoolArray
    """(T, C) false where SGP4 gave up or what it gave is not to be believed."""
