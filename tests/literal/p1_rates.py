"""Rates in bit/s/Hz of given precoders W (L,K,N,S): (4) over given draws, (9) as (8) has it, and that of (11)."""

import numpy as np

from .p1_receiver import inverse_mse, log2_det, received


def rate_of(k, G, sigma2_k):
    """log2 |I + R_sig R_other^-1| with G[k,i] (M,S) received by UE k of UE i's streams."""
    return log2_det(inverse_mse(k, G, sigma2_k))


def ergodic_draws(gamma, b, a, sigma2, W):
    """Inside of (4)'s expectation for every draw gamma (D,L,K): (D,K). The interference is a coherent sum."""
    D, L, K = gamma.shape
    out = np.zeros((D, K))
    for d in range(D):
        H = np.array([[gamma[d, l, k] * np.outer(b[l, k], a[l, k]) for k in range(K)] for l in range(L)])
        G = received(H, W)
        out[d] = [rate_of(k, G, sigma2[k]) for k in range(K)]
    return out


def ergodic(gamma, b, a, sigma2, W):
    """(4): (K,)."""
    return ergodic_draws(gamma, b, a, sigma2, W).mean(axis=0)


def power_sum(l_range, k, i, beta, b, a, W):
    """sum_l beta b a^T W_{l,i} W_{l,i}^H a^* b^H, all of UE k but W_{l,i}: (7) and the terms of (8); (M,M)."""
    total = 0
    for l in l_range:
        x = np.sqrt(beta[l, k]) * np.outer(b[l, k], a[l, k]) @ W[l, i]
        total = total + x @ x.conj().T
    return total


def surrogate(beta, b, a, sigma2, W):
    """(9) with the channel of UE k in its interference, as (8): (K,)."""
    L, K, M = b.shape
    rate = np.zeros(K)
    for k in range(K):
        other = sigma2[k] * np.eye(M, dtype=complex)
        for i in range(K):
            if i != k:
                other += power_sum(range(L), k, i, beta, b, a, W)
        wanted = power_sum(range(L), k, k, beta, b, a, W)
        rate[k] = np.linalg.slogdet(np.eye(M) + np.linalg.solve(other, wanted))[1] / np.log(2)
    return rate


def of_effective(H, sigma2, W):
    """log2 |E_k^-1| of (11), which Algorithms 1 and 3 raise: (K,)."""
    G = received(H, W)
    return np.array([rate_of(k, G, sigma2[k]) for k in range(len(G))])
