"""P1's effective channels (11): what each terminal receives of each stream, and the optimal receivers.

H̃_sk = √γ u vᵀ has neither fading nor phase: it is the part of the channel that statistical CSI describes. A terminal's
receiver has at most M antennas, so that all terminals are solved at once by matrices of that size. A terminal receives
only streams of terminals that some satellite has in reach together with it; only these are stored.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any, Self

import numpy as np
from scipy import sparse

from twin.arrays import BoolArray, ComplexArray, FloatArray, IntArray, Reach
from twin.radio.channel import StatisticalCsi
from twin.records import documented

SatelliteRows = slice | IntArray


@documented
@dataclass(frozen=True, kw_only=True)
class Neighbours:
    """For each terminal the up to Q terminals that some satellite has in reach together with it, itself included."""

    places: IntArray
    """(S,B,B) index of the terminal of the second column among the neighbours of that of the first."""
    own: IntArray
    """(K,) index of each terminal among its own neighbours."""
    most: int
    """Q."""
    reach: Reach
    """Pairs of a satellite and a terminal within reach."""

    @classmethod
    def of(cls, reach: Reach) -> Self:
        """Find the neighbours."""
        count = reach.terminals
        if reach.whole:
            places = np.broadcast_to(np.arange(count), (*reach.terminal.shape, count))
            return cls(places=places, own=np.arange(count), most=count, reach=reach)
        pairs = reach.terminal[:, :, None] * (count + 1) + reach.terminal[:, None, :]
        themselves = np.arange(count) * (count + 2)
        codes, inverse = np.unique(np.concatenate([pairs.ravel(), themselves]), return_inverse=True)
        first = np.searchsorted(codes, np.arange(count + 1) * (count + 1))
        place = np.arange(len(codes)) - first[codes // (count + 1)]
        found = place[inverse]
        real = codes[(codes // (count + 1) < count) & (codes % (count + 1) < count)] // (count + 1)
        most = int(np.bincount(real, minlength=1).max(initial=0)) if count else 0
        places = np.minimum(found[: pairs.size].reshape(pairs.shape), max(most - 1, 0))
        return cls(places=places, own=found[pairs.size :], most=most, reach=reach)

    @cached_property
    def incidence(self) -> Any:
        """(K·Q, S·B·B) sparse matrix that sums over satellites."""
        reach = self.reach
        held = reach.terminal < reach.terminals
        both = (held[:, :, None] & held[:, None, :]).ravel()
        rows = (reach.terminal[:, :, None] * self.most + self.places).ravel()[both]
        columns = np.flatnonzero(both)
        shape = (reach.terminals * self.most, both.size)
        return sparse.csr_array((np.ones(len(columns)), (rows, columns)), shape=shape)


@documented
@dataclass(frozen=True, slots=True, kw_only=True)
class Arrivals:
    """Received signals, and their unwanted part."""

    received: ComplexArray
    """(K,M,Q,L) G: response of terminal i's antennas to the streams of each of its neighbours."""
    own: ComplexArray
    """(K,M,L) response to its own streams."""
    unwanted: ComplexArray
    """(K,M,M) covariance of all other streams and the noise."""


@documented
@dataclass(frozen=True, slots=True, kw_only=True)
class EffectiveReceivers:
    """The optimal receivers U = X E and weights C = ω E⁻¹ (P1, eq. 14 and 15), with U C Uᴴ = ω X E Xᴴ."""

    filters: ComplexArray
    """(K,M,L) X: the unwanted covariance's inverse times the wanted signal."""
    error: ComplexArray
    """(K,L,L) E: mean square errors."""
    inverse: ComplexArray
    """(K,L,L) E⁻¹, formed without cancellation."""
    log_inverse: FloatArray
    """(K,) ln det E⁻¹."""
    weight: FloatArray
    """(K,) ω: rate weights over ln 2."""


