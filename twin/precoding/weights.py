"""Precoding weights, over a few steering vectors or over all antennas."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from twin.arrays import ComplexArray, FloatArray, IntArray, NumberArray, Reach
from twin.precoding.rule import InstantaneousRule
from twin.radio.channel import PlanarArray, StatisticalCsi
from twin.records import documented


@documented
@dataclass(frozen=True, kw_only=True)
class SpannedWeights:
    """Weights w = V* b in the span of conjugate steering vectors; only b is stored.

    Every line-of-sight channel has rank one per satellite, so that the optimum lies in this span. Arrays of the size of
    the antenna array are formed on demand only.
    """

    norad_id: IntArray
    """(S,) catalogue numbers of the satellites."""
    array: PlanarArray
    """Antenna array of the satellites."""
    reach: Reach
    """The terminals of the streams, J at most for each satellite; without beams also those of the basis."""
    departure: FloatArray
    """(S,Q,2) direction cosines of the basis V."""
    gram: FloatArray
    """(S,Q,Q) v_iᵀ v_j* of the basis."""
    coefficients: NumberArray
    """(S,Q,J,L) b: coefficients over the basis, for each terminal and stream."""
    beams: IntArray | None = None
    """(S,Q) codeword of each basis vector, -1 for none; None means that the basis belongs to the terminals in reach."""
    slot: IntArray | None = None
    """(K,) time slot in which each terminal is served; None means that all are served at once."""
    rule: InstantaneousRule | None = None
    """How the weights follow the instantaneous channels; None means that they do not."""

    @classmethod
    def over(cls, csi: StatisticalCsi, coefficients: NumberArray) -> Self:
        """Weights over the steering vectors of the terminals in the reach of the CSI, from coefficients (S,B,B,L)."""
        return cls(
            norad_id=csi.norad_id,
            array=csi.array,
            reach=csi.reach,
            departure=csi.reached_departure,
            gram=csi.gram,
            coefficients=np.ascontiguousarray(coefficients),
        )

    @classmethod
    def over_beams(
        cls, csi: StatisticalCsi, *, beams: IntArray, departure: FloatArray, coefficients: NumberArray
    ) -> Self:
        """Weights (S,Q,B,L) over codewords (S,Q), each the conjugate steering vector of a direction (S,Q,2)."""
        return cls(
            norad_id=csi.norad_id,
            array=csi.array,
            reach=csi.reach,
            departure=departure,
            gram=csi.array.gram(departure),
            coefficients=np.ascontiguousarray(coefficients),
            beams=beams,
        )

    def effective_gain(self, truth: StatisticalCsi) -> NumberArray:
        """v_iᵀ W_j (S,B,J,L), from the Gram matrix of both sets of directions."""
        departure = truth.reached_departure
        gram = self.gram if departure is self.departure else self.array.gram(departure, self.departure)
        return self._response(gram)

    def power_w(self) -> FloatArray:
        """(S,K) ‖W_sk‖² = bᴴ G b in W, averaged over the time slots if there are several."""
        return self._power_w

    @cached_property
    def _power_w(self) -> FloatArray:
        response = self._response(self.gram)
        during_w = self.reach.scatter((self.coefficients.conj() * response).sum(axis=(1, 3)).real)
        return during_w if self.slot is None else during_w / turns(self.slot)

    def antenna(self) -> ComplexArray:
        """(S,K,N,L) the weights of all antennas, formed on each call."""
        basis = self.array.steering(self.departure).conj()
        return self.reach.scatter(np.einsum("sbn,sbkl->sknl", basis, self.coefficients, optimize=True))

    def of(self, rows: IntArray) -> SpannedWeights:
        """The weights of some satellites; all rows in order return the same record."""
        if np.array_equal(rows, np.arange(len(self.norad_id))):
            return self
        return replace(
            self,
            norad_id=self.norad_id[rows],
            reach=self.reach.rows(rows),
            departure=self.departure[rows],
            gram=self.gram[rows],
            coefficients=self.coefficients[rows],
            beams=None if self.beams is None else self.beams[rows],
        )

    def on(self, norad_id: IntArray) -> SpannedWeights:
        """The weights of other satellites, zero for satellites without weights."""
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
            beams=None if self.beams is None else _placed(self.beams + 1, *held) - 1,
        )

    def on_reach(self, reach: Reach) -> NumberArray:
        """The coefficients over another reach of the same satellites, zero for terminals without weights.

        Shape (S,B,B,L), with the basis of the new reach, or (S,Q,B,L) over beams, which stay the same.
        """
        if self.reach.same(reach):
            return self.coefficients
        place = reach.positions(self.reach)
        basis, width, streams = self.coefficients.shape[1:]
        if width == 0:
            return np.zeros((len(place), basis if self.beams is not None else place.shape[1], place.shape[1], streams))
        row = np.arange(len(place))[:, None, None]
        known = place[:, None, :] >= 0
        if self.beams is not None:
            found = self.coefficients[row, np.arange(basis)[None, :, None], place[:, None, :]]
        else:
            found = self.coefficients[row, place[:, :, None], place[:, None, :]]
            known = known & (place[:, :, None] >= 0)
        return np.asarray(found * known[..., None])

    def _response(self, gram: FloatArray) -> NumberArray:
        satellites, basis, terminals, streams = self.coefficients.shape
        flat: NumberArray = gram @ self.coefficients.reshape(satellites, basis, terminals * streams)
        return flat.reshape(satellites, gram.shape[1], terminals, streams)


@documented
@dataclass(frozen=True, slots=True, kw_only=True)
class AntennaWeights:
    """Weights of all antennas, for precoders without structure."""

    norad_id: IntArray
    """(S,) catalogue numbers of the satellites."""
    array: PlanarArray
    """Antenna array of the satellites."""
    weights: ComplexArray
    """(S,K,N,L) W."""
    slot: IntArray | None = None
    """(K,) time slot in which each terminal is served; None means that all are served at once."""
    rule: None = None
    """None: the weights do not follow the instantaneous channel."""

    def __post_init__(self) -> None:
        # sums depend on the memory layout, which a checkpoint does not store
        object.__setattr__(self, "weights", np.ascontiguousarray(self.weights))

    @property
    def reach(self) -> Reach:
        """All terminals."""
        satellites, terminals = self.weights.shape[:2]
        all_terminals = np.broadcast_to(np.arange(terminals), (satellites, terminals))
        return Reach(terminal=all_terminals, terminals=terminals, whole=True)

    def effective_gain(self, truth: StatisticalCsi) -> NumberArray:
        """v_iᵀ W_j (S,B,K,L)."""
        steering = self.array.steering(truth.reached_departure)
        return np.asarray(np.einsum("sin,sknl->sikl", steering, self.weights, optimize=True))

    def power_w(self) -> FloatArray:
        """(S,K) ‖W_sk‖² in W, averaged over the time slots if there are several."""
        during_w = np.asarray((np.abs(self.weights) ** 2).sum(axis=(2, 3)))
        return during_w if self.slot is None else during_w / turns(self.slot)

    def antenna(self) -> ComplexArray:
        """(S,K,N,L) the weights."""
        return self.weights

    def of(self, rows: IntArray) -> AntennaWeights:
        """The weights of some satellites."""
        return replace(self, norad_id=self.norad_id[rows], weights=self.weights[rows])

    def on(self, norad_id: IntArray) -> AntennaWeights:
        """The weights of other satellites, zero for satellites without weights."""
        return replace(self, norad_id=norad_id, weights=_placed(self.weights, self.norad_id, norad_id))


def turns(slot: IntArray) -> int:
    """Number of time slots."""
    return int(slot.max(initial=0)) + 1


def _reach_on(reach: Reach, held: IntArray, wanted: IntArray) -> Reach:
    """The reach of other satellites. Satellites without weights reach no terminal, or all where the reach is whole."""
    if reach.whole:
        all_terminals = np.broadcast_to(np.arange(reach.terminals), (len(wanted), reach.terminals))
        return Reach(terminal=all_terminals, terminals=reach.terminals, whole=True)
    placed = _placed(reach.terminal - reach.terminals, held, wanted) + reach.terminals
    return Reach(terminal=placed, terminals=reach.terminals, whole=False)


def _placed(array: NDArray[Any], held: IntArray, wanted: IntArray) -> NDArray[Any]:
    """Rows of the held satellites at the rows of the wanted ones, zero elsewhere."""
    placed = np.zeros((len(wanted), *array.shape[1:]), dtype=array.dtype)
    _, from_rows, to_rows = np.intersect1d(held, wanted, assume_unique=True, return_indices=True)
    placed[to_rows] = array[from_rows]
    return placed
