"""Is the oracle of the WMMSE family right? What holds is checked, what does not is pinned."""

from dataclasses import replace
from functools import cache

import numpy as np
import pytest

from tests.literal import p3_cdwmmse, p3_rates, p3_wmmse
from tests.literal import p3_matrices as p3
from tests.literal.compare import difference
from tests.literal.scenes import scenes

# "largest", 144 unknowns in extended precision, has nothing but its size that the others lack
SCENES = {scene.name: scene for scene in scenes() if scene.name != "largest"}
every_scene = pytest.mark.parametrize("name", SCENES)
COARSE = 1 if np.finfo(np.longdouble).eps < 1e-18 else 1e4


def rng_of(*key):
    return np.random.default_rng([23, *key])


@cache
def solved(name, **options):
    return p3_wmmse.ms_jo_wmmse(**SCENES[name].problem(), **options)


@cache
def separate(name):
    return p3_wmmse.ms_sep_wmmse(**SCENES[name].problem())


def ap2(scene, W):
    return p3_rates.ap2(**scene.statistics(), sigma2=scene.sigma2, W=W)


def with_mean(scene):
    """UTs with power and a mean channel."""
    usable = (scene.serving & (scene.P > 0)[:, None]).any(axis=0)
    rho = p3.rho_of(scene.gamma, scene.kappa, scene.phi_bar)
    return usable & (scene.serving & (rho != 0)).any(axis=0)


def single(scene):
    """Each UT keeps the strongest of its satellites."""
    strength = np.where(scene.serving, scene.gamma, -1)
    return replace(scene, serving=(strength == strength.max(axis=0)) & scene.serving)


@every_scene
def test_power_and_serving_constraints(name):
    scene = SCENES[name]
    known = with_mean(scene)
    for W in (solved(name)[0], separate(name)[0]):
        power = (abs(W) ** 2).sum(axis=(1, 2))
        assert np.isfinite(W).all()
        assert (power <= scene.P * (1 + 1e-14)).all()  # rounding of the norm
        assert (W[~scene.serving] == 0).all()
        assert (W[scene.P == 0] == 0).all()
        assert ((abs(W).sum(axis=(0, 2)) > 0) == known).all()
    # each satellite alone spends its power but for the shares of UTs without a mean
    rho = p3.rho_of(scene.gamma, scene.kappa, scene.phi_bar)
    share = (scene.serving & (rho != 0)).sum(axis=1) / np.maximum(scene.serving.sum(axis=1), 1)
    power = (abs(separate(name)[0]) ** 2).sum(axis=(1, 2))
    np.testing.assert_allclose(power, scene.P * share, rtol=1e-14)


@every_scene
def test_history_is_the_true_mse_and_ap2(name):
    scene = SCENES[name]
    _, n, e, _ = solved(name)
    K = len(scene.sigma2)
    assert e.shape == (n, K)
    # any W handed in as a start: the first e is that of (23) with (39)
    W, _ = separate(name)
    _, n, e, _ = p3_wmmse.ms_jo_wmmse(**scene.problem(), W0=W, I_max=1)
    if n == 0:  # no satellite serves
        assert not W.any()
        return
    np.testing.assert_allclose(-np.log2(e[0]), ap2(scene, W), rtol=1e-9, atol=1e-14)  # W was rounded to double
    w = np.array([W[:, k].ravel() for k in range(K)], np.clongdouble)
    rho = p3.rho_of(scene.gamma, scene.kappa, scene.phi_bar)
    for k in range(K):
        seen = (scene.gamma[:, k], rho[:, k], scene.v[:, k], scene.sigma2[k])
        a = p3_rates.true_receiver(k, w, *seen)
        assert e[0, k] == pytest.approx(float(p3_rates.true_mse(k, w, a, *seen)), rel=1e-10, abs=1e-14)


