"""Small named scenes for P1's algorithms, each seeded by its own name, so that adding one shifts no other."""

import zlib
from dataclasses import dataclass, replace

import numpy as np

from . import p1_channel
from .p1_joint import per_antenna, total_power

ORTHOGONAL = (-0.9, -0.4, 0.1, 0.6)
"""Sines of Fig. 2's angles of arrival."""
NOT_ORTHOGONAL = (-0.340, -0.119, 0.119, 0.340)
"""Sines of Fig. 3's."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Scene:
    """One problem in P1's letters."""

    name: str
    M: int
    N: int
    S: int
    sin_theta: np.ndarray
    """(L,K) sines of the angles of arrival."""
    sin_phi: np.ndarray
    """(L,K) sines of the angles of departure."""
    beta: np.ndarray
    """(L,K) E|gamma|^2; array gains are not in it."""
    kappa: np.ndarray
    """(L,K) Rician factor, 0 to infinity; the precoders do not depend on it."""
    sigma2: np.ndarray
    """(K,) W."""
    constraints: list
    """constraints[l] = [(A (N,N), rho in W), ...]."""
    serving: np.ndarray
    """(L,K) bool."""

    @property
    def b(self):
        return p1_channel.response(self.M, self.sin_theta)

    @property
    def a(self):
        return p1_channel.response(self.N, self.sin_phi)

    @property
    def H(self):
        """(L,K,M,N) effective matrices."""
        return p1_channel.effective(self.beta, self.b, self.a)

    @property
    def rho(self):
        """(L,) caps, where every satellite has one constraint on its total power; else None."""
        one = all(len(c) == 1 and np.array_equal(c[0][0], np.eye(self.N)) for c in self.constraints)
        return np.array([c[0][1] for c in self.constraints]) if one else None

    def problem(self):
        """Arguments of `joint`."""
        return {"H": self.H, "sigma2": self.sigma2, "constraints": self.constraints, "S": self.S} | {
            "active": self.serving
        }


def _random(name, L, K, N, M, S, snr=1.0):
    """A mean power per antenna pair of `snr` times the noise at 1 W, over one decade."""
    rng = np.random.default_rng(zlib.crc32(name.encode()))
    return Scene(
        name=name,
        M=M,
        N=N,
        S=S,
        sin_theta=rng.uniform(-1, 1, (L, K)),
        sin_phi=rng.uniform(-1, 1, (L, K)),
        beta=snr * 1e-13 * 10 ** rng.uniform(-0.5, 0.5, (L, K)),
        kappa=np.full((L, K), 10**1.2),
        sigma2=np.full(K, 1e-13),
        constraints=total_power(np.ones(L), N),
        serving=np.ones((L, K), bool),
    )


def _put(array, index, value):
    out = array.copy()
    out[index] = value
    return out


def _one_place(scene):
    """UE 1 moves to where UE 0 is."""
    at = (slice(None), 1)
    moved = {f: _put(getattr(scene, f), at, getattr(scene, f)[:, 0]) for f in ("sin_theta", "sin_phi", "beta")}
    return replace(scene, **moved)


def _caps(scene, rho):
    return replace(scene, constraints=total_power(np.asarray(rho, float), scene.N))


def _ordinary():
    for S in (1, 2, 3):
        yield _random(f"plain_{S}_streams", 3, 3, 16, 4, S)
    yield _random("largest", 4, 4, 16, 4, 2)
    yield _random("one_satellite", 1, 3, 8, 4, 1)
    yield _random("one_satellite_two_streams", 1, 2, 8, 4, 2)
    yield _random("one_ut", 3, 1, 8, 4, 2)
    yield _random("one_satellite_one_ut", 1, 1, 8, 2, 1)
    yield _random("one_ut_antenna", 2, 3, 8, 1, 1)
    yield _random("more_uts_than_antennas", 3, 4, 2, 4, 2)
    yield _random("one_antenna", 2, 2, 1, 2, 1)
    yield _one_place(_random("coincident_uts", 3, 3, 8, 4, 2))
    scene = _random("one_arrival", 3, 2, 8, 4, 1)
    yield replace(scene, sin_theta=np.broadcast_to(scene.sin_theta[0], scene.sin_theta.shape).copy())
    scene = _random("close_uts", 4, 2, 16, 4, 2)
    rng = np.random.default_rng(zlib.crc32(b"drift"))
    drift = {f: getattr(scene, f)[:, :1] + [0, 0.02] * rng.uniform(-1, 1, (4, 1)) for f in ("sin_theta", "sin_phi")}
    yield replace(scene, **drift)


def _masks():
    scene = _random("partial_clusters", 4, 4, 16, 4, 2)
    rank = (-scene.beta).argsort(axis=0).argsort(axis=0)
    yield replace(scene, serving=rank < 2)
    scene = _random("satellite_serves_nobody", 3, 3, 8, 4, 2)
    yield replace(scene, serving=_put(scene.serving, 1, False))
    scene = _random("ut_nobody_serves", 3, 3, 8, 4, 2)
    yield replace(scene, serving=_put(scene.serving, (slice(None), 2), False))
    scene = _random("pair_below_horizon", 3, 3, 8, 4, 2)
    yield replace(scene, beta=_put(scene.beta, (1, 2), 0), serving=_put(scene.serving, (1, 2), False))


