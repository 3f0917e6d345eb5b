"""Weights that follow the channel, and the yardstick over samples of it."""

from dataclasses import replace

import numpy as np
import pytest

from tests.helpers.scene_problem import named_scenes, problem_of
from tests.literal import p3_wmmse
from twin.precoding.exact.ergodic import ErgodicOptions, Samples, ergodic_wmmse
from twin.precoding.exact.exact_power import ExactPowerOptions, cdwmmse_exact_power
from twin.precoding.instantaneous.genie import GenieOptions, genie
from twin.precoding.instantaneous.uplink_pilots import PilotOptions, imrt
from twin.precoding.joint import JointOptions
from twin.precoding.packing import packed, unpacked
from twin.precoding.wmmse import ms_jo_cdwmmse, ms_jo_wmmse
from twin.radio.channel import draw_channels
from twin.radio.synchronisation import draw_phase_errors
from twin.rates import Streams, drawn_rates
from twin.scenario import from_mapping
from twin.simulation.run import run

SCENES = named_scenes()
CERTAIN = ["perfect_csi", "one_satellite", "plain_0", "partial_clusters", "more_uts_than_antennas", "few_in_reach"]


def certain(scene: str):
    """The scene without fading or phase error."""
    problem = problem_of(SCENES[scene])
    csi = replace(
        problem.csi,
        rician=np.full_like(problem.csi.rician, np.inf),
        mean_phase=np.ones_like(problem.csi.mean_phase),
    )
    return replace(problem, csi=csi)


def drawn(problem, count=3, seed=4):
    csi = problem.csi
    with np.errstate(divide="ignore"):
        variance = -2.0 * np.log(csi.mean_phase)
    phases = draw_phase_errors(variance, csi.norad_id, draws=count, seed=seed, epoch=0, reach=csi.reach)
    return draw_channels(csi, phases, seed=seed, epoch=0)


def followed(problem, weights, draws):
    return weights.rule.realised(weights, problem.csi, draws, problem.serving, seed=4, epoch=0)


@pytest.mark.parametrize("scene", CERTAIN)
def test_without_fading_and_phase_error_statistics_know_what_the_genie_knows(scene):
    problem = certain(scene)
    options = GenieOptions(iterations=10, tolerance_bit=0.0)
    each = followed(problem, genie(problem, options=options).weights, drawn(problem))
    joint = JointOptions(iterations=10, tolerance_bit=0.0)
    for known in (ms_jo_wmmse, ms_jo_cdwmmse):
        expected = known(problem, options=joint).weights.antenna()
        for weights in each:
            # ten iterations magnify the rounding of |g|, some 1e-16, by the condition of the scene
            np.testing.assert_allclose(weights.antenna(), expected, atol=1e-8 * np.abs(expected).max())


@pytest.mark.parametrize("scene", ["plain_0", "largest", "kappa_zero", "phase_random", "partial_clusters"])
def test_the_genie_is_above_all_who_know_statistics_alone(scene):
    problem = problem_of(SCENES[scene])
    draws = drawn(problem, count=12)
    noise_w = problem.csi.noise_w
    weights = genie(problem, options=GenieOptions(realisations=12)).weights
    rates = drawn_rates(
        Streams.of(ms_jo_cdwmmse(problem, options=JointOptions()).weights, problem.csi, problem.serving),
        draws,
        noise_w,
        interference="independent",
    )
    known = [
        drawn_rates(
            Streams.of(one, problem.csi, problem.serving),
            replace(draws, receive=draws.receive[place : place + 1]),
            noise_w,
            interference="independent",
        )[0]
        for place, one in enumerate(followed(problem, weights, draws))
    ]
    assert np.sum(known) > np.sum(rates)


@pytest.mark.parametrize("scene", ["plain_0", "partial_clusters", "few_in_reach", "satellite_serves_nobody"])
def test_every_realisation_keeps_budgets_and_pairs(scene):
    problem = problem_of(SCENES[scene])
    for weights in followed(problem, genie(problem, options=GenieOptions()).weights, drawn(problem)):
        power_w = weights.power_w()
        assert (power_w.sum(axis=1) <= problem.power_w * (1 + 1e-12)).all()
        assert not power_w[~problem.serving].any()


