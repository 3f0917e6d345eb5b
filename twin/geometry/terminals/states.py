"""The record that this room makes."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, slots=True, kw_only=True)
class TerminalStates:
    """Where terminals are over a window of instants and how they point; read-only.

    Where no terminal moves, the arrays are views that hold one instant only.
    """

    instant: NDArray[np.datetime64]
    """(T,) UTC, nanoseconds."""
    latitude_deg: NDArray[np.float64]
    """(T, K) geodetic, WGS-84."""
    longitude_deg: NDArray[np.float64]
    """(T, K) in [-180, 180]."""
    altitude_km: NDArray[np.float64]
    """(T, K) above the WGS-84 ellipsoid."""
    position_km: NDArray[np.float64]
    """(T, K, 3) in ITRS."""
    velocity_km_s: NDArray[np.float64]
    """(T, K, 3) relative to the rotating Earth."""
    up: NDArray[np.float64]
    """(T, K, 3) unit vector along the geodetic vertical."""
    east: NDArray[np.float64]
    """(T, K, 3) unit vector to the east."""
    north: NDArray[np.float64]
    """(T, K, 3) unit vector to the north; at a pole, away from the terminal's meridian."""
    antenna: NDArray[np.float64]
    """(T, K, 3, 3) rows: the antenna's x, y and z (boresight) unit vectors in ITRS, right-handed."""
