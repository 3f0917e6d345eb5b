"""Beams of given power that reduce interference: zero forcing and the signal-to-leakage-plus-noise ratio."""

from __future__ import annotations

from typing import Annotated

import numpy as np
from annotated_types import Ge, Le

from twin.arrays import FloatArray
from twin.precoding.budget import within_budget
from twin.precoding.problem import Precoding, PrecodingProblem, precoders
from twin.precoding.weights import SpannedWeights
from twin.registry import NoOptions, dataclass_options
from twin.solvers.pseudo_inverse import ONE_DIRECTION, pseudo_inverse
from twin.solvers.span import Span, wiener


@dataclass_options
class ZeroForcingOptions:
    """When directions count as equal."""

    tolerance: Annotated[float, Ge(1e-9), Le(0.1)] = ONE_DIRECTION
    """Eigenvalues of the Gram matrix below this fraction of the largest count as zero."""


@precoders.register("szf", source="P5, eq. 11, with the phase of eq. 9", options=ZeroForcingOptions)
def szf(problem: PrecodingProblem, *, options: ZeroForcingOptions) -> Precoding:
    """Statistical zero forcing: each beam nulls all other terminals in reach.

    Powers are the problem's power fractions, or equal. If directions coincide or terminals outnumber antennas, AᴴA is
    singular; its pseudo-inverse then nulls as many terminals as possible, and terminals at one place get one beam.
    """
    return _beams(problem, pseudo_inverse(problem.csi.gram, options.tolerance))


@precoders.register("slnr", source="P5, Section VI, benchmark 2, after its reference [45]")
def slnr(problem: PrecodingProblem, *, options: NoOptions) -> Precoding:
    """Beams of maximum signal-to-leakage-plus-noise ratio, by the master of each cluster alone, with equal powers.

    The beam is along (Σ_j γ_j v_j* v_jᵀ + σ_k² K_s/P_s I)⁻¹ v_k*; a terminal's own term in the sum changes the beam's
    length alone. P5 gives no formula: this is the standard one on mean powers, with leakage to all terminals in reach.
    """
    alone = problem.alone()
    csi, reach = alone.csi, alone.csi.reach
    span = Span.of(csi.gram)
    loaded = span.coordinates * np.sqrt(reach.gather(csi.gain))[:, None, :]
    count = np.maximum(alone.serving.sum(axis=1), 1)
    power_each_w = np.divide(alone.power_w, count)[:, None]
    noise_w = np.broadcast_to(reach.gather(csi.noise_w), reach.terminal.shape)
    ridge = np.divide(noise_w, power_each_w, where=power_each_w > 0.0, out=np.ones(noise_w.shape))
    # (L Lᵀ + r)⁻¹ R differs from this in the lengths of the beams alone
    return _beams(alone, span.basis @ wiener(loaded, ridge))


def _beams(problem: PrecodingProblem, coefficients: FloatArray) -> Precoding:
    """Scale the beams (S,B,B), one in each column, to their powers."""
    csi = problem.csi
    length = np.sqrt(np.maximum((coefficients * (csi.gram @ coefficients)).sum(axis=1), 0.0))
    wanted = np.sqrt(csi.reach.gather(problem.beam_power_w()))
    scale = np.divide(wanted, length, where=length > 0.0, out=np.zeros_like(length))
    scaled = within_budget(coefficients * scale[:, None, :], csi.gram, problem.power_w)
    return Precoding(weights=SpannedWeights.over(csi, scaled[..., None]), iterations=0, converged=True)
