"""Is the oracle of P1's algorithms right? Printed properties that hold are checked, those that do not are pinned."""

from dataclasses import replace
from functools import cache

import numpy as np
import pytest
from scipy.optimize import linear_sum_assignment

from tests.helpers.p1_start import begin, complex_normal, feasible_scale, rng_of
from tests.literal import p1_baselines, p1_joint, p1_multipliers, p1_rates, p1_streamwise
from tests.literal import p1_channel as channel
from tests.literal import p1_receiver as receiver
from tests.literal.p1_compare import difference
from tests.literal.p1_scenes import NOT_ORTHOGONAL, ORTHOGONAL, paper, scenes

SCENES = {scene.name: scene for scene in scenes()}
CAPPED = [name for name, scene in SCENES.items() if scene.rho is not None]
STREAMWISE = [name for name in CAPPED if SCENES[name].serving.sum(axis=0).min() >= SCENES[name].S]
MANY = [name for name in SCENES if name not in CAPPED]
every_scene = pytest.mark.parametrize("name", SCENES)


@cache
def solved(name, **options):
    scene = SCENES[name]
    if name in MANY:  # slow: few iterations, and a start that no cap of zero stops
        options = {"W0": begin(scene), "I_max": 2} | options
    return p1_joint.joint(**scene.problem(), **({"I_max": 4} | options))


@cache
def solved_streamwise(name, **options):
    scene = SCENES[name]
    return p1_streamwise.streamwise(
        scene.H, scene.sigma2, scene.rho, scene.S, serving=scene.serving, **({"I_max": 4} | options)
    )


def state(name):
    """The scene with the last W, its U and C, and the mask."""
    scene, W = SCENES[name], solved(name).W
    L, K = scene.beta.shape
    U, C = receiver.receivers(scene.H, W, scene.sigma2, np.ones(K))
    return scene, W, U, C, p1_joint.mask(scene.serving, L, K, scene.S)


def problem(name, sat):
    """One satellite's (16) after `solved`, with its constraints."""
    scene, W, U, C, on = state(name)
    T, z = p1_joint.subproblem(sat, scene.H, W, U, C, on)
    return T, z, scene.constraints[sat]


def letters(T, z, constraints):
    return p1_multipliers.Problem(T, z, [A for A, _ in constraints], [rho for _, rho in constraints])


def quadratic(T, z, W):
    """(16a) with (30): sum_k Tr(W^H T W) - 2 Re Tr(z^H W)."""
    return sum(np.trace(w.conj().T @ T @ w - 2 * z_k.conj().T @ w).real for w, z_k in zip(W, z, strict=True))


# Scenes and channel


@every_scene
def test_scene_is_what_it_says(name):
    scene = SCENES[name]
    L, K = scene.beta.shape
    assert max(L, K, scene.M) <= 4
    assert scene.N <= 16
    assert {x.shape for x in (scene.sin_theta, scene.sin_phi, scene.kappa, scene.serving)} == {(L, K)}
    assert scene.H.shape == (L, K, scene.M, scene.N)
    assert (scene.beta[scene.serving] > 0).all()
    assert len(scene.constraints) == L
    for A, rho in (pair for constraints in scene.constraints for pair in constraints):
        assert rho >= 0
        assert np.linalg.eigvalsh(A).min() >= -1e-12 * np.linalg.norm(A)  # rounding


def test_there_are_enough_scenes():
    assert len(SCENES) == len(scenes()) >= 20


def test_section_v_by_hand():
    assert channel.slant_range_m(1.0) == pytest.approx(560e3, rel=1e-12)
    assert channel.slant_range_m(0.0) == pytest.approx(np.sqrt(6931e3**2 - 6371e3**2), rel=1e-12)
    # 20 log10(3e8 / (4 pi 20e9 560e3)) = -173.43 dB, and 28 dBi
    assert 10 * np.log10(channel.large_scale(560e3)) == pytest.approx(28 - 173.43, abs=0.01)
    assert 10 * np.log10(channel.noise_power_w()) + 30 == pytest.approx(-174 + 86.02 + 1.2, abs=0.001)


def test_response_39():
    i, j = channel.response(4, -0.9), channel.response(4, -0.4)
    assert i[0] == 1
    assert i[1] == pytest.approx(np.exp(-0.9j * np.pi))
    assert np.vdot(i, j) == pytest.approx(sum(np.exp(1j * np.pi * n * 0.5) for n in range(4)), abs=1e-14)
    for sines, orthogonal in ((ORTHOGONAL, True), (NOT_ORTHOGONAL, False)):
        b = channel.response(4, sines)
        overlap = abs(b.conj() @ b.T - 4 * np.eye(4)).max()
        assert (overlap < 1e-14) == orthogonal  # a few roundings of 4


