"""Are P5's literal precoders and rates right? Printed properties that hold are checked, misprints are pinned."""

from dataclasses import replace
from functools import cache

import numpy as np
import pytest

from tests.literal import p3_mmse, p3_rates, p5_letters, p5_precoders, p5_rates
from tests.literal.p5_scenes import cell_free_scenes, draws
from tests.literal.scenes import steering

SCENES = {scene.name: scene for scene in cell_free_scenes()}
PERFECT = [name for name, s in SCENES.items() if (abs(abs(s.phi_bar) - 1) < 1e-12).all()]
every_scene = pytest.mark.parametrize("name", SCENES)
every_perfect_scene = pytest.mark.parametrize("name", PERFECT)
FIXED = ("smrt", "szf", "slnr", "smrt_single", "slnr_single", "spot_beams")
DRAWS = 2000


def rng_of(*key):
    return np.random.default_rng([29, *key])


def single(scene):
    """The strongest satellite alone, the weights of the others dropped."""
    return replace(scene, serving=p5_precoders.strongest(scene.gamma, scene.P, scene.serving))


@cache
def precoder(name, scheme):
    scene = SCENES[name]
    if scheme.endswith("_single"):
        scene, scheme = single(scene), scheme.removesuffix("_single")
    if scheme == "spot_beams":
        return p5_precoders.spot_beams(**scene.weighted(), beams=p5_precoders.dft_beams(scene.shape))[0]
    more = {"sigma2": scene.sigma2} if scheme == "slnr" else {}
    return getattr(p5_precoders, scheme)(**scene.weighted(), **more)


@cache
def drawn(name):
    return draws(SCENES[name], DRAWS, rng_of(1))


@cache
def instantaneous(name):
    """hat h and W of iMRT for the same draws."""
    scene = SCENES[name]
    Y = p5_precoders.received_pilots(drawn(name), scene.v, **scene.training(), rng=rng_of(2))
    h_hat = p5_precoders.mmse_estimate(Y, **scene.statistics(), **scene.training())
    return h_hat, p5_precoders.imrt(h_hat, **scene.weighted(), **scene.training())


def within_standard_errors(closed, drawn, error, rounding):
    """Three for all but one UT of a scene, four for every one: some 1500 comparisons are made in this file."""
    z = abs(np.asarray(closed) - drawn) / (error + rounding)
    assert np.sort(z)[:-1].max(initial=0) <= 3
    assert z.max() <= 4


@every_scene
def test_scene_is_what_it_says(name):
    scene = SCENES[name]
    S, K, N = scene.v.shape
    assert len(SCENES) >= 20
    assert N == scene.shape[0] * scene.shape[1] <= 36
    np.testing.assert_array_equal(scene.v, steering(scene.cosines, scene.shape))
    shapes = {x.shape for x in (scene.gamma, scene.kappa, scene.phi_bar, scene.serving, scene.p)}
    assert shapes == {(S, K)}
    assert (scene.gamma[scene.serving] > 0).all()
    assert (scene.p >= 0).all()
    assert ((scene.p**2 * scene.serving).sum(axis=1) <= 1 + 1e-14).all()
    assert (abs(scene.phi_bar) <= 1 + 1e-15).all()
    np.testing.assert_allclose(np.linalg.norm(scene.psi, axis=1), 1, rtol=1e-14)
    equal = p5_precoders.equal_weights(scene.serving)
    np.testing.assert_allclose((equal**2).sum(axis=1), scene.serving.any(axis=1), rtol=1e-14)


@every_scene
def test_letters_hold_the_first_two_moments(name):
    scene, x = SCENES[name], drawn(name)
    a, m, nu = p5_letters.letters(**scene.statistics())
    np.testing.assert_allclose(np.linalg.norm(a, axis=-1), np.sqrt(a.shape[2]), rtol=1e-14)
    N = a.shape[2]
    g = x.conj() / np.sqrt(N)  # P5's h is conj(x v) = g a
    beta = scene.gamma / N
    assert (abs(g.mean(axis=0) - m) <= 4 * np.sqrt(nu / DRAWS) + 1e-12 * np.sqrt(beta)).all()
    spread = (abs(g) ** 2).std(axis=0) / np.sqrt(DRAWS)
    assert (abs((abs(g) ** 2).mean(axis=0) - abs(m) ** 2 - nu) <= 4 * spread + 1e-12 * beta).all()
    np.testing.assert_allclose(abs(m) ** 2 + nu, beta, rtol=1e-14)
    there = m != 0
    np.testing.assert_allclose((m / p5_letters.phase(scene.phi_bar))[there], abs(m)[there], rtol=1e-12)


