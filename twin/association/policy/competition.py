"""P2's user-centric clustering: terminals compete for the capacity of satellites."""

from __future__ import annotations

from heapq import heappop, heappush
from typing import Annotated

import numpy as np
from annotated_types import Ge

from twin.arrays import BoolArray, FloatArray, IntArray
from twin.association.problem import Assignment, AssociationView, policies
from twin.association.toolkit.ranking import best, clustered, leads, led, received_db
from twin.registry import dataclass_options


@dataclass_options
class CompetitionOptions:
    """Cluster size, capacity and hysteresis."""

    satellites_per_terminal: Annotated[int, Ge(1)] = 5
    """S_k: satellites that jointly serve a terminal."""
    terminals_per_satellite: Annotated[int, Ge(1)] | None = None
    """K_s^max: most terminals that one satellite serves, in addition to association.capacity. None means no limit."""
    failures: Annotated[int, Ge(0)] | None = None
    """Lost competitions after which a terminal competes no more. None means: visible satellites minus S_k."""
    hysteresis_db: Annotated[float, Ge(0.0)] = 0.0
    """A member is replaced only by a satellite stronger by more than this; P2 has no hysteresis."""


@policies.register(
    "competition",
    source="P2, Section V-A",
    options=CompetitionOptions,
    largest_cluster=lambda options: options.satellites_per_terminal,
)
def competition(view: AssociationView, *, options: CompetitionOptions) -> Assignment:
    """Terminals take satellites in the order of channel power; at a full satellite the weakest terminal loses.

    P2 describes the procedure in words and leaves the order of the terminals open: here those with the fewest visible
    satellites begin, then those whose strongest satellite is weakest. `competed` lists the other assumptions. Places
    that are free in the end, because a terminal that holds more than S_k satellites keeps the strongest alone, are
    offered to terminals with fewer: none stays unserved while a satellite in its view has a free place.
    """
    size, score, visible = options.satellites_per_terminal, received_db(view), view.visible
    limits = [limit for limit in (options.terminals_per_satellite, view.capacity) if limit is not None]
    if not limits or (visible.sum(axis=1) <= min(limits)).all():
        return clustered(view, score, size=size, hysteresis=options.hysteresis_db)
    choice = visible.sum(axis=0)
    failures = np.maximum(choice - size, 0) if options.failures is None else np.full_like(choice, options.failures)
    order = np.lexsort((np.where(visible, score, -np.inf).max(axis=0), choice))
    candidates = competed(score, visible, capacity=min(limits), failures=failures, order=order)
    chosen = best(score, candidates, size, None)
    if options.hysteresis_db > 0.0:
        leaving = view.serving & visible & ~chosen
        chosen = _retained(chosen, leaving, view.serving, score, options.hysteresis_db, (size, min(limits)))
    offer_free_places(chosen, score, visible, size=size, capacity=min(limits), order=order)
    return led(chosen, score, score + options.hysteresis_db * leads(view))


def _retained(
    chosen: BoolArray,
    leaving: BoolArray,
    serving: BoolArray,
    score: FloatArray,
    hysteresis_db: float,
    limits: tuple[int, int],
) -> BoolArray:
    """Return clusters (V,K) in which leaving members replace new ones that are not stronger by the hysteresis.

    The hysteresis applies after the competition. Within it, each retained member would change the outcome for other
    terminals, and clusters could change at every decision of a static geometry.

    Parameters
    ----------
    chosen
        (V,K) clusters after the competition.
    leaving
        (V,K) members now that are not chosen.
    serving
        (V,K) members now.
    score
        (V,K) received power in dB.
    hysteresis_db
        Least advantage of a new member.
    limits
        Most satellites of a terminal, most terminals of a satellite.
    """
    size, capacity = limits
    kept, load = chosen.copy(), chosen.sum(axis=1)
    satellites, terminals = np.nonzero(leaving)
    order = np.lexsort((terminals, satellites, -score[satellites, terminals]))
    for member, terminal in zip(satellites[order], terminals[order], strict=True):
        if load[member] >= capacity:
            continue
        if kept[:, terminal].sum() >= size:
            joined = np.flatnonzero(kept[:, terminal] & ~serving[:, terminal])
            joined = joined[score[joined, terminal] <= score[member, terminal] + hysteresis_db]
            if not len(joined):
                continue
            weakest = joined[score[joined, terminal].argmin()]
            kept[weakest, terminal] = False
            load[weakest] -= 1
        kept[member, terminal] = True
        load[member] += 1
    return kept


