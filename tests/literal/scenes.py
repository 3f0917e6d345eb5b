"""Small named scenes, each seeded by its own name, so that adding one shifts no other."""

import zlib
from dataclasses import dataclass, replace

import numpy as np

ZETA2 = (0.0, 0.1, 0.5, 2.0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Scene:
    """Inputs of the precoders, in the papers' letters."""

    name: str
    shape: tuple[int, int]
    """(N_v, N_h), N = N_v N_h."""
    cosines: np.ndarray
    """(S,K,2): cos(theta_y) for N_v and sin(theta_y) cos(theta_x) for N_h, as P3 (2)."""
    v: np.ndarray
    """(S,K,N) steering vectors of unit norm."""
    gamma: np.ndarray
    """(S,K) mean channel power."""
    kappa: np.ndarray
    """(S,K) Rician factor, 0 to infinity."""
    phi_bar: np.ndarray
    """(S,K) mean of the residual phase factor."""
    P: np.ndarray
    """(S,) W."""
    sigma2: np.ndarray
    """(K,) W."""
    beta: np.ndarray
    """(K,) rate weights."""
    serving: np.ndarray
    """(S,K) bool."""

    def statistics(self):
        return {"gamma": self.gamma, "kappa": self.kappa, "v": self.v, "phi_bar": self.phi_bar}

    def problem(self):
        rest = {name: getattr(self, name) for name in ("P", "sigma2", "beta", "serving")}
        return self.statistics() | rest


def uniform(n, x):
    """P3 (3)."""
    return np.exp(-1j * np.pi * np.arange(n) * x) / np.sqrt(n)


def steering(cosines, shape):
    """P3 (2) for cosines (S,K,2)."""
    S, K, _ = cosines.shape
    v = np.zeros((S, K, shape[0] * shape[1]), complex)
    for s in range(S):
        for k in range(K):
            v[s, k] = np.kron(uniform(shape[0], cosines[s, k, 0]), uniform(shape[1], cosines[s, k, 1]))
    return v


def _random(name, S, K, shape):
    rng = np.random.default_rng(zlib.crc32(name.encode()))
    radius, angle = 0.8 * np.sqrt(rng.random((S, K))), 2 * np.pi * rng.random((S, K))
    cosines = np.stack([radius * np.cos(angle), radius * np.sin(angle)], axis=-1)
    return Scene(
        name=name,
        shape=shape,
        cosines=cosines,
        v=steering(cosines, shape),
        gamma=1e-12 * 10 ** rng.uniform(-1, 1, (S, K)),
        kappa=10 ** rng.uniform(0, 3, (S, K)),
        phi_bar=np.exp(-rng.choice(ZETA2, (S, K)) / 2),
        P=np.ones(S),
        sigma2=np.full(K, 1e-16),
        beta=np.ones(K),
        serving=np.ones((S, K), bool),
    )


def _put(array, index, value):
    out = array.copy()
    out[index] = value
    return out


def _nearest(scene, count):
    """Each UT served by the `count` satellites of largest gamma."""
    rank = (-scene.gamma).argsort(axis=0).argsort(axis=0)
    return replace(scene, serving=rank < count)


def _one_place(scene):
    """UT 1 moves to where UT 0 is."""
    cosines = _put(scene.cosines, (slice(None), 1), scene.cosines[:, 0])
    gamma = _put(scene.gamma, (slice(None), 1), scene.gamma[:, 0])
    return replace(scene, cosines=cosines, gamma=gamma, v=steering(cosines, scene.shape))


def _ordinary():
    four = (4, 4)
    yield from (_random(f"plain_{i}", 3, 5, four) for i in range(3))
    yield _random("largest", 4, 8, (6, 6))
    yield _random("one_satellite", 1, 5, four)
    yield _random("one_ut", 3, 1, four)
    yield _random("one_satellite_one_ut", 1, 1, four)
    yield _random("one_antenna", 3, 3, (1, 1))
    yield _random("linear_array", 2, 4, (1, 8))
    yield _random("more_uts_than_antennas", 2, 7, (2, 2))
    yield _random("more_uts_than_antennas_one_satellite", 1, 8, (2, 2))
    yield _one_place(_random("two_uts_at_one_place", 3, 4, four))
    twins = _one_place(_random("twins_alike_in_everything", 2, 3, four))
    same = {f: _put(getattr(twins, f), (slice(None), 1), getattr(twins, f)[:, 0]) for f in ("kappa", "phi_bar")}
    yield replace(twins, **same)


def _clusters():
    four = (4, 4)
    yield _nearest(_random("partial_clusters", 4, 8, (6, 6)), 2)
    yield _nearest(_random("one_satellite_each", 3, 6, four), 1)
    scene = _random("satellite_serves_nobody", 3, 5, four)
    yield replace(scene, serving=_put(scene.serving, 1, False))
    scene = _random("ut_nobody_serves", 3, 5, four)
    yield replace(scene, serving=_put(scene.serving, (slice(None), 2), False))
    scene = _random("nobody_serves_anybody", 2, 3, four)
    yield replace(scene, serving=np.zeros_like(scene.serving))
    scene, pair = _random("pair_below_horizon", 3, 5, four), (1, 3)
    yield replace(scene, gamma=_put(scene.gamma, pair, 0), serving=_put(scene.serving, pair, False))
    scene, ut = _random("ut_sees_nobody", 3, 4, four), (slice(None), 0)
    yield replace(scene, gamma=_put(scene.gamma, ut, 0), serving=_put(scene.serving, ut, False))


def _channels():
    four = (4, 4)
    for name, kappa in (("kappa_infinite", np.inf), ("kappa_zero", 0.0)):
        scene = _random(name, 3, 5, four)
        yield replace(scene, kappa=np.full_like(scene.kappa, kappa))
    scene = _random("kappa_mixed", 3, 5, four)
    kappa = _put(_put(scene.kappa, (0, slice(None)), np.inf), (1, slice(0, 3)), 0)
    yield replace(scene, kappa=_put(kappa, (slice(None), 4), 0))  # UT 4 has no mean at all
    for name, phi_bar in (("phase_random", 0.0), ("phase_perfect", 1.0)):
        scene = _random(name, 3, 5, four)
        yield replace(scene, phi_bar=np.full_like(scene.phi_bar, phi_bar))
    scene = _random("perfect_csi", 3, 5, four)
    yield replace(scene, kappa=np.full_like(scene.kappa, np.inf), phi_bar=np.ones_like(scene.phi_bar))


def _budgets():
    four = (4, 4)
    for name, power in (("power_very_high", 1e6), ("power_very_low", 1e-6)):
        yield replace(_random(name, 3, 5, four), P=np.full(3, power))
    yield replace(_one_place(_random("two_uts_at_one_place_power_high", 3, 4, four)), P=np.full(3, 1e3))
    yield replace(_random("power_zero_on_one_satellite", 3, 5, four), P=np.array([1.0, 0.0, 1.0]))
    scene = _random("ut_of_a_satellite_without_power", 3, 4, four)
    yield replace(scene, P=np.array([1.0, 0.0, 1.0]), serving=_put(scene.serving, ([0, 2], [3, 3]), False))
    yield replace(_random("powers_unequal", 3, 5, four), P=np.array([0.05, 1.0, 20.0]))
    yield replace(_random("noise_unequal", 3, 5, four), sigma2=1e-16 * 10 ** np.array([-1, -0.5, 0, 0.5, 1]))
    yield replace(_random("weights_unequal", 3, 5, four), beta=np.array([0.1, 0.5, 1, 2, 10]))


def scenes():
    """All of them, as a tuple of `Scene`."""
    return (*_ordinary(), *_clusters(), *_channels(), *_budgets())