@every_scene
@pytest.mark.parametrize("scheme", FIXED)
def test_power_14_and_serving(name, scheme):
    scene = SCENES[name]
    W = precoder(name, scheme)
    assert np.isfinite(W).all()
    assert (W[~scene.serving] == 0).all()
    size = np.sqrt(scene.P)[:, None] * scene.p * scene.serving
    expected = size if scheme in ("smrt", "szf", "slnr") else size * W.any(axis=2)
    # slnr has no direction where its satellite has no power
    np.testing.assert_allclose(np.linalg.norm(W, axis=2), expected, rtol=1e-12)
    assert ((abs(W) ** 2).sum(axis=(1, 2)) <= scene.P * (1 + 1e-12)).all()
    if scheme in ("smrt_single", "slnr_single", "spot_beams"):
        assert (W.any(axis=2).sum(axis=0) <= 1).all()


@every_scene
def test_smrt_is_9_and_largest_gain_10(name):
    scene, rng = SCENES[name], rng_of(3)
    W = precoder(name, "smrt")
    served = scene.serving & (scene.p > 0) & (scene.P > 0)[:, None]
    for s, k in zip(*np.nonzero(served), strict=True):
        best = abs(scene.v[s, k] @ W[s, k])
        assert best == pytest.approx(np.linalg.norm(W[s, k]), rel=1e-14)
        other = rng.standard_normal(len(W[s, k])) + 1j * rng.standard_normal(len(W[s, k]))
        assert abs(scene.v[s, k] @ other) / np.linalg.norm(other) <= 1 + 1e-14
    if (scene.kappa > 0).all() and (scene.phi_bar != 0).all():  # else e^{j phi} has to come from the geometry
        equal = p5_precoders.equal_weights(scene.serving)
        ours = p5_precoders.smrt(**(scene.weighted() | {"p": equal}))
        same = p3_mmse.smrt(**scene.statistics(), P=scene.P, serving=scene.serving)
        np.testing.assert_allclose(ours, same, rtol=1e-13, atol=1e-15)


def condition(scene, s):
    """Smallest over largest singular value of A_l, 0 where there are more columns than rows."""
    A = scene.v[s, scene.gamma[s] > 0].T
    size = np.linalg.svd(A, compute_uv=False)
    return size[-1] / size[0] if A.shape[1] <= A.shape[0] else 0.0


@every_scene
def test_szf_nulls_interference_where_it_can_12(name):
    scene = SCENES[name]
    W = precoder(name, "szf")
    turn = p5_letters.phase(scene.phi_bar)
    for s, k in zip(*np.nonzero(scene.serving & (scene.p > 0) & (scene.P > 0)[:, None]), strict=True):
        w = W[s, k] / np.linalg.norm(W[s, k])
        gains = scene.v[s] @ w
        reach = scene.gamma[s] > 0
        if condition(scene, s) > 1e-8:
            others = reach & (np.arange(len(gains)) != k)
            # rounding of the inverse, refined: cond(A^H A) is 1e7 at most
            assert abs(gains[others]).max(initial=0) <= 1e-12
            # the gain is real and positive after the channel's own phase, as (22) has it
            assert (gains[k] / turn[s, k]).real > 0
            assert abs((gains[k] / turn[s, k]).imag) <= 1e-12 * abs(gains[k])
            z = np.linalg.pinv(scene.v[s, reach])[:, list(np.flatnonzero(reach)).index(k)]
            assert abs(np.vdot(z, w)) / np.linalg.norm(z) == pytest.approx(1, rel=1e-12)
        else:
            # least squares: among all directions no other has a better fit to e_k, up to its length
            A = scene.v[s, reach]
            e_k = (np.flatnonzero(reach) == k).astype(float)
            fit = A @ w
            left = 1 - abs(np.vdot(fit, e_k)) ** 2 / np.vdot(fit, fit).real
            best = 1 - (e_k @ A @ np.linalg.pinv(A) @ e_k).real
            assert left == pytest.approx(best, abs=1e-10)


