"""P3's problem P2, minimum weighted true MSE: MS-JoWMMSE, MS-SepWMMSE and SS-WMMSE, with Algorithm 1's steps.

The paper prints P2 (22), (23), the receiver (39), and names the schemes; the algorithm is "similar". Settled
here: receiver (39) and u_k = 1/e_k replace steps 7 and 8, E{h_k^*} a_k replaces Q_k^H a_k in step 10, all else
(start, P_k, masks, eta step, stop rule, last scaling) is as in `p3_cdwmmse`. A UT without a mean channel from
its satellites has a_k = 0: no precoder lowers its e_k = 1, and it gets w_k = 0 from the first iteration on
(the start is the one of all schemes). Its P_k, or a share that step 14 cuts, is not handed to others.

u_k = 1/e_k minimises u_k e_k - ln u_k; with the printed log2 it would be 1/(e_k ln 2), a factor common to all
UTs, which cancels in step 10. The objectives below have the natural logarithm.
"""

import numpy as np

from .p3_cdwmmse import matched_filter, user_powers, w_bar
from .p3_matrices import mean_channel, omega, omega_tilde, q_lower, quadratic, rho_of


def mean_alone(gamma, kappa, v, phi_bar):
    """The same means as if they were the channel: for WMMSE "based on the expectation" with reference [26]."""
    rho = rho_of(gamma, kappa, phi_bar)
    phase = np.exp(1j * np.angle(np.asarray(phi_bar, complex)))
    return {"gamma": abs(rho) ** 2, "kappa": np.full(rho.shape, np.inf), "v": v, "phi_bar": phase}


def received(w, h_bar, lower, Omegat):
    """g (K,): E{h_k^T} w_k. T (K,K): w_i^H tilde Omega_k w_i, and on the diagonal the own power less |g|^2."""
    K = len(w)
    g = np.array([h_bar[k] @ w[k] for k in range(K)])
    T = np.array([[quadratic(w[i], Omegat[k]) for i in range(K)] for k in range(K)])
    for k in range(K):
        T[k, k] = (abs(lower[k] @ w[k]) ** 2).sum()
    return g, T


def receivers(g, T, sigma2):
    """(39), and (23) with (39) put in, where no 1 - (1 - e) cancels."""
    unwanted = T.sum(axis=1) + sigma2
    total = abs(g) ** 2 + unwanted
    return g / total, unwanted / total


def errors(a, g, T, sigma2, eta_own=1.0, eta_other=1.0):
    """(23) as printed for any a (K,); with divisors the brackets of (34) (one eta_k for all of row k) or (35)."""
    K = len(g)
    eta_own, eta_other = np.broadcast_to(eta_own, (K,)), np.broadcast_to(eta_other, (K, K))
    e = np.zeros(K, np.longdouble)
    for k in range(K):
        aa = abs(a[k]) ** 2
        others = sum(T[k, i] / eta_other[k, i] ** 2 for i in range(K) if i != k)
        own = (abs(g[k]) ** 2 + T[k, k]) / eta_own[k] ** 2
        gain = (np.conj(a[k]) * g[k]).real / eta_own[k]
        e[k] = aa * (others + own) - 2 * gain + aa * sigma2[k] / eta_own[k] ** 2 + 1
    return e


def objective(beta, u, e):
    """(22) with the natural logarithm."""
    return (beta * (u * e - np.log(u))).sum()


