"""Interference by delay: arrivals of one stream from two satellites add by their correlation."""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy import sparse

from twin.arrays import NumberArray, Reach
from twin.radio.channel import StatisticalCsi
from twin.radio.waveform import Waveform
from twin.rates.independence import correlated_arrivals
from twin.rates.over_satellites import sum_over_satellites


def cross_products(others: NumberArray, truth: StatisticalCsi, sent: Reach, waveform: Waveform) -> Any:
    """Sparse (S·B,S·B) Σ_{j≠k} ρ v_skᵀ W_sj (v_tkᵀ W_tj)ᴴ for every two links of a terminal, each pair s, t once.

    ρ is the `stream_correlation` of two arrivals of one stream (P3, Remark 1, as a fraction). Beams are advanced for
    their own terminal j, so that they arrive at terminal k early by d_s = τ_sj - τ_sk, computed from the true delays.
    Errors of the compensation are neglected, as is the Doppler shift between the arrivals, which can only reduce ρ.

    Parameters
    ----------
    others
        (S,B,J,L) effective gains of the other terminals' streams, carrier phases included.
    truth
        Channel statistics with delays.
    sent
        Terminals of the J columns.
    waveform
        Determines the correlation over the delay difference.

    Raises
    ------
    ValueError
        If the delays are unknown.
    """
    if truth.delay_s is None:
        raise ValueError("interference by delay needs the delays of the channels, found none")
    reach = truth.reach
    linked, served = reach.gather(truth.gain > 0.0), sent.terminal < sent.terminals
    arriving = linked[:, :, None] & served[:, None, :] & (others != 0.0).any(axis=-1)
    pairs = correlated_arrivals(truth.delay_s, arriving, waveform, reach=reach, sent=sent)
    streams = others.reshape(arriving.size, others.shape[-1])
    products = np.einsum("ql,ql->q", streams[pairs.first], streams[pairs.second].conj()) * pairs.correlation
    links, columns = linked.size, arriving.shape[-1]
    # the flat index of a stream in (S,B,J) gives that of its link in (S,B); the sparse array sums over streams
    return sparse.csr_array((products, (pairs.first // columns, pairs.second // columns)), shape=(links, links))


def cross_covariance(reach: Reach, products: Any, receive: NumberArray) -> NumberArray:
    """(D,K,M,M) cross terms of correlated arrivals, for `cross_products` and receive sides g (D,S,B,M)."""
    draws, satellites, columns, antennas = receive.shape
    links = receive.transpose(1, 2, 0, 3).reshape(satellites * columns, draws * antennas)
    partner = np.asarray(products @ links.conj()).reshape(satellites, columns, draws, antennas).transpose(2, 0, 1, 3)
    half = sum_over_satellites(reach, receive[..., :, None] * partner[..., None, :])
    return np.asarray(half + half.conj().swapaxes(-1, -2))
