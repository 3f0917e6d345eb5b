"""3GPP's large-scale model of TR 38.811, section 6.6: line of sight or not, clutter, shadowing."""

from functools import cache
from typing import Annotated, Any, Literal

import numpy as np
from annotated_types import Ge

from twin.arrays import FloatArray
from twin.radio.channel.environment import Environment, Surroundings, Tables, World, band_of, realised_by, tables
from twin.radio.channel.path_loss import LocatedPath, Path, path_losses
from twin.radio.channel.path_loss.atmospheric import AtmosphereOptions, atmosphere_db
from twin.radio.channel.path_loss.free_space import free_space_db
from twin.registry import Facts, dataclass_options
from twin.units import to_db


@dataclass_options
class Tr38811Options(AtmosphereOptions):
    """Surroundings of the terminals, and the atmosphere above them."""

    environment: Environment = "suburban"
    """What stands around the terminals."""
    band: Literal["by_carrier", "s", "ka"] = "by_carrier"
    """Which of the report's two sets of tables to take."""
    atmosphere: bool = False
    """Absorption by gases, A_zenith / sin(elevation)."""
    clutter_distance_m: Annotated[float, Ge(0.0)] = 100.0
    """How far from a terminal the things stand that shadow it: a satellite that moves on by an angle (in rad) finds
    other surroundings as if the terminal had moved by the angle times this (ours: the report draws single drops)."""

    def check(self, facts: Facts) -> None:
        """Refuse a carrier that the report has no tables for; ValueError."""
        AtmosphereOptions.check(self, facts)
        self.tables(facts.carrier_hz)

    def tables(self, carrier_hz: float) -> Tables:
        """The tables that hold for these options."""
        return tables(self.environment, band_of(carrier_hz) if self.band == "by_carrier" else self.band)


def drawn_tr38811(path: LocatedPath, *, carrier_hz: float, options: Any, world: World) -> FloatArray:
    """Loss (S,K) as it is: of the state that each link is in, shadowing included (TR 38.811, eq. 6.6-4).

    Pairs below the horizon, which have no link, get the loss that the model expects.
    """
    table = options.tables(carrier_hz)
    around = Surroundings.of(path, world, table, clutter_distance_m=options.clutter_distance_m)
    los = around.line_of_sight
    drawn_db = np.where(los, 0.0, table.clutter_db[around.row]) + around.shadowing_db(los)
    lowest_db = float(_expected_clutter_db(table)[0])
    in_the_way_db = around.scatter(drawn_db, lowest_db, path.range_km.shape)
    return _above_db(path, carrier_hz, options) + in_the_way_db


@path_losses.register("tr38811", source="TR 38.811, section 6.6", options=Tr38811Options)
@realised_by(drawn_tr38811)
def tr38811(path: Path, *, carrier_hz: float, options: Any) -> FloatArray:
    """Free space, clutter and shadowing by elevation in four environments, and the atmosphere at will.

    What is known without a measurement: the power that is to be expected over line of sight and none, each with the
    median of its shadowing. (The mean of a log-normal shadowing of 15 dB lies 28 dB above its median, where hardly any
    terminal is.)
    """
    table = options.tables(carrier_hz)
    clutter_db = _expected_clutter_db(table)[table.row(path.elevation_deg)]
    return np.asarray(_above_db(path, carrier_hz, options) + clutter_db)


def _above_db(path: Path, carrier_hz: float, options: Any) -> FloatArray:
    """What is lost before the surroundings are reached."""
    return free_space_db(path.range_km, carrier_hz) + atmosphere_db(path, carrier_hz=carrier_hz, options=options)


@cache
def _expected_clutter_db(table: Tables) -> FloatArray:
    """Loss (9,) that goes with the power expected over line of sight and none, in the rows of the table."""
    power = table.los_probability + (1.0 - table.los_probability) * 10.0 ** (-0.1 * table.clutter_db)
    expected_db: FloatArray = -to_db(power)
    expected_db.setflags(write=False)
    return expected_db
