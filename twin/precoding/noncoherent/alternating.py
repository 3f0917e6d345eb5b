"""The iteration of P1's Algorithms 1 and 3: receivers of all terminals, then each satellite's convex problem.

Satellites that share a stream are updated one after the other, each with the newest weights of the others. Satellites
without a common stream are updated together, which gives the same result.
"""

from __future__ import annotations

from typing import Protocol

import numpy as np

from twin.arrays import BoolArray, ComplexArray, FloatArray, IntArray, Reach
from twin.precoding.noncoherent.effective import EffectiveChannels, SatelliteRows
from twin.precoding.problem import Precoding, PrecodingProblem
from twin.precoding.rule import Weights
from twin.precoding.warm_start import IterationLimits, carried_responses, warm_iterations


class ConvergenceLimits(IterationLimits, Protocol):
    """Options that end P1's iterations."""

    @property
    def tolerance(self) -> float:
        """Change of the objective at which the iteration ends."""


class Solver(Protocol):
    """Solves and stores the satellites' convex problems."""

    def solve(self, rows: SatelliteRows, load: FloatArray, target: ComplexArray) -> ComplexArray:
        """v_iᵀ W_k (g,B,B,L) of the solutions of some satellites, for T of weights (g,B) and z (g,B,B,L)."""

    def weights(self) -> Weights:
        """The stored solutions."""


def alternate(
    problem: PrecodingProblem,
    solver: Solver,
    active: BoolArray,
    cold: ComplexArray,
    limits: ConvergenceLimits,
    order: IntArray | None = None,
) -> Precoding:
    """Alternate between receivers and satellites until the objective (13a) no longer changes.

    Parameters
    ----------
    problem
        The precoding problem.
    solver
        Of the satellites' problems.
    active
        (S,K,L) streams that each satellite may send.
    cold
        (S,B,B,L) v_iᵀ W_k to start from without a usable ``problem.start``.
    limits
        Iterations and tolerance.
    order
        (S,) rows of the satellites in the order of their updates; None means by catalogue number, which does not depend
        on the order of rows.
    """
    effective = EffectiveChannels.of(problem.csi, problem.weight)
    active_pairs = problem.csi.reach.gather(active)
    responses, most = _start(problem, active_pairs, cold, limits)
    order = np.argsort(problem.csi.norad_id, kind="stable") if order is None else order
    groups = update_groups(active_pairs, problem.csi.reach, order)
    arrivals = effective.arrivals(responses)
    last, iterations, converged = np.inf, 0, False
    while iterations < most and not converged:
        iterations += 1
        receivers = effective.receivers(arrivals)
        problems = effective.satellite_problems(receivers, active_pairs)
        for place, rows in enumerate(groups):
            target = effective.leftover(arrivals, problems, responses, rows)
            found = solver.solve(rows, problems.load[rows], target)
            if place < len(groups) - 1:
                effective.change(arrivals, found - responses[rows], rows)
            responses[rows] = found
        arrivals = effective.arrivals(responses)
        objective = effective.objective(arrivals, receivers)
        converged = bool(abs(last - objective) <= limits.tolerance)
        last = objective
    return Precoding(weights=solver.weights(), iterations=iterations, converged=converged)


def update_groups(active: BoolArray, reach: Reach, order: IntArray) -> list[SatelliteRows]:
    """Satellites that are updated together: after all earlier satellites in the order with a common stream.

    Parameters
    ----------
    active
        (S,B,L) streams that each satellite may send to the terminals in reach.
    reach
        The terminals in reach.
    order
        (S,) rows of the satellites in the order of their updates.
    """
    sent: BoolArray = np.asarray(active.any(axis=2))
    if (reach.scatter(active).sum(axis=0) <= 1).all():  # no stream is shared: the order has no effect
        return [slice(0, len(order))]
    group = np.zeros(len(order), dtype=np.int64)
    next_group = np.zeros(reach.terminals, dtype=np.int64)
    for row in order:
        own = reach.terminal[row][sent[row]]
        group[row] = next_group[own].max(initial=0)
        next_group[own] = group[row] + 1
    groups: list[SatelliteRows] = []
    for number in range(int(group.max(initial=0)) + 1):
        rows = np.flatnonzero(group == number)
        groups.append(slice(int(rows[0]), int(rows[0]) + 1) if len(rows) == 1 else rows)
    return groups


def _start(
    problem: PrecodingProblem, active: BoolArray, cold: ComplexArray, limits: ConvergenceLimits
) -> tuple[ComplexArray, int]:
    """v_iᵀ W_k (S,B,B,L) to start from, and the largest number of iterations.

    Streams without given weights start cold; streams that are no longer sent are dropped.
    """
    given = carried_responses(problem.start, problem.csi)
    if given is None or given.shape != cold.shape:
        return np.array(cold), limits.iterations
    known: BoolArray = np.asarray(given.any(axis=1))
    if _all_or_none(active):
        known = np.broadcast_to(known.any(axis=2, keepdims=True), known.shape)
    kept = np.where(known[:, None], given, cold) * active[:, None]
    return kept, warm_iterations(limits, unchanged=np.array_equal(known, active))


def _all_or_none(active: BoolArray) -> bool:
    """Whether each satellite sends all streams of a terminal or none; a stream without power is then not a new one."""
    return bool((active.all(axis=2) == active.any(axis=2)).all())