@pytest.mark.parametrize("kappa", [0.0, 10**1.2, np.inf])
def test_drawn_gain_3(kappa):
    D, beta = 20_000, np.array([[1e-13, 3e-12]])
    gamma = channel.gains(rng_of(2), D, beta, np.full((1, 2), kappa))
    bound = 5 / np.sqrt(D)  # five standard deviations of a mean of unit variance
    assert (abs((abs(gamma) ** 2).mean(axis=0) / beta - 1) <= bound).all()
    assert (abs(gamma.mean(axis=0)) <= bound * np.sqrt(beta)).all()
    # E|gamma|^4 / beta^2 = (kappa^2 + 4 kappa + 2) / (kappa + 1)^2; its variance is below 20 (exponential law)
    fourth = 1.0 if np.isinf(kappa) else (kappa**2 + 4 * kappa + 2) / (kappa + 1) ** 2
    assert (abs((abs(gamma) ** 4).mean(axis=0) / beta**2 - fourth) <= bound * np.sqrt(20) + 1e-12).all()


def test_covariance_of_interference_is_8_and_not_what_9_prints():
    scene, D = SCENES["plain_2_streams"], 1000
    W = solved(scene.name).W
    L, K = scene.beta.shape
    gamma = channel.gains(rng_of(3), D, scene.beta, scene.kappa)
    for k in range(K):
        i = (k + 1) % K
        drawn = np.zeros((D, scene.M, scene.M), complex)
        for d in range(D):
            x = sum(gamma[d, sat, k] * np.outer(scene.b[sat, k], scene.a[sat, k]) @ W[sat, i] for sat in range(L))
            drawn[d] = x @ x.conj().T
        error = drawn.std(axis=0) / np.sqrt(D)
        as_8 = p1_rates.power_sum(range(L), k, i, scene.beta, scene.b, scene.a, W)
        as_9 = p1_rates.power_sum(range(L), i, i, scene.beta, scene.b, scene.a, W)
        assert (abs(drawn.mean(axis=0) - as_8) <= 5 * error).all()  # five standard errors
        assert (abs(drawn.mean(axis=0) - as_9) > 10 * error).any()


# Receivers, weights, mean square errors


@every_scene
def test_combiner_and_weight_are_the_best(name):
    scene, W, U, C, _ = state(name)
    G = receiver.received(scene.H, W)
    for k in range(len(G)):
        E = receiver.mse(k, G, U[k], scene.sigma2[k])
        best = np.trace(E).real
        for size in (1e-3, 1.0):
            step = complex_normal(rng_of(4, k), U[k].shape)
            step *= size / np.linalg.norm(step) * (np.linalg.norm(U[k]) or 1 / np.sqrt(scene.sigma2[k]))
            assert np.trace(receiver.mse(k, G, U[k] + step, scene.sigma2[k])).real > best
        # E_k = I - G^H U loses what is below 1 in double precision
        assert abs(E - (np.eye(scene.S) - G[k, k].conj().T @ U[k])).max() <= 1e-12
        # the condition number of E is the largest SINR, 1e10 in the scene of highest power
        rounding = 1e-15 * np.linalg.cond(E) + 1e-13
        assert np.linalg.norm(C[k] @ E * np.log(2) - np.eye(scene.S)) <= 100 * rounding
        for factor in (0.9, 1.1):  # (15) with log2: 1/ln 2 belongs there
            there = np.trace(factor * C[k] @ E).real - receiver.log2_det(factor * C[k])
            assert there > np.trace(C[k] @ E).real - receiver.log2_det(C[k])


def test_printed_mse_is_not_one():
    # Section V's scenario at 60 dBm: (12) with (14) is not positive semidefinite; that of (11) is.
    negative = 0
    for seed in range(5):
        scene = paper(seed, N=16, cap_w=1e3)
        W = p1_baselines.mmse(scene.H, scene.sigma2, scene.rho, scene.S)
        G = receiver.received(scene.H, W)
        for k in range(2):
            U = receiver.printed_combiner(k, scene.H, W, scene.sigma2[k])
            negative += np.linalg.eigvalsh(receiver.printed_mse(k, scene.H, W, U, scene.sigma2[k])).min() < -0.1
            assert np.linalg.eigvalsh(np.linalg.inv(receiver.inverse_mse(k, G, scene.sigma2[k]))).min() > 0
    assert negative >= 5


