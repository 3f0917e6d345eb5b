"""Optimal assignment of all terminals at once."""

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
    """Objective, load limit and hysteresis."""

    objective: Literal["gain", "elevation"] = "gain"
    """The sum over all terminals is that of the received power in dB or of the elevation in degrees."""
    even: bool = False
    """Limit every satellite's load to the smallest one with which as many terminals as possible are served."""
    hysteresis: Annotated[float, Ge(0.0)] = 0.0
    """Gain that a change of satellite must exceed, in dB or degrees."""


@policies.register("load_balanced", source="maximum-weight matching", options=LoadBalancedOptions, largest_cluster=1)
def load_balanced(view: AssociationView, *, options: LoadBalancedOptions) -> Assignment:
    """Serves as many terminals as capacity allows, and among these assignments maximises the sum of their scores."""
    score = received_db(view) if options.objective == "gain" else view.elevation_deg
    capacity = view.capacity
    if options.even:
        capacity = least_load(view.visible, capacity)
    chosen = matched(score + options.hysteresis * view.serving, view.visible, capacity)
    return replace(led(chosen, score), reason=np.full(view.master.shape, "matching"))


def matched(weight: FloatArray, eligible: BoolArray, capacity: int | None) -> BoolArray:
    """Return the pairs (V,K) of the matching with the most terminals and then the greatest sum of weights; exact.

    Parameters
    ----------
    weight
        (V,K) weight of each pair.
    eligible
        (V,K) pairs that may be matched.
    capacity
        Most terminals of a satellite; a terminal has one satellite.
    """
    value = np.where(eligible, weight, -np.inf)
    if not eligible.any():
        return eligible.copy()
    terminals = eligible.shape[1]
    limit = terminals if capacity is None else min(capacity, terminals)
    fallback, contested = _uncontested(_only_needed(value, limit), limit)
    chosen = np.zeros_like(eligible)
    rows, competes = np.flatnonzero(contested.any(axis=1)), contested.any(axis=0)
    satellite = np.full(terminals, -1)
    if competes.any():
        satellite[competes] = _contest(value, fallback, contested, rows, np.flatnonzero(competes), limit)
    satellite = np.where(satellite < 0, fallback, satellite)
    served = np.flatnonzero(satellite >= 0)
    chosen[satellite[served], served] = True
    return chosen


def _only_needed(value: FloatArray, capacity: int) -> FloatArray:
    """Return the values of each terminal's best K/capacity satellites, one of which always has capacity left."""
    needed = -(-value.shape[1] // capacity)
    if needed >= len(value):
        return value
    order = np.argsort(-value, axis=0, kind="stable")[:needed]
    kept = np.full(value.shape, -np.inf)
    np.put_along_axis(kept, order, np.take_along_axis(value, order, axis=0), axis=0)
    return kept


def _uncontested(value: FloatArray, capacity: int) -> tuple[IntArray, BoolArray]:
    """Return each terminal's best satellite that cannot become full (K,), -1 without one, and the better pairs (V,K).

    The better pairs are those at satellites that more terminals want than they can serve.
    """
    wanted = np.isfinite(value)
    columns = np.arange(value.shape[1])
    while True:
        overloaded = wanted.sum(axis=1) > capacity
        free = np.where(wanted & ~overloaded[:, None], value, -np.inf)
        rows = free.argmax(axis=0)
        fallback = free[rows, columns]
        better = wanted & overloaded[:, None] & (value > fallback)
        if np.array_equal(better.sum(axis=1) > capacity, overloaded):
            return np.where(np.isfinite(fallback), rows, -1), better
        wanted = np.where(overloaded[:, None], better, wanted)


def _contest(
    value: FloatArray,
    fallback: IntArray,
    contested: BoolArray,
    rows: IntArray,
    columns: IntArray,
    capacity: int,
) -> IntArray:
    """Return the contested satellite (J,) that each of J terminals gets, -1 where it takes its fallback.

    Parameters
    ----------
    value
        (V,K) weight of each pair.
    fallback
        (K,) row of each terminal's fallback, -1 without one.
    contested
        (V,K) contested pairs.
    rows
        Rows of the contested satellites.
    columns
        (J,) terminals with a contested pair.
    capacity
        Most terminals of a satellite.
    """
    slots = np.repeat(rows, np.minimum(capacity, contested[rows].sum(axis=1)))
    pairs = contested[np.ix_(rows, columns)]
    no_fallback = fallback[columns] < 0
    fallback_value = value[fallback[columns], columns]
    known = np.concatenate([value[np.ix_(rows, columns)][pairs], fallback_value[~no_fallback]])
    # serving one more terminal outweighs all differences of value together
    unserved = known.min() - (len(columns) + 1.0) * (1.0 + np.ptp(known))
    gain = value[np.ix_(slots, columns)] - np.where(no_fallback, unserved, fallback_value)
    profit = np.concatenate([np.where(contested[np.ix_(slots, columns)], gain, 0.0), np.zeros((len(columns),) * 2)])
    terminal, slot = linear_sum_assignment(profit.T, maximize=True)
    satellite = np.full(len(columns), -1)
    taken = profit[slot, terminal] > 0.0
    satellite[terminal[taken]] = slots[slot[taken]]
    return satellite


def least_load(eligible: BoolArray, capacity: int | None) -> int:
    """Return the smallest capacity with which as many terminals can be served as with the given one."""
    high = eligible.shape[1] if capacity is None else min(capacity, eligible.shape[1])
    most, low = _most_served(eligible, high), 1
    while low < high:
        middle = (low + high) // 2
        if _most_served(eligible, middle) == most:
            high = middle
        else:
            low = middle + 1
    return int(max(1, high))


def _most_served(eligible: BoolArray, capacity: int) -> int:
    """Return how many terminals can be served: the maximum flow over terminals and satellites to a sink."""
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
