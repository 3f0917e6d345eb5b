"""Believed states of satellites, terminals and clocks: the true ones with errors added."""

from twin.uncertainty.attitude import Attitude
from twin.uncertainty.clocks import Clocks
from twin.uncertainty.errors import AttitudeError, ClockError, OrbitError, PositionError
from twin.uncertainty.orbits import BelievedEphemeris
from twin.uncertainty.positions import BelievedTerminals

__all__ = [
    "Attitude",
    "AttitudeError",
    "BelievedEphemeris",
    "BelievedTerminals",
    "ClockError",
    "Clocks",
    "OrbitError",
    "PositionError",
]