@pytest.mark.parametrize("name", ["one_satellite_two_streams", "plain_2_streams"])
def test_printed_mse_is_one_where_no_stream_has_two_satellites(name):
    scene = SCENES[name]
    W = solved(name).W if len(scene.beta) == 1 else solved_streamwise(name)[0].W
    G = receiver.received(scene.H, W)
    for k in range(len(G)):
        U = receiver.combiner(k, G, scene.sigma2[k])
        printed = receiver.printed_mse(k, scene.H, W, U, scene.sigma2[k])
        np.testing.assert_allclose(printed, receiver.mse(k, G, U, scene.sigma2[k]), atol=1e-12)
        printed = receiver.printed_combiner(k, scene.H, W, scene.sigma2[k])
        np.testing.assert_allclose(printed, U, rtol=1e-10, atol=1e-12 * abs(U).max())


# One satellite's problem


@every_scene
def test_subproblem_is_the_objective_but_for_a_constant(name):
    scene, W, U, C, on = state(name)
    ones = np.ones(len(scene.sigma2))

    def objective(sat, W_l):
        changed = W.copy()
        changed[sat] = W_l
        return receiver.objective(scene.H, changed, scene.sigma2, ones, U, C)

    for sat in range(len(W)):
        T, z = p1_joint.subproblem(sat, scene.H, W, U, C, on)
        X = complex_normal(rng_of(5, sat), W[sat].shape) * on[sat][:, None, :]
        X *= np.linalg.norm(W[sat]) / (np.linalg.norm(X) or 1.0)
        for W_l in (X, W[sat] + 0.1 * X):
            found = objective(sat, W_l) - objective(sat, 0 * W_l)
            # rounding of the terms that the two sides add up
            size = np.trace(sum(w.conj().T @ T @ w for w in W_l)).real + abs(objective(sat, 0 * W_l))
            assert found == pytest.approx(quadratic(T, z, W_l), abs=1e-11 * size + 1e-12)


@every_scene
def test_satellites_problem_is_solved(name):
    # Convex: these four conditions make W its solution. 2e-10 is the tolerance of the ellipsoid method, and a
    # rounding; bisection goes to the last bits.
    scene = SCENES[name]
    for sat, step in enumerate(solved(name).steps):
        assert np.isfinite(step.W).all()
        assert (step.mu >= 0).all()
        assert step.stationarity <= 1e-12
        assert step.excess <= (1e-14 if len(step.mu) == 1 else 2e-10)
        assert step.slackness <= (1e-12 if len(step.mu) == 1 else 2e-10) or step.gap <= 2e-12
        for A, rho in scene.constraints[sat]:
            power = sum(np.trace(w.conj().T @ A @ w).real for w in step.W)
            assert power <= rho * (1 + 2e-10) + 1e-20
        assert (np.isinf(step.mu) == [rho == 0 and A.any() for A, rho in scene.constraints[sat]]).all()


@pytest.mark.parametrize("name", MANY)
def test_no_feasible_precoder_is_better_and_the_bound_holds(name):
    T, z, constraints = problem(name, 0)
    step = p1_multipliers.minimise(T, z, constraints)
    best = quadratic(T, z, step.W)
    for seed in range(20):
        other = step.W + 10.0 ** -(seed % 4) * begin(SCENES[name], seed)[0]
        other = other * min(1, feasible_scale(other, constraints))
        assert quadratic(T, z, other) >= best - 1e-9 * abs(best)  # tolerance of the ellipsoid method
    if not np.isinf(step.mu).any():
        assert (step.mu <= letters(T, z, constraints).bound()).all()


@pytest.mark.parametrize("name", ["plain_2_streams", "largest", "per_antenna_unequal", "subspace_capped"])
def test_precoder_19_is_the_printed_inverse(name):
    T, z, constraints = problem(name, 0)
    inner = letters(T, z, constraints)
    mu = np.linalg.norm(T) * rng_of(6).uniform(0.01, 1, len(constraints))
    printed = np.linalg.solve(inner.matrix(mu), z)
    np.testing.assert_allclose(inner.W(mu), printed, atol=1e-12 * abs(printed).max())  # condition at most 1e3


@pytest.mark.parametrize("name", CAPPED)
def test_ellipsoid_is_bisection_for_one_constraint(name):
    T, z, constraints = problem(name, 0)
    by_bisection = p1_multipliers.minimise(T, z, constraints)
    for twice in (constraints, [*constraints, (np.eye(len(T)), 2 * constraints[0][1])]):
        by_ellipsoid = p1_multipliers.minimise(T, z, twice, tol=1e-12, always_ellipsoid=True)
        left = np.linalg.norm(by_ellipsoid.W - by_bisection.W)
        # the power's tolerance: 1e-13 of the gain over a multiplier that may be 1e-4 of it
        assert left <= 1e-8 * np.linalg.norm(by_bisection.W)


