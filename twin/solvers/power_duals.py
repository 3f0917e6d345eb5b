"""Budgets met exactly: the search for the multipliers of several satellites' powers."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

import numpy as np

from twin.arrays import FloatArray, IntArray

LEAST_MULTIPLIER = 1e-16
"""Of the largest eigenvalue of a satellite's load: no multiplier need be lower."""
IDLE_MULTIPLIER = 1e4
"""Of the least: below it a budget may be left unspent, for a multiplier that low costs nothing."""
NEWTON_STEPS = 50
HALVINGS = 30
FLAT = 1e-11
"""Of the dual's value: a change that rounding may have made."""
RISE = 1e-4
"""Of the rise that the gradient promises, which a step must bring (Armijo's rule)."""


class DualPoint(Protocol):
    """A step of the transmitter under given multipliers."""

    @property
    def multiplier(self) -> FloatArray:
        """(S,) μ."""

    @property
    def power_w(self) -> FloatArray:
        """(S,) what each satellite spends: the derivative of the dual, but for the budget."""

    @property
    def value(self) -> float:
        """Of the dual, which is concave in the multipliers."""

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
    """Multipliers (S,) under which budgets are met where they bind and nobody else exceeds theirs.

    Newton's method on 1/√power, which is nearly linear in the multipliers, with a line search on the dual itself;
    where that direction does not rise, Newton's own.

    Parameters
    ----------
    at
        Solves the transmitter's step under multipliers.
    budget_w
        (S,) budgets; a satellite without one takes no part.
    least
        (S,) multipliers that count as zero.
    start
        (S,) where to begin.
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
    """The largest relative error of a budget: too much spent, or too little in spite of a multiplier."""
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
    """A point from which the dual is higher, or whose budgets are nearer to being met; None if there is none."""
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
            # where the dual is flat its value drowns in rounding: there the residual decides
            flat = abs(tried.value - point.value) <= FLAT * abs(point.value)
            if flat and _budget_error(tried, budget_w, least) < 0.5 * error:
                return tried
            length *= 0.5
    return None
