"""Algorithm 1 of P3 with the printed matrices of size S·N in double precision, the reference for speed.

The terms that all terminals have in common in step 9 are summed once per iteration, unlike in the listing; the K linear
systems of step 10 dominate the time.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from twin.precoding import PrecodingProblem

Complex = NDArray[np.complex128]


def printed_cdwmmse(problem: PrecodingProblem, iterations: int) -> Complex:
    """W (S,K,N) after a number of iterations; all satellites serve all terminals."""
    csi = problem.csi
    v = csi.steering()
    satellites, terminals, antennas = v.shape
    rho = csi.mean_amplitude
    power = np.full(terminals, problem.power_w.sum() / terminals)
    mean = (rho[..., None] * v).transpose(1, 0, 2).reshape(terminals, -1)
    deviation = np.sqrt(csi.gain - rho**2)
    weights = mean.conj() / np.linalg.norm(mean, axis=1)[:, None] * np.sqrt(power)[:, None]
    for _ in range(iterations):
        response = np.einsum("skn,jsn->skj", v, weights.reshape(terminals, satellites, antennas))
        own = np.einsum("skk->sk", response)
        lower = deviation * own
        upper = (rho * own).sum(axis=0)
        signal = np.abs(upper) ** 2 + (np.abs(lower) ** 2).sum(axis=0)
        leaked = (np.abs(response) ** 2).sum(axis=2) - np.abs(own) ** 2
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
            target = mean[k].conj() * upper[k] + (v[:, k].conj() * (deviation[:, k] * lower[:, k])[:, None]).ravel()
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