def test_bisection_meets_a_multiplier_known_in_closed_form():
    # T = I, z = e_1: W = e_1 / (1 + mu), power 1/4 at mu = 1
    T, z = np.eye(3), np.eye(3)[None, :, :1]
    step = p1_multipliers.minimise(T, z, [(np.eye(3), 0.25)])
    assert step.mu[0] == pytest.approx(1, rel=1e-14)
    step = p1_multipliers.minimise(T, z, [(np.eye(3), 0.25), (np.diag([4.0, 0, 0]), 0.25)])  # the second binds
    assert step.W[0, 0, 0] == pytest.approx(0.25, rel=1e-9)
    np.testing.assert_allclose(step.mu, [0, 0.75], atol=1e-9)


def test_algorithm_2_as_printed_moves_the_wrong_way():
    T, z, constraints = problem("subspace_capped", 0)
    inner, step = letters(T, z, constraints), p1_multipliers.minimise(T, z, constraints)
    best, start = quadratic(T, z, step.W), np.ones(2)
    for sign, low, high in ((1, 0.01, 1.0), (-1, -1e-6, 1e-6)):  # of the gain; -1 is the mended sign
        W = inner.W(p1_multipliers.printed_ellipsoid(inner, start, eps=1e-6, sign=sign))
        assert low < (quadratic(T, z, W) - best) / inner.gain() < high


def test_clipping_the_centre_loses_the_solution():
    # Right cut and right box: setting negative components to zero still ends far from the solution.
    T, z, constraints = problem("total_and_per_antenna", 0)
    inner, step = letters(T, z, constraints), p1_multipliers.minimise(T, z, constraints)
    clipped = inner.W(p1_multipliers.printed_ellipsoid(inner, inner.bound(), eps=1e-6, sign=-1))
    assert quadratic(T, z, clipped) > quadratic(T, z, step.W) + 0.01 * inner.gain()


def test_a_feasible_multiple_of_the_start_does_not_bound_the_multipliers():
    T, z, constraints = problem("total_and_per_antenna", 0)
    inner, mu = letters(T, z, constraints), np.full(len(constraints), 1e-3)
    while (inner.g(mu) > 0).any():
        mu *= 2
    assert (p1_multipliers.minimise(T, z, constraints).mu > 1.1 * mu).any()


# Algorithm 1


@every_scene
def test_objective_never_rises(name):
    history = solved(name).history
    assert (np.diff(history) <= 1e-11 * np.abs(history[:-1])).all()  # the rounding of (13a)


def test_objective_is_the_rate_of_11_at_the_end():
    scene = SCENES["one_ut_antenna"]
    solution = p1_joint.joint(**scene.problem(), I_max=300, eps=1e-6)
    assert solution.converged
    constant = len(scene.sigma2) * scene.S * (1 / np.log(2) + np.log2(np.log(2)))
    rate = p1_rates.of_effective(scene.H, scene.sigma2, solution.W).sum()
    # -log2|C| is the rate before the last W: the two differ by what one iteration still brings
    assert constant - solution.history[-1] == pytest.approx(rate, abs=1e-4)
    assert rate > p1_rates.of_effective(scene.H, scene.sigma2, solved(scene.name, I_max=1).W).sum()


def test_a_converged_precoder_is_stationary():
    # The slope of the sum rate of (11) over W, turned to the satellite's multiplier: grad = mu W.
    scene = SCENES["one_satellite_one_ut"]
    solution = p1_joint.joint(**scene.problem(), eps=1e-12, I_max=1000)
    W, mu = solution.W, solution.steps[0].mu[0]
    for seed in range(5):
        step = 1e-5 * complex_normal(rng_of(7, seed), W.shape)
        up, down = (p1_rates.of_effective(scene.H, scene.sigma2, W + sign * step).sum() for sign in (1, -1))
        expected = 4 * mu * np.vdot(W, step).real  # d rate = 2 Re <mu W, dW>
        assert up - down == pytest.approx(expected, abs=1e-7 * mu)  # third derivative, and rounding of the rate


@every_scene
def test_mask_and_caps(name):
    scene, W = SCENES[name], solved(name).W
    assert (W[~scene.serving] == 0).all()
    rate = p1_rates.of_effective(scene.H, scene.sigma2, W)
    assert np.isfinite(rate).all()
    assert (rate[~scene.serving.any(axis=0)] == 0).all()
    if "power_zero" not in name:
        assert (rate[scene.serving.any(axis=0)] > 0).all()


def test_start_as_printed_uses_one_stream_for_ever():
    # H_{l,k} has rank one: of H^H Q only the first column is not zero, and a zero column stays zero.
    scene = SCENES["plain_2_streams"]
    arguments = scene.problem() | {"I_max": 4}
    start = p1_joint.mmse_start(scene.H, scene.sigma2, scene.constraints, 2, per_link=True)
    assert not start[..., 1].any()
    for sat, k in np.ndindex(scene.beta.shape):  # the whole basis, not only what `per_link` keeps of it
        Q = np.linalg.svd(scene.H[sat, k])[0]
        assert np.linalg.norm(scene.H[sat, k].conj().T @ Q[:, 1:]) <= 1e-14 * np.linalg.norm(scene.H[sat, k])
    W = p1_joint.joint(**arguments, W0=start).W
    assert not W[..., 1].any()
    single = p1_joint.joint(**(arguments | {"S": 1}), W0=start[..., :1]).W
    assert difference(W[..., :1], single) < 1e-10  # rounding over four iterations


