"""P2's Algorithm 1 (MS2-CDWM) step by step, its matrices as printed, in extended precision.

Corrected: eta with a square root, as line 24 and not (43); Upsilon with C_k once, hence Xi of line 20; the first
comparison of line 25 always passes. Settled, because P2 leaves it open: the start, the powers of UTs where
clusters are partial, UTs that take no part. W is a list W[s][k] of (B_s,M_k); stacked over s, W_k is (B,M_k).
"""

import numpy as np

from .p2_channel import beam_channel, delta, rhos, sigma_tilde
from .p2_linear import factor, log2det, solve


class Statistics:
    """Lines 1 to 5: everything that the iteration does not change. Lists and arrays are indexed [s] and [k]."""

    def __init__(self, gamma, kappa, u, Sigma, phi_bar, v, F, A, sigma2, beta, o, streams, root=factor):
        self.S, self.K, self.N_R = u.shape
        self.u, self.o, self.M = np.asarray(u, np.clongdouble), np.asarray(o, bool), [int(m) for m in streams]
        self.phi_bar = np.asarray(phi_bar, np.clongdouble)
        self.sigma2, self.beta = np.asarray(sigma2, np.longdouble), np.asarray(beta, np.longdouble)
        self.rho, rho_tilde = rhos(gamma, kappa)
        self.v_bar = [x.astype(np.clongdouble) for x in beam_channel(v, F, A)]
        self.B = [x.shape[1] for x in self.v_bar]
        # what of the channel a UT's own satellites can reach
        self.seen = np.array(
            [[gamma[s, k] * abs(x[k]).sum() > 0 for k in range(self.K)] for s, x in enumerate(self.v_bar)]
        )
        self.Delta, self.Sigma_tilde = [], []
        for k in range(self.K):
            of_k = self.rho[:, k], rho_tilde[:, k], u[:, k], Sigma[:, k], self.phi_bar[:, k]
            self.Delta.append(delta(*of_k))
            self.Sigma_tilde.append(sigma_tilde(*of_k, root=root))

    def V_check(self, j, k):
        """(36), and (35) for j = k: (S,B), the channel of UT j from the satellites that serve UT k."""
        V = np.zeros((self.S, sum(self.B)), np.clongdouble)
        for s in range(self.S):
            start = sum(self.B[:s])
            V[s, start : start + self.B[s]] = self.o[s, k] * self.v_bar[s][j]
        return V

    def q(self, s, j, k, W):
        """q_{s,j,k}^H (M_j,) of lines 11, 12; the text below (25) prints UT j's channel for UT k's."""
        start = sum(self.B[:s])
        return self.o[s, j] * self.v_bar[s][k] @ W[j][start : start + self.B[s]]

    def R_sig(self, k, W):
        """Line 14."""
        R = np.zeros((self.N_R, self.N_R), np.clongdouble)
        for s1 in range(self.S):
            for s2 in range(self.S):
                R += (self.q(s1, k, k, W) @ self.q(s2, k, k, W).conj()) * self.Delta[k][s1, s2]
        return R

    def R_other(self, k, W):
        """Line 13."""
        R = self.sigma2[k] * np.eye(self.N_R, dtype=np.clongdouble)
        for j in range(self.K):
            for s in range(self.S):
                if j != k:
                    q = self.q(s, j, k, W)
                    R += (q @ q.conj()) * self.Delta[k][s, s]
        return R

    def R_half(self, k, W):
        """Line 15, (26): (N_R, (S N_R + 1) M_k)."""
        mean = np.zeros((self.N_R, self.M[k]), np.clongdouble)
        Q = np.zeros((self.S * self.N_R, self.S * self.N_R * self.M[k]), np.clongdouble)
        for s in range(self.S):
            q = self.q(s, k, k, W)
            mean += self.phi_bar[s, k] * np.sqrt(self.rho[s, k]) * np.outer(self.u[s, k], q)
            for n in range(self.N_R):  # I kron q^H
                row = s * self.N_R + n
                Q[row, row * self.M[k] : (row + 1) * self.M[k]] = q
        return np.hstack([mean, np.hstack(list(self.Sigma_tilde[k])) @ Q])

    def psi(self, k, DCD):
        """Line 19: entry (s2,s1) is Tr(D C D^H Delta_{s1,s2}); (37) is the whole, (38) its diagonal."""
        Psi = np.zeros((self.S, self.S), np.clongdouble)
        for s1 in range(self.S):
            for s2 in range(self.S):
                Psi[s2, s1] = np.trace(DCD @ self.Delta[k][s1, s2])
        return Psi

    def T(self, k, D, C):
        """(40), (41): (S,M_k)."""
        M = self.M[k]
        T = np.zeros((self.S, M), np.clongdouble)
        C_bar = C[:, :M]
        for s in range(self.S):
            mean = self.phi_bar[s, k].conj() * np.sqrt(self.rho[s, k]) * self.u[s, k].conj()
            T[s] = mean @ D @ C_bar
            for n in range(self.N_R):
                start = M + (s * self.N_R + n) * M
                T[s] += self.Sigma_tilde[k][s][:, n].conj() @ D @ C[:, start : start + M]
        return T