def test_the_genie_at_arrays_of_one_element_is_the_genie():
    problem = problem_of(SCENES["plain_0"])
    wide = np.zeros((*problem.csi.gain.shape, 2), dtype=complex)
    wide[..., 0] = 1.0  # a second element that hears nothing
    several = replace(problem, csi=replace(problem.csi, receive_steering=wide))
    draws = drawn(problem)
    padded = replace(draws, receive=np.pad(draws.receive, [(0, 0)] * 3 + [(0, 1)]))
    options = GenieOptions(iterations=10, tolerance_bit=0.0)
    one = followed(problem, genie(problem, options=options).weights, draws)
    other = followed(several, genie(several, options=options).weights, padded)
    for mine, theirs in zip(one, other, strict=True):
        streams = [Streams.of(w, problem.csi, problem.serving).leaked for w in (mine, theirs)]
        # another order of sums through ten iterations
        np.testing.assert_allclose(*streams, rtol=1e-6, atol=1e-9 * streams[0].max())


@pytest.mark.parametrize(
    "precoder", [lambda p: genie(p, options=GenieOptions()), lambda p: imrt(p, options=PilotOptions())]
)
def test_what_follows_the_channel_survives_a_checkpoint(precoder):
    problem = problem_of(SCENES["partial_clusters"])
    weights = precoder(problem).weights
    back = unpacked(packed(weights), weights.array)
    draws = drawn(problem)
    for mine, theirs in zip(followed(problem, weights, draws), followed(problem, back, draws), strict=True):
        np.testing.assert_array_equal(mine.antenna(), theirs.antenna())


SMALL = {
    "name": "small",
    "time": {"duration": "3s"},
    "terminals": {"kind": "disc", "latitude_deg": 45.0, "longitude_deg": 10.0, "radius_km": 300.0, "count": 6},
    "satellites": {"array": {"rows": 6, "columns": 6, "element_gain_dbi": 6.0}},
    "association": {"cluster_size": 3},
    "receiver": {"draws": 8},
}


@pytest.mark.parametrize("knowledge", ["instantaneous", "mean_only"])
@pytest.mark.parametrize("precoder", ["genie", "imrt"])
def test_a_run_meets_its_own_draws_at_every_epoch(tmp_path, precoder, knowledge):
    receiver = SMALL["receiver"] | {"knowledge": knowledge}
    made = run(from_mapping(SMALL | {"precoding": {"name": precoder}, "receiver": receiver}), tmp_path / "run")
    rates = made.terminals["se_bps_hz"].to_numpy().reshape(3, 6)
    assert np.isfinite(rates).all()
    assert rates[:, made.terminals["in_service"].to_numpy().reshape(3, 6).all(axis=0)].all()
    assert (np.abs(np.diff(rates, axis=0)) > 0.0).any()


# ------------------------------------------------------------------------------------------------- the yardstick

YARD = ErgodicOptions(samples=12, iterations=6, tolerance_bit=0.0)


@pytest.mark.parametrize("scene", [name for name in SCENES if name not in ("nobody_serves_anybody", "nobody_in_reach")])
def test_the_yardstick_is_never_below_its_surrogate(scene):
    problem = problem_of(SCENES[scene])
    samples = Samples.of(problem, YARD)
    surrogate = cdwmmse_exact_power(problem, options=ExactPowerOptions()).weights
    found = ergodic_wmmse(problem, options=YARD).weights
    # 1e-9: to which budgets are met
    assert samples.transmit_problem(found).rate_bit >= samples.transmit_problem(surrogate).rate_bit * (1 - 1e-9)


@pytest.mark.parametrize("scene", ["plain_0", "kappa_zero", "partial_clusters", "more_uts_than_antennas"])
def test_the_samples_rates_never_fall(scene):
    problem = problem_of(SCENES[scene])
    samples = Samples.of(problem, YARD)
    rates = [
        samples.transmit_problem(ergodic_wmmse(problem, options=replace(YARD, iterations=n)).weights).rate_bit
        for n in range(1, 8)
    ]
    assert (np.diff(rates) >= -1e-9 * rates[-1]).all()


