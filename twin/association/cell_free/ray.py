"""The barrier along a straight line, where everything in it is linear or quadratic."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray

from twin.association.cell_free.newton import Multipliers, Point, Step

Real = NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class Ray:
    """Coefficients of 1, α and α² of all that the barrier consists of, along p + α d."""

    point: Point
    wanted: Real
    """(J,) of b_kᵀp_k, linear."""
    unwanted: tuple[Real, Real]
    """(J,) of interference and noise, linear and quadratic."""
    usage: tuple[Real, Real]
    """(I,) of the limits' use."""

    @classmethod
    def of(cls, point: Point, direction: Real) -> Self:
        """The line from a point in a direction (J,A)."""
        blocks, p = point.blocks, point.amplitude
        across = (point.turned @ direction[:, :, None])[..., 0].sum(axis=0)
        return cls(
            point=point,
            wanted=(blocks.signal * direction).sum(axis=1),
            unwanted=(2.0 * across, blocks.response(direction)[1]),
            usage=(2.0 * point.budgets.usage(p, direction), point.budgets.usage(direction)),
        )

    def allowed(self, share: Real, held: Multipliers, step: Step, least: float) -> float:
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
