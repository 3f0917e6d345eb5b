"""Precoding weights, in the span of a few steering vectors or over all antennas."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, Protocol, Self

import numpy as np
from numpy.typing import NDArray

from twin.channel import PlanarArray, Reach, StatisticalCsi

Real = NDArray[np.float64]
Complex = NDArray[np.complex128]
Number = NDArray[np.inexact[Any]]
Ids = NDArray[np.int64]


class Weights(Protocol):
    """What S satellites transmit to K terminals in L streams each."""

    @property
    def norad_id(self) -> Ids:
        """(S,) satellites."""

    @property
    def reach(self) -> Reach:
        """The terminals, J at most, that each satellite may transmit to."""

    def heard(self, truth: StatisticalCsi) -> Number:
        """v_iᵀ W_j (S,B,J,L): what a unit channel to each terminal in the truth's reach carries of each stream."""

    def power_w(self) -> Real:
        """(S,K) ‖W_sk‖²: power that each satellite spends on each terminal."""

    def antenna(self) -> Complex:
        """(S,K,N,L) the weights of all antennas."""

    def of(self, rows: Ids) -> Weights:
        """The weights of some satellites."""

    def on(self, norad_id: Ids) -> Weights:
        """The weights of other satellites, zero for those that had none."""


@dataclass(frozen=True, kw_only=True)
class SpannedWeights:
    """Weights w = V* b in the span of conjugate steering vectors, of which only b is kept.

    Every line-of-sight channel being rank one per satellite, the optimum lies in this span, and nothing
    of the size of the array is needed until someone asks for it.
    """

    norad_id: Ids
    """(S,) satellites."""
    array: PlanarArray
    reach: Reach
    """Which terminals the basis and the streams belong to, J at most for each satellite."""
    departure: Real
    """(S,J,2) directions of the basis V."""
    gram: Real
    """(S,J,J) v_iᵀ v_j* of the basis."""
    coefficients: Number
    """(S,J,J,L) b: over the basis, for each terminal and stream."""

    @classmethod
    def over(cls, csi: StatisticalCsi, coefficients: Number) -> Self:
        """Weights over the steering vectors of the terminals in the reach of the CSI."""
        return cls(
            norad_id=csi.norad_id,
            array=csi.array,
            reach=csi.reach,
            departure=csi.near_departure,
            gram=csi.gram,
            coefficients=np.ascontiguousarray(coefficients),
        )

    def heard(self, truth: StatisticalCsi) -> Number:
        """v_iᵀ W_j (S,B,J,L) from the Gram matrix of both sets of directions alone."""
        departure = truth.near_departure
        gram = self.gram if departure is self.departure else self.array.gram(departure, self.departure)
        return self._acted(gram)

    def power_w(self) -> Real:
        """(S,K) ‖W_sk‖² = bᴴ G b."""
        return self._power_w

    @cached_property
    def _power_w(self) -> Real:
        seen = self._acted(self.gram)
        return self.reach.spread((self.coefficients.conj() * seen).sum(axis=(1, 3)).real)

    def antenna(self) -> Complex:
        """(S,K,N,L) the weights of all antennas, formed here."""
        basis = self.array.steering(self.departure).conj()
        return self.reach.spread(np.einsum("sbn,sbkl->sknl", basis, self.coefficients, optimize=True))

    def of(self, rows: Ids) -> SpannedWeights:
        """The weights of some satellites; rows in order, and all of them, give the same record."""
        if np.array_equal(rows, np.arange(len(self.norad_id))):
            return self
        return replace(
            self,
            norad_id=self.norad_id[rows],
            reach=self.reach.rows(rows),
            departure=self.departure[rows],
            gram=self.gram[rows],
            coefficients=self.coefficients[rows],
        )

    def on(self, norad_id: Ids) -> SpannedWeights:
        """The weights of other satellites, zero for those that had none."""
        if np.array_equal(norad_id, self.norad_id):
            return self
        held = (self.norad_id, norad_id)
        return replace(
            self,
            norad_id=norad_id,
            reach=_reach_on(self.reach, *held),
            departure=_placed(self.departure, *held),
            gram=_placed(self.gram, *held),
            coefficients=_placed(self.coefficients, *held),
        )

    def on_reach(self, reach: Reach) -> Number:
        """The coefficients (S,B,B,L) over another reach of the same satellites, zero for terminals not held."""
        if self.reach.same(reach):
            return self.coefficients
        place = reach.positions(self.reach)
        if self.coefficients.shape[1] == 0:
            return np.zeros((*place.shape, place.shape[1], self.coefficients.shape[3]))
        row = np.arange(len(place))[:, None, None]
        found = self.coefficients[row, place[:, :, None], place[:, None, :]]
        known = (place[:, :, None] >= 0) & (place[:, None, :] >= 0)
        return np.asarray(found * known[..., None])

    def _acted(self, gram: Real) -> Number:
        satellites, basis, terminals, streams = self.coefficients.shape
        flat: Number = gram @ self.coefficients.reshape(satellites, basis, terminals * streams)
        return flat.reshape(satellites, gram.shape[1], terminals, streams)