def user_powers(P, o, rule):
    """P tilde of line 7. "printed": sum(P)/K. "serving": each satellite's power shared equally by its UTs.

    The two are one where every satellite serves every UT. As printed, a satellite that serves no UT or has no
    power also counts, and the loads of the others do not.
    """
    S, K = o.shape
    if rule == "printed":
        return np.full(K, np.asarray(P, np.longdouble).sum() / K)
    if rule != "serving":
        raise ValueError(rule)
    P_k = np.zeros(K, np.longdouble)
    for s in range(S):
        for k in range(K):
            if o[s, k]:
                P_k[k] += np.longdouble(P[s]) / o[s].sum()
    return P_k


def scaled(W_k, P_k):
    """W_k at the power P_k, line 24; zero stays zero."""
    power = (abs(W_k) ** 2).sum()
    return np.sqrt(P_k / power) * W_k if power > 0 else W_k


def matched_start(stat, gamma, P_k):
    """Line 6, not in the paper: V_check^H T_breve of (45), its first M_k columns, at power P_k.

    That is a filter matched to the mean channel as the first M_k antennas of the UT receive it; where a UT has no
    mean, to the line of sight. For N_R = 1 it is the start of P3's oracle.
    """
    W = []
    for k in range(stat.K):
        V = stat.V_check(k, k)
        amplitude = stat.phi_bar[:, k].conj() * np.sqrt(stat.rho[:, k])
        if not (amplitude[:, None] * V).any():
            amplitude = np.sqrt(np.asarray(gamma[:, k], np.clongdouble))
        T = amplitude[:, None] * stat.u[:, k].conj()
        W.append(scaled(V.conj().T @ T[:, : stat.M[k]], P_k[k]))
    return W


def stacked_start(stat, W0):
    """A start W0[s][k] as it is, less the blocks that do not serve."""
    return [np.vstack([stat.o[s, k] * W0[s][k] for s in range(stat.S)]).astype(np.clongdouble) for k in range(stat.K)]


def receiver(stat, k, W):
    """Lines 15 to 18: D_k, C_k. C by the right-hand side of (29), where nothing near 1 is taken from 1."""
    R_half, R_other = stat.R_half(k, W), stat.R_other(k, W)
    D = solve(stat.R_sig(k, W) + R_other, R_half)
    C = np.eye(R_half.shape[1]) + R_half.conj().T @ solve(R_other, R_half)
    return D, (C + C.conj().T) / 2


def modified_mse(stat, k, W, D):
    """(18) as printed, for any D."""
    R_half = stat.R_half(k, W)
    total = stat.R_sig(k, W) + stat.R_other(k, W)
    cross = D.conj().T @ R_half
    return D.conj().T @ total @ D - cross - cross.conj().T + np.eye(R_half.shape[1])


