"""P5's closed forms in the project, against the literal theorems and against draws."""

from dataclasses import replace

import numpy as np
import pytest

from tests.helpers.p5_problem import CELL_FREE, IN_TURN, PERFECT, cell_free_problem
from tests.literal import p5_rates
from tests.literal.p5_precoders import x_of
from twin.precoding.instantaneous.uplink_pilots import Estimates, PilotOptions, imrt
from twin.radio.channel import draw_channels
from twin.rates import ReceivedMoments, Streams, estimated_moments, mean_only_rate, score_each
from twin.registry import of_kind

DRAWS = 3000


def solved(problem, name, **options):
    entry = of_kind("precoder")[name]
    return entry.model(problem, options=entry.options(**options)).weights


def use_and_forget(problem, weights):
    streams = Streams.of(weights, problem.csi, problem.serving)
    return mean_only_rate(ReceivedMoments.of(streams, problem.csi, interference="coherent"))


def test_there_is_something_to_test():
    assert len(PERFECT) > 30
    assert len(IN_TURN) > 30


@pytest.mark.parametrize("scene", PERFECT)
def test_theorem_1_for_smrt(scene):
    given = CELL_FREE[scene]
    problem = cell_free_problem(given)
    expected = p5_rates.theorem_1_smrt(**given.weighted(), sigma2=given.sigma2)
    # the literal sums over all antennas in double precision
    np.testing.assert_allclose(use_and_forget(problem, solved(problem, "smrt")), expected, rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("scene", PERFECT)
def test_theorem_1_for_szf(scene):
    given = CELL_FREE[scene]
    try:
        expected = p5_rates.theorem_1_szf(**given.weighted(), sigma2=given.sigma2)
    except ValueError:
        pytest.skip("directions that zero forcing cannot separate")
    problem = cell_free_problem(given)
    # 1e-6: what rounding leaves of the nulls, in scenes with terminals nearly in one direction
    np.testing.assert_allclose(use_and_forget(problem, solved(problem, "szf")), expected, rtol=1e-6, atol=1e-9)


def pilot_rule(problem, given):
    """iMRT with the scene's pilots."""
    options = PilotOptions(
        pilot_length=given.psi.shape[1],
        pilot_power_dbm=10 * np.log10(given.eta_t) + 30,
        uplink_noise_db=10 * np.log10(given.sigma2_up / given.sigma2.mean()),
    )
    weights = imrt(problem, options=options).weights
    return weights, weights.rule


@pytest.mark.parametrize("scene", IN_TURN)
def test_theorem_2(scene):
    given = CELL_FREE[scene]
    problem = cell_free_problem(given)
    _, rule = pilot_rule(problem, given)
    moments = estimated_moments(rule, problem.csi, problem.serving, interference="coherent")
    expected = p5_rates.theorem_2(**given.weighted(), sigma2=given.sigma2, **given.training())
    np.testing.assert_allclose(mean_only_rate(moments), expected, rtol=1e-8, atol=1e-12)


@pytest.mark.parametrize("interference", ["coherent", "independent"])
@pytest.mark.parametrize("scene", ["plain_0", "more_uts_than_antennas", "one_pilot_for_all", "partial_clusters"])
def test_theorem_2_is_what_draws_of_channels_and_pilots_give(scene, interference):
    given = CELL_FREE[scene]
    problem = cell_free_problem(given)
    csi = problem.csi
    weights, rule = pilot_rule(problem, given)
    draws = draw_channels(csi, np.zeros((DRAWS, *csi.reach.terminal.shape)), seed=3, epoch=5)
    each = rule.realised(weights, csi, draws, problem.serving, seed=3, epoch=5)
    streams = [Streams.of(one, csi, problem.serving) for one in each]
    found = ReceivedMoments.sampled(streams, draws, csi.noise_w, interference=interference)
    closed = estimated_moments(rule, csi, problem.serving, interference=interference)
    # a mean of products of Gaussians over 3,000 draws: five standard errors of some 1/sqrt(3,000) of its size
    for name in ("mean", "covariance", "interference_plus_noise"):
        expected = np.abs(getattr(closed, name)).ravel()
        np.testing.assert_allclose(
            np.abs(getattr(found, name)).ravel(), expected, rtol=0.12, atol=1e-3 * expected.max()
        )
    spent_w = np.mean([one.power_w().sum(axis=1) for one in each], axis=0)
    allowed_w = (np.where(problem.serving, problem.power_fraction, 0.0) * problem.power_w[:, None]).sum(axis=1)
    np.testing.assert_allclose(spent_w, allowed_w, rtol=0.1)  # the mean square of the estimates, over 3,000 draws
    rates = score_each(streams, csi, draws, interference=interference, knowledge="mean_only")
    np.testing.assert_allclose(rates.spectral_efficiency_bps_hz, mean_only_rate(closed), rtol=0.12, atol=1e-2)


@pytest.mark.parametrize("scene", IN_TURN)
def test_estimates_are_as_good_as_the_literal_ones(scene):
    given = CELL_FREE[scene]
    problem = cell_free_problem(given)
    _, rule = pilot_rule(problem, given)
    _, m, nu = p5_rates.letters(**given.statistics())
    x = x_of(**given.statistics(), **given.training())
    antennas = given.v.shape[2]
    expected = antennas * (abs(m) ** 2 + nu * np.einsum("skk->sk", x).real)
    reach = problem.csi.reach
    np.testing.assert_allclose(reach.scatter(Estimates.of(rule, problem.csi).power), expected, rtol=1e-8, atol=1e-30)


def test_the_closed_form_refuses_what_it_does_not_hold_for():
    given = CELL_FREE["phase_imperfect"]
    problem = cell_free_problem(given)
    _, rule = pilot_rule(problem, given)
    with pytest.raises(ValueError, match="perfect phases"):
        estimated_moments(rule, problem.csi, problem.serving, interference="coherent")


def test_phases_of_the_carrier_matter_to_coherent_interference_alone():
    given = CELL_FREE["plain_0"]
    problem = cell_free_problem(given)
    still = replace(problem, csi=replace(problem.csi, carrier_phase_rad=None))
    for interference, same in (("independent", True), ("coherent", False)):
        moments = [
            ReceivedMoments.of(
                Streams.of(solved(one, "smrt"), one.csi, one.serving), one.csi, interference=interference
            )
            for one in (problem, still)
        ]
        assert (
            np.allclose(moments[0].interference_plus_noise, moments[1].interference_plus_noise, rtol=1e-9, atol=0.0)
            == same
        )
        np.testing.assert_allclose(moments[0].mean, moments[1].mean, rtol=1e-12)
