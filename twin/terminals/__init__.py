"""Where the terminals are, fixed or moving, and how their antennas point."""

from twin.terminals.states import TerminalStates
from twin.terminals.terminals import Terminals

__all__ = ["TerminalStates", "Terminals"]
