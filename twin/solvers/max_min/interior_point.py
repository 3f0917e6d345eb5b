"""A point inside all limits, and what its inequalities weigh."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final, Self

import numpy as np

from twin.arrays import FloatArray
from twin.solvers.max_min.layout import Blocks
from twin.solvers.max_min.limits import Budgets
from twin.solvers.max_min.targets import Goal, Slack

ROUNDING: Final = 1e-13
"""Share of its terms below which a slack is not known well enough to go on."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Point:
    """Amplitudes strictly inside all limits, for a target that all terminals exceed, and what depends on them."""

    blocks: Blocks
    budgets: Budgets
    goal: Goal
    amplitude: FloatArray
    """(J,A) p."""
    target: float
    """The t that is aimed at."""
    turned: FloatArray
    """(J,J,A) M_kj p_j of each stream j at each terminal k."""
    wanted: FloatArray
    """(J,) b_kᵀ p_k."""
    unwanted: FloatArray
    """(J,) interference and noise."""
    slack: Slack
    """What is left of each terminal's inequality."""
    left: FloatArray
    """(I,) what is left of each limit."""

    @classmethod
    def at(cls, blocks: Blocks, budgets: Budgets, goal: Goal, amplitude: FloatArray, target: float) -> Self:
        """Work everything out."""
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

    def moved(self, by: FloatArray, rise: float) -> Point:
        """The point with other amplitudes and another target."""
        return Point.at(self.blocks, self.budgets, self.goal, self.amplitude + by, self.target + rise)

    def inside(self) -> bool:
        """Whether all slacks are positive beyond rounding."""
        sure = self.slack.value > ROUNDING * self.wanted**2
        return bool(sure.all() and (self.left > 0.0).all())

    def gradient(self, aim: Multipliers) -> FloatArray:
        """(J,A) gradient of the barrier, - Σ aim · log of all that must be positive."""
        slack, p = self.slack, self.amplitude
        limits = 2.0 * (self.budgets.weight * self.budgets.at_pairs(aim.limits / self.left)).sum(axis=0)
        own = (aim.terminals * slack.by_wanted / slack.value)[:, None] * self.blocks.signal
        heard = self.heard(aim.terminals * slack.by_unwanted / slack.value)
        return np.asarray(limits * p - own - heard - aim.pairs * over(self.blocks, p))

    def heard(self, weight: FloatArray) -> FloatArray:
        """(J,A) gradient of Σ_k weight_k times interference."""
        return heard(self.turned, weight)


@dataclass(frozen=True, slots=True, kw_only=True)
class Multipliers:
    """Weights of all inequalities."""

    terminals: FloatArray
    """(J,) λ."""
    limits: FloatArray
    """(I,) q."""
    pairs: FloatArray
    """(J,A) z, of p ≥ 0."""

    @classmethod
    def central(cls, point: Point) -> Self:
        """Those with which every product of weight and slack is the same."""
        pairs = over(point.blocks, point.amplitude)
        return cls(terminals=1.0 / point.slack.value, limits=1.0 / point.left, pairs=pairs).normal(point)

    def normal(self, point: Point) -> Self:
        """The same in the measure of what is maximised: the target's condition of optimality, met by a common factor.

        The conditions for the amplitudes are homogeneous in the multipliers; without this the products can vanish long
        before the target is anywhere near its optimum.
        """
        factor = -point.goal.worth(point.target)[0] / float(self.terminals @ point.slack.by_target)
        return replace(self, terminals=factor * self.terminals, limits=factor * self.limits, pairs=factor * self.pairs)

    def moved(self, by: Multipliers, share: float) -> Self:
        """Those changed by a share of something."""
        return replace(
            self,
            terminals=self.terminals + share * by.terminals,
            limits=self.limits + share * by.limits,
            pairs=self.pairs + share * by.pairs,
        )

    def products(self, point: Point) -> FloatArray:
        """All products of weight and slack, in a row."""
        held = point.blocks.held
        return np.concatenate(
            [self.terminals * point.slack.value, self.limits * point.left, (self.pairs * point.amplitude)[held]]
        )


def heard(turned: FloatArray, weight: FloatArray) -> FloatArray:
    """(J,A) gradient of Σ_k weight_k times interference, from M_kj p_j (J,J,A)."""
    return 2.0 * np.asarray((weight @ turned)[..., :])


def over(blocks: Blocks, amplitude: FloatArray) -> FloatArray:
    """(J,A) 1/p, zero beyond the pairs."""
    return np.divide(1.0, amplitude, where=blocks.held, out=np.zeros_like(amplitude))
