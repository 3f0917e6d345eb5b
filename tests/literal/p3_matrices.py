"""Statistics of one UT's channel as printed in P3, (16) to (20) and (28) to (30), and two numerical tools.

P3 is Wang et al., "Statistical CSI-Based Distributed Precoding for Multi-Satellite Cooperative Transmission".
Everything is held in extended precision where the machine has it, so that the oracle's own rounding stays
below that of what it judges. Functions of one UT take gamma (S,), rho (S,), v (S,N).
"""

import numpy as np


def rho_of(gamma, kappa, phi_bar):
    """(20), shape (S,K), kappa may be infinite."""
    gamma, kappa = np.asarray(gamma, np.longdouble), np.asarray(kappa, np.longdouble)
    fraction = np.ones_like(kappa)
    finite = np.isfinite(kappa)
    fraction[finite] = kappa[finite] / (kappa[finite] + 1)
    return np.sqrt(fraction * gamma / 2) * (1 + 1j) * np.asarray(phi_bar, np.clongdouble)


def mean_channel(rho, v):
    """(18) stacked as in (15): E{h_k}, shape (SN,)."""
    return np.concatenate([rho[s] * v[s] for s in range(len(v))]).astype(np.clongdouble)


def omega(gamma, rho, v):
    """(16), (19): Omega_k, shape (SN,SN)."""
    S, N = v.shape
    v = v.astype(np.clongdouble)
    out = np.zeros((S * N, S * N), np.clongdouble)
    for s1 in range(S):
        for s2 in range(S):
            factor = gamma[s1] if s1 == s2 else np.conj(rho[s1]) * rho[s2]
            out[s1 * N : (s1 + 1) * N, s2 * N : (s2 + 1) * N] = factor * np.outer(v[s1].conj(), v[s2])
    return out


def omega_tilde(gamma, v):
    """(17): tilde Omega_k, the diagonal blocks of Omega_k, shape (SN,SN)."""
    return omega(gamma, np.zeros(len(v)), v)


def q_lower(gamma, rho, v):
    """(29), the block below the mean in (28), shape (S,SN); varkappa E{h} is evaluated as one product."""
    S, N = v.shape
    out = np.zeros((S, S * N), np.clongdouble)
    for s in range(S):
        scattered = np.maximum(np.longdouble(gamma[s]) - abs(rho[s]) ** 2, 0)  # negative by rounding only
        out[s, s * N : (s + 1) * N] = np.sqrt(scattered) * v[s]
    return out


def q_matrix(gamma, rho, v):
    """(28): Q_k, shape (S+1,SN)."""
    return np.vstack([mean_channel(rho, v)[None, :], q_lower(gamma, rho, v)])


def q_tilde(gamma, v):
    """(30): tilde Q_k, shape (S,SN); tilde varkappa E{h} is evaluated as one product."""
    return q_lower(gamma, np.zeros(len(v)), v)


def quadratic(w, M):
    """w^H M w for Hermitian M."""
    return (w.conj() @ (M @ w)).real


def solve(A, b):
    """A^-1 b by np.linalg.solve, its residual corrected in extended precision."""
    A64 = A.astype(np.complex128)
    x = np.linalg.solve(A64, b.astype(np.complex128)).astype(np.clongdouble)
    for _ in range(6):
        x = x + np.linalg.solve(A64, (b - A @ x).astype(np.complex128))
    return x