@documented
@dataclass(frozen=True, slots=True, kw_only=True)
class SatelliteProblems:
    """The convex problem of each satellite for given receivers."""

    load: FloatArray
    """(S,B) t: T_s = Σ_i t_si v_i* v_iᵀ."""
    receive_weight: ComplexArray
    """(S,B,M) U C Uᴴ √γ u: weight of what a terminal receives in the satellite's problem."""
    own_target: ComplexArray
    """(S,B,L) coefficient of v_k* in the wanted part of z_k, for active streams only."""
    active: BoolArray
    """(S,B,L) streams that each satellite may send."""


@documented
@dataclass(frozen=True, kw_only=True)
class EffectiveChannels:
    """H̃ of the pairs in reach."""

    reach: Reach
    """Pairs of a satellite and a terminal within reach."""
    arrival: ComplexArray
    """(S,B,M) √γ u."""
    noise_w: FloatArray
    """(K,) σ² in W."""
    weight: FloatArray
    """(K,) ω: rate weights over ln 2, which make (15) the optimum of a logarithm to base 2."""
    neighbours: Neighbours
    """Satellites of each terminal, in order."""

    @classmethod
    def of(cls, csi: StatisticalCsi, weight: FloatArray) -> Self:
        """The effective channels of statistical CSI, with rate weights (K,)."""
        arrival = csi.receive_steering * np.sqrt(csi.gain)[..., None]
        return cls(
            reach=csi.reach,
            arrival=csi.reach.gather(arrival),
            noise_w=csi.noise_w,
            weight=np.asarray(weight / np.log(2.0)),
            neighbours=Neighbours.of(csi.reach),
        )

    def arrivals(self, responses: ComplexArray) -> Arrivals:
        """What every terminal receives of weights with responses v_iᵀ W_sk (S,B,B,L)."""
        satellites, width, antennas = self.arrival.shape
        count, most, streams = self.reach.terminals, self.neighbours.most, responses.shape[3]
        if self.reach.whole:
            side = self.arrival.transpose(1, 2, 0)
            flat = side @ responses.transpose(1, 0, 2, 3).reshape(width, satellites, width * streams)
            received = flat.reshape(count, antennas, most, streams)
        else:
            parts = self.arrival[:, :, None, :, None] * responses[:, :, :, None, :]
            sum_by_terminal = self.neighbours.incidence @ parts.reshape(satellites * width * width, antennas * streams)
            received = np.ascontiguousarray(sum_by_terminal.reshape(count, most, antennas, streams).swapaxes(1, 2))
        return self._sorted(received)

    def _sorted(self, received: ComplexArray) -> Arrivals:
        """Separate the own streams from the others."""
        count, antennas = received.shape[:2]
        all_terminals, place = np.arange(count), self.neighbours.own
        own = received[all_terminals, :, place]
        others = received.copy()
        others[all_terminals, :, place] = 0.0
        others = others.reshape(count, antennas, others.shape[2] * others.shape[3])
        unwanted = others @ others.conj().swapaxes(1, 2) + self.noise_w[:, None, None] * np.eye(antennas)
        return Arrivals(received=received, own=own, unwanted=unwanted)

    def receivers(self, arrivals: Arrivals) -> EffectiveReceivers:
        """Steps 6 and 7 of P1's Algorithm 1, with the mean square error of (11) itself."""
        # eigenvalues stay above those of the noise: above SINRs of 1e16 the matrix would be singular to rounding
        values, vectors = np.linalg.eigh(arrivals.unwanted)
        values = np.maximum(values, self.noise_w[:, None])
        turned = vectors.conj().swapaxes(1, 2) @ arrivals.own
        filters = vectors @ (turned / values[..., None])
        signal = turned.conj().swapaxes(1, 2) @ (turned / values[..., None])
        values, vectors = np.linalg.eigh(signal)
        values = 1.0 + np.maximum(values, 0.0)
        adjoint = vectors.conj().swapaxes(1, 2)
        return EffectiveReceivers(
            filters=filters,
            error=(vectors / values[:, None, :]) @ adjoint,
            inverse=(vectors * values[:, None, :]) @ adjoint,
            log_inverse=np.log(values).sum(axis=1),
            weight=self.weight,
        )

    def objective(self, arrivals: Arrivals, receivers: EffectiveReceivers) -> float:
        """(13a): Σ_k Tr C E - ω log2|C| of receivers, which need not be optimal for these arrivals."""
        filters = receivers.filters @ receivers.error
        adjoint = filters.conj().swapaxes(1, 2)
        deviation = np.eye(filters.shape[-1]) - adjoint @ arrivals.own
        error = deviation @ deviation.conj().swapaxes(1, 2) + adjoint @ arrivals.unwanted @ filters
        used = self.weight > 0.0
        weight = self.weight[used]
        trace = np.einsum("kij,kji->k", receivers.inverse, error).real[used]
        logarithm = receivers.log_inverse[used] + filters.shape[-1] * np.log(weight)
        return float((weight * (trace - logarithm)).sum())

    def satellite_problems(self, receivers: EffectiveReceivers, active: BoolArray) -> SatelliteProblems:
        """The satellites' problems: T and the wanted part of z (P1, eq. 30 and 31)."""
        weight = self.reach.gather(receivers.weight)
        filters, error = (self._at_pairs(values) for values in (receivers.filters, receivers.error))
        aligned = (filters.conj().swapaxes(-1, -2) @ self.arrival[..., None])[..., 0]
        damped = (error @ aligned[..., None])[..., 0]
        load = np.maximum(weight * (aligned.conj() * damped).real.sum(axis=-1), 0.0)
        receive_weight = weight[..., None] * (filters @ damped[..., None])[..., 0]
        own_target = weight[..., None] * aligned.conj() * active
        return SatelliteProblems(load=load, receive_weight=receive_weight, own_target=own_target, active=active)

    def _at_pairs(self, values: ComplexArray) -> ComplexArray:
        """Matrices of terminals (K,...) at the pairs in reach (S,B,...), zero where the reach is padded."""
        if self.reach.whole:
            return values[None]
        padded = np.concatenate([values, np.zeros((1, *values.shape[1:]), dtype=values.dtype)])
        return np.asarray(padded[self.reach.terminal])

    def leftover(
        self, arrivals: Arrivals, problems: SatelliteProblems, responses: ComplexArray, rows: SatelliteRows
    ) -> ComplexArray:
        """z (g,B,B,L) over the conjugate steering vectors of some satellites, without what the others already send.

        These are the cross terms that (19) lacks: each receiver should find only its own streams in the received
        signal.
        """
        receive_weight = problems.receive_weight[rows].conj()
        if self.reach.whole:
            count, antennas, most, streams = arrivals.received.shape
            flat = arrivals.received.reshape(count, antennas, most * streams)
            received = (receive_weight[:, :, None, :] @ flat).reshape(len(receive_weight), count, most, streams)
        else:
            term, place = self.reach.terminal[rows], self.neighbours.places[rows]
            inside = np.minimum(term, self.reach.terminals - 1)
            streams_near = arrivals.received[inside[:, :, None], :, place]
            received = np.einsum("gbm,gbcml->gbcl", receive_weight, streams_near)
        target = problems.load[rows][:, :, None, None] * responses[rows] - received
        diagonal = np.arange(target.shape[1])
        target[:, diagonal, diagonal] += problems.own_target[rows]
        return np.asarray(target * problems.active[rows][:, None, :, :])

    def change(self, arrivals: Arrivals, difference: ComplexArray, rows: SatelliteRows) -> None:
        """Add what satellites without a common stream send, as a difference of responses (g,B,B,L), in place."""
        arrival = self.arrival[rows]
        if self.reach.whole:
            arrivals.received[...] += np.einsum("gim,gikl->imkl", arrival, difference)
            return
        term, place = self.reach.terminal[rows], self.neighbours.places[rows]
        held = term < self.reach.terminals
        row, first, second = np.nonzero(held[:, :, None] & held[:, None, :])
        parts = arrival[row, first][:, :, None] * difference[row, first, second][:, None, :]
        np.add.at(arrivals.received.swapaxes(1, 2), (term[row, first], place[row, first, second]), parts)
