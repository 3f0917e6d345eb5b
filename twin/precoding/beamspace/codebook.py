"""DFT codebooks of a satellite, and the subspace that the active beams span."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

import numpy as np

from twin.arrays import FloatArray, IntArray, NumberArray
from twin.precoding.budget import weights_within_budget
from twin.precoding.weights import SpannedWeights
from twin.radio.channel import PlanarArray, StatisticalCsi
from twin.records import documented
from twin.solvers.span import Span

NULL = 1e-14
"""Response of a unit beam to a unit steering vector below which it is rounding: the beam has an exact null there."""


@documented
@dataclass(frozen=True, slots=True, kw_only=True)
class Codebook:
    """DFT beams of a planar array, each the conjugate steering vector of one direction (P2, eq. 10).

    Phases step by 2πn/(oversampling·elements) along each axis from -π; the index along x runs fastest. With a spacing
    of half a wavelength the cosines cover [-1, 1). With a smaller spacing some beams point to no real direction; they
    stay, because the N beams of a critically sampled codebook are a basis of all weights.
    """

    array: PlanarArray
    """Antenna array that forms the beams."""
    oversampling: int = 1
    """Beams per element of an axis; an axis of one element has one beam."""

    @property
    def size(self) -> int:
        """Number Q of codewords."""
        return int(np.prod([len(axis) for axis in self._axes()]))

    @property
    def departure(self) -> FloatArray:
        """(Q,2) direction cosines of the beams along x and y."""
        x, y = self._axes()
        return np.stack([np.tile(x, len(y)), np.repeat(y, len(x))], axis=-1)

    def response(self, departure: FloatArray) -> FloatArray:
        """(...,B,Q) vᵀ f of directions (...,B,2); real, because phases are counted from the middle of the array."""
        return without_rounding(self.array.gram(departure, self.departure))

    def _axes(self) -> tuple[FloatArray, FloatArray]:
        """Cosines along x and along y."""
        return self._axis(self.array.columns), self._axis(self.array.rows)

    def _axis(self, elements: int) -> FloatArray:
        count = elements * (self.oversampling if elements > 1 else 1)
        return (-1.0 + 2.0 * np.arange(count) / count) / (2.0 * self.array.spacing_wavelengths)


def without_rounding(response: FloatArray) -> FloatArray:
    """Responses with exact zeros in place of rounding errors."""
    return np.asarray(np.where(np.abs(response) < NULL, 0.0, response))


@documented
@dataclass(frozen=True, slots=True, kw_only=True)
class ActiveBeams:
    """The active codewords of each of S satellites, Q at most."""

    index: IntArray
    """(S,Q) codewords in the order of selection, -1 where a satellite has fewer."""
    departure: FloatArray
    """(S,Q,2) their direction cosines."""

    @classmethod
    def of(cls, codebook: Codebook, index: IntArray) -> Self:
        """The beams with given codewords (S,Q)."""
        return cls(index=index, departure=codebook.departure[np.maximum(index, 0)])

    def response(self, csi: StatisticalCsi) -> FloatArray:
        """(S,Q,B) f_qᵀ v_b: response of a unit channel, to each terminal in reach, to each beam."""
        linked = csi.reach.gather(csi.gain > 0.0)
        present = (self.index >= 0)[:, :, None] & linked[:, None, :]
        return np.asarray(without_rounding(csi.array.gram(self.departure, csi.reached_departure)) * present)

    def gram(self, array: PlanarArray) -> FloatArray:
        """(S,Q,Q) inner products of the beams, zero for absent beams."""
        present = self.index >= 0
        gram = without_rounding(array.gram(self.departure))
        return gram if present.all() else np.asarray(gram * (present[:, :, None] & present[:, None, :]))


@documented
@dataclass(frozen=True, slots=True, kw_only=True)
class Subspace:
    """What each satellite can radiate towards the terminals in its reach, in orthonormal coordinates.

    Power is therefore counted at the antennas, whether or not the active beams are orthogonal. Of the span of the beams
    only the part that some terminal receives is kept: R is at most the number of terminals in reach.
    """

    coordinates: FloatArray
    """(S,R,B) of the part of v_b* that the satellite can radiate: the v̄* of P2, eq. 22."""
    basis: FloatArray
    """(S,Q,R) coordinates z have the coefficients ``basis`` z over the active beams, or over the terminals' v*."""
    active: ActiveBeams | None
    """The active beams; None means that all antennas are free."""

    @classmethod
    def of(cls, csi: StatisticalCsi, active: ActiveBeams | None) -> Self:
        """The span of the active beams; of all antennas if ``active`` is None."""
        if active is None:
            span = Span.of(csi.gram)
            return cls(coordinates=span.coordinates, basis=span.basis, active=None)
        orthonormal = Span.of(active.gram(csi.array)).basis
        response = orthonormal.swapaxes(1, 2) @ active.response(csi)
        # decompose v̄ itself: its Gram matrix would lose half of the digits of weak terminals
        rotation, coordinates = np.linalg.qr(response)
        return cls(coordinates=coordinates, basis=orthonormal @ rotation, active=active)

    def weights(
        self, csi: StatisticalCsi, directions: FloatArray, amplitudes: NumberArray, power_w: FloatArray
    ) -> SpannedWeights:
        """W_sb = z_b t_bᵀ from coordinates z (S,R,B) and amplitudes t (S,B,L), within the budgets (S,) in W.

        This is the last line of P2's Algorithm 1. Power is computed from the coefficients, so that rounding in a poor
        basis cannot exceed a budget.
        """
        coefficients = (self.basis @ directions)[..., None] * amplitudes[:, None]
        return weights_within_budget(spanned_weights(csi, self.active, coefficients), power_w)


def spanned_weights(csi: StatisticalCsi, active: ActiveBeams | None, coefficients: NumberArray) -> SpannedWeights:
    """Weights (S,Q,B,L) over the active beams; over the terminals' steering vectors if ``active`` is None."""
    if active is None:
        return SpannedWeights.over(csi, coefficients)
    return SpannedWeights.over_beams(csi, beams=active.index, departure=active.departure, coefficients=coefficients)