def test_two_uts_at_one_place_share_a_direction():
    scene = SCENES["two_uts_at_one_place"]
    W = precoder(scene.name, "szf")
    for s in range(3):
        w = W[s, :2] / np.linalg.norm(W[s, :2], axis=1, keepdims=True)
        assert abs(np.vdot(w[0], w[1])) == pytest.approx(1, rel=1e-10)
        assert abs(scene.v[s, 2:] @ w[0]).max() <= 1e-12  # those elsewhere are spared
    with pytest.raises(ValueError, match="no inverse"):
        p5_rates.theorem_1_szf(**scene.weighted(), sigma2=scene.sigma2)


@every_scene
def test_loading_leads_from_szf_to_smrt(name):
    scene = SCENES[name]
    smrt = precoder(name, "smrt")
    heavy = p5_precoders.szf(**scene.weighted(), loading=1e9)
    np.testing.assert_allclose(heavy, smrt, atol=1e-7 * np.sqrt(scene.P.max()))  # 1/loading, K terms
    if all(condition(scene, s) > 1e-2 for s in range(len(scene.P))):
        light = p5_precoders.szf(**scene.weighted(), loading=1e-12)
        np.testing.assert_allclose(light, precoder(name, "szf"), atol=1e-6 * np.sqrt(scene.P.max()))


@every_scene
def test_szf_for_the_served_alone(name):
    scene = SCENES[name]
    W = p5_precoders.szf(**scene.weighted(), nulls="served")
    if scene.serving.all():
        np.testing.assert_array_equal(W, precoder(name, "szf"))
    alone = replace(scene, gamma=scene.gamma * scene.serving)
    np.testing.assert_array_equal(W, p5_precoders.szf(**alone.weighted()))
    with pytest.raises(ValueError, match="some"):
        p5_precoders.szf(**SCENES["plain_0"].weighted(), nulls="some")


@every_scene
def test_slnr_is_the_largest(name):
    scene, rng = SCENES[name], rng_of(4)
    W = precoder(name, "slnr")
    for s, k in zip(*np.nonzero(W.any(axis=2)), strict=True):
        q = scene.P[s] / scene.serving[s].sum()

        def slnr(w, s=s, k=k, q=q):
            powers = scene.gamma[s] * abs(scene.v[s] @ w) ** 2 / np.linalg.norm(w) ** 2
            return powers[k] / (np.delete(powers, k).sum() + scene.sigma2[k] / q)

        N = len(W[s, k])
        R = scene.sigma2[k] / q * np.eye(N, dtype=complex)
        for j in range(len(scene.sigma2)):
            if j != k:
                R += scene.gamma[s, j] * np.outer(scene.v[s, j].conj(), scene.v[s, j])
        own = scene.gamma[s, k] * np.outer(scene.v[s, k].conj(), scene.v[s, k])
        # largest eigenvalue of a pencil of rank one, double precision times the condition
        assert slnr(W[s, k]) == pytest.approx(np.trace(np.linalg.solve(R, own)).real, rel=1e-6)
        for _ in range(3):
            step = rng.standard_normal(N) + 1j * rng.standard_normal(N)
            other = W[s, k] / np.linalg.norm(W[s, k]) + 0.05 * step / np.linalg.norm(step)
            assert slnr(other) <= slnr(W[s, k]) * (1 + 1e-12)


