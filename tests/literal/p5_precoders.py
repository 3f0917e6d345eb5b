"""P5's precoders and benchmarks, W (S,K,N) = sqrt(P_s) p[s,k] w[s,k], for received h^T W; p (S,K) is given.

The satellite's power is P_s sum_k p[s,k]^2 where all w have norm 1 ((14); iMRT: on average).
"""

import numpy as np

from .p3_matrices import solve
from .p5_letters import letters, need_perfect_phase, phase
from .scenes import uniform


def equal_weights(serving):
    """p = 1/sqrt(K_s) on the pairs that serve: (23c) with equality."""
    return serving / np.sqrt(np.maximum(serving.sum(axis=1), 1))[:, None]


def strongest(gamma, P, serving):
    """Each UT keeps the satellite "providing the highest received signal power", the first where equal."""
    out = np.zeros_like(serving)
    for k in range(gamma.shape[1]):
        power = np.where(serving[:, k], np.asarray(P) * gamma[:, k], 0)
        if power.any():
            out[power.argmax(), k] = True
    return out


def weighted(w, P, p, serving):
    """(13) with a power for each satellite."""
    S, K, _ = w.shape
    W = np.zeros_like(w)
    for s in range(S):
        for k in range(K):
            if serving[s, k]:
                W[s, k] = np.sqrt(P[s]) * p[s, k] * w[s, k]
    return W


def smrt(gamma, kappa, v, phi_bar, P, p, serving):
    """(9); the single-satellite benchmark is the same with a `strongest` mask."""
    a, _, _ = letters(gamma, kappa, v, phi_bar)
    return weighted(phase(phi_bar)[:, :, None] * a / np.sqrt(v.shape[2]), P, p, serving)


def zf_direction(A, k, loading=0.0, rcond=1e-8):
    """A (A^H A + loading N I)^{-1} e_k; without loading the pseudo-inverse where A^H A has no inverse.

    `loading` is relative to |a|^2 = N, `rcond` to the largest singular value of A.
    """
    N, K = A.shape
    e_k = np.eye(K)[:, k]
    size = np.linalg.svd(A, compute_uv=False)
    if loading == 0 and (K > N or size[-1] <= rcond * size[0]):
        return np.linalg.pinv(A.conj().T, rcond=rcond)[:, k]
    A = A.astype(np.clongdouble)
    return (A @ solve(A.conj().T @ A + loading * N * np.eye(K), e_k)).astype(complex)


def szf(gamma, kappa, v, phi_bar, P, p, serving, *, nulls="all", loading=0.0, rcond=1e-8):
    """(11) times the e^{j phi} that it lacks.

    A_l holds every UT in the satellite's reach (gamma > 0) as printed, or with `nulls="served"` those it serves.
    """
    a, _, _ = letters(gamma, kappa, v, phi_bar)
    w = np.zeros_like(a)
    for s, k in zip(*np.nonzero(serving), strict=True):
        columns = np.flatnonzero(_seen(gamma[s], serving[s], nulls))
        z = zf_direction(a[s, columns].T, list(columns).index(k), loading, rcond)
        w[s, k] = phase(phi_bar)[s, k] * z / np.linalg.norm(z)
    return weighted(w, P, p, serving)


def _seen(gamma_s, serving_s, which):
    if which not in ("all", "served"):
        raise ValueError(which)
    return serving_s if which == "served" else gamma_s > 0


def slnr(gamma, kappa, v, phi_bar, P, p, serving, sigma2, *, leakage="all", q=None):
    """Maximiser of E|h_k^T w|^2 / (sum_{j != k} E|h_j^T w|^2 + sigma_k^2/q_k), |w| = 1, for each pair.

    P5 only cites it; this is the standard statistical SLNR. q (S,K) is the power the satellite reckons with
    before the weights are known, P_s/K_s unless given. Leakage as in `szf`: to all in reach, or to the served.
    The phase is that of (9); with one satellite per UT no rate sees it.
    """
    N = v.shape[2]
    w = np.zeros(v.shape, complex)
    for s, k in zip(*np.nonzero(serving), strict=True):
        q_sk = P[s] / serving[s].sum() if q is None else q[s, k]
        if q_sk == 0:
            continue
        R = np.longdouble(sigma2[k]) / q_sk * np.eye(N, dtype=np.clongdouble)
        for j in np.flatnonzero(_seen(gamma[s], serving[s], leakage)):
            if j != k:
                R += gamma[s, j] * np.outer(v[s, j].conj(), v[s, j])  # E{h_j^* h_j^T}
        z = solve(R, v[s, k].conj()).astype(complex)
        z *= np.exp(-1j * np.angle(v[s, k] @ z))
        w[s, k] = phase(phi_bar)[s, k] * z / np.linalg.norm(z)
    return weighted(w, P, p, serving)


def pilots(K, tau_p):
    """psi (K,tau_p), norm 1: orthogonal sequences (columns of a DFT), UT k has number k mod tau_p."""
    t = np.arange(tau_p)
    return np.array([np.exp(-2j * np.pi * (k % tau_p) * t / tau_p) for k in range(K)]) / np.sqrt(tau_p)


