"""Uniform planar arrays: steering vectors and their inner products."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from twin.arrays import ComplexArray, FloatArray
from twin.radio.channel.element_pattern import ElementPattern, Isotropic
from twin.records import documented
from twin.units import from_db


@documented
@dataclass(frozen=True, slots=True, kw_only=True)
class PlanarArray:
    """A uniform planar array of identical elements; with one row it is a uniform linear array.

    A direction is given by its direction cosines (x, y) along columns and rows. The phase reference is the centre of
    the array. The papers refer phases to a corner (P3, eq. 3). The two conventions differ by one phase for each
    vector, which delay compensation removes. With the centre as reference all inner products are real.
    """

    rows: int
    """Number of elements along y."""
    columns: int
    """Number of elements along x."""
    spacing_wavelengths: float = 0.5
    """Element spacing in wavelengths."""
    element_gain_dbi: float = 0.0
    """Gain of one element in dBi along the boresight of the array."""
    pattern: ElementPattern = field(default_factory=Isotropic)
    """Relative gain of one element over the angle from boresight."""

    @property
    def elements(self) -> int:
        """Number of elements."""
        return self.rows * self.columns

    def element_gain(self, boresight_cos: FloatArray) -> FloatArray:
        """Linear gain of one element at angles (...) from boresight, given by their cosines; 0 behind the array."""
        return from_db(self.element_gain_dbi) * self.pattern.relative_gain(boresight_cos)

    def steering(self, cosines: FloatArray) -> ComplexArray:
        """Unit-norm steering vectors (..., N) of directions (..., 2), N elements.

        The vector is the Kronecker product of the row and the column response (P3, eq. 2 and 3).
        """
        x = np.exp(-1j * self._phases(cosines[..., 0], self.columns))
        y = np.exp(-1j * self._phases(cosines[..., 1], self.rows))
        vectors = (y[..., :, None] * x[..., None, :]) / np.sqrt(self.elements)
        return np.asarray(vectors.reshape(*vectors.shape[:-2], self.elements))

    def gram(self, cosines: FloatArray, others: FloatArray | None = None) -> FloatArray:
        """Inner products v_i^T v_j^* (..., I, J) of steering vectors; real.

        Each is a product of two Dirichlet kernels in the differences of the direction cosines, one for each axis. No
        array of N elements is formed.

        Parameters
        ----------
        cosines
            (..., I, 2) directions i.
        others
            (..., J, 2) directions j; None means those of ``cosines``.
        """
        product = np.ones(())
        for axis, count in ((0, self.columns), (1, self.rows)):
            first = self._axis_features(cosines[..., axis], count)
            second = first if others is None else self._axis_features(others[..., axis], count)
            product = product * (first @ second.swapaxes(-1, -2))
        return np.asarray(product)

    def _phases(self, cosine: FloatArray, count: int) -> FloatArray:
        """(..., count) phase in rad of each element along one axis."""
        offsets = np.arange(count) - 0.5 * (count - 1)
        return (2.0 * np.pi * self.spacing_wavelengths) * cosine[..., None] * offsets

    def _axis_features(self, cosine: FloatArray, count: int) -> FloatArray:
        """Cosine and sine features of one axis whose inner products are the Dirichlet kernel divided by ``count``.

        Elements at equal distances from the centre contribute equally: one half is evaluated and counted twice.
        """
        phases = self._phases(cosine, count)[..., count // 2 :]
        features = np.empty((*cosine.shape, 2 * phases.shape[-1]))
        np.cos(phases, out=features[..., : phases.shape[-1]])
        np.sin(phases, out=features[..., phases.shape[-1] :])
        features *= np.sqrt(2.0 / count)
        if count % 2:
            features[..., 0] *= np.sqrt(0.5)
        return features
