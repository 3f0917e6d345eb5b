"""The inequality that every terminal satisfies: a target SINR, or P5's convex approximation of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np

from twin.arrays import FloatArray
from twin.records import documented


@documented
@dataclass(frozen=True, slots=True, kw_only=True)
class Slack:
    """Slack of each of J terminals above the target, and its derivatives."""

    value: FloatArray
    """(J,) or more: positive if the target is exceeded."""
    by_wanted: FloatArray
    """Derivative by the wanted amplitude."""
    by_wanted_twice: FloatArray
    """Second derivative by the wanted amplitude."""
    by_unwanted: FloatArray
    """Derivative by the unwanted power."""
    by_target: FloatArray
    """Derivative by the target."""
    mixed: FloatArray
    """Mixed derivative by interference and target."""


class TargetModel(Protocol):
    """An inequality in b_kᵀp_k, the power of interference and noise, and the target t."""

    def value(self, wanted: FloatArray, unwanted: FloatArray, target: float | FloatArray) -> FloatArray:
        """Slack of the inequality."""

    def slack(self, wanted: FloatArray, unwanted: FloatArray, target: float) -> Slack:
        """Slack with its derivatives."""

    def reached(self, wanted: FloatArray, unwanted: FloatArray) -> float:
        """The largest target that all terminals reach."""

    def objective(self, target: float) -> tuple[float, float, float]:
        """First, negative second and third derivative of the objective, a concave function of the target."""


@documented
@dataclass(frozen=True, slots=True)
class Sinr:
    """(b_kᵀp_k)² ≥ t (interference + noise): for a given t a second-order cone in p (P5, eq. 32b)."""

    def value(self, wanted: FloatArray, unwanted: FloatArray, target: float | FloatArray) -> FloatArray:
        """Slack of the inequality."""
        return np.asarray(np.where(np.greater(target, 0.0), wanted**2 - target * unwanted, -1.0))

    def slack(self, wanted: FloatArray, unwanted: FloatArray, target: float) -> Slack:
        """Slack with its derivatives."""
        one = np.ones_like(wanted)
        return Slack(
            value=self.value(wanted, unwanted, target),
            by_wanted=2.0 * wanted,
            by_wanted_twice=2.0 * one,
            by_unwanted=-target * one,
            by_target=-unwanted,
            mixed=-one,
        )

    def reached(self, wanted: FloatArray, unwanted: FloatArray) -> float:
        """The least SINR."""
        return float((wanted**2 / unwanted).min())

    def objective(self, target: float) -> tuple[float, float, float]:
        """Derivatives of the logarithm, which makes gaps relative and the problem closer to a convex one."""
        return 1.0 / target, 1.0 / target**2, 2.0 / target**3


@documented
@dataclass(frozen=True, slots=True, kw_only=True)
class LinearisedSinr:
    """2 y_k b_kᵀp_k - y_k² t ≥ interference + noise, with y = b_kᵀp_k / t of an earlier point (P5, eq. 37b).

    It implies an SINR of at least t.
    """

    y: FloatArray
    """(J,)."""

    def value(self, wanted: FloatArray, unwanted: FloatArray, target: float | FloatArray) -> FloatArray:
        """Slack of the inequality."""
        return 2.0 * self.y * wanted - self.y**2 * target - unwanted

    def slack(self, wanted: FloatArray, unwanted: FloatArray, target: float) -> Slack:
        """Slack with its derivatives."""
        one = np.ones_like(wanted)
        return Slack(
            value=self.value(wanted, unwanted, target),
            by_wanted=2.0 * self.y * one,
            by_wanted_twice=0.0 * one,
            by_unwanted=-one,
            by_target=-(self.y**2) * one,
            mixed=0.0 * one,
        )

    def reached(self, wanted: FloatArray, unwanted: FloatArray) -> float:
        """The largest t that all terminals reach."""
        return float(((2.0 * self.y * wanted - unwanted) / self.y**2).min())

    def objective(self, target: float) -> tuple[float, float, float]:
        """Derivatives of the target itself: the problem is convex."""
        return 1.0, 0.0, 0.0
