"""Orthonormal bases of the span of each satellite's steering vectors, from their Gram matrix alone."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.linalg import lapack

from twin.arrays import FloatArray

LEAST_PIVOT = 1e-3
"""Distance of a unit vector from the span of those before it, below which the order of elimination matters."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Span:
    """V* = Z R with Zᴴ Z = I, for each satellite; Z itself, of the size of the array, is never formed.

    Terminals that share a direction, or more terminals than antennas, leave R with fewer rows than columns; rows and
    columns beyond the rank are zero.
    """

    coordinates: FloatArray
    """(S,B,B) R: column k holds the coordinates of v_k*; G = Rᵀ R."""
    basis: FloatArray
    """(S,B,B) T with Z = V* T, so that coordinates z are the coefficients T z over the conjugate steering vectors."""

    @classmethod
    def of(cls, gram: FloatArray) -> Span:
        """Cholesky decomposition of Gram matrices (S,B,B), with pivots where some are singular or nearly so."""
        try:
            lower: FloatArray = np.asarray(np.linalg.cholesky(gram), dtype=np.float64)
        except np.linalg.LinAlgError:
            return cls._pivoted(gram)
        if not lower.size or np.einsum("sbb->sb", lower).min() < LEAST_PIVOT:
            return cls._pivoted(gram)
        basis = np.empty_like(lower)
        for satellite, factor in enumerate(lower):
            basis[satellite], _ = lapack.dtrtri(factor.T)
        return cls(coordinates=lower.swapaxes(1, 2), basis=basis)

    @classmethod
    def _pivoted(cls, gram: FloatArray) -> Span:
        """The same with the rank found on the way."""
        coordinates = np.zeros_like(gram)
        basis = np.zeros_like(gram)
        for satellite, matrix in enumerate(gram):
            if not matrix.any():
                continue
            factor, pivots, rank, _ = lapack.dpstrf(matrix, tol=-1.0)
            upper = np.triu(factor[:rank])
            order = pivots - 1
            coordinates[satellite, :rank, order] = upper.T
            basis[satellite, order[:rank], :rank], _ = lapack.dtrtri(upper[:, :rank])
        return cls(coordinates=coordinates, basis=basis)


def wiener(loaded: FloatArray, ridge: FloatArray) -> FloatArray:
    """(S,R,B) column k is (L Lᵀ + r_k I)⁻¹ l_k, for each satellite's L (S,R,B) and r (S,B), without squaring L.

    Singular values below what rounding leaves of L count as zero.
    """
    left, values, right = np.linalg.svd(loaded, full_matrices=False)
    resolved = values > values.max(axis=1, keepdims=True, initial=0.0) * np.finfo(float).eps * loaded.shape[1]
    kept = np.where(resolved, values, 0.0)[:, :, None]
    damped = kept**2 + ridge[:, None, :]
    share = np.divide(kept, damped, where=damped > 0.0, out=np.zeros_like(damped))
    return np.asarray(left @ (share * right))
