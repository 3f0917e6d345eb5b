"""Whether the interference of two satellites adds in power: their delays to listener and addressee decide."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from twin.channel import Reach
from twin.precompensation.waveform import Waveform

Real = NDArray[np.float64]
Ids = NDArray[np.int64]


@dataclass(frozen=True, slots=True, kw_only=True)
class DelayDifferences:
    """|Δτ| of every stream that a terminal hears from two satellites (P3, Remark 1), Q of them.

    In order of listener, addressee, first and second satellite.
    """

    listener: Ids
    """(Q,) k: the terminal that is disturbed."""
    addressee: Ids
    """(Q,) l: the terminal that the stream is for."""
    first: Ids
    """(Q,) s1: row of one satellite."""
    second: Ids
    """(Q,) s2 > s1: row of the other one."""
    delay_s: Real
    """(Q,) |(τ_s1,l - τ_s1,k) - (τ_s2,l - τ_s2,k)|."""

    def independent(self, waveform: Waveform) -> NDArray[np.bool_]:
        """(Q,) P3's condition: the two arrivals are more than a symbol apart, |Δτ| > T_sym."""
        return np.asarray(self.delay_s > waveform.symbol_s)


def delay_differences(
    link_delay_s: Real, hears: NDArray[np.bool_], sends: NDArray[np.bool_] | None = None
) -> DelayDifferences:
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
        reach.gathered(hears)[:, :, None]
        & sent.gathered(sends)[:, None, :]
        & (reach.terminal[:, :, None] != sent.terminal[:, None, :])
    )
    listener, addressee = reach.terminal[row, column], sent.terminal[row, stream]
    order = np.lexsort((row, addressee, listener))
    row, listener, addressee = row[order], listener[order], addressee[order]
    one, other = _pairs_within(listener * reach.terminals + addressee)
    offset_s = link_delay_s[row, addressee] - link_delay_s[row, listener]
    return DelayDifferences(
        listener=listener[one],
        addressee=addressee[one],
        first=row[one],
        second=row[other],
        delay_s=np.abs(offset_s[one] - offset_s[other]),
    )


def _pairs_within(group: Ids) -> tuple[Ids, Ids]:
    """Places one < other of all pairs with the same entry of a rising list, in rising order."""
    ones, others, lag = [], [], 1
    while (one := np.flatnonzero(group[lag:] == group[:-lag])).size:
        ones.append(one)
        others.append(one + lag)
        lag += 1
    one = np.concatenate([np.empty(0, dtype=np.int64), *ones])
    other = np.concatenate([np.empty(0, dtype=np.int64), *others])
    order = np.lexsort((other, one))
    return one[order], other[order]


def stream_correlation(delay_difference_s: ArrayLike, waveform: Waveform) -> Real:
    """|E y₁ y₂*| of one stream of unit power heard twice, so far apart in delay: 1 adds amplitudes, 0 powers.

    The samples of an OFDM stream with independent data are white but for the prefix, which repeats the T_cp before it
    a time T later. Two windows |Δτ| apart share 1 - |Δτ|/T of their samples and, on the mean over where symbols
    begin, T_cp/T_sym of min(|Δτ|, 2T - |Δτ|)/T as copies. Between T_sym and 2T the condition of P3 is met and yet
    the copies leave up to T_cp/T in the worst place (half a percent of the power with the normal prefix).
    """
    difference = np.abs(np.asarray(delay_difference_s, dtype=np.float64)) * waveform.subcarrier_hz
    copied = np.maximum(np.minimum(difference, 2.0 - difference), 0.0) * (waveform.prefix_s / waveform.symbol_s)
    return np.asarray(np.maximum(1.0 - difference, 0.0) + copied)


def independent_share(link_delay_s: Real, threshold_s: ArrayLike) -> Real:
    """Share of all pairs of satellites and pairs of terminals whose |Δτ| exceeds each threshold (P3, Fig. 2).

    Parameters
    ----------
    link_delay_s
        (S,K) delays of S satellites that all serve K terminals, two of each at least.
    threshold_s
        Any shape; P3 compares with T = 1/Δf.

    Returns
    -------
    NDArray[np.float64]
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
