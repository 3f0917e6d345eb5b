"""Named scenes with P5's additional givens: power weights, pilots; LoS phases at random."""

import zlib
from dataclasses import dataclass, replace

import numpy as np

from .p5_precoders import pilots
from .scenes import Scene, steering


@dataclass(frozen=True, slots=True, kw_only=True)
class CellFreeScene(Scene):
    """A `Scene` whose phi_bar holds the LoS phase too, with modulus 1 but in the scenes named imperfect."""

    p: np.ndarray
    """(S,K) power weights, sum over the served at most 1 in square."""
    psi: np.ndarray
    """(K,tau_p) pilots."""
    eta_t: float
    """W, power of a UT's pilot."""
    sigma2_up: float
    """W, noise of one antenna of a satellite."""

    def weighted(self):
        return self.statistics() | {"P": self.P, "p": self.p, "serving": self.serving}

    def training(self):
        return {"psi": self.psi, "eta_t": self.eta_t, "sigma2_up": self.sigma2_up}


def draws(scene, D, rng):
    """x (D,S,K), h = x v: (8), turned by a Gaussian phase where |phi_bar| < 1, by any where it is 0."""
    shape = (D, *scene.gamma.shape)
    alpha = (rng.standard_normal(shape) + 1j * rng.standard_normal(shape)) / np.sqrt(2)
    normal, anywhere = rng.standard_normal(shape), rng.uniform(-np.pi, np.pi, shape)
    line = np.ones_like(scene.kappa)
    np.divide(scene.kappa, scene.kappa + 1, out=line, where=np.isfinite(scene.kappa))
    size = np.where(scene.phi_bar == 0, 1, abs(scene.phi_bar))
    zeta = np.sqrt(-2 * np.log(np.where(abs(size - 1) < 1e-12, 1, size)))
    residual = np.exp(1j * np.where(scene.phi_bar == 0, anywhere, zeta * normal))
    turn = (1 + 1j) / np.sqrt(2) * np.exp(1j * np.angle(scene.phi_bar))
    return np.sqrt(scene.gamma) * (np.sqrt(line) * turn + np.sqrt(1 - line) * alpha) * residual


def _weights(rng, serving, share=1.0):
    """At random, `share` of each satellite's power."""
    p2 = rng.uniform(0.1, 1, serving.shape) * serving
    return np.sqrt(share * p2 / np.maximum(p2.sum(axis=1), 1e-300)[:, None])


def _random(name, S, K, shape=(4, 4), tau_p=4):
    rng = np.random.default_rng(zlib.crc32(("cell-free " + name).encode()))
    radius, angle = 0.8 * np.sqrt(rng.random((S, K))), 2 * np.pi * rng.random((S, K))
    cosines = np.stack([radius * np.cos(angle), radius * np.sin(angle)], axis=-1)
    serving = np.ones((S, K), bool)
    return CellFreeScene(
        name=name,
        shape=shape,
        cosines=cosines,
        v=steering(cosines, shape),
        gamma=1e-12 * 10 ** rng.uniform(-1, 1, (S, K)),
        kappa=10 ** rng.uniform(0, 2.5, (S, K)),
        phi_bar=np.exp(2j * np.pi * rng.random((S, K))),
        P=np.ones(S),
        sigma2=np.full(K, 1e-14),
        beta=np.ones(K),
        serving=serving,
        p=_weights(rng, serving),
        psi=pilots(K, tau_p),
        eta_t=0.3,
        sigma2_up=1e-14,
    )


def _put(array, index, value):
    out = array.copy()
    out[index] = value
    return out


def _serve(scene, serving):
    return replace(scene, serving=serving, p=_weights(np.random.default_rng(7), serving))


def _towards(scene, cosines):
    return replace(scene, cosines=cosines, v=steering(cosines, scene.shape))


def _moved(scene, apart):
    """UT 1 moves to `apart` (in direction cosines) from UT 0, seen from every satellite."""
    return _towards(scene, _put(scene.cosines, (slice(None), 1), scene.cosines[:, 0] + apart))


