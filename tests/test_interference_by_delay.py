"""Interference that adds as far as delays say, against its definition, its limits, and a chain of samples."""

from __future__ import annotations

from dataclasses import replace
from itertools import product
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from tests.helpers.p5_problem import CELL_FREE, cell_free_problem
from tests.helpers.random_links import WAVE, drawn, random_weights, sparse_world, world
from tests.helpers.small_run import records, records_with_stops, rows_of, small
from tests.literal import ofdm
from twin.precoding.instantaneous.uplink_pilots import PilotOptions, imrt
from twin.radio.channel import StatisticalCsi, draw_channels
from twin.radio.waveform import Waveform
from twin.rates import (
    ReceivedMoments,
    Streams,
    drawn_rates,
    estimated_moments,
    mean_only_rate,
    score,
    score_each,
    surrogate_rate,
)
from twin.rates.independence import stream_correlation
from twin.rates.interference import interference_covariance
from twin.world.setup import Setup

Array = NDArray[Any]
KINDS = ("independent", "coherent", "by_delay")
ENDLESS = Waveform.of(carrier_hz=2e9, subcarrier_hz=1e-7, bandwidth_hz=20e6)
"""Symbols of months: all arrivals are correlated."""
INSTANT = Waveform.of(carrier_hz=2e9, subcarrier_hz=1e12, bandwidth_hz=2e13)
"""Symbols of a picosecond: nothing is."""


def turned_world(which: str = "all", **arguments: Any) -> StatisticalCsi:
    """Random links with a carrier's phases, of satellites that reach all terminals or two of six."""
    csi = world(**arguments) if which == "all" else sparse_world(**arguments)[0]
    assert csi.delay_s is not None
    return replace(csi, carrier_phase_rad=-2.0 * np.pi * np.mod(2e9 * csi.delay_s, 1.0))


def streams_over(csi: StatisticalCsi, weights: Any, on_air: Array | None = None, waveform: Waveform = WAVE) -> Streams:
    on_air = np.ones(csi.gain.shape, dtype=np.bool_) if on_air is None else on_air
    return Streams.of(weights, csi, on_air, waveform=waveform)


def literal(csi: StatisticalCsi, weights: Array, receive: Array, waveform: Waveform = WAVE) -> Array:
    """(K,M,M) Σ_l≠k Σ_s Σ_t ρ(|d_s - d_t|) a_s a_tᴴ for the receive sides (S,K,M) of one draw, term by term."""
    satellites, terminals, antennas = receive.shape
    assert csi.delay_s is not None
    assert csi.carrier_phase_rad is not None
    v, total = csi.steering(), np.zeros((terminals, antennas, antennas), dtype=complex)
    for k, l in product(range(terminals), repeat=2):
        if k == l:
            continue
        turn = np.exp(1j * (csi.carrier_phase_rad[:, k] - csi.carrier_phase_rad[:, l]))
        arriving = [turn[s] * np.outer(receive[s, k], v[s, k] @ weights[s, l]) for s in range(satellites)]
        for s, t in product(range(satellites), repeat=2):
            apart_s = (csi.delay_s[s, l] - csi.delay_s[s, k]) - (csi.delay_s[t, l] - csi.delay_s[t, k])
            total[k] += stream_correlation(apart_s, waveform) * arriving[s] @ arriving[t].conj().T
    return total


# ---------------------------------------------------------------------------------------- powers that are powers


@pytest.mark.parametrize("fraction", [0.0, 144 / 2048, 0.25, 1.0])
@pytest.mark.parametrize("span", [0.1, 2.0, 6.0, 60.0])
def test_no_set_of_offsets_makes_a_negative_power(fraction: float, span: float):
    wave = Waveform.of(carrier_hz=2e9, subcarrier_hz=1.0, bandwidth_hz=64.0, cyclic_prefix_ratio=fraction)
    rng = np.random.default_rng([1, int(10 * span)])
    for count in (2, 3, 5, 12, 40):
        offset = rng.uniform(0.0, span, (200, count))
        if count == 40:
            offset = np.round(2.0 * offset) / 2.0  # lattices are the worst, and equal offsets happen
        matrix = stream_correlation(offset[:, :, None] - offset[:, None, :], wave)
        # eigenvalues of matrices of trace 40 at most
        assert np.linalg.eigvalsh(matrix).min() > -1e-13