@pytest.mark.parametrize("name", ["plain_0", "one_satellite_each", "pair_below_horizon", "orthogonal_directions"])
def test_slnr_goes_from_smrt_to_szf_with_the_power(name):
    scene = SCENES[name]
    weak = p5_precoders.slnr(**scene.weighted(), sigma2=1e6 * scene.sigma2)
    np.testing.assert_allclose(weak, precoder(name, "smrt"), atol=1e-2)  # leakage at most 1e-11/1e-8
    strong = p5_precoders.slnr(**scene.weighted(), sigma2=1e-9 * scene.sigma2)
    np.testing.assert_allclose(strong, precoder(name, "szf"), atol=1e-6)
    given = np.outer(scene.P, np.full(len(scene.sigma2), 0.2))
    shares = p5_precoders.slnr(**scene.weighted(), sigma2=scene.sigma2, q=given)
    assert np.isfinite(shares).all()
    if scene.serving.all() and len(scene.sigma2) == 5:  # q = P/K
        np.testing.assert_allclose(shares, precoder(name, "slnr"), rtol=1e-12)


@every_scene
def test_spot_beams_choose_the_largest_power(name):
    scene = SCENES[name]
    beams = p5_precoders.dft_beams(scene.shape)
    N = scene.v.shape[2]
    np.testing.assert_allclose(beams.conj() @ beams.T, np.eye(N), atol=1e-14)
    W, satellite, beam = p5_precoders.spot_beams(**scene.weighted(), beams=beams)
    power = scene.P[:, None, None] * (scene.gamma * scene.serving)[:, :, None] * abs(scene.v @ beams.T) ** 2
    for k in range(len(scene.sigma2)):
        if not power[:, k].any():
            assert (satellite[k], beam[k]) == (-1, -1)
            assert not W[:, k].any()
            continue
        assert power[satellite[k], k, beam[k]] == power[:, k].max()
        s = satellite[k]
        np.testing.assert_array_equal(W[s, k], np.sqrt(scene.P[s]) * scene.p[s, k] * beams[beam[k]])
    if name.startswith("orthogonal_directions"):  # each on its own beam: sMRT of the strongest but for a phase
        strongest = precoder(name, "smrt_single")
        np.testing.assert_allclose(abs((W.conj() * strongest).sum(axis=2)), (abs(strongest) ** 2).sum(axis=2))


@every_scene
@pytest.mark.parametrize("scheme", FIXED)
def test_use_and_forget_is_that_of_the_draws(name, scheme):
    scene, W = SCENES[name], precoder(name, scheme)
    gains = p5_rates.drawn_gains(drawn(name), scene.v, W)
    mean, variance = p5_rates.moments(**scene.statistics(), W=W)
    # how much a UT could receive, for the rounding
    scale = np.sqrt((scene.gamma[:, :, None] * (abs(W) ** 2).sum(axis=2)[:, None]).sum(axis=0)) + 1e-30
    assert (abs(gains.mean(axis=0) - mean) <= 4.5 * np.sqrt(variance / DRAWS) + 1e-12 * scale).all()
    power = abs(gains) ** 2
    spread = power.std(axis=0) / np.sqrt(DRAWS)
    assert (abs(power.mean(axis=0) - abs(mean) ** 2 - variance) <= 4.5 * spread + 1e-12 * scale**2).all()
    closed = p5_rates.use_and_forget(**scene.statistics(), sigma2=scene.sigma2, W=W)
    within_standard_errors(closed, *p5_rates.drawn_rates(gains, scene.sigma2), rounding=1e-10)
    if (scene.serving & (scene.kappa > 0)).any() and scheme == "smrt" and W.any() and scene.phi_bar.any():
        assert closed.max() > 0


@pytest.mark.parametrize("name", ["plain_0", "phase_imperfect", "one_ut"])
def test_drawn_rates_are_those_of_the_other_oracle(name):
    scene, W = SCENES[name], precoder(name, "smrt")
    x = drawn(name)[:60]
    rate, _ = p5_rates.drawn_rates(p5_rates.drawn_gains(x, scene.v, W), scene.sigma2)
    same = p3_rates.monte_carlo_rate(x, scene.v, scene.sigma2, W, "coherent", "mean_only")
    np.testing.assert_allclose(rate, same, rtol=1e-10)


