"""P5's channel letters from those that all literal versions share.

P5 is Kim et al., "Cell-Free Massive Non-Terrestrial Networks". It receives h^H w, here h^T w is received: P5's
channel is the conjugate of ours, its precoder is our W as it stands. Its steering vector has norm sqrt(N), its
beta is the power of one element, gamma/N. sqrt(kappa nu) e^{j phi} is held as one number m, so that kappa may
be infinite. Where the residual phase is imperfect (|phi_bar| < 1) m shrinks and nu grows: the two moments stay
right, but alpha is no longer Gaussian.
"""

import numpy as np

from .p3_matrices import rho_of


def letters(gamma, kappa, v, phi_bar):
    """a (S,K,N) of (2); m (S,K) of (60); nu (S,K) of (6)."""
    N = v.shape[2]
    rho = rho_of(gamma, kappa, phi_bar)
    gamma = np.asarray(gamma, np.longdouble)
    m = (rho.conj() / np.sqrt(np.longdouble(N))).astype(complex)
    nu = (np.maximum(gamma - abs(rho) ** 2, 0) / N).astype(float)
    nu[np.isinf(kappa) & (abs(np.asarray(phi_bar)) >= 1 - 1e-15)] = 0.0  # not what rounding leaves
    return np.sqrt(N) * v.conj(), m, nu


def phase(phi_bar):
    """e^{j phi} of (5), (S,K): geometry, so that it is known where kappa = 0 too; e^{-j pi/4} is P3's (20)."""
    phi_bar = np.asarray(phi_bar, complex)
    return np.exp(-1j * np.where(phi_bar == 0, 0, np.angle(phi_bar))) * (1 - 1j) / np.sqrt(2)


def need_perfect_phase(phi_bar):
    """P5 has no residual phase: what is Gaussian there is so only if |phi_bar| = 1."""
    if (abs(abs(np.asarray(phi_bar)) - 1) > 1e-12).any():
        raise ValueError("the phase after compensation is not perfect")
