"""Rates averaged over drawn channels: the receiver knows the channel it gets."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from twin.channel import ChannelDraws
from twin.rates.moments import log2_det_ratio
from twin.rates.streams import Streams

Real = NDArray[np.float64]
Number = NDArray[np.inexact[Any]]


def drawn_rates(streams: Streams, draws: ChannelDraws, noise_w: Real, *, interference: str) -> Real:
    """Rates (D,K) in bit/s/Hz for each draw, interference from different satellites independent or coherent.

    log2 det(I + R_other⁻¹ R_signal) at the M antennas of each terminal (P1 eq. 4, P2 eq. 12, P3 eq. 12).
    """
    receive = draws.receive
    if receive.shape[-1] == 1:
        return _single_antenna(streams, receive[..., 0], noise_w, interference)
    own = np.einsum("dskm,skl->dkml", receive, streams.own, optimize=True)
    if interference == "independent":
        disturbance = np.einsum("dskm,dskn->dkmn", receive * streams.leaked[..., None], receive.conj(), optimize=True)
    else:
        others = _others(receive, streams.seen)
        disturbance = others @ others.conj().swapaxes(-1, -2)
    disturbance = disturbance + noise_w[:, None, None] * np.eye(receive.shape[-1])
    return log2_det_ratio(own @ own.conj().swapaxes(-1, -2), disturbance)


def _single_antenna(streams: Streams, receive: Number, noise_w: Real, interference: str) -> Real:
    """The same for one antenna, where every matrix is a number."""
    signal = np.zeros((receive.shape[0], receive.shape[2]))
    for stream in range(streams.own.shape[-1]):
        amplitude = (receive * streams.own[..., stream]).sum(axis=1)
        signal += amplitude.real**2 + amplitude.imag**2
    if interference == "independent":
        disturbance = ((receive.real**2 + receive.imag**2) * streams.leaked).sum(axis=1)
    else:
        others = _others(receive[..., None], streams.seen)[..., 0, :]
        disturbance = (others.real**2 + others.imag**2).sum(axis=-1)
    return np.asarray(np.log1p(signal / (disturbance + noise_w)) / np.log(2.0))


def _others(receive: Number, seen: Number) -> Number:
    """(D,K,M,J·L) amplitudes of everyone else's streams, added up over satellites."""
    draws, satellites, terminals, antennas = receive.shape
    others = seen.transpose(1, 0, 2, 3).copy()
    index = np.arange(terminals)
    others[index, :, index] = 0.0
    arriving = receive.transpose(2, 0, 3, 1).reshape(terminals, draws * antennas, satellites)
    summed = arriving @ others.reshape(terminals, satellites, -1)
    return summed.reshape(terminals, draws, antennas, -1).swapaxes(0, 1)
