"""What a terminal hears beside its own streams, by the kinds of interference between satellites."""

from __future__ import annotations

import numpy as np

from twin.arrays import NumberArray
from twin.rates.by_delay import crossed_power
from twin.rates.coherent import coherent_interference
from twin.rates.over_satellites import in_power
from twin.rates.streams import Streams


def disturbance(streams: Streams, receive: NumberArray, *, interference: str) -> NumberArray:
    """(D,K,M,M) covariance of everyone else's streams and of one's own power that is spilt, receive sides given.

    Parameters
    ----------
    streams
        What arrives of each stream.
    receive
        (D,S,B,M) draws or means of the receive sides g of the channels.
    interference
        ``independent``: powers of different satellites add; ``coherent``: amplitudes do; ``by_delay``: as far as their
        delays say.

    Raises
    ------
    ValueError
        If the kind of interference is none of these.
    """
    if interference == "independent":
        heard = in_power(streams.reach, receive, streams.leaked)
    elif interference == "coherent":
        heard = coherent_interference(streams, receive)
    elif interference == "by_delay":
        heard = _by_delay(streams, receive)
    else:
        raise ValueError(f'interference: found "{interference}", must be independent, coherent or by_delay')
    return heard if streams.spilt is None else heard + in_power(streams.reach, receive, streams.spilt)


def _by_delay(streams: Streams, receive: NumberArray) -> NumberArray:
    """Powers of all satellites, and what correlated arrivals add to them or take away.

    Raises
    ------
    ValueError
        If streams were made without the waveform that tells which arrivals are correlated.
    """
    if streams.crossed is None:
        raise ValueError("interference by delay needs streams that were made with a waveform")
    alone = in_power(streams.reach, receive, streams.leaked)
    heard = alone + crossed_power(streams.reach, streams.crossed, receive)
    if receive.shape[-1] > 1:
        return heard  # what rounding leaves below zero in some direction, the noise covers
    return np.asarray(np.maximum(heard.real, 0.0))
