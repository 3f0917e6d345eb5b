"""3GPP's Rician factors of TR 38.811, Tables 6.7.2: by elevation, environment and band."""

from functools import cache
from typing import Annotated, Any

import numpy as np
from annotated_types import Ge

from twin.arrays import FloatArray
from twin.radio.channel.environment import Band, Environment, Surroundings, Tables, World, band_of, realised_by, tables
from twin.radio.channel.fading import fadings
from twin.radio.channel.path_loss import LocatedPath, Path
from twin.registry import Facts, dataclass_options
from twin.units import from_db


@dataclass_options
class Tr38811FadingOptions:
    """Surroundings of the terminals; where the path loss is of TR 38.811 too, they must be the same there."""

    environment: Environment = "suburban"
    """What stands around the terminals."""
    band: Band = "s"
    """Which of the report's two sets of tables to take."""
    spread: bool = True
    """Whether the factor varies around its mean by the table's deviation, or is the mean."""
    clutter_distance_m: Annotated[float, Ge(0.0)] = 100.0
    """How far from a terminal the things stand that shadow it (see the path loss of that name)."""

    def tables(self) -> Tables:
        """The tables that hold for these options."""
        return tables(self.environment, self.band)

    def check(self, facts: Facts) -> None:
        """Refuse surroundings that are not those of the path loss: a link has one line-of-sight state; ValueError."""
        path_loss = facts.path_loss
        if not hasattr(path_loss, "environment"):
            return
        for key in ("environment", "clutter_distance_m"):
            own, other = getattr(self, key), getattr(path_loss, key)
            if own != other:
                raise ValueError(f"{key} = {own!r} must be that of channel.path_loss, {other!r}")
        band = band_of(facts.carrier_hz) if path_loss.band == "by_carrier" else path_loss.band
        if self.band != band:
            raise ValueError(f"band = {self.band!r} must be that of channel.path_loss and the carrier, {band!r}")


def drawn_tr38811_fading(path: LocatedPath, *, options: Any, world: World) -> FloatArray:
    """Rician factor (S,K) as it is: that of the table in line of sight, none at all without.

    Pairs below the horizon, which have no link, get the factor that the model expects.
    """
    table = options.tables()
    around = Surroundings.of(path, world, table, clutter_distance_m=options.clutter_distance_m)
    los = around.line_of_sight
    rician = np.zeros(los.shape)
    rician[los] = from_db(around.rician_db(los) if options.spread else table.k_mean_db[around.row[los]])
    return around.scatter(rician, float(_expected_rician(table)[0]), path.elevation_deg.shape)


@fadings.register("tr38811", source="TR 38.811, Tables 6.7.2", options=Tr38811FadingOptions)
@realised_by(drawn_tr38811_fading)
def tr38811_fading(path: Path, *, options: Any) -> FloatArray:
    """Rician fading with 3GPP's factor by elevation in line of sight, Rayleigh fading without.

    What is known without a measurement: power along the line of sight over scattered power, both expected over line of
    sight (with the mean factor in dB) and none (all of it scattered, less by the clutter loss).
    """
    table = options.tables()
    return np.asarray(_expected_rician(table)[table.row(path.elevation_deg)])


@cache
def _expected_rician(table: Tables) -> FloatArray:
    """Factor (9,) of the powers expected, in the rows of the table."""
    los, k = table.los_probability, from_db(table.k_mean_db)
    scattered = los / (k + 1.0) + (1.0 - los) * from_db(-table.clutter_db)
    rician = np.asarray(los * k / (k + 1.0) / scattered)
    rician.setflags(write=False)
    return rician
