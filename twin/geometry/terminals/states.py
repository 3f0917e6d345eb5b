"""The record that this room makes."""

from dataclasses import dataclass

from twin.arrays import FloatArray, TimeArray


@dataclass(frozen=True, slots=True, kw_only=True)
class TerminalStates:
    """Where terminals are over a window of instants and how they point; read-only.

    Where no terminal moves, the arrays are views that hold one instant only.
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
    """(T, K, 3) unit vector to the north; at a pole, away from the terminal's meridian."""
    antenna: FloatArray
    """(T, K, 3, 3) rows: the antenna's x, y and z (boresight) unit vectors in ITRS, right-handed."""
