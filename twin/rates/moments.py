"""Rates in closed form from moments of the received signal: AP1, AP2 and the use-and-forget bound."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np

from twin.arrays import FloatArray, IntArray, NumberArray
from twin.radio.channel import ChannelDraws, StatisticalCsi
from twin.rates.interference import interference_covariance
from twin.rates.streams import Streams
from twin.records import documented


@documented
@dataclass(frozen=True, slots=True, kw_only=True)
class ReceivedMoments:
    """First and second moments of the received signal at the M antennas of each of K terminals."""

    mean: NumberArray
    """(K,M,L) E F_k: mean effective gain of the terminal's L own streams, in √W."""
    covariance: NumberArray
    """(K,M,M) E (F_k - E F_k)(F_k - E F_k)ᴴ: covariance of that gain, in W."""
    interference_plus_noise: NumberArray
    """(K,M,M) covariance of the other terminals' streams, self-interference and noise, in W."""

    @classmethod
    def of(cls, streams: Streams, truth: StatisticalCsi, *, interference: str) -> Self:
        """Moments for a kind of interference; the channels of different satellites vary independently."""
        reach = truth.reach
        steering, mean = reach.gather(truth.receive_steering), reach.gather(truth.mean_amplitude)
        own_power = (streams.own * streams.own.conj()).real.sum(axis=-1)
        other_power = streams.leaked
        if streams.self_interference is not None:
            other_power = other_power + streams.self_interference
        variance = _variances(truth)
        mean_side = mean[..., None] * steering
        other = reach.sum_by_terminal(variance * other_power[..., None, None])
        other = other + interference_covariance(streams, mean_side[None], interference=interference)[0]
        return cls(
            mean=reach.sum_by_terminal(mean_side[..., :, None] * streams.own[..., None, :]),
            covariance=reach.sum_by_terminal(variance * own_power[..., None, None]),
            interference_plus_noise=other + truth.noise_w[:, None, None] * np.eye(steering.shape[-1]),
        )

    @classmethod
    def sampled(cls, each: Sequence[Streams], draws: ChannelDraws, noise_w: FloatArray, *, interference: str) -> Self:
        """Sample moments over draws, where each draw has weights of its own."""
        own, other = [], []
        for draw, streams in enumerate(each):
            receive, reach = draws.receive[draw], streams.reach
            own.append(reach.sum_by_terminal(receive[..., :, None] * streams.own[..., None, :]))
            other.append(interference_covariance(streams, receive[None], interference=interference)[0])
        mean = np.mean(own, axis=0)
        deviation = np.array(own) - mean
        return cls(
            mean=mean,
            covariance=np.asarray((deviation @ deviation.conj().swapaxes(-1, -2)).sum(axis=0)) / max(len(each) - 1, 1),
            interference_plus_noise=np.mean(other, axis=0) + noise_w[:, None, None] * np.eye(mean.shape[1]),
        )


def surrogate_rate(moments: ReceivedMoments) -> FloatArray:
    """AP1 (K,) in bit/s/Hz: log2 det(I + E[R_other]⁻¹ E[R_signal]) (P1 eq. 9, P2 eq. 15, P3 eq. 13)."""
    signal = moments.mean @ moments.mean.conj().swapaxes(1, 2) + moments.covariance
    return log2_det_ratio(signal, moments.interference_plus_noise)


def mean_only_rate(moments: ReceivedMoments) -> FloatArray:
    """Rate (K,) in bit/s/Hz of a use-and-forget receiver, which knows only the mean channel (P5, eq. 21).

    It equals log2 det E⁻¹ of the mean square error E, and hence AP2 (P3, eq. 23 and 39).
    """
    signal = moments.mean @ moments.mean.conj().swapaxes(1, 2)
    return log2_det_ratio(signal, moments.covariance + moments.interference_plus_noise)


def mean_sinr(moments: ReceivedMoments, terminal_elements: IntArray) -> FloatArray:
    """(K,) mean signal power, summed over a terminal's antennas, over mean interference plus noise at one antenna."""
    signal = (moments.mean * moments.mean.conj()).real.sum(axis=(1, 2))
    signal = signal + np.einsum("kmm->k", moments.covariance).real
    own = np.arange(moments.mean.shape[1]) < terminal_elements[:, None]
    other = (np.einsum("kmm->km", moments.interference_plus_noise).real * own).sum(axis=1)
    return np.asarray(signal / (other / terminal_elements))


def log2_det_ratio(signal: NumberArray, other: NumberArray) -> FloatArray:
    """log2 det(I + other⁻¹ signal) of matrices (..., M, M)."""
    if signal.shape[-1] == 1:
        ratio = signal[..., 0, 0].real / other[..., 0, 0].real
        return np.asarray(np.log1p(ratio) / np.log(2.0))
    scale = np.trace(other, axis1=-2, axis2=-1).real[..., None, None]
    _, total = np.linalg.slogdet((signal + other) / scale)
    _, reference = np.linalg.slogdet(other / scale)
    return np.asarray(np.maximum(total - reference, 0.0) / np.log(2.0))


def _variances(truth: StatisticalCsi) -> NumberArray:
    """(S,B,M,M) E g gᴴ - E g E gᴴ: covariance of the receive sides."""
    los = np.maximum(truth.gain * truth.los_fraction - truth.mean_amplitude**2, 0.0)
    return truth.reached_covariance(los, truth.gain * (1.0 - truth.los_fraction))
