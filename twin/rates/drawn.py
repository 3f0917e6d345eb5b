"""Rates averaged over drawn channels: the receiver knows the channel it gets."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from twin.channel import ChannelDraws, Reach
from twin.rates.coherent import coherent_interference
from twin.rates.moments import log2_det_ratio
from twin.rates.streams import Streams

Real = NDArray[np.float64]
Number = NDArray[np.inexact[Any]]


def drawn_rates(streams: Streams, draws: ChannelDraws, noise_w: Real, *, interference: str) -> Real:
    """Rates (D,K) in bit/s/Hz for each draw, interference from different satellites independent or coherent.

    log2 det(I + R_other⁻¹ R_signal) at the M antennas of each terminal (P1 eq. 4, P2 eq. 12, P3 eq. 12).
    """
    receive, reach = draws.receive, streams.reach
    if receive.shape[-1] == 1:
        return _single_antenna(streams, receive, noise_w, interference)
    own = _over_satellites(reach, receive[..., :, None] * streams.own[..., None, :])
    if interference == "independent":
        disturbance = _over_satellites(reach, _outer(receive) * streams.leaked[..., None, None])
    else:
        disturbance = coherent_interference(streams, receive)
    if streams.spilt is not None:
        disturbance = disturbance + _over_satellites(reach, _outer(receive) * streams.spilt[..., None, None])
    disturbance = disturbance + noise_w[:, None, None] * np.eye(receive.shape[-1])
    return log2_det_ratio(own @ own.conj().swapaxes(-1, -2), disturbance)


def _single_antenna(streams: Streams, receive: Number, noise_w: Real, interference: str) -> Real:
    """The same for one antenna, where every matrix is a number."""
    side, reach = receive[..., 0], streams.reach
    amplitudes = [_over_satellites(reach, side * streams.own[..., stream]) for stream in range(streams.own.shape[-1])]
    signal = sum(amplitude.real**2 + amplitude.imag**2 for amplitude in amplitudes)
    if interference == "independent":
        disturbance = _over_satellites(reach, (side.real**2 + side.imag**2) * streams.leaked)
    else:
        disturbance = coherent_interference(streams, receive)[..., 0, 0].real
    if streams.spilt is not None:
        disturbance = disturbance + _over_satellites(reach, (side.real**2 + side.imag**2) * streams.spilt)
    return np.asarray(np.log1p(signal / (disturbance + noise_w)) / np.log(2.0))


def _outer(receive: Number) -> Number:
    """(D,S,B,M,M) g gᴴ of each receive side."""
    return np.asarray(receive[..., :, None] * receive[..., None, :].conj())


def _over_satellites(reach: Reach, values: Number) -> Number:
    """Values (D,S,B,...) summed over the satellites of each terminal (D,K,...)."""
    if reach.whole:
        return np.asarray(values.sum(axis=1))
    return np.moveaxis(reach.summed(np.moveaxis(values, 0, 2)), 1, 0)
