"""Beams that a satellite can form: DFT codebooks, and the subspace that the active ones span."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

import numpy as np

from twin.arrays import FloatArray, IntArray, NumberArray
from twin.precoding.budget import weights_within_budget
from twin.precoding.weights import SpannedWeights
from twin.radio.channel import PlanarArray, StatisticalCsi
from twin.solvers.span import Span

NULL = 1e-14
"""Response of a unit beam to a unit steering vector that is rounding alone: a beam with an exact null has none."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Codebook:
    """DFT beams of a planar array, each the conjugate steering vector of one direction (P2, eq. 10).

    Phases step by 2πn/(oversampling·elements) along each axis from -π; the index along x is the fast one. With a
    spacing of half a wavelength the cosines run over [-1, 1). With less, some beams point nowhere in space, and are
    kept: the N beams of a critically sampled codebook are a basis of all weights.
    """

    array: PlanarArray
    oversampling: int = 1
    """Beams for each element of an axis, but for an axis of one element, which has one beam."""

    @property
    def size(self) -> int:
        """Number Q of codewords."""
        return int(np.prod([len(axis) for axis in self._axes()]))

    @property
    def departure(self) -> FloatArray:
        """(Q,2) cosines of the beams along x and y."""
        x, y = self._axes()
        return np.stack([np.tile(x, len(y)), np.repeat(y, len(x))], axis=-1)

    def response(self, departure: FloatArray) -> FloatArray:
        """(...,B,Q) vᵀ f of directions (...,B,2), real because phases are counted from the middle of the array."""
        return without_rounding(self.array.gram(departure, self.departure))

    def _axes(self) -> tuple[FloatArray, FloatArray]:
        """Cosines along x and along y."""
        return self._axis(self.array.columns), self._axis(self.array.rows)

    def _axis(self, elements: int) -> FloatArray:
        count = elements * (self.oversampling if elements > 1 else 1)
        return (-1.0 + 2.0 * np.arange(count) / count) / (2.0 * self.array.spacing_wavelengths)


def without_rounding(response: FloatArray) -> FloatArray:
    """Responses with exact zeros in place of what is rounding alone."""
    return np.asarray(np.where(np.abs(response) < NULL, 0.0, response))


@dataclass(frozen=True, slots=True, kw_only=True)
class ActiveBeams:
    """The codewords that each of S satellites has switched on, Q at most."""

    index: IntArray
    """(S,Q) codewords in the order in which they were chosen, -1 where a satellite has fewer."""
    departure: FloatArray
    """(S,Q,2) their directions."""

    @classmethod
    def of(cls, codebook: Codebook, index: IntArray) -> Self:
        """Look the directions up."""
        return cls(index=index, departure=codebook.departure[np.maximum(index, 0)])

    def response(self, csi: StatisticalCsi) -> FloatArray:
        """(S,Q,B) f_qᵀ v_b: what each beam carries of a unit channel to each terminal in reach."""
        linked = csi.reach.gather(csi.gain > 0.0)
        held = (self.index >= 0)[:, :, None] & linked[:, None, :]
        return np.asarray(without_rounding(csi.array.gram(self.departure, csi.near_departure)) * held)

    def gram(self, array: PlanarArray) -> FloatArray:
        """(S,Q,Q) inner products of the beams, zero for absent ones."""
        held = self.index >= 0
        gram = without_rounding(array.gram(self.departure))
        return gram if held.all() else np.asarray(gram * (held[:, :, None] & held[:, None, :]))


@dataclass(frozen=True, slots=True, kw_only=True)
class Subspace:
    """What each satellite can radiate towards the terminals in its reach, in orthonormal coordinates.

    Power is thus counted at the antennas, whether the active beams are orthogonal or not. Of the span of the beams only
    the part that some terminal receives is kept: R is at most the number of terminals in reach.
    """

    coordinates: FloatArray
    """(S,R,B) of v_b*, as far as the satellite can radiate it: the v̄* of P2, eq. 22."""
    basis: FloatArray
    """(S,Q,R) coordinates z mean the coefficients ``basis`` z over the active beams, or over the terminals' v*."""
    active: ActiveBeams | None
    """The beams; None where every antenna is free."""

    @classmethod
    def of(cls, csi: StatisticalCsi, active: ActiveBeams | None) -> Self:
        """The span of the active beams, or of all antennas."""
        if active is None:
            span = Span.of(csi.gram)
            return cls(coordinates=span.coordinates, basis=span.basis, active=None)
        orthonormal = Span.of(active.gram(csi.array)).basis
        response = orthonormal.swapaxes(1, 2) @ active.response(csi)
        # a decomposition of v̄ itself: through its Gram matrix half of the digits of weak terminals would be lost
        rotation, coordinates = np.linalg.qr(response)
        return cls(coordinates=coordinates, basis=orthonormal @ rotation, active=active)

    def weights(
        self, csi: StatisticalCsi, directions: FloatArray, amplitudes: NumberArray, power_w: FloatArray
    ) -> SpannedWeights:
        """W_sb = z_b t_bᵀ from coordinates z (S,R,B) and t (S,B,L), scaled down to the budgets (S,) where above.

        The last line of P2's Algorithm 1. Power is that of the coefficients, which rounding in a poor basis must not
        let exceed a budget either.
        """
        coefficients = (self.basis @ directions)[..., None] * amplitudes[:, None]
        return weights_within_budget(spanned_weights(csi, self.active, coefficients), power_w)


def spanned_weights(csi: StatisticalCsi, active: ActiveBeams | None, coefficients: NumberArray) -> SpannedWeights:
    """Weights (S,Q,B,L) over the active beams, or over the terminals' steering vectors without any."""
    if active is None:
        return SpannedWeights.over(csi, coefficients)
    return SpannedWeights.over_beams(csi, beams=active.index, departure=active.departure, coefficients=coefficients)
