"""P3's Algorithm 1 with the matrices as printed, of size S·N, in ordinary double precision: what is to be beaten.

What all terminals share in step 9 is summed once an iteration, which the listing does not ask for; the time is that of
the K linear systems of step 10.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from twin.precoding import PrecodingProblem

Complex = NDArray[np.complex128]


def printed_cdwmmse(problem: PrecodingProblem, iterations: int) -> Complex:
    """W (S,K,N) after a number of iterations in which all satellites serve everyone."""
    csi = problem.csi
    v = csi.steering()
    satellites, terminals, antennas = v.shape
    rho = csi.mean_amplitude
    power = np.full(terminals, problem.power_w.sum() / terminals)
    mean = (rho[..., None] * v).transpose(1, 0, 2).reshape(terminals, -1)
    spread = np.sqrt(csi.gain - rho**2)
    weights = mean.conj() / np.linalg.norm(mean, axis=1)[:, None] * np.sqrt(power)[:, None]
    for _ in range(iterations):
        seen = np.einsum("skn,jsn->skj", v, weights.reshape(terminals, satellites, antennas))
        own = np.einsum("skk->sk", seen)
        lower = spread * own
        upper = (rho * own).sum(axis=0)
        signal = np.abs(upper) ** 2 + (np.abs(lower) ** 2).sum(axis=0)
        leaked = (np.abs(seen) ** 2).sum(axis=2) - np.abs(own) ** 2
        total = signal + (csi.gain * leaked).sum(axis=0) + csi.noise_w
        u = total / (total - signal)
        strength = problem.weight * u * signal / total**2
        shared = np.zeros((satellites * antennas,) * 2, dtype=np.complex128)
        for s in range(satellites):
            block = slice(s * antennas, (s + 1) * antennas)
            shared[block, block] = (v[s].conj().T * (strength * csi.gain[s])) @ v[s]
        for k in range(terminals):
            matrix = shared + strength[k] * _coupling(mean[k], satellites)
            matrix[np.diag_indices_from(matrix)] += strength[k] * csi.noise_w[k] / power[k]
            target = mean[k].conj() * upper[k] + (v[:, k].conj() * (spread[:, k] * lower[:, k])[:, None]).ravel()
            solved = np.linalg.solve(matrix, problem.weight[k] * u[k] / total[k] * target)
            weights[k] = np.sqrt(power[k]) * solved / np.linalg.norm(solved)
    stacked = weights.reshape(terminals, satellites, antennas).swapaxes(0, 1)
    spent = (np.abs(stacked) ** 2).sum(axis=(1, 2))
    return stacked * np.sqrt(np.minimum(problem.power_w / spent, 1.0))[:, None, None]


def _coupling(mean: Complex, satellites: int) -> Complex:
    """Ω_k less its blocks on the diagonal."""
    coupling = np.outer(mean.conj(), mean)
    antennas = len(mean) // satellites
    for s in range(satellites):
        block = slice(s * antennas, (s + 1) * antennas)
        coupling[block, block] = 0.0
    return coupling
