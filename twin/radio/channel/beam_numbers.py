"""What a beam's number stands for: policies give it, precoders send by it."""

from typing import Final

FIRST_CELL: Final = 1_000_000
"""Beams fixed to a satellite have the numbers of their places in its grid, from 0; from here on a number is that of a
cell on the Earth, to which a beam is steered: the cell's own number added to this."""
