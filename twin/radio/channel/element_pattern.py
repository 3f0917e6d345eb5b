"""Patterns of one antenna element: gain over the angle from its boresight."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np
from scipy.special import j1

from twin.arrays import FloatArray


class ElementPattern(Protocol):
    """Gain of an element relative to that along its boresight; the same all round it."""

    @property
    def uniform(self) -> bool:
        """Whether the gain is the same in every direction in front of the element."""

    def relative_gain(self, boresight_cos: FloatArray) -> FloatArray:
        """Gain, linear, 1 along the boresight, over the cosine (...) of the angle from it; 0 behind."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Isotropic:
    """The same gain in every direction in front of the element."""

    @property
    def uniform(self) -> bool:
        """Yes."""
        return True

    def relative_gain(self, boresight_cos: FloatArray) -> FloatArray:
        """1 in front, 0 behind."""
        return np.where(boresight_cos > 0.0, 1.0, 0.0)


@dataclass(frozen=True, slots=True, kw_only=True)
class CosinePower:
    """Gain cos^q of the angle from boresight: a patch, whose aperture shrinks as it is seen from the side.

    What such an element radiates comes out right for a peak gain of 2 (q + 1) (`peak_gain_dbi`): 6 dBi for q = 1.
    """

    exponent: float = 1.0
    """q, at least 0."""

    def __post_init__(self) -> None:
        if not 0.0 <= self.exponent < np.inf:
            raise ValueError(f"exponent = {self.exponent:g} must be a number of at least 0")

    @property
    def uniform(self) -> bool:
        """For q = 0 alone."""
        return self.exponent == 0.0

    @property
    def peak_gain_dbi(self) -> float:
        """Gain along the boresight of an element without losses: 2 (q + 1), from the integral over half a sphere."""
        return float(10.0 * np.log10(2.0 * (self.exponent + 1.0)))

    def relative_gain(self, boresight_cos: FloatArray) -> FloatArray:
        """cos^q in front, 0 behind."""
        return np.where(boresight_cos > 0.0, np.maximum(boresight_cos, 0.0) ** self.exponent, 0.0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Reflector:
    """A reflector with a circular aperture: 4 (J1(x)/x)² with x = k a sin θ (TR 38.811, section 6.4.1)."""

    aperture_wavelengths: float
    """Diameter of the aperture, 2 a, in wavelengths."""

    def __post_init__(self) -> None:
        if not 0.0 < self.aperture_wavelengths < np.inf:
            raise ValueError(f"aperture_wavelengths = {self.aperture_wavelengths:g} must be a number above 0")

    @property
    def uniform(self) -> bool:
        """Never."""
        return False

    def relative_gain(self, boresight_cos: FloatArray) -> FloatArray:
        """The main lobe, the side lobes and the nulls between them in front, 0 behind."""
        sine = np.sqrt(np.maximum(1.0 - boresight_cos * boresight_cos, 0.0))
        x = np.pi * self.aperture_wavelengths * sine
        near = x < 1e-4
        # 1 - x²/4 + ...: below 1e-4 the quotient is 1 to 3e-9, and 0/0 at the boresight itself
        lobes = np.where(near, 1.0 - 0.25 * x * x, (2.0 * j1(x) / np.where(near, 1.0, x)) ** 2)
        return np.where(boresight_cos > 0.0, lobes, 0.0)
