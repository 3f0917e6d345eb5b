"""P5's Algorithm 1 and what it is made of, line by line with cvxpy: (23), (29) to (37).

Mended: the beamforming uncertainty has p of UT j (22); omega = 1/(p^2 + epsilon) in (30); the start is feasible, where
(36) as printed divides by t = 0; UTs without any coefficient b are left out, as the set K_c of P5's footnote 2 has it.
Coefficients b (K,L), c (K,K,L), d (K,K,L) are those of `p5_rates.coefficients_28`; p is (L,K).
"""

import cvxpy as cp
import numpy as np

EXACT = {"tol_gap_abs": 1e-11, "tol_gap_rel": 1e-11, "tol_feas": 1e-11}


def solved(problem):
    """As exact as the solver can; where weights of 1e10 keep it from that, as exact as it usually is."""
    try:
        problem.solve(solver=cp.CLARABEL, **EXACT)
    except cp.error.SolverError:
        problem.solve(solver=cp.CLARABEL)


def active(b, eligible):
    """K_c: the UTs to which an eligible satellite has a mean channel."""
    return [k for k in range(len(b)) if (b[k] * eligible[:, k]).any()]


def interference(b, c, d, p, sigma2, k):
    """The denominator of (27) as a list of vectors whose squares add up to it; p may be a cvxpy variable."""
    del b
    parts = [np.array([np.sqrt(sigma2[k])])]
    for j in range(len(c)):
        parts.append(cp.multiply(c[k, j], p[:, j]))
        if j != k:
            parts.append(np.array([d[k, j].real, d[k, j].imag]) @ p[:, j])
    return cp.hstack(parts)


def sinr_27(b, c, d, p, sigma2):
    """(K,) the ratio in (27)."""
    K = len(b)
    out = np.zeros(K)
    for k in range(K):
        bu = sum((c[k, j] ** 2 * p[:, j] ** 2).sum() for j in range(K))
        ui = sum(abs(d[k, j] @ p[:, j]) ** 2 for j in range(K) if j != k)
        out[k] = (b[k] @ p[:, k]) ** 2 / (bu + ui + sigma2[k])
    return out


def feasible(p, omega, eligible, k_max):
    """(32c) to (32e) and who may serve whom."""
    L, _ = p.shape
    constraints = [p >= 0, p[~eligible] == 0] if (~eligible).any() else [p >= 0]
    for l in range(L):
        constraints.append(cp.sum_squares(p[l]) <= 1)
        if omega is not None:
            constraints.append(cp.sum_squares(cp.multiply(np.sqrt(omega[l] / k_max), p[l])) <= 1)
    return constraints


def normal(b, c, d, sigma2):
    """The same SINRs with b of size 1 for every UT."""
    size = np.abs(b).max(axis=1)
    size = np.where(size > 0, size, 1)
    return b / size[:, None], c / size[:, None, None], d / size[:, None, None], sigma2 / size**2


def start(b, c, d, sigma2, omega, eligible, k_max):
    """A feasible point: equal weights within (32c) and (32d), and its t."""
    p = eligible / np.sqrt(np.maximum(eligible.sum(axis=1), 1))[:, None]
    if omega is not None:
        p = p / np.sqrt(np.maximum((omega * p**2).sum(axis=1) / k_max, 1))[:, None]
    t = min(sinr_27(b, c, d, p, sigma2)[k] for k in active(b, eligible))
    return p, t


def p4(b, c, d, sigma2, omega, eligible, k_max, p_prev, t_prev):
    """(37); t is found relative to t_prev, and each line relative to b p_prev."""
    b, c, d, sigma2 = normal(b, c, d, sigma2)
    p, t = cp.Variable(p_prev.shape), cp.Variable()  # t / t_prev
    constraints = feasible(p, omega, eligible, k_max)
    for k in active(b, eligible):
        known = b[k] @ p_prev[:, k]
        F = 2 * (b[k] @ p[:, k]) / known - t
        unwanted = interference(b, c, d, p, sigma2, k) * (np.sqrt(t_prev) / known)
        constraints.append(cp.sum_squares(unwanted) <= F)
    solved(cp.Problem(cp.Maximize(t), constraints))
    return np.maximum(p.value, 0) * eligible, t.value * t_prev


def sca(b, c, d, sigma2, omega, eligible, k_max, tolerance=1e-7, most=60):
    """Algorithm 1's inner loop: p (L,K), t and how often P4 was solved."""
    p, t = start(b, c, d, sigma2, omega, eligible, k_max)
    for i in range(most):  # noqa: B007
        t_prev = t
        p, t = p4(b, c, d, sigma2, omega, eligible, k_max, p, t)
        t = min(sinr_27(b, c, d, p, sigma2)[k] for k in active(b, eligible))
        if t - t_prev <= tolerance * t:
            break
    return p, t, i + 1


def fits(b, c, d, sigma2, omega, eligible, k_max, t):
    """Whether some p has every SINR at t: the slack (negative if not) and p; a cone program, t being fixed."""
    b, c, d, sigma2 = normal(b, c, d, sigma2)
    p, slack = cp.Variable((b.shape[1], len(b))), cp.Variable()
    constraints = feasible(p, omega, eligible, k_max)
    for k in active(b, eligible):
        constraints.append(
            b[k] @ p[:, k] - slack * b[k].max() >= np.sqrt(t) * cp.norm(interference(b, c, d, p, sigma2, k))
        )
    solved(cp.Problem(cp.Maximize(slack), constraints))
    return slack.value, np.maximum(p.value, 0) * eligible


def bisection(b, c, d, sigma2, omega, eligible, k_max, tolerance=1e-8):
    """P3, (32), by bisection on t: p (L,K) and the largest t that fits, to `tolerance` of itself."""
    p, low = start(b, c, d, sigma2, omega, eligible, k_max)
    reach = (b * eligible.T).sum(axis=1) ** 2 / sigma2  # no interference, every satellite all for one
    high = min(reach[k] for k in active(b, eligible))
    while high - low > tolerance * high:
        t = np.sqrt(low * high)
        slack, found = fits(b, c, d, sigma2, omega, eligible, k_max, t)
        t_found = min(sinr_27(b, c, d, found, sigma2)[k] for k in active(b, eligible))
        if t_found > low:
            p, low = found, t_found
        if slack < 0:
            high = t
    return p, low


def algorithm_1(b, c, d, sigma2, eligible, k_max, epsilon=1e-10, zero=1e-3, most=30, inner=sca):
    """P5's Algorithm 1: p (L,K), L_k as (L,K) bool, and the number of outer iterations.

    `zero` is what counts as p = 0 in (29c), of which the paper says nothing. Where the loop has not met (29c) after
    `most` iterations it ends.
    """
    omega = None  # all 1: (32c) is then weaker than (32d)
    for i in range(most):  # noqa: B007
        p = inner(b, c, d, sigma2, omega, eligible, k_max)[0]
        if ((p > zero).sum(axis=1) <= k_max).all():
            break
        omega = 1 / (p**2 + epsilon)
    return p, p > zero, i + 1