@every_scene
def test_errors_are_23_for_any_receiver(name):
    scene, rng = SCENES[name], rng_of(1)
    K = len(scene.sigma2)
    rho = p3.rho_of(scene.gamma, scene.kappa, scene.phi_bar)
    w = p3_cdwmmse.matched_filter(rho, scene.gamma, scene.v, scene.serving, np.ones(K))
    seen = [(scene.gamma[:, k], rho[:, k], scene.v[:, k], scene.sigma2[k]) for k in range(K)]
    h_bar = [p3.mean_channel(rho[:, k], scene.v[:, k]) for k in range(K)]
    lower = [p3.q_lower(scene.gamma[:, k], rho[:, k], scene.v[:, k]) for k in range(K)]
    Omegat = [p3.omega_tilde(scene.gamma[:, k], scene.v[:, k]) for k in range(K)]
    g, T = p3_wmmse.received(w, h_bar, lower, Omegat)
    a, e = p3_wmmse.receivers(g, T, scene.sigma2)
    size = 1 / np.sqrt(T.sum(axis=1) + abs(g) ** 2 + scene.sigma2)
    for step in (0, 0.1, 1):
        near = a + step * size * (rng.standard_normal(K) + 1j * rng.standard_normal(K))
        printed = [p3_rates.true_mse(k, w, near[k], *seen[k]) for k in range(K)]
        ours = p3_wmmse.errors(near, g, T, scene.sigma2)
        np.testing.assert_allclose(ours.astype(float), np.array(printed, float), rtol=1e-14, atol=1e-14)
        assert (ours >= e * (1 - 1e-15) - 1e-17 * COARSE).all()  # (39) is the best


@every_scene
def test_three_of_the_four_steps_never_raise_the_objective(name):
    # receivers, weights, and precoders as (35) has it; 1e-15: rounding of sums of a few tens
    _, _, e, f = solved(name)
    if len(f) == 0:
        return
    slack = 1e-15 * COARSE * (1 + abs(f).max())
    receiver, weight, believed, true = f.T
    assert (receiver[1:] <= true[:-1] + slack).all()
    assert (weight <= receiver + slack).all()
    assert (believed <= weight + slack).all()
    # the last objective is sum beta_k (1 - ln(1/e_k)): AP2 but for constants
    np.testing.assert_allclose(weight, (SCENES[name].beta * (1 + np.log(e))).sum(axis=1), rtol=1e-12, atol=1e-12)


def test_the_precoder_step_may_raise_the_objective_and_lower_ap2():
    # (35) lets each eta_i scale the interference that its own UT causes, (34) that which it suffers.
    *_, e, f = solved("more_uts_than_antennas", chi=-np.inf)
    assert (f[:, 2] <= f[:, 1]).all()
    assert (f[:, 3] - f[:, 1]).max() > 0.1
    assert np.diff(-np.log2(e).sum(axis=1)).min() < -0.05


def test_w_step_minimises_35():
    # the printed (36) and (37) with E{h_k^T} for Q_k: around the answer, f of (35) only rises
    scene, rng = SCENES["weights_unequal"], rng_of(2)
    _, K, N = scene.v.shape
    rho = p3.rho_of(scene.gamma, scene.kappa, scene.phi_bar)
    h_bar = [p3.mean_channel(rho[:, k], scene.v[:, k]) for k in range(K)]
    lower = [p3.q_lower(scene.gamma[:, k], rho[:, k], scene.v[:, k]) for k in range(K)]
    Omega = [p3.omega(scene.gamma[:, k], rho[:, k], scene.v[:, k]) for k in range(K)]
    Omegat = [p3.omega_tilde(scene.gamma[:, k], scene.v[:, k]) for k in range(K)]
    P_k = p3_cdwmmse.user_powers(scene.P, scene.serving)
    w = p3_cdwmmse.matched_filter(rho, scene.gamma, scene.v, scene.serving, P_k)
    a, e = p3_wmmse.receivers(*p3_wmmse.received(w, h_bar, lower, Omegat), scene.sigma2)
    u = 1 / e
    rows = [np.flatnonzero(np.repeat(scene.serving[:, k], N)) for k in range(K)]
    best, eta = np.zeros_like(w), np.zeros(K, np.longdouble)
    for k in range(K):
        Q, rest = [h[None] for h in h_bar], (Omega, Omegat, a[:, None])
        w_bar = p3_cdwmmse.w_bar(k, rows[k], range(K), abs(a) ** 2, u, scene.beta, scene.sigma2, P_k, Q, *rest)
        eta[k] = np.sqrt(P_k[k]) / np.linalg.norm(w_bar)
        best[k] = eta[k] * w_bar

    def f35(w, eta):
        g, T = p3_wmmse.received(w, h_bar, lower, Omegat)
        e = p3_wmmse.errors(a, g, T, scene.sigma2, eta, np.tile(eta, (K, 1)))
        return p3_wmmse.objective(scene.beta, u, e)

    value = f35(best, eta)
    assert value < f35(w, np.ones(K))
    for k in range(K):
        for factor in (0.9, 1.1):
            other = eta.copy()
            other[k] *= factor
            assert f35(best, other) > value
        step = np.zeros_like(best[k])
        step[rows[k]] = rng.standard_normal(len(rows[k])) + 1j * rng.standard_normal(len(rows[k]))
        turned = best.copy()
        turned[k] += 0.01 * np.sqrt(P_k[k]) / np.linalg.norm(step) * step
        turned[k] *= np.sqrt(P_k[k]) / np.linalg.norm(turned[k])
        etas = eta * np.array([0.99, 1, 1.01])[:, None]
        assert min(f35(turned, other) for other in etas) > value


