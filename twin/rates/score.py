"""Score of one epoch: expected rates and SINR."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from twin.arrays import FloatArray
from twin.radio.channel import ChannelDraws, StatisticalCsi
from twin.rates.drawn import drawn_rates
from twin.rates.moments import ReceivedMoments, mean_only_rate, mean_sinr, surrogate_rate
from twin.rates.streams import Streams
from twin.records import documented


@documented
@dataclass(frozen=True, slots=True, kw_only=True)
class Rates:
    """Rates and SINR of K terminals."""

    spectral_efficiency_bps_hz: FloatArray
    """(K,) expected rate in bit/s/Hz for the selected interference and receiver."""
    surrogate_bps_hz: FloatArray
    """(K,) AP1; with several antennas, each serving satellite counts as a separate stream (P1, eq. 9)."""
    mean_only_bps_hz: FloatArray
    """(K,) AP2: rate from the mean square error of a use-and-forget receiver."""
    sinr: FloatArray
    """(K,) mean signal power, summed over the antennas, over mean interference plus noise at one antenna; linear."""


def score(streams: Streams, truth: StatisticalCsi, draws: ChannelDraws, *, interference: str, knowledge: str) -> Rates:
    """Compute the rates of streams over the true channels.

    Parameters
    ----------
    streams
        Effective gains of the streams.
    truth, draws
        Statistics and draws of the true channels.
    interference
        ``independent``, ``coherent`` or ``by_delay`` between satellites.
    knowledge
        ``instantaneous``: the receiver knows its channel; mean rate over the draws. ``mean_only``: use-and-forget
        receiver, which knows the mean channel; bound in closed form.
    """
    moments = ReceivedMoments.of(streams, truth, interference=interference)
    if knowledge == "mean_only":
        expected = mean_only_rate(moments)
    else:
        expected = drawn_rates(streams, draws, truth.noise_w, interference=interference).mean(axis=0)
    return _rates(expected, moments, truth, streams.time_fraction)


def score_each(
    each: Sequence[Streams], truth: StatisticalCsi, draws: ChannelDraws, *, interference: str, knowledge: str
) -> Rates:
    """Compute the rates of weights that follow the channels: one `Streams` for each of the first draws.

    Moments are sample means over these draws; no closed form is used.
    """
    moments = ReceivedMoments.sampled(each, draws, truth.noise_w, interference=interference)
    if knowledge == "mean_only":
        return _rates(mean_only_rate(moments), moments, truth, each[0].time_fraction)
    singles = [ChannelDraws(receive=draws.receive[draw : draw + 1]) for draw in range(len(each))]
    drawn = [
        drawn_rates(streams, single, truth.noise_w, interference=interference)[0]
        for streams, single in zip(each, singles, strict=True)
    ]
    return _rates(np.mean(drawn, axis=0), moments, truth, each[0].time_fraction)


def _rates(expected: FloatArray, moments: ReceivedMoments, truth: StatisticalCsi, time_fraction: float) -> Rates:
    return Rates(
        spectral_efficiency_bps_hz=expected * time_fraction,
        surrogate_bps_hz=surrogate_rate(moments) * time_fraction,
        mean_only_bps_hz=mean_only_rate(moments) * time_fraction,
        sinr=mean_sinr(moments, truth.terminal_elements),
    )
