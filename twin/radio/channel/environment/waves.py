"""A Gaussian random field in space with exponential autocorrelation, evaluated point by point."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Final, Self

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import brentq

from twin.arrays import BoolArray, FloatArray, KeyArray
from twin.radio.channel.environment.field_coordinates import Triple, rotated, rotation_index
from twin.radio.channel.environment.keys import derived
from twin.records import documented

WAVES: Final = 48
"""Number of waves in the sum: the excess kurtosis is -1.5 / WAVES; the shortest wave resolves steps of 1 / 120."""
_FRACTION_BITS: Final = 14
"""Positions are multiples of 2^-14 correlation lengths, so that the field has a period of 2^18 correlation lengths."""
_BLOCK: Final = 1024
"""Points evaluated at once; their intermediate arrays fit into the processor's cache."""


@documented
@dataclass(frozen=True, slots=True, kw_only=True)
class WaveField:
    """P independent Gaussian fields, with the parameters that each field's key determines."""

    rotation: NDArray[np.intp]
    """(P,) index of the rotation R."""
    shift: NDArray[np.uint32]
    """(3,P) shift t in units of 2^-14 correlation lengths."""

    @classmethod
    def of(cls, key: KeyArray) -> Self:
        """The fields of keys (P,)."""
        shifts = [(derived(key, 111 + number) >> np.uint64(32)).astype(np.uint32) for number in range(3)]
        return cls(rotation=rotation_index(key), shift=np.array(shifts))

    def subset(self, chosen: BoolArray | NDArray[np.intp]) -> WaveField:
        """The chosen fields."""
        return WaveField(rotation=self.rotation[chosen], shift=self.shift[:, chosen])

    def where(self, own: BoolArray, other: WaveField) -> WaveField:
        """These fields where ``own`` (P,) is set, the other ones elsewhere."""
        return WaveField(
            rotation=np.where(own, self.rotation, other.rotation), shift=np.where(own, self.shift, other.shift)
        )

    def at(self, points: Triple) -> FloatArray:
        """Standard normal values (P,), each field at its own point in correlation lengths.

        A field is √(2/F) Σ cos(2π k_f · (R p + t)) with fixed wave vectors k_f. The key determines the rotation R and
        the shift t. Over t, the field has mean 0, variance 1 and autocorrelation (1/F) Σ cos(2π k_f · R Δ); fields of
        two keys are uncorrelated. Over R, the autocorrelation is (1/F) Σ sin(q)/q with q = 2π |k_f| |Δ|. The lengths
        of the wave vectors make it e^{-|Δ|} within 5e-3 (`wave_vectors`).

        Angles are integers in units of 2^-32 turns: their overflow is the period of an angle, without rounding.
        """
        positions = self._positions(points)
        kx, ky, kz = _integer_wave_vectors()
        values = np.empty(self.rotation.shape)
        for start in range(0, len(values), _BLOCK):
            x, y, z = positions[:, start : start + _BLOCK]
            angle = kx * x
            angle += ky * y
            angle += kz * z
            # single-precision cosines cost a tenth, with an error of 1e-7
            wave = angle.view(np.int32).astype(np.float32)
            wave *= np.float32(2.0 * np.pi * 2.0**-32)
            np.cos(wave, out=wave)
            values[start : start + _BLOCK] = _summed(wave)
        values *= np.sqrt(2.0 / WAVES)
        return values

    def _positions(self, points: Triple) -> NDArray[np.uint32]:
        """(3,P) coordinates of R p + t in units of 2^-14 correlation lengths, modulo 2^32."""
        units = np.array(rotated(points, self.rotation))
        units *= 2.0**_FRACTION_BITS
        return np.asarray(np.floor(units, out=units).astype(np.int64).astype(np.uint32) + self.shift)


def gaussian_field(points: Triple, key: KeyArray) -> FloatArray:
    """Standard normal values (P,) at points in correlation lengths, one independent field per key."""
    return WaveField.of(key).at(points)


def _summed(wave: NDArray[np.float32]) -> NDArray[np.float32]:
    """Sum of waves (WAVES,P) over the first axis, in place; unlike numpy's, the order does not depend on P."""
    rows = len(wave)
    while rows > 1:
        half = rows // 2
        wave[:half] += wave[rows - half : rows]
        rows -= half
    total: NDArray[np.float32] = wave[0]
    return total


@cache
def wave_vectors() -> FloatArray:
    """(3,WAVES) wave vectors k in turns per correlation length.

    In three dimensions e^{-r} has the spectral density 1/(π² (1 + k²)²) with k in rad. The wave number then has the
    distribution function (2/π)(arctan k - k/(1 + k²)); it is sampled at the midpoints of WAVES equally probable
    intervals. Directions follow a spherical spiral with the golden angle, in an order unrelated to that of the wave
    numbers.
    """
    probability = (np.arange(WAVES) + 0.5) / WAVES
    radius = np.array([brentq(lambda k, q=q: _power_below(k) - q, 0.0, 1e4) for q in probability])
    order = np.argsort(np.modf(np.arange(1, WAVES + 1) * np.sqrt(2.0))[0])
    height = 1.0 - 2.0 * probability[order]
    angle = order * (np.pi * (3.0 - np.sqrt(5.0)))
    level = np.sqrt(1.0 - height * height)
    return np.asarray(np.array([level * np.cos(angle), level * np.sin(angle), height]) * (radius / (2.0 * np.pi)))


def _power_below(k: float) -> float:
    """Fraction of the power at wave numbers up to k, in rad per correlation length."""
    return float(np.arctan(k) - k / (1.0 + k * k)) * 2.0 / np.pi


@cache
def _integer_wave_vectors() -> NDArray[np.uint32]:
    """(3,WAVES,1) wave vectors in 2^-32 turns per 2^-14 correlation lengths."""
    units = np.rint(wave_vectors() * 2.0 ** (32 - _FRACTION_BITS)).astype(np.int64)
    return units.astype(np.uint32)[:, :, None]
