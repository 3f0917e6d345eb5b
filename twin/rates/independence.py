"""Whether the interference of two satellites adds in power: their delays to listener and addressee decide."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from twin.arrays import BoolArray, FloatArray, IntArray, Reach
from twin.radio.waveform import Waveform


@dataclass(frozen=True, slots=True, kw_only=True)
class DelayDifferences:
    """|Δτ| of every stream that a terminal hears from two satellites (P3, Remark 1), Q of them.

    In order of listener, addressee, first and second satellite.
    """

    listener: IntArray
    """(Q,) k: the terminal that is disturbed."""
    addressee: IntArray
    """(Q,) l: the terminal that the stream is for."""
    first: IntArray
    """(Q,) s1: row of one satellite."""
    second: IntArray
    """(Q,) s2 > s1: row of the other one."""
    delay_s: FloatArray
    """(Q,) |(τ_s1,l - τ_s1,k) - (τ_s2,l - τ_s2,k)|."""

    def independent(self, waveform: Waveform) -> BoolArray:
        """(Q,) P3's condition: the two arrivals are more than a symbol apart, |Δτ| > T_sym."""
        return np.asarray(self.delay_s > waveform.symbol_s)


def delay_differences(link_delay_s: FloatArray, hears: BoolArray, sends: BoolArray | None = None) -> DelayDifferences:
    """Find all streams that reach a terminal from two satellites, and how much further apart they are there.

    Parameters
    ----------
    link_delay_s
        (S,K) τ: propagation delays.
    hears
        (S,K) links over which a satellite is heard.
    sends
        (S,K) links on which it serves; those over which it is heard unless others are given.
    """
    sends = hears if sends is None else sends
    reach, sent = Reach.of(hears), Reach.of(sends)
    row, column, stream = np.nonzero(
        reach.gather(hears)[:, :, None]
        & sent.gather(sends)[:, None, :]
        & (reach.terminal[:, :, None] != sent.terminal[:, None, :])
    )
    listener, addressee = reach.terminal[row, column], sent.terminal[row, stream]
    order = np.lexsort((row, addressee, listener))
    row, listener, addressee = row[order], listener[order], addressee[order]
    one, other = _pairs_within(listener * reach.terminals + addressee)
    order = np.lexsort((other, one))
    one, other = one[order], other[order]
    offset_s = link_delay_s[row, addressee] - link_delay_s[row, listener]
    return DelayDifferences(
        listener=listener[one],
        addressee=addressee[one],
        first=row[one],
        second=row[other],
        delay_s=np.abs(offset_s[one] - offset_s[other]),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class CorrelatedArrivals:
    """Pairs of arrivals of one stream, from two satellites at one listener, that are correlated; Q of them."""

    first: IntArray
    """(Q,) places of one arrival in arrays (S,B,J), flattened; rising."""
    second: IntArray
    """(Q,) places of the other one, of a later satellite."""
    correlation: FloatArray
    """(Q,) `stream_correlation` of the two, above 0."""


def correlated_arrivals(
    link_delay_s: FloatArray, arriving: BoolArray, waveform: Waveform, *, reach: Reach, sent: Reach
) -> CorrelatedArrivals:
    """Find the pairs of arrivals that are too close in delay for their powers to add (P3, Remark 1).

    Only neighbours in delay are looked at: pairs that are far apart are never formed.

    Parameters
    ----------
    link_delay_s
        (S,K) τ: propagation delays.
    arriving
        (S,B,J) streams for terminals l of ``sent`` that terminals k of ``reach`` hear as interference.
    waveform
        Says how far apart is far enough.
    reach, sent
        Terminals of the B listeners and J addressees of each of S satellites.
    """
    row, column, stream = np.nonzero(arriving)
    listener, addressee = reach.terminal[row, column], sent.terminal[row, stream]
    offset_s = link_delay_s[row, addressee] - link_delay_s[row, listener]
    group, place = listener * reach.terminals + addressee, np.flatnonzero(arriving)
    # one key sorts faster than two; that it rounds offsets, to a thousandth of a nanosecond, matters at no edge
    order = np.argsort(group + 0.25 * offset_s / np.abs(offset_s).max(initial=np.finfo(np.float64).tiny))
    offset_s, place = offset_s[order], place[order]
    one, other = _pairs_within(group[order], offset_s, 2.0 * waveform.data_s)
    correlation = stream_correlation(offset_s[other] - offset_s[one], waveform)
    first, second = np.minimum(place[one], place[other]), np.maximum(place[one], place[other])
    order = np.lexsort((second, first))
    order = order[correlation[order] > 0.0]
    return CorrelatedArrivals(first=first[order], second=second[order], correlation=correlation[order])


def _pairs_within(
    group: IntArray, rising: FloatArray | None = None, apart: float = np.inf
) -> tuple[IntArray, IntArray]:
    """Places one < other of all pairs with the same entry of a rising list.

    Where values rise within each entry, only the pairs whose values are less than so far apart.
    """
    ones, others, lag = [np.empty(0, dtype=np.int64)], [np.empty(0, dtype=np.int64)], 1
    one = np.arange(len(group))
    while one.size:
        one = one[: np.searchsorted(one, len(group) - lag)]
        near = group[one + lag] == group[one]
        if rising is not None:
            near &= rising[one + lag] - rising[one] < apart
        one = one[near]  # what lies beyond one that is too far is further still
        ones.append(one)
        others.append(one + lag)
        lag += 1
    return np.concatenate(ones), np.concatenate(others)


def stream_correlation(delay_difference_s: ArrayLike, waveform: Waveform) -> FloatArray:
    """|E y₁ y₂*| of one stream of unit power heard twice, so far apart in delay: 1 adds amplitudes, 0 powers.

    The samples of an OFDM stream with independent data are white but for the prefix, which repeats the T_cp before it
    a time T later. Two windows |Δτ| apart share 1 - |Δτ|/T of their samples and, on the mean over where symbols
    begin, T_cp/T_sym of min(|Δτ|, 2T - |Δτ|)/T as copies. Between T_sym and 2T the condition of P3 is met and yet
    the copies leave up to T_cp/T in the worst place (half a percent of the power with the normal prefix).

    As a condition, 1 up to T_sym and 0 beyond, P3's would give some sets of amplitudes a negative power: offsets of 0,
    0.9 T and 1.8 T have an indefinite matrix. This one is 1 - |Δτ|/T, two copies of it T_cp/T_sym high and T away: its
    Fourier transform sinc²(f) (1 + 2 T_cp/T_sym cos 2πf) is nowhere negative for T_cp ≤ T, and so no power is either.
    """
    difference = np.abs(np.asarray(delay_difference_s, dtype=np.float64)) * waveform.subcarrier_hz
    copied = np.maximum(np.minimum(difference, 2.0 - difference), 0.0) * (waveform.prefix_s / waveform.symbol_s)
    return np.asarray(np.maximum(1.0 - difference, 0.0) + copied)


def independent_fraction(link_delay_s: FloatArray, threshold_s: ArrayLike) -> FloatArray:
    """Share of all pairs of satellites and pairs of terminals whose |Δτ| exceeds each threshold (P3, Fig. 2).

    Parameters
    ----------
    link_delay_s
        (S,K) delays of S satellites that all serve K terminals, two of each at least.
    threshold_s
        Any shape; P3 compares with T = 1/Δf.

    Returns
    -------
    FloatArray
        Shares in the shape of the thresholds.

    Raises
    ------
    ValueError
        If there is no pair.
    """
    satellites, terminals = link_delay_s.shape
    if satellites < 2 or terminals < 2:
        raise ValueError(f"pairs need 2 satellites and 2 terminals or more, found {satellites} and {terminals}")
    one, other = np.triu_indices(satellites, 1)
    further = link_delay_s[one] - link_delay_s[other]
    k, l = np.triu_indices(terminals, 1)  # noqa: E741
    difference_s = np.sort(np.abs(further[:, k] - further[:, l]), axis=None)
    above = difference_s.size - np.searchsorted(difference_s, threshold_s, side="right")
    return np.asarray(above / difference_s.size)
