"""The best distribution of all terminals at once."""

from __future__ import annotations

from dataclasses import replace
from typing import Annotated, Literal

import numpy as np
from annotated_types import Ge
from scipy import sparse
from scipy.optimize import linear_sum_assignment
from scipy.sparse.csgraph import maximum_flow

from twin.arrays import BoolArray, FloatArray, IntArray
from twin.association.problem import Assignment, AssociationView, policies
from twin.association.toolkit.ranking import led, received_db
from twin.registry import dataclass_options


@dataclass_options
class LoadBalancedOptions:
    """What the sum over all terminals is of."""

    objective: Literal["gain", "elevation"] = "gain"
    """The received power in dB, or the elevation in degrees, of each terminal's satellite."""
    even: bool = False
    """Load no satellite more than it takes to serve as many terminals as can be served."""
    hysteresis: Annotated[float, Ge(0.0)] = 0.0
    """What a change of satellite must gain, in dB or degrees."""


@policies.register("load_balanced", source="maximum-weight matching", options=LoadBalancedOptions, largest_cluster=1)
def load_balanced(view: AssociationView, *, options: LoadBalancedOptions) -> Assignment:
    """As many terminals as capacity allows are served, and then the sum of their gains or elevations is greatest."""
    score = received_db(view) if options.objective == "gain" else view.elevation_deg
    capacity = view.capacity
    if options.even:
        capacity = least_load(view.visible, capacity)
    chosen = matched(score + options.hysteresis * view.serving, view.visible, capacity)
    return replace(led(chosen, score), reason=np.full(view.master.shape, "matching"))


def matched(weight: FloatArray, eligible: BoolArray, capacity: int | None) -> BoolArray:
    """The matching of most terminals, and among those of the greatest sum of weights; exact.

    Parameters
    ----------
    weight
        (V,K) of each pair.
    eligible
        (V,K) pairs that may be matched.
    capacity
        Most terminals of a satellite; a terminal has one satellite.
    """
    value = np.where(eligible, weight, -np.inf)
    if not eligible.any():
        return eligible.copy()
    terminals = eligible.shape[1]
    room = terminals if capacity is None else min(capacity, terminals)
    fallback, contested = _without_contest(_within_need(value, room), room)
    chosen = np.zeros_like(eligible)
    rows, pairs = np.flatnonzero(contested.any(axis=1)), contested.any(axis=0)
    held = np.full(terminals, -1)
    if pairs.any():
        held[pairs] = _contest(value, fallback, contested, rows, np.flatnonzero(pairs), room)
    held = np.where(held < 0, fallback, held)
    served = np.flatnonzero(held >= 0)
    chosen[held[served], served] = True
    return chosen


def _within_need(value: FloatArray, room: int) -> FloatArray:
    """The values less those that no terminal needs: one of its best K/room satellites always has room."""
    need = -(-value.shape[1] // room)
    if need >= len(value):
        return value
    order = np.argsort(-value, axis=0, kind="stable")[:need]
    kept = np.full(value.shape, -np.inf)
    np.put_along_axis(kept, order, np.take_along_axis(value, order, axis=0), axis=0)
    return kept


def _without_contest(value: FloatArray, room: int) -> tuple[IntArray, BoolArray]:
    """The best satellite of each terminal among those that cannot be full, -1 for none, and the better pairs (V,K)."""
    wanted = np.isfinite(value)
    columns = np.arange(value.shape[1])
    while True:
        crowded = wanted.sum(axis=1) > room
        free = np.where(wanted & ~crowded[:, None], value, -np.inf)
        rows = free.argmax(axis=0)
        found = free[rows, columns]
        better = wanted & crowded[:, None] & (value > found)
        if np.array_equal(better.sum(axis=1) > room, crowded):
            return np.where(np.isfinite(found), rows, -1), better
        wanted = np.where(crowded[:, None], better, wanted)


def _contest(
    value: FloatArray,
    fallback: IntArray,
    contested: BoolArray,
    rows: IntArray,
    columns: IntArray,
    room: int,
) -> IntArray:
    """Satellites (J,) that J terminals win among the contested, -1 where they fall back."""
    seats = np.repeat(rows, np.minimum(room, contested[rows].sum(axis=1)))
    wins = contested[np.ix_(rows, columns)]
    alone = fallback[columns] < 0
    back = value[fallback[columns], columns]
    known = np.concatenate([value[np.ix_(rows, columns)][wins], back[~alone]])
    # to be served at all counts for more than all else together
    nobody = known.min() - (len(columns) + 1.0) * (1.0 + np.ptp(known))
    gain = value[np.ix_(seats, columns)] - np.where(alone, nobody, back)
    profit = np.concatenate([np.where(contested[np.ix_(seats, columns)], gain, 0.0), np.zeros((len(columns),) * 2)])
    winner, seat = linear_sum_assignment(profit.T, maximize=True)
    found = np.full(len(columns), -1)
    taken = profit[seat, winner] > 0.0
    found[winner[taken]] = seats[seat[taken]]
    return found


def least_load(eligible: BoolArray, capacity: int | None) -> int:
    """The least load of the fullest satellite with which as many terminals are served as within the capacity."""
    top = eligible.shape[1] if capacity is None else min(capacity, eligible.shape[1])
    most, low = _most_served(eligible, top), 1
    while low < top:
        middle = (low + top) // 2
        if _most_served(eligible, middle) == most:
            top = middle
        else:
            low = middle + 1
    return int(max(1, top))


def _most_served(eligible: BoolArray, capacity: int) -> int:
    """How many terminals can be served: the maximum flow from a source over terminals and satellites to a sink."""
    satellites, terminals = eligible.shape
    row, column = np.nonzero(eligible)
    source, sink = satellites + terminals, satellites + terminals + 1
    tail = [np.full(terminals, source), satellites + column, np.arange(satellites)]
    head = [satellites + np.arange(terminals), row, np.full(satellites, sink)]
    limit = [np.ones(terminals), np.ones(len(row)), np.full(satellites, capacity)]
    network = sparse.csr_array(
        (np.concatenate(limit).astype(np.int32), (np.concatenate(tail), np.concatenate(head))), shape=(sink + 1,) * 2
    )
    return int(maximum_flow(network, source, sink).flow_value)
