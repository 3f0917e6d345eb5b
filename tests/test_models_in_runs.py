"""Models of phase errors, surroundings, atmosphere and antennas in whole runs: their inputs and effects."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from scipy.special import j1

from tests.helpers.random_links import drawn, for_all, random_weights, streams_of, world
from tests.helpers.small_run import initial, link_rows, records, records_with_stops, rows_of, small, with_phase_error
from twin.association import ServingTable
from twin.errors import InputError
from twin.radio.channel import StatisticalCsi
from twin.radio.channel.environment import FieldKeys, terminal_keys
from twin.radio.channel.fading import realised_rician
from twin.radio.channel.path_loss import realised_loss_db
from twin.radio.synchronisation import LinkView, aligned
from twin.rates import ReceivedMoments, drawn_rates, estimated_moments, mean_only_rate, surrogate_rate
from twin.scenario import from_mapping
from twin.simulation.handover.view import association_view
from twin.units import to_db
from twin.world.setup import Setup

INTERFERENCE = ["independent", "coherent"]
CUTS = [1, 4, 5, 11]
RESIDUAL = {"name": "residual", "delay_deviation_ps": 40.0, "doppler_deviation_hz": 2500.0, "elapsed_ms": 0.01}
"""2.5 kHz of Doppler error against subcarriers of 30 kHz: a fiftieth of the power is lost."""


def total_se(setup: Setup) -> float:
    return sum(float(report.score.spectral_efficiency_bps_hz.sum()) for report in records(setup))


def resumes(changes: dict[str, Any]) -> None:
    """Rows come out bit by bit however the run is cut, links included."""
    setup = Setup.of(small(changes))
    whole = rows_of(setup, records(setup), links=True)
    assert rows_of(setup, records_with_stops(setup, CUTS), links=True) == whole


# ---------------------------------------------------------------------------------------- self-interference


def with_self_interference(csi: StatisticalCsi, seed: int = 4) -> StatisticalCsi:
    fraction = np.random.default_rng(seed).uniform(0.0, 0.9, csi.gain.shape)
    return replace(csi, disturbance_fraction=fraction)


@pytest.mark.parametrize("interference", INTERFERENCE)
@pytest.mark.parametrize("elements", [(1, 1, 1), (2, 1, 4)], ids=str)
def test_drawn_rates_with_self_interference_are_those_of_a_loop_over_pairs(elements, interference):
    csi = with_self_interference(world(elements=elements))
    weights = random_weights(csi, streams=2)
    draws = drawn(csi, 5)
    found = drawn_rates(streams_of(weights, csi), draws, csi.noise_w, interference=interference)
    for draw in range(5):
        received = np.array(csi.reach.scatter(draws.receive[draw]))
        for terminal in range(len(elements)):
            expected = literal_rate(csi, weights.weights, received[:, terminal], terminal, interference)
            # leaked power is a difference of powers in the code, a sum here
            np.testing.assert_allclose(found[draw, terminal], expected, rtol=1e-9)


def literal_rate(csi: StatisticalCsi, weights: Any, received: Any, terminal: int, interference: str) -> float:
    """log2 det(I + R⁻¹ S) of one terminal from receive sides (S,M) and weights (S,K,N,L), term by term."""
    antennas = int(csi.terminal_elements[terminal])
    rest = csi.noise_w[terminal] * np.eye(antennas, dtype=complex)
    signal = np.zeros((antennas, weights.shape[-1]), dtype=complex)
    arriving: dict[int, list[Any]] = {}
    for satellite in range(len(received)):
        response = csi.steering()[satellite, terminal] @ weights[satellite]
        g = received[satellite, :antennas, None]
        kept = 1.0 - csi.disturbance_fraction[satellite, terminal]
        signal = signal + np.sqrt(kept) * g * response[terminal]
        lost = g * response[terminal] * np.sqrt(1.0 - kept)
        rest = rest + lost @ lost.conj().T
        for other in set(range(len(csi.noise_w))) - {terminal}:
            arriving.setdefault(other, []).append(g * response[other])
    for parts in arriving.values():
        for part in [sum(parts)] if interference == "coherent" else parts:
            rest = rest + part @ part.conj().T
    ratio = np.eye(antennas) + np.linalg.solve(rest, signal @ signal.conj().T)
    return float(np.log2(np.linalg.det(ratio).real))


@pytest.mark.parametrize("interference", INTERFERENCE)
@pytest.mark.parametrize("isotropic", [False, True])
def test_moments_with_self_interference_are_those_of_many_draws(isotropic, interference):
    csi = with_self_interference(world(elements=(2, 1, 2), isotropic=isotropic))
    weights, count = random_weights(csi), 8000
    draws = drawn(csi, count)
    streams = streams_of(weights, csi)
    closed = ReceivedMoments.of(streams, csi, interference=interference)
    sampled = ReceivedMoments.sampled([streams] * count, draws, csi.noise_w, interference=interference)
    for rate in (surrogate_rate, mean_only_rate):
        # powers of 8000 draws are off by a hundredth or two, and a rate of some bits by as much of a bit
        np.testing.assert_allclose(rate(sampled), rate(closed), atol=0.05)
    powers = np.abs(closed.interference_plus_noise).max()
    np.testing.assert_allclose(sampled.interference_plus_noise, closed.interference_plus_noise, atol=0.05 * powers)
    np.testing.assert_allclose(sampled.mean, closed.mean, atol=0.05 * np.sqrt(powers))


@pytest.mark.parametrize("interference", INTERFERENCE)
def test_the_disturbance_grows_by_the_self_interference(interference):
    csi = with_self_interference(world())
    plain = replace(csi, disturbance_fraction=None)
    weights, draws = random_weights(csi), drawn(csi, 1)
    gain = np.einsum("skn,sknl->sk", csi.steering(), weights.weights)
    self_interference = csi.disturbance_fraction * np.abs(gain) ** 2
    found = []
    for statistics in (csi, plain):
        streams = streams_of(weights, statistics)
        closed = ReceivedMoments.of(streams, statistics, interference=interference)
        sampled = ReceivedMoments.sampled([streams], draws, csi.noise_w, interference=interference)
        found.append([moments.interference_plus_noise[:, 0, 0].real for moments in (closed, sampled)])
    # differences of powers that are some times larger than they
    np.testing.assert_allclose(found[0][0] - found[1][0], (csi.gain * self_interference).sum(axis=0), rtol=1e-12)
    power = np.abs(for_all(csi, draws)[0, ..., 0]) ** 2
    np.testing.assert_allclose(found[0][1] - found[1][1], (power * self_interference).sum(axis=0), rtol=1e-12)


@pytest.mark.parametrize("interference", INTERFERENCE)
def test_no_share_and_shares_of_zero_are_the_same_to_the_bit(interference):
    csi = world(elements=(2, 1, 2))
    weights, draws = random_weights(csi), drawn(csi, 3)
    found = []
    for fraction in (None, np.zeros(csi.gain.shape)):
        statistics = replace(csi, disturbance_fraction=fraction)
        streams = streams_of(weights, statistics)
        rates = drawn_rates(streams, draws, csi.noise_w, interference=interference)
        found.append(
            (
                rates.tobytes(),
                mean_only_rate(ReceivedMoments.of(streams, statistics, interference=interference)).tobytes(),
            )
        )
    assert found[0] == found[1]


def test_a_terminal_with_self_interference_only_has_no_rate():
    csi = world()
    csi = replace(csi, disturbance_fraction=np.ones(csi.gain.shape))
    streams = streams_of(random_weights(csi), csi)
    assert not drawn_rates(streams, drawn(csi, 3), csi.noise_w, interference="independent").any()
    assert not surrogate_rate(ReceivedMoments.of(streams, csi, interference="coherent")).any()


def test_some_satellites_keep_their_shares():
    csi = with_self_interference(world(satellites=3))
    rows = np.array([0, 2])
    assert csi.disturbance_fraction is not None
    np.testing.assert_array_equal(csi.of(rows).disturbance_fraction, csi.disturbance_fraction[rows])


def test_the_closed_form_of_estimated_channels_refuses_self_interference():
    csi = with_self_interference(world(kappa=np.inf, zeta2=0.0))
    with pytest.raises(ValueError, match="perfect phases"):
        estimated_moments(None, csi, csi.gain > 0.0, interference="independent")  # type: ignore[arg-type]


# ------------------------------------------------------------------------------------------------ precompensation


def test_residuals_of_zero_are_perfect_phases_bit_by_bit():
    none = {"name": "residual", "delay_deviation_ps": 0.0, "doppler_deviation_hz": 0.0}
    perfect = {"name": "gaussian_phase", "phase_variance_rad2": 0.0}
    tables = []
    for precompensation in (none, perfect):
        setup = Setup.of(small({"precompensation": precompensation}))
        tables.append(rows_of(setup, records(setup), links=True))
    assert tables[0] == tables[1]


@pytest.mark.parametrize("knowledge", ["instantaneous", "mean_only"])
@pytest.mark.parametrize("interference", INTERFERENCE)
def test_self_interference_costs_rate_on_top_of_the_phase(interference, knowledge):
    receiver = {"interference": interference, "knowledge": knowledge, "draws": 4}
    waits = {"precompensation": RESIDUAL, "receiver": receiver}
    setup = Setup.of(small(waits))
    links = setup.truth.windows.at(0).links(setup.truth.windows.at(0).norad_id)
    zeta2 = float(setup.belief.statistics.of(links).alignment.variance_rad2[0, 0])
    alone = {"precompensation": {"name": "gaussian_phase", "phase_variance_rad2": zeta2}, "receiver": receiver}
    with_spill, without = total_se(setup), total_se(Setup.of(small(alone)))
    assert 0.5 * without < with_spill < 0.999 * without


@pytest.mark.parametrize("precompensation", [RESIDUAL, {"name": "closed_loop", "carrier_phase": True}], ids=str)
def test_a_run_with_the_compensation_loop_resumes_bit_by_bit(precompensation):
    resumes({"precompensation": precompensation})


def test_weights_that_follow_the_channel_lose_spilt_power_too():
    setup = Setup.of(small({"precoding": "genie", "precompensation": RESIDUAL}))
    statistics = setup.truth.statistics

    def phase_alone(path: LinkView) -> Any:
        return aligned(statistics.phase_error(path)).variance_rad2

    assert total_se(setup) < 0.999 * total_se(with_phase_error(setup, phase_alone))


def test_models_of_phase_errors_see_pilots_of_the_whole_budget_over_the_links_gains():
    setup = Setup.of(small({"channel.prefix_share": 0.25}))
    seen: list[LinkView] = []

    def watched(path: LinkView) -> Any:
        seen.append(path)
        return np.zeros(path.range_km.shape)

    snapshot = setup.truth.windows.at(3)
    csi = with_phase_error(setup, watched).belief.statistics.of(snapshot.links(snapshot.norad_id)).csi
    view = seen[-1]
    # 35 dBm, and kTB over 30 kHz with a noise figure of 7 dB at 290 K: 10^(0.5) W and 1.38e-23 * 290 * 30e3 * 5.01 W
    noise_w = 1.380649e-23 * 290.0 * 30e3 * 10**0.7
    np.testing.assert_allclose(view.pilot_snr, 10**0.5 * csi.gain / noise_w, rtol=1e-12)
    assert view.waveform.prefix_s == 0.25 / 30e3
    assert (view.waveform.carrier_hz, view.waveform.subcarriers) == (2e9, 666)


def test_the_loop_s_variance_differs_from_link_to_link_and_is_written():
    setup = Setup.of(small({"precompensation": {"name": "closed_loop", "carrier_phase": True}}))
    report = records(setup)[0]
    written = np.ma.asarray(link_rows(setup, report)["phase_variance_rad2"])
    links = setup.truth.snapshot(report.epoch).links(setup.truth.snapshot(report.epoch).norad_id)
    np.testing.assert_array_equal(
        written, setup.belief.statistics.of(links).alignment.variance_rad2[setup.truth.snapshot(report.epoch).visible]
    )
    assert len(np.unique(written)) > 10
    assert (written > 0.0).all()


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        (
            {"precompensation": {"name": "closed_loop", "pilot_spacing": 1000}},
            r"precompensation\.pilot_spacing: found 1000, must be below the number of subcarriers, 666",
        ),
        ({"channel.bandwidth_mhz": 0.01}, r"channel: bandwidth_mhz = 0\.01 must hold at least one subcarrier"),
        ({"channel.cyclic_prefix_ratio": 1.5}, r"channel\.cyclic_prefix_ratio: found 1\.5, must be .*from 0 to 1"),
    ],
)
def test_numbers_that_do_not_fit_together_are_refused_before_the_clock_starts(changes, message):
    with pytest.raises(InputError, match=message):
        Setup.of(small(changes))


# ------------------------------------------------------------------------------------ surroundings and atmosphere

TREES = {"name": "tr38811", "environment": "urban"}
SURROUNDED = {
    "channel.path_loss": TREES,
    "channel.fading": TREES,
    "association": {"name": "strongest", "min_elevation_deg": 20.0},
}
SHORT = {"time": {"start": "2026-01-01T00:00:00Z", "duration": "3s", "epoch": "1s"}}


@pytest.mark.parametrize(
    "changes",
    [
        SURROUNDED,
        SURROUNDED | {"association": {"name": "nearest_cluster", "cluster_size": 3, "min_elevation_deg": 20.0}},
        SURROUNDED | {"association": {"name": "cf_mntn", "min_elevation_deg": 20.0}, "receiver.knowledge": "mean_only"},
        SURROUNDED | {"precompensation": {"name": "closed_loop"}, "precoding.csi_age": "15s"},
        {"channel.path_loss": {"name": "atmospheric", "scintillation": True}, "channel.carrier_ghz": 20.0},
        {"satellites.array": {"rows": 4, "columns": 4, "pattern": {"name": "cosine", "exponent": 1.5}}},
        {"terminals.antenna": {"pattern": {"name": "reflector", "aperture_wavelengths": 3.0}}},
    ],
    ids=str,
)
def test_runs_are_finite_and_resume_bit_by_bit(changes):
    setup = Setup.of(small(changes))
    for report in records(setup):
        outcome = report.score
        assert np.isfinite(outcome.spectral_efficiency_bps_hz).all()
        assert np.isfinite(outcome.sinr).all()
    assert outcome.spectral_efficiency_bps_hz.any()
    resumes(changes)


def test_policies_see_what_can_be_expected_and_the_air_is_what_it_is():
    setup = Setup.of(small(SURROUNDED))
    snapshot = setup.truth.windows.at(0)
    links = snapshot.links(snapshot.norad_id)
    view = association_view(setup, snapshot, ServingTable.of(initial(setup).loop.handover.clusters), {})
    visible = snapshot.visible
    mean_db = to_db(view.mean_gain()[visible])
    # both antennas' gains are 6 dBi + 16 elements, 0 dBi
    gains_db = 6.0 + 10 * np.log10(16)
    np.testing.assert_allclose(mean_db, gains_db - setup.channel.path_loss(links, carrier_hz=2e9)[visible], atol=1e-9)
    np.testing.assert_allclose(to_db(view.statistics().gain[visible]), mean_db, atol=1e-9)
    np.testing.assert_array_equal(view.statistics().rician, setup.channel.fading(links))
    truth = setup.belief.csi(snapshot, snapshot.norad_id)
    field_keys = FieldKeys(seed=5, terminal=terminal_keys(setup.terminals.names))
    loss_db = realised_loss_db(setup.channel.path_loss, links, carrier_hz=2e9, field_keys=field_keys)
    expected_db = gains_db - loss_db[visible]
    np.testing.assert_allclose(to_db(truth.gain[visible]), expected_db, atol=1e-9)
    np.testing.assert_array_equal(truth.rician, realised_rician(setup.channel.fading, links, field_keys=field_keys))
    # shadowing of 4 to 6 dB and clutter of 26 dB and more: hardly a pair is as expected
    assert (np.abs(to_db(truth.gain[visible]) - mean_db) > 0.1).mean() > 0.9


def test_where_nothing_is_drawn_policies_share_the_one_record():
    setup = Setup.of(small())
    snapshot = setup.truth.windows.at(0)
    assert setup.belief.expected_csi(snapshot, snapshot.norad_id) is setup.belief.csi(snapshot, snapshot.norad_id)


def test_surroundings_last_from_epoch_to_epoch_and_are_of_the_seed():
    """At 1 s the rays move by less than a metre, of correlation lengths of 37 m and more."""
    drawn_db = {}
    for seed in (5, 6):
        setup = Setup.of(small(SURROUNDED | SHORT, seed=seed))
        first = setup.truth.windows.at(0)
        excess = []
        for epoch in (0, 1):
            links = setup.truth.windows.at(epoch).links(first.norad_id)
            loss_db = setup.channel.realised_loss_db(links)
            excess.append((loss_db - setup.channel.path_loss(links, carrier_hz=2e9))[first.visible])
        drawn_db[seed] = excess
    stay = np.abs(drawn_db[5][0] - drawn_db[5][1])
    # sigma = 6 dB over a metre: 6 sqrt(2/37) = 1.4 dB; a change of state is of 26 dB and rare
    assert np.median(stay) < 1.4
    assert stay.max() > 0.0
    assert np.median(np.abs(drawn_db[5][0] - drawn_db[6][0])) > 3.0


def test_the_links_table_holds_the_channels_as_they_are():
    setup = Setup.of(small(SURROUNDED))
    report = records(setup)[0]
    snapshot = setup.truth.snapshot(report.epoch)
    table = link_rows(setup, report)
    truth = setup.belief.csi(snapshot, snapshot.norad_id)
    gain_db = np.asarray(table["path_gain_db"]) + 6.0 + 10 * np.log10(16)
    np.testing.assert_allclose(gain_db, to_db(truth.gain[snapshot.visible]), atol=1e-9)
    rician = truth.rician[snapshot.visible]
    written = np.ma.asarray(table["rician_k_db"])
    np.testing.assert_array_equal(np.ma.getmaskarray(written), rician == 0.0)
    assert (rician == 0.0).any()
    np.testing.assert_allclose(written.compressed(), to_db(rician[rician > 0.0]))


def test_the_precoder_s_statistics_are_those_of_its_csi_s_age():
    """Weights for CSI 10 s old come of the truth of 10 s ago."""
    setup = Setup.of(small(SURROUNDED | {"precoding.csi_age": "10s"}))
    snapshot, epoch_ns = setup.truth.windows.at(2), setup.timeline.epoch_ns
    old = setup.belief.statistics.of(setup.truth.windows.links_at(2 * epoch_ns - 10 * 10**9, snapshot.norad_id)).csi
    then = setup.belief.statistics.of(setup.truth.windows.at(1).links(snapshot.norad_id)).csi
    np.testing.assert_allclose(old.gain, then.gain, rtol=1e-9)
    np.testing.assert_array_equal(old.rician == 0.0, then.rician == 0.0)


# ------------------------------------------------------------------------------------------------ element patterns


def test_moments_know_how_far_off_the_boresights_links_are():
    antenna = {"orientation": {"tilt_deg": 30.0, "azimuth_deg": 70.0}}
    terminals = {"kind": "disc", "latitude_deg": 45.0, "longitude_deg": 10.0, "radius_km": 400.0, "count": 4, **antenna}
    setup = Setup.of(small(terminals=terminals))
    snapshot = setup.truth.windows.at(7)
    links = snapshot.links(snapshot.norad_id)
    # the same products in another order
    np.testing.assert_allclose(snapshot.departure_nadir_cos, links.departure_nadir_cos, atol=1e-14)
    np.testing.assert_allclose(snapshot.arrival_boresight_cos, links.arrival_boresight_cos, atol=1e-14)


def test_gains_carry_the_patterns_of_both_ends():
    """cos² at the satellites; of two groups of terminals one has a reflector of 2 wavelengths."""
    place = {"kind": "list", "positions": [{"latitude_deg": 45.0, "longitude_deg": 10.0}]}
    dish = {"rows": 1, "columns": 1, "pattern": {"name": "reflector", "aperture_wavelengths": 2.0}}
    groups = [{"name": "dish", "antenna": dish, **place}, {"name": "patch", **place}]
    array = {"rows": 4, "columns": 4, "pattern": {"name": "cosine", "exponent": 2.0}}
    shaped = Setup.of(small({"satellites.array": array}, terminals=groups))
    plain = Setup.of(
        small(
            {"satellites.array": {"rows": 4, "columns": 4}}, terminals=[{"name": "a", **place}, {"name": "b", **place}]
        )
    )
    snapshot = shaped.truth.windows.at(0)
    links = snapshot.links(snapshot.norad_id)
    sine = np.cos(np.radians(links.elevation_deg[:, 0]))  # the boresight is the vertical
    x = 2.0 * np.pi * sine
    lobe = (2.0 * j1(x) / x) ** 2
    expected = links.departure_nadir_cos**2 * np.stack([lobe, np.ones_like(lobe)], axis=1)
    for found, without in (
        (shaped.belief.statistics.of(links).csi.gain, plain.belief.statistics.of(links).csi.gain),
        (shaped.channel.power_gain(snapshot), plain.channel.power_gain(snapshot)),
    ):
        np.testing.assert_allclose(found, expected * without, rtol=1e-9)


@pytest.mark.parametrize("policy", ["strongest", "nearest_cluster", "a3", "spot_beam", "load_balanced", "cf_mntn"])
def test_policies_bear_links_without_any_gain(policy):
    """Dishes that lie on their side have half of the sky behind them."""
    antenna = {"pattern": {"name": "reflector", "aperture_wavelengths": 2.0}}
    changes = {
        "terminals.antenna": antenna,
        "terminals.orientation": {"tilt_deg": 90.0},
        "association": {"name": policy},
    }
    setup = Setup.of(small(changes))
    for report in records(setup):
        assert np.isfinite(report.score.spectral_efficiency_bps_hz).all()


# ----------------------------------------------------------------------------------------------------- bad options


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        (
            {"channel.path_loss": TREES, "channel.carrier_ghz": 10.0},
            'channel.path_loss: band must be "s" or "ka" for a carrier of 10 GHz',
        ),
        (
            {"channel.path_loss": TREES, "channel.fading": {"name": "tr38811", "environment": "rural"}},
            "channel.fading: environment = 'rural' must be that of channel.path_loss, 'urban'",
        ),
        (
            {"channel.path_loss": TREES, "channel.fading": TREES, "channel.carrier_ghz": 20.0},
            "channel.fading: band = 's' must be that of channel.path_loss and the carrier, 'ka'",
        ),
        ({"channel.path_loss": "atmospheric", "channel.carrier_ghz": 2000.0}, "channel.path_loss: "),
        (
            {"terminals.antenna": {"pattern": {"name": "reflector"}}},
            'terminals.antenna.pattern: name = "reflector" needs aperture_wavelengths',
        ),
        (
            {"satellites.array": {"pattern": {"name": "isotropic", "exponent": 2.0}}},
            'satellites.array.pattern: exponent = 2 belongs to name = "cosine", found name = "isotropic"',
        ),
        (
            {"satellites.array": {"pattern": {"name": "cosin"}}},
            'satellites.array.pattern.name: found "cosin"',
        ),
    ],
)
def test_options_that_do_not_fit_are_refused_in_words(changes, message):
    with pytest.raises(InputError) as raised:
        small(changes)
    assert f"scenario: {message}" in str(raised.value)


def test_a_resolved_scenario_with_patterns_reads_back_as_itself():
    dish = {"pattern": {"name": "reflector", "aperture_wavelengths": 2.0}}
    scenario = small({"terminals.antenna": dish})
    assert scenario.terminals[0].antenna.pattern.aperture_wavelengths == 2.0
    again = from_mapping(scenario.resolved())
    assert again.digest() == scenario.digest()


def test_the_drawn_channels_do_not_depend_on_the_order_in_which_terminals_are_named():
    one = {"kind": "disc", "name": "one", "latitude_deg": 45.0, "longitude_deg": 10.0, "radius_km": 400.0, "count": 3}
    two = {"kind": "list", "name": "two", "positions": [{"latitude_deg": 46.0, "longitude_deg": 9.0}]}
    two["antenna"] = {"pattern": {"name": "cosine"}}
    found = []
    for groups in ([one, two], [two, one]):
        setup = Setup.of(small(SURROUNDED | {"precompensation": {"name": "closed_loop"}}, terminals=groups))
        snapshot = setup.truth.windows.at(2)
        csi = setup.belief.csi(snapshot, snapshot.norad_id)
        column = setup.terminals.names.index("two")
        found.append((csi.gain[:, column], csi.rician[:, column], csi.mean_phase[:, column]))
    for before, after in zip(*found, strict=True):
        np.testing.assert_array_equal(before, after)
