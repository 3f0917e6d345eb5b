"""The score of one epoch."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from twin.arrays import FloatArray
from twin.radio.channel import ChannelDraws, StatisticalCsi
from twin.rates.drawn import drawn_rates
from twin.rates.moments import ReceivedMoments, mean_only_rate, mean_sinr, surrogate_rate
from twin.rates.streams import Streams


@dataclass(frozen=True, slots=True, kw_only=True)
class Rates:
    """What each of K terminals gets."""

    spectral_efficiency_bps_hz: FloatArray
    """(K,) expected rate under the chosen interference and receiver."""
    surrogate_bps_hz: FloatArray
    """(K,) AP1; at several antennas it counts each serving satellite as a stream of its own (P1, eq. 9)."""
    mean_only_bps_hz: FloatArray
    """(K,) AP2, the rate by the mean square error of a receiver that knows the mean channel alone."""
    sinr: FloatArray
    """(K,) mean signal power at all antennas over mean interference and noise at each."""


def score(streams: Streams, truth: StatisticalCsi, draws: ChannelDraws, *, interference: str, knowledge: str) -> Rates:
    """Score what arrives in the true world.

    Parameters
    ----------
    streams
        What arrives of each stream.
    truth, draws
        Statistics and draws of the channels as they are.
    interference
        ``independent``, ``coherent`` or ``by_delay`` between satellites.
    knowledge
        ``instantaneous``: mean over the draws; ``mean_only``: use-and-forget bound in closed form.
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
    """Score weights that follow the channels: each of the first draws meets streams of its own.

    Moments are means over these draws; no closed form is used.
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
