"""A strictly feasible point, and the dual variables of its inequalities."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final, Self

import numpy as np

from twin.arrays import FloatArray
from twin.records import documented
from twin.solvers.max_min.layout import Blocks
from twin.solvers.max_min.limits import Budgets
from twin.solvers.max_min.targets import Slack, TargetModel

ROUNDING: Final = 1e-13
"""Smallest slack, as a fraction of its terms, that rounding leaves accurate enough."""


@documented
@dataclass(frozen=True, slots=True, kw_only=True)
class InteriorPoint:
    """Amplitudes strictly within all limits, a target that all terminals exceed, and quantities that depend on both."""

    blocks: Blocks
    """Layout of the variables."""
    budgets: Budgets
    """Budgets of the satellites."""
    goal: TargetModel
    """Model of the target that is raised."""
    amplitude: FloatArray
    """(J,A) p."""
    target: float
    """The target t."""
    turned: FloatArray
    """(J,J,A) M_kj p_j of each stream j at each terminal k."""
    wanted: FloatArray
    """(J,) b_kᵀ p_k."""
    unwanted: FloatArray
    """(J,) interference and noise."""
    slack: Slack
    """Slack of each terminal's inequality."""
    left: FloatArray
    """(I,) slack of each limit."""

    @classmethod
    def at(cls, blocks: Blocks, budgets: Budgets, goal: TargetModel, amplitude: FloatArray, target: float) -> Self:
        """Compute the point at given amplitudes and target."""
        turned, interference = blocks.response(amplitude)
        wanted, unwanted = (blocks.signal * amplitude).sum(axis=1), interference + blocks.noise
        return cls(
            blocks=blocks,
            budgets=budgets,
            goal=goal,
            amplitude=amplitude,
            target=target,
            turned=turned,
            wanted=wanted,
            unwanted=unwanted,
            slack=goal.slack(wanted, unwanted, target),
            left=1.0 - budgets.usage(amplitude),
        )

    def moved(self, by: FloatArray, rise: float) -> InteriorPoint:
        """The point with other amplitudes and another target."""
        return InteriorPoint.at(self.blocks, self.budgets, self.goal, self.amplitude + by, self.target + rise)

    def inside(self) -> bool:
        """Whether all slacks are positive by more than rounding."""
        sure = self.slack.value > ROUNDING * self.wanted**2
        return bool(sure.all() and (self.left > 0.0).all())

    def gradient(self, aim: DualVariables) -> FloatArray:
        """(J,A) gradient of the barrier - Σ aim · log(slack)."""
        slack, p = self.slack, self.amplitude
        limits = 2.0 * (self.budgets.weight * self.budgets.at_pairs(aim.limits / self.left)).sum(axis=0)
        own = (aim.terminals * slack.by_wanted / slack.value)[:, None] * self.blocks.signal
        weighted_response = self.weighted_response(aim.terminals * slack.by_unwanted / slack.value)
        return np.asarray(limits * p - own - weighted_response - aim.pairs * over(self.blocks, p))

    def weighted_response(self, weight: FloatArray) -> FloatArray:
        """(J,A) gradient of Σ_k weight_k times interference."""
        return weighted_response(self.turned, weight)


@documented
@dataclass(frozen=True, slots=True, kw_only=True)
class DualVariables:
    """Dual variables of all inequalities."""

    terminals: FloatArray
    """(J,) λ."""
    limits: FloatArray
    """(I,) q."""
    pairs: FloatArray
    """(J,A) z, the dual variables of p ≥ 0."""

    @classmethod
    def central(cls, point: InteriorPoint) -> Self:
        """Dual variables with equal products of dual variable and slack."""
        pairs = over(point.blocks, point.amplitude)
        return cls(terminals=1.0 / point.slack.value, limits=1.0 / point.left, pairs=pairs).normal(point)

    def normal(self, point: InteriorPoint) -> Self:
        """The same, scaled by a common factor that satisfies the optimality condition of the target.

        The conditions for the amplitudes are homogeneous in the dual variables; without this scale the products can
        vanish long before the target is near its optimum.
        """
        factor = -point.goal.objective(point.target)[0] / float(self.terminals @ point.slack.by_target)
        return replace(self, terminals=factor * self.terminals, limits=factor * self.limits, pairs=factor * self.pairs)

    def moved(self, by: DualVariables, share: float) -> Self:
        """The dual variables after a step of a given length."""
        return replace(
            self,
            terminals=self.terminals + share * by.terminals,
            limits=self.limits + share * by.limits,
            pairs=self.pairs + share * by.pairs,
        )

    def products(self, point: InteriorPoint) -> FloatArray:
        """All products of dual variable and slack, as one array."""
        held = point.blocks.held
        return np.concatenate(
            [self.terminals * point.slack.value, self.limits * point.left, (self.pairs * point.amplitude)[held]]
        )


def weighted_response(turned: FloatArray, weight: FloatArray) -> FloatArray:
    """(J,A) gradient of Σ_k weight_k times interference, from M_kj p_j (J,J,A)."""
    return 2.0 * np.asarray((weight @ turned)[..., :])


def over(blocks: Blocks, amplitude: FloatArray) -> FloatArray:
    """(J,A) 1/p, zero beyond the pairs."""
    return np.divide(1.0, amplitude, where=blocks.held, out=np.zeros_like(amplitude))
