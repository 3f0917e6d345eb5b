"""Correlation of one stream's arrivals from two satellites, by their delays to receiving and served terminal."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from twin.arrays import BoolArray, FloatArray, IntArray, Reach
from twin.radio.waveform import Waveform
from twin.records import documented


@documented
@dataclass(frozen=True, slots=True, kw_only=True)
class DelayDifferences:
    """|Δτ| of all Q streams that a terminal receives from two satellites as interference (P3, Remark 1).

    Sorted by receiving terminal, served terminal, first and second satellite.
    """

    receiving: IntArray
    """(Q,) k: index of the terminal that receives the interference."""
    served: IntArray
    """(Q,) l: index of the terminal that the stream is for."""
    first: IntArray
    """(Q,) s1: row of the first satellite."""
    second: IntArray
    """(Q,) s2 > s1: row of the second satellite."""
    delay_s: FloatArray
    """(Q,) |Δτ| = |(τ_s1,l - τ_s1,k) - (τ_s2,l - τ_s2,k)| in s."""

    def independent(self, waveform: Waveform) -> BoolArray:
        """(Q,) condition of P3 for independent arrivals: they differ by more than a symbol, |Δτ| > T_sym."""
        return np.asarray(self.delay_s > waveform.symbol_s)


def delay_differences(
    link_delay_s: FloatArray, linked: BoolArray, serving: BoolArray | None = None
) -> DelayDifferences:
    """Delay differences of all streams that a terminal receives from two satellites.

    Parameters
    ----------
    link_delay_s
        (S,K) τ: propagation delays in s.
    linked
        (S,K) links over which a terminal receives a satellite.
    serving
        (S,K) links over which a satellite serves a terminal; None means ``linked``.
    """
    serving = linked if serving is None else serving
    reach, sent = Reach.of(linked), Reach.of(serving)
    row, column, stream = np.nonzero(
        reach.gather(linked)[:, :, None]
        & sent.gather(serving)[:, None, :]
        & (reach.terminal[:, :, None] != sent.terminal[:, None, :])
    )
    receiving, served = reach.terminal[row, column], sent.terminal[row, stream]
    order = np.lexsort((row, served, receiving))
    row, receiving, served = row[order], receiving[order], served[order]
    first, second = _pairs_within(receiving * reach.terminals + served)
    order = np.lexsort((second, first))
    first, second = first[order], second[order]
    offset_s = link_delay_s[row, served] - link_delay_s[row, receiving]
    return DelayDifferences(
        receiving=receiving[first],
        served=served[first],
        first=row[first],
        second=row[second],
        delay_s=np.abs(offset_s[first] - offset_s[second]),
    )


@documented
@dataclass(frozen=True, slots=True, kw_only=True)
class CorrelatedArrivals:
    """Q pairs of correlated arrivals of one stream, from two satellites at one terminal."""

    first: IntArray
    """(Q,) flat indices of the first arrival in arrays (S,B,J), ascending."""
    second: IntArray
    """(Q,) flat indices of the second arrival, from a satellite of a later row."""
    correlation: FloatArray
    """(Q,) `stream_correlation` of both, above 0."""


def correlated_arrivals(
    link_delay_s: FloatArray, arriving: BoolArray, waveform: Waveform, *, reach: Reach, sent: Reach
) -> CorrelatedArrivals:
    """Find the pairs of arrivals with a delay difference too small for their powers to add (P3, Remark 1).

    Arrivals are sorted by delay and only close ones are paired: pairs with a large difference are never formed.

    Parameters
    ----------
    link_delay_s
        (S,K) τ: propagation delays in s.
    arriving
        (S,B,J) streams for terminals l of ``sent`` that terminals k of ``reach`` receive as interference.
    waveform
        Determines the correlation over the delay difference.
    reach, sent
        Receiving terminals of the B columns and served terminals of the J columns, of each of S satellites.
    """
    row, column, stream = np.nonzero(arriving)
    receiving, served = reach.terminal[row, column], sent.terminal[row, stream]
    offset_s = link_delay_s[row, served] - link_delay_s[row, receiving]
    group, index = receiving * reach.terminals + served, np.flatnonzero(arriving)
    # one sort key is faster than two; its rounding of offsets, by 1e-3 ns, loses no correlated pair
    order = np.argsort(group + 0.25 * offset_s / np.abs(offset_s).max(initial=np.finfo(np.float64).tiny))
    offset_s, index = offset_s[order], index[order]
    one, other = _pairs_within(group[order], offset_s, 2.0 * waveform.data_s)
    correlation = stream_correlation(offset_s[other] - offset_s[one], waveform)
    first, second = np.minimum(index[one], index[other]), np.maximum(index[one], index[other])
    order = np.lexsort((second, first))
    order = order[correlation[order] > 0.0]
    return CorrelatedArrivals(first=first[order], second=second[order], correlation=correlation[order])


def _pairs_within(group: IntArray, value: FloatArray | None = None, limit: float = np.inf) -> tuple[IntArray, IntArray]:
    """Indices first < second of all pairs with equal entries in an ascending list.

    With values that ascend within each group, only pairs whose values differ by less than the limit.
    """
    firsts, seconds, lag = [np.empty(0, dtype=np.int64)], [np.empty(0, dtype=np.int64)], 1
    first = np.arange(len(group))
    while first.size:
        first = first[: np.searchsorted(first, len(group) - lag)]
        close = group[first + lag] == group[first]
        if value is not None:
            close &= value[first + lag] - value[first] < limit
        first = first[close]  # values ascend: a pair beyond the limit has no close pair at a larger lag
        firsts.append(first)
        seconds.append(first + lag)
        lag += 1
    return np.concatenate(firsts), np.concatenate(seconds)


def stream_correlation(delay_difference_s: ArrayLike, waveform: Waveform) -> FloatArray:
    """|E y₁ y₂*| of two arrivals of one stream of unit power: amplitudes add for 1, powers add for 0.

    The samples of an OFDM stream with independent data are white, except that the prefix repeats the last T_cp of the
    data part at a distance T. Two windows with a delay difference |Δτ| have the fraction 1 - |Δτ|/T of their samples in
    common. Averaged over the positions of the symbols, a fraction T_cp/T_sym of min(|Δτ|, 2T - |Δτ|)/T are copies by
    the prefix. Between T_sym and 2T, where P3 assumes independence, the copies leave a correlation of up to T_cp/T at
    the worst position (half a percent of the power with the normal prefix).

    P3's condition as a correlation, 1 up to T_sym and 0 beyond, would give negative powers for some amplitudes: its
    matrix for offsets of 0, 0.9 T and 1.8 T is indefinite. The function here is 1 - |Δτ|/T plus two copies of it at a
    distance T with height T_cp/T_sym. Its Fourier transform sinc²(f) (1 + 2 T_cp/T_sym cos 2πf) is nowhere negative for
    T_cp ≤ T, so that no power is negative.
    """
    difference = np.abs(np.asarray(delay_difference_s, dtype=np.float64)) * waveform.subcarrier_hz
    copied = np.maximum(np.minimum(difference, 2.0 - difference), 0.0) * (waveform.prefix_s / waveform.symbol_s)
    return np.asarray(np.maximum(1.0 - difference, 0.0) + copied)


def independent_fraction(link_delay_s: FloatArray, threshold_s: ArrayLike) -> FloatArray:
    """Fraction of all pairs of satellites and pairs of terminals whose |Δτ| exceeds each threshold (P3, Fig. 2).

    Parameters
    ----------
    link_delay_s
        (S,K) delays in s of S ≥ 2 satellites that all serve K ≥ 2 terminals.
    threshold_s
        Thresholds in any shape; P3 compares with T = 1/Δf.

    Returns
    -------
    FloatArray
        Fractions in the shape of the thresholds.

    Raises
    ------
    ValueError
        If there are fewer than 2 satellites or 2 terminals.
    """
    satellites, terminals = link_delay_s.shape
    if satellites < 2 or terminals < 2:
        raise ValueError(f"pairs need at least 2 satellites and 2 terminals, found {satellites} and {terminals}")
    one, other = np.triu_indices(satellites, 1)
    difference = link_delay_s[one] - link_delay_s[other]
    k, l = np.triu_indices(terminals, 1)  # noqa: E741
    difference_s = np.sort(np.abs(difference[:, k] - difference[:, l]), axis=None)
    above = difference_s.size - np.searchsorted(difference_s, threshold_s, side="right")
    return np.asarray(above / difference_s.size)
