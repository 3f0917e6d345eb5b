"""A uniform random field in space that is constant in each cell of a tessellation, evaluated point by point."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Final, Self

import numpy as np
from numpy.typing import NDArray
from scipy.special import gammaincinv

from twin.arrays import FloatArray, KeyArray
from twin.radio.channel.environment.field_coordinates import Triple, rotated, rotation_index
from twin.radio.channel.environment.keys import derived, mixed, uniform
from twin.records import documented

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
"""The six diagonals of an icosahedron, which are the six most evenly distributed axes."""
_ACROSS: Final = _AXES.T[:, :, None]
"""(3,6,1) coordinates of the axes."""
_WIDTHS: Final = 1 << 12
"""Number of plane spacings in the table."""
_BLOCK: Final = 1 << 12
"""Points evaluated at once; their intermediate arrays fit into the processor's cache."""


@documented
@dataclass(frozen=True, slots=True, kw_only=True)
class Mosaic:
    """P independent uniform fields, with the parameters that each field's key determines."""

    rotation: NDArray[np.intp]
    """(P,) index of the rotation of the axes."""
    per_length: FloatArray
    """(6,P) inverse spacing of the planes normal to each axis, per correlation length."""
    offset: FloatArray
    """(6,P) offset of these planes in spacings."""
    cell: KeyArray
    """(P,) key from which the values of the cells are derived."""

    @classmethod
    def of(cls, key: KeyArray) -> Self:
        """The fields of keys (P,)."""
        planes = np.array([derived(key, 121 + number) for number in range(len(_AXES))])
        return cls(
            rotation=rotation_index(key),
            per_length=_planes_per_length()[(planes & np.uint64(_WIDTHS - 1)).astype(np.intp)],
            offset=uniform(planes),
            cell=mixed(key),
        )

    def at(self, points: Triple) -> FloatArray:
        """Uniform values (P,) in (0, 1), each field at its own point in correlation lengths.

        Six families of parallel, equally spaced planes, one normal to each axis, divide space into cells. Each cell has
        an independent value. Planes of spacing w and random offset do not separate two points at distance a along
        their axis with probability max(0, 1 - a/w). With w/s of density x e^{-x}, the mean of this probability is
        e^{-a/s}. None of the six families separates two points with probability e^{-Σa/s}. For s = 3 and a random
        rotation this is e^{-|Δ|} within 1e-3. Hence every function of the value has this autocorrelation. Along a
        straight line the value is constant over an exponentially distributed length of mean 1.

        The cells are those of random binning features (Rahimi and Recht, Random features for large-scale kernel
        machines, 2007).
        """
        values = np.empty(self.cell.shape)
        for start in range(0, len(values), _BLOCK):
            part = slice(start, start + _BLOCK)
            x, y, z = rotated(tuple(axis[part] for axis in points), self.rotation[part])  # type: ignore[arg-type]
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
    """Uniform values (P,) in (0, 1) at points in correlation lengths, one independent field per key."""
    return Mosaic.of(key).at(points)


@cache
def _planes_per_length() -> FloatArray:
    """Inverse plane spacings, at the midpoints of equally probable intervals of the distribution in `Mosaic.at`.

    The mean of |cos| over directions is 1/2, so that six families intersect a line 3/s times per correlation length.
    """
    spacing = (len(_AXES) / 2.0) * gammaincinv(2.0, (np.arange(_WIDTHS) + 0.5) / _WIDTHS)
    return np.asarray(1.0 / spacing)
