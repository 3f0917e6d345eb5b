"""What stands around a terminal: line-of-sight state, shadowing and clutter of TR 38.811, drawn once and for all."""

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
