"""Rates (K,) in bit/s/Hz of given precoders W[s][k]: P2's expected rate (12) over draws, and its surrogate (15)."""

import numpy as np

from .p2_cdwm import Statistics, stacked_start
from .p2_channel import beam_channel
from .p2_linear import log2det, solve


def surrogate(gamma, kappa, u, Sigma, phi_bar, v, F, A, sigma2, W):
    """(15), (20), (21): log2 det(I + R_other^-1 R_sig) of the mean covariances; every block of W counts."""
    streams = [W_k.shape[1] for W_k in W[0]]
    S, K, _ = u.shape
    stat = Statistics(gamma, kappa, u, Sigma, phi_bar, v, F, A, sigma2, np.ones(K), np.ones((S, K)), streams)
    stacked = stacked_start(stat, W)
    rate = []
    for k in range(K):
        half = stat.R_half(k, stacked)
        rate.append(log2det(np.eye(half.shape[1]) + half.conj().T @ solve(stat.R_other(k, stacked), half)))
    return np.array(rate, float)


def covariances(drawn, phi, v_bar, sigma2, W, k, interference="independent"):
    """R_sig and R_other of (12) to (14) for each draw, (D,N_R,N_R); drawn (D,S,K,N_R), phi (D,S,K).

    "independent" is P2's, symbols of different satellites uncorrelated: powers add, phases drop out. "coherent":
    one symbol from all satellites, each with the phase it has towards UT k.
    """
    if interference not in ("independent", "coherent"):
        raise ValueError(interference)
    D, S, K, N_R = drawn.shape
    sig = np.zeros((D, N_R, N_R), complex)
    other = np.zeros((D, N_R, N_R), complex) + sigma2[k] * np.eye(N_R)
    for j in range(K):
        parts = []
        for s in range(S):
            row = v_bar[s][k] @ W[s][j]
            parts.append((drawn[:, s, k] * phi[:, s, k, None])[:, :, None] * row)
        together = sum(parts)
        if j == k:
            sig = together @ together.conj().transpose(0, 2, 1)
        elif interference == "coherent":
            other = other + together @ together.conj().transpose(0, 2, 1)
        else:
            other = other + sum(part @ part.conj().transpose(0, 2, 1) for part in parts)
    return sig, other


def exact(drawn, phi, v, F, A, sigma2, W, interference="independent"):
    """(12): the mean over the draws of log2 det(I + R_other^-1 R_sig)."""
    v_bar = beam_channel(v, F, A)
    rate = []
    for k in range(drawn.shape[2]):
        sig, other = covariances(drawn, phi, v_bar, sigma2, W, k, interference)
        root = np.linalg.inv(np.linalg.cholesky(other))
        white = root @ sig @ root.conj().transpose(0, 2, 1)
        eigenvalues = np.maximum(np.linalg.eigvalsh(white), 0)  # negative by rounding only
        rate.append(np.log1p(eigenvalues).sum(axis=1).mean() / np.log(2))
    return np.array(rate)
