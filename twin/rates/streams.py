"""What arrives of each stream at each terminal, before anything is drawn."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, Self

import numpy as np

from twin.arrays import BoolArray, ComplexArray, FloatArray, IntArray, NumberArray, Reach
from twin.precoding import Weights
from twin.precoding.weights import turns
from twin.radio.channel import StatisticalCsi
from twin.radio.waveform import Waveform
from twin.rates.by_delay import crossed_streams


@dataclass(frozen=True, slots=True, kw_only=True)
class Streams:
    """Inner products of channels and weights: all that a rate needs of either.

    The B columns are the terminals that each satellite reaches, the J columns those that it transmits to.
    """

    reach: Reach
    sent: Reach
    seen: NumberArray
    """(S,B,J,L) v_skᵀ W_sj: what terminal k's unit channel from satellite s carries of terminal j's streams."""
    own: NumberArray
    """(S,B,L) each terminal's own streams, less what `spilt` takes of them."""
    leaked: FloatArray
    """(S,B) Σ_{j≠k} ‖v_skᵀ W_sj‖²: power of everyone else's streams."""
    time_fraction: float = 1.0
    """Of the time in which each terminal is served: less than one where they take turns."""
    carrier_phase_rad: FloatArray | None = None
    """(S,K) ψ, by which what was turned for one terminal arrives turned at another; None where it is not known."""
    spilt: FloatArray | None = None
    """(S,B) power of a terminal's own streams that arrives as ICI and ISI, of which it can make nothing; None for none.

    It is of other symbols than the streams, so that powers of several satellites add up whatever the interference.
    """
    crossed: Any = None
    """Sparse (S·B,S·B) what everyone else's streams have in common at two links of a terminal, each pair once.

    Only interference by delay depends on it; None where no waveform was given.
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
        """Let weights act on channels.

        Parameters
        ----------
        weights
            What the S satellites were told to transmit, perhaps some time ago.
        truth
            The channels as they are, of the same satellites in the same order.
        transmitting
            (S,K) pairs that are on the air.
        waveform
            By which interference by delay goes; not needed for any other.
        """
        reach, sent = truth.reach, weights.reach
        seen = weights.effective_gain(truth) * sent.gather(transmitting)[:, None, :, None]
        time_fraction = 1.0
        if weights.slot is not None:
            together = reach.gather(weights.slot + 1)[:, :, None] == sent.gather(weights.slot + 1)[:, None, :]
            seen, time_fraction = seen * together[..., None], 1.0 / turns(weights.slot)
        return replace(cls.of_responses(seen, truth, sent, waveform=waveform), time_fraction=time_fraction)

    @classmethod
    def of_responses(
        cls, seen: NumberArray, truth: StatisticalCsi, sent: Reach | None = None, *, waveform: Waveform | None = None
    ) -> Self:
        """Streams of which is known what arrives (S,B,J,L), sent to the same terminals unless others are given."""
        reach = truth.reach
        sent = reach if sent is None else sent
        own = _diagonal(seen, reach, sent)
        everything = np.einsum("skjl,skjl->sk", seen, seen.conj()).real
        leaked = np.maximum(everything - (own * own.conj()).real.sum(axis=-1), 0.0)
        streams = cls(
            reach=reach,
            sent=sent,
            seen=seen,
            own=own,
            leaked=leaked,
            carrier_phase_rad=truth.carrier_phase_rad,
        )
        if waveform is not None:
            streams = replace(streams, crossed=crossed_streams(streams.others(), truth, sent, waveform))
        if truth.disturbance_fraction is None:
            return streams
        return streams._disturbed(reach.gather(truth.disturbance_fraction))

    def _disturbed(self, time_fraction: FloatArray) -> Self:
        """The same with shares (S,B) of each terminal's own power gone to ICI and ISI."""
        spilt = time_fraction * (self.own * self.own.conj()).real.sum(axis=-1)
        return replace(self, own=self.own * np.sqrt(1.0 - time_fraction)[..., None], spilt=spilt)

    def others(self) -> NumberArray:
        """(S,B,J,L) what is seen of everyone else's streams, as they are turned."""
        turned = _turned(self.carrier_phase_rad, self.reach, self.sent)
        others = self.seen.copy() if turned is None else self.seen * turned[..., None]
        row, column, stream = _own_places(self.reach, self.sent)
        others[row, column, stream] = 0.0
        return others


def _turned(carrier_phase_rad: FloatArray | None, reach: Reach, sent: Reach) -> ComplexArray | None:
    """(S,B,J) e^{j(ψ_sk-ψ_sj)}: the carrier's phase at each terminal of what was turned for another one."""
    if carrier_phase_rad is None:
        return None
    rotation = np.exp(1j * carrier_phase_rad)
    return np.asarray(reach.gather(rotation)[:, :, None] * sent.gather(rotation.conj())[:, None, :])


def _own_places(reach: Reach, sent: Reach) -> tuple[IntArray, ...]:
    """Where, in arrays (S,B,J), a terminal meets its own streams."""
    place = reach.positions(sent)
    row, column = np.nonzero(place >= 0)
    return row, column, place[row, column]


def _diagonal(seen: NumberArray, reach: Reach, sent: Reach) -> NumberArray:
    """(S,B,L) each terminal's own streams, zero where the satellite sends it none."""
    if reach.same(sent):
        return np.asarray(np.einsum("skkl->skl", seen))
    row, column, stream = _own_places(reach, sent)
    own = np.zeros((*seen.shape[:2], seen.shape[3]), dtype=seen.dtype)
    own[row, column] = seen[row, column, stream]
    return own
