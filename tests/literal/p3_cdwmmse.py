"""P3's Algorithm 1 as printed, with SN x SN matrices, plus the conventions for what it leaves open.

Open in the paper and settled here: how W starts; clusters in which not every satellite serves every UT (the
rows of w_k of other satellites are dropped, their interference is kept); UTs without power or channel take no
part.
"""

import numpy as np

from .p3_matrices import mean_channel, omega, omega_tilde, q_matrix, quadratic, rho_of, solve


def user_powers(P, serving):
    """Step 4: each satellite's power shared equally by its UTs, which is sum(P)/K where all serve all."""
    S, K = serving.shape
    P_k = np.zeros(K, np.longdouble)
    for s in range(S):
        for k in range(K):
            if serving[s, k]:
                P_k[k] += np.longdouble(P[s]) / serving[s].sum()
    return P_k


def matched_filter(rho, gamma, v, serving, P_k):
    """Step 3, not in the paper: w_k along conj(E h_k) over the serving satellites, power P_k; (K,SN)."""
    S, K, N = v.shape
    w = np.zeros((K, S * N), np.clongdouble)
    for k in range(K):
        mask = np.repeat(serving[:, k], N)
        h = mean_channel(rho[:, k], v[:, k]) * mask
        if not h.any():  # no mean to match: the LoS directions, so that the start is not zero
            h = mean_channel(np.sqrt(gamma[:, k]), v[:, k]) * mask
        if h.any():
            w[k] = h.conj() / np.linalg.norm(h) * np.sqrt(P_k[k])
    return w


def receiver(k, w, Q_k, Omega_k, Omegat_k, sigma2_k):
    """(32), and the modified MSE (27) with (32) put in, where no 1 - (1 - e) cancels."""
    unwanted = sum(quadratic(w[i], Omegat_k) for i in range(len(w)) if i != k) + sigma2_k
    total = quadratic(w[k], Omega_k) + unwanted
    return Q_k @ w[k] / total, unwanted / total


def modified_mse(k, w, a_k, Q_k, Omega_k, Omegat_k, sigma2_k):
    """(27) as printed, for any virtual receiver a_k (S+1,)."""
    aa = (a_k.conj() @ a_k).real
    power = sum(quadratic(w[i], Omegat_k) for i in range(len(w)) if i != k) + quadratic(w[k], Omega_k)
    return aa * power - 2 * (a_k.conj() @ Q_k @ w[k]).real + aa * sigma2_k + 1


def w_bar(k, rows, users, aa, u, beta, sigma2, P_k, Q, Omega, Omegat, a):
    """Steps 9 and 10 on the rows of the serving satellites; the other rows stay zero."""
    Xi = beta[k] * u[k] * aa[k] * Omega[k] + sum(beta[i] * u[i] * aa[i] * Omegat[i] for i in users if i != k)
    ridge = beta[k] * u[k] * aa[k] * sigma2[k] / P_k[k]
    A = Xi[np.ix_(rows, rows)] + ridge * np.eye(len(rows))
    b = beta[k] * u[k] * (Q[k].conj().T @ a[k])
    out = np.zeros(len(b), np.clongdouble)
    out[rows] = solve(A, b[rows])
    return out


def ms_jo_cdwmmse(gamma, kappa, v, phi_bar, P, sigma2, beta, serving, W0=None, I_max=10, chi=1e-3, *, e_start=np.inf):
    """Algorithm 1: W (S,K,N), the number of iterations, and e_k after each of them (iterations,K).

    A start W0 is taken as it is, less the blocks that do not serve. `e_start` is the modified MSE before the
    first iteration. Step 4 prints chi there, which step 6 makes the previous error of the first comparison:
    the loop then ends after one iteration unless the errors are below chi. Infinity must be meant.
    """
    S, K, N = v.shape
    gamma, P, sigma2, beta = (np.asarray(x, np.longdouble) for x in (gamma, P, sigma2, beta))
    # steps 1, 2
    rho = rho_of(gamma, kappa, phi_bar)
    Q = [q_matrix(gamma[:, k], rho[:, k], v[:, k]) for k in range(K)]
    Omega = [omega(gamma[:, k], rho[:, k], v[:, k]) for k in range(K)]
    Omegat = [omega_tilde(gamma[:, k], v[:, k]) for k in range(K)]
    # steps 3, 4
    n = 0
    P_k = user_powers(P, serving)
    rows = [np.flatnonzero(np.repeat(serving[:, k], N)) for k in range(K)]
    if W0 is None:
        w = matched_filter(rho, gamma, v, serving, P_k)
    else:
        w = np.array([(W0[:, k] * serving[:, k, None]).ravel() for k in range(K)], np.clongdouble)
    users = [k for k in range(K) if P_k[k] > 0 and gamma[serving[:, k], k].any()]
    e, e_last = np.full(K, e_start, np.longdouble), np.full(K, np.inf, np.longdouble)
    history = []
    # step 5
    while n < I_max and users and (n == 0 or sum(np.log2(e_last[k] / e[k]) for k in users) > chi):
        # step 6
        n, e_last = n + 1, e
        # steps 7, 8
        a, e = zip(*[receiver(k, w, Q[k], Omega[k], Omegat[k], sigma2[k]) for k in range(K)], strict=True)
        e = np.array(e)
        u = 1 / e
        aa = [(a[k].conj() @ a[k]).real for k in range(K)]
        # steps 9 to 11
        w_next = np.zeros_like(w)
        for k in users:
            w_bar_k = w_bar(k, rows[k], users, aa, u, beta, sigma2, P_k, Q, Omega, Omegat, a)
            w_next[k] = np.sqrt(P_k[k] / (w_bar_k.conj() @ w_bar_k).real) * w_bar_k
        w = w_next
        history.append(e.astype(float))
    # steps 13 to 15
    W = np.zeros((S, K, N), np.clongdouble)
    for s in range(S):
        W_s = w[:, s * N : (s + 1) * N]
        power = (abs(W_s) ** 2).sum()
        if power > 0:
            W[s] = np.minimum(np.sqrt(P[s] / power), 1) * W_s
    return W.astype(complex), n, np.array(history).reshape(n, K)
