"""What stands around a terminal: line-of-sight state, shadowing and clutter of TR 38.811, drawn once and for all."""

from twin.channel.environment.keys import World, terminal_keys
from twin.channel.environment.mosaic import mosaic_field
from twin.channel.environment.realised import realised, realised_by
from twin.channel.environment.surroundings import Surroundings
from twin.channel.environment.tables import BANDS, ENVIRONMENTS, Band, Environment, Tables, band_of, tables
from twin.channel.environment.waves import gaussian_field

__all__ = [
    "BANDS",
    "ENVIRONMENTS",
    "Band",
    "Environment",
    "Surroundings",
    "Tables",
    "World",
    "band_of",
    "gaussian_field",
    "mosaic_field",
    "realised",
    "realised_by",
    "tables",
    "terminal_keys",
]