def test_p3s_condition_as_a_switch_would_make_negative_powers():
    offset = np.array([0.0, 0.9, 1.8]) / WAVE.subcarrier_hz
    apart_s = np.abs(offset[:, None] - offset)
    switched = (apart_s <= WAVE.symbol_s).astype(float)
    # [[1 1 0] [1 1 1] [0 1 1]]: 1 - √2
    assert np.linalg.eigvalsh(switched).min() == pytest.approx(1.0 - np.sqrt(2.0), rel=1e-12)
    assert np.linalg.eigvalsh(stream_correlation(apart_s, WAVE)).min() > 0.1


def test_a_prefix_longer_than_the_data_is_where_the_argument_would_end():
    wave = Waveform(carrier_hz=2e9, subcarrier_hz=1.0, subcarriers=64, prefix_s=3.0)
    offset = np.arange(12.0)
    assert np.linalg.eigvalsh(stream_correlation(offset[:, None] - offset, wave)).min() < -0.4


# ------------------------------------------------------------------------------------------------ the definition


@pytest.mark.parametrize("streams", [1, 2])
@pytest.mark.parametrize(
    ("which", "arguments"),
    [
        ("all", {}),
        ("all", {"elements": (1, 4, 2, 1), "satellites": 5}),
        ("all", {"elements": (1, 1), "satellites": 1}),
        ("few", {}),
    ],
    ids=str,
)
def test_the_power_is_that_of_every_pair_of_satellites(which: str, arguments: dict[str, Any], streams: int):
    csi = turned_world(which, **arguments)
    assert csi.reach.whole == (which == "all")
    weights = random_weights(csi, streams)
    draws = drawn(csi, 3)
    found = interference_covariance(streams_over(csi, weights), draws.receive, interference="by_delay")
    for draw in range(3):
        expected = literal(csi, weights.weights, csi.reach.scatter(draws.receive[draw]))
        # sums of some tens of powers of one size
        np.testing.assert_allclose(found[draw], expected, rtol=0.0, atol=1e-13 * np.abs(expected).max())


def test_neither_kind_of_the_papers_is_what_is_heard_here():
    """The scenes of these tests have pairs of every sort."""
    csi = turned_world(elements=(1,) * 5, satellites=4)
    streams, draws = streams_over(csi, random_weights(csi)), drawn(csi, 1)
    one, two, three = (
        interference_covariance(streams, draws.receive, interference=kind)[0, :, 0, 0].real for kind in KINDS
    )
    assert (np.abs(three / one - 1.0) > 0.01).all()
    assert (np.abs(three / two - 1.0) > 0.01).all()


def test_pairs_off_the_air_and_other_turns_are_not_heard():
    csi = turned_world(elements=(1,) * 6, satellites=4)
    rng, draws = np.random.default_rng(3), drawn(csi, 1)
    weights, on_air = random_weights(csi), rng.random(csi.gain.shape) < 0.6
    slot = np.array([0, 1, 0, 2, 1, 0])
    found = interference_covariance(
        streams_over(csi, replace(weights, slot=slot), on_air), draws.receive, interference="by_delay"
    )
    expected = np.zeros((6, 1, 1), dtype=complex)
    for turn in range(3):
        sent = weights.weights * (on_air & (slot == turn))[..., None, None]
        expected[slot == turn] = literal(csi, sent, draws.receive[0])[slot == turn]
    assert not expected[3].any()  # alone in its turn
    # as above
    np.testing.assert_allclose(found[0], expected, rtol=0.0, atol=1e-13 * np.abs(expected).max())


def test_self_interference_adds():
    csi = turned_world(elements=(1, 2, 1))
    fraction = np.random.default_rng(5).uniform(0.0, 0.5, csi.gain.shape)
    weights, draws = random_weights(csi), drawn(csi, 2)
    plain, spilling = (
        streams_over(statistics, weights) for statistics in (csi, replace(csi, disturbance_fraction=fraction))
    )
    more = [
        interference_covariance(spilling, draws.receive, interference=kind)
        - interference_covariance(plain, draws.receive, interference=kind)
        for kind in KINDS
    ]
    # differences of powers that are some times larger
    np.testing.assert_allclose(more[2], more[0], atol=1e-12 * np.abs(more[0]).max())
    assert more[0].real.min(axis=(2, 3)).max() > 0.0


