"""The transmitter's step of joint precoding with several streams, for any receivers (P2, eq. 42 to 44).

For terminal k the step inverts Ξ_k + λ_k = blkdiag_s(D_s + λ_k) + V_k N_k V_kᴴ, with D_s = Σ_j load_sj v̄_j* v̄_jᵀ
common to all terminals and N_k between the satellites that serve k alone. One singular value decomposition a satellite
serves all terminals with all their λ_k; it squares nothing, so that terminals at one place and far above the noise keep
their digits. What is left for each terminal is a system of the size of its cluster. All streams of a pair leave in one
direction, (D_s + λ_k)⁻¹ v̄_k*, which is real, and differ by a complex factor.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from twin.arrays import BoolArray, FloatArray, IntArray, NumberArray, Reach


@dataclass(frozen=True, slots=True, kw_only=True)
class ClusterIndex:
    """The pairs that serve, by terminal: up to C satellites for each of K.

    Arrays (S,B,...) over the reach become arrays (K,C,...), zero where a cluster is smaller, and back.
    """

    satellite: IntArray
    """(K,C) rows of the satellites, rising."""
    column: IntArray
    """(K,C) where in the satellite's reach the terminal stands."""
    held: BoolArray
    """(K,C) whether there is such a satellite."""
    shape: tuple[int, ...]
    """(S,B)."""

    @classmethod
    def of(cls, reach: Reach, serving: BoolArray) -> Self:
        """List the serving pairs (S,B)."""
        satellite, column = np.nonzero(serving)
        terminal = reach.terminal[satellite, column]
        order = np.argsort(terminal, kind="stable")
        sizes = np.bincount(terminal, minlength=reach.terminals)
        held = np.arange(sizes.max(initial=0)) < sizes[:, None]
        satellites, columns = np.zeros(held.shape, dtype=np.int64), np.zeros(held.shape, dtype=np.int64)
        satellites[held], columns[held] = satellite[order], column[order]
        return cls(satellite=satellites, column=columns, held=held, shape=serving.shape)

    def gather(self, values: NDArray[Any]) -> NDArray[Any]:
        """Values (S,B,...) of the serving pairs (K,C,...)."""
        if not self.held.size:
            return np.zeros((*self.held.shape, *values.shape[2:]), dtype=values.dtype)
        held = self.held.reshape(*self.held.shape, *(1,) * (values.ndim - 2))
        return np.asarray(np.where(held, values[self.satellite, self.column], 0))

    def scatter(self, values: NDArray[Any]) -> NDArray[Any]:
        """Values (K,C,...) of the serving pairs (S,B,...), zero for those that do not serve."""
        wide = np.zeros((*self.shape, *values.shape[2:]), dtype=values.dtype)
        wide[self.satellite[self.held], self.column[self.held]] = values[self.held]
        return wide


@dataclass(frozen=True, slots=True, kw_only=True)
class RankOneWeights:
    """Weights W_sb = z_b t_bᵀ of rank one for each pair."""

    directions: FloatArray
    """(S,R,B) z, in coordinates of what the satellite can radiate."""
    amplitudes: NumberArray
    """(S,B,L) t, zero for pairs that do not serve."""


@dataclass(frozen=True, slots=True, kw_only=True)
class EffectiveGains:
    """What receivers need of the weights."""

    own: NumberArray
    """(K,C,L) v̄ᵀ W of the terminal's own streams from its satellites: the q_kᴴ of P2."""
    leaked: FloatArray
    """(S,B) Σ_j≠k ‖v̄_skᵀ W_sj‖²."""

    @classmethod
    def of(cls, coordinates: FloatArray, clusters: ClusterIndex, sent: RankOneWeights) -> Self:
        """Let weights of rank one act on the channels (S,R,B)."""
        response = coordinates.swapaxes(1, 2) @ sent.directions
        own = np.einsum("sbb->sb", response)[..., None] * sent.amplitudes
        strength = (np.abs(sent.amplitudes) ** 2).sum(axis=2)
        return cls(own=clusters.gather(own), leaked=_others(response**2 * strength[:, None, :]))

    @classmethod
    def of_responses(cls, clusters: ClusterIndex, response: NumberArray) -> Self:
        """Of weights of any rank, from v̄_bᵀ W_j (S,B,B,L)."""
        own = clusters.gather(np.einsum("sbbl->sbl", response))
        return cls(own=own, leaked=_others((np.abs(response) ** 2).sum(axis=3)))