@every_perfect_scene
def test_theorem_1_smrt(name):
    scene = SCENES[name]
    closed = p5_rates.theorem_1_smrt(**scene.weighted(), sigma2=scene.sigma2)
    same = p5_rates.use_and_forget(**scene.statistics(), sigma2=scene.sigma2, W=precoder(name, "smrt"))
    np.testing.assert_allclose(closed, same, rtol=1e-10, atol=1e-14)
    b, c, d = p5_rates.coefficients_28(**scene.statistics(), P=scene.P)
    np.testing.assert_allclose(p5_rates.rate_27(b, c, d, scene.p * scene.serving, scene.sigma2), closed, rtol=1e-10)
    gains = p5_rates.drawn_gains(drawn(name), scene.v, precoder(name, "smrt"))
    within_standard_errors(closed, *p5_rates.drawn_rates(gains, scene.sigma2), rounding=1e-10)


@every_perfect_scene
def test_theorem_1_szf(name):
    scene = SCENES[name]
    if any(scene.serving[s].any() and condition(scene, s) < 1e-8 for s in range(len(scene.P))):
        with pytest.raises(ValueError, match="no inverse"):
            p5_rates.theorem_1_szf(**scene.weighted(), sigma2=scene.sigma2)
        return
    closed = p5_rates.theorem_1_szf(**scene.weighted(), sigma2=scene.sigma2)
    W = precoder(name, "szf")
    same = p5_rates.use_and_forget(**scene.statistics(), sigma2=scene.sigma2, W=W)
    np.testing.assert_allclose(closed, same, rtol=1e-9, atol=1e-14)
    gains = p5_rates.drawn_gains(drawn(name), scene.v, W)
    within_standard_errors(closed, *p5_rates.drawn_rates(gains, scene.sigma2), rounding=1e-10)


@every_perfect_scene
def test_theorem_2(name):
    scene = SCENES[name]
    _, W = instantaneous(name)
    closed = p5_rates.theorem_2(**scene.weighted(), sigma2=scene.sigma2, **scene.training())
    gains = p5_rates.drawn_gains(drawn(name), scene.v, W)
    within_standard_errors(closed, *p5_rates.drawn_rates(gains, scene.sigma2), rounding=1e-9)
    mean, variance = p5_rates.imrt_moments(**scene.weighted(), **scene.training())
    scale = np.sqrt((scene.gamma * scene.P[:, None]).sum(axis=0)).max()
    assert (abs(gains.mean(axis=0) - mean) <= 4.5 * np.sqrt(variance / DRAWS) + 1e-12 * scale).all()
    spread = (abs(gains - mean) ** 2).std(axis=0) / np.sqrt(DRAWS)
    seen = (abs(gains - mean) ** 2).mean(axis=0)
    assert (abs(seen - variance) <= 4.5 * spread + 1e-12 * scale**2).all()
    own = np.diag(abs(mean) ** 2)
    unwanted = variance.sum(axis=1) + (abs(mean) ** 2).sum(axis=1) - own + scene.sigma2
    np.testing.assert_allclose(closed, np.log2(1 + own / unwanted), rtol=1e-9, atol=1e-13)


@every_perfect_scene
def test_imrt_power_and_estimate(name):
    scene, (h_hat, W) = SCENES[name], instantaneous(name)
    x = drawn(name)
    size2 = (abs(W) ** 2).sum(axis=3)
    expected = scene.P[:, None] * scene.p**2 * scene.serving
    error = size2.std(axis=0) / np.sqrt(DRAWS)
    assert (abs(size2.mean(axis=0) - expected) <= 4.5 * error + 1e-12 * expected).all()
    # MMSE: the error is orthogonal to the estimate's innovation, and its power is nu (1 - x_kk)
    a, m, nu = p5_letters.letters(**scene.statistics())
    x_kk = p5_precoders.x_of(**scene.statistics(), **scene.training())
    for s in range(len(scene.P)):
        for k in range(len(scene.sigma2)):
            share = x_kk[s, k, k]
            assert abs(share.imag) <= 1e-12
            assert -1e-15 <= share.real <= 1
            g_hat = (h_hat[:, s, k] * a[s, k].conj()).mean(axis=1)
            np.testing.assert_allclose(g_hat[:, None] * a[s, k], h_hat[:, s, k], rtol=1e-9, atol=1e-30)
            off = x[:, s, k].conj() / np.sqrt(a.shape[2]) - g_hat
            left = nu[s, k] * (1 - share.real)
            assert abs((abs(off) ** 2).mean() - left) <= 4.5 * left / np.sqrt(DRAWS) + 1e-12 * scene.gamma[s, k]
            cross = (off.conj() * (g_hat - m[s, k])).mean()
            bound = 4.5 * np.sqrt(left * nu[s, k] * share.real / DRAWS)
            assert abs(cross) <= bound + 1e-12 * scene.gamma[s, k]


