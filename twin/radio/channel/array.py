"""Uniform planar arrays: steering vectors and the inner products between them."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from twin.arrays import ComplexArray, FloatArray
from twin.radio.channel.element_pattern import ElementPattern, Isotropic
from twin.units import from_db


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanarArray:
    """A uniform planar array of equal elements; one row makes it a linear array.

    A direction is given by its cosines (x, y) along the columns and the rows. Phases are counted from the middle of
    the array. The papers count them from a corner (P3, eq. 3), which turns each vector by one phase that delay
    compensation takes off; counted from the middle, all inner products are real, and so is all that is made of them.
    """

    rows: int
    """Elements along y."""
    columns: int
    """Elements along x."""
    spacing_wavelengths: float = 0.5
    """Distance between neighbours."""
    element_gain_dbi: float = 0.0
    """Gain of one element along its boresight, which is the array's."""
    pattern: ElementPattern = field(default_factory=Isotropic)
    """How that gain falls off beside the boresight."""

    @property
    def elements(self) -> int:
        """Number of elements."""
        return self.rows * self.columns

    def element_gain(self, boresight_cos: FloatArray) -> FloatArray:
        """Gain of one element, linear, over the cosine (...) of the angle from boresight; 0 behind the array."""
        return from_db(self.element_gain_dbi) * self.pattern.relative_gain(boresight_cos)

    def steering(self, cosines: FloatArray) -> ComplexArray:
        """Unit-norm steering vectors (..., elements) of directions (..., 2).

        The vector is the Kronecker product of the row and the column response (P3, eq. 2 and 3).
        """
        x = np.exp(-1j * self._phases(cosines[..., 0], self.columns))
        y = np.exp(-1j * self._phases(cosines[..., 1], self.rows))
        vectors = (y[..., :, None] * x[..., None, :]) / np.sqrt(self.elements)
        return np.asarray(vectors.reshape(*vectors.shape[:-2], self.elements))

    def gram(self, cosines: FloatArray, others: FloatArray | None = None) -> FloatArray:
        """Inner products v_i^T v_j^* (..., I, J) of directions (..., I, 2) and others (..., J, 2), or themselves.

        They are real, and each is the product of one Dirichlet kernel for each axis in the difference of the cosines;
        nothing of the array's size is formed.
        """
        product = np.ones(())
        for axis, count in ((0, self.columns), (1, self.rows)):
            own = self._line(cosines[..., axis], count)
            other = own if others is None else self._line(others[..., axis], count)
            product = product * (own @ other.swapaxes(-1, -2))
        return np.asarray(product)

    def _phases(self, cosine: FloatArray, count: int) -> FloatArray:
        """Phase (..., count) of each element of one axis."""
        offsets = np.arange(count) - 0.5 * (count - 1)
        return (2.0 * np.pi * self.spacing_wavelengths) * cosine[..., None] * offsets

    def _line(self, cosine: FloatArray, count: int) -> FloatArray:
        """Cosine and sine features (..., count) whose inner products are the Dirichlet kernel over ``count``.

        Elements at equal distances from the middle contribute alike: half of them are evaluated, and doubled.
        """
        phases = self._phases(cosine, count)[..., count // 2 :]
        features = np.empty((*cosine.shape, 2 * phases.shape[-1]))
        np.cos(phases, out=features[..., : phases.shape[-1]])
        np.sin(phases, out=features[..., phases.shape[-1] :])
        features *= np.sqrt(2.0 / count)
        if count % 2:
            features[..., 0] *= np.sqrt(0.5)
        return features
