"""Atmospheric loss in addition to free space, alone or as part of another model."""

from typing import Annotated

import numpy as np
from annotated_types import Ge, Gt, Le

from twin.arrays import FloatArray
from twin.radio.channel.path import Path
from twin.radio.channel.path_loss import path_losses, weather
from twin.radio.channel.path_loss.free_space import free_space_db
from twin.radio.channel.path_loss.gases import gas_db, zenith_attenuation_db
from twin.radio.channel.path_loss.scintillation import FLUCTUATION_4_GHZ_DB, Zone, scintillation_db
from twin.registry import Facts, dataclass_options

Latitude = Annotated[float, Ge(-90.0), Le(90.0)]
Longitude = Annotated[float, Ge(-180.0), Le(360.0)]


@dataclass_options
class AtmosphereOptions:
    """Additive terms, each of which can be switched."""

    extra_loss_db: Annotated[float, Ge(0.0)] = 0.0
    """Additional loss of every link: polarisation, pointing, body, implementation."""
    atmosphere: bool = True
    """Absorption by gases, A_zenith / sin(elevation), with the Earth's curvature below 5 degrees."""
    zenith_attenuation_db: Annotated[float, Ge(0.0)] | None = None
    """A_zenith in dB; None means that of ITU-R P.676 at the carrier."""
    scintillation: bool = False
    """Scintillation: ionospheric below 6 GHz, tropospheric from 6 GHz."""
    ionosphere: Zone = "low"
    """Zone of the terminals: low (latitude up to 20 degrees), middle (no scintillation) or high (beyond 60)."""
    fluctuation_4_ghz_db: Annotated[float, Ge(0.0)] = FLUCTUATION_4_GHZ_DB
    """Peak-to-peak ionospheric fluctuation in dB at 4 GHz in the low zone (TR 38.811, Figure 6.6.6.1.4-1)."""
    weather_at: tuple[Latitude, Longitude] | None = None
    """Latitude and longitude at which gas, cloud, rain and scintillation loss are computed by the ITU-R models. They
    replace `atmosphere` and `scintillation`. Needs the package itur. None means no weather."""
    weather_percent: Annotated[float, Ge(0.001), Le(50.0)] = 1.0
    """Percentage of time for which the weather loss is exceeded (ITU-R P.618: 0.001 to 50)."""
    weather_antenna_m: Annotated[float, Gt(0.0)] = 0.6
    """Diameter of the terminals' antennas, for the aperture averaging of that scintillation."""

    def __post_init__(self) -> None:
        if self.weather_at is not None and not weather.installed():
            raise ValueError(f"weather_at {weather.MISSING}")

    def check(self, facts: Facts) -> None:
        """Check the carrier frequency against the limits of each selected term; ValueError if it exceeds them."""
        if self.weather_at is not None:
            weather.check_carrier(facts.carrier_hz)
        elif self.atmosphere and self.zenith_attenuation_db is None:
            zenith_attenuation_db(facts.carrier_hz)


@path_losses.register("atmospheric", source="TR 38.811, eq. 6.6-8; P5, Section II", options=AtmosphereOptions)
def atmospheric(path: Path, *, carrier_hz: float, options: AtmosphereOptions) -> FloatArray:
    """Free-space loss, gas absorption and, as options, scintillation or the weather of a place."""
    return free_space_db(path.range_km, carrier_hz) + atmosphere_db(path, carrier_hz=carrier_hz, options=options)


def atmosphere_db(path: Path, *, carrier_hz: float, options: AtmosphereOptions) -> FloatArray:
    """Sum of all terms of `AtmosphereOptions` in dB, in the shape of the path's arrays."""
    loss_db = np.full(path.range_km.shape, float(options.extra_loss_db))
    if options.weather_at is not None:
        return loss_db + weather.weather_db(
            path.elevation_deg,
            carrier_hz=carrier_hz,
            place_deg=options.weather_at,
            percent=options.weather_percent,
            antenna_m=options.weather_antenna_m,
        )
    if options.atmosphere:
        given_db = options.zenith_attenuation_db
        zenith_db = zenith_attenuation_db(carrier_hz) if given_db is None else given_db
        loss_db += gas_db(path.elevation_deg, zenith_db, carrier_hz=carrier_hz)
    if options.scintillation:
        loss_db += scintillation_db(path.elevation_deg, carrier_hz, options.ionosphere, options.fluctuation_4_ghz_db)
    return loss_db