@pytest.mark.parametrize("name", CAPPED)
def test_start_uses_the_caps_and_the_eigenmodes(name):
    scene = SCENES[name]
    W = p1_joint.mmse_start(scene.H, scene.sigma2, scene.constraints, scene.S, scene.serving)
    power = (abs(W) ** 2).sum(axis=(1, 2, 3))
    used = np.where(scene.serving.any(axis=1), scene.rho, 0)
    np.testing.assert_allclose(power, used, rtol=1e-12)
    G = receiver.received(scene.H, W)
    for k in np.flatnonzero(scene.serving.any(axis=0) & (scene.rho.max() > 0)):
        arrivals = scene.b[scene.serving[:, k] & (scene.rho > 0), k]
        assert np.linalg.matrix_rank(G[k, k]) == min(scene.S, np.linalg.matrix_rank(arrivals, tol=1e-9))


def test_smallest_cap_of_zero_stops_the_printed_start():
    # rho_bar = min_x rho_x = 0, and W = 0 is a fixed point
    scene = SCENES["antenna_off"]
    assert not p1_joint.joint(**scene.problem()).W.any()
    W = solved("antenna_off").W
    assert (W[:, :, 1] == 0).all() or abs(W[:, :, 1]).max() < 1e-12
    np.testing.assert_allclose((abs(W) ** 2).sum(axis=(1, 2, 3)), 1, rtol=1e-9)


def test_a_start_is_continued():
    scene = SCENES["plain_2_streams"]
    two = p1_joint.joint(**scene.problem(), I_max=2)
    four = p1_joint.joint(**scene.problem(), W0=two.W, I_max=2)
    np.testing.assert_allclose(four.W, solved(scene.name, I_max=4).W, atol=1e-12 * abs(four.W).max())


def test_order_of_uts_mixture_of_streams_and_units_do_not_matter():
    scene = SCENES["plain_2_streams"]
    W0 = p1_joint.mmse_start(scene.H, scene.sigma2, scene.constraints, scene.S)
    V = np.linalg.qr(complex_normal(rng_of(8), (3, 2, 2)))[0]
    order, arguments = [2, 0, 1], scene.problem() | {"I_max": 4}
    W = p1_joint.joint(**arguments, W0=W0).W
    mixed = p1_joint.joint(**arguments, W0=W0 @ V).W
    np.testing.assert_allclose(mixed, W @ V, atol=1e-10)  # rounding over four iterations
    turned = p1_joint.joint(**(arguments | {"H": scene.H[:, order]}), W0=W0[:, order]).W
    np.testing.assert_allclose(turned, W[:, order], atol=1e-10)
    caps = p1_joint.total_power(4 * scene.rho, scene.N)
    other = arguments | {"H": 1e6 * scene.H, "sigma2": 4e12 * scene.sigma2, "constraints": caps}
    np.testing.assert_allclose(p1_joint.joint(**other, W0=2 * W0).W, 2 * W, atol=1e-10)


def test_order_of_satellites_and_phase_reference_matter():
    # One after the other; and (11) adds satellites with the phases of their response vectors.
    scene = SCENES["close_uts"]
    W = solved(scene.name).W
    W0 = p1_joint.mmse_start(scene.H, scene.sigma2, scene.constraints, scene.S)
    last_first = p1_joint.joint(scene.H[::-1], scene.sigma2, scene.constraints, scene.S, W0=W0[::-1], I_max=4).W
    assert difference(last_first[::-1], W) > 1e-2
    centre = np.exp(-1j * np.pi * (scene.N - 1) / 2 * scene.sin_phi)[:, :, None, None]  # middle of the array
    shifted = p1_joint.joint(scene.H * centre, scene.sigma2, scene.constraints, scene.S, I_max=4).W
    rates = [p1_rates.surrogate(scene.beta, scene.b, scene.a, scene.sigma2, X) for X in (W, shifted)]
    assert abs(rates[0] - rates[1]).max() > 1e-2


def test_rate_weights_shift_the_rates():
    scene = SCENES["coincident_uts"]
    rate = {}
    for last in (1.0, 10.0, 0.0):
        W = p1_joint.joint(**scene.problem(), omega=np.array([1, 1, last]), I_max=8).W
        rate[last] = p1_rates.of_effective(scene.H, scene.sigma2, W)
    assert rate[10.0][2] > rate[1.0][2] > rate[0.0][2]
    assert rate[0.0][2] < 1e-6


