"""Positions and velocities of satellites over a window of instants, by SGP4."""

from twin.geometry.ephemeris.elements import Elements
from twin.geometry.ephemeris.ephemeris import Ephemeris
from twin.geometry.ephemeris.masking import Masked
from twin.geometry.ephemeris.states import UNUSABLE_POSITION_KM, UNUSABLE_VELOCITY_KM_S, SatelliteStates

__all__ = [
    "UNUSABLE_POSITION_KM",
    "UNUSABLE_VELOCITY_KM_S",
    "Elements",
    "Ephemeris",
    "Masked",
    "SatelliteStates",
]
