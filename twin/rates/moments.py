"""Rates in closed form, from the moments of the channels: AP1 and the use-and-forget bound."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np

from twin.arrays import FloatArray, IntArray, NumberArray
from twin.radio.channel import ChannelDraws, StatisticalCsi
from twin.rates.interference import disturbance
from twin.rates.streams import Streams


@dataclass(frozen=True, slots=True, kw_only=True)
class ReceivedMoments:
    """First and second moments at each terminal's M antennas."""

    mean: NumberArray
    """(K,M,L) E F_k: mean response to the terminal's own streams."""
    spread: NumberArray
    """(K,M,M) E (F_k - E F_k)(F_k - E F_k)ᴴ."""
    disturbance: NumberArray
    """(K,M,M) covariance of everyone else's streams and noise."""

    @classmethod
    def of(cls, streams: Streams, truth: StatisticalCsi, *, interference: str) -> Self:
        """Moments under a kind of interference between satellites: what varies varies at each of them on its own."""
        reach = truth.reach
        steering, mean = reach.gather(truth.receive_steering), reach.gather(truth.mean_amplitude)
        own_power = (streams.own * streams.own.conj()).real.sum(axis=-1)
        unwanted = streams.leaked if streams.spilt is None else streams.leaked + streams.spilt
        variance = _variances(truth)
        mean_side = mean[..., None] * steering
        rest = reach.sum_by_terminal(variance * unwanted[..., None, None])
        rest = rest + disturbance(streams, mean_side[None], interference=interference)[0]
        return cls(
            mean=reach.sum_by_terminal(mean_side[..., :, None] * streams.own[..., None, :]),
            spread=reach.sum_by_terminal(variance * own_power[..., None, None]),
            disturbance=rest + truth.noise_w[:, None, None] * np.eye(steering.shape[-1]),
        )

    @classmethod
    def sampled(cls, each: Sequence[Streams], draws: ChannelDraws, noise_w: FloatArray, *, interference: str) -> Self:
        """Means over draws, where the weights of each draw are its own."""
        own, rest = [], []
        for draw, streams in enumerate(each):
            receive, reach = draws.receive[draw], streams.reach
            own.append(reach.sum_by_terminal(receive[..., :, None] * streams.own[..., None, :]))
            rest.append(disturbance(streams, receive[None], interference=interference)[0])
        mean = np.mean(own, axis=0)
        off = np.array(own) - mean
        return cls(
            mean=mean,
            spread=np.asarray((off @ off.conj().swapaxes(-1, -2)).sum(axis=0)) / max(len(each) - 1, 1),
            disturbance=np.mean(rest, axis=0) + noise_w[:, None, None] * np.eye(mean.shape[1]),
        )


def surrogate_rate(moments: ReceivedMoments) -> FloatArray:
    """AP1 (K,): log2 det(I + E[R_other]⁻¹ E[R_signal]) (P1 eq. 9, P2 eq. 15, P3 eq. 13)."""
    signal = moments.mean @ moments.mean.conj().swapaxes(1, 2) + moments.spread
    return log2_det_ratio(signal, moments.disturbance)


def mean_only_rate(moments: ReceivedMoments) -> FloatArray:
    """Rate (K,) of a receiver that knows the mean channel alone: the use-and-forget bound (P5, eq. 21).

    It is log2 det E⁻¹ of the mean square error E, and thus AP2 as well (P3, eq. 23 and 39).
    """
    signal = moments.mean @ moments.mean.conj().swapaxes(1, 2)
    return log2_det_ratio(signal, moments.spread + moments.disturbance)


def mean_sinr(moments: ReceivedMoments, terminal_elements: IntArray) -> FloatArray:
    """(K,) mean signal power at all antennas of a terminal over mean interference and noise at each of them."""
    signal = (moments.mean * moments.mean.conj()).real.sum(axis=(1, 2))
    signal = signal + np.einsum("kmm->k", moments.spread).real
    own = np.arange(moments.mean.shape[1]) < terminal_elements[:, None]
    disturbance = (np.einsum("kmm->km", moments.disturbance).real * own).sum(axis=1)
    return np.asarray(signal / (disturbance / terminal_elements))


def log2_det_ratio(signal: NumberArray, disturbance: NumberArray) -> FloatArray:
    """log2 det(I + disturbance⁻¹ signal) of matrices (..., M, M)."""
    if signal.shape[-1] == 1:
        ratio = signal[..., 0, 0].real / disturbance[..., 0, 0].real
        return np.asarray(np.log1p(ratio) / np.log(2.0))
    scale = np.trace(disturbance, axis1=-2, axis2=-1).real[..., None, None]
    _, total = np.linalg.slogdet((signal + disturbance) / scale)
    _, rest = np.linalg.slogdet(disturbance / scale)
    return np.asarray(np.maximum(total - rest, 0.0) / np.log(2.0))


def _variances(truth: StatisticalCsi) -> NumberArray:
    """(S,B,M,M) E g gᴴ - E g E gᴴ."""
    along = np.maximum(truth.gain * truth.los_fraction - truth.mean_amplitude**2, 0.0)
    return truth.near_covariance(along, truth.gain * (1.0 - truth.los_fraction))