# Algorithm 3 and the association


def test_participation_of_figure_2_and_3():
    for sines, alone in ((ORTHOGONAL, True), (NOT_ORTHOGONAL, False)):
        # unlike gains: with like ones Fig. 2's singular values coincide and its eigenmodes are anything
        H = channel.effective(
            np.array([[1.0], [1.3], [1.7], [2.2]]),
            channel.response(4, np.array(sines)[:, None]),
            channel.response(64, rng_of(9).uniform(-1, 1, (4, 1))),
        )
        eta, sigma = p1_streamwise.participation(H[:, 0])
        np.testing.assert_allclose(eta.sum(axis=0), 1, rtol=1e-12)
        np.testing.assert_allclose(p1_streamwise.score(H[:, 0]), (abs(H[:, 0]) ** 2).sum(axis=(1, 2)), rtol=1e-12)
        if alone:
            np.testing.assert_allclose(eta, np.eye(4)[::-1], atol=1e-12)  # the strongest mode is the last satellite's
        else:
            assert eta.max() < 0.9
            assert ((eta > 0.05).sum(axis=1) >= 2).all()  # every satellite is in more than one mode
            assert sigma[0] > 10 * sigma[3]


def test_like_gains_leave_figure_2_undetermined():
    b, a = channel.response(4, np.array(ORTHOGONAL)), channel.response(64, rng_of(9).uniform(-1, 1, 4))
    H = channel.effective(np.ones((4, 1)), b[:, None], a[:, None])
    _, sigma = p1_streamwise.participation(H[:, 0])
    np.testing.assert_allclose(sigma, 16, rtol=1e-12)  # sqrt(M N), four times


@pytest.mark.parametrize("name", STREAMWISE)
def test_participation_needs_no_vector_of_length_ln(name):
    # v_m = H^H q_m / sigma_m: eta = beta N |b^H q_m|^2 / sigma_m^2
    scene = SCENES[name]
    for k in range(len(scene.sigma2)):
        eta, sigma = p1_streamwise.participation(scene.H[:, k])
        Q = np.linalg.svd(np.hstack(scene.H[:, k]))[0]
        for m in np.flatnonzero(sigma > 1e-6 * sigma[0]):
            small = scene.beta[:, k] * scene.N * abs(scene.b[:, k].conj() @ Q[:, m]) ** 2 / sigma[m] ** 2
            np.testing.assert_allclose(eta[:, m], small, atol=1e-9)  # 1e-15 sigma_0 / sigma_m


@pytest.mark.parametrize("name", STREAMWISE)
def test_association_is_the_best_and_one_to_one(name):
    scene, pi = SCENES[name], solved_streamwise(name)[1]
    for k in range(len(pi)):
        eta, _ = p1_streamwise.participation(scene.H[:, k] * scene.serving[:, k, None, None])
        weight = eta[:, : scene.S]
        assert len(set(pi[k])) == scene.S
        assert scene.serving[pi[k], k].all()
        rows, columns = linear_sum_assignment(weight[scene.serving[:, k]], maximize=True)
        best = weight[scene.serving[:, k]][rows, columns].sum()
        assert sum(weight[sat, s] for s, sat in enumerate(pi[k])) == pytest.approx(best, rel=1e-12)


def test_random_association_is_uniform():
    rng, counts, D = rng_of(10), {}, 2400
    for pi in p1_streamwise.random_association(rng, D, 2, 4):
        counts[tuple(pi)] = counts.get(tuple(pi), 0) + 1
    assert len(counts) == 12
    assert all(abs(n - D / 12) <= 5 * np.sqrt(D / 12) for n in counts.values())  # five standard deviations


def test_more_streams_than_satellites_is_an_error():
    scene = SCENES["one_satellite_two_streams"]
    with pytest.raises(ValueError, match="fewer satellites"):
        p1_streamwise.associate(scene.H, 2)


@pytest.mark.parametrize("name", STREAMWISE)
def test_streamwise_solves_its_problems_and_never_rises(name):
    scene, (solution, pi) = SCENES[name], solved_streamwise(name)
    on = p1_streamwise.stream_mask(pi, len(scene.beta))
    assert not (solution.W * ~on[:, :, None, :]).any()
    assert ((abs(solution.W) ** 2).sum(axis=(1, 2, 3)) <= scene.rho * (1 + 1e-14)).all()  # rounding of the sum
    for step in solution.steps:
        assert step.stationarity <= 1e-12
        assert step.slackness <= 1e-12
    assert (np.diff(solution.history) <= 1e-11 * np.abs(solution.history[:-1])).all()


