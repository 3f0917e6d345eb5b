"""The link budget that `validate` prints, and warnings about implausible values."""

from __future__ import annotations

from math import log10, pi
from typing import Any

import pytest

from tests.helpers.small_run import small
from twin.cli.link_budget import budget_lines, eirp_dbw_mhz, link_budgets
from twin.cli.plausibility import plausibility_warnings
from twin.constants import LIGHT_SPEED_M_S
from twin.text import number
from twin.world.setup import Setup

DEFAULTS = {"satellites.array": {"rows": 16, "columns": 16, "element_gain_dbi": 6.0}}


def warned(changes: dict[str, Any], **more: Any) -> list[str]:
    setup = Setup.of(small(changes, **more))
    return plausibility_warnings(setup, setup.truth.windows.at(0))


def test_the_budget_is_that_of_a_sum_by_hand():
    setup = Setup.of(small(DEFAULTS))
    snapshot = setup.truth.windows.at(0)
    highest, lowest = link_budgets(setup, snapshot)
    elevation_deg = snapshot.links(snapshot.norad_id).elevation_deg[snapshot.visible]
    assert (highest.elevation_deg, lowest.elevation_deg) == (elevation_deg.max(), elevation_deg.min())
    # 35 dBm - 30 + 6 dBi + 10 log10 256 for 30 kHz
    assert eirp_dbw_mhz(setup) == pytest.approx(5.0 + 6.0 + 10.0 * log10(256) + 10.0 * log10(1e6 / 30e3), abs=1e-9)
    noise_dbm = 10.0 * log10(1.380649e-23 * 290.0 * 30e3) + 30.0 + 7.0
    terminal = setup.channel.terminal_arrays[0]
    receive_dbi = terminal.element_gain_dbi + 10.0 * log10(terminal.elements)
    for link in (highest, lowest):
        loss_db = 20.0 * log10(4.0 * pi * link.range_km * 1e3 * 2e9 / LIGHT_SPEED_M_S)
        assert link.loss_db == pytest.approx(loss_db, abs=1e-6)
        snr_db = 35.0 + 6.0 + 10.0 * log10(256) - loss_db + receive_dbi - noise_dbm
        assert link.snr_db == pytest.approx(snr_db, abs=0.02)  # noise temperature and figure combine in the noise model
    text = "\n".join(budget_lines(setup, snapshot))
    assert f"EIRP {eirp_dbw_mhz(setup):.1f} dBW/MHz" in text
    assert f"SNR {highest.snr_db:.1f} dB" in text


def test_no_link_in_view_has_no_budget():
    setup = Setup.of(small({"association.min_elevation_deg": 89.99}))
    snapshot = setup.truth.windows.at(0)
    assert not snapshot.visible.any()
    assert link_budgets(setup, snapshot) == []
    assert len(list(budget_lines(setup, snapshot))) == 3


FAST = {"name": "fast", "kind": "great_circle", "start": [45.0, 8.0], "end": [48.0, 14.0], "speed_km_h": 1e9}
LEAP = {
    "name": "leap",
    "kind": "waypoints",
    "waypoints": [
        {"latitude_deg": 0.0, "longitude_deg": 0.0, "at": "0s"},
        {"latitude_deg": 90.0, "longitude_deg": 0.0, "at": "10s"},
    ],
}


@pytest.mark.parametrize(
    ("changes", "groups", "word"),
    [
        ({"channel.carrier_ghz": 12e9}, None, "channel.carrier_ghz = 1.2e+10"),
        ({"channel.carrier_ghz": 12e9}, None, "SNR of -"),
        ({"satellites.power_per_subcarrier_dbm": 100.0}, None, "SNR of "),
        ({}, [FAST], '"fast"'),
        ({}, [LEAP], '"leap"'),
        ({"belief.attitude": {"pitch_deg": 20.0}}, None, "belief.attitude"),
    ],
)
def test_implausible_values_are_warned_of(changes, groups, word):
    more = {} if groups is None else {"terminals": groups}
    assert any(word in text for text in warned(changes, **more))


def test_a_quarter_of_the_earth_in_ten_seconds_is_the_speed_that_is_reported():
    (text,) = warned({}, terminals=[LEAP])
    assert f"{number(pi / 2.0 * 6371.0 / 10.0 * 3600.0)} km/h" in text


def test_usual_values_are_not_warned_of():
    flight = FAST | {"speed_km_h": 900.0}
    assert warned({"channel.carrier_ghz": 20.0, "belief.attitude": {"roll_deg": 0.1}}, terminals=[flight]) == []
