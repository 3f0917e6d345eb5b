"""Effective gains of all streams at all terminals, before anything is drawn."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, Self

import numpy as np

from twin.arrays import BoolArray, ComplexArray, FloatArray, IntArray, NumberArray, Reach
from twin.precoding import Weights
from twin.precoding.weights import turns
from twin.radio.channel import StatisticalCsi
from twin.radio.waveform import Waveform
from twin.rates.by_delay import cross_products
from twin.records import documented


@documented
@dataclass(frozen=True, slots=True, kw_only=True)
class Streams:
    """Effective gains: inner products of steering vectors and weights. Rates depend on weights only through them.

    The B columns are the terminals that each satellite reaches, the J columns those that it transmits to. Powers are
    those on a link of gain one.
    """

    reach: Reach
    """Terminals of the B columns."""
    sent: Reach
    """Terminals of the J columns."""
    effective_gain: NumberArray
    """(S,B,J,L) v_skᵀ W_sj in √W: effective gain of terminal j's streams at terminal k, on a link of gain one."""
    own: NumberArray
    """(S,B,L) in √W: effective gain of each terminal's own streams, without the power of `self_interference`."""
    leaked: FloatArray
    """(S,B) Σ_{j≠k} ‖v_skᵀ W_sj‖² in W: power of the other terminals' streams."""
    time_fraction: float = 1.0
    """Fraction of time in which each terminal is served; below 1 if terminals are served in separate time slots."""
    carrier_phase_rad: FloatArray | None = None
    """(S,K) ψ: carrier phase over the path. A stream compensated for terminal j arrives at k with ψ_sk - ψ_sj. None
    means unknown."""
    self_interference: FloatArray | None = None
    """(S,B) in W: power of a terminal's own streams that arrives as ICI and ISI; None means 0.

    It belongs to other symbols or subcarriers than the streams, so that the powers of several satellites add for every
    kind of interference.
    """
    cross_products: Any = None
    """Sparse (S·B,S·B) in W: correlated products of the other terminals' streams at two links of a terminal, each pair
    once (`twin.rates.by_delay`).

    Only interference by delay depends on it. None without a waveform.
    """

    @classmethod
    def of(
        cls,
        weights: Weights,
        truth: StatisticalCsi,
        transmitting: BoolArray,
        *,
        waveform: Waveform | None = None,
    ) -> Self:
        """Apply weights to channels.

        Parameters
        ----------
        weights
            Weights of the S satellites, possibly computed for older channels.
        truth
            Statistics of the true channels, for the same satellites in the same order.
        transmitting
            (S,K) pairs that transmit.
        waveform
            Needed only for interference by delay.
        """
        reach, sent = truth.reach, weights.reach
        gain = weights.effective_gain(truth) * sent.gather(transmitting)[:, None, :, None]
        time_fraction = 1.0
        if weights.slot is not None:
            same_slot = reach.gather(weights.slot + 1)[:, :, None] == sent.gather(weights.slot + 1)[:, None, :]
            gain, time_fraction = gain * same_slot[..., None], 1.0 / turns(weights.slot)
        return replace(cls.of_effective_gain(gain, truth, sent, waveform=waveform), time_fraction=time_fraction)

    @classmethod
    def of_effective_gain(
        cls, gain: NumberArray, truth: StatisticalCsi, sent: Reach | None = None, *, waveform: Waveform | None = None
    ) -> Self:
        """Streams of given effective gains (S,B,J,L). ``sent`` None means that the J columns are the B columns."""
        reach = truth.reach
        sent = reach if sent is None else sent
        own = _own_gain(gain, reach, sent)
        total = np.einsum("skjl,skjl->sk", gain, gain.conj()).real
        leaked = np.maximum(total - (own * own.conj()).real.sum(axis=-1), 0.0)
        streams = cls(
            reach=reach,
            sent=sent,
            effective_gain=gain,
            own=own,
            leaked=leaked,
            carrier_phase_rad=truth.carrier_phase_rad,
        )
        if waveform is not None:
            products = cross_products(streams.others(), truth, sent, waveform)
            streams = replace(streams, cross_products=products)
        if truth.disturbance_fraction is None:
            return streams
        return streams._disturbed(reach.gather(truth.disturbance_fraction))

    def _disturbed(self, fraction: FloatArray) -> Self:
        """The same streams with a fraction (S,B) of each terminal's own power moved to ICI and ISI."""
        lost = fraction * (self.own * self.own.conj()).real.sum(axis=-1)
        return replace(self, own=self.own * np.sqrt(1.0 - fraction)[..., None], self_interference=lost)

    def others(self) -> NumberArray:
        """(S,B,J,L) effective gain of the other terminals' streams, carrier phases included; zero for own streams."""
        rotation = _rotation(self.carrier_phase_rad, self.reach, self.sent)
        others = self.effective_gain.copy() if rotation is None else self.effective_gain * rotation[..., None]
        row, column, stream = _own_indices(self.reach, self.sent)
        others[row, column, stream] = 0.0
        return others


def _rotation(carrier_phase_rad: FloatArray | None, reach: Reach, sent: Reach) -> ComplexArray | None:
    """(S,B,J) e^{j(ψ_sk-ψ_sj)}: carrier phase at terminal k of a stream that is compensated for terminal j."""
    if carrier_phase_rad is None:
        return None
    rotation = np.exp(1j * carrier_phase_rad)
    return np.asarray(reach.gather(rotation)[:, :, None] * sent.gather(rotation.conj())[:, None, :])


def _own_indices(reach: Reach, sent: Reach) -> tuple[IntArray, ...]:
    """Indices of the terminals' own streams in arrays (S,B,J)."""
    position = reach.positions(sent)
    row, column = np.nonzero(position >= 0)
    return row, column, position[row, column]


def _own_gain(gain: NumberArray, reach: Reach, sent: Reach) -> NumberArray:
    """(S,B,L) effective gain of each terminal's own streams; zero where the satellite sends it none."""
    if reach.same(sent):
        return np.asarray(np.einsum("skkl->skl", gain))
    row, column, stream = _own_indices(reach, sent)
    own = np.zeros((*gain.shape[:2], gain.shape[3]), dtype=gain.dtype)
    own[row, column] = gain[row, column, stream]
    return own
