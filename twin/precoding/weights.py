"""Precoding weights, in the span of a few steering vectors or over all antennas."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol, Self

import numpy as np
from numpy.typing import NDArray

from twin.channel import PlanarArray, StatisticalCsi

Real = NDArray[np.float64]
Complex = NDArray[np.complex128]
Number = NDArray[np.inexact[Any]]


class Weights(Protocol):
    """What S satellites transmit to K terminals in L streams each."""

    @property
    def norad_id(self) -> NDArray[np.int64]:
        """(S,) satellites."""

    def response(self, departure: Real) -> Number:
        """v_iᵀ W_k (S,I,K,L): what a unit channel in each direction (S,I,2) carries of each stream."""

    def power_w(self) -> Real:
        """(S,K) ‖W_sk‖²: power that each satellite spends on each terminal."""

    def antenna(self) -> Complex:
        """(S,K,N,L) the weights of all antennas."""

    def of(self, rows: NDArray[np.int64]) -> Weights:
        """The weights of some satellites."""

    def on(self, norad_id: NDArray[np.int64]) -> Weights:
        """The weights of other satellites, zero for those that had none."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SpannedWeights:
    """Weights w = V* b in the span of conjugate steering vectors, of which only b is kept.

    Every line-of-sight channel being rank one per satellite, the optimum lies in this span, and nothing
    of the size of the array is needed until someone asks for it.
    """

    norad_id: NDArray[np.int64]
    """(S,) satellites."""
    array: PlanarArray
    departure: Real
    """(S,B,2) directions of the basis V."""
    gram: Real
    """(S,B,B) v_iᵀ v_j* of the basis."""
    coefficients: Number
    """(S,B,K,L) b."""

    @classmethod
    def over(cls, csi: StatisticalCsi, coefficients: Number) -> Self:
        """Weights over the steering vectors of the terminals that the CSI is of."""
        return cls(
            norad_id=csi.norad_id,
            array=csi.array,
            departure=csi.departure,
            gram=csi.gram,
            coefficients=coefficients,
        )

    def response(self, departure: Real) -> Number:
        """v_iᵀ W_k (S,I,K,L) from the Gram matrix of both sets of directions alone."""
        gram = self.gram if departure is self.departure else self.array.gram(departure, self.departure)
        satellites, basis, terminals, streams = self.coefficients.shape
        flat: Number = gram @ self.coefficients.reshape(satellites, basis, terminals * streams)
        return flat.reshape(satellites, departure.shape[1], terminals, streams)

    def power_w(self) -> Real:
        """(S,K) ‖W_sk‖² = bᴴ G b."""
        seen = self.response(self.departure)
        return np.asarray((self.coefficients.conj() * seen).sum(axis=(1, 3)).real)

    def antenna(self) -> Complex:
        """(S,K,N,L) the weights of all antennas, formed here."""
        basis = self.array.steering(self.departure).conj()
        return np.asarray(np.einsum("sbn,sbkl->sknl", basis, self.coefficients, optimize=True))

    def of(self, rows: NDArray[np.int64]) -> SpannedWeights:
        """The weights of some satellites; rows in order, and all of them, give the same record."""
        if np.array_equal(rows, np.arange(len(self.norad_id))):
            return self
        return SpannedWeights(
            norad_id=self.norad_id[rows],
            array=self.array,
            departure=self.departure[rows],
            gram=self.gram[rows],
            coefficients=self.coefficients[rows],
        )

    def on(self, norad_id: NDArray[np.int64]) -> SpannedWeights:
        """The weights of other satellites, zero for those that had none."""
        if np.array_equal(norad_id, self.norad_id):
            return self
        return SpannedWeights(
            norad_id=norad_id,
            array=self.array,
            departure=_placed(self.departure, self.norad_id, norad_id),
            gram=_placed(self.gram, self.norad_id, norad_id),
            coefficients=_placed(self.coefficients, self.norad_id, norad_id),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class AntennaWeights:
    """Weights given antenna by antenna, for precoders without structure."""

    norad_id: NDArray[np.int64]
    """(S,) satellites."""
    array: PlanarArray
    weights: Complex
    """(S,K,N,L) W."""

    def response(self, departure: Real) -> Number:
        """v_iᵀ W_k (S,I,K,L)."""
        return np.asarray(np.einsum("sin,sknl->sikl", self.array.steering(departure), self.weights, optimize=True))

    def power_w(self) -> Real:
        """(S,K) ‖W_sk‖²."""
        return np.asarray((np.abs(self.weights) ** 2).sum(axis=(2, 3)))

    def antenna(self) -> Complex:
        """(S,K,N,L) the weights."""
        return self.weights

    def of(self, rows: NDArray[np.int64]) -> AntennaWeights:
        """The weights of some satellites."""
        return AntennaWeights(norad_id=self.norad_id[rows], array=self.array, weights=self.weights[rows])

    def on(self, norad_id: NDArray[np.int64]) -> AntennaWeights:
        """The weights of other satellites, zero for those that had none."""
        weights = _placed(self.weights, self.norad_id, norad_id)
        return AntennaWeights(norad_id=norad_id, array=self.array, weights=weights)


def _placed(array: Any, held: NDArray[np.int64], wanted: NDArray[np.int64]) -> Any:
    """Rows of the held satellites where they are wanted, zero elsewhere."""
    placed = np.zeros((len(wanted), *array.shape[1:]), dtype=array.dtype)
    _, from_rows, to_rows = np.intersect1d(held, wanted, assume_unique=True, return_indices=True)
    placed[to_rows] = array[from_rows]
    return placed


def packed(weights: Weights) -> dict[str, NDArray[Any]]:
    """Plain arrays that hold the weights.

    Raises
    ------
    TypeError
        If they are of a class of somebody's own.
    """
    if isinstance(weights, SpannedWeights):
        inner = {
            "departure": weights.departure,
            "gram": weights.gram,
            "coefficients": weights.coefficients,
        }
    elif isinstance(weights, AntennaWeights):
        inner = {"weights": weights.weights}
    else:
        raise TypeError(f"{type(weights).__name__} must be SpannedWeights or AntennaWeights")
    return {"norad_id": weights.norad_id, **inner}


def unpacked(arrays: Mapping[str, NDArray[Any]], array: PlanarArray) -> Weights:
    """The weights that plain arrays hold, for satellites with a given array."""
    made = SpannedWeights if "coefficients" in arrays else AntennaWeights
    return made(array=array, **arrays)
