"""P1's Algorithm 3: each stream sent by one satellite; participation factors, association, precoders.

Conventions for what is open:

- The assignment (37) is solved by trying every one; among equals the first in lexicographic order. Without S
  satellites for a UE it has no solution: an error. Satellites that do not serve a UE take no part in (33) to (37).
- (38): H_{l,k} has rank one, so W~ e_s is zero for s > 1. Every stream of a pair starts along
  (sum_i H_i^H H_i + sigma^2 I)^-1 conj(a_{l,k}); its phase is of no effect.
- Here (23) and (25) to (27) are right as printed: no two satellites send the same stream. The satellites' problems
  are independent of each other, so their order is of no effect.
"""

from itertools import permutations

import numpy as np

from .p1_joint import Solution, mmse_direction
from .p1_multipliers import minimise
from .p1_receiver import inverse_mse, log2_det, mse


def participation(H_k):
    """(33) to (36) for one UE's H_k (L,M,N): eta (L,R) and the singular values (R,), R = min(M, LN).

    Columns of eta belong to no mode in particular where singular values coincide, or are zero.
    """
    L, _, N = H_k.shape
    _, sigma, V_h = np.linalg.svd(np.hstack(H_k), full_matrices=False)
    eta = np.array([[np.linalg.norm(V_h[m, l * N : (l + 1) * N]) ** 2 for m in range(len(sigma))] for l in range(L)])
    return eta, sigma


def score(H_k, modes=None):
    """(40), over the strongest `modes`; over all, as printed, it is ||H_{l,k}||_F^2 and ranks by beta alone."""
    eta, sigma = participation(H_k)
    return (eta * sigma**2)[:, :modes].sum(axis=1)


def assignment(eta, S, allowed):
    """(37) by trying all: pi (S,), and the value of (37a)."""
    best, value = None, -np.inf
    for pi in permutations(np.flatnonzero(allowed), S):
        total = sum(eta[l, s] for s, l in enumerate(pi))
        if total > value:
            best, value = pi, total
    if best is None:
        raise ValueError("fewer satellites than streams")
    return np.array(best, int), value


def associate(H, S, serving=None):
    """Steps 2 to 11: pi (K,S)."""
    L, K, _, _ = H.shape
    serving = np.ones((L, K), bool) if serving is None else serving
    pi = np.zeros((K, S), int)
    for k in range(K):
        eta, _ = participation(H[:, k] * serving[:, k][:, None, None])
        pi[k], _ = assignment(eta, S, serving[:, k])
    return pi


def random_association(rng, K, S, L):
    """Fig. 9's baseline: S distinct satellites for each UE, every ordered choice equally likely; (K,S)."""
    return np.array([rng.permutation(L)[:S] for _ in range(K)])


def stream_mask(pi, L):
    """(L,K,S), True where satellite l sends stream s of UE k."""
    K, S = pi.shape
    on = np.zeros((L, K, S), bool)
    for k in range(K):
        for s in range(S):
            on[pi[k, s], k, s] = True
    return on


def start(H, sigma2, rho, pi):
    """(38): w as a dictionary {(k, s): (N,)}; the satellite is pi[k, s]."""
    L, _, _, _ = H.shape
    K, S = pi.shape
    w = {}
    for l in range(L):
        T_l = [(k, s) for k in range(K) for s in range(S) if pi[k, s] == l]
        inverse = mmse_direction(H[l], sigma2)
        total = sum(np.linalg.norm(H[l, k]) for k, _ in T_l)
        for k, s in T_l:
            first = np.linalg.svd(H[l, k])[0][:, 0]  # b / sqrt(M)
            w_tilde = inverse @ H[l, k].conj().T @ first
            size = np.linalg.norm(w_tilde)
            share = rho[l] * np.linalg.norm(H[l, k]) / total if total else 0.0
            w[k, s] = np.sqrt(share) * w_tilde / size if size else w_tilde
    return w


def received(H, w, pi):
    """(24) for the streams of every UE i at UE k: G (K,K,M,S)."""
    K, S = pi.shape
    G = np.zeros((K, K, H.shape[2], S), complex)
    for k in range(K):
        for i in range(K):
            for s in range(S):
                G[k, i, :, s] = H[pi[i, s], k] @ w[i, s]
    return G


def covariance(k, H, w, pi, sigma2_k):
    """J_k of (27)."""
    J = sigma2_k * np.eye(H.shape[2], dtype=complex)
    for i, s in w:
        x = H[pi[i, s], k] @ w[i, s]
        J += np.outer(x, x.conj())
    return J


def update(l, H, w, pi, U, C, rho_l):
    """Steps 20 and 21: (30) to (32) for satellite l, changing w; returns the `Step`."""
    K, S = pi.shape
    T_l = [(k, s) for k in range(K) for s in range(S) if pi[k, s] == l]
    T = sum(H[l, i].conj().T @ U[i] @ C[i] @ U[i].conj().T @ H[l, i] for i in range(K))
    z = np.array([[H[l, k].conj().T @ U[k] @ C[k] @ np.eye(S)[s]] for k, s in T_l]).reshape(len(T_l), len(T), 1)
    step = minimise(T, z, [(np.eye(len(T)), rho_l)])
    for row, (k, s) in enumerate(T_l):
        w[k, s] = step.W[row, :, 0]
    return step


def streamwise(H, sigma2, rho, S, *, pi=None, w0=None, serving=None, omega=None, I_max=40, eps=1e-4):
    """Algorithm 3 for H (L,K,M,N), sigma2 (K,), caps rho (L,): `Solution` and pi (K,S).

    A start w0 is {(k, s): (N,)}; `serving` (L,K) limits the association; omega (K,) are rate weights.
    """
    L, K, _, N = H.shape
    omega = np.ones(K) if omega is None else np.asarray(omega, float)
    pi = associate(H, S, serving) if pi is None else pi
    w = start(H, sigma2, rho, pi) if w0 is None else dict(w0)
    delta, last, history, steps = np.inf, np.inf, [], []
    while delta > eps and len(history) < I_max:
        G = received(H, w, pi)
        U = [np.linalg.solve(covariance(k, H, w, pi, sigma2[k]), G[k, k]) for k in range(K)]
        C = [omega[k] / np.log(2) * inverse_mse(k, G, sigma2[k]) for k in range(K)]
        steps = [update(l, H, w, pi, U, C, rho[l]) for l in range(L)]
        G = received(H, w, pi)
        used = [k for k in range(K) if omega[k] > 0]
        errors = sum(np.trace(C[k] @ mse(k, G, U[k], sigma2[k])).real for k in used)
        history.append(errors - sum(omega[k] * log2_det(C[k]) for k in used))
        delta, last = abs(last - history[-1]), history[-1]
    W = np.zeros((L, K, N, S), complex)
    for k, s in w:
        W[pi[k, s], k, :, s] = w[k, s]
    return Solution(W=W, history=np.array(history), steps=tuple(steps), converged=bool(delta <= eps)), pi
