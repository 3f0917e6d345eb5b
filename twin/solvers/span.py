"""Orthonormal bases of the span of each satellite's steering vectors, from their Gram matrices."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.linalg import lapack

from twin.arrays import FloatArray
from twin.records import documented

LEAST_PIVOT = 1e-3
"""Distance of a unit vector from the span of the vectors before it, below which the elimination needs pivots."""


@documented
@dataclass(frozen=True, slots=True, kw_only=True)
class Span:
    """V* = Z R with Zᴴ Z = I, for each satellite; Z, of the size of the array, is never formed.

    If terminals share a direction or outnumber antennas, R has lower rank; rows and columns beyond the rank are zero.
    """

    coordinates: FloatArray
    """(S,B,B) R: column k holds the coordinates of v_k*; G = Rᵀ R."""
    basis: FloatArray
    """(S,B,B) T with Z = V* T: coordinates z have the coefficients T z over the conjugate steering vectors."""

    @classmethod
    def of(cls, gram: FloatArray) -> Span:
        """Cholesky decomposition of Gram matrices (S,B,B), with pivots if some are singular or nearly so."""
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
        """The same decomposition with pivots, which finds the rank."""
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

    Singular values of L below its rounding error count as zero.
    """
    left, values, right = np.linalg.svd(loaded, full_matrices=False)
    resolved = values > values.max(axis=1, keepdims=True, initial=0.0) * np.finfo(float).eps * loaded.shape[1]
    kept = np.where(resolved, values, 0.0)[:, :, None]
    damped = kept**2 + ridge[:, None, :]
    inverse = np.divide(kept, damped, where=damped > 0.0, out=np.zeros_like(damped))
    return np.asarray(left @ (inverse * right))
