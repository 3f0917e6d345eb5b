"""What every terminal shall reach: an SINR, or P5's convex stand-in for it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np

from twin.arrays import FloatArray


@dataclass(frozen=True, slots=True, kw_only=True)
class Slack:
    """How far each of J terminals is above the target, and the derivatives of this."""

    value: FloatArray
    """(J,) or more: positive where the target is exceeded."""
    by_wanted: FloatArray
    by_wanted_twice: FloatArray
    by_unwanted: FloatArray
    by_target: FloatArray
    mixed: FloatArray
    """By what is unwanted and by the target."""


class Goal(Protocol):
    """An inequality in b_kᵀp_k, the power of interference and noise, and the target t."""

    def value(self, wanted: FloatArray, unwanted: FloatArray, target: float | FloatArray) -> FloatArray:
        """What is left of the inequality."""

    def slack(self, wanted: FloatArray, unwanted: FloatArray, target: float) -> Slack:
        """The same with its derivatives."""

    def reached(self, wanted: FloatArray, unwanted: FloatArray) -> float:
        """The largest target that all terminals reach."""

    def worth(self, target: float) -> tuple[float, float, float]:
        """Slope, negative curvature and third derivative of what is maximised, a concave function of the target."""


@dataclass(frozen=True, slots=True)
class Sinr:
    """(b_kᵀp_k)² ≥ t (interference + noise): for a given t a second-order cone in p (P5, eq. 32b)."""

    def value(self, wanted: FloatArray, unwanted: FloatArray, target: float | FloatArray) -> FloatArray:
        """What is left of the inequality."""
        return np.asarray(np.where(np.greater(target, 0.0), wanted**2 - target * unwanted, -1.0))

    def slack(self, wanted: FloatArray, unwanted: FloatArray, target: float) -> Slack:
        """The same with its derivatives."""
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

    def worth(self, target: float) -> tuple[float, float, float]:
        """Those of the logarithm: it makes the problem less far from a convex one, and gaps relative."""
        return 1.0 / target, 1.0 / target**2, 2.0 / target**3


@dataclass(frozen=True, slots=True, kw_only=True)
class LinearisedSinr:
    """2 y_k b_kᵀp_k - y_k² t ≥ interference + noise, with y = b_kᵀp_k / t of a point before (P5, eq. 37b).

    It implies that the SINR is t at least.
    """

    y: FloatArray
    """(J,)."""

    def value(self, wanted: FloatArray, unwanted: FloatArray, target: float | FloatArray) -> FloatArray:
        """What is left of the inequality."""
        return 2.0 * self.y * wanted - self.y**2 * target - unwanted

    def slack(self, wanted: FloatArray, unwanted: FloatArray, target: float) -> Slack:
        """The same with its derivatives."""
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

    def worth(self, target: float) -> tuple[float, float, float]:
        """Those of the target itself: the problem is convex."""
        return 1.0, 0.0, 0.0
