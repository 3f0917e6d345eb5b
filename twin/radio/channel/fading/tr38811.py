"""Rician factors of TR 38.811, Tables 6.7.2: by elevation, environment and band."""

from functools import cache
from typing import Annotated

import numpy as np
from annotated_types import Ge

from twin.arrays import FloatArray
from twin.radio.channel.environment import Band, Environment, FieldKeys, Surroundings, Tables, realised_by, tables
from twin.radio.channel.fading import fadings
from twin.radio.channel.path import LocatedPath, Path
from twin.radio.channel.path_loss.tr38811 import Tr38811Options
from twin.registry import Facts, dataclass_options
from twin.units import from_db


@dataclass_options
class Tr38811FadingOptions:
    """Environment of the terminals; it must be the same as in a path loss of TR 38.811."""

    environment: Environment = "suburban"
    """Environment of the terminals."""
    band: Band = "s"
    """Frequency band of the report's tables."""
    spread: bool = True
    """Whether the factor varies around its mean with the deviation of the table; otherwise it is the mean."""
    clutter_distance_m: Annotated[float, Ge(0.0)] = 100.0
    """Distance from a terminal to the clutter that shadows it (see the path loss of the same name)."""

    def tables(self) -> Tables:
        """The tables for these options."""
        return tables(self.environment, self.band)

    def check(self, facts: Facts) -> None:
        """Check that path loss and fading share one environment, as they share the line-of-sight state.

        Raises
        ------
        ValueError
            If environment, clutter distance or band differ from those of the path loss.
        """
        path_loss = facts.path_loss
        if not isinstance(path_loss, Tr38811Options):
            return
        for key, own, other in (
            ("environment", self.environment, path_loss.environment),
            ("clutter_distance_m", self.clutter_distance_m, path_loss.clutter_distance_m),
        ):
            if own != other:
                raise ValueError(f"{key} = {own!r} must be that of channel.path_loss, {other!r}")
        band = path_loss.selected_band(facts.carrier_hz)
        if self.band != band:
            raise ValueError(f"band = {self.band!r} must be that of channel.path_loss and the carrier, {band!r}")


def drawn_tr38811_fading(path: LocatedPath, *, options: Tr38811FadingOptions, field_keys: FieldKeys) -> FloatArray:
    """Realised Rician factor (S,K), linear: that of the table with line of sight, 0 without.

    Pairs below the horizon have no link and get the expected factor.
    """
    table = options.tables()
    surroundings = Surroundings.of(path, field_keys, table, clutter_distance_m=options.clutter_distance_m)
    los = surroundings.line_of_sight
    rician = np.zeros(los.shape)
    rician[los] = from_db(surroundings.rician_db(los) if options.spread else table.k_mean_db[surroundings.row[los]])
    return surroundings.scatter(rician, float(_expected_rician(table)[0]), path.elevation_deg.shape)


@fadings.register("tr38811", source="TR 38.811, Tables 6.7.2", options=Tr38811FadingOptions)
@realised_by(drawn_tr38811_fading)
def tr38811_fading(path: Path, *, options: Tr38811FadingOptions) -> FloatArray:
    """Rician fading by elevation with line of sight, Rayleigh fading without.

    The expected factor is the ratio of line-of-sight power to scattered power, both averaged over the line-of-sight
    states. With line of sight the factor is the mean in dB; without, all power is scattered and reduced by the clutter
    loss.
    """
    table = options.tables()
    return np.asarray(_expected_rician(table)[table.row(path.elevation_deg)])


@cache
def _expected_rician(table: Tables) -> FloatArray:
    """(9,) ratio of the mean powers, in the rows of the table."""
    los, k = table.los_probability, from_db(table.k_mean_db)
    scattered = los / (k + 1.0) + (1.0 - los) * from_db(-table.clutter_db)
    rician = np.asarray(los * k / (k + 1.0) / scattered)
    rician.setflags(write=False)
    return rician
