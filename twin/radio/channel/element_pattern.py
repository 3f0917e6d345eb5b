"""Radiation patterns of one antenna element: relative gain over the angle from boresight."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np
from scipy.special import j1

from twin.arrays import FloatArray
from twin.records import documented


class ElementPattern(Protocol):
    """Gain of an element relative to its boresight gain; rotationally symmetric about the boresight."""

    @property
    def uniform(self) -> bool:
        """Whether the gain is the same in every direction in front of the element."""

    def relative_gain(self, boresight_cos: FloatArray) -> FloatArray:
        """Linear relative gain at angles (...) from boresight, given by their cosines; 1 at boresight, 0 behind."""


@documented
@dataclass(frozen=True, slots=True, kw_only=True)
class Isotropic:
    """Equal gain in all directions in front of the element."""

    @property
    def uniform(self) -> bool:
        """Always."""
        return True

    def relative_gain(self, boresight_cos: FloatArray) -> FloatArray:
        """1 in front, 0 behind."""
        return np.where(boresight_cos > 0.0, 1.0, 0.0)


@documented
@dataclass(frozen=True, slots=True, kw_only=True)
class CosinePower:
    """Gain proportional to cos^q of the angle from boresight; q = 1 models a patch by its projected aperture.

    The radiated power equals the fed power for a peak gain of 2 (q + 1) (`peak_gain_dbi`): 6 dBi for q = 1.
    """

    exponent: float = 1.0
    """q, at least 0."""

    def __post_init__(self) -> None:
        if not 0.0 <= self.exponent < np.inf:
            raise ValueError(f"exponent = {self.exponent:g} must be a number of at least 0")

    @property
    def uniform(self) -> bool:
        """Only for q = 0."""
        return self.exponent == 0.0

    @property
    def peak_gain_dbi(self) -> float:
        """Boresight gain of a lossless element: 2 (q + 1), from the integral of the pattern over the half-space."""
        return float(10.0 * np.log10(2.0 * (self.exponent + 1.0)))

    def relative_gain(self, boresight_cos: FloatArray) -> FloatArray:
        """cos^q in front, 0 behind."""
        return np.where(boresight_cos > 0.0, np.maximum(boresight_cos, 0.0) ** self.exponent, 0.0)


@documented
@dataclass(frozen=True, slots=True, kw_only=True)
class Reflector:
    """A reflector with a circular aperture: 4 (J1(x)/x)² with x = k a sin θ (TR 38.811, Section 6.4.1)."""

    aperture_wavelengths: float
    """2a: diameter of the aperture in wavelengths."""

    def __post_init__(self) -> None:
        if not 0.0 < self.aperture_wavelengths < np.inf:
            raise ValueError(f"aperture_wavelengths = {self.aperture_wavelengths:g} must be a number above 0")

    @property
    def uniform(self) -> bool:
        """Never."""
        return False

    def relative_gain(self, boresight_cos: FloatArray) -> FloatArray:
        """4 (J1(x)/x)² in front, with its side lobes and nulls; 0 behind."""
        sine = np.sqrt(np.maximum(1.0 - boresight_cos * boresight_cos, 0.0))
        x = np.pi * self.aperture_wavelengths * sine
        small = x < 1e-4
        # series 1 - x²/4 + ...: below x = 1e-4 the quotient differs from 1 by 3e-9 at most; at boresight it is 0/0
        lobes = np.where(small, 1.0 - 0.25 * x * x, (2.0 * j1(x) / np.where(small, 1.0, x)) ** 2)
        return np.where(boresight_cos > 0.0, lobes, 0.0)
