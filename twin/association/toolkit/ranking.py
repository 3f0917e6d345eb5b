"""Clusters from scores: the best satellites of each terminal within the capacity of each satellite."""

from __future__ import annotations

import numpy as np

from twin.arrays import BoolArray, FloatArray, IntArray
from twin.association.problem import Assignment, AssociationView
from twin.units import to_db


def best(score: FloatArray, eligible: BoolArray, size: int, capacity: int | None) -> BoolArray:
    """Return the ``size`` best eligible satellites (V,K) of each terminal, at most ``capacity`` terminals a satellite.

    Where capacity limits, clusters are filled in rounds of one satellite per terminal, so that every terminal gets its
    first satellite before any gets its second; within a round the best pairs come first. Of equal scores the satellite
    with the lower NORAD id ranks first.

    Parameters
    ----------
    score
        (V,K) score of each pair, higher is better.
    eligible
        (V,K) pairs that may serve.
    size
        Most satellites of a terminal.
    capacity
        Most terminals of a satellite. None means no limit.
    """
    ranked = np.where(eligible, score, -np.inf)
    chosen = eligible.copy() if size >= len(score) else _highest(ranked, size) & eligible
    if capacity is None or (chosen.sum(axis=1) <= capacity).all():
        return chosen
    chosen = np.zeros(ranked.shape, dtype=np.bool_)
    free = np.full(len(ranked), capacity, dtype=np.int64)
    for _ in range(size):
        matching = stable_matching(ranked, ranked, free)
        if not matching.any():
            break
        chosen |= matching
        free -= matching.sum(axis=1)
        ranked[matching] = -np.inf
    return chosen


def _highest(ranked: FloatArray, size: int) -> BoolArray:
    """Return the ``size`` highest values of each column (V,K); of equal ones the upper rows."""
    if size == 1:
        return np.asarray(np.arange(len(ranked))[:, None] == ranked.argmax(axis=0))
    last = -np.partition(-ranked, size - 1, axis=0)[size - 1]
    above, equal = ranked > last, ranked == last
    return np.asarray(above | (equal & (np.cumsum(equal, axis=0) <= size - above.sum(axis=0))))


def stable_matching(preference: FloatArray, priority: FloatArray, capacity: IntArray) -> BoolArray:
    """Return a stable matching (V,K) of terminals to satellites, at most one satellite per terminal.

    Deferred acceptance (D. Gale and L. S. Shapley, 1962): terminals apply in the order of their preference, and a full
    satellite keeps the applicants of the highest priority. With equal preference and priority, best pairs come first.

    Parameters
    ----------
    preference
        (V,K) how much each terminal prefers each satellite; minus infinity where the pair is not allowed.
    priority
        (V,K) priority of each terminal at each satellite.
    capacity
        (V,) most terminals of each satellite.
    """
    remaining = np.where(capacity > 0, preference.T, -np.inf)  # (K,V): contiguous in memory for each terminal
    matched = np.full(preference.shape[1], -1, dtype=np.int64)
    applying = np.arange(preference.shape[1]) if len(preference) else matched[:0]
    while len(applying):
        rows = remaining[applying].argmax(axis=1)
        allowed = remaining[applying, rows] > -np.inf
        matched[applying[allowed]] = rows[allowed]
        applying = _rejected(matched, priority, capacity)
        remaining[applying, matched[applying]] = -np.inf
        matched[applying] = -1
    return np.asarray(np.arange(len(preference))[:, None] == matched)


def _rejected(matched: IntArray, priority: FloatArray, capacity: IntArray) -> IntArray:
    """Return the terminals of full satellites whose priority is too low."""
    load = np.bincount(matched[matched >= 0], minlength=len(capacity))
    applicants = np.flatnonzero((matched >= 0) & (load > capacity)[matched])
    rows = matched[applicants]
    order = np.lexsort((applicants, -priority[rows, applicants], rows))
    rows = rows[order]
    rank = np.arange(len(rows)) - np.searchsorted(rows, rows)
    return np.sort(applicants[order][rank >= capacity[rows]])


def led(serving: BoolArray, score: FloatArray, rank: FloatArray | None = None) -> Assignment:
    """Return an assignment whose masters are the best serving satellites.

    Parameters
    ----------
    serving
        (V,K) pairs that serve.
    score
        (V,K) score, for the table of candidates.
    rank
        (V,K) values that masters are chosen by. None means the score.
    """
    by = np.where(serving, score if rank is None else rank, -np.inf)
    rows = by.argmax(axis=0) if len(serving) else np.zeros(serving.shape[1], int)
    return Assignment(serving=serving, master=np.where(serving.any(axis=0), rows, -1), score=score)


def leads(view: AssociationView) -> BoolArray:
    """Return (V,K) which satellite is each terminal's master now."""
    return np.asarray(np.arange(len(view.norad_id))[:, None] == view.master)


def clustered(view: AssociationView, score: FloatArray, *, size: int, hysteresis: float) -> Assignment:
    """Return clusters of the ``size`` best visible satellites, with a hysteresis in favour of members and masters."""
    chosen = best(score + hysteresis * view.serving, view.visible, size, view.capacity)
    return led(chosen, score, score + hysteresis * leads(view))


def one_satellite(view: AssociationView, score: FloatArray, wanted: BoolArray) -> Assignment:
    """Return one satellite per terminal: the best wanted one, else the current master, else the best of all.

    A full satellite keeps the terminals that it serves and rejects new ones.

    Parameters
    ----------
    view
        What the policy is given.
    score
        (V,K) score of each pair, higher is better.
    wanted
        (V,K) pairs to which a terminal is to change.
    """
    visible = score[view.visible]
    step = 1.0 + np.ptp(visible) if visible.size else 1.0  # outweighs every difference of score
    masters = leads(view)
    preference = np.where(view.visible, score + step * (2.0 * wanted + masters), -np.inf)
    capacity = preference.shape[1] if view.capacity is None else view.capacity
    return led(stable_matching(preference, score + step * masters, np.full(len(preference), capacity)), score)


def received_db(view: AssociationView) -> FloatArray:
    """Return the (V,K) mean signal-to-noise ratio of each satellite at full power, in dB; finite without a link."""
    ratio = view.power_w * view.mean_gain() / view.noise_w
    return np.asarray(to_db(np.maximum(ratio, np.finfo(float).tiny)))
