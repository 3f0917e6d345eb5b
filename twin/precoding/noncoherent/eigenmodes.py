"""P1's linear precoders: the first guess of its algorithms, and its benchmarks.

In H̃_skᴴ Q_k = √γ v* uᴴ Q_k the satellite's side is one direction for all streams and the terminal's side one row of
numbers, so that a weight is a direction times a row.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Annotated

import numpy as np
from annotated_types import Ge

from twin.arrays import BoolArray, ComplexArray, FloatArray, Reach
from twin.precoding.budget import within_budget
from twin.precoding.matched import pointed
from twin.precoding.problem import Precoding, PrecodingProblem, precoders
from twin.precoding.stream_limits import check_streams
from twin.precoding.weights import SpannedWeights
from twin.radio.channel import StatisticalCsi
from twin.records import documented
from twin.registry import Facts, NoOptions, dataclass_options
from twin.solvers.span import Span, wiener

RESOLVED = 1e-12
"""Singular values below this fraction of the largest count as zero, as in the literature's pseudo-inverses."""
ACROSS = 1e-10
"""Length of the projection of a response onto the streams below which the response is orthogonal to them."""


@dataclass_options
class StreamOptions:
    """Number of streams."""

    streams: Annotated[int, Ge(1)] = 1
    """S: streams of each terminal."""

    def check(self, facts: Facts) -> None:
        """Refuse more streams than the scenario allows.

        Raises
        ------
        ValueError
            Of `check_streams`; the message begins with the key.
        """
        check_streams(self.streams, facts)


@documented
@dataclass(frozen=True, slots=True, kw_only=True)
class Modes:
    """Left singular vectors of each terminal's channels from all its satellites together (P1, eq. 33 and 34)."""

    satellites: Reach
    """The satellites, D at most, of each terminal: a reach with the parts of satellites and terminals exchanged."""
    channels: ComplexArray
    """(K,M,D) √γ u of these satellites."""
    vectors: ComplexArray
    """(K,M,R) Q, zero where the singular value is zero; R is the lesser of M and D."""
    values: FloatArray
    """(K,R) singular values, descending."""

    @classmethod
    def of(cls, csi: StatisticalCsi, active: BoolArray) -> Modes:
        """Modes of the active pairs (S,K). The satellites' sides are orthonormal, so that √γ u is all that matters."""
        linked = active & (csi.gain > 0.0)
        satellites = Reach.of(linked.T)
        amplitude = np.where(linked, np.sqrt(csi.gain), 0.0)
        channels = satellites.gather((csi.receive_steering * amplitude[..., None]).swapaxes(0, 1)).swapaxes(1, 2)
        vectors, values, _ = np.linalg.svd(channels, full_matrices=False)
        kept = values > RESOLVED * values[:, :1] if values.shape[1] else values > 0.0
        return cls(
            satellites=satellites,
            channels=channels,
            vectors=np.where(kept[:, None, :], vectors, 0.0),
            values=np.where(kept, values, 0.0),
        )

    def strongest(self, streams: int) -> ComplexArray:
        """(K,M,L) Q of the strongest modes; zero beyond the rank."""
        kept = self.vectors[:, :, :streams]
        missing = streams - kept.shape[2]
        return np.pad(kept, ((0, 0), (0, 0), (0, missing))) if missing else kept


@documented
@dataclass(frozen=True, slots=True, kw_only=True)
class StreamBeams:
    """Weights that are a direction times a row of amplitudes."""

    coordinates: FloatArray
    """(S,R,B) directions of unit length in the span of the satellite's steering vectors."""
    amplitudes: ComplexArray
    """(S,B,L) amplitude of each stream, whose squared magnitude is its power in W."""

    def responses(self, span: Span) -> ComplexArray:
        """v_iᵀ W_k (S,B,B,L)."""
        gains = span.coordinates.swapaxes(1, 2) @ self.coordinates
        return np.asarray(gains[..., None] * self.amplitudes[:, None, :, :])

    def coefficients(self, span: Span) -> ComplexArray:
        """(S,B,B,L) over the conjugate steering vectors."""
        return np.asarray((span.basis @ self.coordinates)[..., None] * self.amplitudes[:, None, :, :])


def mmse_directions(csi: StatisticalCsi, span: Span) -> FloatArray:
    """(S,R,B) (Σ_i γ_i/σ_i² v_i* v_iᵀ + I)⁻¹ v_k* at unit length (P1, after eq. 21)."""
    amplitude = csi.reach.gather(np.sqrt(csi.gain / csi.noise_w))
    loaded = span.coordinates * amplitude[:, None, :]
    return _unit(wiener(loaded, np.ones(amplitude.shape)))


def zero_forcing_directions(csi: StatisticalCsi, span: Span) -> FloatArray:
    """(S,R,B) columns of the pseudo-inverse of diag(√γ) Vᵀ at unit length: each nulls all other terminals in reach."""
    loaded = span.coordinates * csi.reach.gather(np.sqrt(csi.gain))[:, None, :]
    return _unit(wiener(loaded, np.zeros(csi.reach.terminal.shape)))


