"""Power constraints met exactly: search for the multipliers of several satellites."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

import numpy as np

from twin.arrays import FloatArray, IntArray

LEAST_MULTIPLIER = 1e-16
"""Smallest multiplier used, relative to the largest eigenvalue of a satellite's load."""
IDLE_MULTIPLIER = 1e4
"""Multiplier, relative to the smallest, up to which a budget may stay unspent: so low a multiplier costs nothing."""
NEWTON_STEPS = 50
HALVINGS = 30
FLAT = 1e-11
"""Relative change of the dual's value that may be rounding."""
RISE = 1e-4
"""Fraction of the increase predicted by the gradient that a step must reach (Armijo's rule)."""


class DualPoint(Protocol):
    """A transmitter's step under given multipliers."""

    @property
    def multiplier(self) -> FloatArray:
        """(S,) μ."""

    @property
    def power_w(self) -> FloatArray:
        """(S,) power of each satellite in W; minus the budget it is the derivative of the dual."""

    @property
    def value(self) -> float:
        """Value of the dual, which is concave in the multipliers."""

    def power_jacobian(self) -> FloatArray:
        """(S,S) derivative of each power by each multiplier."""


def budget_multipliers(
    at: Callable[[FloatArray], DualPoint],
    budget_w: FloatArray,
    *,
    least: FloatArray,
    start: FloatArray,
    tolerance: float,
) -> FloatArray:
    """Multipliers (S,) under which budgets that bind are met and no other budget is exceeded.

    Newton's method on 1/√power, which is nearly linear in the multipliers, with a line search on the dual. If the dual
    does not increase in that direction, the direction is that of Newton's method on the power.

    Parameters
    ----------
    at
        Solves the transmitter's step under given multipliers.
    budget_w
        (S,) budgets in W; satellites with a zero budget take no part.
    least
        (S,) multipliers that count as zero.
    start
        (S,) multipliers to start from.
    tolerance
        Relative error of a budget that binds.
    """
    point = at(np.maximum(start, least))
    for _ in range(NEWTON_STEPS):
        error = _budget_error(point, budget_w, least)
        if error <= tolerance:
            break
        loose = (point.multiplier <= 2.0 * least) & (point.power_w <= budget_w)
        free = np.flatnonzero((budget_w > 0.0) & (point.power_w > 0.0) & ~loose)
        found = _ascent(at, point, free, budget_w, least, error)
        if found is None:
            break
        point = found
    return point.multiplier


def _budget_error(point: DualPoint, budget_w: FloatArray, least: FloatArray) -> float:
    """The largest relative error of a budget: too much power, or too little under a multiplier above zero."""
    bound = (budget_w > 0.0) & (point.power_w > 0.0)
    excess = point.power_w[bound] / budget_w[bound] - 1.0
    idle = (point.multiplier <= IDLE_MULTIPLIER * least)[bound]
    return float(np.where(idle, np.maximum(excess, 0.0), np.abs(excess)).max(initial=0.0))


def _ascent(
    at: Callable[[FloatArray], DualPoint],
    point: DualPoint,
    free: IntArray,
    budget_w: FloatArray,
    least: FloatArray,
    error: float,
) -> DualPoint | None:
    """A point of a higher dual value or of smaller budget errors; None if the search finds none."""
    power_w = point.power_w[free]
    power_jacobian = point.power_jacobian()[np.ix_(free, free)]
    curved = 2.0 * power_w * (np.sqrt(power_w / budget_w[free]) - 1.0)
    for residual in (curved, power_w - budget_w[free]):
        step = np.zeros_like(budget_w)
        step[free] = -np.linalg.lstsq(power_jacobian, residual, rcond=1e-14)[0]
        length = 1.0
        for _ in range(HALVINGS):
            tried = at(np.maximum(point.multiplier + length * step, least))
            promised = float((point.power_w - budget_w) @ (tried.multiplier - point.multiplier))
            if promised > 0.0 and tried.value > point.value + RISE * promised:
                return tried
            # where the dual is flat, rounding hides its change: the budget error decides
            flat = abs(tried.value - point.value) <= FLAT * abs(point.value)
            if flat and _budget_error(tried, budget_w, least) < 0.5 * error:
                return tried
            length *= 0.5
    return None
