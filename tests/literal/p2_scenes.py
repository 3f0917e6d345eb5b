"""Small named scenes for P2, each seeded by its own name, so that adding one shifts no other."""

import zlib
from dataclasses import dataclass, replace

import numpy as np

from .p2_beams import full, lcms
from .p2_channel import codebook, selection_matrix, upa

ZETA2 = (0.0, 0.1, 0.5, 2.0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Scene:
    """Inputs of the precoders, in the paper's letters."""

    name: str
    shape: tuple[int, int]
    """(N_TV, N_TH)."""
    shape_ut: tuple[int, int]
    """(N_RV, N_RH)."""
    cosines: np.ndarray
    """(S,K,2) at the satellite: cos(theta) for N_TV and sin(theta) cos(phi) for N_TH."""
    cosines_ut: np.ndarray
    """(S,K,2) the same at the UT."""
    gamma: np.ndarray
    """(S,K) mean channel power."""
    kappa: np.ndarray
    """(S,K) Rician factor, 0 to infinity."""
    Sigma: np.ndarray
    """(S,K,N_R,N_R) covariance of the scattered part, trace 1."""
    phi_bar: np.ndarray
    """(S,K) mean of the residual phase factor."""
    P: np.ndarray
    """(S,) W."""
    sigma2: np.ndarray
    """(K,) W."""
    beta: np.ndarray
    """(K,) rate weights."""
    o: np.ndarray
    """(S,K) bool, which satellites serve which UT."""
    streams: np.ndarray
    """(K,) M_k."""
    beams: tuple[np.ndarray, ...]
    """The active codewords of each satellite, (B_s,) indices."""
    oversampling: tuple[int, int] = (1, 1)
    """Of the codebook's axes."""

    @property
    def v(self):
        """(S,K,N_T)."""
        return upa(self.cosines, self.shape)

    @property
    def u(self):
        """(S,K,N_R)."""
        return upa(self.cosines_ut, self.shape_ut)

    @property
    def F(self):
        """The codebook (N_T,Q) of each satellite."""
        return [codebook(self.shape, self.oversampling)] * len(self.P)

    @property
    def A(self):
        """The selection (Q,B_s) of each satellite."""
        return [selection_matrix(beams, F.shape[1]) for beams, F in zip(self.beams, self.F, strict=True)]

    def channel(self):
        """What says how the channel is drawn."""
        return {name: getattr(self, name) for name in ("gamma", "kappa", "u", "Sigma", "phi_bar")}

    def beam_domain(self):
        """The satellite's side of the channel."""
        return {name: getattr(self, name) for name in ("v", "F", "A")}

    def problem(self):
        """Everything that Algorithm 1 takes."""
        rest = {name: getattr(self, name) for name in ("P", "sigma2", "beta", "o", "streams")}
        return self.channel() | self.beam_domain() | rest


def _disc(rng, S, K):
    radius, angle = 0.8 * np.sqrt(rng.random((S, K))), 2 * np.pi * rng.random((S, K))
    return np.stack([radius * np.cos(angle), radius * np.sin(angle)], axis=-1)


def _random(name, S, K, shape, shape_ut, streams, B=None):
    """`B` beams a satellite by LCMS, all of them without it."""
    rng, N_R = np.random.default_rng(zlib.crc32(name.encode())), shape_ut[0] * shape_ut[1]
    G = rng.standard_normal((S, K, N_R, N_R)) + 1j * rng.standard_normal((S, K, N_R, N_R))
    Sigma = G @ G.conj().swapaxes(-1, -2)
    cosines = _disc(rng, S, K)
    gamma, o = 1e-12 * 10 ** rng.uniform(-1, 1, (S, K)), np.ones((S, K), bool)
    return Scene(
        name=name,
        shape=shape,
        shape_ut=shape_ut,
        cosines=cosines,
        cosines_ut=_disc(rng, S, K),
        gamma=gamma,
        kappa=10 ** rng.uniform(0, 3, (S, K)),
        Sigma=Sigma / np.trace(Sigma, axis1=-2, axis2=-1)[..., None, None],
        phi_bar=np.exp(-rng.choice(ZETA2, (S, K)) / 2),
        P=np.ones(S),
        sigma2=np.full(K, 1e-16),
        beta=np.ones(K),
        o=o,
        streams=np.full(K, streams),
        beams=tuple(full(S, shape) if B is None else lcms(gamma, cosines, shape, o, np.full(S, B))),
    )


def _put(array, index, value):
    out = array.copy()
    out[index] = value
    return out


def _all(scene, **values):
    """One value for every satellite and UT."""
    return replace(scene, **{name: np.full_like(getattr(scene, name), value) for name, value in values.items()})


def _nearest(scene, count):
    """Each UT served by the `count` satellites of largest gamma."""
    return replace(scene, o=(-scene.gamma).argsort(axis=0).argsort(axis=0) < count)


def _one_place(scene, *more):
    """UT 1 takes these fields of UT 0."""
    fields = ("cosines", "cosines_ut", "gamma", *more)
    return replace(scene, **{f: _put(getattr(scene, f), (slice(None), 1), getattr(scene, f)[:, 0]) for f in fields})


def _selected(scene, B, oversampling=(1, 1)):
    """Beams by LCMS once the rest of the scene stands."""
    beams = lcms(scene.gamma, scene.cosines, scene.shape, scene.o, B, oversampling)
    return replace(scene, beams=tuple(beams), oversampling=oversampling)


THREE, FOUR, UT = (3, 3), (4, 4), (2, 2)


def _ordinary():
    yield from (_random(f"plain_{i}", 3, 4, FOUR, UT, 2, 6) for i in range(3))
    yield _random("largest", 4, 5, (5, 5), UT, 3, 12)
    yield _random("one_satellite", 1, 4, FOUR, UT, 1, 6)
    yield _random("one_satellite_two_streams", 1, 3, THREE, (1, 2), 2, 6)
    yield _random("one_ut", 3, 1, FOUR, UT, 2, 6)
    yield _random("one_satellite_one_ut", 1, 1, FOUR, UT, 1, 6)
    yield _random("one_stream", 3, 4, FOUR, UT, 1, 6)
    yield replace(_random("streams_mixed", 3, 4, FOUR, UT, 1, 6), streams=np.array([1, 2, 3, 2]))
    yield _random("as_many_streams_as_antennas", 3, 3, THREE, (1, 3), 3, 6)
    yield _random("linear_arrays", 2, 3, (1, 8), (3, 1), 2, 5)
    yield _random("one_satellite_antenna", 3, 2, (1, 1), (1, 2), 1)
    yield _random("more_uts_than_antennas", 2, 5, (2, 2), UT, 2)
    yield _one_place(_random("two_uts_at_one_place", 3, 4, FOUR, UT, 2, 6))
    twins = _random("twins_alike_in_everything", 2, 3, FOUR, UT, 2, 6)
    yield _one_place(twins, "kappa", "phi_bar", "Sigma")
    scene = _random("one_direction_at_the_ut", 3, 3, THREE, UT, 2, 5)
    yield replace(scene, cosines_ut=np.repeat(scene.cosines_ut[:1], 3, axis=0))


def _single_antenna():
    yield _random("single_antenna_all_beams", 3, 4, FOUR, (1, 1), 1)
    yield _random("single_antenna_few_beams", 3, 4, FOUR, (1, 1), 1, 5)
    yield _nearest(_random("single_antenna_partial_clusters", 3, 5, FOUR, (1, 1), 1, 6), 2)
    scene = _random("single_antenna_kappa_zero", 2, 3, THREE, (1, 1), 1)
    yield _all(scene, kappa=0.0)
    yield _all(_random("single_antenna_phase_random", 3, 3, THREE, (1, 1), 1), phi_bar=0.0)
    scene = _random("single_antenna_weights_unequal", 3, 4, THREE, (1, 1), 1, 6)
    yield replace(scene, beta=np.array([0.1, 0.5, 2, 10]))
    yield replace(_random("single_antenna_powers_unequal", 3, 4, THREE, (1, 1), 1), P=np.array([0.05, 1.0, 20.0]))


def _beams():
    yield _random("all_beams", 2, 3, FOUR, UT, 2)
    yield _random("beams_as_uts", 3, 4, FOUR, UT, 2, 4)
    yield _random("fewer_beams_than_uts", 3, 4, FOUR, UT, 2, 2)
    yield _random("one_beam", 2, 3, THREE, (1, 2), 1, 1)
    yield _selected(_random("beams_unequal", 3, 3, FOUR, UT, 2), np.array([3, 16, 7]))
    scene = _random("on_the_grid_of_beams", 2, 3, FOUR, (1, 2), 2)
    cosines = np.array([[[-1, 0], [0, 0.5], [-0.5, -0.5]], [[0.5, 0.5], [-0.5, 0], [0, 0]]])
    yield _selected(replace(scene, cosines=cosines), np.array([5, 5]))
    scene = _random("no_active_beam_sees_a_ut", 2, 3, FOUR, (1, 2), 1)
    cosines = _put(scene.cosines, (slice(None), 0), 0.5)
    beams = lcms(scene.gamma[:, 1:], cosines[:, 1:], FOUR, scene.o[:, 1:], np.array([3, 3]))
    grid = 15  # the beam of cosines (0.5, 0.5), the only one with a gain there
    yield replace(scene, cosines=cosines, beams=tuple(np.setdiff1d(b, grid)[:2] for b in beams))
    yield _selected(_random("codebook_oversampled", 2, 3, THREE, UT, 2), np.array([6, 6]), (2, 2))


def _clusters():
    yield _selected(_nearest(_random("partial_clusters", 4, 5, FOUR, UT, 2), 2), np.full(4, 6))
    yield _nearest(_random("one_satellite_each", 3, 5, FOUR, UT, 1, 6), 1)
    yield _nearest(_random("more_streams_than_satellites", 3, 3, THREE, UT, 3, 6), 2)
    scene = _random("satellite_serves_nobody", 3, 4, FOUR, UT, 2, 6)
    yield _selected(replace(scene, o=_put(scene.o, 1, False)), np.full(3, 6))
    scene = _random("ut_nobody_serves", 3, 4, THREE, UT, 2, 6)
    yield replace(scene, o=_put(scene.o, (slice(None), 2), False))
    scene = _random("nobody_serves_anybody", 2, 3, THREE, UT, 2, 4)
    yield replace(scene, o=np.zeros_like(scene.o))
    scene, pair = _random("pair_below_horizon", 3, 4, THREE, UT, 2, 6), (1, 3)
    yield replace(scene, gamma=_put(scene.gamma, pair, 0), o=_put(scene.o, pair, False))
    scene, ut = _random("ut_sees_nobody", 3, 3, THREE, UT, 2, 6), (slice(None), 0)
    yield replace(scene, gamma=_put(scene.gamma, ut, 0), o=_put(scene.o, ut, False))


def _channels():
    for name, values in {
        "kappa_infinite": {"kappa": np.inf},
        "kappa_zero": {"kappa": 0.0},
        "phase_random": {"phi_bar": 0.0},
        "phase_perfect": {"phi_bar": 1.0},
        "perfect_csi": {"kappa": np.inf, "phi_bar": 1.0},
        "nothing_known_but_power": {"kappa": 0.0, "phi_bar": 0.0},
    }.items():
        yield _all(_random(name, 3, 4, FOUR, UT, 2, 6), **values)
    scene = _random("kappa_mixed", 3, 4, FOUR, UT, 2, 6)
    kappa = _put(_put(scene.kappa, (0, slice(None)), np.inf), (1, slice(0, 3)), 0)
    yield replace(scene, kappa=_put(kappa, (slice(None), 3), 0))  # UT 3 has no mean at all
    scene = _random("phase_means_complex", 3, 3, THREE, UT, 2, 6)
    yield replace(scene, phi_bar=scene.phi_bar * np.exp(1j * np.arange(9).reshape(3, 3)))
    scene = _random("scattered_as_the_line_of_sight", 3, 4, FOUR, UT, 2, 6)
    yield replace(scene, Sigma=scene.u[..., :, None] * scene.u[..., None, :].conj())
    scene = _random("scattered_evenly", 3, 4, FOUR, UT, 2, 6)
    yield replace(scene, Sigma=np.broadcast_to(np.eye(4) / 4, scene.Sigma.shape).astype(complex))


def _budgets():
    for name, power in (("power_very_high", 1e6), ("power_very_low", 1e-6)):
        yield replace(_random(name, 3, 4, FOUR, UT, 2, 6), P=np.full(3, power))
    yield replace(_one_place(_random("two_uts_at_one_place_power_high", 3, 3, FOUR, UT, 2, 6)), P=np.full(3, 1e3))
    yield replace(_random("power_zero_on_one_satellite", 3, 4, THREE, UT, 2, 6), P=np.array([1.0, 0.0, 1.0]))
    yield replace(_random("power_zero_everywhere", 2, 3, THREE, UT, 2, 6), P=np.zeros(2))
    scene = _random("ut_of_a_satellite_without_power", 3, 3, THREE, UT, 1, 6)
    yield replace(scene, P=np.array([1.0, 0.0, 1.0]), o=_put(scene.o, ([0, 2], [2, 2]), False))
    yield replace(_random("powers_unequal", 3, 4, FOUR, UT, 2, 6), P=np.array([0.05, 1.0, 20.0]))
    noise = 1e-16 * 10 ** np.array([-1, -0.5, 0.5, 1])
    yield replace(_random("noise_unequal", 3, 4, FOUR, UT, 2, 6), sigma2=noise)
    yield replace(_random("weights_unequal", 3, 4, FOUR, UT, 2, 6), beta=np.array([0.1, 0.5, 2, 10]))
    yield replace(_random("weight_zero", 3, 3, THREE, UT, 2, 6), beta=np.array([0.0, 1.0, 1.0]))


def scenes():
    """All of them, as a tuple of `Scene`."""
    return (*_ordinary(), *_single_antenna(), *_beams(), *_clusters(), *_channels(), *_budgets())
