"""The transmit Wiener filter of one satellite."""

from __future__ import annotations

import numpy as np

from twin.precoding.budget import within_budget
from twin.precoding.matched import known_amplitude
from twin.precoding.problem import Precoding, PrecodingProblem, precoders
from twin.precoding.weights import SpannedWeights
from twin.registry import NoOptions
from twin.solvers.span import Span, wiener


@precoders.register("ss_mmse", source="P3, Section V (SS-MMSE)")
def ss_mmse(problem: PrecodingProblem, *, options: NoOptions) -> Precoding:
    """MMSE precoding on the mean channel, each terminal served by the master of its cluster alone.

    W_s = η Hᴴ (H Hᴴ + K_s/P_s I)⁻¹. The rows of H are the mean channels, over the noise amplitude, of the K_s terminals
    of satellite s; η makes the satellite spend its power.
    """
    alone = problem.alone()
    csi, reach = alone.csi, alone.csi.reach
    amplitude = reach.gather(known_amplitude(csi, alone.serving) / np.sqrt(csi.noise_w))
    span = Span.of(csi.gram)
    rows = span.coordinates * amplitude[:, None, :]
    count = np.maximum(alone.serving.sum(axis=1), 1)
    ridge = np.divide(count, alone.power_w, where=alone.power_w > 0.0, out=np.ones(len(count)))
    # Hᴴ (H Hᴴ + r)⁻¹ = (Hᴴ H + r)⁻¹ Hᴴ, in coordinates of the span
    coordinates = wiener(rows, np.broadcast_to(ridge[:, None], amplitude.shape)) * (amplitude > 0.0)[:, None, :]
    spent_w = np.einsum("srk,srk->s", coordinates, coordinates)
    scale = np.sqrt(np.divide(alone.power_w, spent_w, where=spent_w > 0.0, out=np.zeros_like(spent_w)))
    coefficients = within_budget(span.basis @ coordinates * scale[:, None, None], csi.gram, problem.power_w)
    return Precoding(weights=SpannedWeights.over(csi, coefficients[..., None]), iterations=0, converged=True)
