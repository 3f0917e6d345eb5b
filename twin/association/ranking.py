"""From scores to serving sets: the best of each terminal, within what each satellite can carry."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from twin.association.policy import Assignment

Real = NDArray[np.float64]
Flags = NDArray[np.bool_]


def best(score: Real, eligible: Flags, size: int, capacity: int | None) -> Flags:
    """The ``size`` best eligible satellites (V,K) of each terminal, at most ``capacity`` terminals a satellite.

    Where capacity binds, clusters fill in rounds, so that every terminal has its first satellite before anyone has a
    second; within a round the best pairs come first.
    """
    ranked = np.where(eligible, score, -np.inf)
    if size >= len(score):
        chosen = eligible.copy()
    else:
        rows = np.argpartition(-ranked, size - 1, axis=0)[:size]
        chosen = np.zeros_like(eligible)
        np.put_along_axis(chosen, rows, True, axis=0)
        chosen &= eligible
    if capacity is None or (chosen.sum(axis=1) <= capacity).all():
        return chosen
    return _in_rounds(ranked, size, capacity)


def _in_rounds(ranked: Real, size: int, capacity: int) -> Flags:
    chosen = np.zeros(ranked.shape, dtype=np.bool_)
    load = np.zeros(len(ranked), dtype=np.int64)
    order = np.argsort(-ranked, axis=None, kind="stable")
    order = order[np.isfinite(ranked.ravel()[order])]
    pairs = np.stack(np.unravel_index(order, ranked.shape), axis=1)
    for _ in range(size):
        got = np.zeros(ranked.shape[1], dtype=np.bool_)
        for satellite, terminal in pairs:
            if not (got[terminal] or chosen[satellite, terminal]) and load[satellite] < capacity:
                chosen[satellite, terminal] = got[terminal] = True
                load[satellite] += 1
    return chosen


def led(serving: Flags, score: Real) -> Assignment:
    """Let the best serving satellite of each terminal be its master."""
    rows = np.where(serving, score, -np.inf).argmax(axis=0) if len(serving) else np.zeros(serving.shape[1], int)
    return Assignment(serving=serving, master=np.where(serving.any(axis=0), rows, -1))
