"""The transmitter's step of joint precoding with several streams, each satellite's power met exactly."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

import numpy as np

from twin.arrays import FloatArray, NumberArray
from twin.precoding.beamspace.transmitter import Clusters
from twin.precoding.exact.loads import DecomposedLoads
from twin.precoding.problem import PrecodingProblem


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
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
class Step:
    """The transmitter's step for any receivers as a function of the satellites' multipliers.

    As in `exact_power.Dual`, with √C G √C = Y diag(q) Yᵀ for the loads C; the coupling between the satellites of a
    terminal is any matrix here.
    """

    clusters: Clusters
    asked: Asked
    loads: DecomposedLoads
    budget_w: FloatArray
    """(S,)"""

    @classmethod
    def of(cls, problem: PrecodingProblem, clusters: Clusters, asked: Asked) -> Self:
        """Decompose what the receivers ask for."""
        return cls(
            clusters=clusters,
            asked=asked,
            loads=DecomposedLoads.of(asked.load, problem.csi.gram),
            budget_w=np.where(problem.serving.any(axis=1), problem.power_w, 0.0),
        )

    def maximised(self, start: FloatArray | None, tolerance: float) -> FloatArray:
        """Multipliers (S,) under which budgets are met where they bind and nobody else exceeds theirs."""
        return self.loads.maximised(self.at, self.budget_w, start, tolerance)

    def at(self, multiplier: FloatArray) -> StepPoint:
        """The solution under given multipliers (S,), and what it spends."""
        asked, clusters, loads = self.asked, self.clusters, self.loads
        damped = 1.0 / (loads.values + multiplier[:, None])
        own = loads.weighted_squares(multiplier[:, None] * damped)
        gain = loads.per_load(loads.values * damped)
        pull = _coupled(clusters, asked, gain, own, asked.target)
        squared = loads.per_load(loads.values * damped**2)
        power_w = clusters.scattered((np.abs(pull) ** 2).sum(axis=2) * clusters.gather(squared)).sum(axis=1)
        gained = float((asked.target.conj() * pull).real.sum(axis=2).ravel() @ clusters.gather(gain).ravel())
        value = -gained - float(multiplier @ self.budget_w)
        return StepPoint(
            step=self, multiplier=multiplier, damped=damped, own=own, gain=gain, pull=pull, power_w=power_w, value=value
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class StepPoint:
    """The transmitter's step under given multipliers."""

    step: Step
    multiplier: FloatArray
    """(S,) μ."""
    damped: FloatArray
    """(S,B) 1/(q + μ)."""
    own: FloatArray
    """(S,B) what a terminal's own load leaves of it."""
    gain: FloatArray
    """(S,B) vᵀ (D_s + μ_s)⁻¹ v*."""
    pull: NumberArray
    """(K,C,L) share of (D_s + μ_s)⁻¹ v_k* in W_k."""
    power_w: FloatArray
    """(S,)"""
    value: float
    """Of the dual, less a constant."""

    def coefficients(self) -> NumberArray:
        """(S,B,B,L) the weights over the conjugate steering vectors."""
        step = self.step
        root = np.sqrt(step.asked.load)
        pull = step.clusters.scattered(self.pull)
        scaled = np.divide(pull, root[..., None], where=root[..., None] > 0.0, out=np.zeros_like(pull))
        return np.asarray(step.loads.inverse(self.damped)[..., None] * scaled[:, None])

    def slopes(self) -> FloatArray:
        """(S,S) derivative of each power by each multiplier: the Hessian of the dual."""
        asked, clusters, loads = self.step.asked, self.step.clusters, self.step.loads
        q = loads.values
        count = asked.coupling.shape[-1]
        between = asked.coupling * ~np.eye(count, dtype=np.bool_)
        solved = _coupled(clusters, asked, self.gain, self.own, between)
        seen = self.pull * clusters.gather(loads.per_load(q * self.damped**2))[..., None]
        crossed = (seen.conj()[:, :, None] * solved[..., None] * seen[:, None]).real.sum(axis=3)
        slopes = np.zeros((len(self.multiplier), len(self.multiplier)))
        both = clusters.held[:, :, None] & clusters.held[:, None, :]
        rows = np.broadcast_to(clusters.satellite[:, :, None], both.shape)[both]
        columns = np.broadcast_to(clusters.satellite[:, None, :], both.shape)[both]
        np.add.at(slopes, (rows, columns), crossed[both])
        cubed = clusters.gather(loads.per_load(q * self.damped**3))
        alone = clusters.scattered((np.abs(self.pull) ** 2).sum(axis=2) * cubed).sum(axis=1)
        return np.asarray(2.0 * (slopes - np.diag(alone)))


def _coupled(clusters: Clusters, asked: Asked, gain: FloatArray, own: FloatArray, target: NumberArray) -> NumberArray:
    """(K,C,L) t of (I + N_k diag(g)) t = T_k, N being the coupling off the diagonal.

    Between the roots of g the matrix is Hermitian with a unit diagonal, 1 - P_ss g_s + P_ss g_s, of which the first
    difference is a mean of 1 and ``own``.
    """
    gain, load, own = clusters.gather(gain), clusters.gather(asked.load), clusters.gather(own)
    count = asked.coupling.shape[-1]
    diagonal = np.einsum("kcc->kc", asked.coupling).real
    share = np.minimum(np.divide(diagonal, load, where=load > 0.0, out=np.zeros_like(load)), 1.0)
    left = np.where(gain > 0.0, (1.0 - share) + share * own, 1.0)
    root = np.sqrt(gain)
    matrix = root[:, :, None] * asked.coupling * root[:, None, :]
    matrix[:, np.arange(count), np.arange(count)] += np.maximum(left, 8 * count * np.finfo(float).eps)
    solved = np.linalg.solve(matrix, root[..., None] * target)
    found = np.divide(solved, root[..., None], where=root[..., None] > 0.0, out=np.zeros_like(solved))
    return np.asarray(found)