@pytest.mark.parametrize("name", STREAMWISE)
def test_streamwise_is_joint_with_a_mask(name):
    scene, (solution, pi) = SCENES[name], solved_streamwise(name)
    w = p1_streamwise.start(scene.H, scene.sigma2, scene.rho, pi)
    W0 = np.zeros_like(solution.W)
    for (k, s), vector in w.items():
        W0[pi[k, s], k, :, s] = vector
    on = p1_streamwise.stream_mask(pi, len(scene.beta))
    W = p1_joint.joint(**(scene.problem() | {"active": on}), W0=W0, I_max=4).W
    # rounding through four iterations, at high power with SINR 1e10
    assert np.linalg.norm(W - solution.W) <= 1e-8 * np.linalg.norm(solution.W)


def test_orthogonal_arrivals_make_streamwise_as_good_as_joint():
    # One UT, as many streams as satellites: Hadamard's inequality gives the optimum, for (4) too.
    scene = SCENES["orthogonal_arrivals"]
    gamma = channel.gains(rng_of(11), 50, scene.beta, scene.kappa)
    optimum = np.log2(1 + scene.M * scene.N * scene.beta[:, 0] * scene.rho / scene.sigma2[0]).sum()
    exact = np.log2(1 + scene.M * scene.N * abs(gamma[:, :, 0]) ** 2 * scene.rho / scene.sigma2[0]).sum(axis=1).mean()
    for W in (solved(scene.name).W, solved_streamwise(scene.name)[0].W):
        assert p1_rates.of_effective(scene.H, scene.sigma2, W).sum() == pytest.approx(optimum, rel=1e-9)
        rate = p1_rates.ergodic(gamma, scene.b, scene.a, scene.sigma2, W)[0]
        assert rate == pytest.approx(exact, rel=1e-9)


def test_orthogonal_arrivals_of_two_uts():
    scene = SCENES["orthogonal_arrivals_two_uts"]
    gamma = channel.gains(rng_of(12), 50, scene.beta, scene.kappa)
    rate = {}
    for label, W in (
        ("joint", solved(scene.name, I_max=10).W),
        ("streamwise", solved_streamwise(scene.name, I_max=10)[0].W),
    ):
        rate[label] = p1_rates.ergodic(gamma, scene.b, scene.a, scene.sigma2, W).sum()
    assert rate["joint"] == pytest.approx(rate["streamwise"], rel=0.03)  # Fig. 5: curves on top of each other


def test_other_arrivals_favour_joint():
    # Of (11), which both raise
    joint = streamwise = 0.0
    for name in ("close_uts", "kappa_zero", "largest", "more_uts_than_antennas", "powers_unequal"):
        scene = SCENES[name]
        joint += p1_rates.of_effective(scene.H, scene.sigma2, solved(name).W).sum()
        streamwise += p1_rates.of_effective(scene.H, scene.sigma2, solved_streamwise(name)[0].W).sum()
    assert joint > 1.05 * streamwise


def test_association_beats_chance():
    scene, rng = SCENES["largest"], rng_of(13)

    def rate(pi):
        solution, _ = p1_streamwise.streamwise(scene.H, scene.sigma2, scene.rho, 2, pi=pi, I_max=3)
        return p1_rates.of_effective(scene.H, scene.sigma2, solution.W).sum()

    chance = [rate(p1_streamwise.random_association(rng, 4, 2, 4)) for _ in range(4)]
    assert rate(None) > np.mean(chance)


# Baselines


@pytest.mark.parametrize("name", CAPPED)
def test_baselines_keep_the_caps(name):
    scene = SCENES[name]
    used = np.where(scene.beta.any(axis=1), scene.rho, 0)
    for W in (
        p1_baselines.mmse(scene.H, scene.sigma2, scene.rho, scene.S),
        p1_baselines.zero_forcing(scene.H, scene.rho, scene.S),
    ):
        assert np.isfinite(W).all()
        power = (abs(W) ** 2).sum(axis=(1, 2, 3))
        np.testing.assert_allclose(power, used, rtol=1e-12)
    closest, w = p1_baselines.mrt_in_turns(scene.beta, scene.a, scene.rho)
    np.testing.assert_allclose((abs(w) ** 2).sum(axis=1), scene.rho[closest], rtol=1e-12)


@pytest.mark.parametrize("name", ["plain_2_streams", "largest", "one_satellite"])
def test_zero_forcing_nulls_and_is_the_limit_of_mmse(name):
    scene = SCENES[name]
    W = p1_baselines.zero_forcing(scene.H, scene.rho, scene.S)
    L, K = scene.beta.shape
    for sat in range(L):
        for k in range(K):
            for i in set(range(K)) - {k}:
                leak = np.linalg.norm(scene.a[sat, k] @ W[sat, i])
                assert leak <= 1e-10 * np.sqrt(scene.N) * np.linalg.norm(W[sat, i])  # condition of the stack
    limit = p1_baselines.mmse(scene.H, 1e-6 * scene.sigma2, scene.rho, scene.S)
    assert difference(limit, W) < 1e-4  # 1e-6 of the regularisation over the smallest eigenvalue


