"""Warnings about values that are allowed and unlikely to be meant."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise
from math import asin, cos, degrees, radians, sin, sqrt
from typing import TYPE_CHECKING, Any, Final

from twin.cli.link_budget import link_budgets
from twin.text import number

if TYPE_CHECKING:
    from twin.geometry.snapshot import Snapshot
    from twin.world.setup import Setup

CARRIERS_GHZ: Final = (0.1, 300.0)
"""Carriers of satellite links, from VHF to the edge of the radio spectrum."""
FASTEST_KM_H: Final = 3_600.0
"""Speed above that of any aircraft."""
SNR_DB: Final = (-30.0, 70.0)
"""SNR of the highest link: below, no signal is detected; above, hardware noise dominates any modulation."""
_EARTH_KM: Final = 6371.0


def plausibility_warnings(setup: Setup, snapshot: Snapshot) -> list[str]:
    """Warnings about carrier, speeds, SNR and attitude errors."""
    return [*_carrier(setup), *_speeds(setup), *_snr(setup, snapshot), *_attitude(setup)]


def _carrier(setup: Setup) -> Iterator[str]:
    carrier_ghz = setup.scenario.channel.carrier_ghz
    low, high = CARRIERS_GHZ
    if not low <= carrier_ghz <= high:
        yield f"channel.carrier_ghz = {carrier_ghz:g}: satellite links use {low:g} to {high:g} GHz"


def _speeds(setup: Setup) -> Iterator[str]:
    for group in setup.scenario.terminals:
        fastest_km_h = getattr(group, "speed_km_h", None) or _fastest_leg_km_h(getattr(group, "waypoints", ()))
        if fastest_km_h > FASTEST_KM_H:
            yield (
                f'terminals "{group.name}" ({group.kind}): {number(fastest_km_h)} km/h, faster than an aircraft'
                f" ({FASTEST_KM_H:,.0f} km/h)"
            )


def _fastest_leg_km_h(waypoints: Any) -> float:
    """Highest ground speed between two waypoints."""
    fastest = 0.0
    for one, other in pairwise(waypoints):
        latitudes = radians(one.latitude_deg), radians(other.latitude_deg)
        apart = sin((latitudes[1] - latitudes[0]) / 2.0) ** 2
        apart += (
            cos(latitudes[0]) * cos(latitudes[1]) * sin(radians(other.longitude_deg - one.longitude_deg) / 2.0) ** 2
        )
        hours = (int(other.at) - int(one.at)) / 3.6e12
        fastest = max(fastest, 2.0 * _EARTH_KM * asin(min(sqrt(apart), 1.0)) / hours)
    return fastest


def _snr(setup: Setup, snapshot: Snapshot) -> Iterator[str]:
    low, high = SNR_DB
    for link in link_budgets(setup, snapshot)[:1]:
        if not low <= link.snr_db <= high:
            yield (
                f"the highest link has an SNR of {link.snr_db:.0f} dB, outside {low:g} to {high:g} dB: check"
                " satellites.power_per_subcarrier_dbm, channel.carrier_ghz and the arrays"
            )


def _attitude(setup: Setup) -> Iterator[str]:
    """Attitude errors against half the width of a beam, 0.886 over the aperture in wavelengths."""
    error = setup.scenario.belief.attitude
    array = setup.channel.satellite_array
    aperture = max(array.rows, array.columns) * array.spacing_wavelengths
    half_width_deg = degrees(0.443 / aperture)
    largest_deg = max(error.roll_deg, error.pitch_deg)
    if largest_deg > half_width_deg:
        yield (
            f"belief.attitude: {largest_deg:g} degrees exceed half the width of a beam ({half_width_deg:.2g} degrees):"
            " beams miss their terminals"
        )