def test_moments_are_the_means_of_the_draws():
    csi = turned_world(elements=(1, 2, 1), zeta2=0.3)
    streams, count = streams_over(csi, random_weights(csi)), 8000
    draws = drawn(csi, count, 0.3)
    each = interference_covariance(streams, draws.receive, interference="by_delay")
    closed = ReceivedMoments.of(streams, csi, interference="by_delay").interference_plus_noise
    error = np.abs(each.mean(axis=0) + csi.noise_w[:, None, None] * np.eye(2) - closed)
    # five standard errors of twelve entries
    assert (error <= 5 * (each.std(axis=0) + 1e-20) / np.sqrt(count)).all()
    sampled = ReceivedMoments.sampled([streams] * count, draws, csi.noise_w, interference="by_delay")
    # the same mean, with the sums in another order
    np.testing.assert_allclose(
        sampled.interference_plus_noise, each.mean(axis=0) + csi.noise_w[:, None, None] * np.eye(2), 1e-9
    )


@pytest.mark.parametrize("knowledge", ["instantaneous", "mean_only"])
def test_weights_of_each_draw_score_as_weights_of_all(knowledge: str):
    csi = turned_world(elements=(1, 2, 1))
    streams, draws = streams_over(csi, random_weights(csi)), drawn(csi, 6)
    arguments = {"interference": "by_delay", "knowledge": knowledge}
    each = score_each([streams] * 6, csi, draws, **arguments).spectral_efficiency_bps_hz
    if knowledge == "instantaneous":
        # the same numbers draw by draw
        np.testing.assert_allclose(each, score(streams, csi, draws, **arguments).spectral_efficiency_bps_hz, rtol=1e-12)
    assert (each > 0.0).all()


def test_moments_along_estimated_channels_are_those_of_draws_of_channels_and_pilots():
    given = CELL_FREE["plain_0"]
    problem, count = cell_free_problem(given), 3000
    delay_s = np.random.default_rng(8).uniform(2e-3, 2e-3 + 6e-5, problem.csi.gain.shape)
    csi = replace(problem.csi, delay_s=delay_s)
    options = PilotOptions(
        pilot_length=given.psi.shape[1],
        pilot_power_dbm=10 * np.log10(given.eta_t) + 30,
        uplink_noise_db=10 * np.log10(given.sigma2_up / given.sigma2.mean()),
    )
    weights = imrt(replace(problem, csi=csi), options=options).weights
    draws = draw_channels(csi, np.zeros((count, *csi.reach.terminal.shape)), seed=3, epoch=5)
    rule: Any = weights.rule
    each = rule.realised(weights, csi, draws, problem.serving, seed=3, epoch=5)
    streams = [Streams.of(one, csi, problem.serving, waveform=WAVE) for one in each]
    found = ReceivedMoments.sampled(streams, draws, csi.noise_w, interference="by_delay")
    closed, *others = (
        estimated_moments(rule, csi, problem.serving, interference=kind, waveform=WAVE) for kind in reversed(KINDS)
    )
    # a mean of products of Gaussians over 3,000 draws: five standard errors of some 1/sqrt(3,000) of its size
    np.testing.assert_allclose(found.interference_plus_noise.real, closed.interference_plus_noise.real, rtol=0.12)
    for other in others:  # and this is neither of these
        assert np.abs(other.interference_plus_noise.real / closed.interference_plus_noise.real - 1.0).max() > 0.02


# ---------------------------------------------------------------------------------------------------- the limits


@pytest.mark.parametrize("which", ["all", "few"])
def test_endless_symbols_make_it_coherent_and_instants_independent(which: str):
    csi = turned_world(which, **({"elements": (1, 4, 2, 1)} if which == "all" else {}))
    weights, draws = random_weights(csi, 2), drawn(csi, 4)
    for waveform, kind in [(ENDLESS, "coherent"), (INSTANT, "independent")]:
        streams = streams_over(csi, weights, waveform=waveform)
        limit, found = (drawn_rates(streams, draws, csi.noise_w, interference=name) for name in (kind, "by_delay"))
        # correlations are 1e-11 from one, and sums are taken in another order: 1e-12 for a condition of 1e4
        np.testing.assert_allclose(found, limit, rtol=1e-8)
        limits, moments = (ReceivedMoments.of(streams, csi, interference=name) for name in (kind, "by_delay"))
        for rate in (surrogate_rate, mean_only_rate):
            np.testing.assert_allclose(rate(moments), rate(limits), rtol=1e-8)


