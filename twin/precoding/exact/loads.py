"""What both transmitter steps with exact power constraints share: decomposed loads, and the dual search on them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Self

import numpy as np

from twin.arrays import FloatArray
from twin.records import documented
from twin.solvers.power_duals import LEAST_MULTIPLIER, DualPoint, budget_multipliers


@documented
@dataclass(frozen=True, slots=True, kw_only=True)
class DecomposedLoads:
    """√C G √C = Y diag(q) Yᵀ for the loads C = diag(c) and the Gram matrix G of each satellite's steering vectors.

    Every entry of (D_s + μ)⁻¹ with D_s = Σ_i c_i v_i* v_iᵀ is a sum of squares of Y: nothing cancels, for any
    multiplier μ.
    """

    load: FloatArray
    """(S,B) c: weight of the power that each terminal receives from each satellite."""
    values: FloatArray
    """(S,B) q."""
    vectors: FloatArray
    """(S,B,B) Y."""
    least: FloatArray
    """(S,) multipliers that count as zero."""

    @classmethod
    def of(cls, load: FloatArray, gram: FloatArray) -> Self:
        """Decompose loads (S,B) with Gram matrices (S,B,B)."""
        root = np.sqrt(load)
        values, vectors = np.linalg.eigh(root[:, :, None] * gram * root[:, None, :])
        highest = values.max(axis=1, initial=0.0)
        resolved = values > highest[:, None] * np.finfo(float).eps * values.shape[1]
        return cls(
            load=load,
            values=np.where(resolved, values, 0.0),
            vectors=vectors,
            least=LEAST_MULTIPLIER * np.where(highest > 0.0, highest, 1.0),
        )

    def weighted_squares(self, weight: FloatArray) -> FloatArray:
        """(S,B) Σ_l weight_sl Y_kl²."""
        return np.asarray(np.einsum("skl,skl,sl->sk", self.vectors, self.vectors, weight, optimize=True))

    def per_load(self, weight: FloatArray) -> FloatArray:
        """(S,B) Σ_l weight_sl Y_kl² / c_k, zero without a load."""
        total = self.weighted_squares(weight)
        return np.divide(total, self.load, where=self.load > 0.0, out=np.zeros_like(total))

    def inverse(self, damped: FloatArray) -> FloatArray:
        """(S,B,B) √C Y diag(1/(q + μ)) Yᵀ from 1/(q + μ) (S,B), without directions that carry no load."""
        kept = np.where(self.values > 0.0, damped, 0.0)
        inverse = (self.vectors * kept[:, None, :]) @ self.vectors.swapaxes(1, 2)
        return np.asarray(np.sqrt(self.load)[:, :, None] * inverse)

    def maximised(
        self,
        at: Callable[[FloatArray], DualPoint],
        budget_w: FloatArray,
        start: FloatArray | None,
        tolerance: float,
    ) -> FloatArray:
        """Multipliers (S,) that maximise a dual on these loads; see `twin.solvers.power_duals.budget_multipliers`.

        Without a start, the search begins at the mean eigenvalue of each satellite.
        """
        typical = self.values.mean(axis=1) if self.values.size else self.least
        return budget_multipliers(
            at, budget_w, least=self.least, start=typical if start is None else start, tolerance=tolerance
        )