def received_pilots(x, v, psi, eta_t, sigma2_up, rng):
    """(38): Y (D,S,N,tau_p) for the draws x (D,S,K) of h = x v; P5's h is the conjugate."""
    D, S, K = x.shape
    N, tau_p = v.shape[2], psi.shape[1]
    Y = rng.standard_normal((D, S, N, tau_p)) + 1j * rng.standard_normal((D, S, N, tau_p))
    Y *= np.sqrt(sigma2_up / 2)
    for s in range(S):
        for j in range(K):
            h = (x[:, s, j, None] * v[s, j]).conj()
            Y[:, s] += np.sqrt(eta_t) * h[:, :, None] * psi[j].conj()
    return Y


def pilot_variance(a_s, nu_s, psi, k, eta_t, sigma2_up):
    """(44): V_{l,k} (N,N)."""
    K, N = a_s.shape
    V = np.longdouble(sigma2_up) / eta_t * np.eye(N, dtype=np.clongdouble)
    for j in range(K):
        V += nu_s[j] * abs(psi[j].conj() @ psi[k]) ** 2 * np.outer(a_s[j], a_s[j].conj())
    return V


def x_of(gamma, kappa, v, phi_bar, psi, eta_t, sigma2_up):
    """x_{l,j,k} of Theorem 2, (S,K,K) in this order."""
    a, _, nu = letters(gamma, kappa, v, phi_bar)
    S, K, _ = v.shape
    x = np.zeros((S, K, K), complex)
    for s in range(S):
        for j in range(K):
            V_inv_a = solve(pilot_variance(a[s], nu[s], psi, j, eta_t, sigma2_up), a[s, j])
            for k in range(K):
                x[s, j, k] = nu[s, k] * (psi[k].conj() @ psi[j]) * (V_inv_a.conj() @ a[s, k])
    return x


def mmse_estimate(Y, gamma, kappa, v, phi_bar, psi, eta_t, sigma2_up):
    """(39), (42): hat h (D,S,K,N), of P5's h."""
    need_perfect_phase(phi_bar)
    a, m, nu = letters(gamma, kappa, v, phi_bar)
    D, S, N, _ = Y.shape
    K = len(psi)
    h_hat = np.zeros((D, S, K, N), complex)
    for s in range(S):
        for k in range(K):
            y = (Y[:, s] * psi[k]).sum(axis=2) / np.sqrt(eta_t)
            y_mean = sum((psi[j].conj() @ psi[k]) * m[s, j] * a[s, j] for j in range(K))
            V_inv_a = solve(pilot_variance(a[s], nu[s], psi, k, eta_t, sigma2_up), a[s, k]).astype(complex)
            g_hat = m[s, k] + nu[s, k] * ((y - y_mean) * V_inv_a.conj()).sum(axis=1)
            h_hat[:, s, k] = g_hat[:, None] * a[s, k]
    return h_hat


def imrt(h_hat, gamma, kappa, v, phi_bar, P, p, serving, psi, eta_t, sigma2_up):
    """(46): W (D,S,K,N), power P_s sum p^2 on average over the draws and no more; zero where hat h is."""
    _, m, nu = letters(gamma, kappa, v, phi_bar)
    x = x_of(gamma, kappa, v, phi_bar, psi, eta_t, sigma2_up)
    N = v.shape[2]
    W = np.zeros_like(h_hat)
    for s, k in zip(*np.nonzero(serving), strict=True):
        norm2 = N * (abs(m[s, k]) ** 2 + nu[s, k] * x[s, k, k].real)
        if norm2 > 0:
            W[:, s, k] = np.sqrt(P[s]) * p[s, k] * h_hat[:, s, k] / np.sqrt(norm2)
    return W


def dft_beams(shape, offset=0.5):
    """N orthogonal beams (N,N) on the grid of direction cosines -1 + 2 (i + offset)/n of each axis.

    P5 says "64 regional spot beams" with 64 elements and no more; this is one reading: fixed in the satellite's
    frame, as many as elements. offset 0.5 puts them symmetrically to broadside, 0 puts one at broadside.
    """
    grid = [[-1 + 2 * (i + offset) / n for i in range(n)] for n in shape]
    return np.array([np.kron(uniform(shape[0], y), uniform(shape[1], x)).conj() for y in grid[0] for x in grid[1]])


def spot_beams(gamma, kappa, v, phi_bar, P, p, serving, beams):
    """Each UT on the one (satellite, beam) among `serving` with the largest P_s gamma |v^T b|^2.

    Returns W, the satellite and the beam of each UT (-1: none). beams (B,N) or (S,B,N), norm 1. UTs of one beam
    share it without time division; p[s,k] of the chosen satellite is the weight. One satellite per UT: no phase.
    """
    S, K, N = v.shape
    beams = np.broadcast_to(beams, (S, *np.shape(beams)[-2:]))
    W, satellite, beam = np.zeros((S, K, N), complex), np.full(K, -1), np.full(K, -1)
    for k in range(K):
        best = 0.0
        for s in np.flatnonzero(serving[:, k]):
            for b in range(beams.shape[1]):
                power = P[s] * gamma[s, k] * abs(v[s, k] @ beams[s, b]) ** 2
                if power > best:
                    best, satellite[k], beam[k] = power, s, b
        if best > 0:
            s = satellite[k]
            W[s, k] = np.sqrt(P[s]) * p[s, k] * beams[s, beam[k]]
    return W, satellite, beam
