"""Random starts of P1's literal algorithms."""

import numpy as np


def rng_of(*key):
    return np.random.default_rng([21, *key])


def complex_normal(rng, shape):
    return (rng.standard_normal(shape) + 1j * rng.standard_normal(shape)) / np.sqrt(2)


def begin(scene, seed=0):
    """A start at random, within every cap."""
    shape = (*scene.beta.shape, scene.N, scene.S)
    W = complex_normal(rng_of(1, seed), shape) * scene.serving[:, :, None, None]
    for sat, constraints in enumerate(scene.constraints):
        for A, _ in (pair for pair in constraints if pair[1] == 0):
            W[sat] = (np.eye(scene.N) - A @ np.linalg.pinv(A)) @ W[sat]
        W[sat] *= feasible_scale(W[sat], constraints)
    return W


def feasible_scale(W_l, constraints):
    powers = [(sum(np.trace(w.conj().T @ A @ w).real for w in W_l), rho) for A, rho in constraints]
    return np.sqrt(min((rho / power for power, rho in powers if power > 1e-14), default=0.0))
