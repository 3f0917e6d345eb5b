"""Newton's steps towards what is optimal, or towards the centre of what is allowed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

import numpy as np

from twin.arrays import FloatArray
from twin.solvers.max_min.hessian import Curvature
from twin.solvers.max_min.interior_point import Multipliers, Point, over


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """Where Newton's method leads from a point and its multipliers."""

    amplitude: FloatArray
    """(J,A)."""
    target: float
    multipliers: Multipliers
    """Changes of the multipliers."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Aim:
    """What a step shall bring about."""

    products: Multipliers
    """The product of weight and slack of every inequality, as far as first derivatives tell."""
    force: FloatArray | float = 0.0
    """(J,A) what the conditions for the amplitudes shall be."""
    pull: float = 0.0
    """What that for the target shall be."""

    @classmethod
    def even(cls, point: Point, product: float) -> Self:
        """The same product everywhere."""
        blocks, limits = point.blocks, point.budgets.limits
        return cls(
            products=Multipliers(
                terminals=np.full(len(blocks.terminal), product),
                limits=np.full(limits, product),
                pairs=np.full(blocks.held.shape, product),
            )
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Newton:
    """The equations of optimality at a point, linearised: t is highest, products of weight and slack as aimed at."""

    point: Point
    held: Multipliers
    curvature: Curvature
    mixed: FloatArray
    """(J,A) second derivatives by amplitudes and target."""
    drift: FloatArray
    """(J,A) direction with the target."""
    stiffness: float
    """Second derivative by the target while the amplitudes follow; where it is not positive, while they rest, which
    gives a shorter step."""

    @classmethod
    def at(cls, point: Point, held: Multipliers) -> Self:
        """Set up and solve for the direction with the target."""
        slack = point.slack
        ratio = held.terminals / slack.value * slack.by_target
        mixed = (ratio * slack.by_wanted)[:, None] * point.blocks.signal
        mixed = mixed + point.heard(ratio * slack.by_unwanted - held.terminals * slack.mixed)
        curvature = Curvature.of(point, held)
        drift = -curvature.solve(mixed)
        stiffness = point.goal.worth(point.target)[1] + float(ratio @ slack.by_target)
        following = -float((mixed * drift).sum())
        return cls(
            point=point,
            held=held,
            curvature=curvature,
            mixed=mixed,
            drift=drift,
            stiffness=stiffness - (following if following < stiffness else 0.0),
        )

    def greedy(self) -> Step:
        """The step towards products of zero."""
        rise = self.point.goal.worth(self.point.target)[0] / self.stiffness
        return self._with(rise * self.drift, rise, Aim.even(self.point, 0.0))

    def step(self, aim: Aim) -> Step:
        """The step towards some aim."""
        point, slack = self.point, self.point.slack
        centring = -self.curvature.solve(point.gradient(aim.products) - aim.force)
        pull = float((aim.products.terminals * slack.by_target / slack.value).sum()) + aim.pull
        pull -= float((self.mixed * centring).sum())
        rise = (point.goal.worth(point.target)[0] + pull) / self.stiffness
        return self._with(centring + rise * self.drift, rise, aim)

    def _with(self, direction: FloatArray, rise: float, aim: Aim) -> Step:
        point, held, slack, products = self.point, self.held, self.point.slack, aim.products
        across = (point.turned @ direction[:, :, None])[..., 0].sum(axis=0)
        change = slack.by_wanted * (point.blocks.signal * direction).sum(axis=1)
        change = change + 2.0 * slack.by_unwanted * across + slack.by_target * rise
        used = 2.0 * point.budgets.usage(point.amplitude, direction)
        changes = Multipliers(
            terminals=(products.terminals - held.terminals * change) / slack.value - held.terminals,
            limits=(products.limits + held.limits * used) / point.left - held.limits,
            pairs=(products.pairs - held.pairs * direction) * over(point.blocks, point.amplitude) - held.pairs,
        )
        return Step(amplitude=direction, target=rise, multipliers=changes)
