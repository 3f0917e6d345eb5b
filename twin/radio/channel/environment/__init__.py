"""Surroundings of a terminal: line-of-sight state, shadowing, clutter loss and Rician factor of TR 38.811.

All are values of random fields in space that are fixed over a run, so that they are correlated along a path.
"""

from twin.radio.channel.environment.keys import FieldKeys, terminal_keys
from twin.radio.channel.environment.mosaic import mosaic_field
from twin.radio.channel.environment.realised import realised, realised_by
from twin.radio.channel.environment.surroundings import Surroundings
from twin.radio.channel.environment.tables import BANDS, ENVIRONMENTS, Band, Environment, Tables, band_of, tables
from twin.radio.channel.environment.waves import gaussian_field

__all__ = [
    "BANDS",
    "ENVIRONMENTS",
    "Band",
    "Environment",
    "FieldKeys",
    "Surroundings",
    "Tables",
    "band_of",
    "gaussian_field",
    "mosaic_field",
    "realised",
    "realised_by",
    "tables",
    "terminal_keys",
]