def xi(stat, k, Psi):
    """Line 20, (44)."""
    V = stat.V_check(k, k)
    Xi = stat.beta[k] * V.conj().T @ (Psi[k] @ V)
    for j in range(stat.K):
        if j != k:
            V = stat.V_check(j, k)
            Xi = Xi + stat.beta[j] * V.conj().T @ (np.diag(np.diag(Psi[j])) @ V)
    return Xi


def w_bar(stat, k, P_k, Psi, DCD, T):
    """Lines 20 to 23, without the eta_k which line 23 prints before line 24 defines it."""
    beta_tilde = stat.beta[k] * stat.sigma2[k] / P_k[k] * np.trace(DCD[k]).real
    A = xi(stat, k, Psi) + beta_tilde * np.eye(sum(stat.B))
    return solve(A, stat.V_check(k, k).conj().T @ T)


def taking_part(stat, P_k):
    """The UTs with a weight, a power, a stream, and a channel from a satellite that serves them."""
    reached = (stat.seen & stat.o).any(axis=0)
    return [k for k in range(stat.K) if P_k[k] > 0 and stat.beta[k] > 0 and stat.M[k] > 0 and reached[k]]


def within_power(stat, W, P):
    """Line 26: the list W[s][k] in double precision."""
    out = []
    for s in range(stat.S):
        start = sum(stat.B[:s])
        W_s = [W_k[start : start + stat.B[s]] for W_k in W]
        power = sum((abs(W_sk) ** 2).sum() for W_sk in W_s)
        scale = np.minimum(np.sqrt(np.longdouble(P[s]) / power), 1) if power > 0 else 1
        out.append([(scale * W_sk).astype(complex) for W_sk in W_s])
    return out


def iterate(stat, W, users, P_k):
    """Lines 11 to 24: the next W, and log2 det E_k of the W it started from."""
    D, C = zip(*[receiver(stat, k, W) for k in range(stat.K)], strict=True)
    DCD = [D[k] @ C[k] @ D[k].conj().T for k in range(stat.K)]
    Psi = [stat.psi(k, DCD[k]) for k in range(stat.K)]
    after = [np.zeros_like(W_k) for W_k in W]
    for k in users:
        T = stat.T(k, D[k], C[k])
        if (stat.V_check(k, k).conj().T @ T).any():
            after[k] = scaled(w_bar(stat, k, P_k, Psi, DCD, T), P_k[k])
    return after, np.array([-log2det(C_k) for C_k in C])


def ms2_cdwm(
    gamma, kappa, u, Sigma, phi_bar, v, F, A, P, sigma2, beta, o, streams,
    W0=None, I_max=10, chi=1e-3, *, user_power="serving", log2_e_start=np.inf, root=factor,
):  # fmt: skip
    """Algorithm 1: W[s][k] (B_s,M_k), the number of iterations, and log2 det E_k after each (iterations,K).

    Line 7 starts E_k at chi I, which line 25 compares with: the loop then ends after one iteration unless the
    errors are below chi. Infinity must be meant. Line 25 calls the threshold epsilon, the input list chi.
    """
    stat = Statistics(gamma, kappa, u, Sigma, phi_bar, v, F, A, sigma2, beta, o, streams, root)
    if max(stat.M) > stat.N_R:
        raise ValueError("more streams than antennas")
    P_k = user_powers(P, stat.o, user_power)
    users = taking_part(stat, P_k)
    W = matched_start(stat, gamma, P_k) if W0 is None else stacked_start(stat, W0)
    W = [W_k if k in users or W0 is not None else 0 * W_k for k, W_k in enumerate(W)]
    history, n, last = [], 0, np.full(stat.K, log2_e_start)
    while users and n < I_max:
        n += 1
        W, log2_e = iterate(stat, W, users, P_k)
        history.append(log2_e)
        if sum(stat.beta[k] * (last[k] - log2_e[k]) for k in users) < chi:
            break
        last = log2_e
    return within_power(stat, W, P), n, np.array(history, float).reshape(n, stat.K)