@pytest.mark.parametrize("elements", [1, 3])
def test_the_samples_rates_are_those_of_the_rates_room(elements):
    problem = problem_of(SCENES["partial_clusters"])
    rng = np.random.default_rng(5)
    steering = np.exp(2j * np.pi * rng.random((*problem.csi.gain.shape, elements))) / np.sqrt(elements)
    csi = replace(
        problem.csi,
        receive_steering=steering,
        isotropic_scattering=True,
        terminal_elements=np.full(len(problem.weight), elements),
    )
    problem = replace(problem, csi=csi)
    samples = Samples.of(problem, YARD)
    weights = ergodic_wmmse(problem, options=YARD).weights
    noise_w = csi.reach.gather(csi.noise_w)
    draws = replace(drawn(problem, count=1), receive=samples.receive * np.sqrt(noise_w)[..., None])
    streams = Streams.of(weights, csi, problem.serving)
    rates = drawn_rates(streams, draws, csi.noise_w, interference="independent").mean(axis=0)
    np.testing.assert_allclose(samples.transmit_problem(weights).rate_bit, problem.weight @ rates, rtol=1e-10)


@pytest.mark.parametrize(("scene", "elements", "streams"), [("plain_0", 1, 1), ("kappa_zero", 1, 1), ("plain_1", 2, 2)])
def test_the_yardstick_ends_where_the_rate_rises_no_more(scene, elements, streams):
    """The gradient of the samples' rate, by differences, is along the weights of each satellite that spends all."""
    problem = problem_of(SCENES[scene])
    rng = np.random.default_rng(6)
    steering = np.exp(2j * np.pi * rng.random((*problem.csi.gain.shape, elements))) / np.sqrt(elements)
    csi = replace(problem.csi, receive_steering=steering, terminal_elements=np.full(len(problem.weight), elements))
    problem = replace(problem, csi=csi)
    options = ErgodicOptions(samples=5, iterations=600, tolerance_bit=0.0, streams=streams)
    samples = Samples.of(problem, options)
    weights = ergodic_wmmse(problem, options=options).weights
    kept = weights.coefficients.astype(complex)
    spent_w, size = weights.power_w().sum(axis=1), 1e-5
    for _ in range(20):
        move = rng.standard_normal(kept.shape) + 1j * rng.standard_normal(kept.shape)
        moved = [
            _on_the_budgets(
                replace(weights, coefficients=kept + sign * size * move * np.abs(kept).max()), problem, spent_w
            )
            for sign in (1, -1)
        ]
        plus, minus, here = (samples.transmit_problem(one).rate_bit for one in (*moved, weights))
        slope = (plus - minus) / (2 * size)
        curve = abs(plus + minus - 2 * here) / size**2
        # what is left of the slope would gain slope^2 / (2 curvature) bits along this direction
        assert slope**2 / (2 * curve + 1e-30) < 5e-3


def _on_the_budgets(weights, problem, spent_w):
    """Each satellite scaled to what it spent, so that no move gains by power alone."""
    held = replace(
        weights, coefficients=weights.coefficients * problem.csi.reach.gather(problem.serving)[:, None, :, None]
    )
    scale = np.sqrt(spent_w / held.power_w().sum(axis=1))
    return replace(held, coefficients=held.coefficients * scale[:, None, None, None])


# two UTs in nearly one direction, or powers at which 1e-16 decides: there W is not a function of the scene alone
ILL_POSED = ("two_uts_at_one_place", "two_uts_at_one_place_power_high", "twins_alike_in_everything", "power_very_high")


@pytest.mark.parametrize("scene", [name for name in SCENES if name not in ILL_POSED])
def test_the_genie_is_the_literal_algorithm_on_the_drawn_channels(scene):
    problem = problem_of(SCENES[scene])
    csi, draws = problem.csi, drawn(problem, count=2)
    options = GenieOptions(iterations=4, tolerance_bit=0.0, realisations=2)
    each = followed(problem, genie(problem, options=options).weights, draws)
    for receive, weights in zip(draws.receive, each, strict=True):
        channel = csi.reach.scatter(receive[..., 0])
        literal, *_ = p3_wmmse.ms_jo_wmmse(
            np.abs(channel) ** 2,
            np.full_like(csi.rician, np.inf),
            csi.steering(),
            np.exp(1j * np.angle(channel)),
            problem.power_w,
            csi.noise_w,
            problem.weight,
            problem.serving,
            I_max=4,
            chi=-np.inf,
        )
        found = weights.antenna()[..., 0]
        # a terminal's weights are known up to one phase over all satellites
        turn = np.einsum("skn,skn->k", found.conj(), literal)
        turned = found * np.exp(1j * np.angle(turn))[:, None]
        np.testing.assert_allclose(turned, literal, atol=1e-8 * np.abs(literal).max())
