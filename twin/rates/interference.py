"""Covariance of interference at each terminal, by the kind of interference between satellites."""

from __future__ import annotations

import numpy as np

from twin.arrays import NumberArray
from twin.rates.by_delay import cross_covariance
from twin.rates.coherent import coherent_interference
from twin.rates.over_satellites import weighted_covariance
from twin.rates.streams import Streams


def interference_covariance(streams: Streams, receive: NumberArray, *, interference: str) -> NumberArray:
    """(D,K,M,M) covariance of the other terminals' streams and of self-interference (ICI and ISI).

    Parameters
    ----------
    streams
        Effective gains of the streams.
    receive
        (D,S,B,M) draws or means of the receive sides g of the channels.
    interference
        ``independent``: powers of different satellites add; ``coherent``: amplitudes add; ``by_delay``: amplitudes add
        in proportion to the correlation of the arrivals, which depends on their delays.

    Raises
    ------
    ValueError
        If the kind of interference is unknown.
    """
    if interference == "independent":
        other = weighted_covariance(streams.reach, receive, streams.leaked)
    elif interference == "coherent":
        other = coherent_interference(streams, receive)
    elif interference == "by_delay":
        other = _by_delay(streams, receive)
    else:
        raise ValueError(f'interference: found "{interference}", must be independent, coherent or by_delay')
    if streams.self_interference is None:
        return other
    return other + weighted_covariance(streams.reach, receive, streams.self_interference)


def _by_delay(streams: Streams, receive: NumberArray) -> NumberArray:
    """Sum of the powers of all satellites and of the cross terms of correlated arrivals.

    Raises
    ------
    ValueError
        If the streams have no cross products, which need a waveform.
    """
    if streams.cross_products is None:
        raise ValueError("interference by delay needs streams that were made with a waveform")
    powers = weighted_covariance(streams.reach, receive, streams.leaked)
    total = powers + cross_covariance(streams.reach, streams.cross_products, receive)
    if receive.shape[-1] > 1:
        return total  # negative eigenvalues by rounding are far below the noise
    return np.asarray(np.maximum(total.real, 0.0))
