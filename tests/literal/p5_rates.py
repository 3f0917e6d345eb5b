"""P5's achievable rates (K,) in bit/s/Hz, use-and-forget (21): closed forms and the same from draws.

rho_t differs between satellites here: sqrt(rho_t) p_{l,k} is sqrt(P_l) p_{l,k} and stays under the sum over l.
"""

import numpy as np

from .p5_letters import letters, need_perfect_phase, phase
from .p5_precoders import x_of, zf_direction


def moments(gamma, kappa, v, phi_bar, W):
    """(65), (66) with the powers in W: mean and variance (K,K) of what UT k receives of the stream of UT j."""
    a, m, nu = letters(gamma, kappa, v, phi_bar)
    S, K, _ = v.shape
    mean, variance = np.zeros((K, K), complex), np.zeros((K, K))
    for k in range(K):
        for j in range(K):
            c = [a[s, k].conj() @ W[s, j] for s in range(S)]
            mean[k, j] = sum(np.conj(m[s, k]) * c[s] for s in range(S))
            variance[k, j] = sum(nu[s, k] * abs(c[s]) ** 2 for s in range(S))
    return mean, variance


def use_and_forget(gamma, kappa, v, phi_bar, sigma2, W):
    """(21) for any W that does not depend on the draw, any phi_bar: interference of all satellites coherent."""
    mean, variance = moments(gamma, kappa, v, phi_bar, W)
    rate = []
    for k in range(len(mean)):
        ds = abs(mean[k, k]) ** 2
        ui = sum(abs(mean[k, j]) ** 2 + variance[k, j] for j in range(len(mean)) if j != k)
        rate.append(np.log1p(ds / (variance[k, k] + ui + sigma2[k])))
    return np.array(rate) / np.log(2)


def theorem_1_smrt(gamma, kappa, v, phi_bar, P, p, serving, sigma2):
    """(22), sMRT, with the factor rho_t/N of the second sum, which (28) and (51) have and (22) lacks."""
    need_perfect_phase(phi_bar)
    a, m, nu = letters(gamma, kappa, v, phi_bar)
    S, K, N = v.shape
    turn = phase(phi_bar)
    root = abs(m)  # sqrt(kappa nu)
    rate = []
    for k in range(K):
        L = [np.flatnonzero(serving[:, j]) for j in range(K)]
        signal = N * sum(np.sqrt(P[s]) * p[s, k] * root[s, k] for s in L[k]) ** 2
        noise = sigma2[k]
        for j in range(K):
            inner = [a[s, k].conj() @ a[s, j] for s in range(S)]
            noise += sum(P[s] * p[s, j] ** 2 * nu[s, k] * abs(inner[s]) ** 2 for s in L[j]) / N
            if j != k:
                known = [np.sqrt(P[s]) * p[s, j] * turn[s, j] * turn[s, k].conj() * root[s, k] for s in range(S)]
                noise += abs(sum(known[s] * inner[s] for s in L[j])) ** 2 / N
        rate.append(np.log1p(signal / noise))
    return np.array(rate) / np.log(2)


def theorem_1_szf(gamma, kappa, v, phi_bar, P, p, serving, sigma2):
    """(22), sZF towards all in reach; only where every A_l^H A_l has an inverse."""
    need_perfect_phase(phi_bar)
    a, m, nu = letters(gamma, kappa, v, phi_bar)
    S, K, N = v.shape
    length = np.zeros((S, K))
    for s in range(S):
        columns = np.flatnonzero(gamma[s] > 0)
        if serving[s].any() and np.linalg.matrix_rank(a[s, columns], tol=1e-8 * np.sqrt(N)) < len(columns):
            raise ValueError("A^H A has no inverse")
        for k in np.flatnonzero(serving[s]):
            length[s, k] = 1 / np.linalg.norm(zf_direction(a[s, columns].T, list(columns).index(k)))
    rate = []
    for k in range(K):
        L_k = np.flatnonzero(serving[:, k])
        signal = sum(np.sqrt(P[s]) * p[s, k] * abs(m[s, k]) * length[s, k] for s in L_k) ** 2
        noise = sum(P[s] * p[s, k] ** 2 * nu[s, k] * length[s, k] ** 2 for s in L_k) + sigma2[k]
        rate.append(np.log1p(signal / noise))
    return np.array(rate) / np.log(2)


def coefficients_28(gamma, kappa, v, phi_bar, P):
    """(28) for sMRT: b (K,L), c (K,K,L), d (K,K,L); c and d with the root over nu and kappa nu."""
    a, m, nu = letters(gamma, kappa, v, phi_bar)
    S, K, N = v.shape
    turn = phase(phi_bar)
    b, c, d = np.zeros((K, S)), np.zeros((K, K, S)), np.zeros((K, K, S), complex)
    for k in range(K):
        for s in range(S):
            b[k, s] = np.sqrt(P[s] * N) * abs(m[s, k])
            for j in range(K):
                inner = a[s, k].conj() @ a[s, j]
                c[k, j, s] = np.sqrt(P[s] / N * nu[s, k]) * abs(inner)
                d[k, j, s] = np.sqrt(P[s] / N) * abs(m[s, k]) * turn[s, j] * turn[s, k].conj() * inner
    return b, c, d


def rate_27(b, c, d, p_tilde, sigma2):
    """(27), p of UT j in the beamforming uncertainty; p_tilde (L,K) is zero where a pair does not serve."""
    K = len(b)
    rate = []
    for k in range(K):
        signal = (b[k] @ p_tilde[:, k]) ** 2
        bu = sum(np.linalg.norm(c[k, j] * p_tilde[:, j]) ** 2 for j in range(K))
        D = [np.array([d[k, j].real, d[k, j].imag]) for j in range(K)]
        ui = sum(np.linalg.norm(D[j] @ p_tilde[:, j]) ** 2 for j in range(K) if j != k)
        rate.append(np.log1p(signal / (bu + ui + sigma2[k])))
    return np.array(rate) / np.log(2)


