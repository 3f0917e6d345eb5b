"""Limits on how many terminals a satellite serves, and how many satellites a terminal."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.optimize import linear_sum_assignment

from twin.arrays import BoolArray, FloatArray, Reach
from twin.records import documented
from twin.solvers.max_min.layout import Blocks
from twin.solvers.max_min.limits import Budgets


@documented
@dataclass(frozen=True, slots=True, kw_only=True)
class CountLimits:
    """Most terminals of a satellite and most satellites of a terminal."""

    load: int
    """Most terminals of a satellite."""
    cluster: int | None
    """Most satellites of a terminal."""

    def exceeded(self, blocks: Blocks) -> tuple[BoolArray, BoolArray]:
        """(J,A) pairs of satellites with too many terminals, and of terminals with too many satellites."""
        load = np.bincount(blocks.satellite.ravel(), minlength=blocks.satellites + 1)
        crowded = (load > self.load)[blocks.satellite] & blocks.held
        size = blocks.held.sum(axis=1, keepdims=True)
        return crowded, blocks.held & (size > (blocks.satellites if self.cluster is None else self.cluster))

    def weighted(self, blocks: Blocks, weight: FloatArray) -> Budgets | None:
        """Power limits and, where counts are exceeded, limits on Σ ω p² (P5, eq. 32c); None if no count is exceeded."""
        crowded, wide = self.exceeded(blocks)
        if not (crowded.any() or wide.any()):
            return None
        return Budgets.of(
            blocks,
            load=crowded * weight / self.load,
            cluster=wide * weight / self.cluster if self.cluster is not None else None,
        )

    def admitted(self, useful: BoolArray, signal: FloatArray, reach: Reach) -> BoolArray:
        """One pair (S,B) each for as many terminals as possible, the strongest if not all can have one."""
        held = _one_each(useful, signal, reach, self.load)
        some = np.zeros(reach.terminals + 1, dtype=np.bool_)
        some[reach.terminal[held]] = True
        return np.asarray(useful & some[reach.terminal])

    def pruned(self, strength: FloatArray, useful: BoolArray, signal: FloatArray, reach: Reach) -> BoolArray:
        """Pairs (S,B) within the limits: all pairs with positive strength if they meet them, else the strongest pairs.

        Parameters
        ----------
        strength
            (S,B) amplitudes p, zero for pairs that are out.
        useful
            (S,B) pairs that may serve.
        signal
            (S,B) their signal, by which a satellite is found for terminals that would have none.
        reach
            Which terminals the columns are.
        """
        wanted = strength > 0.0
        if self._fit(wanted, reach) and not (_terminals(useful, reach) & ~_terminals(wanted, reach)).any():
            return wanted
        score = np.where(wanted, 1.0 + strength, signal / max(float(signal.max(initial=0.0)), 1e-300))
        chosen = _one_each(useful, score, reach, self.load)
        load, size = chosen.sum(axis=1), np.bincount(reach.terminal[chosen], minlength=reach.terminals + 1)
        most = len(wanted) if self.cluster is None else self.cluster
        row, column = np.nonzero(wanted & ~chosen)
        for pair in np.argsort(-strength[row, column], kind="stable"):
            satellite, terminal = row[pair], reach.terminal[row[pair], column[pair]]
            if load[satellite] < self.load and size[terminal] < most:
                chosen[satellite, column[pair]] = True
                load[satellite] += 1
                size[terminal] += 1
        return chosen

    def _fit(self, pairs: BoolArray, reach: Reach) -> bool:
        size = np.bincount(reach.terminal[pairs], minlength=1)
        wide = self.cluster is not None and bool((size > self.cluster).any())
        return not wide and bool((pairs.sum(axis=1) <= self.load).all())


def _terminals(pairs: BoolArray, reach: Reach) -> BoolArray:
    """(K,) terminals that have one of the pairs."""
    return np.asarray(np.bincount(reach.terminal[pairs], minlength=reach.terminals + 1)[: reach.terminals] > 0)


def _one_each(useful: BoolArray, score: FloatArray, reach: Reach, load: int) -> BoolArray:
    """One pair (S,B) each for as many terminals as possible, at most ``load`` per satellite, of the largest score."""
    chosen = np.zeros_like(useful)
    row, column = np.nonzero(useful)
    if not len(row):
        return chosen
    terminal, stream = np.unique(reach.terminal[row, column], return_inverse=True)
    satellite, local = np.unique(row, return_inverse=True)
    places = min(load, len(terminal))
    value = np.zeros((len(terminal), len(satellite)))
    best = float(score[row, column].max())
    # one more terminal outweighs any gain of score
    value[stream, local] = 1.0 + score[row, column] / max(best, 1e-300) / (len(terminal) + 1)
    at, seat = linear_sum_assignment(np.repeat(value, places, axis=1), maximize=True)
    taken = np.zeros(value.shape, dtype=np.bool_)
    taken[at, seat // places] = True
    held = taken[stream, local]
    chosen[row[held], column[held]] = True
    return chosen
