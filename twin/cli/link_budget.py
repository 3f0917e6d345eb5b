"""The link budget of a scenario, as ``twin validate`` prints it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from twin.errors import plugin_errors
from twin.records import documented
from twin.text import number

if TYPE_CHECKING:
    from twin.geometry.snapshot import Snapshot
    from twin.world.setup import Setup


@documented
@dataclass(frozen=True, slots=True, kw_only=True)
class LinkBudget:
    """Budget of one link, with all power of the satellite for one terminal and both arrays steered to each other."""

    elevation_deg: float
    """Elevation of the satellite at the terminal."""
    range_km: float
    """Distance between satellite and terminal."""
    loss_db: float
    """Expected large-scale loss without gains of arrays."""
    snr_db: float
    """SNR on one subcarrier."""


def link_budgets(setup: Setup, snapshot: Snapshot) -> list[LinkBudget]:
    """Budgets of the highest and the lowest link at the start; empty if no satellite is visible."""
    import numpy as np

    pairs = np.nonzero(snapshot.visible)
    if not len(pairs[0]):
        return []
    links = snapshot.links(snapshot.norad_id)
    channel = setup.channel
    gain = setup.truth.statistics.of(links, expected=True).csi.gain
    with plugin_errors(channel.path_loss, "channel.path_loss: the model"):
        loss_db = channel.path_loss(links, carrier_hz=channel.carrier_hz)
    with np.errstate(divide="ignore"):
        snr_db = 10.0 * np.log10(setup.power_w * gain / channel.noise_w)
    order = np.argsort(links.elevation_deg[pairs], kind="stable")
    return [
        LinkBudget(
            elevation_deg=float(links.elevation_deg[at]),
            range_km=float(links.range_km[at]),
            loss_db=float(loss_db[at]),
            snr_db=float(snr_db[at]),
        )
        for at in [(pairs[0][end], pairs[1][end]) for end in (order[-1], order[0])]
    ]


def eirp_dbw_mhz(setup: Setup) -> float:
    """EIRP density in the direction of a beam."""
    from math import log10

    section, spacing_hz = setup.scenario.satellites, setup.waveform.subcarrier_hz
    return section.power_per_subcarrier_dbm - 30.0 + array_gain_dbi(setup) + 10.0 * log10(1e6 / spacing_hz)


def array_gain_dbi(setup: Setup) -> float:
    """Gain of a satellite's array in the direction of a beam at boresight."""
    from math import log10

    array = setup.channel.satellite_array
    return array.element_gain_dbi + 10.0 * log10(array.elements)


def budget_lines(setup: Setup, snapshot: Snapshot) -> Iterator[str]:
    """The link budget in words."""
    from math import log10

    power_dbm = setup.scenario.satellites.power_per_subcarrier_dbm
    waveform = setup.waveform
    total_w = setup.power_w * waveform.subcarriers
    noise_dbm = 10.0 * log10(float(setup.channel.noise_w[0])) + 30.0
    yield "link budget of a satellite that gives one terminal all its power"
    yield (
        f"  power {power_dbm:g} dBm on each of {waveform.subcarriers:,} subcarriers of"
        f" {waveform.subcarrier_hz / 1e3:g} kHz, {number(total_w)} W in all; array {array_gain_dbi(setup):.1f} dBi;"
        f" EIRP {eirp_dbw_mhz(setup):.1f} dBW/MHz"
    )
    yield f"  noise {noise_dbm:.1f} dBm on a subcarrier"
    for name, link in zip(("highest", "lowest"), link_budgets(setup, snapshot), strict=False):
        yield (
            f"  {name} link at the start: elevation {link.elevation_deg:.1f} degrees, {number(link.range_km)} km,"
            f" loss {link.loss_db:.1f} dB, SNR {link.snr_db:.1f} dB"
        )
