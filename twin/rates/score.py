"""The score of one epoch."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from twin.channel import ChannelDraws, StatisticalCsi
from twin.rates.drawn import drawn_rates
from twin.rates.moments import ReceivedMoments, mean_only_rate, surrogate_rate
from twin.rates.streams import Streams

Real = NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class Rates:
    """What each of K terminals gets."""

    spectral_efficiency_bps_hz: Real
    """(K,) expected rate under the chosen interference and receiver."""
    surrogate_bps_hz: Real
    """(K,) AP1."""

    @property
    def sinr(self) -> Real:
        """(K,) 2^AP1 - 1: mean signal power over mean power of interference and noise, for one antenna exactly."""
        return np.asarray(np.expm1(self.surrogate_bps_hz * np.log(2.0)))


def score(
    streams: Streams, truth: StatisticalCsi, draws: ChannelDraws, *, interference: str, knowledge: str
) -> Rates:
    """Score what arrives in the true world.

    Parameters
    ----------
    streams
        What arrives of each stream.
    truth, draws
        Statistics and draws of the channels as they are.
    interference
        ``independent`` or ``coherent`` between satellites.
    knowledge
        ``instantaneous``: mean over the draws; ``mean_only``: use-and-forget bound in closed form.
    """
    moments = ReceivedMoments.of(streams, truth, interference=interference)
    if knowledge == "mean_only":
        expected = mean_only_rate(moments)
    else:
        expected = drawn_rates(streams, draws, truth.noise_w, interference=interference).mean(axis=0)
    return Rates(spectral_efficiency_bps_hz=expected, surrogate_bps_hz=surrogate_rate(moments))
