"""The transmitter's step of joint precoding with several streams, for any receivers (P2, eq. 42 to 44).

For terminal k the step inverts Ξ_k + λ_k = blkdiag_s(D_s + λ_k) + V_k N_k V_kᴴ. D_s = Σ_j load_sj v̄_j* v̄_jᵀ is common
to all terminals; N_k couples the satellites that serve k. One singular value decomposition per satellite serves all
terminals with all their λ_k. It squares nothing, so that terminals at one place, far above the noise, keep their
digits. A system of the size of its cluster remains for each terminal. All streams of a pair are sent in one direction,
(D_s + λ_k)⁻¹ v̄_k*, which is real, and differ by a complex factor.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from twin.arrays import BoolArray, FloatArray, IntArray, NumberArray, Reach
from twin.records import documented


@documented
@dataclass(frozen=True, slots=True, kw_only=True)
class ClusterIndex:
    """The serving pairs by terminal: up to C satellites for each of K.

    Arrays (S,B,...) over the reach become arrays (K,C,...), zero where a cluster is smaller, and back.
    """

    satellite: IntArray
    """(K,C) rows of the satellites, ascending."""
    column: IntArray
    """(K,C) column of the terminal in the satellite's reach."""
    held: BoolArray
    """(K,C) whether the entry holds a satellite."""
    shape: tuple[int, ...]
    """(S,B)."""

    @classmethod
    def of(cls, reach: Reach, serving: BoolArray) -> Self:
        """Index the serving pairs (S,B)."""
        satellite, column = np.nonzero(serving)
        terminal = reach.terminal[satellite, column]
        order = np.argsort(terminal, kind="stable")
        sizes = np.bincount(terminal, minlength=reach.terminals)
        held = np.arange(sizes.max(initial=0)) < sizes[:, None]
        satellites, columns = np.zeros(held.shape, dtype=np.int64), np.zeros(held.shape, dtype=np.int64)
        satellites[held], columns[held] = satellite[order], column[order]
        return cls(satellite=satellites, column=columns, held=held, shape=serving.shape)

    def gather(self, values: NDArray[Any]) -> NDArray[Any]:
        """Values (K,C,...) of the serving pairs, from (S,B,...)."""
        if not self.held.size:
            return np.zeros((*self.held.shape, *values.shape[2:]), dtype=values.dtype)
        held = self.held.reshape(*self.held.shape, *(1,) * (values.ndim - 2))
        return np.asarray(np.where(held, values[self.satellite, self.column], 0))

    def scatter(self, values: NDArray[Any]) -> NDArray[Any]:
        """Values (S,B,...) from those of the serving pairs (K,C,...), zero for all other pairs."""
        wide = np.zeros((*self.shape, *values.shape[2:]), dtype=values.dtype)
        wide[self.satellite[self.held], self.column[self.held]] = values[self.held]
        return wide


@documented
@dataclass(frozen=True, slots=True, kw_only=True)
class RankOneWeights:
    """Weights W_sb = z_b t_bᵀ of rank one for each pair."""

    directions: FloatArray
    """(S,R,B) z, in coordinates of the subspace that the satellite can radiate."""
    amplitudes: NumberArray
    """(S,B,L) t, zero for pairs that do not serve."""


@documented
@dataclass(frozen=True, slots=True, kw_only=True)
class EffectiveGains:
    """What receivers need of the weights."""

    own: NumberArray
    """(K,C,L) v̄ᵀ W of the terminal's own streams from its satellites: the q_kᴴ of P2."""
    leaked: FloatArray
    """(S,B) Σ_j≠k ‖v̄_skᵀ W_sj‖²: power of the streams of other terminals."""

    @classmethod
    def of(cls, coordinates: FloatArray, clusters: ClusterIndex, sent: RankOneWeights) -> Self:
        """Gains of weights of rank one over channels with coordinates (S,R,B)."""
        response = coordinates.swapaxes(1, 2) @ sent.directions
        own = np.einsum("sbb->sb", response)[..., None] * sent.amplitudes
        strength = (np.abs(sent.amplitudes) ** 2).sum(axis=2)
        return cls(own=clusters.gather(own), leaked=_others(response**2 * strength[:, None, :]))

    @classmethod
    def of_responses(cls, clusters: ClusterIndex, response: NumberArray) -> Self:
        """Gains of weights of any rank, from v̄_bᵀ W_j (S,B,B,L)."""
        own = clusters.gather(np.einsum("sbbl->sbl", response))
        return cls(own=own, leaked=_others((np.abs(response) ** 2).sum(axis=3)))