def _channels():
    for name, kappa in (("kappa_zero", 0.0), ("kappa_infinite", np.inf)):
        scene = _random(name, 3, 2, 8, 4, 2)
        yield replace(scene, kappa=np.full_like(scene.kappa, kappa))
    for name, sines in (("orthogonal_arrivals", ORTHOGONAL), ("figure_3_arrivals", NOT_ORTHOGONAL)):
        scene = _random(name, 4, 1, 16, 4, 4)
        yield replace(scene, sin_theta=np.array(sines)[:, None])
    scene = _random("orthogonal_arrivals_two_uts", 4, 2, 16, 4, 4)
    yield replace(scene, sin_theta=np.repeat(np.array(ORTHOGONAL)[:, None], 2, axis=1))


def _budgets():
    yield _caps(_random("power_zero", 3, 3, 8, 4, 2), np.zeros(3))
    yield _caps(_random("power_zero_on_one_satellite", 3, 3, 8, 4, 2), [1, 0, 1])
    yield _caps(_random("power_very_low", 3, 3, 8, 4, 2), np.full(3, 1e-6))
    yield _caps(_random("power_very_high", 3, 3, 8, 4, 2), np.full(3, 1e6))
    yield _caps(_random("powers_unequal", 3, 3, 8, 4, 2), [0.05, 1, 20])
    scene = _random("noise_unequal", 3, 3, 8, 4, 2)
    yield replace(scene, sigma2=1e-13 * np.array([0.1, 1, 10]))


def _projection(scene, l, k, rho):
    """At most rho towards UE k: A = conj(a) a^T."""
    return np.outer(scene.a[l, k].conj(), scene.a[l, k]), rho


def _constraints():
    scene = _random("per_antenna", 2, 2, 4, 4, 2)
    yield replace(scene, constraints=per_antenna(np.full((2, 4), 0.25)))
    scene = _random("per_antenna_unequal", 2, 3, 5, 4, 2)
    yield replace(scene, constraints=per_antenna(np.outer([1, 0.5], 1 / np.arange(3, 8))))
    scene = _random("total_and_per_antenna", 2, 2, 4, 2, 2)
    both = [[*c, (np.eye(4), 0.7)] for c in per_antenna(np.full((2, 4), 0.25))]
    yield replace(scene, constraints=both)
    scene, eye = _random("redundant_constraints", 2, 3, 8, 4, 2), np.eye(8)
    yield replace(scene, constraints=[[(eye, 1.0), (eye, 1.0), (2 * eye, 2.0), (eye, 3.0)]] * 2)
    scene = _random("subspace_capped", 2, 3, 8, 4, 2)
    yield replace(scene, constraints=[[(np.eye(8), 1.0), _projection(scene, l, 0, 0.5)] for l in range(2)])
    scene = _random("singular_constraint_alone", 2, 2, 8, 4, 1)
    towards = [sum(_projection(scene, l, k, 0)[0] for k in range(2)) for l in range(2)]
    yield replace(scene, constraints=[[(A / 8, 1.0)] for A in towards])
    scene = _random("antenna_off", 2, 2, 4, 4, 2)
    off = np.diag([0.0, 1.0, 0.0, 0.0])
    yield replace(scene, constraints=[[(np.eye(4), 1.0), (off, 0.0)]] * 2)
    scene = _random("different_constraints", 2, 2, 4, 4, 2)
    yield replace(scene, constraints=[per_antenna(np.full((1, 4), 0.25))[0], [(np.eye(4), 1.0)]])


def scenes():
    """All of them, as a tuple of `Scene`."""
    return (*_ordinary(), *_masks(), *_channels(), *_budgets(), *_constraints())


def paper(seed, L=4, K=2, N=64, M=4, S=2, cap_w=1.0, sines=None):
    """Section V's scenario; `sines` sets every UE's angles of arrival (Fig. 5). Other UEs drift from UE 0."""
    rng = np.random.default_rng([20, seed])

    def drifting(low, high, drift):
        first = rng.uniform(low, high, (L, 1))
        moved = first + rng.uniform(-drift, drift, (L, K - 1))
        return np.sin(np.radians(np.clip(np.hstack([first, moved]), low, high)))

    sin_theta, sin_phi, sin_elevation = drifting(-90, 90, 1), drifting(-90, 90, 1), drifting(20, 90, 0.5)
    if sines is not None:
        sin_theta = np.repeat(np.array(sines)[:, None], K, axis=1)
    return Scene(
        name=f"paper_{seed}",
        M=M,
        N=N,
        S=S,
        sin_theta=sin_theta,
        sin_phi=sin_phi,
        beta=p1_channel.large_scale(p1_channel.slant_range_m(sin_elevation)),
        kappa=np.full((L, K), 10**1.2),
        sigma2=np.full(K, p1_channel.noise_power_w()),
        constraints=total_power(np.full(L, cap_w), N),
        serving=np.ones((L, K), bool),
    )
