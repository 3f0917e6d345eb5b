"""The world as the network takes it to be: satellites, terminals and clocks with their errors."""

from twin.uncertainty.attitude import Attitude
from twin.uncertainty.clocks import Clocks
from twin.uncertainty.orbits import BelievedEphemeris
from twin.uncertainty.positions import BelievedTerminals

__all__ = ["Attitude", "BelievedEphemeris", "BelievedTerminals", "Clocks"]
