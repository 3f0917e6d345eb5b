"""Rates (K,) in bit/s/Hz of given precoders W (S,K,N): P3's two surrogates and its expected rate."""

import numpy as np

from .p3_matrices import mean_channel, omega, omega_tilde, q_lower, quadratic, rho_of


def _stacked(W):
    """(14): w_k for every UT, shape (K,SN)."""
    return np.array([W[:, k].ravel() for k in range(W.shape[1])], np.clongdouble)


def _interference(k, w, Omegat_k):
    return sum(quadratic(w[i], Omegat_k) for i in range(len(w)) if i != k)


def ap1(gamma, kappa, v, phi_bar, sigma2, W):
    """(13): log2(1 + E[signal] / E[interference + noise])."""
    w, rho = _stacked(W), rho_of(gamma, kappa, phi_bar)
    rate = []
    for k in range(len(w)):
        signal = quadratic(w[k], omega(gamma[:, k], rho[:, k], v[:, k]))
        rate.append(np.log1p(signal / (_interference(k, w, omega_tilde(gamma[:, k], v[:, k])) + sigma2[k])))
    return np.array(rate, float) / np.log(2)


def ap2(gamma, kappa, v, phi_bar, sigma2, W):
    """log2(1/e_k), e_k the true MSE (23) with (39) put in: the fraction of (40), free of cancellation."""
    w, rho = _stacked(W), rho_of(gamma, kappa, phi_bar)
    rate = []
    for k in range(len(w)):
        known = abs(mean_channel(rho[:, k], v[:, k]) @ w[k]) ** 2
        unknown = (abs(q_lower(gamma[:, k], rho[:, k], v[:, k]) @ w[k]) ** 2).sum()
        unwanted = _interference(k, w, omega_tilde(gamma[:, k], v[:, k])) + unknown + sigma2[k]
        rate.append(np.log1p(known / unwanted))
    return np.array(rate, float) / np.log(2)


def true_mse(k, w, a_k, gamma_k, rho_k, v_k, sigma2_k):
    """(23) as printed, for any scalar receiver a_k; w (K,SN)."""
    power = _interference(k, w, omega_tilde(gamma_k, v_k)) + quadratic(w[k], omega(gamma_k, rho_k, v_k))
    gain = mean_channel(rho_k, v_k) @ w[k]
    return abs(a_k) ** 2 * power - 2 * (np.conj(a_k) * gain).real + abs(a_k) ** 2 * sigma2_k + 1


def true_receiver(k, w, gamma_k, rho_k, v_k, sigma2_k):
    """(39)."""
    power = _interference(k, w, omega_tilde(gamma_k, v_k)) + quadratic(w[k], omega(gamma_k, rho_k, v_k))
    return mean_channel(rho_k, v_k) @ w[k] / (power + sigma2_k)


def monte_carlo_rate(x, v, sigma2, W, interference, receiver):
    """Mean over the draws x (D,S,K), h[s,k] = x[d,s,k] v[s,k], phases included.

    `interference`: "independent" (powers add over satellites) or "coherent" (one symbol from all satellites).
    `receiver`: "instantaneous" (knows its channel) or "mean_only" (knows the mean: use-and-forget bound).
    """
    if interference not in ("independent", "coherent") or receiver not in ("instantaneous", "mean_only"):
        raise ValueError((interference, receiver))
    D, S, K = x.shape
    rate = np.zeros(K)
    for k in range(K):
        own = np.zeros(D, complex)
        other = np.zeros(D)
        for d in range(D):
            for j in range(K):
                g = [x[d, s, k] * (v[s, k] @ W[s, j]) for s in range(S)]
                if j == k:
                    own[d] = sum(g)
                elif interference == "independent":
                    other[d] += sum(abs(g_s) ** 2 for g_s in g)
                else:
                    other[d] += abs(sum(g)) ** 2
        if receiver == "instantaneous":
            rate[k] = np.mean([np.log2(1 + abs(own[d]) ** 2 / (other[d] + sigma2[k])) for d in range(D)])
        else:
            mean = own.mean()
            variance = np.mean(abs(own - mean) ** 2)
            rate[k] = np.log2(1 + abs(mean) ** 2 / (variance + other.mean() + sigma2[k]))
    return rate