def test_theorem_2_tends_to_theorem_1_without_pilots_and_without_scattering():
    scene = SCENES["plain_1"]
    smrt = p5_rates.theorem_1_smrt(**scene.weighted(), sigma2=scene.sigma2)
    blind = p5_rates.theorem_2(**scene.weighted(), sigma2=scene.sigma2, **(scene.training() | {"eta_t": 1e-14}))
    np.testing.assert_allclose(blind, smrt, rtol=1e-9)  # x is 1e-13
    scene = SCENES["kappa_infinite"]
    smrt = p5_rates.theorem_1_smrt(**scene.weighted(), sigma2=scene.sigma2)
    exact = p5_rates.theorem_2(**scene.weighted(), sigma2=scene.sigma2, **scene.training())
    np.testing.assert_allclose(exact, smrt, rtol=1e-12)


@pytest.mark.parametrize("name", ["orthogonal_directions", "orthogonal_directions_as_many_as_antennas"])
def test_proposition_1_where_directions_are_orthogonal(name):
    scene = SCENES[name]
    given = scene.weighted() | {"sigma2": scene.sigma2}
    statistical, with_pilots = p5_rates.proposition_1(**given, eta_t=scene.eta_t, sigma2_up=scene.sigma2_up)
    for closed in (p5_rates.theorem_1_smrt(**given), p5_rates.theorem_1_szf(**given)):
        np.testing.assert_allclose(closed, statistical, rtol=1e-12)
    np.testing.assert_allclose(p5_rates.theorem_2(**given, **scene.training()), with_pilots, rtol=1e-12)


def test_theorem_3_statistical_csi_beats_pilots_at_high_snr():
    # (kappa - 3) eta N nu / sigma^2 >= 1 for all links, noise far below the scattered power
    scene = replace(SCENES["orthogonal_directions"], sigma2=np.full(5, 1e-20))
    scene = replace(scene, kappa=np.maximum(scene.kappa, 5.0))
    _, _, nu = p5_letters.letters(**scene.statistics())
    assert ((scene.kappa - 3) * scene.eta_t * 16 * nu / scene.sigma2_up).min() >= 1
    given = scene.weighted() | {"sigma2": scene.sigma2}
    statistical, with_pilots = p5_rates.proposition_1(**given, eta_t=scene.eta_t, sigma2_up=scene.sigma2_up)
    assert (statistical > with_pilots).all()
    weak = scene.weighted() | {"kappa": np.full_like(scene.kappa, 0.1), "sigma2": np.full(5, 1e-10)}
    statistical, with_pilots = p5_rates.proposition_1(**weak, eta_t=scene.eta_t, sigma2_up=scene.sigma2_up)
    assert (statistical < with_pilots).all()  # and not where its conditions fail


