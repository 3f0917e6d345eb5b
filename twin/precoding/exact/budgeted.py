"""The transmitter's step of joint precoding with several streams, each satellite's power met exactly."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

import numpy as np

from twin.arrays import FloatArray, NumberArray
from twin.precoding.beamspace.transmitter import Clusters
from twin.precoding.problem import PrecodingProblem
from twin.solvers.power_duals import LEAST_MULTIPLIER, met


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
    values: FloatArray
    """(S,B) q."""
    vectors: FloatArray
    """(S,B,B) Y."""
    least: FloatArray
    """(S,) multipliers that count as zero."""
    budget_w: FloatArray
    """(S,)"""

    @classmethod
    def of(cls, problem: PrecodingProblem, clusters: Clusters, asked: Asked) -> Self:
        """Decompose what the receivers ask for."""
        root = np.sqrt(asked.load)
        values, vectors = np.linalg.eigh(root[:, :, None] * problem.csi.gram * root[:, None, :])
        highest = values.max(axis=1, initial=0.0)
        resolved = values > highest[:, None] * np.finfo(float).eps * values.shape[1]
        return cls(
            clusters=clusters,
            asked=asked,
            values=np.where(resolved, values, 0.0),
            vectors=vectors,
            least=LEAST_MULTIPLIER * np.where(highest > 0.0, highest, 1.0),
            budget_w=np.where(problem.serving.any(axis=1), problem.power_w, 0.0),
        )

    def maximised(self, start: FloatArray | None, tolerance: float) -> FloatArray:
        """Multipliers (S,) under which budgets are met where they bind and nobody else exceeds theirs."""
        typical = self.values.mean(axis=1)
        return met(
            self.at, self.budget_w, least=self.least, start=typical if start is None else start, tolerance=tolerance
        )

    def at(self, multiplier: FloatArray) -> StepPoint:
        """The solution under given multipliers (S,), and what it spends."""
        asked, clusters = self.asked, self.clusters
        damped = 1.0 / (self.values + multiplier[:, None])
        own = self._weighed(multiplier[:, None] * damped)
        gain = self._per_load(self.values * damped)
        pull = _coupled(clusters, asked, gain, own, asked.target)
        squared = self._per_load(self.values * damped**2)
        power_w = clusters.scattered((np.abs(pull) ** 2).sum(axis=2) * clusters.gather(squared)).sum(axis=1)
        gained = float((asked.target.conj() * pull).real.sum(axis=2).ravel() @ clusters.gather(gain).ravel())
        value = -gained - float(multiplier @ self.budget_w)
        return StepPoint(
            step=self, multiplier=multiplier, damped=damped, own=own, gain=gain, pull=pull, power_w=power_w, value=value
        )

    def _weighed(self, weight: FloatArray) -> FloatArray:
        """(S,B) Σ_l weight_sl Y_lk²."""
        return np.asarray(np.einsum("skl,skl,sl->sk", self.vectors, self.vectors, weight, optimize=True))

    def _per_load(self, weight: FloatArray) -> FloatArray:
        """(S,B) the same over the loads."""
        total = self._weighed(weight)
        return np.divide(total, self.asked.load, where=self.asked.load > 0.0, out=np.zeros_like(total))


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
        damped = np.where(step.values > 0.0, self.damped, 0.0)
        inverse = (step.vectors * damped[:, None, :]) @ step.vectors.swapaxes(1, 2)
        return np.asarray((root[:, :, None] * inverse)[..., None] * scaled[:, None])

    def slopes(self) -> FloatArray:
        """(S,S) derivative of each power by each multiplier: the Hessian of the dual."""
        step, clusters, q = self.step, self.step.clusters, self.step.values
        asked = step.asked
        count = asked.coupling.shape[-1]
        between = asked.coupling * ~np.eye(count, dtype=np.bool_)
        solved = _coupled(clusters, asked, self.gain, self.own, between)
        seen = self.pull * clusters.gather(step._per_load(q * self.damped**2))[..., None]
        crossed = (seen.conj()[:, :, None] * solved[..., None] * seen[:, None]).real.sum(axis=3)
        slopes = np.zeros((len(self.multiplier), len(self.multiplier)))
        both = clusters.held[:, :, None] & clusters.held[:, None, :]
        rows = np.broadcast_to(clusters.satellite[:, :, None], both.shape)[both]
        columns = np.broadcast_to(clusters.satellite[:, None, :], both.shape)[both]
        np.add.at(slopes, (rows, columns), crossed[both])
        cubed = clusters.gather(step._per_load(q * self.damped**3))
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
