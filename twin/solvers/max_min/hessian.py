"""The Hessian of the logarithmic barrier: one block per stream plus a term of low rank."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any, Self

import numpy as np
from scipy.linalg.lapack import dgetrf, dgetrs

from twin.arrays import FloatArray
from twin.records import documented
from twin.solvers.max_min.interior_point import DualVariables, InteriorPoint, over
from twin.solvers.max_min.layout import Blocks
from twin.solvers.max_min.limits import Budgets


@documented
@dataclass(frozen=True, kw_only=True)
class BarrierHessian:
    """The barrier's Hessian A + U diag(e) Uᵀ, where A has one block per stream.

    U has a column for the gradient of each terminal's inequality, one for each terminal's b alone (which enters with a
    negative sign where b_kᵀp_k is squared) and one for each limit.
    """

    inverse: FloatArray
    """(J,A,A) A⁻¹."""
    budgets: Budgets
    """Budgets of the satellites."""
    gradients: FloatArray
    """(J,J,A) columns of the inequalities (second J)."""
    own: FloatArray
    """(J,A) the columns of b, each in its own block."""
    limits: FloatArray
    """(G,J,A) the columns of the limits."""
    sign: FloatArray
    """(J,) e of the columns of b."""

    @classmethod
    def of(cls, point: InteriorPoint, held: DualVariables) -> Self:
        """Compute blocks and columns."""
        blocks, f, p = point.blocks, point.slack, point.amplitude
        ratio = np.sqrt(held.terminals / f.value)
        own = blocks.signal * (f.by_wanted * ratio)[:, None]
        gradients = point.turned * (2.0 * f.by_unwanted * ratio)[:, None]
        every = np.arange(len(p))
        gradients[every, every] += own
        price = point.budgets.weight * point.budgets.at_pairs(held.limits)
        root = point.budgets.at_pairs(np.sqrt(held.limits / point.left))
        pairs = held.pairs * over(blocks, p) + ~blocks.held
        return cls(
            inverse=_inverse(
                block_sums(blocks, -2.0 * f.by_unwanted * held.terminals, 2.0 * price.sum(axis=0) + pairs)
            ),
            budgets=point.budgets,
            gradients=gradients,
            own=own,
            limits=2.0 * point.budgets.weight * root * p,
            sign=-f.by_wanted_twice * f.value / f.by_wanted**2,
        )

    @cached_property
    def _factors(self) -> tuple[FloatArray, Any, FloatArray]:
        """LU factors of 1 + diag(e) Uᵀ A⁻¹ U, and e."""
        sign = np.concatenate([np.ones(len(self.own)), self.sign, np.ones(self.budgets.limits)])
        triangles, pivots, singular = dgetrf(np.eye(len(sign)) + sign[:, None] * self._products())
        if singular:
            raise np.linalg.LinAlgError("the curvature is singular")
        return triangles, pivots, sign

    def solve(self, right: FloatArray) -> FloatArray:
        """Solve for a right-hand side (J,A)."""
        streams, budgets = len(self.own), self.budgets
        solved = self.inverse @ right[..., None]
        triangles, pivots, sign = self._factors
        inner = dgetrs(triangles, pivots, sign[:, None] * self._columns(solved))[0]
        gradients, own, limits = inner[:streams], inner[streams : 2 * streams], inner[2 * streams :]
        spread = self.gradients.swapaxes(1, 2) @ gradients + self.own[..., None] * own[:, None, :]
        padded = np.concatenate([limits, np.zeros((1, limits.shape[1]))])
        spread = spread + (self.limits[..., None] * padded[budgets.limit]).sum(axis=0)
        return np.asarray(solved - self.inverse @ spread)[..., 0]

    def _columns(self, values: FloatArray) -> FloatArray:
        """Uᵀ times values (J,A,R)."""
        return np.concatenate(
            [
                (self.gradients @ values).sum(axis=0),
                (self.own[..., None] * values).sum(axis=1),
                self.budgets.sum_by_terminal(self.limits[..., None] * values),
            ]
        )

    def _products(self) -> FloatArray:
        """Uᵀ A⁻¹ U."""
        streams = len(self.own)
        gradients, own = self.gradients @ self.inverse, (self.inverse @ self.own[..., None])[..., 0]
        size = 2 * streams + self.budgets.limits
        first, second, third = slice(0, streams), slice(streams, 2 * streams), slice(2 * streams, size)
        out = np.empty((size, size))
        flat = self.gradients.transpose(1, 0, 2).reshape(streams, -1)
        out[first, first] = flat @ gradients.transpose(1, 0, 2).reshape(streams, -1).T
        out[second, first] = (self.gradients @ own[..., None])[..., 0]
        out[second, second] = np.diag((self.own * own).sum(axis=1))
        out[third, first] = self.budgets.sum_by_terminal(self.limits[..., None] * gradients.swapaxes(1, 2))
        out[third, second] = self.budgets.by_stream(self.limits * own)
        between = self.limits[:, None, :, :, None] * self.limits[None, :, :, None, :] * self.inverse
        out[third, third] = self.budgets.crossed(between)
        out[first, second], out[first, third] = out[second, first].T, out[third, first].T
        out[second, third] = out[third, second].T
        return out


def block_sums(blocks: Blocks, weight: FloatArray, diagonal: FloatArray) -> FloatArray:
    """(J,A,A) Σ_k weight_k M_kj + diag, for weights (J,) and a diagonal (J,A)."""
    streams, parts, _, width = blocks.leak.shape
    flat = blocks.leak.reshape(streams, parts * streams, width)
    weighted = (blocks.leak * weight[:, None]).reshape(flat.shape)
    sums = flat.swapaxes(1, 2) @ weighted
    every = np.arange(width)
    sums[:, every, every] += weight @ blocks.deviation + diagonal
    return np.asarray(sums)


def _inverse(sums: FloatArray) -> FloatArray:
    """(J,A,A) inverses of the blocks, each scaled to a unit diagonal first."""
    size = 1.0 / np.sqrt(np.einsum("jaa->ja", sums))
    outer = size[:, :, None] * size[:, None, :]
    return np.asarray(np.linalg.inv(sums * outer) * outer)
