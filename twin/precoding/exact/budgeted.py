"""The transmitter's step of joint precoding with several streams, each satellite's power met exactly."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

import numpy as np

from twin.arrays import FloatArray, NumberArray
from twin.precoding.beamspace.transmitter import ClusterIndex
from twin.precoding.exact.loads import DecomposedLoads
from twin.precoding.problem import PrecodingProblem


@dataclass(frozen=True, slots=True, kw_only=True)
class TransmitProblem:
    """What the receivers of all samples together ask of the transmitter."""

    rate_bit: float
    """Weighted sum over the terminals of the mean rate."""
    load: FloatArray
    """(S,B) weight of the power that each terminal hears from each satellite."""
    coupling: NumberArray
    """(K,C,C) between the satellites of each terminal, their loads on the diagonal."""
    target: NumberArray
    """(K,C,L) what the terminal's own streams shall match."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MultiStreamDual:
    """The transmitter's step for any receivers as a function of the satellites' multipliers.

    As in `exact_power.Dual`, with √C G √C = Y diag(q) Yᵀ for the loads C; the coupling between the satellites of a
    terminal is any matrix here.
    """

    clusters: ClusterIndex
    objective: TransmitProblem
    loads: DecomposedLoads
    budget_w: FloatArray
    """(S,)"""

    @classmethod
    def of(cls, problem: PrecodingProblem, clusters: ClusterIndex, objective: TransmitProblem) -> Self:
        """Decompose what the receivers ask for."""
        return cls(
            clusters=clusters,
            objective=objective,
            loads=DecomposedLoads.of(objective.load, problem.csi.gram),
            budget_w=np.where(problem.serving.any(axis=1), problem.power_w, 0.0),
        )

    def maximised(self, start: FloatArray | None, tolerance: float) -> FloatArray:
        """Multipliers (S,) under which budgets are met where they bind and nobody else exceeds theirs."""
        return self.loads.maximised(self.at, self.budget_w, start, tolerance)

    def at(self, multiplier: FloatArray) -> MultiStreamDualPoint:
        """The solution under given multipliers (S,), and what it spends."""
        objective, clusters, loads = self.objective, self.clusters, self.loads
        damped = 1.0 / (loads.values + multiplier[:, None])
        remainder = loads.weighted_squares(multiplier[:, None] * damped)
        gain = loads.per_load(loads.values * damped)
        amplitude = _coupled(clusters, objective, gain, remainder, objective.target)
        squared = loads.per_load(loads.values * damped**2)
        power_w = clusters.scatter((np.abs(amplitude) ** 2).sum(axis=2) * clusters.gather(squared)).sum(axis=1)
        gained = float((objective.target.conj() * amplitude).real.sum(axis=2).ravel() @ clusters.gather(gain).ravel())
        value = -gained - float(multiplier @ self.budget_w)
        return MultiStreamDualPoint(
            dual=self,
            multiplier=multiplier,
            damped=damped,
            remainder=remainder,
            gain=gain,
            amplitude=amplitude,
            power_w=power_w,
            value=value,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class MultiStreamDualPoint:
    """The transmitter's step under given multipliers."""

    dual: MultiStreamDual
    multiplier: FloatArray
    """(S,) μ."""
    damped: FloatArray
    """(S,B) 1/(q + μ)."""
    remainder: FloatArray
    """(S,B) what a terminal's own load leaves of it."""
    gain: FloatArray
    """(S,B) vᵀ (D_s + μ_s)⁻¹ v*."""
    amplitude: NumberArray
    """(K,C,L) share of (D_s + μ_s)⁻¹ v_k* in W_k."""
    power_w: FloatArray
    """(S,)"""
    value: float
    """Of the dual, less a constant."""

    def coefficients(self) -> NumberArray:
        """(S,B,B,L) the weights over the conjugate steering vectors."""
        dual = self.dual
        root = np.sqrt(dual.objective.load)
        amplitude = dual.clusters.scatter(self.amplitude)
        scaled = np.divide(amplitude, root[..., None], where=root[..., None] > 0.0, out=np.zeros_like(amplitude))
        return np.asarray(dual.loads.inverse(self.damped)[..., None] * scaled[:, None])

    def power_jacobian(self) -> FloatArray:
        """(S,S) derivative of each power by each multiplier: the Hessian of the dual."""
        objective, clusters, loads = self.dual.objective, self.dual.clusters, self.dual.loads
        q = loads.values
        count = objective.coupling.shape[-1]
        between = objective.coupling * ~np.eye(count, dtype=np.bool_)
        solved = _coupled(clusters, objective, self.gain, self.remainder, between)
        response = self.amplitude * clusters.gather(loads.per_load(q * self.damped**2))[..., None]
        crossed = (response.conj()[:, :, None] * solved[..., None] * response[:, None]).real.sum(axis=3)
        power_jacobian = np.zeros((len(self.multiplier), len(self.multiplier)))
        both = clusters.held[:, :, None] & clusters.held[:, None, :]
        rows = np.broadcast_to(clusters.satellite[:, :, None], both.shape)[both]
        columns = np.broadcast_to(clusters.satellite[:, None, :], both.shape)[both]
        np.add.at(power_jacobian, (rows, columns), crossed[both])
        cubed = clusters.gather(loads.per_load(q * self.damped**3))
        alone = clusters.scatter((np.abs(self.amplitude) ** 2).sum(axis=2) * cubed).sum(axis=1)
        return np.asarray(2.0 * (power_jacobian - np.diag(alone)))


def _coupled(
    clusters: ClusterIndex, objective: TransmitProblem, gain: FloatArray, remainder: FloatArray, target: NumberArray
) -> NumberArray:
    """(K,C,L) t of (I + N_k diag(g)) t = T_k, N being the coupling off the diagonal.

    Between the roots of g the matrix is Hermitian with a unit diagonal, 1 - P_ss g_s + P_ss g_s, of which the first
    difference is a mean of 1 and ``own``.
    """
    gain, load, remainder = clusters.gather(gain), clusters.gather(objective.load), clusters.gather(remainder)
    count = objective.coupling.shape[-1]
    diagonal = np.einsum("kcc->kc", objective.coupling).real
    fraction = np.minimum(np.divide(diagonal, load, where=load > 0.0, out=np.zeros_like(load)), 1.0)
    left = np.where(gain > 0.0, (1.0 - fraction) + fraction * remainder, 1.0)
    root = np.sqrt(gain)
    matrix = root[:, :, None] * objective.coupling * root[:, None, :]
    matrix[:, np.arange(count), np.arange(count)] += np.maximum(left, 8 * count * np.finfo(float).eps)
    solved = np.linalg.solve(matrix, root[..., None] * target)
    found = np.divide(solved, root[..., None], where=root[..., None] > 0.0, out=np.zeros_like(solved))
    return np.asarray(found)
