"""The dual search for the satellites' own budgets, against its optimality conditions and a general solver."""

import numpy as np
import pytest
from scipy.optimize import minimize

from tests.helpers.scene_problem import named_scenes, problem_of
from twin.precoding.exact.exact_power import ExactPowerOptions, SingleStreamDual, cdwmmse_exact_power
from twin.precoding.joint import PairStatistics
from twin.precoding.problem import precoders
from twin.precoding.wmmse import decomposed_receivers
from twin.rates import ReceivedMoments, Streams, surrogate_rate
from twin.solvers.span import Span

SCENES = named_scenes()
every_scene = pytest.mark.parametrize("scene", SCENES)
SERVED = [name for name in SCENES if name not in ("nobody_serves_anybody", "nobody_in_reach")]


def weighted_rate(problem, weights) -> float:
    streams = Streams.of(weights, problem.csi, problem.serving)
    rate = surrogate_rate(ReceivedMoments.of(streams, problem.csi, interference="independent"))
    return float(problem.weight @ rate)


def started(scene: str) -> tuple[SingleStreamDual, PairStatistics]:
    """The first transmitter step after `ms_jo_cdwmmse`."""
    problem = problem_of(SCENES[scene])
    entry = precoders["ms_jo_cdwmmse"]
    weights = entry.model(problem, options=entry.options()).weights
    pairs, span = PairStatistics.of(problem), Span.of(problem.csi.gram)
    response = span.coordinates.swapaxes(1, 2) @ (span.coordinates @ weights.coefficients[..., 0].real)
    budget_w = np.where(pairs.serving.any(axis=1), problem.power_w, 0.0)
    return SingleStreamDual.of(pairs, problem.csi.gram, decomposed_receivers(pairs, response), budget_w), pairs


@every_scene
def test_it_never_scores_below_its_start(scene):
    problem = problem_of(SCENES[scene])
    entry = precoders["ms_jo_cdwmmse"]
    start = weighted_rate(problem, entry.model(problem, options=entry.options()).weights)
    found = weighted_rate(problem, cdwmmse_exact_power(problem, options=ExactPowerOptions()).weights)
    # 1e-9: rates of nearly parallel directions are evaluated to some 1e-10
    assert found >= start * (1 - 1e-9)


@pytest.mark.parametrize(
    "scene", ["plain_0", "more_uts_than_antennas", "powers_unequal", "few_in_reach", "perfect_csi"]
)
def test_more_refinements_never_score_less(scene):
    problem = problem_of(SCENES[scene])
    rates = [
        weighted_rate(
            problem, cdwmmse_exact_power(problem, options=ExactPowerOptions(refinements=n, tolerance_bit=0.0)).weights
        )
        for n in (1, 2, 4, 8, 16)
    ]
    # each step is an exact minimum in one block of variables; 1e-9 is the tolerance of its budgets
    assert (np.diff(rates) >= -1e-9 * rates[-1]).all()


@pytest.mark.parametrize("scene", SERVED)
def test_budgets_are_kept_and_met_where_a_multiplier_says_so(scene):
    dual, _ = started(scene)
    multiplier = dual.maximised(None, 1e-9)
    point = dual.at(multiplier)
    bound = (dual.budget_w > 0.0) & (point.power_w > 0.0)
    excess = point.power_w[bound] / dual.budget_w[bound] - 1.0
    assert (excess <= 1e-9).all()
    # a multiplier of 1e-12 of the load's scale changes no weight by more than that
    felt = multiplier[bound] > 1e-12 * dual.loads.values.max(axis=1)[bound]
    assert (np.abs(excess[felt]) <= 1e-9).all()


@pytest.mark.parametrize(
    "scene", ["plain_0", "plain_2", "kappa_zero", "partial_clusters", "few_in_reach", "phase_random"]
)
def test_the_slopes_are_the_derivatives_of_the_powers(scene):
    dual, _ = started(scene)
    multiplier = np.full(len(dual.budget_w), 0.1 * dual.loads.values.max())
    power_jacobian = dual.at(multiplier).power_jacobian()
    for satellite in range(len(multiplier)):
        nudge = np.zeros(len(multiplier))
        nudge[satellite] = 1e-5 * multiplier[satellite]
        above, below = dual.at(multiplier + nudge).power_w, dual.at(multiplier - nudge).power_w
        measured = (above - below) / (2.0 * nudge[satellite])
        # central differences over 1e-5: some 1e-10 of truncation and 1e-11 of rounding, relative to the largest
        np.testing.assert_allclose(power_jacobian[:, satellite], measured, atol=1e-8 * np.abs(power_jacobian).max())


@pytest.mark.parametrize("scene", ["plain_0", "powers_unequal", "kappa_mixed", "partial_clusters"])
def test_a_general_solver_finds_no_higher_dual(scene):
    dual, _ = started(scene)
    found = dual.at(dual.maximised(None, 1e-9))
    scale = np.maximum(found.multiplier, 1e-6 * dual.loads.values.max(axis=1))
    general = minimize(
        lambda logs: -dual.at(scale * np.exp(logs)).value,
        np.zeros(len(scale)),
        jac=lambda logs: -(dual.at(scale * np.exp(logs)).power_w - dual.budget_w) * scale * np.exp(logs),
        method="L-BFGS-B",
        bounds=[(-20.0, 20.0)] * len(scale),
    )
    assert -general.fun <= found.value + 1e-9 * abs(found.value)


@pytest.mark.parametrize("scene", ["plain_0", "one_satellite", "partial_clusters"])
def test_the_weights_solve_the_normal_equations_over_the_antennas(scene):
    """(Ξ_k + blkdiag μ) w_k = right-hand side with matrices of all antennas, as P3 writes them."""
    problem = problem_of(SCENES[scene])
    csi = problem.csi
    dual, pairs = started(scene)
    multiplier = dual.maximised(None, 1e-9)
    v = csi.steering()
    _, terminals, antennas = v.shape
    weights = np.einsum("skn,skj->sjn", v.conj(), pairs.reach.scatter(dual.at(multiplier).coefficients()))
    for k in range(terminals):
        own = np.flatnonzero(problem.serving[:, k])
        size = len(own) * antennas
        matrix, right = np.zeros((size, size), dtype=complex), np.zeros(size, dtype=complex)
        for i, s in enumerate(own):
            here = slice(i * antennas, (i + 1) * antennas)
            matrix[here, here] = multiplier[s] * np.eye(antennas)
            right[here] = (dual.coherent_target[s, k] + dual.scattered_target[s, k]) * v[s, k].conj()
            for j in range(terminals):
                matrix[here, here] += dual.loads.load[s, j] * np.outer(v[s, j].conj(), v[s, j])
            for m, t in enumerate(own):
                if t != s:
                    there = slice(m * antennas, (m + 1) * antennas)
                    coupling = dual.receiver_gain[s, k] * pairs.mean[s, k] * pairs.mean[t, k]
                    matrix[here, there] = coupling * np.outer(v[s, k].conj(), v[t, k])
        expected = np.linalg.lstsq(matrix, right, rcond=None)[0].reshape(len(own), antennas)
        # condition numbers of these matrices are some 1e6
        np.testing.assert_allclose(weights[own, k], expected, atol=1e-8 * np.abs(expected).max())