def ms_jo_wmmse(gamma, kappa, v, phi_bar, P, sigma2, beta, serving, W0=None, I_max=10, chi=1e-3, *, e_start=np.inf):
    """W (S,K,N), the number of iterations n, e_k of (23) in each (n,K), and P2's objective in each (n,4).

    The four objectives: after the receivers (u_k still the last one, 1 at first), after the weights, after the
    precoders as the step believes it (35), after the precoders in truth (34), receivers a_k/eta_k in both.
    """
    S, K, N = v.shape
    gamma, P, sigma2, beta = (np.asarray(x, np.longdouble) for x in (gamma, P, sigma2, beta))
    rho = rho_of(gamma, kappa, phi_bar)
    h_bar = [mean_channel(rho[:, k], v[:, k]) for k in range(K)]
    lower = [q_lower(gamma[:, k], rho[:, k], v[:, k]) for k in range(K)]
    Omega = [omega(gamma[:, k], rho[:, k], v[:, k]) for k in range(K)]
    Omegat = [omega_tilde(gamma[:, k], v[:, k]) for k in range(K)]
    n = 0
    P_k = user_powers(P, serving)
    rows = [np.flatnonzero(np.repeat(serving[:, k], N)) for k in range(K)]
    if W0 is None:
        w = matched_filter(rho, gamma, v, serving, P_k)
    else:
        w = np.array([(W0[:, k] * serving[:, k, None]).ravel() for k in range(K)], np.clongdouble)
    present = [k for k in range(K) if P_k[k] > 0 and gamma[serving[:, k], k].any()]
    e, e_last = np.full(K, e_start, np.longdouble), np.full(K, np.inf, np.longdouble)
    u = np.ones(K, np.longdouble)
    g, T = received(w, h_bar, lower, Omegat)
    e_history, f_history = [], []
    while n < I_max and present and (n == 0 or sum(np.log2(e_last[k] / e[k]) for k in present) > chi):
        n, e_last = n + 1, e
        # steps 7, 8 with (39) and (23)
        a, e = receivers(g, T, sigma2)
        f_receiver = objective(beta, u, e)
        u = 1 / e
        f_weight = objective(beta, u, e)
        aa = abs(a) ** 2
        # steps 9 to 11 with E{h_k^T} in the place of Q_k
        users = [k for k in present if a[k] != 0]
        w, eta = np.zeros_like(w), np.ones(K, np.longdouble)
        for k in users:
            known = [h[None, :] for h in h_bar], Omega, Omegat, a[:, None]
            w_bar_k = w_bar(k, rows[k], users, aa, u, beta, sigma2, P_k, *known)
            eta[k] = np.sqrt(P_k[k] / (w_bar_k.conj() @ w_bar_k).real)
            w[k] = eta[k] * w_bar_k
        g, T = received(w, h_bar, lower, Omegat)
        f_believed = objective(beta, u, errors(a, g, T, sigma2, eta, np.tile(eta, (K, 1))))  # (35)
        f_true = objective(beta, u, errors(a, g, T, sigma2, eta, np.tile(eta[:, None], (1, K))))  # (34)
        e_history.append(e.astype(float))
        f_history.append([float(f) for f in (f_receiver, f_weight, f_believed, f_true)])
    # steps 13 to 15
    W = np.zeros((S, K, N), np.clongdouble)
    for s in range(S):
        W_s = w[:, s * N : (s + 1) * N]
        power = (abs(W_s) ** 2).sum()
        if power > 0:
            W[s] = np.minimum(np.sqrt(P[s] / power), 1) * W_s
    return W.astype(complex), n, np.array(e_history).reshape(n, K), np.array(f_history).reshape(n, 4)


def ms_sep_wmmse(gamma, kappa, v, phi_bar, P, sigma2, beta, serving, **options):
    """Each satellite runs the above for the UTs it serves as if no other satellite were there.

    Its P_k is P_s / K_s and so nothing is lost in step 14. It sees the MSE (23) of its own link; "based on the
    expectation of the compensated channels" may also be read as `mean_alone`. Returns W, and per satellite what
    `ms_jo_wmmse` returns besides. All blocks have E{h_{s,k}^T} w_{s,k} > 0, so that they add in phase.
    """
    S, K, N = v.shape
    W, besides = np.zeros((S, K, N), complex), []
    for s in range(S):
        one = slice(s, s + 1)
        W_s, *rest = ms_jo_wmmse(
            gamma[one], kappa[one], v[one], phi_bar[one], P[one], sigma2, beta, serving[one], **options
        )
        W[s] = W_s[0]
        besides.append(tuple(rest))
    return W, besides


def ss_wmmse(gamma, kappa, v, phi_bar, P, sigma2, beta, serving, **options):
    """As MS-SepWMMSE where each UT has one satellite at most: which one, the paper does not say."""
    if (serving.sum(axis=0) > 1).any():
        raise ValueError("a UT has more than one satellite")
    return ms_sep_wmmse(gamma, kappa, v, phi_bar, P, sigma2, beta, serving, **options)
