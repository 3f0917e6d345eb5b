"""P1's benchmarks (Section V, in words only): MMSE, zero forcing, and MRT in turns from the closest satellite.

W is (L,K,N,S). MMSE is (21), see `p1_joint.mmse_start`. Zero forcing is taken to be its limit for vanishing noise:
the pseudo-inverse of the satellite's stacked channels, UE k's block times Q_k, power shares as in (21). Each
satellite nulls for itself; with coincident UEs, or K > N, nothing is nulled and nothing fails. All use full power
under one total constraint.
"""

import numpy as np

from .p1_joint import left_vectors, mmse_start, total_power


def mmse(H, sigma2, rho, S, per_link=False):
    """(21) under caps rho (L,)."""
    return mmse_start(H, sigma2, total_power(rho, H.shape[3]), S, per_link=per_link)


def zero_forcing(H, rho, S):
    """pinv([H_{l,1}; ...; H_{l,K}]) in blocks of M columns, block k times Q_k, then shares as in (21)."""
    L, K, M, N = H.shape
    W = np.zeros((L, K, N, S), complex)
    Q = [left_vectors(H[:, k], S, per_link=False) for k in range(K)]
    for l in range(L):
        inverse = np.linalg.pinv(np.vstack(H[l]), rcond=1e-12)
        root_beta = np.array([np.linalg.norm(H[l, k]) for k in range(K)])
        for k in range(K):
            if np.linalg.norm(H[l, k].conj().T @ Q[k][l]) > 1e-10 * root_beta[k]:
                W_tilde = inverse[:, k * M : (k + 1) * M] @ Q[k][l]
                share = rho[l] * root_beta[k] / root_beta.sum()
                W[l, k] = np.sqrt(share) * W_tilde / np.linalg.norm(W_tilde)
    return W


def mrt_in_turns(beta, a, rho):
    """Each UE from the satellite of largest beta, in its own slot, with that satellite's cap: l (K,), w (K,N)."""
    closest = beta.argmax(axis=0)
    w = [np.sqrt(rho[l] / a.shape[2]) * a[l, k].conj() for k, l in enumerate(closest)]
    return closest, np.array(w)


def mrt_in_turns_rate(gamma, b, a, sigma2, closest, w):
    """(4) without interference, over K slots: (K,), for draws gamma (D,L,K)."""
    K = len(closest)
    rate = np.zeros(K)
    for k, l in enumerate(closest):
        power = abs(gamma[:, l, k] * (a[l, k] @ w[k])) ** 2 * np.linalg.norm(b[l, k]) ** 2
        rate[k] = np.log2(1 + power / sigma2[k]).mean() / K
    return rate