def test_what_is_printed_in_11_22_and_51_disagrees_with_the_draws():
    # (11) without e^{j phi}: the satellites no longer add in phase
    scene = SCENES["plain_0"]
    W = precoder("plain_0", "szf") * p5_letters.phase(scene.phi_bar).conj()[:, :, None]
    bare = p5_rates.use_and_forget(**scene.statistics(), sigma2=scene.sigma2, W=W)
    with_phase = p5_rates.theorem_1_szf(**scene.weighted(), sigma2=scene.sigma2)
    assert (bare < with_phase - 0.1).any()
    # (22) without rho_t/N before the second sum
    W = precoder("plain_0", "smrt")
    mean, variance = p5_rates.moments(**scene.statistics(), W=W)
    rate, error = p5_rates.drawn_rates(p5_rates.drawn_gains(drawn("plain_0"), scene.v, W), scene.sigma2)
    known = abs(mean) ** 2
    own = np.diag(known)
    printed = np.log2(1 + own / (variance.sum(axis=1) + 16 * (known.sum(axis=1) - own) + scene.sigma2))
    assert (abs(printed - rate) > 10 * error).any()
    # (51) with nu_{l,j} before the first bracket, where (79) has nu_{l,k}
    given = scene.statistics() | scene.training()
    x, (a, _, nu) = p5_precoders.x_of(**given), p5_letters.letters(**scene.statistics())
    gains = p5_rates.drawn_gains(drawn("plain_0"), scene.v, instantaneous("plain_0")[1])
    x_jj = np.array([np.diag(x_s).real for x_s in x])
    seen = gains.var(axis=0)
    spread = 4.5 * (abs(gains - gains.mean(axis=0)) ** 2).std(axis=0) / np.sqrt(DRAWS)
    for index, right in (("k", True), ("j", False)):
        closed = np.zeros((5, 5))
        for k in range(5):
            for j in range(5):
                bracket = 1 + scene.kappa[:, k] * x_jj[:, j] / (scene.kappa[:, j] + x_jj[:, j])
                inner = abs((a[:, k].conj() * a[:, j]).sum(axis=1)) ** 2
                closed[k, j] = (
                    scene.P * scene.p[:, j] ** 2 * nu[:, k if index == "k" else j] / 16 * bracket * inner
                ).sum()
        assert (abs(closed - seen) <= spread).all() == right


def test_a_phase_error_shrinks_the_mean_and_is_not_for_the_theorems():
    scene = SCENES["phase_imperfect"]
    given = scene.weighted() | {"sigma2": scene.sigma2}
    for refuses in (
        lambda: p5_rates.theorem_1_smrt(**given),
        lambda: p5_rates.theorem_1_szf(**given),
        lambda: p5_rates.theorem_2(**given, **scene.training()),
    ):
        with pytest.raises(ValueError, match="not perfect"):
            refuses()
    rate = p5_rates.use_and_forget(**scene.statistics(), sigma2=scene.sigma2, W=precoder(scene.name, "smrt"))
    perfect = replace(scene, phi_bar=scene.phi_bar / abs(scene.phi_bar))
    assert (rate < p5_rates.theorem_1_smrt(**perfect.weighted(), sigma2=scene.sigma2)).any()
    nothing = SCENES["phase_imperfect_random"]
    W = precoder(nothing.name, "smrt")
    assert not p5_rates.use_and_forget(**nothing.statistics(), sigma2=nothing.sigma2, W=W).any()


@pytest.mark.parametrize("name", ["one_satellite", "one_satellite_one_ut", "phase_imperfect"])
def test_one_satellite_use_and_forget_is_ap2(name):
    # one satellite: coherent and independent interference are one, and the mean-only receiver is (39)
    scene = SCENES[name]
    alone = slice(0, 1)
    stat = {f: getattr(scene, f)[alone] for f in ("gamma", "kappa", "v", "phi_bar")}
    W = precoder(name, "smrt")[alone]
    rate = p5_rates.use_and_forget(**stat, sigma2=scene.sigma2, W=W)
    np.testing.assert_allclose(rate, p3_rates.ap2(**stat, sigma2=scene.sigma2, W=W), rtol=1e-10)


@every_scene
def test_strongest(name):
    scene = SCENES[name]
    mask = p5_precoders.strongest(scene.gamma, scene.P, scene.serving)
    power = scene.P[:, None] * scene.gamma * scene.serving
    assert (mask.sum(axis=0) == (power > 0).any(axis=0)).all()
    for k in np.flatnonzero(mask.any(axis=0)):
        assert power[mask[:, k], k] == power[:, k].max()


def test_pilots_are_reused_in_turn():
    psi = p5_precoders.pilots(6, 4)
    overlap = abs(psi @ psi.conj().T)
    np.testing.assert_allclose(overlap, np.arange(6)[:, None] % 4 == np.arange(6) % 4, atol=1e-14)