def test_amplitudes_that_cancel_leave_nothing_below_zero():
    """Two satellites with opposite amplitudes in step: what is left of 1 + 1 - 2 is rounding."""
    csi = turned_world(elements=(1, 1), satellites=2, kappa=np.inf, zeta2=0.0)
    same = replace(
        csi, departure=np.zeros_like(csi.departure), delay_s=np.full((2, 2), 2e-3), carrier_phase_rad=np.zeros((2, 2))
    )
    weights = random_weights(same)
    for third in np.random.default_rng(4).uniform(0.5, 2.0, 50):
        opposite = np.stack([weights.weights[0] * third, -weights.weights[0]])
        streams = streams_over(same, replace(weights, weights=opposite))
        receive = np.array([1.0, third])[None, :, None, None] * np.full((1, 2, 2, 1), 0.3)
        left = interference_covariance(streams, receive, interference="by_delay")
        assert (left >= 0.0).all()
        assert left.max() < 1e-14  # powers of a tenth or so
        assert interference_covariance(streams, receive, interference="independent").min() > 1e-4


# ------------------------------------------------------------------------------------------- a chain of samples


@pytest.mark.parametrize("difference", [0.0, 0.25, 0.5, 0.8, 1.3])
def test_the_power_is_that_of_two_arrivals_of_one_stream_sample_by_sample(difference: float):
    """Terminal 0 receives terminal 1's stream twice, with a delay difference in T, on subcarrier 0."""
    N, trials, spacing_hz = 64, 1500, 30e3
    wave = Waveform(carrier_hz=100.25 * spacing_hz, subcarrier_hz=spacing_hz, subcarriers=N, prefix_s=0.0)
    early = np.array([-5.3, -5.3 - difference * N])  # samples by which either is early at terminal 0
    delay_s = 2e-3 + np.stack([-early / (N * spacing_hz), np.zeros(2)], axis=1)
    csi = replace(
        world(elements=(1, 1), satellites=2),
        delay_s=delay_s,
        carrier_phase_rad=-2.0 * np.pi * np.mod(wave.carrier_hz * delay_s, 1.0),
    )
    # d_s = τ_s1 - τ_s0
    np.testing.assert_allclose((delay_s[:, 1] - delay_s[:, 0]) * N * spacing_hz, early, atol=1e-9)
    weights, receive = random_weights(csi), drawn(csi, 1).receive
    amplitude = np.array([receive[0, s, 0, 0] * (csi.steering()[s, 0] @ weights.weights[s, 1, :, 0]) for s in (0, 1)])
    amplitude = amplitude / np.abs(amplitude) * np.array([1.0, 0.9])
    weights.weights[:, 1] *= (amplitude / np.einsum("sn,sn->s", csi.steering()[:, 0], weights.weights[:, 1, :, 0]))[
        :, None, None
    ]
    power = np.empty(trials)
    rng = np.random.default_rng([6, int(100 * difference)])
    for trial in range(trials):
        data = ofdm.qpsk(rng, 9, N)
        arrivals = [ofdm.demodulated(data, prefix=0, early=one, carrier=100.25)[0] for one in early]
        power[trial] = np.abs(amplitude @ arrivals) ** 2
    found = interference_covariance(
        streams_over(csi, weights, waveform=wave), np.ones((1, 2, 2, 1)), interference="by_delay"
    )[0, 0, 0, 0]
    deviation = power.std() / np.sqrt(trials)
    # fractions of a sample count as whole ones at most
    assert abs(power.mean() - found) < 4.5 * deviation + (2.0 * 0.9 / N if difference else 1e-9)
    assert deviation < 0.05


# ---------------------------------------------------------------------------------------------------- as a whole


