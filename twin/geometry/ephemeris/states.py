"""States of satellites over a window of instants."""

from dataclasses import dataclass
from typing import Final

from twin.arrays import BoolArray, FloatArray, IntArray, TimeArray
from twin.records import documented

UNUSABLE_POSITION_KM: Final = (1.0, 0.0, 0.0)
"""Placeholder position of an unusable satellite: inside the Earth, below every horizon."""

UNUSABLE_VELOCITY_KM_S: Final = (0.0, 1.0, 0.0)
"""Placeholder velocity of an unusable satellite: orthogonal to the position, so that the array axes are defined."""


@documented
@dataclass(frozen=True, slots=True, kw_only=True)
class SatelliteStates:
    """Positions and velocities of C satellites at T instants; read-only, never NaN."""

    norad_id: IntArray
    """(C,) catalogue numbers, in the order of the request."""
    instant: TimeArray
    """(T,) UTC, nanoseconds."""
    position_km: FloatArray
    """(T, C, 3) in ITRS; `UNUSABLE_POSITION_KM` if not usable."""
    velocity_km_s: FloatArray
    """(T, C, 3) SGP4's velocity, relative to the rotating Earth; `UNUSABLE_VELOCITY_KM_S` if not usable."""
    usable: BoolArray
    """(T, C) false if SGP4 reports an error or its result fails the checks of `masking`."""
