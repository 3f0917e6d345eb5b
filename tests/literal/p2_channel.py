"""P2's channel: (4) to (8), its beam domain, its second moments (23) with their factor (27), and draws.

P2 is Wang et al., "Multi-Satellite Multi-Stream Beamspace Massive MIMO Transmission". Letters: N_T, N_R antennas
at satellite and UT, Q_s beams in the codebook and B_s active ones, M_k streams. Of all UTs: gamma, kappa, phi_bar
(S,K), u (S,K,N_R), Sigma (S,K,N_R,N_R) of trace 1, v (S,K,N_T); F and A are lists over the satellites.
(4) and (5) print kappa in the scattered part where 1 and gamma must stand, as in the line below (23).
"""

import numpy as np

from .p2_linear import factor


def uniform(N, x):
    """v_N(x), below (8)."""
    return np.array([np.exp(-1j * np.pi * n * x) for n in range(N)]) / np.sqrt(N)


def upa(cosines, shape):
    """(7), (8) for cosines (S,K,2), cos(theta) and sin(theta) cos(phi): shape (S,K,N_V N_H)."""
    S, K, _ = cosines.shape
    out = np.zeros((S, K, shape[0] * shape[1]), complex)
    for s in range(S):
        for k in range(K):
            out[s, k] = np.kron(uniform(shape[0], cosines[s, k, 0]), uniform(shape[1], cosines[s, k, 1]))
    return out


def directions(N, oversampling=1):
    """Direction cosines of the DFT beams of one axis, below (10); `oversampling` 1 is the paper's."""
    return np.array([-1 + 2 * n / (oversampling * N) for n in range(oversampling * N)])


def beam_cosines(shape, oversampling=(1, 1)):
    """(Q,2) cosines of the codewords, in the order of the Kronecker product: the horizontal index is the fast one."""
    vertical, horizontal = (directions(n, o) for n, o in zip(shape, oversampling, strict=True))
    return np.array([(x, y) for x in vertical for y in horizontal])


def codebook(shape, oversampling=(1, 1)):
    """F_s (N_T,Q_s), below (10)."""
    Fv, Fh = (np.array([uniform(n, x) for x in directions(n, o)]).T for n, o in zip(shape, oversampling, strict=True))
    return np.kron(Fv, Fh).conj()


def selection_matrix(beams, Q):
    """A_s (Q,B_s): a 1 in row q of column b where the b-th active beam is q."""
    A = np.zeros((Q, len(beams)))
    for b, q in enumerate(beams):
        A[q, b] = 1
    return A


def beam_channel(v, F, A):
    """v_bar of (22): a list over the satellites of (K,B_s).

    A beam with a null exactly towards a UT has zero for it, not the rounding of a sum of numbers of that size.
    """
    out = [np.array([v_k @ F_s @ A_s for v_k in v_s]) for v_s, F_s, A_s in zip(v, F, A, strict=True)]
    for v_bar in out:
        v_bar[abs(v_bar) < 1e-14] = 0
    return out


def to_antennas(W, F, A):
    """F_s A_s W_{s,k} for W[s][k] (B_s,M_k): shape (S,K,N_T,max M_k), zeros in the columns past M_k."""
    S, K, M = len(W), len(W[0]), max(W_k.shape[1] for W_k in W[0])
    out = np.zeros((S, K, F[0].shape[0], M), complex)
    for s in range(S):
        for k in range(K):
            out[s, k, :, : W[s][k].shape[1]] = F[s] @ A[s] @ W[s][k]
    return out


def rhos(gamma, kappa):
    """rho and rho tilde below (23), shapes of the arguments; kappa may be infinite."""
    gamma, kappa = np.asarray(gamma, np.longdouble), np.asarray(kappa, np.longdouble)
    line, scattered = np.ones_like(kappa), np.zeros_like(kappa)
    finite = np.isfinite(kappa)
    line[finite] = kappa[finite] / (kappa[finite] + 1)
    scattered[finite] = 1 / (kappa[finite] + 1)
    return line * gamma, scattered * gamma


def delta(rho, rho_tilde, u, Sigma, phi_bar):
    """(23) of one UT: (S,S,N_R,N_R); rho, rho_tilde, phi_bar (S,), u (S,N_R), Sigma (S,N_R,N_R)."""
    S, N_R = u.shape
    u, Sigma, phi_bar = (np.asarray(x, np.clongdouble) for x in (u, Sigma, phi_bar))
    out = np.zeros((S, S, N_R, N_R), np.clongdouble)
    for s1 in range(S):
        for s2 in range(S):
            uu = np.outer(u[s1], u[s2].conj())
            if s1 == s2:
                out[s1, s2] = rho[s1] * uu + rho_tilde[s1] * Sigma[s1]
            else:
                out[s1, s2] = np.sqrt(rho[s1] * rho[s2]) * phi_bar[s1] * phi_bar[s2].conj() * uu
    return out


def sigma_tilde(rho, rho_tilde, u, Sigma, phi_bar, root=factor):
    """(27) of one UT: (S,N_R,N_R); any `root` G of G G^H does, and Cholesky's may not exist."""
    S, N_R = u.shape
    u, Sigma, phi_bar = (np.asarray(x, np.clongdouble) for x in (u, Sigma, phi_bar))
    out = np.zeros((S, N_R, N_R), np.clongdouble)
    for s in range(S):
        unknown = np.maximum(1 - abs(phi_bar[s]) ** 2, 0)  # negative by rounding only
        out[s] = root(unknown * rho[s] * np.outer(u[s], u[s].conj()) + rho_tilde[s] * Sigma[s])
    return out


def draw(rng, D, gamma, kappa, u, Sigma, phi_bar):
    """u tilde of (6), (D,S,K,N_R), with sqrt(gamma) in it, and phi, (D,S,K): Gaussian phases, uniform for mean 0."""
    S, K, N_R = u.shape
    rho, rho_tilde = (x.astype(float) for x in rhos(gamma, kappa))
    normal = rng.standard_normal((D, S, K))
    any_phase = rng.uniform(-np.pi, np.pi, (D, S, K))
    size = abs(np.asarray(phi_bar))
    zeta = np.sqrt(-2 * np.log(np.where(size == 0, 1, size)))
    phase = np.where(size == 0, any_phase, np.angle(phi_bar) + zeta * normal)
    white = (rng.standard_normal((D, S, K, N_R)) + 1j * rng.standard_normal((D, S, K, N_R))) / np.sqrt(2)
    drawn = np.zeros((D, S, K, N_R), complex)
    for s in range(S):
        for k in range(K):
            G = factor(Sigma[s, k]).astype(complex)
            drawn[:, s, k] = np.sqrt(rho[s, k]) * u[s, k] + np.sqrt(rho_tilde[s, k]) * white[:, s, k] @ G.T
    return drawn, np.exp(1j * phase)
