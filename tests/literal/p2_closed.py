"""P2's precoders without iteration: MS2-CDM (45) to (48), LIB (its Algorithm 2) and MS2-DFT (Section VI).

Each returns a list W[s][k] of (B_s,M_k). Where P2 says Step 12 of Algorithm 1, its last line is meant.
"""

import numpy as np

from .p2_cdwm import Statistics, scaled, taking_part, user_powers, within_power
from .p2_channel import beam_channel
from .p2_linear import solve


def delta_breve(stat, k):
    """(47): entry (s2,s1) is Tr(Delta_{s1,s2}); the diagonal of it for the interference."""
    traces = [[np.trace(stat.Delta[k][s1, s2]) for s1 in range(stat.S)] for s2 in range(stat.S)]
    return np.array(traces, np.clongdouble)


def cdm_w_tilde(stat, k, P_k):
    """(45), (46), (B,N_R); in (46) the weight belongs into the sum, as beta_j."""
    V = stat.V_check(k, k)
    Xi = stat.beta[k] * V.conj().T @ (delta_breve(stat, k) @ V)
    for j in range(stat.K):
        if j != k:
            V_jk = stat.V_check(j, k)
            Xi = Xi + stat.beta[j] * V_jk.conj().T @ (np.diag(np.diag(delta_breve(stat, j))) @ V_jk)
    beta_breve = stat.beta[k] * stat.sigma2[k] * stat.N_R / P_k[k]
    T = (stat.phi_bar[:, k].conj() * np.sqrt(stat.rho[:, k]))[:, None] * stat.u[:, k].conj()
    return solve(Xi + beta_breve * np.eye(sum(stat.B)), V.conj().T @ T)


def ms2_cdm(gamma, kappa, u, Sigma, phi_bar, v, F, A, P, sigma2, beta, o, streams, *, user_power="serving"):
    """(48), then line 26 of Algorithm 1; zero for a UT whose mean channel is zero."""
    stat = Statistics(gamma, kappa, u, Sigma, phi_bar, v, F, A, sigma2, beta, o, streams)
    if max(stat.M) > stat.N_R:
        raise ValueError("more streams than antennas")
    P_k = user_powers(P, stat.o, user_power)
    W = [np.zeros((sum(stat.B), M), np.clongdouble) for M in stat.M]
    for k in taking_part(stat, P_k):
        W[k] = scaled(cdm_w_tilde(stat, k, P_k)[:, : stat.M[k]], P_k[k])
    return within_power(stat, W, P)


def at_full_power(W, P):
    """Line 12 of Algorithm 2: each satellite at P_s, up or down; zero stays zero."""
    out = []
    for s, W_s in enumerate(W):
        power = sum((abs(W_sk) ** 2).sum() for W_sk in W_s)
        out.append([np.sqrt(P[s] / power) * W_sk if power > 0 else W_sk for W_sk in W_s])
    return out


def one_stream_each(v_bar, o, streams, direction):
    """Lines 2 to 11 of Algorithm 2: the serving satellites of a UT, by index, take its streams in turn."""
    S, K = o.shape
    W = [[np.zeros((v_bar[s].shape[1], int(streams[k])), complex) for k in range(K)] for s in range(S)]
    for k in range(K):
        b = 0
        for s in range(S):
            if o[s, k]:
                W[s][k][:, b] = direction(v_bar[s][k])
                b = 0 if b == streams[k] - 1 else b + 1
    return W


def lib(v, F, A, P, o, streams):
    """Algorithm 2. A UT's share of a satellite's power is as its active beams receive it, |v_bar|^2."""
    v_bar = beam_channel(v, F, A)
    return at_full_power(one_stream_each(v_bar, o, streams, lambda x: x.conj()), P)


def strongest_beam(v_bar_k):
    """A unit vector on the active beam that the UT receives best, the first of equals."""
    power = abs(v_bar_k) ** 2
    out = np.zeros(len(power), complex)
    out[np.flatnonzero(power >= power.max() * (1 - 1e-9))[0]] = 1
    return out


def ms2_dft(v, F, A, P, o, streams):
    """MS2-DFT: one active beam per UT, phase 0, equal powers of a satellite's UTs; two UTs may share a beam.

    P2 gives it one sentence. Streams go round as in Algorithm 2, powers as in its last line.
    """
    v_bar = beam_channel(v, F, A)
    return at_full_power(one_stream_each(v_bar, o, streams, strongest_beam), P)