PERFECT = [name for name, s in SCENES.items() if np.isinf(s.kappa).all() and (abs(s.phi_bar) == 1).all()]


@pytest.mark.parametrize("name", [*PERFECT, "plain_0", "ut_nobody_serves", "more_uts_than_antennas"])
def test_perfect_csi_makes_it_algorithm_1(name):
    # Remark 3: with kappa infinite and no phase error tilde Q_k is zero and (27) is (23)
    scene = SCENES[name]
    scene = replace(scene, kappa=np.full_like(scene.kappa, np.inf), phi_bar=np.ones_like(scene.phi_bar))
    W, n, e, _ = p3_wmmse.ms_jo_wmmse(**scene.problem())
    W_cd, n_cd, e_cd = p3_cdwmmse.ms_jo_cdwmmse(**scene.problem())
    assert n == n_cd
    assert difference(W, W_cd) < 1e-12 * COARSE
    np.testing.assert_allclose(e, e_cd, rtol=1e-12 * COARSE)


def test_imperfect_csi_does_not():
    # Proposition 1: each leads by its own surrogate
    scene = SCENES["plain_2"]
    W = solved(scene.name)[0]
    W_cd, _, _ = p3_cdwmmse.ms_jo_cdwmmse(**scene.problem())
    assert difference(W, W_cd) > 0.1
    assert ap2(scene, W).sum() > ap2(scene, W_cd).sum() + 1
    rate = [p3_rates.ap1(**scene.statistics(), sigma2=scene.sigma2, W=x).sum() for x in (W, W_cd)]
    assert rate[1] > rate[0]


@pytest.mark.parametrize("name", [name for name, s in SCENES.items() if len(s.P) == 1])
def test_one_satellite_joint_is_separate_is_single(name):
    scene = SCENES[name]
    W, n, e, f = solved(name)
    W_sep, [(n_sep, e_sep, f_sep)] = separate(name)
    W_ss, _ = p3_wmmse.ss_wmmse(**scene.problem())
    assert n == n_sep
    for one, other in ((W, W_sep), (W, W_ss), (e, e_sep), (f, f_sep)):
        np.testing.assert_array_equal(one, other)


@every_scene
def test_separate_satellites_do_not_see_each_other(name):
    scene = SCENES[name]
    W, _ = separate(name)
    for s in range(len(scene.P)):
        # whatever becomes of the others, and the UTs that s does not serve, W_s stays
        others = np.arange(len(scene.P)) != s
        unserved = ~scene.serving[s]
        changed = replace(
            scene,
            gamma=np.where(others[:, None], 2 * scene.gamma, np.where(unserved, 3, 1) * scene.gamma),
            P=np.where(others, 0, scene.P),
            serving=scene.serving & ~others[:, None],
        )
        W_changed, _ = p3_wmmse.ms_sep_wmmse(**changed.problem())
        np.testing.assert_array_equal(W_changed[s], W[s])


@pytest.mark.parametrize("name", ["plain_0", "one_satellite_each", "kappa_mixed", "phase_perfect", "linear_array"])
def test_separate_blocks_add_in_phase(name):
    scene = SCENES[name]
    W, _ = separate(name)
    rho = p3.rho_of(scene.gamma, scene.kappa, scene.phi_bar)
    for s, k in zip(*np.nonzero(scene.serving & (rho != 0)), strict=True):
        gain = complex(rho[s, k]) * (scene.v[s, k] @ W[s, k])
        assert gain.real > 0
        assert abs(gain.imag) <= 1e-9 * gain.real  # rounding times the condition of step 10


@pytest.mark.parametrize("name", ["plain_1", "partial_clusters", "more_uts_than_antennas"])
def test_single_satellite_serves_by_its_mask(name):
    scene = SCENES[name]
    with pytest.raises(ValueError, match="more than one satellite"):
        p3_wmmse.ss_wmmse(**scene.problem())
    alone = single(scene)
    W, _ = p3_wmmse.ss_wmmse(**alone.problem())
    assert (abs(W).any(axis=2) == alone.serving).all()
    power = (abs(W) ** 2).sum(axis=(1, 2))
    np.testing.assert_allclose(power, np.where(alone.serving.any(axis=1), scene.P, 0), rtol=1e-14)


