"""Rates over drawn channels, for a receiver that knows its channel."""

from __future__ import annotations

import numpy as np

from twin.arrays import FloatArray, NumberArray
from twin.radio.channel import ChannelDraws
from twin.rates.interference import interference_covariance
from twin.rates.moments import log2_det_ratio
from twin.rates.over_satellites import sum_over_satellites
from twin.rates.streams import Streams


def drawn_rates(streams: Streams, draws: ChannelDraws, noise_w: FloatArray, *, interference: str) -> FloatArray:
    """Rates (D,K) in bit/s/Hz for each draw, by the kind of interference between satellites.

    log2 det(I + R_other⁻¹ R_signal) at the M antennas of each terminal (P1 eq. 4, P2 eq. 12, P3 eq. 12).
    """
    receive, reach = draws.receive, streams.reach
    other = interference_covariance(streams, receive, interference=interference)
    if receive.shape[-1] == 1:
        signal = _single_antenna_signal(streams, receive[..., 0])
        return np.asarray(np.log1p(signal / (other[..., 0, 0].real + noise_w)) / np.log(2.0))
    own = sum_over_satellites(reach, receive[..., :, None] * streams.own[..., None, :])
    other = other + noise_w[:, None, None] * np.eye(receive.shape[-1])
    return log2_det_ratio(own @ own.conj().swapaxes(-1, -2), other)


def _single_antenna_signal(streams: Streams, side: NumberArray) -> NumberArray:
    """(D,K) power of the own streams at a single antenna, for receive sides (D,S,B)."""
    each = [
        sum_over_satellites(streams.reach, side * streams.own[..., stream]) for stream in range(streams.own.shape[-1])
    ]
    return np.asarray(sum(amplitude.real**2 + amplitude.imag**2 for amplitude in each))
