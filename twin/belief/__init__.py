"""The world as the network takes it to be: satellites, terminals and clocks with their errors."""

from twin.belief.attitude import Attitude
from twin.belief.clocks import Clocks
from twin.belief.orbits import BelievedEphemeris
from twin.belief.places import BelievedTerminals

__all__ = ["Attitude", "BelievedEphemeris", "BelievedTerminals", "Clocks"]
