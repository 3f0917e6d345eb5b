"""Errors that the satellites of a terminal have in common cost an open loop nothing."""

from __future__ import annotations

import numpy as np
import pytest

from tests.helpers.small_run import small_tree
from twin.radio.synchronisation import LinkView, Residual
from twin.radio.synchronisation.open_loop import OpenLoopOptions, open_loop
from twin.radio.waveform import Waveform
from twin.scenario import load_scenario
from twin.simulation.compare import compare

WAVE = Waveform.of(carrier_hz=2e9, subcarrier_hz=30e3, bandwidth_hz=20e6)
DELAYS_S = np.array([3e-9, -1e-9, 2e-9, -4e-9, 0.5e-9])[:, None]
SNR = np.array([50.0, 20.0, 80.0, 10.0, 40.0])[:, None]


def view(delay_s: np.ndarray, doppler_hz: np.ndarray, serving: np.ndarray | None = None) -> LinkView:
    ones = np.ones(delay_s.shape)
    return LinkView(
        range_km=1000.0 * ones,
        elevation_deg=45.0 * ones,
        range_rate_km_s=ones,
        range_acceleration_km_s2=0.05 * ones,
        pilot_snr=SNR * ones,
        waveform=WAVE,
        prediction_error=Residual(delay_s=delay_s, doppler_hz=doppler_hz),
        serving=serving,
    )


def aligned(*arguments: np.ndarray) -> tuple[np.ndarray, ...]:
    found = open_loop(view(*arguments), options=OpenLoopOptions())
    return found.variance_rad2, found.disturbance_fraction, found.delay_deviation_s, found.doppler_deviation_hz


@pytest.mark.parametrize("common_s", [50e-9, -1e-6, 4e-6])
def test_a_delay_and_a_doppler_that_all_satellites_share_change_nothing(common_s):
    doppler = np.array([1.0, -2.0, 0.0, 3.0, 1.0])[:, None]
    alone, shared = aligned(DELAYS_S, doppler), aligned(DELAYS_S + common_s, doppler + 500.0)
    for one, other in zip(alone, shared, strict=True):
        # differences of 1e-9 s next to 4e-6 s keep twelve digits
        np.testing.assert_allclose(other, one, rtol=1e-11, atol=1e-16 if common_s else 0.0)


def test_a_terminal_with_one_serving_satellite_loses_nothing_over_the_band():
    serving = np.array([False, False, True, False, False])[:, None]
    variance, disturbance, *_ = aligned(DELAYS_S, np.zeros((5, 1)), serving)
    assert variance[2] == disturbance[2] == 0.0
    assert (variance[[0, 1, 3, 4]] > 0.0).all()


def test_a_link_that_does_not_serve_is_received_with_the_timing_of_those_that_serve():
    serving = np.array([True, True, False, True, False])[:, None]
    doppler = np.array([1.0, -2.0, 40.0, 3.0, -70.0])[:, None]
    variance, _, deviation_s, deviation_hz = aligned(DELAYS_S, doppler, serving)
    # weighted by the pilot SNRs 50, 20 and 10: (150 - 20 - 40) / 80 ns and (50 - 40 + 30) / 80 Hz
    early_s, shift_hz = DELAYS_S - 1.125e-9, doppler - 0.5
    np.testing.assert_allclose(deviation_s, np.abs(early_s), rtol=1e-12)
    np.testing.assert_allclose(deviation_hz, np.abs(shift_hz), rtol=1e-12)
    offsets_hz = WAVE.subcarrier_hz * (np.arange(WAVE.subcarriers) - (WAVE.subcarriers - 1) / 2.0)
    over_band = (2.0 * np.pi * offsets_hz * early_s).var(axis=1)
    np.testing.assert_allclose(variance[:, 0], over_band, rtol=1e-9)


def test_a_link_that_does_not_serve_leaves_those_that_serve_as_they_are():
    serving = np.array([True, True, False, True, False])[:, None]
    moved_s = np.where(serving, DELAYS_S, DELAYS_S + 3e-7)
    one, other = (aligned(delay_s, np.zeros((5, 1)), serving) for delay_s in (DELAYS_S, moved_s))
    for before, after in zip(one, other, strict=True):
        assert np.array_equal(before[serving], after[serving])
    assert (other[0] > one[0])[~serving].all()


def test_the_loss_of_the_sum_is_that_of_a_sum_over_the_subcarriers():
    """Five unit amplitudes added in phase at the band's centre, each subcarrier computed by itself."""
    offsets_hz = WAVE.subcarrier_hz * (np.arange(WAVE.subcarriers) - (WAVE.subcarriers - 1) / 2.0)
    weight = SNR / SNR.sum()
    delay_s = 50e-9 + DELAYS_S
    received = np.exp(2j * np.pi * offsets_hz * (delay_s - (weight * delay_s).sum())).sum(axis=0)
    variance = open_loop(view(delay_s, np.zeros((5, 1))), options=OpenLoopOptions()).variance_rad2[:, 0]
    mean = np.exp(-0.5 * variance)
    modelled = mean.sum() ** 2 + (1.0 - mean**2).sum()
    # independent phases of that variance, against one phase ramp each: equal to second order in the phases
    assert modelled == pytest.approx(float((np.abs(received) ** 2).mean()), rel=0.02)
    raw = np.exp(-0.5 * (2.0 * np.pi) ** 2 * WAVE.squared_offset_hz2 * delay_s[:, 0] ** 2)
    assert raw.sum() ** 2 + (1.0 - raw**2).sum() < 0.6 * modelled


@pytest.mark.parametrize("clock", [{"terminal_ns": 50.0}, {"satellite_ns": 50.0}, {"terminal_ppb": 2.0}])
def test_an_error_common_to_all_satellites_of_a_run_costs_no_rate(clock):
    changes = {
        "precompensation.name": "open_loop",
        "time.duration": "20s",
        "belief.clock": {"law": "constant", **clock},
    }
    perfect = {key: value for key, value in changes.items() if key != "belief.clock"}
    (erring,) = compare(load_scenario(small_tree(), changes), ["smrt"])
    (exact,) = compare(load_scenario(small_tree(), perfect), ["smrt"])
    assert erring.sum_se_bps_hz == pytest.approx(exact.sum_se_bps_hz, rel=1e-9)
