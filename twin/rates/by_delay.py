"""Interference of streams that several satellites transmit, each pair in step as far as its delays say."""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy import sparse

from twin.arrays import NumberArray, Reach
from twin.radio.channel import StatisticalCsi
from twin.radio.waveform import Waveform
from twin.rates.independence import correlated_arrivals
from twin.rates.over_satellites import over_satellites


def crossed_streams(others: NumberArray, truth: StatisticalCsi, sent: Reach, waveform: Waveform) -> Any:
    """Sparse (S·B,S·B) Σ_{j≠k} ρ v_skᵀ W_sj (v_tkᵀ W_tj)ᴴ of every two links of a terminal, each pair s, t once.

    ρ is the `stream_correlation` of two arrivals of one stream (P3, Remark 1, as a share): beams are advanced for their
    own terminal, so that at another one they arrive d_s = τ_sj - τ_sk early, by the delays as they are. What the
    compensation misses of these is left out, and so is the Doppler shift between the two arrivals, which can only take
    correlation away.

    Parameters
    ----------
    others
        (S,B,J,L) what is seen of everyone else's streams, each turned as its carrier's phase says.
    truth
        The channels with their delays.
    sent
        The terminals of the J columns.
    waveform
        Says how far apart in delay arrivals are independent.

    Raises
    ------
    ValueError
        If the delays are not known.
    """
    if truth.delay_s is None:
        raise ValueError("interference by delay needs the delays of the channels, found none")
    reach = truth.reach
    heard, meant = reach.gather(truth.gain > 0.0), sent.terminal < sent.terminals
    arriving = heard[:, :, None] & meant[:, None, :] & (others != 0.0).any(axis=-1)
    pairs = correlated_arrivals(truth.delay_s, arriving, waveform, reach=reach, sent=sent)
    streams = others.reshape(arriving.size, others.shape[-1])
    crossed = np.einsum("ql,ql->q", streams[pairs.first], streams[pairs.second].conj()) * pairs.correlation
    links, addressees = heard.size, arriving.shape[-1]
    # the place of a stream in (S,B,J) holds that of its link in (S,B); what falls on one pair of links is added up
    return sparse.csr_array((crossed, (pairs.first // addressees, pairs.second // addressees)), shape=(links, links))


def crossed_power(reach: Reach, crossed: Any, receive: NumberArray) -> NumberArray:
    """(D,K,M,M) what crossed streams add to the power of each alone, for receive sides g (D,S,B,M)."""
    draws, satellites, columns, antennas = receive.shape
    links = receive.transpose(1, 2, 0, 3).reshape(satellites * columns, draws * antennas)
    partner = np.asarray(crossed @ links.conj()).reshape(satellites, columns, draws, antennas).transpose(2, 0, 1, 3)
    half = over_satellites(reach, receive[..., :, None] * partner[..., None, :])
    return np.asarray(half + half.conj().swapaxes(-1, -2))
