"""Coherent interference: amplitudes of a stream from several satellites add."""

from __future__ import annotations

import numpy as np
from scipy import sparse

from twin.arrays import NumberArray
from twin.rates.streams import Streams


def coherent_interference(streams: Streams, receive: NumberArray) -> NumberArray:
    """(D,K,M,M) Σ_{j≠k} (Σ_s g_sk v_skᵀ W_sj)(...)ᴴ: covariance of interference, for receive sides g (D,S,B,M)."""
    if streams.effective_gain.size == 0:
        draws, _, _, antennas = receive.shape
        return np.zeros((draws, streams.reach.terminals, antennas, antennas))
    if streams.reach.whole and streams.sent.whole:
        others = _all_links(streams, receive)
        return np.asarray(others @ others.conj().swapaxes(-1, -2))
    return np.stack([_in_reach(streams, draw) for draw in receive])


def _all_links(streams: Streams, receive: NumberArray) -> NumberArray:
    """(D,K,M,J·L) amplitudes of the other terminals' streams, summed over satellites, where all links exist."""
    draws, satellites, terminals, antennas = receive.shape
    others = streams.others().transpose(1, 0, 2, 3).reshape(terminals, satellites, -1)
    sides = receive.transpose(2, 0, 3, 1).reshape(terminals, draws * antennas, satellites)
    return np.asarray((sides @ others).reshape(terminals, draws, antennas, -1).swapaxes(0, 1))


def _in_reach(streams: Streams, receive: NumberArray) -> NumberArray:
    """(K,M,M) covariance for one draw (S,B,M), over the pairs of terminals that have a satellite in common."""
    reach, sent = streams.reach, streams.sent
    terminals, antennas = reach.terminals, receive.shape[-1]
    amplitude = np.einsum("sbm,sbjl->sbjml", receive, streams.others())
    pair = (reach.terminal[:, :, None] * (terminals + 1) + sent.terminal[:, None, :]).ravel()
    groups, group = np.unique(pair, return_inverse=True)
    summation = sparse.csr_array((np.ones(len(pair)), (group, np.arange(len(pair)))), shape=(len(groups), len(pair)))
    streams_each = amplitude.shape[-1]
    added = (summation @ amplitude.reshape(len(pair), antennas * streams_each)).reshape(
        len(groups), antennas, streams_each
    )
    power = np.einsum("gml,gnl->gmn", added, added.conj())
    covariance = np.zeros((terminals + 1, antennas, antennas), dtype=power.dtype)
    np.add.at(covariance, groups // (terminals + 1), power)
    return covariance[:terminals]
