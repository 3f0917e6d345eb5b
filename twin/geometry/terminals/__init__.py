"""Where the terminals are, fixed or moving, and how their antennas point."""

from twin.geometry.terminals.states import TerminalStates
from twin.geometry.terminals.terminals import Terminals

__all__ = ["TerminalStates", "Terminals"]
