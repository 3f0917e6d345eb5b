"""From scores to serving sets: the best of each terminal, within what each satellite can carry."""

from __future__ import annotations

import numpy as np

from twin.arrays import BoolArray, FloatArray, IntArray
from twin.association.problem import Assignment, AssociationView
from twin.units import to_db


def best(score: FloatArray, eligible: BoolArray, size: int, capacity: int | None) -> BoolArray:
    """The ``size`` best eligible satellites (V,K) of each terminal, at most ``capacity`` terminals a satellite.

    Where capacity binds, clusters fill in rounds, so that every terminal has its first satellite before anyone has a
    second; within a round the best pairs come first. Of equal satellites the one with the lower NORAD id is better.
    """
    ranked = np.where(eligible, score, -np.inf)
    chosen = eligible.copy() if size >= len(score) else _highest(ranked, size) & eligible
    if capacity is None or (chosen.sum(axis=1) <= capacity).all():
        return chosen
    chosen = np.zeros(ranked.shape, dtype=np.bool_)
    room = np.full(len(ranked), capacity, dtype=np.int64)
    for _ in range(size):
        seats = seated(ranked, ranked, room)
        if not seats.any():
            break
        chosen |= seats
        room -= seats.sum(axis=1)
        ranked[seats] = -np.inf
    return chosen


def _highest(ranked: FloatArray, size: int) -> BoolArray:
    """The first ``size`` of each column (V,K), the upper of equal ones."""
    if size == 1:
        return np.asarray(np.arange(len(ranked))[:, None] == ranked.argmax(axis=0))
    last = -np.partition(-ranked, size - 1, axis=0)[size - 1]
    above, level = ranked > last, ranked == last
    return np.asarray(above | (level & (np.cumsum(level, axis=0) <= size - above.sum(axis=0))))


def seated(wish: FloatArray, claim: FloatArray, room: IntArray) -> BoolArray:
    """One satellite at most for each terminal, so that no terminal and satellite would rather have each other.

    Terminals ask the satellites in the order of their wish; a satellite keeps those of the highest claim that it has
    room for (D. Gale and L. S. Shapley, 1962). With claims equal to wishes this takes the best pairs first.

    Parameters
    ----------
    wish
        (V,K) how much each terminal wants each satellite; minus infinity where it cannot have it.
    claim
        (V,K) whom each satellite keeps where it must choose.
    room
        (V,) terminals that it can take.
    """
    open_to = np.where(room > 0, wish.T, -np.inf)  # (K,V): what a terminal looks through lies together
    held = np.full(wish.shape[1], -1, dtype=np.int64)
    asking = np.arange(wish.shape[1]) if len(wish) else held[:0]
    while len(asking):
        rows = open_to[asking].argmax(axis=1)
        some = open_to[asking, rows] > -np.inf
        held[asking[some]] = rows[some]
        asking = _turned_away(held, claim, room)
        open_to[asking, held[asking]] = -np.inf
        held[asking] = -1
    return np.asarray(np.arange(len(wish))[:, None] == held)


def _turned_away(held: IntArray, claim: FloatArray, room: IntArray) -> IntArray:
    """Terminals that ask a satellite which has better ones enough."""
    load = np.bincount(held[held >= 0], minlength=len(room))
    crowd = np.flatnonzero((held >= 0) & (load > room)[held])
    rows = held[crowd]
    order = np.lexsort((crowd, -claim[rows, crowd], rows))
    rows = rows[order]
    place = np.arange(len(rows)) - np.searchsorted(rows, rows)
    return np.sort(crowd[order][place >= room[rows]])


def led(serving: BoolArray, score: FloatArray, rank: FloatArray | None = None) -> Assignment:
    """Let the best serving satellite of each terminal be its master.

    Parameters
    ----------
    serving
        (V,K) who serves whom.
    score
        (V,K) for the log of candidates.
    rank
        (V,K) by what the master is chosen, if not by the score.
    """
    by = np.where(serving, score if rank is None else rank, -np.inf)
    rows = by.argmax(axis=0) if len(serving) else np.zeros(serving.shape[1], int)
    return Assignment(serving=serving, master=np.where(serving.any(axis=0), rows, -1), score=score)


def leads(view: AssociationView) -> BoolArray:
    """(V,K) which satellite is the terminal's master now."""
    return np.asarray(np.arange(len(view.norad_id))[:, None] == view.master)


def clustered(view: AssociationView, score: FloatArray, *, size: int, hysteresis: float) -> Assignment:
    """The ``size`` best visible satellites; members keep their places, and the master its lead, within a hysteresis."""
    chosen = best(score + hysteresis * view.serving, view.visible, size, view.capacity)
    return led(chosen, score, score + hysteresis * leads(view))


def placed(view: AssociationView, score: FloatArray, wanted: BoolArray) -> Assignment:
    """One satellite a terminal: the best wanted one, else the one that leads now, else the best of all.

    A satellite that is full turns away who arrives, not who is there.
    """
    seen = score[view.visible]
    apart = 1.0 + np.ptp(seen) if seen.size else 1.0
    lead = leads(view)
    wish = np.where(view.visible, score + apart * (2.0 * wanted + lead), -np.inf)
    room = wish.shape[1] if view.capacity is None else view.capacity
    return led(seated(wish, score + apart * lead, np.full(len(wish), room)), score)


def received_db(view: AssociationView) -> FloatArray:
    """(V,K) mean signal-to-noise ratio of each satellite at its whole power, in dB; finite without a link, too."""
    ratio = view.power_w * view.mean_gain() / view.noise_w
    return np.asarray(to_db(np.maximum(ratio, np.finfo(float).tiny)))
