"""P1's Algorithm 1: joint non-coherent transmission, with N x N matrices as printed.

Conventions for what is open or cannot be meant:

- Mean square error and combiner: those of (11), see `p1_receiver`.
- Order: U and C of all UEs once an iteration (steps 6, 7), then the satellites l = 0, 1, ..., each with the newest
  W of the others. (19) lacks what the other satellites send, which the cross terms of (11) bring in: its
  right-hand side is z_k = H_{l,k}^H U_k C_k - sum_i H_{l,i}^H U_i C_i U_i^H sum_{l' != l} H_{l',i} W_{l',k}.
- Stop: when |objective(I) - objective(I-1)| <= eps, or after I_max iterations; no scaling after the last.
- Start: see `mmse_start`; or W0 as given, less what is not `active`, feasible or not.
- Mask: where `active` (L,K) or (L,K,S) is False, W is zero; the interference there still counts in T_l.
- Rate weights omega: C_k = omega_k E_k^-1 / ln 2; the paper has omega = 1.
"""

from dataclasses import dataclass

import numpy as np

from .p1_multipliers import minimise
from .p1_receiver import objective, receivers


@dataclass(frozen=True, slots=True, kw_only=True)
class Solution:
    """What an algorithm returns."""

    W: np.ndarray
    """(L,K,N,S)."""
    history: np.ndarray
    """(iterations,) objective (13a) after each iteration (step 10): U, C from its start, W from its end."""
    steps: tuple
    """(L,) of `p1_multipliers.Step`: the satellites' problems of the last iteration, with multipliers and residuals."""
    converged: bool
    """Whether the change in the objective fell to eps."""


def total_power(rho, N):
    """Constraints [[(A, rho)] per satellite] for caps rho (L,)."""
    return [[(np.eye(N), rho_l)] for rho_l in rho]


def per_antenna(rho):
    """Constraints for caps rho (L,N), A = E_n."""
    return [[(np.diag(row), rho_ln) for row, rho_ln in zip(np.eye(len(r)), r, strict=True)] for r in rho]


def mask(active, L, K, S):
    """`active` as (L,K,S) bool."""
    if active is None:
        return np.ones((L, K, S), bool)
    active = np.asarray(active, bool)
    return np.repeat(active[:, :, None], S, axis=2) if active.ndim == 2 else active


def mmse_direction(H_l, sigma2):
    """(sum_i H_i^H H_i / sigma_i^2 + I)^-1, which is (21)'s inverse times sigma^2 where sigma^2 is common; (N,N)."""
    N = H_l.shape[2]
    return np.linalg.inv(sum(H_l[i].conj().T @ H_l[i] / sigma2[i] for i in range(len(H_l))) + np.eye(N))


def left_vectors(H_k, S, per_link):
    """Q_{l,k}^{(S)} for every l, (L,M,S); columns of singular value zero are zero."""
    L, M, _ = H_k.shape
    out = np.zeros((L, M, S), complex)
    for l in range(L):
        Q, sigma, _ = np.linalg.svd(H_k[l] if per_link else np.hstack(H_k), full_matrices=False)
        rank = min(S, int((sigma > 1e-12 * sigma[0]).sum()))
        out[l, :, :rank] = Q[:, :rank]
    return out


def mmse_start(H, sigma2, constraints, S, active=None, per_link=False):
    """(21), with the inverse over all UEs, active or not, and power shares over the active pairs of a satellite.

    Per link, as printed, only the first stream starts: H_{l,k} has rank one, so all other columns of H^H Q are
    zero, and Algorithm 1 keeps zero columns zero. What is meant is taken to be the S dominant left singular vectors
    of (33), the blocks of inactive pairs zero. A pair whose b_{l,k} is orthogonal to them starts at zero.
    """
    L, K, _, N = H.shape
    on = mask(active, L, K, S)
    W = np.zeros((L, K, N, S), complex)
    root_beta = np.array([[np.linalg.norm(H[l, k]) * on[l, k].any() for k in range(K)] for l in range(L)])
    Q = [left_vectors(H[:, k] * on[:, k].any(axis=1)[:, None, None], S, per_link) for k in range(K)]
    for l in range(L):
        inverse = mmse_direction(H[l], sigma2)
        rho_bar = min(r for _, r in constraints[l])
        for k in range(K):
            W_tilde = inverse @ H[l, k].conj().T @ Q[k][l] * on[l, k]
            size = np.linalg.norm(W_tilde)
            seen = np.linalg.norm(H[l, k].conj().T @ Q[k][l])
            if (
                on[l, k].any() and seen > 1e-10 * root_beta[l, k]
            ):  # else the directions Q are orthogonal to b_{l,k}: rounding only
                W[l, k] = np.sqrt(rho_bar * root_beta[l, k] / root_beta[l].sum()) * W_tilde / size
    return W


def subproblem(l, H, W, U, C, on):
    """T_l of (30) and the right-hand sides z (K,N,S) of (19) with the cross terms of (11)."""
    L, K, _, N = H.shape
    S = W.shape[3]
    X = [U[i] @ C[i] @ U[i].conj().T for i in range(K)]
    T = np.zeros((N, N), complex)
    for i in range(K):
        T += H[l, i].conj().T @ X[i] @ H[l, i]
    z = np.zeros((K, N, S), complex)
    for k in range(K):
        z[k] = H[l, k].conj().T @ U[k] @ C[k]
        for i in range(K):
            others = sum((H[m, i] @ W[m, k] for m in range(L) if m != l), np.zeros((H.shape[2], S)))
            z[k] -= H[l, i].conj().T @ X[i] @ others
        z[k] *= on[l, k]
    return T, z


def joint(
    H, sigma2, constraints, S, *, W0=None, active=None, omega=None, I_max=40, eps=1e-4, tol=1e-10, ellipsoid=False
):
    """Algorithm 1 for H (L,K,M,N), sigma2 (K,), constraints[l] = [(A, rho), ...] and S streams.

    `tol` is that of the ellipsoid method; `ellipsoid` uses it for one constraint too.
    """
    L, K, _, _ = H.shape
    on = mask(active, L, K, S)
    omega = np.ones(K) if omega is None else np.asarray(omega, float)
    # steps 1 to 3
    W = mmse_start(H, sigma2, constraints, S, on) if W0 is None else np.array(W0, complex) * on[:, :, None, :]
    delta, last, history, steps = np.inf, np.inf, [], []
    while delta > eps and len(history) < I_max:
        U, C = receivers(H, W, sigma2, omega)  # steps 6, 7
        steps = []
        for l in range(L):  # steps 8, 9
            T, z = subproblem(l, H, W, U, C, on)
            steps.append(minimise(T, z, constraints[l], tol, ellipsoid))
            W[l] = steps[-1].W * on[l][:, None, :]
        history.append(objective(H, W, sigma2, omega, U, C))  # steps 10, 11
        delta, last = abs(last - history[-1]), history[-1]
    return Solution(W=W, history=np.array(history), steps=tuple(steps), converged=bool(delta <= eps))
