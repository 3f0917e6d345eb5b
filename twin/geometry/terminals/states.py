"""States of terminals over a window of instants."""

from dataclasses import dataclass

from twin.arrays import FloatArray, TimeArray
from twin.records import documented


@documented
@dataclass(frozen=True, slots=True, kw_only=True)
class TerminalStates:
    """Positions, velocities and axes of K terminals at T instants; read-only.

    If no terminal moves, the arrays are views of a single instant, broadcast over T.
    """

    instant: TimeArray
    """(T,) UTC, nanoseconds."""
    latitude_deg: FloatArray
    """(T, K) geodetic, WGS-84."""
    longitude_deg: FloatArray
    """(T, K) in [-180, 180]."""
    altitude_km: FloatArray
    """(T, K) above the WGS-84 ellipsoid."""
    position_km: FloatArray
    """(T, K, 3) in ITRS."""
    velocity_km_s: FloatArray
    """(T, K, 3) relative to the rotating Earth."""
    up: FloatArray
    """(T, K, 3) unit vector along the geodetic vertical."""
    east: FloatArray
    """(T, K, 3) unit vector to the east."""
    north: FloatArray
    """(T, K, 3) unit vector to the north; at a pole, the limit along the terminal's meridian."""
    antenna: FloatArray
    """(T, K, 3, 3) rows are the antenna's x, y and z (boresight) unit vectors in ITRS, right-handed."""