def test_joint_is_above_mmse_and_zero_forcing():
    for name in ("plain_2_streams", "largest", "close_uts", "coincident_uts"):
        scene = SCENES[name]
        rate = p1_rates.of_effective(scene.H, scene.sigma2, solved(name).W).sum()
        for W in (
            p1_baselines.mmse(scene.H, scene.sigma2, scene.rho, scene.S),
            p1_baselines.zero_forcing(scene.H, scene.rho, scene.S),
        ):
            assert rate > p1_rates.of_effective(scene.H, scene.sigma2, W).sum()


def test_mrt_in_turns_in_closed_form():
    scene = SCENES["kappa_infinite"]
    gamma = channel.gains(rng_of(14), 3, scene.beta, scene.kappa)
    closest, w = p1_baselines.mrt_in_turns(scene.beta, scene.a, scene.rho)
    rate = p1_baselines.mrt_in_turns_rate(gamma, scene.b, scene.a, scene.sigma2, closest, w)
    snr = scene.M * scene.N * scene.beta.max(axis=0) * scene.rho[closest] / scene.sigma2
    np.testing.assert_allclose(rate, np.log2(1 + snr) / 2, rtol=1e-12)


# Rates


def test_rates_meet_where_nothing_is_random():
    scene = replace(SCENES["one_satellite"], kappa=np.full((1, 3), np.inf))
    W = solved(scene.name).W
    gamma = channel.gains(rng_of(15), 3, scene.beta, scene.kappa)
    exact = p1_rates.ergodic(gamma, scene.b, scene.a, scene.sigma2, W)
    np.testing.assert_allclose(exact, p1_rates.surrogate(scene.beta, scene.b, scene.a, scene.sigma2, W), rtol=1e-10)
    np.testing.assert_allclose(exact, p1_rates.of_effective(scene.H, scene.sigma2, W), rtol=1e-10)


def test_rates_by_hand():
    # Two satellites and UTs, one antenna each, all numbers small
    b = a = np.ones((2, 2, 1))
    W = np.array([[[[1.0]], [[1.0]]], [[[1.0]], [[-2.0]]]])
    gamma = np.ones((2, 2, 2))
    gamma[1, 1, 0] = -1  # UT 0: |1 + 1|^2 over |1 - 2|^2, then |1 - 1|^2 over |1 + 2|^2
    exact = p1_rates.ergodic(gamma, b, a, np.ones(2), W)
    assert exact[0] == pytest.approx(np.log2(1 + 4 / 2) / 2, rel=1e-14)
    assert p1_rates.surrogate(np.ones((2, 2)), b, a, np.ones(2), W)[0] == pytest.approx(np.log2(1 + 2 / 6), rel=1e-14)


def test_surrogate_is_close_at_low_power_and_above_at_high():
    # Fig. 4: MMSE, S = M
    gap = {}
    for cap in (1e-3, 1e3):
        exact = approximate = 0.0
        for seed in range(3):
            scene = paper(seed, N=16, S=4, cap_w=cap)
            W = p1_baselines.mmse(scene.H, scene.sigma2, scene.rho, scene.S)
            gamma = channel.gains(rng_of(16, seed), 400, scene.beta, scene.kappa)
            exact += p1_rates.ergodic(gamma, scene.b, scene.a, scene.sigma2, W).sum()
            approximate += p1_rates.surrogate(scene.beta, scene.b, scene.a, scene.sigma2, W).sum()
        gap[cap] = approximate / exact - 1
    assert abs(gap[1e-3]) < 0.06  # 1200 draws of a mean power: three standard errors of 2 %
    assert gap[1e3] > 0.02


@pytest.mark.parametrize("name", ["kappa_zero", "power_very_low", "one_ut", "ut_nobody_serves"])
def test_surrogate_is_not_below_the_exact_rate_without_interference(name):
    # Jensen: log det(I + X) is concave, so (6) is an upper bound where Y is not random
    scene, W = SCENES[name], solved(name).W
    W = np.concatenate([W[:, :1], 0 * W[:, 1:]], axis=1)
    gamma = channel.gains(rng_of(17), 1000, scene.beta, scene.kappa)
    draws = p1_rates.ergodic_draws(gamma, scene.b, scene.a, scene.sigma2, W)[:, 0]
    above = p1_rates.surrogate(scene.beta, scene.b, scene.a, scene.sigma2, W)[0]
    assert draws.mean() <= above + 4 * draws.std() / np.sqrt(len(draws))  # four standard errors
    assert draws.mean() > 0.5 * above
