"""The transmitter's step of joint precoding with several streams under exact power constraints of each satellite."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

import numpy as np

from twin.arrays import FloatArray, NumberArray
from twin.precoding.beamspace.transmitter import ClusterIndex
from twin.precoding.exact.loads import DecomposedLoads
from twin.precoding.problem import PrecodingProblem
from twin.records import documented


@documented
@dataclass(frozen=True, slots=True, kw_only=True)
class TransmitProblem:
    """The transmitter's quadratic problem for the receivers of all samples."""

    rate_bit: float
    """Sum over the terminals of the weighted mean rate, in bit/s/Hz."""
    load: FloatArray
    """(S,B) weight of the power that each terminal receives from each satellite."""
    coupling: NumberArray
    """(K,C,C) coupling between the satellites of each terminal, with their loads on the diagonal."""
    target: NumberArray
    """(K,C,L) what the effective gains of the terminal's own streams should match."""


@documented
@dataclass(frozen=True, slots=True, kw_only=True)
class MultiStreamDual:
    """The transmitter's step for any receivers, as a function of the satellites' multipliers.

    As `exact_power.SingleStreamDual`, but with any coupling matrix between the satellites of a terminal.
    """

    clusters: ClusterIndex
    """Serving pairs, by terminal and by satellite."""
    objective: TransmitProblem
    """Transmitter's problem for given receivers."""
    loads: DecomposedLoads
    """Decomposed sums of the transmitter's problem."""
    budget_w: FloatArray
    """(S,) power budgets in W."""

    @classmethod
    def of(cls, problem: PrecodingProblem, clusters: ClusterIndex, objective: TransmitProblem) -> Self:
        """Decompose the loads of a problem."""
        return cls(
            clusters=clusters,
            objective=objective,
            loads=DecomposedLoads.of(objective.load, problem.csi.gram),
            budget_w=np.where(problem.serving.any(axis=1), problem.power_w, 0.0),
        )

    def maximised(self, start: FloatArray | None, tolerance: float) -> FloatArray:
        """Multipliers (S,) under which budgets that bind are met and no other budget is exceeded."""
        return self.loads.maximised(self.at, self.budget_w, start, tolerance)

    def at(self, multiplier: FloatArray) -> MultiStreamDualPoint:
        """The solution under given multipliers (S,), and its powers."""
        objective, clusters, loads = self.objective, self.clusters, self.loads
        damped = 1.0 / (loads.values + multiplier[:, None])
        remainder = loads.weighted_squares(multiplier[:, None] * damped)
        gain = loads.per_load(loads.values * damped)
        amplitude = _coupled(clusters, objective, gain, remainder, objective.target)
        squared = loads.per_load(loads.values * damped**2)
        power_w = clusters.scatter((np.abs(amplitude) ** 2).sum(axis=2) * clusters.gather(squared)).sum(axis=1)
        gain_term = float(
            (objective.target.conj() * amplitude).real.sum(axis=2).ravel() @ clusters.gather(gain).ravel()
        )
        value = -gain_term - float(multiplier @ self.budget_w)
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


@documented
@dataclass(frozen=True, slots=True, kw_only=True)
class MultiStreamDualPoint:
    """The transmitter's step under given multipliers."""

    dual: MultiStreamDual
    """Function that was evaluated."""
    multiplier: FloatArray
    """(S,) μ."""
    damped: FloatArray
    """(S,B) 1/(q + μ)."""
    remainder: FloatArray
    """(S,B) part of each terminal's direction that its own load does not suppress."""
    gain: FloatArray
    """(S,B) vᵀ (D_s + μ_s)⁻¹ v*."""
    amplitude: NumberArray
    """(K,C,L) coefficient of (D_s + μ_s)⁻¹ v_k* in W_k."""
    power_w: FloatArray
    """(S,) power of each satellite in W."""
    value: float
    """Value of the dual, without a constant."""

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
        coupling = objective.coupling * ~np.eye(count, dtype=np.bool_)
        solved = _coupled(clusters, objective, self.gain, self.remainder, coupling)
        response = self.amplitude * clusters.gather(loads.per_load(q * self.damped**2))[..., None]
        products = (response.conj()[:, :, None] * solved[..., None] * response[:, None]).real.sum(axis=3)
        power_jacobian = np.zeros((len(self.multiplier), len(self.multiplier)))
        both = clusters.held[:, :, None] & clusters.held[:, None, :]
        rows = np.broadcast_to(clusters.satellite[:, :, None], both.shape)[both]
        columns = np.broadcast_to(clusters.satellite[:, None, :], both.shape)[both]
        np.add.at(power_jacobian, (rows, columns), products[both])
        cubed = clusters.gather(loads.per_load(q * self.damped**3))
        own_power = clusters.scatter((np.abs(self.amplitude) ** 2).sum(axis=2) * cubed).sum(axis=1)
        return np.asarray(2.0 * (power_jacobian - np.diag(own_power)))


def _coupled(
    clusters: ClusterIndex, objective: TransmitProblem, gain: FloatArray, remainder: FloatArray, target: NumberArray
) -> NumberArray:
    """(K,C,L) t of (I + N_k diag(g)) t = T_k, where N is the coupling without its diagonal.

    Between the roots of g the matrix is Hermitian. Its diagonal 1 - P_ss g_s + P_ss g_s is formed without a difference:
    1 - P_ss g_s is a mean of 1 and ``remainder``.
    """
    gain, load, remainder = clusters.gather(gain), clusters.gather(objective.load), clusters.gather(remainder)
    count = objective.coupling.shape[-1]
    diagonal = np.einsum("kcc->kc", objective.coupling).real
    fraction = np.minimum(np.divide(diagonal, load, where=load > 0.0, out=np.zeros_like(load)), 1.0)
    unsuppressed = np.where(gain > 0.0, (1.0 - fraction) + fraction * remainder, 1.0)
    root = np.sqrt(gain)
    matrix = root[:, :, None] * objective.coupling * root[:, None, :]
    matrix[:, np.arange(count), np.arange(count)] += np.maximum(unsuppressed, 8 * count * np.finfo(float).eps)
    solved = np.linalg.solve(matrix, root[..., None] * target)
    found = np.divide(solved, root[..., None], where=root[..., None] > 0.0, out=np.zeros_like(solved))
    return np.asarray(found)
