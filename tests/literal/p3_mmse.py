"""Precoders W (S,K,N) in closed form: P3's SS-MMSE (transmit Wiener filter, Joham et al.) and P5's sMRT."""

import numpy as np

from .p3_matrices import rho_of, solve


def ss_mmse(gamma, kappa, v, phi_bar, P, sigma2, serving):
    """W_s = eta (H^H H + K_s/P_s I)^-1 H^H, rows of H: E{h_{s,k}}^T / sigma_k of the UTs that s serves."""
    S, K, N = v.shape
    if (serving.sum(axis=0) > 1).any():
        raise ValueError("a UT has more than one satellite")
    rho = rho_of(gamma, kappa, phi_bar)
    W = np.zeros((S, K, N), np.clongdouble)
    for s in range(S):
        K_s = np.flatnonzero(serving[s])
        if len(K_s) == 0 or P[s] == 0:
            continue
        H = np.array([rho[s, k] * v[s, k] / np.sqrt(np.longdouble(sigma2[k])) for k in K_s])
        A = H.conj().T @ H + np.longdouble(len(K_s)) / P[s] * np.eye(N)
        for row, k in enumerate(K_s):
            W[s, k] = solve(A, H[row].conj())
        power = (abs(W[s]) ** 2).sum()
        if power > 0:  # zero where every mean channel is zero
            W[s] *= np.sqrt(P[s] / power)
    return W.astype(complex)


def smrt(gamma, kappa, v, phi_bar, P, serving):
    """P5 (9) for received h^T w: w = sqrt(P_s/K_s) conj(v) e^{-j arg E h}, on the pairs that serve."""
    S, K, N = v.shape
    rho = rho_of(gamma, kappa, phi_bar)
    W = np.zeros((S, K, N), complex)
    for s in range(S):
        for k in np.flatnonzero(serving[s]):
            W[s, k] = np.sqrt(P[s] / serving[s].sum()) * v[s, k].conj() * np.exp(-1j * np.angle(complex(rho[s, k])))
    return W
