"""Interference of streams that several satellites transmit in step: amplitudes add before powers do."""

from __future__ import annotations

import numpy as np
from scipy import sparse

from twin.arrays import NumberArray
from twin.rates.streams import Streams


def coherent_interference(streams: Streams, receive: NumberArray) -> NumberArray:
    """(D,K,M,M) Σ_{j≠k} (Σ_s g_sk v_skᵀ W_sj)(...)ᴴ for receive sides g (D,S,B,M)."""
    if streams.seen.size == 0:
        draws, _, _, antennas = receive.shape
        return np.zeros((draws, streams.reach.terminals, antennas, antennas))
    if streams.reach.whole and streams.sent.whole:
        others = _everyone(streams, receive)
        return np.asarray(others @ others.conj().swapaxes(-1, -2))
    return np.stack([_in_reach(streams, draw) for draw in receive])


def _everyone(streams: Streams, receive: NumberArray) -> NumberArray:
    """(D,K,M,J·L) amplitudes of everyone else's streams, added up over satellites, where all reach all."""
    draws, satellites, terminals, antennas = receive.shape
    others = streams.others().transpose(1, 0, 2, 3).reshape(terminals, satellites, -1)
    arriving = receive.transpose(2, 0, 3, 1).reshape(terminals, draws * antennas, satellites)
    return np.asarray((arriving @ others).reshape(terminals, draws, antennas, -1).swapaxes(0, 1))


def _in_reach(streams: Streams, receive: NumberArray) -> NumberArray:
    """(K,M,M) the same for one draw (S,B,M), over the pairs of terminals that some satellite joins."""
    reach, sent = streams.reach, streams.sent
    terminals, antennas = reach.terminals, receive.shape[-1]
    amplitude = np.einsum("sbm,sbjl->sbjml", receive, streams.others())
    pair = (reach.terminal[:, :, None] * (terminals + 1) + sent.terminal[:, None, :]).ravel()
    groups, member = np.unique(pair, return_inverse=True)
    adding = sparse.csr_array((np.ones(len(pair)), (member, np.arange(len(pair)))), shape=(len(groups), len(pair)))
    streams_each = amplitude.shape[-1]
    added = (adding @ amplitude.reshape(len(pair), antennas * streams_each)).reshape(
        len(groups), antennas, streams_each
    )
    power = np.einsum("gml,gnl->gmn", added, added.conj())
    heard = np.zeros((terminals + 1, antennas, antennas), dtype=power.dtype)
    np.add.at(heard, groups // (terminals + 1), power)
    return heard[:terminals]
