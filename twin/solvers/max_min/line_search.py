"""The barrier along a search direction, where all its terms are linear or quadratic."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

import numpy as np

from twin.arrays import FloatArray
from twin.records import documented
from twin.solvers.max_min.interior_point import DualVariables, InteriorPoint, weighted_response
from twin.solvers.max_min.newton import CentringTarget, SearchDirection


@documented
@dataclass(frozen=True, slots=True, kw_only=True)
class LineSearch:
    """Coefficients of 1, α and α² of the terms of the barrier along p + α d."""

    point: InteriorPoint
    """Point from which the search starts."""
    direction: FloatArray
    """(J,A) d."""
    turned: FloatArray
    """(J,J,A) M_kj d_j."""
    wanted: FloatArray
    """(J,) of b_kᵀp_k, linear."""
    unwanted: tuple[FloatArray, FloatArray]
    """(J,) of interference and noise, linear and quadratic."""
    usage: tuple[FloatArray, FloatArray]
    """(I,) of the limits' use."""

    @classmethod
    def of(cls, point: InteriorPoint, direction: FloatArray) -> Self:
        """The line from a point along a direction (J,A)."""
        blocks, p = point.blocks, point.amplitude
        turned, alone = blocks.response(direction)
        across = (point.turned @ direction[:, :, None])[..., 0].sum(axis=0)
        return cls(
            point=point,
            direction=direction,
            turned=turned,
            wanted=(blocks.signal * direction).sum(axis=1),
            unwanted=(2.0 * across, alone),
            usage=(2.0 * point.budgets.usage(p, direction), point.budgets.usage(direction)),
        )

    def allowed(self, share: FloatArray, held: DualVariables, step: SearchDirection, least: float) -> float:
        """The first of some step lengths α (X,) that keeps slacks and dual variables positive, or zero.

        No product of the two may fall below a fraction ``least`` of their mean.
        """
        point, a = self.point, share[:, None]
        wanted = point.wanted + a * self.wanted
        unwanted = point.unwanted + a * (self.unwanted[0] + a * self.unwanted[1])
        left = point.left - a * (self.usage[0] + a * self.usage[1])
        pairs = point.blocks.held
        slack = np.concatenate(
            [
                point.goal.value(wanted, unwanted, point.target + a * step.target),
                left,
                point.amplitude[pairs] + a * step.amplitude[pairs],
            ],
            axis=1,
        )
        change = step.multipliers
        weight = np.concatenate(
            [
                held.terminals + a * change.terminals,
                held.limits + a * change.limits,
                held.pairs[pairs] + a * change.pairs[pairs],
            ],
            axis=1,
        )
        product = slack * weight
        good = (slack > 0.0).all(axis=1) & (weight > 0.0).all(axis=1) & (wanted > 0.0).all(axis=1)
        good &= product.min(axis=1) >= least * product.mean(axis=1)
        return float(share[good.argmax()]) if good.any() else 0.0

    def beyond(self, held: DualVariables, step: SearchDirection, product: float, weight: float = 1.0) -> CentringTarget:
        """Equal products of a given size at the end of a step, to second order.

        Second derivatives enter with a weight, which is smaller for shorter steps (Mehrotra's corrector).
        """
        point, slack, by, rise = self.point, self.point.slack, step.multipliers, step.target
        across, alone = self.unwanted
        first = slack.by_wanted * self.wanted + slack.by_unwanted * across + slack.by_target * rise
        second = 0.5 * slack.by_wanted_twice * self.wanted**2 + slack.by_unwanted * alone + slack.mixed * rise * across
        products = DualVariables(
            terminals=product - weight * (by.terminals * first + held.terminals * second),
            limits=product + weight * (by.limits * self.usage[0] + held.limits * self.usage[1]),
            pairs=product - weight * by.pairs * self.direction,
        )
        # second-order change of the conditions where an inequality's derivatives and its dual variable change
        turn = rise * slack.mixed
        force = (by.terminals * slack.by_wanted_twice * self.wanted)[:, None] * point.blocks.signal
        force = force + weighted_response(self.turned, by.terminals * slack.by_unwanted + held.terminals * turn)
        force = force + point.weighted_response(by.terminals * turn)
        limits = (point.budgets.weight * point.budgets.at_pairs(by.limits)).sum(axis=0)
        pull = float((slack.mixed * (by.terminals * across + held.terminals * alone)).sum())
        return CentringTarget(
            products=products,
            force=weight * (force - 2.0 * limits * self.direction),
            pull=weight * (pull + 0.5 * point.goal.objective(point.target)[2] * rise**2),
        )
