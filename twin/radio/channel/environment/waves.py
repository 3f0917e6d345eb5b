"""A Gaussian random field in space with exponential autocorrelation, evaluated where it is asked for."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Final, Self

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import brentq

from twin.arrays import BoolArray, FloatArray, KeyArray
from twin.radio.channel.environment.field_coordinates import Triple, turned, turns
from twin.radio.channel.environment.keys import derived

WAVES: Final = 48
"""Waves in the sum: its excess kurtosis is -1.5 / WAVES, and the shortest wave resolves steps of 1 / 120."""
_FINE: Final = 14
"""Places are whole numbers of 2^-14 correlation lengths, so that the field repeats after 2^18 of them only."""
_BLOCK: Final = 1024
"""Points that are worked out at once, so that all stays in the processor's cache."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WaveField:
    """P Gaussian fields that are independent of each other, and what of each its key fixes for good."""

    turn: NDArray[np.intp]
    """(P,) rotation R of each."""
    move: NDArray[np.uint32]
    """(3,P) place t of each, in 2^-14 correlation lengths."""

    @classmethod
    def of(cls, key: KeyArray) -> Self:
        """The field of each key (P,)."""
        moves = [(derived(key, 111 + number) >> np.uint64(32)).astype(np.uint32) for number in range(3)]
        return cls(turn=turns(key), move=np.array(moves))

    def some(self, chosen: BoolArray | NDArray[np.intp]) -> WaveField:
        """Some of the fields."""
        return WaveField(turn=self.turn[chosen], move=self.move[:, chosen])

    def either(self, first: BoolArray, other: WaveField) -> WaveField:
        """These fields where the flags (P,) are set, others elsewhere."""
        return WaveField(turn=np.where(first, self.turn, other.turn), move=np.where(first, self.move, other.move))

    def at(self, points: Triple) -> FloatArray:
        """Standard normal values (P,), each field at its own point, in correlation lengths.

        A field is √(2/F) Σ cos(2π k_f · (R p + t)) with fixed wave vectors k_f and, from the key, a rotation R and a
        place t. Over t it has mean 0, variance 1 and autocorrelation (1/F) Σ cos(2π k_f · R Δ), two keys are
        uncorrelated, and over R the autocorrelation is (1/F) Σ sin(q)/q with q = 2π |k_f| |Δ|, which the radii make
        e^{-|Δ|} to 5e-3 (`wave_vectors`).

        Angles are whole numbers of 2^-32 turns, whose arithmetic wraps round as angles do, without rounding.
        """
        places = self._places(points)
        across, along, aloft = _whole_wave_vectors()
        values = np.empty(self.turn.shape)
        for start in range(0, len(values), _BLOCK):
            x, y, z = places[:, start : start + _BLOCK]
            angle = across * x
            angle += along * y
            angle += aloft * z
            # cosines of single floats are ten times cheaper, and good to 1e-7
            wave = angle.view(np.int32).astype(np.float32)
            wave *= np.float32(2.0 * np.pi * 2.0**-32)
            np.cos(wave, out=wave)
            values[start : start + _BLOCK] = _summed(wave)
        values *= np.sqrt(2.0 / WAVES)
        return values

    def _places(self, points: Triple) -> NDArray[np.uint32]:
        """Three coordinates (3,P) of R p + t in 2^-14 correlation lengths, wrapped round."""
        whole = np.array(turned(points, self.turn))
        whole *= 2.0**_FINE
        return np.asarray(np.floor(whole, out=whole).astype(np.int64).astype(np.uint32) + self.move)


def gaussian_field(points: Triple, key: KeyArray) -> FloatArray:
    """Standard normal values (P,) at points in correlation lengths, one independent field for each key."""
    return WaveField.of(key).at(points)


def _summed(wave: NDArray[np.float32]) -> NDArray[np.float32]:
    """Waves (WAVES,P) summed over the first axis in an order that, unlike numpy's, does not depend on P; in place."""
    rows = len(wave)
    while rows > 1:
        half = rows // 2
        wave[:half] += wave[rows - half : rows]
        rows -= half
    total: NDArray[np.float32] = wave[0]
    return total


@cache
def wave_vectors() -> FloatArray:
    """Wave vectors k (3,WAVES) in turns for each correlation length.

    In three dimensions e^{-r} has the spectral density 1/(π² (1 + k²)²) (k in rad), so that the wave number
    has the distribution (2/π)(arctan k - k/(1 + k²)): one from the middle of each of WAVES equal shares of it.
    Directions go round a sphere by the golden angle, in an order that has nothing to do with that of the radii.
    """
    share = (np.arange(WAVES) + 0.5) / WAVES
    radius = np.array([brentq(lambda k, q=q: _share_below(k) - q, 0.0, 1e4) for q in share])
    order = np.argsort(np.modf(np.arange(1, WAVES + 1) * np.sqrt(2.0))[0])
    rise = 1.0 - 2.0 * share[order]
    angle = order * (np.pi * (3.0 - np.sqrt(5.0)))
    level = np.sqrt(1.0 - rise * rise)
    return np.asarray(np.array([level * np.cos(angle), level * np.sin(angle), rise]) * (radius / (2.0 * np.pi)))


def _share_below(k: float) -> float:
    """Share of the power in waves of wave numbers up to k."""
    return float(np.arctan(k) - k / (1.0 + k * k)) * 2.0 / np.pi


@cache
def _whole_wave_vectors() -> NDArray[np.uint32]:
    """Wave vectors (3,WAVES,1) in 2^-32 turns for each 2^-14 correlation lengths."""
    whole = np.rint(wave_vectors() * 2.0 ** (32 - _FINE)).astype(np.int64)
    return whole.astype(np.uint32)[:, :, None]