def test_the_mean_as_if_exact_is_another_scheme():
    # "based on the expectation of the compensated channels", taken with its perfect-CSI reference
    scene = SCENES["plain_0"]
    alone = scene.problem() | p3_wmmse.mean_alone(**scene.statistics())
    W, _ = p3_wmmse.ms_sep_wmmse(**alone)
    rho = p3.rho_of(scene.gamma, scene.kappa, scene.phi_bar)
    again = p3.rho_of(alone["gamma"], alone["kappa"], alone["phi_bar"])
    np.testing.assert_allclose(again.astype(complex), rho.astype(complex), rtol=1e-14)
    assert 1e-3 < difference(W, separate("plain_0")[0]) < 1
    # where the statistics are exact, it is the same
    perfect = SCENES["perfect_csi"]
    alone = perfect.problem() | p3_wmmse.mean_alone(**perfect.statistics())
    assert difference(p3_wmmse.ms_sep_wmmse(**alone)[0], separate("perfect_csi")[0]) < 1e-12 * COARSE


@pytest.mark.parametrize("name", ["one_ut", "one_satellite_one_ut"])
def test_one_ut_is_at_its_best_after_one_iteration(name):
    # without interference |h^T w|^2 / (w^H R w + sigma^2) is largest for w ~ (R + sigma^2/P I)^-1 h^*
    scene = SCENES[name]
    rho = p3.rho_of(scene.gamma, scene.kappa, scene.phi_bar)
    h = p3.mean_channel(rho[:, 0], scene.v[:, 0]).astype(complex)
    lower = p3.q_lower(scene.gamma[:, 0], rho[:, 0], scene.v[:, 0]).astype(complex)
    R = lower.conj().T @ lower + scene.sigma2[0] / scene.P.sum() * np.eye(len(h))
    best = np.log2(1 + (h @ np.linalg.solve(R, h.conj())).real)
    _, _, e, f = solved(name, chi=-np.inf)
    np.testing.assert_allclose(-np.log2(e[1:, 0]), best, rtol=1e-9)  # double precision times the condition
    assert -np.log2(e[0, 0]) <= best
    assert (np.diff(f.ravel()) <= 1e-12).all()  # and every one of the four steps is an exact one


def test_iterations_help_in_ordinary_scenes():
    for name in ("plain_0", "plain_1", "plain_2", "partial_clusters"):
        _, _, e, _ = solved(name)
        rate = -np.log2(e).sum(axis=1)
        assert rate[-1] > rate[0] + 0.5


def test_the_stop_rule():
    _, n, e, _ = solved("plain_1", chi=0.01)
    rate = -np.log2(e).sum(axis=1)
    assert 1 < n < 10
    assert (np.diff(rate)[:-1] > 0.01).all()
    assert np.diff(rate)[-1] <= 0.01
    assert solved("plain_1", e_start=1e-3)[1] == 1  # chi as printed in step 4
    W, n, e, f = solved("plain_0", I_max=0)
    assert (n, len(e), len(f)) == (0, 0, 0)
    start, _, _ = p3_cdwmmse.ms_jo_cdwmmse(**SCENES["plain_0"].problem(), I_max=0)
    np.testing.assert_array_equal(W, start)


@pytest.mark.parametrize("name", ["plain_0", "partial_clusters", "powers_unequal", "kappa_mixed", "pair_below_horizon"])
def test_order_units_and_phases_of_the_problem_do_not_matter(name):
    scene = SCENES[name]
    S, K, _ = scene.v.shape
    W, n, _, _ = solved(name)
    s, k = rng_of(4).permutation(S), rng_of(5).permutation(K)
    pairs = {f: getattr(scene, f)[np.ix_(s, k)] for f in ("gamma", "kappa", "v", "phi_bar", "serving")}
    mixed = replace(scene, **pairs, P=scene.P[s], sigma2=scene.sigma2[k], beta=scene.beta[k])
    scaled = replace(scene, gamma=1e12 * scene.gamma, sigma2=1e12 * 4 * scene.sigma2, P=4 * scene.P)
    turn = np.exp(2j * np.pi * rng_of(6).random((S, K)))
    turned = replace(scene, phi_bar=scene.phi_bar * turn)
    # rounding times the condition of step 10
    for other, expected in ((mixed, W[np.ix_(s, k)]), (scaled, 2 * W), (turned, W * turn.conj()[:, :, None])):
        W_other, n_other, _, _ = p3_wmmse.ms_jo_wmmse(**other.problem())
        assert n_other == n
        assert difference(W_other, expected) < 1e-9 * COARSE
