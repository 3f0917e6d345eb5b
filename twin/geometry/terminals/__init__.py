"""Positions, velocities and antenna orientations of fixed and moving terminals."""

from twin.geometry.terminals.groups import Orientation, TerminalGroup
from twin.geometry.terminals.states import TerminalStates
from twin.geometry.terminals.terminals import Terminals

__all__ = ["Orientation", "TerminalGroup", "TerminalStates", "Terminals"]
