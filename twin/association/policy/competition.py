"""P2's user-centric clusters: terminals compete for the places of satellites."""

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
    """How many serve whom."""

    satellites_per_terminal: Annotated[int, Ge(1)] = 5
    """S_k: satellites that serve a terminal together."""
    terminals_per_satellite: Annotated[int, Ge(1)] | None = None
    """K_s^max: most terminals of a satellite, within association.capacity."""
    failures: Annotated[int, Ge(0)] | None = None
    """After so many lost competitions a terminal competes no more; none: when it has but S_k satellites left."""
    hysteresis_db: Annotated[float, Ge(0.0)] = 0.0
    """A member that lost its place is left only for a satellite stronger by more than this; P2 has none."""


@policies.register(
    "competition",
    source="P2, Section V-A",
    options=CompetitionOptions,
    largest_cluster=lambda options: options.satellites_per_terminal,
)
def competition(view: AssociationView, *, options: CompetitionOptions) -> Assignment:
    """Terminals take satellites by channel power; at a full one the weakest loses; nobody is left with too few or many.

    P2 describes it in words. They leave open who begins: here those who see the fewest satellites, then those whose
    strongest is weakest. See `competed` for what else had to be read into them.
    """
    size, score, seen = options.satellites_per_terminal, received_db(view), view.visible
    limits = [limit for limit in (options.terminals_per_satellite, view.capacity) if limit is not None]
    if not limits or (seen.sum(axis=1) <= min(limits)).all():
        return clustered(view, score, size=size, hysteresis=options.hysteresis_db)
    reach = seen.sum(axis=0)
    limit = np.maximum(reach - size, 0) if options.failures is None else np.full_like(reach, options.failures)
    turns = np.lexsort((np.where(seen, score, -np.inf).max(axis=0), reach))
    chosen = best(score, competed(score, seen, room=min(limits), limit=limit, turns=turns), size, None)
    if options.hysteresis_db > 0.0:
        stays = view.serving & seen & ~chosen
        chosen = _retained(chosen, stays, view.serving, score, options.hysteresis_db, (size, min(limits)))
    return led(chosen, score, score + options.hysteresis_db * leads(view))


def _retained(
    chosen: BoolArray,
    leaving: BoolArray,
    serving: BoolArray,
    score: FloatArray,
    hysteresis_db: float,
    most: tuple[int, int],
) -> BoolArray:
    """Clusters (V,K) in which leaving members stay instead of new ones that are not much stronger, where there is room.

    Asked after the competition and not within it, where every place that is kept would change who fails where: then
    clusters need not come to rest while nothing moves.
    """
    size, room = most
    made, load = chosen.copy(), chosen.sum(axis=1)
    satellites, terminals = np.nonzero(leaving)
    order = np.lexsort((terminals, satellites, -score[satellites, terminals]))
    for member, terminal in zip(satellites[order], terminals[order], strict=True):
        if load[member] >= room:
            continue
        if made[:, terminal].sum() >= size:
            joined = np.flatnonzero(made[:, terminal] & ~serving[:, terminal])
            joined = joined[score[joined, terminal] <= score[member, terminal] + hysteresis_db]
            if not len(joined):
                continue
            weakest = joined[score[joined, terminal].argmin()]
            made[weakest, terminal] = False
            load[weakest] -= 1
        made[member, terminal] = True
        load[member] += 1
    return made


def competed(power: FloatArray, seen: BoolArray, *, room: int, limit: IntArray, turns: IntArray) -> BoolArray:
    """Who holds which satellite (V,K) after the main procedure and its competitions.

    A terminal that has failed ``limit`` times keeps what it holds and is given each satellite that it has not yet
    tried: at a full one in the place of the weakest who may still lose, and nowhere else, so that no satellite is
    ever over-full. Satellites that cannot be full see no competition, and are left out of it.

    Parameters
    ----------
    power
        (V,K) channel power on any rising scale.
    seen
        (V,K) pairs that can be.
    room
        K_s^max: most terminals of a satellite.
    limit
        (K,) failures after which a terminal competes no more.
    turns
        (K,) terminals in the order in which they begin.
    """
    held = seen & (seen.sum(axis=1) <= room)[:, None]
    contested = seen & ~held
    order = np.argsort(np.where(contested, -power, np.inf), axis=0, kind="stable").T.tolist()
    count, worth = contested.sum(axis=0).tolist(), power.tolist()
    spare = [room] * len(power)
    at_stake: list[list[tuple[float, int, int]]] = [[] for _ in worth]  # (power, -turn, terminal): the weakest first
    left = limit.tolist()
    for turn, terminal in enumerate(turns.tolist()):
        for satellite in order[terminal][: count[terminal]]:
            if left[terminal] > 0:
                heappush(at_stake[satellite], (worth[satellite][terminal], -turn, terminal))
            if spare[satellite]:
                spare[satellite] -= 1
                held[satellite, terminal] = True
                continue
            loser = _weakest(at_stake[satellite], left)
            if loser is None:
                continue
            held[satellite, terminal] = True
            held[satellite, loser] = False
            left[loser] -= 1
    return np.asarray(held)


def _weakest(at_stake: list[tuple[float, int, int]], left: list[int]) -> int | None:
    """Take the weakest terminal that may still lose from those at a satellite."""
    while at_stake:
        terminal = heappop(at_stake)[2]
        if left[terminal] > 0:
            return terminal
    return None