def _unit(columns: FloatArray) -> FloatArray:
    length = np.linalg.norm(columns, axis=1, keepdims=True)
    return np.asarray(np.divide(columns, length, where=length > 0.0, out=np.zeros_like(columns)))


def along_modes(
    csi: StatisticalCsi, directions: FloatArray, active: BoolArray, power_w: FloatArray, streams: int
) -> StreamBeams:
    """P1's (21): streams along the terminal's strongest modes, with power in proportion to √γ.

    As printed, with singular vectors of each link separately, only the first stream would start, and no other would
    follow.

    Parameters
    ----------
    csi
        Statistics.
    directions
        (S,R,B) of unit length.
    active
        (S,K) pairs that get power.
    power_w
        (S,) power of each satellite in W.
    streams
        L.
    """
    reach = csi.reach
    modes = Modes.of(csi, active & (power_w > 0.0)[:, None])
    q = modes.strongest(streams)
    pair_vectors = q[None] if reach.whole else np.concatenate([q, np.zeros((1, *q.shape[1:]))])[reach.terminal]
    amplitudes = (reach.gather(csi.receive_steering).conj()[..., None, :] @ pair_vectors)[..., 0, :]
    length = np.linalg.norm(amplitudes, axis=-1)
    amplitude = np.sqrt(reach.gather(np.where(active, csi.gain, 0.0)))
    power = _proportional(amplitude, power_w)
    scale = np.divide(np.sqrt(power), length, where=length > ACROSS, out=np.zeros_like(length))
    return StreamBeams(coordinates=directions, amplitudes=amplitudes * scale[..., None])


def along_streams(csi: StatisticalCsi, directions: FloatArray, active: BoolArray, power_w: FloatArray) -> StreamBeams:
    """P1's (38): each active stream (S,K,L) along its direction, power (S,) divided in proportion to √γ."""
    amplitude = csi.reach.gather(np.where(active, np.sqrt(csi.gain)[..., None], 0.0))
    satellites, width, streams = amplitude.shape
    power = _proportional(amplitude.reshape(satellites, width * streams), power_w).reshape(satellites, width, streams)
    return StreamBeams(coordinates=directions, amplitudes=np.sqrt(power) + 0j)


def _proportional(amplitude: FloatArray, power_w: FloatArray) -> FloatArray:
    """Power (S,) divided in proportion to amplitudes (S,X)."""
    total = amplitude.sum(axis=1, keepdims=True)
    return np.asarray(power_w[:, None] * (amplitude / np.where(total > 0.0, total, 1.0)))


@precoders.register("mmse", source="P1, eq. 21, and Section V", options=StreamOptions)
def mmse(problem: PrecodingProblem, *, options: StreamOptions) -> Precoding:
    """Minimum mean square error beams of each satellite separately, streams along the terminal's strongest modes."""
    span = Span.of(problem.csi.gram)
    return _linear(problem, span, mmse_directions(problem.csi, span), options.streams)


@precoders.register("zf", source="P1, Section V, in words", options=StreamOptions)
def zf(problem: PrecodingProblem, *, options: StreamOptions) -> Precoding:
    """Zero-forcing beams of each satellite separately, streams along the terminal's strongest modes.

    The limit of `mmse` for vanishing noise: a pseudo-inverse, which exists for coincident terminals too.
    """
    span = Span.of(problem.csi.gram)
    return _linear(problem, span, zero_forcing_directions(problem.csi, span), options.streams)


def _linear(problem: PrecodingProblem, span: Span, directions: FloatArray, streams: int) -> Precoding:
    """Power by (21), then scaled down to the budget."""
    beams = along_modes(problem.csi, directions, problem.serving, problem.power_w, streams)
    coefficients = within_budget(beams.coefficients(span), problem.csi.gram, problem.power_w)
    return Precoding(weights=SpannedWeights.over(problem.csi, coefficients), iterations=0, converged=True)


@precoders.register("mrt_tdma", source="P1, Section V, Fig. 8b")
def mrt_tdma(problem: PrecodingProblem, *, options: NoOptions) -> Precoding:
    """Each terminal in its own time slot from the strongest satellite of its cluster, by maximum-ratio transmission."""
    csi = problem.csi
    gain = np.where(problem.serving, csi.gain, 0.0)
    amplitude = np.zeros(gain.shape)
    served = gain.any(axis=0)
    if served.any():
        # of equal gains the lowest catalogue number, so that the order of rows does not matter
        order = np.argsort(csi.norad_id, kind="stable")
        strongest = order[gain[order].argmax(axis=0)]
        own = (strongest[served], np.flatnonzero(served))
        amplitude[own] = np.sqrt(problem.power_w[strongest[served]])
    weights = pointed(csi, amplitude)
    slot = np.where(served, np.cumsum(served) - 1, 0).astype(np.int64)
    return Precoding(weights=replace(weights, slot=slot), iterations=0, converged=True)
