"""A uniform random field in space that is constant over cells, evaluated where it is asked for."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Final, Self

import numpy as np
from numpy.typing import NDArray
from scipy.special import gammaincinv

from twin.arrays import FloatArray, KeyArray
from twin.radio.channel.environment.field_coordinates import Triple, turned, turns
from twin.radio.channel.environment.keys import derived, mixed, uniform

_GOLDEN: Final = (1.0 + np.sqrt(5.0)) / 2.0
_AXES: Final = np.array(
    [
        (0.0, 1.0, _GOLDEN),
        (0.0, 1.0, -_GOLDEN),
        (1.0, _GOLDEN, 0.0),
        (1.0, -_GOLDEN, 0.0),
        (_GOLDEN, 0.0, 1.0),
        (-_GOLDEN, 0.0, 1.0),
    ]
) / np.sqrt(1.0 + _GOLDEN**2)
"""The six diagonals of an icosahedron: the most even six directions there are."""
_ACROSS: Final = _AXES.T[:, :, None]
"""Their coordinates (3,6,1)."""
_WIDTHS: Final = 1 << 12
"""Spacings to choose from."""
_BLOCK: Final = 1 << 12
"""Points that are worked out at once, so that all stays in the processor's cache."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Mosaic:
    """P uniform fields that are independent of each other, and what of each its key fixes for good."""

    turn: NDArray[np.intp]
    """(P,) how its axes are turned."""
    per_length: FloatArray
    """(6,P) inverse spacings of the planes across each axis."""
    offset: FloatArray
    """(6,P) where they lie, in spacings."""
    cell: KeyArray
    """(P,) number from which those of its cells are made."""

    @classmethod
    def of(cls, key: KeyArray) -> Self:
        """The field of each key (P,)."""
        planes = np.array([derived(key, 121 + number) for number in range(len(_AXES))])
        return cls(
            turn=turns(key),
            per_length=_planes_per_length()[(planes & np.uint64(_WIDTHS - 1)).astype(np.intp)],
            offset=uniform(planes),
            cell=mixed(key),
        )

    def at(self, points: Triple) -> FloatArray:
        """Uniform values (P,) in (0, 1), each field at its own point, in correlation lengths.

        Space is cut by sets of parallel, equally spaced planes across six axes; every cell has a value of its own.
        Planes of spacing w, placed at random, miss two points that lie a apart along their axis with probability
        max(0, 1 - a/w), which is e^{-a/s} in the mean over w/s with the density w e^{-w}. The six together miss two
        points with probability e^{-Σa/s}; with s = 3, and turned at random, that is e^{-|Δ|} to 1e-3. So any function
        of the value has that autocorrelation, and along a straight line it stays for an exponential length of mean 1
        before it is drawn anew.

        The cells are those of random binning features (Rahimi and Recht, Random features for large-scale kernel
        machines, 2007).
        """
        values = np.empty(self.cell.shape)
        for start in range(0, len(values), _BLOCK):
            part = slice(start, start + _BLOCK)
            x, y, z = turned(tuple(axis[part] for axis in points), self.turn[part])  # type: ignore[arg-type]
            along = (x * _ACROSS[0] + y * _ACROSS[1]) + z * _ACROSS[2]
            along *= self.per_length[:, part]
            along += self.offset[:, part]
            steps = np.floor(along, out=along).astype(np.int64).view(np.uint64)
            cell = self.cell[part]
            for step in steps:
                cell = mixed(cell + step)
            values[part] = uniform(cell)
        return values


def mosaic_field(points: Triple, key: KeyArray) -> FloatArray:
    """Uniform values (P,) in (0, 1) at points in correlation lengths, one independent field for each key."""
    return Mosaic.of(key).at(points)


@cache
def _planes_per_length() -> FloatArray:
    """Inverse spacings of planes across one axis: the middles of equal shares of the law above.

    The mean of |cos| over directions is a half, so that six axes cut a line 3/s times a correlation length.
    """
    spacing = (len(_AXES) / 2.0) * gammaincinv(2.0, (np.arange(_WIDTHS) + 0.5) / _WIDTHS)
    return np.asarray(1.0 / spacing)