def offer_free_places(
    chosen: BoolArray, score: FloatArray, visible: BoolArray, *, size: int, capacity: int, order: IntArray
) -> None:
    """Give free places of satellites to terminals with fewer members than S_k, those with the fewest first.

    Parameters
    ----------
    chosen
        (V,K) clusters; pairs are added in place.
    score
        (V,K) received power in dB; a terminal takes the strongest satellite that has a free place.
    visible
        (V,K) pairs that may serve.
    size, capacity
        S_k; most terminals of a satellite.
    order
        (K,) terminals in the order in which they take places, among those with equally many members.
    """
    members, load = chosen.sum(axis=0), chosen.sum(axis=1)
    for level in range(size):
        for terminal in order[members[order] == level]:
            free = np.flatnonzero(visible[:, terminal] & ~chosen[:, terminal] & (load < capacity))
            if len(free):
                taken = free[score[free, terminal].argmax()]
                chosen[taken, terminal] = True
                load[taken] += 1
                members[terminal] += 1


def competed(power: FloatArray, visible: BoolArray, *, capacity: int, failures: IntArray, order: IntArray) -> BoolArray:
    """Return the pairs (V,K) that remain after P2's main procedure and its competitions.

    Assumed where P2 is silent: a terminal that has used up its failures keeps its satellites and gets each one that it
    has not tried yet; at a full satellite it replaces the weakest terminal that may still lose, and gets nothing if
    there is no such terminal, so that no satellite exceeds its capacity. Satellites that cannot be full are left out
    of the competition.

    Parameters
    ----------
    power
        (V,K) channel power on any increasing scale.
    visible
        (V,K) pairs that may serve.
    capacity
        K_s^max: most terminals of a satellite.
    failures
        (K,) lost competitions after which a terminal competes no more.
    order
        (K,) terminals in the order in which they take satellites.
    """
    held = visible & (visible.sum(axis=1) <= capacity)[:, None]
    contested = visible & ~held
    by_power = np.argsort(np.where(contested, -power, np.inf), axis=0, kind="stable").T.tolist()
    count, power_of = contested.sum(axis=0).tolist(), power.tolist()
    free = [capacity] * len(power)
    # (power, -turn, terminal) of the terminals that may lose a satellite; the weakest is first
    losable: list[list[tuple[float, int, int]]] = [[] for _ in power_of]
    failures_left = failures.tolist()
    for turn, terminal in enumerate(order.tolist()):
        for satellite in by_power[terminal][: count[terminal]]:
            if failures_left[terminal] > 0:
                heappush(losable[satellite], (power_of[satellite][terminal], -turn, terminal))
            if free[satellite]:
                free[satellite] -= 1
                held[satellite, terminal] = True
                continue
            loser = _weakest(losable[satellite], failures_left)
            if loser is None:
                continue
            held[satellite, terminal] = True
            held[satellite, loser] = False
            failures_left[loser] -= 1
    return np.asarray(held)


def _weakest(losable: list[tuple[float, int, int]], failures_left: list[int]) -> int | None:
    """Remove and return the weakest terminal of a satellite that may still lose, or None."""
    while losable:
        terminal = heappop(losable)[2]
        if failures_left[terminal] > 0:
            return terminal
    return None