def _others(power: FloatArray) -> FloatArray:
    """(S,B) sums of (S,B,B) over the second of two terminals, less itself."""
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
        Who is heard, and who serves.
    load
        (S,B) weight of the power that each terminal hears from each satellite, its own streams included.
    ridge
        (K,) λ_k: not negative.
    coupling
        (K,J,C) X_k of any number J of rows: N_k is X_kᴴ X_k less its diagonal, which is at most the load.
    target
        (K,C,L) T_k, rows of the serving satellites. A terminal without any gets no power.
    power_w
        (K,) P_k.
    """
    ridges = reach.gather(ridge)
    ridges = np.where(ridges > 0.0, ridges, 1.0)
    left, values, right = np.linalg.svd(coordinates * np.sqrt(load)[:, None, :], full_matrices=True)
    rotated = left.swapaxes(1, 2) @ coordinates
    damped = rotated / (values[:, :, None] ** 2 + ridges[:, None, :])
    gain = np.einsum("srb,srb->sb", rotated, damped)
    # own = 1 - load g, what a terminal's own load leaves of it, is a sum of positive terms over the right vectors
    every = np.zeros((*load.shape, 1))
    every[:, : values.shape[1], 0] = values**2
    own = (right**2 * (ridges[:, None, :] / (every + ridges[:, None, :]))).sum(axis=1)
    amplitudes = _coupled(clusters, load, gain, own, coupling, target)
    spent_w = (np.abs(amplitudes) ** 2).sum(axis=2) * clusters.gather(np.einsum("srb,srb->sb", damped, damped))
    norm = np.sqrt(spent_w.sum(axis=1))
    scale = np.divide(np.sqrt(power_w), norm, where=norm > 0.0, out=np.zeros_like(norm))
    return RankOneWeights(directions=left @ damped, amplitudes=clusters.scatter(amplitudes * scale[:, None, None]))


def _coupled(
    clusters: ClusterIndex,
    load: FloatArray,
    gain: FloatArray,
    own: FloatArray,
    coupling: NumberArray,
    target: NumberArray,
) -> NumberArray:
    """(K,C,L) t of (I + N_k diag(g)) t = T_k.

    With N = XᴴX - diag XᴴX this is diag(δ) + XᴴX diag(g), and δ = 1 - |x_s|² g_s is a mean of 1 and ``own``: no
    difference of near numbers. Between the roots of g it is Aᴴ A with A = (√δ; X √g), of which a QR decomposition
    keeps digits that the product would lose.
    """
    gain, load, own = clusters.gather(gain), clusters.gather(load), clusters.gather(own)
    shared = (np.abs(coupling) ** 2).sum(axis=1)
    fraction = np.minimum(np.divide(shared, load, where=load > 0.0, out=np.zeros_like(load)), 1.0)
    root, count = np.sqrt(gain), gain.shape[1]
    left = np.where(gain > 0.0, (1.0 - fraction) + fraction * own, 1.0)
    left = np.maximum(left, (16 * count * np.finfo(float).eps) ** 2)  # else A could be singular to rounding
    stacked = np.concatenate([np.sqrt(left)[:, None, :] * np.eye(count), coupling * root[:, None, :]], axis=1)
    upper: NumberArray = np.asarray(np.linalg.qr(stacked, mode="r"))
    half = np.linalg.solve(upper.conj().swapaxes(1, 2), root[..., None] * target)
    solved = np.linalg.solve(upper, half)
    return np.asarray(np.divide(solved, root[..., None], where=root[..., None] > 0.0, out=np.zeros_like(solved)))
