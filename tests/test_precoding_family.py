"""The other precoders of P3 and P5 against their literal twins, and the limits that tie the schemes together."""

import numpy as np
import pytest

from tests.helpers.scene_problem import problem_of
from tests.literal import p3_wmmse, p5_precoders
from tests.literal.compare import difference
from tests.literal.scenes import scenes
from twin.registry import of_kind

SCENES = {scene.name: scene for scene in scenes()}
PRECODERS = of_kind("precoder")

LOOSE = {
    # perturbing v by 1e-12 moves W by 1e-8 to 1e-6 in these: nearly singular Gram matrices or a power far above noise
    "linear_array": 1e-6,
    "two_uts_at_one_place": 1e-6,
    "twins_alike_in_everything": 1e-6,
    "power_very_high": 1e-4,  # 100 dB above the noise: what is not loaded weighs 1e-10 of what is
    "power_zero_on_one_satellite": 1e-6,
    "two_uts_at_one_place_power_high": 1e-3,
}


def weights(name, problem):
    entry = PRECODERS[name]
    return entry.model(problem, options=entry.options())


def told(scene, problem, **changes):
    given = scene.problem() | {"v": problem.csi.steering()} | changes
    return given


def alone(problem):
    return problem.alone().serving


@pytest.mark.parametrize("name", SCENES)
def test_joint_wmmse(name):
    problem = problem_of(SCENES[name])
    found = weights("ms_jo_wmmse", problem)
    expected, iterations, _, _ = p3_wmmse.ms_jo_wmmse(**told(SCENES[name], problem))
    assert found.iterations == iterations
    assert difference(found.weights.antenna()[..., 0], expected) <= LOOSE.get(name, 1e-8)


@pytest.mark.parametrize("name", SCENES)
@pytest.mark.parametrize("scheme", ["ms_sep_wmmse", "ss_wmmse"])
def test_wmmse_apart(name, scheme):
    problem = problem_of(SCENES[name])
    found = weights(scheme, problem).weights.antenna()[..., 0]
    serving = problem.serving if scheme == "ms_sep_wmmse" else alone(problem)
    expected, _ = getattr(p3_wmmse, scheme)(**told(SCENES[name], problem, serving=serving))
    for satellite in range(len(expected)):  # each satellite has phases of its own
        one = slice(satellite, satellite + 1)
        assert difference(found[one], expected[one]) <= LOOSE.get(name, 1e-8)


def equal_weights(serving):
    return np.sqrt(serving / np.maximum(serving.sum(axis=1, keepdims=True), 1))


@pytest.mark.parametrize("name", SCENES)
def test_zero_forcing(name):
    problem = problem_of(SCENES[name])
    found = weights("szf", problem).weights.antenna()[..., 0]
    scene, p = SCENES[name], equal_weights(problem.serving)
    expected = p5_precoders.szf(
        scene.gamma, scene.kappa, problem.csi.steering(), scene.phi_bar, scene.P, p, scene.serving
    )
    # a least-squares null has as many digits as the Gram matrix: cond 1e7 in linear_array
    tolerance = 1e-5 if name == "linear_array" else 1e-8
    for satellite in range(len(expected)):
        one = slice(satellite, satellite + 1)
        assert difference(found[one], expected[one]) <= tolerance


@pytest.mark.parametrize("name", SCENES)
def test_signal_to_leakage(name):
    problem = problem_of(SCENES[name])
    found = weights("slnr", problem).weights.antenna()[..., 0]
    scene, serving = SCENES[name], alone(problem)
    expected = p5_precoders.slnr(
        scene.gamma,
        scene.kappa,
        problem.csi.steering(),
        scene.phi_bar,
        scene.P,
        equal_weights(serving),
        serving,
        sigma2=scene.sigma2,
    )
    for satellite in range(len(expected)):
        one = slice(satellite, satellite + 1)
        assert difference(found[one], expected[one]) <= LOOSE.get(name, 1e-8)


def test_perfect_csi_makes_both_criteria_one():
    problem = problem_of(SCENES["perfect_csi"])
    joint, decomposed = (weights(name, problem).weights.antenna() for name in ("ms_jo_wmmse", "ms_jo_cdwmmse"))
    assert difference(joint[..., 0], decomposed[..., 0]) <= 1e-10


@pytest.mark.parametrize("name", ["one_satellite", "more_uts_than_antennas_one_satellite", "one_satellite_one_ut"])
def test_one_satellite_makes_joint_separate_and_single_one(name):
    problem = problem_of(SCENES[name])
    found = [weights(scheme, problem).weights.antenna() for scheme in ("ms_jo_wmmse", "ms_sep_wmmse", "ss_wmmse")]
    np.testing.assert_allclose(found[1], found[0], rtol=0, atol=1e-12 * np.abs(found[0]).max())
    np.testing.assert_allclose(found[2], found[0], rtol=0, atol=1e-12 * np.abs(found[0]).max())
