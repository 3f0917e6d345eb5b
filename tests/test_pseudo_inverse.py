"""Pseudo-inverses of Gram matrices, against numpy's."""

from __future__ import annotations

import numpy as np
import pytest

from twin.radio.channel import PlanarArray
from twin.solvers.pseudo_inverse import ONE_DIRECTION, pseudo_inverse

ARRAY = PlanarArray(rows=8, columns=8)


def directions(spread: float) -> np.ndarray:
    return np.random.default_rng(3).uniform(-spread, spread, size=(20, 12, 2))


@pytest.mark.parametrize("spread", [1.0, 0.3, 0.1, 0.03, 0.0])
def test_it_is_numpys_whether_the_shortcut_is_taken_or_not(spread: float) -> None:
    gram = ARRAY.gram(directions(spread))
    expected = np.linalg.pinv(gram, rcond=ONE_DIRECTION, hermitian=True)
    # eps times the condition, of which 1e8 are allowed, in units of the inverse's size
    size = np.abs(expected).max(axis=(1, 2), keepdims=True)
    assert (np.abs(pseudo_inverse(gram) - expected) / size).max() <= 1e-7


def test_both_ways_are_met_by_these_directions() -> None:
    smallest = [np.linalg.eigvalsh(ARRAY.gram(directions(spread))).min() for spread in (1.0, 0.0)]
    assert smallest[0] > 12 * 12 * ONE_DIRECTION  # the traces are 12, and at most 12 over the smallest
    assert smallest[1] < 1e-12


def test_an_empty_matrix_has_an_empty_inverse() -> None:
    assert pseudo_inverse(np.empty((3, 0, 0))).shape == (3, 0, 0)
    assert pseudo_inverse(np.empty((0, 4, 4))).shape == (0, 4, 4)


def test_it_is_symmetric_to_the_bit_where_the_shortcut_is_taken() -> None:
    inverse = pseudo_inverse(ARRAY.gram(directions(1.0)))
    np.testing.assert_array_equal(inverse, inverse.swapaxes(1, 2))