def theorem_2(gamma, kappa, v, phi_bar, P, p, serving, sigma2, psi, eta_t, sigma2_up):
    """(51) with the numerators that (69) and (79) derive, written in m and nu.

    Printed in (51): nu_{l,j} before the bracket of the first sum, kappa kappa nu under no root and x under one.
    """
    need_perfect_phase(phi_bar)
    a, m, nu = letters(gamma, kappa, v, phi_bar)
    x = x_of(gamma, kappa, v, phi_bar, psi, eta_t, sigma2_up)
    S, K, N = v.shape
    known = np.array([[abs(m[s, j]) ** 2 + nu[s, j] * x[s, j, j].real for j in range(K)] for s in range(S)])
    rate = []
    for k in range(K):
        L = [[s for s in range(S) if serving[s, j] and known[s, j] > 0] for j in range(K)]
        signal = N * sum(np.sqrt(P[s]) * p[s, k] * np.sqrt(known[s, k]) for s in L[k]) ** 2
        noise = sigma2[k]
        for j in range(K):
            inner = [a[s, k].conj() @ a[s, j] for s in range(S)]
            for s in L[j]:
                share = nu[s, j] * x[s, j, j].real / known[s, j]
                bracket = nu[s, k] + abs(m[s, k]) ** 2 * share
                noise += P[s] * p[s, j] ** 2 / N * bracket * abs(inner[s]) ** 2
            if j != k:
                both = [np.conj(m[s, k]) * m[s, j] + nu[s, j] * x[s, j, k] for s in range(S)]
                gain = sum(np.sqrt(P[s]) * p[s, j] * both[s] / np.sqrt(known[s, j]) * inner[s] for s in L[j])
                noise += abs(gain) ** 2 / N
        rate.append(np.log1p(signal / noise))
    return np.array(rate) / np.log(2)


def imrt_moments(gamma, kappa, v, phi_bar, P, p, serving, psi, eta_t, sigma2_up):
    """(69), (79) with the powers: mean and variance (K,K), as `moments`, over channels and pilots."""
    need_perfect_phase(phi_bar)
    a, m, nu = letters(gamma, kappa, v, phi_bar)
    x = x_of(gamma, kappa, v, phi_bar, psi, eta_t, sigma2_up)
    _, K, N = v.shape
    mean, variance = np.zeros((K, K), complex), np.zeros((K, K))
    for s, j in zip(*np.nonzero(serving), strict=True):
        x_jj = x[s, j, j].real
        known = abs(m[s, j]) ** 2 + nu[s, j] * x_jj
        if known == 0:
            continue
        for k in range(K):
            inner = a[s, k].conj() @ a[s, j]
            both = np.conj(m[s, k]) * m[s, j] + nu[s, j] * x[s, j, k]
            mean[k, j] += np.sqrt(P[s]) * p[s, j] * both / np.sqrt(N * known) * inner
            bracket = nu[s, k] + abs(m[s, k]) ** 2 * nu[s, j] * x_jj / known
            variance[k, j] += P[s] * p[s, j] ** 2 / N * bracket * abs(inner) ** 2
    return mean, variance


def proposition_1(gamma, kappa, v, phi_bar, P, p, serving, sigma2, eta_t, sigma2_up):
    """(52), (53): rates of sMRT = sZF, and of iMRT, if the steering vectors of every satellite are orthogonal."""
    need_perfect_phase(phi_bar)
    _, m, nu = letters(gamma, kappa, v, phi_bar)
    N = v.shape[2]
    x = eta_t * N * nu / (eta_t * N * nu + sigma2_up)
    weight, rates = np.sqrt(P)[:, None] * p * serving, []
    for known in (np.zeros_like(nu), nu * x):
        total = abs(m) ** 2 + known
        share = np.divide(known, total, out=np.zeros_like(total), where=total > 0)
        signal = N * (weight * np.sqrt(total)).sum(axis=0) ** 2
        noise = N * (weight**2 * (nu + abs(m) ** 2 * share)).sum(axis=0) + sigma2
        rates.append(np.log1p(signal / noise) / np.log(2))
    return rates


def drawn_gains(x, v, W):
    """gamma_{k,j} of (61) for the draws x (D,S,K), (D,K,K); W (S,K,N), or (D,S,K,N) if it depends on the draw."""
    D, S, K = x.shape
    gains = np.zeros((D, K, K), complex)
    for s in range(S):  # einsum: one thread, where many small products in many threads would be far slower
        gains += x[:, s, :, None] * np.einsum("kn,...jn->...kj", v[s], W[..., s, :, :])
    return gains


def drawn_rates(gains, sigma2):
    """(21), or (47), from draws of the gains, and the standard errors (K,) to first order."""
    D, K, _ = gains.shape
    rate, error = np.zeros(K), np.zeros(K)
    for k in range(K):
        own = gains[:, k, k]
        mean = own.mean()
        power = (abs(gains[:, k]) ** 2).sum(axis=1)
        total = power.mean() + sigma2[k]
        uncertain = (abs(own - mean) ** 2).mean() + (abs(np.delete(gains[:, k], k, axis=1)) ** 2).sum(axis=1).mean()
        unwanted = uncertain + sigma2[k]
        rate[k] = np.log1p(abs(mean) ** 2 / unwanted)
        step = power - power.mean()
        influence = step / total - (step - 2 * (mean.conj() * (own - mean)).real) / unwanted
        error[k] = influence.std() / np.sqrt(D)
    return rate / np.log(2), error / np.log(2)
