"""What the atmosphere adds to free space, alone or under another model."""

from typing import Annotated, Any

import numpy as np
from annotated_types import Ge, Gt, Le

from twin.arrays import FloatArray
from twin.radio.channel.path_loss import Path, path_losses
from twin.radio.channel.path_loss import weather as itu
from twin.radio.channel.path_loss.free_space import free_space_db
from twin.radio.channel.path_loss.gases import gas_db, zenith_attenuation_db
from twin.radio.channel.path_loss.scintillation import FLUCTUATION_4_GHZ_DB, Zone, scintillation_db
from twin.registry import Facts, dataclass_options

Latitude = Annotated[float, Ge(-90.0), Le(90.0)]
Longitude = Annotated[float, Ge(-180.0), Le(360.0)]


@dataclass_options
class AtmosphereOptions:
    """Terms that add up, each on its own switch."""

    extra_loss_db: Annotated[float, Ge(0.0)] = 0.0
    """Further loss of every link: polarisation, pointing, body, implementation."""
    atmosphere: bool = True
    """Absorption by gases, A_zenith / sin(elevation)."""
    zenith_attenuation_db: Annotated[float, Ge(0.0)] | None = None
    """A_zenith; that of ITU-R P.676 at the carrier if not given."""
    scintillation: bool = False
    """Of the ionosphere below 6 GHz, of the troposphere above."""
    ionosphere: Zone = "low"
    """Where the terminals are: low (up to 20 degrees of latitude), middle (no scintillation) or high (beyond 60)."""
    fluctuation_4_ghz_db: Annotated[float, Ge(0.0)] = FLUCTUATION_4_GHZ_DB
    """Peak-to-peak ionospheric fluctuation at 4 GHz in the low zone (TR 38.811, Figure 6.6.6.1.4-1)."""
    weather_at: tuple[Latitude, Longitude] | None = None
    """Latitude and longitude of a place whose gas, clouds, rain and scintillation by the ITU-R take the place of the
    two terms above; needs the package itur."""
    weather_percent: Annotated[float, Ge(0.001), Le(50.0)] = 1.0
    """Share of the time in which that weather is worse (ITU-R P.618 reaches from 0.001 to 50)."""
    weather_antenna_m: Annotated[float, Gt(0.0)] = 0.6
    """Diameter of the terminals' antennas, over which its scintillation is averaged."""

    def __post_init__(self) -> None:
        if self.weather_at is not None and not itu.installed():
            raise ValueError(f"weather_at {itu.MISSING}")

    def check(self, facts: Facts) -> None:
        """Refuse a carrier for which a term is not known; ValueError."""
        if self.weather_at is not None:
            itu.check_carrier(facts.carrier_hz)
        elif self.atmosphere and self.zenith_attenuation_db is None:
            zenith_attenuation_db(facts.carrier_hz)


@path_losses.register("atmospheric", source="TR 38.811, eq. 6.6-8; P5, Section II", options=AtmosphereOptions)
def atmospheric(path: Path, *, carrier_hz: float, options: Any) -> FloatArray:
    """Free space, absorption by gases and, at will, scintillation or the weather of a place."""
    return free_space_db(path.range_km, carrier_hz) + atmosphere_db(path, carrier_hz=carrier_hz, options=options)


def atmosphere_db(path: Path, *, carrier_hz: float, options: Any) -> FloatArray:
    """All that `AtmosphereOptions` add to a loss, in the shape of the path's arrays."""
    loss_db = np.full(path.range_km.shape, float(options.extra_loss_db))
    if options.weather_at is not None:
        return loss_db + itu.weather_db(
            path.elevation_deg,
            carrier_hz=carrier_hz,
            place_deg=options.weather_at,
            percent=options.weather_percent,
            antenna_m=options.weather_antenna_m,
        )
    if options.atmosphere:
        given_db = options.zenith_attenuation_db
        zenith_db = zenith_attenuation_db(carrier_hz) if given_db is None else given_db
        loss_db += gas_db(path.elevation_deg, zenith_db)
    if options.scintillation:
        loss_db += scintillation_db(path.elevation_deg, carrier_hz, options.ionosphere, options.fluctuation_4_ghz_db)
    return loss_db
