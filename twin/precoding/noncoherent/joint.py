"""P1's Algorithm 1: the satellites of a cluster all send all streams of a terminal, without a common phase.

The problem of satellite s has T_s = Σ_i t_si v_i* v_iᵀ and right-hand sides in the span of the v_i*. Under a cap on the
total power, one singular value decomposition in coordinates of that span serves every trial multiplier. Under other
caps W leaves the span, and the problem is solved over the antennas.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Literal

import numpy as np
from annotated_types import Ge

from twin.errors import InputError
from twin.precoding.noncoherent.alternating import Solver, alternate
from twin.precoding.noncoherent.constraints import (
    PowerCap,
    PowerConstraints,
    check_constraints,
    constraints_of_options,
    form,
)
from twin.precoding.noncoherent.eigenmodes import along_modes, mmse_directions
from twin.precoding.noncoherent.multipliers import total_power, total_power_by_bisection
from twin.precoding.noncoherent.solvers import AntennaSolver, SpannedSolver
from twin.precoding.problem import Precoding, PrecodingProblem, precoders
from twin.precoding.stream_limits import check_streams
from twin.registry import Facts, dataclass_options
from twin.solvers.span import Span


@dataclass_options
class NoncoherentOptions:
    """Number of streams, power constraints, and when the iteration ends."""

    streams: Annotated[int, Ge(1)] = 1
    """S: streams of each terminal."""
    constraint: Literal["total", "per_antenna"] = "total"
    """A cap on each satellite's power, or an equal fraction of it on each of its antennas."""
    caps: tuple[PowerCap, ...] = ()
    """Other caps, which replace ``constraint``; the satellite's total power remains a limit."""
    multipliers: Literal["newton", "ellipsoid", "bisection"] = "newton"
    """Search for the multipliers; those of P1 are ellipsoid for several caps, which is slow, and bisection for one."""
    iterations: Annotated[int, Ge(1)] = 40
    """I_max: iterations from a cold start (P1: 40)."""
    warm_iterations: Annotated[int, Ge(1)] = 1
    """Iterations from the last weights of the same clusters."""
    change_iterations: Annotated[int, Ge(1)] = 3
    """Iterations from the last weights if clusters have changed since."""
    tolerance: Annotated[float, Ge(0.0)] = 1e-4
    """ε: the iteration ends when the objective (13a) changes by less (P1: 1e-4)."""

    def check(self, facts: Facts) -> None:
        """Refuse options that the scenario cannot meet.

        Raises
        ------
        ValueError
            If there are too many streams, a cap is not valid, or bisection is asked for with several caps; the message
            begins with the key.
        """
        check_streams(self.streams, facts)
        antennas = facts.satellite_rows * facts.satellite_columns
        for place, cap in enumerate(self.caps):
            form(cap, f"caps[{place}]", antennas)
        several = len(self.caps) > 0 or (self.constraint == "per_antenna" and antennas > 1)
        if self.multipliers == "bisection" and several:
            raise ValueError('multipliers: "bisection" is for the total power only, must be "newton" or "ellipsoid"')


@precoders.register("joint_ncjt", source="P1, Algorithm 1", options=NoncoherentOptions)
def joint_ncjt(problem: PrecodingProblem, *, options: NoncoherentOptions) -> Precoding:
    """Joint non-coherent transmission: every satellite of a cluster sends every stream, under convex power caps."""
    antennas = problem.csi.array.elements
    return joint(problem, constraints_of_options(options.constraint, options.caps, problem.power_w, antennas), options)


def joint(problem: PrecodingProblem, constraints: Sequence[PowerConstraints], options: NoncoherentOptions) -> Precoding:
    """P1's Algorithm 1 under given constraints of each satellite.

    Parameters
    ----------
    problem
        The precoding problem; its powers are not used.
    constraints
        One set for each satellite.
    options
        Streams, limits of the iteration and search method; ``constraint`` and ``caps`` are not used.

    Raises
    ------
    InputError
        If the constraints do not fit the problem, or bisection is asked for with several.
    """
    csi = problem.csi
    check_constraints(constraints, len(problem.serving), csi.array.elements)
    power_w = np.array([_start_power_w(one) for one in constraints])
    active = problem.serving & (csi.gain > 0.0) & (power_w > 0.0)[:, None] & (problem.weight > 0.0)
    span = Span.of(csi.gram)
    total_w = [one.total_w() for one in constraints]
    solver: Solver
    if all(one is not None for one in total_w):
        search = total_power if options.multipliers == "newton" else total_power_by_bisection
        solver = SpannedSolver(csi=csi, span=span, cap_w=np.array(total_w, dtype=np.float64), search=search)
    else:
        if options.multipliers == "bisection" and any(len(one.cap_w) > 1 for one in constraints):
            raise InputError('multipliers: "bisection" is for one constraint, must be "newton" or "ellipsoid"')
        solver = AntennaSolver.of(csi, constraints, options.multipliers)
    cold = along_modes(csi, mmse_directions(csi, span), active, power_w, options.streams).responses(span)
    masks = np.broadcast_to(active[:, :, None], (*active.shape, options.streams))
    return alternate(problem, solver, masks, cold, options)


def _start_power_w(constraints: PowerConstraints) -> float:
    """ρ̄ of (21): the smallest cap above zero, because no stream would start from a cap of zero."""
    usable = constraints.cap_w[constraints.cap_w > 0.0]
    if constraints.total_w() == 0.0 or not len(usable):
        return 0.0
    return float(usable.min())