def _others(power: FloatArray) -> FloatArray:
    """(S,B) sums of (S,B,B) over the second terminal, without equal terminals; zeroes the diagonal in place."""
    diagonal = np.arange(power.shape[1])
    power[:, diagonal, diagonal] = 0.0
    return np.asarray(power.sum(axis=2))


def transmit(
    coordinates: FloatArray,
    reach: Reach,
    clusters: ClusterIndex,
    *,
    load: FloatArray,
    ridge: FloatArray,
    coupling: NumberArray,
    target: NumberArray,
    power_w: FloatArray,
) -> RankOneWeights:
    """The weights of least weighted error for given receivers, with ‖W_k‖² = P_k over all satellites of k.

    Parameters
    ----------
    coordinates
        (S,R,B) orthonormal coordinates of v̄_b*.
    reach, clusters
        Pairs in reach, and serving pairs.
    load
        (S,B) weight of the power that each terminal receives from each satellite, its own streams included.
    ridge
        (K,) λ_k: not negative.
    coupling
        (K,J,C) X_k with any number J of rows: N_k is X_kᴴ X_k without its diagonal, which is at most the load.
    target
        (K,C,L) T_k, rows of the serving satellites. A terminal with a zero target gets no power.
    power_w
        (K,) P_k in W.
    """
    ridges = reach.gather(ridge)
    ridges = np.where(ridges > 0.0, ridges, 1.0)
    left, values, right = np.linalg.svd(coordinates * np.sqrt(load)[:, None, :], full_matrices=True)
    rotated = left.swapaxes(1, 2) @ coordinates
    damped = rotated / (values[:, :, None] ** 2 + ridges[:, None, :])
    gain = np.einsum("srb,srb->sb", rotated, damped)
    # remainder = 1 - load g, the part that a terminal's own load does not suppress: a sum of positive terms
    squares = np.zeros((*load.shape, 1))
    squares[:, : values.shape[1], 0] = values**2
    remainder = (right**2 * (ridges[:, None, :] / (squares + ridges[:, None, :]))).sum(axis=1)
    amplitudes = _coupled(clusters, load, gain, remainder, coupling, target)
    spent_w = (np.abs(amplitudes) ** 2).sum(axis=2) * clusters.gather(np.einsum("srb,srb->sb", damped, damped))
    norm = np.sqrt(spent_w.sum(axis=1))
    scale = np.divide(np.sqrt(power_w), norm, where=norm > 0.0, out=np.zeros_like(norm))
    return RankOneWeights(directions=left @ damped, amplitudes=clusters.scatter(amplitudes * scale[:, None, None]))


def _coupled(
    clusters: ClusterIndex,
    load: FloatArray,
    gain: FloatArray,
    remainder: FloatArray,
    coupling: NumberArray,
    target: NumberArray,
) -> NumberArray:
    """(K,C,L) t of (I + N_k diag(g)) t = T_k.

    With N = XᴴX - diag XᴴX the matrix is diag(δ) + XᴴX diag(g), and δ = 1 - |x_s|² g_s is a mean of 1 and
    ``remainder``: no difference of similar numbers. Between the roots of g it is Aᴴ A with A = (√δ; X √g). A QR
    decomposition of A keeps digits that the product would lose.
    """
    gain, load, remainder = clusters.gather(gain), clusters.gather(load), clusters.gather(remainder)
    coupled_load = (np.abs(coupling) ** 2).sum(axis=1)
    fraction = np.minimum(np.divide(coupled_load, load, where=load > 0.0, out=np.zeros_like(load)), 1.0)
    root, count = np.sqrt(gain), gain.shape[1]
    diagonal = np.where(gain > 0.0, (1.0 - fraction) + fraction * remainder, 1.0)
    # without this bound A could be singular to rounding
    diagonal = np.maximum(diagonal, (16 * count * np.finfo(float).eps) ** 2)
    stacked = np.concatenate([np.sqrt(diagonal)[:, None, :] * np.eye(count), coupling * root[:, None, :]], axis=1)
    upper: NumberArray = np.asarray(np.linalg.qr(stacked, mode="r"))
    half = np.linalg.solve(upper.conj().swapaxes(1, 2), root[..., None] * target)
    solved = np.linalg.solve(upper, half)
    return np.asarray(np.divide(solved, root[..., None], where=root[..., None] > 0.0, out=np.zeros_like(solved)))
