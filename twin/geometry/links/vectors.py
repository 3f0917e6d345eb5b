"""Vectors as components (3, ...), with a fixed order of summation.

The products of a vector do not depend on the other vectors in the array.
"""

import numpy as np

from twin.arrays import FloatArray

_NEXT, _AFTER = np.array([1, 2, 0]), np.array([2, 0, 1])


def components(vectors: FloatArray) -> FloatArray:
    """Vectors (N, 3) as contiguous components (3, N)."""
    return np.ascontiguousarray(vectors.T)


def dot(one: FloatArray, other: FloatArray) -> FloatArray:
    """Inner product over the first axis (length 3)."""
    product = one * other
    total: FloatArray = product[0] + product[1]
    total += product[2]
    return total


def cross(one: FloatArray, other: FloatArray) -> FloatArray:
    """Vector product over the first axis (length 3)."""
    return np.asarray(one[_NEXT] * other[_AFTER] - one[_AFTER] * other[_NEXT])
