"""Large-scale model of TR 38.811, Section 6.6: line-of-sight state, clutter loss, shadowing."""

from functools import cache
from typing import Annotated, Literal

import numpy as np
from annotated_types import Ge

from twin.arrays import FloatArray
from twin.radio.channel.environment import (
    Band,
    Environment,
    FieldKeys,
    Surroundings,
    Tables,
    band_of,
    realised_by,
    tables,
)
from twin.radio.channel.path import LocatedPath, Path
from twin.radio.channel.path_loss import path_losses
from twin.radio.channel.path_loss.atmospheric import AtmosphereOptions, atmosphere_db
from twin.radio.channel.path_loss.free_space import free_space_db
from twin.registry import Facts, dataclass_options
from twin.units import to_db


@dataclass_options
class Tr38811Options(AtmosphereOptions):
    """Environment of the terminals, and the atmospheric terms."""

    environment: Environment = "suburban"
    """Environment of the terminals."""
    band: Literal["by_carrier", "s", "ka"] = "by_carrier"
    """Frequency band of the report's tables; "by_carrier" selects it from the carrier frequency."""
    atmosphere: bool = False
    """Absorption by gases, A_zenith / sin(elevation)."""
    clutter_distance_m: Annotated[float, Ge(0.0)] = 100.0
    """Distance from a terminal to the clutter that shadows it. A change of the satellite's direction by an angle in rad
    changes the surroundings like a displacement of the terminal by that angle times this distance (ours: the report
    draws independent drops)."""

    def check(self, facts: Facts) -> None:
        """Check that the report has tables for the carrier frequency; ValueError if not."""
        AtmosphereOptions.check(self, facts)
        self.tables(facts.carrier_hz)

    def tables(self, carrier_hz: float) -> Tables:
        """The tables for these options."""
        return tables(self.environment, self.selected_band(carrier_hz))

    def selected_band(self, carrier_hz: float) -> Band:
        """The report's band: the option if it names one, otherwise the band of the carrier."""
        return band_of(carrier_hz) if self.band == "by_carrier" else self.band


def drawn_tr38811(
    path: LocatedPath, *, carrier_hz: float, options: Tr38811Options, field_keys: FieldKeys
) -> FloatArray:
    """Realised loss (S,K) in dB for the line-of-sight state of each link, with shadowing (TR 38.811, eq. 6.6-4).

    Pairs below the horizon have no link and get the expected loss.
    """
    table = options.tables(carrier_hz)
    surroundings = Surroundings.of(path, field_keys, table, clutter_distance_m=options.clutter_distance_m)
    los = surroundings.line_of_sight
    drawn_db = np.where(los, 0.0, table.clutter_db[surroundings.row]) + surroundings.shadowing_db(los)
    lowest_db = float(_expected_clutter_db(table)[0])
    clutter_db = surroundings.scatter(drawn_db, lowest_db, path.range_km.shape)
    return _above_clutter_db(path, carrier_hz, options) + clutter_db


@path_losses.register("tr38811", source="TR 38.811, section 6.6", options=Tr38811Options)
@realised_by(drawn_tr38811)
def tr38811(path: Path, *, carrier_hz: float, options: Tr38811Options) -> FloatArray:
    """Free-space loss, clutter and shadowing by elevation in four environments, and optional atmospheric terms.

    The expected loss follows from the mean power over the line-of-sight states, each at the median of its shadowing.
    (The mean of log-normal shadowing of 15 dB lies 28 dB above its median; hardly any terminal receives that power.)
    """
    table = options.tables(carrier_hz)
    clutter_db = _expected_clutter_db(table)[table.row(path.elevation_deg)]
    return np.asarray(_above_clutter_db(path, carrier_hz, options) + clutter_db)


def _above_clutter_db(path: Path, carrier_hz: float, options: Tr38811Options) -> FloatArray:
    """Loss in dB above the clutter: free space and atmosphere."""
    return free_space_db(path.range_km, carrier_hz) + atmosphere_db(path, carrier_hz=carrier_hz, options=options)


@cache
def _expected_clutter_db(table: Tables) -> FloatArray:
    """(9,) loss in dB of the mean power over the line-of-sight states, in the rows of the table."""
    power = table.los_probability + (1.0 - table.los_probability) * 10.0 ** (-0.1 * table.clutter_db)
    expected_db: FloatArray = -to_db(power)
    expected_db.setflags(write=False)
    return expected_db