@dataclass(frozen=True, slots=True, kw_only=True)
class AntennaWeights:
    """Weights given antenna by antenna, for precoders without structure."""

    norad_id: Ids
    """(S,) satellites."""
    array: PlanarArray
    weights: Complex
    """(S,K,N,L) W."""

    def __post_init__(self) -> None:
        # sums depend on the layout in memory, which a checkpoint does not keep
        object.__setattr__(self, "weights", np.ascontiguousarray(self.weights))

    @property
    def reach(self) -> Reach:
        """All terminals."""
        satellites, terminals = self.weights.shape[:2]
        everyone = np.broadcast_to(np.arange(terminals), (satellites, terminals))
        return Reach(terminal=everyone, terminals=terminals, whole=True)

    def heard(self, truth: StatisticalCsi) -> Number:
        """v_iᵀ W_j (S,B,K,L)."""
        steering = self.array.steering(truth.near_departure)
        return np.asarray(np.einsum("sin,sknl->sikl", steering, self.weights, optimize=True))

    def power_w(self) -> Real:
        """(S,K) ‖W_sk‖²."""
        return np.asarray((np.abs(self.weights) ** 2).sum(axis=(2, 3)))

    def antenna(self) -> Complex:
        """(S,K,N,L) the weights."""
        return self.weights

    def of(self, rows: Ids) -> AntennaWeights:
        """The weights of some satellites."""
        return replace(self, norad_id=self.norad_id[rows], weights=self.weights[rows])

    def on(self, norad_id: Ids) -> AntennaWeights:
        """The weights of other satellites, zero for those that had none."""
        return replace(self, norad_id=norad_id, weights=_placed(self.weights, self.norad_id, norad_id))


def packed(weights: Weights) -> dict[str, NDArray[Any]]:
    """Plain arrays that hold the weights.

    Raises
    ------
    TypeError
        If they are of a class of somebody's own.
    """
    if isinstance(weights, AntennaWeights):
        return {"norad_id": weights.norad_id, "weights": weights.weights}
    if isinstance(weights, SpannedWeights):
        return {
            "norad_id": weights.norad_id,
            "terminal": weights.reach.terminal,
            "terminals": np.array([weights.reach.terminals, weights.reach.whole]),
            "departure": weights.departure,
            "gram": weights.gram,
            "coefficients": weights.coefficients,
        }
    raise TypeError(f"{type(weights).__name__} must be SpannedWeights or AntennaWeights")


def unpacked(arrays: Mapping[str, NDArray[Any]], array: PlanarArray) -> Weights:
    """The weights that plain arrays hold, for satellites with a given array."""
    if "weights" in arrays:
        return AntennaWeights(array=array, **arrays)
    kept = {name: arrays[name] for name in ("norad_id", "departure", "gram", "coefficients")}
    terminals, whole = arrays["terminals"].tolist()
    reach = Reach(terminal=arrays["terminal"], terminals=terminals, whole=bool(whole))
    return SpannedWeights(array=array, reach=reach, **kept)


def _reach_on(reach: Reach, held: Ids, wanted: Ids) -> Reach:
    """The reach of other satellites; those that had none reach nobody, or formally everyone."""
    if reach.whole:
        everyone = np.broadcast_to(np.arange(reach.terminals), (len(wanted), reach.terminals))
        return Reach(terminal=everyone, terminals=reach.terminals, whole=True)
    placed = _placed(reach.terminal - reach.terminals, held, wanted) + reach.terminals
    return Reach(terminal=placed, terminals=reach.terminals, whole=False)


def _placed(array: NDArray[Any], held: Ids, wanted: Ids) -> NDArray[Any]:
    """Rows of the held satellites where they are wanted, zero elsewhere."""
    placed = np.zeros((len(wanted), *array.shape[1:]), dtype=array.dtype)
    _, from_rows, to_rows = np.intersect1d(held, wanted, assume_unique=True, return_indices=True)
    placed[to_rows] = array[from_rows]
    return placed
