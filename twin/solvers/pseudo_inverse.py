"""Pseudo-inverses of Gram matrices of steering vectors, most of which are far from singular."""

from __future__ import annotations

from typing import Final

import numpy as np
from scipy.linalg.lapack import dpotrf, dpotri

from twin.arrays import FloatArray

ONE_DIRECTION: Final = 1e-8
"""Eigenvalues of the Gram matrix below this fraction of the largest count as zero: the directions coincide."""


def pseudo_inverse(gram: FloatArray, tolerance: float = ONE_DIRECTION) -> FloatArray:
    """Pseudo-inverses (S,B,B) of symmetric matrices; eigenvalues below a fraction of the largest count as zero.

    The traces of a matrix and of its inverse bound its largest and its smallest eigenvalue. If the bounds exclude an
    eigenvalue below the tolerance, a Cholesky decomposition gives the inverse; otherwise the eigenvalues are computed.
    """
    if not gram.size:
        return np.empty_like(gram)
    inverse, sound = np.empty_like(gram), np.zeros(len(gram), dtype=np.bool_)
    for row, matrix in enumerate(gram):
        factor, fault = dpotrf(matrix, lower=1)
        if not fault:
            inverse[row], fault = dpotri(factor, lower=1)
            sound[row] = not fault
    trace, again = (np.einsum("sbb->s", each) for each in (gram, inverse))
    sound[sound] = (trace * again)[sound] * tolerance < 1.0
    half = inverse[sound]
    np.einsum("sbb->sb", half)[:] *= 0.5
    inverse[sound] = half + half.swapaxes(1, 2)
    inverse[~sound] = np.linalg.pinv(gram[~sound], rcond=tolerance, hermitian=True)
    return inverse