def _on_grid(scene):
    """Every UT of a satellite in a direction of its own of the orthogonal grid."""
    rng, (n_v, n_h) = np.random.default_rng(8), scene.shape
    S, K = scene.gamma.shape
    cosines = np.zeros((S, K, 2))
    for s in range(S):
        for k, cell in enumerate(rng.permutation(n_v * n_h)[:K]):
            cosines[s, k] = -1 + (2 * (cell // n_h) + 1) / n_v, -1 + (2 * (cell % n_h) + 1) / n_h
    return _towards(scene, cosines)


def _ordinary():
    yield from (_random(f"plain_{i}", 3, 5) for i in range(3))
    yield _random("largest", 4, 8, (5, 5))
    yield _random("one_satellite", 1, 5)
    yield _random("one_ut", 3, 1)
    yield _random("one_satellite_one_ut", 1, 1)
    yield _random("one_antenna", 3, 3, (1, 1))
    yield _random("linear_array", 2, 4, (1, 8))
    yield _random("more_uts_than_antennas", 2, 7, (2, 2))
    yield _random("more_uts_than_antennas_one_satellite", 1, 8, (2, 2))
    yield _moved(_random("two_uts_at_one_place", 3, 4), 0.0)
    yield _moved(_random("two_uts_nearly_at_one_place", 3, 4), 1e-3)
    twins = _moved(_random("twins_alike_in_everything", 2, 3), 0.0)
    same = {
        f: _put(getattr(twins, f), (slice(None), 1), getattr(twins, f)[:, 0])
        for f in ("gamma", "kappa", "phi_bar", "p")
    }
    share = np.sqrt((same["p"] ** 2).sum(axis=1, keepdims=True))
    yield replace(twins, **(same | {"p": same["p"] / share}))
    yield _on_grid(_random("orthogonal_directions", 3, 5))
    yield _on_grid(_random("orthogonal_directions_as_many_as_antennas", 2, 8, (2, 4)))


def _clusters():
    scene = _random("partial_clusters", 4, 8, (5, 5))
    yield _serve(scene, (-scene.gamma).argsort(axis=0).argsort(axis=0) < 2)
    scene = _random("one_satellite_each", 3, 6)
    yield _serve(scene, (-scene.gamma).argsort(axis=0).argsort(axis=0) < 1)
    scene = _random("satellite_serves_nobody", 3, 5)
    yield _serve(scene, _put(scene.serving, 1, False))
    scene = _random("ut_nobody_serves", 3, 5)
    yield _serve(scene, _put(scene.serving, (slice(None), 2), False))
    scene = _random("nobody_serves_anybody", 2, 3)
    yield _serve(scene, np.zeros_like(scene.serving))
    scene, pair = _random("pair_below_horizon", 3, 5), (1, 3)
    yield replace(_serve(scene, _put(scene.serving, pair, False)), gamma=_put(scene.gamma, pair, 0.0))
    scene, ut = _random("ut_sees_nobody", 3, 4), (slice(None), 0)
    yield replace(_serve(scene, _put(scene.serving, ut, False)), gamma=_put(scene.gamma, ut, 0.0))


def _channels():
    for name, kappa in (("kappa_zero", 0.0), ("kappa_infinite", np.inf), ("kappa_30_db", 1e3)):
        scene = _random(name, 3, 5)
        yield replace(scene, kappa=np.full_like(scene.kappa, kappa))
    scene = _random("kappa_mixed", 3, 5)
    kappa = _put(_put(scene.kappa, (0, slice(None)), np.inf), (1, slice(0, 3)), 0.0)
    yield replace(scene, kappa=_put(kappa, (slice(None), 4), 0.0))  # UT 4 has no mean at all
    scene = _random("phases_alike", 3, 5)
    yield replace(scene, phi_bar=np.ones_like(scene.phi_bar))
    for name, zeta2 in (("phase_imperfect", 0.5), ("phase_imperfect_random", np.inf)):
        scene = _random(name, 3, 5)
        yield replace(scene, phi_bar=np.exp(-zeta2 / 2) * scene.phi_bar)


def _budgets():
    yield replace(_random("powers_unequal", 3, 5), P=np.array([0.05, 1.0, 20.0]))
    yield replace(_random("power_zero_on_one_satellite", 3, 5), P=np.array([1.0, 0.0, 1.0]))
    yield replace(_random("noise_unequal", 3, 5), sigma2=1e-14 * 10 ** np.array([-1, -0.5, 0, 0.5, 1]))
    yield replace(_random("noise_high", 3, 5), sigma2=np.full(5, 1e-10))
    scene = _random("some_weights_zero", 3, 5)
    yield replace(scene, p=_put(_put(scene.p, (0, slice(0, 3)), 0.0), (slice(None), 4), 0.0))
    scene = _random("weights_of_a_satellite_zero", 3, 5)
    yield replace(scene, p=_put(scene.p, 2, 0.0))
    scene = _random("all_weights_zero", 2, 3)
    yield replace(scene, p=np.zeros_like(scene.p))
    scene = _random("weights_leave_power_unused", 3, 5)
    yield replace(scene, p=0.5 * scene.p)


def _training():
    yield _random("pilots_orthogonal", 3, 5, tau_p=8)
    yield _random("one_pilot_for_all", 3, 5, tau_p=1)
    scene = _random("pilots_not_orthogonal", 3, 5, tau_p=3)
    rng = np.random.default_rng(9)
    psi = rng.standard_normal((5, 3)) + 1j * rng.standard_normal((5, 3))
    scene = replace(scene, psi=psi / np.linalg.norm(psi, axis=1, keepdims=True))
    yield scene
    # neighbours, so that the array does not tell apart what the pilots mix up
    mixed = _moved(replace(scene, name="pilots_mix_up_neighbours"), 0.02)
    yield replace(mixed, kappa=0.01 * scene.kappa)
    yield replace(_random("pilots_weak", 3, 5), eta_t=1e-4)
    yield replace(_random("pilots_strong", 3, 5, tau_p=8), eta_t=1e3)


def cell_free_scenes():
    """All of them, as a tuple of `CellFreeScene`."""
    return (*_ordinary(), *_clusters(), *_channels(), *_budgets(), *_training())
