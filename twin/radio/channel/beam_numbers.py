"""Numbering of beams: policies assign the numbers, precoders steer by them."""

from typing import Final

FIRST_CELL: Final = 1_000_000
"""Number of the first Earth-fixed cell.

Beams below it are fixed to the satellite: the number is the index in the satellite's beam grid, from 0. From it on, the
number minus `FIRST_CELL` is the index of the cell to which the beam is steered."""
