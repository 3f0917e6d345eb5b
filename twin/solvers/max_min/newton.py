"""Newton directions of the primal-dual interior-point method."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

import numpy as np

from twin.arrays import FloatArray
from twin.records import documented
from twin.solvers.max_min.hessian import BarrierHessian
from twin.solvers.max_min.interior_point import DualVariables, InteriorPoint, over


@documented
@dataclass(frozen=True, slots=True, kw_only=True)
class SearchDirection:
    """A search direction for a point and its dual variables."""

    amplitude: FloatArray
    """(J,A)."""
    target: float
    """Step of the target."""
    multipliers: DualVariables
    """Changes of the dual variables."""


@documented
@dataclass(frozen=True, slots=True, kw_only=True)
class CentringTarget:
    """What the linearised equations are set to."""

    products: DualVariables
    """Products of dual variable and slack of all inequalities, to first order."""
    force: FloatArray | float = 0.0
    """(J,A) right-hand side of the optimality conditions of the amplitudes."""
    pull: float = 0.0
    """Right-hand side of the optimality condition of the target."""

    @classmethod
    def even(cls, point: InteriorPoint, product: float) -> Self:
        """Equal products for all inequalities."""
        blocks, limits = point.blocks, point.budgets.limits
        return cls(
            products=DualVariables(
                terminals=np.full(len(blocks.terminal), product),
                limits=np.full(limits, product),
                pairs=np.full(blocks.held.shape, product),
            )
        )


@documented
@dataclass(frozen=True, slots=True, kw_only=True)
class Newton:
    """The optimality conditions linearised at a point, with perturbed complementarity."""

    point: InteriorPoint
    """Point at which the step is computed."""
    held: DualVariables
    """Dual variables at the point."""
    curvature: BarrierHessian
    """Factorised Hessian of the barrier."""
    mixed: FloatArray
    """(J,A) mixed second derivatives by amplitudes and target."""
    drift: FloatArray
    """(J,A) change of the amplitudes per change of the target."""
    stiffness: float
    """Second derivative by the target while the amplitudes follow; where it is not positive, while they rest, which
    gives a shorter step."""

    @classmethod
    def at(cls, point: InteriorPoint, held: DualVariables) -> Self:
        """Factorise, and solve for the change of the amplitudes per change of the target."""
        slack = point.slack
        ratio = held.terminals / slack.value * slack.by_target
        mixed = (ratio * slack.by_wanted)[:, None] * point.blocks.signal
        mixed = mixed + point.weighted_response(ratio * slack.by_unwanted - held.terminals * slack.mixed)
        curvature = BarrierHessian.of(point, held)
        drift = -curvature.solve(mixed)
        stiffness = point.goal.objective(point.target)[1] + float(ratio @ slack.by_target)
        following = -float((mixed * drift).sum())
        return cls(
            point=point,
            held=held,
            curvature=curvature,
            mixed=mixed,
            drift=drift,
            stiffness=stiffness - (following if following < stiffness else 0.0),
        )

    def greedy(self) -> SearchDirection:
        """The affine-scaling direction: towards products of zero."""
        rise = self.point.goal.objective(self.point.target)[0] / self.stiffness
        return self._with(rise * self.drift, rise, CentringTarget.even(self.point, 0.0))

    def step(self, aim: CentringTarget) -> SearchDirection:
        """The direction for a given right-hand side."""
        point, slack = self.point, self.point.slack
        centring = -self.curvature.solve(point.gradient(aim.products) - aim.force)
        pull = float((aim.products.terminals * slack.by_target / slack.value).sum()) + aim.pull
        pull -= float((self.mixed * centring).sum())
        rise = (point.goal.objective(point.target)[0] + pull) / self.stiffness
        return self._with(centring + rise * self.drift, rise, aim)

    def _with(self, direction: FloatArray, rise: float, aim: CentringTarget) -> SearchDirection:
        point, held, slack, products = self.point, self.held, self.point.slack, aim.products
        across = (point.turned @ direction[:, :, None])[..., 0].sum(axis=0)
        change = slack.by_wanted * (point.blocks.signal * direction).sum(axis=1)
        change = change + 2.0 * slack.by_unwanted * across + slack.by_target * rise
        used = 2.0 * point.budgets.usage(point.amplitude, direction)
        changes = DualVariables(
            terminals=(products.terminals - held.terminals * change) / slack.value - held.terminals,
            limits=(products.limits + held.limits * used) / point.left - held.limits,
            pairs=(products.pairs - held.pairs * direction) * over(point.blocks, point.amplitude) - held.pairs,
        )
        return SearchDirection(amplitude=direction, target=rise, multipliers=changes)