@pytest.mark.parametrize("which", ["all", "few"])
def test_the_order_of_satellites_and_terminals_does_not_matter(which: str):
    csi = turned_world(which, **({"elements": (1, 4, 2, 1, 1), "satellites": 4} if which == "all" else {}))
    assert csi.delay_s is not None
    assert csi.carrier_phase_rad is not None
    rng, weights, draws = np.random.default_rng(7), random_weights(csi, 2), drawn(csi, 3)
    rows, columns = rng.permutation(csi.gain.shape[0]), rng.permutation(csi.gain.shape[1])
    pairs = ("departure", "gain", "rician", "mean_phase", "receive_steering", "delay_s", "carrier_phase_rad")
    other = replace(
        csi,
        norad_id=csi.norad_id,
        terminal_elements=csi.terminal_elements[columns],
        noise_w=csi.noise_w[columns],
        **{name: getattr(csi, name)[rows][:, columns] for name in pairs},
    )
    shuffled = replace(weights, weights=weights.weights[rows][:, columns])
    scattered = np.array([csi.reach.scatter(draw)[rows][:, columns] for draw in draws.receive])
    receive = np.array([other.reach.gather(draw) for draw in scattered])
    first = interference_covariance(streams_over(csi, weights), draws.receive, interference="by_delay")
    second = interference_covariance(streams_over(other, shuffled), receive, interference="by_delay")
    # the same powers in another order
    np.testing.assert_allclose(second, first[:, columns], rtol=0.0, atol=1e-13 * np.abs(first).max())
    again = interference_covariance(streams_over(csi, weights), draws.receive, interference="by_delay")
    assert again.tobytes() == first.tobytes()


def test_a_run_between_its_limits():
    def rate(kind: str, subcarrier_khz: float) -> float:
        waveform = {"channel.subcarrier_khz": subcarrier_khz, "channel.bandwidth_mhz": 1e7}
        steady = {"channel.carrier_ghz": 2.0, "receiver.interference": kind, "time.duration": "40s"}
        found = records(Setup.of(small(waveform | steady)))
        return sum(float(report.score.spectral_efficiency_bps_hz.sum()) for report in found)

    # a symbol of 1,000 s, with milliseconds between arrivals: correlations within 1e-5 of one; one of a picosecond
    assert rate("by_delay", 1e-6) == pytest.approx(rate("coherent", 1e-6), rel=1e-4)
    assert rate("by_delay", 1e9) == pytest.approx(rate("independent", 1e9), rel=1e-12)
    limits = [rate(kind, 1.0) for kind in ("independent", "coherent")]
    assert min(abs(rate("by_delay", 1.0) / limit - 1.0) for limit in limits) > 1e-4


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"receiver.knowledge": "mean_only", "association.execution": "12s"},
        {"terminals.antenna": {"rows": 1, "columns": 2}, "precoding.csi_age": "10s"},
        {"precoding": {"name": "genie", "realisations": 2}, "time.duration": "60s"},
        {"precoding": {"name": "mrt_tdma"}, "time.duration": "60s"},
    ],
    ids=str,
)
def test_a_run_taken_up_again_writes_the_same_rows(changes: dict[str, Any]):
    setup = Setup.of(small({"receiver.interference": "by_delay", **changes}))
    whole = rows_of(setup, records(setup), links=True)
    stops = [stop for stop in (1, 4, 5, 11) if stop < setup.timeline.epochs]
    assert rows_of(setup, records_with_stops(setup, stops), links=True) == whole


def test_the_delays_are_those_of_the_links():
    setup = Setup.of(small())
    snapshot = setup.truth.windows.at(0)
    norad_id = snapshot.norad_id[:3]
    csi = setup.belief.csi(snapshot, norad_id)
    np.testing.assert_array_equal(csi.delay_s, snapshot.links(norad_id).delay_s)
    assert csi.delay_s is not None
    assert csi.delay_s.min() > 1e-3  # hundreds of km
    np.testing.assert_array_equal(csi.of(np.array([2, 0])).delay_s, csi.delay_s[[2, 0]])


def test_what_is_missing_is_asked_for():
    csi = turned_world()
    weights, draws = random_weights(csi), drawn(csi, 1)
    all_pairs = np.ones(csi.gain.shape, dtype=np.bool_)
    with pytest.raises(ValueError, match="streams that were made with a waveform"):
        drawn_rates(Streams.of(weights, csi, all_pairs), draws, csi.noise_w, interference="by_delay")
    with pytest.raises(ValueError, match="needs the delays of the channels, found none"):
        streams_over(replace(csi, delay_s=None), weights)
    with pytest.raises(ValueError, match='found "both", must be independent, coherent or by_delay'):
        drawn_rates(streams_over(csi, weights), draws, csi.noise_w, interference="both")
