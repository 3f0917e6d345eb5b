"""The barrier along a straight line, where everything in it is linear or quadratic."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

import numpy as np

from twin.arrays import FloatArray
from twin.solvers.max_min.interior_point import Multipliers, Point, heard
from twin.solvers.max_min.newton import Aim, Step


@dataclass(frozen=True, slots=True, kw_only=True)
class Ray:
    """Coefficients of 1, α and α² of all that the barrier consists of, along p + α d."""

    point: Point
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
    def of(cls, point: Point, direction: FloatArray) -> Self:
        """The line from a point in a direction (J,A)."""
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

    def allowed(self, share: FloatArray, held: Multipliers, step: Step, least: float) -> float:
        """The first of some shares α (X,) of a step that keeps slacks and multipliers positive, or zero.

        No product of the two may fall below a share ``least`` of their mean.
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

    def beyond(self, held: Multipliers, step: Step, product: float, weight: float = 1.0) -> Aim:
        """Equal products of a given size at the end of a step, as far as second derivatives tell.

        These enter with a weight: that of a shorter step is less (Mehrotra's corrector).
        """
        point, slack, by, rise = self.point, self.point.slack, step.multipliers, step.target
        across, alone = self.unwanted
        first = slack.by_wanted * self.wanted + slack.by_unwanted * across + slack.by_target * rise
        second = 0.5 * slack.by_wanted_twice * self.wanted**2 + slack.by_unwanted * alone + slack.mixed * rise * across
        products = Multipliers(
            terminals=product - weight * (by.terminals * first + held.terminals * second),
            limits=product + weight * (by.limits * self.usage[0] + held.limits * self.usage[1]),
            pairs=product - weight * by.pairs * self.direction,
        )
        # what the conditions gain where an inequality's derivatives change and its multiplier too
        turn = rise * slack.mixed
        force = (by.terminals * slack.by_wanted_twice * self.wanted)[:, None] * point.blocks.signal
        force = force + heard(self.turned, by.terminals * slack.by_unwanted + held.terminals * turn)
        force = force + point.heard(by.terminals * turn)
        limits = (point.budgets.weight * point.budgets.at_pairs(by.limits)).sum(axis=0)
        pull = float((slack.mixed * (by.terminals * across + held.terminals * alone)).sum())
        return Aim(
            products=products,
            force=weight * (force - 2.0 * limits * self.direction),
            pull=weight * (pull + 0.5 * point.goal.worth(point.target)[2] * rise**2),
        )
