"""The transmit Wiener filter of one satellite."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from twin.precoding.matched import known_amplitude
from twin.precoding.problem import Precoding, PrecodingProblem, precoders
from twin.precoding.weights import SpannedWeights

Real = NDArray[np.float64]


@precoders.register("ss_mmse", source="P3, Section V (SS-MMSE)")
def ss_mmse(problem: PrecodingProblem, *, options: Any) -> Precoding:
    """MMSE on the mean channel, each terminal served by the master of its cluster alone.

    W_s = η Hᴴ (H Hᴴ + K_s/P_s I)⁻¹ with the rows of H the mean channels over the noise amplitude of the K_s
    terminals of satellite s, and η such that the satellite's power is met.
    """
    csi = problem.csi
    alone = problem.alone().serving
    amplitude = csi.reach.gathered(known_amplitude(csi, alone) / np.sqrt(csi.noise_w))
    alone = csi.reach.gathered(alone)
    coefficients = np.zeros((*csi.gram.shape, 1))
    for row in np.flatnonzero(alone.any(axis=1) & (problem.power_w > 0.0)):
        own = np.flatnonzero(alone[row])
        block = np.ix_(own, own)
        coefficients[row, :, :, 0][block] = _wiener(
            csi.gram[row][block], amplitude[row, own], float(problem.power_w[row])
        )
    return Precoding(weights=SpannedWeights.over(csi, coefficients), iterations=0, converged=True)


def _wiener(gram: Real, amplitude: Real, power_w: float) -> Real:
    """Coefficients of Hᴴ (H Hᴴ + K/P I)⁻¹ over the conjugate steering vectors, scaled to the power."""
    count = len(amplitude)
    received = amplitude[:, None] * gram * amplitude
    received[np.diag_indices(count)] += count / power_w
    coefficients = amplitude[:, None] * np.linalg.inv(received)
    spent_w = (coefficients * (gram @ coefficients)).sum()
    return np.asarray(coefficients * np.sqrt(power_w / spent_w)) if spent_w > 0.0 else coefficients
