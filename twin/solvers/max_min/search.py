"""The largest SINR that all terminals reach, between a reached target and an upper bound.

For a given target the amplitudes that reach it form a convex set, cut out by second-order cones: the least SINR is
quasi-concave, and a point that satisfies the first-order conditions is a global maximum. Bisection tests one target
after another for feasibility; here a primal-dual interior-point method with Mehrotra's corrector raises the target
together with the amplitudes, and its dual variables give a rigorous upper bound.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

import numpy as np

from twin.arrays import FloatArray, IntArray
from twin.records import documented
from twin.solvers.max_min.hessian import block_sums
from twin.solvers.max_min.interior_point import DualVariables, InteriorPoint
from twin.solvers.max_min.layout import Blocks
from twin.solvers.max_min.limits import Budgets
from twin.solvers.max_min.line_search import LineSearch
from twin.solvers.max_min.newton import CentringTarget, Newton, SearchDirection
from twin.solvers.max_min.targets import LinearisedSinr, Sinr, TargetModel

MOST_STEPS: Final = 150
"""Most Newton steps; about twenty are usual."""
SHARES: Final = np.array(
    [1.0, 0.99, 0.97, 0.94, 0.9, 0.85, 0.8, 0.7, 0.6, 0.5, 0.4, 0.3, 0.2, 0.1, 0.05, 0.02, 5e-3, 1e-3, 1e-4]
)
"""Step lengths that are tried."""
CENTRINGS: Final = (0.3, 1.0)
"""Centring parameters tried if the step with a smaller one is short."""
FAR: Final = 0.8
"""Largest fraction of the gap that an accepted step leaves."""
LEAST_GAP: Final = 0.2
"""Fraction of the tolerance that the gap is reduced to at least."""
LEAST_AIM: Final = 1e-4
"""Fraction of the tolerance below which smaller gaps give no better bound."""
LEAST_PRODUCT: Final = 0.02
"""Smallest allowed product of dual variable and slack, as a fraction of the mean product."""
LEAST_PRICE: Final = 0.1
"""Smallest dual variable of a limit in a bound, as a fraction of tolerance times the mean dual variable."""
BOTTLENECKS: Final = (np.inf, 1e-3, 1e-5, 1e-7)
"""Slacks, as fractions of (b_kᵀp_k)², below which a terminal is assumed to limit the others."""
BALANCINGS: Final = 12
"""Most rounds in which the dual variables are equalised for a bound."""
HOPELESS: Final = 0.1
"""Fraction of its excess by which a round must lower the bound for another round to follow."""


@documented
@dataclass(frozen=True, slots=True, kw_only=True)
class Solution:
    """The best amplitudes found."""

    amplitude: FloatArray
    """(J,A) p, with one limit fully used."""
    least_sinr: float
    """Their least SINR."""
    bound: float
    """Upper bound of the least SINR of any amplitudes within the limits."""
    steps: int
    """Newton steps, or solved cone programs for `successive`."""
    converged: bool
    """Whether bound and least SINR agree within the tolerance."""


def maximise(
    blocks: Blocks, budgets: Budgets, *, tolerance: float, start: FloatArray | None = None, certified: bool = True
) -> Solution:
    """Solve P5's problem (32), max-min SINR within limits, to its global optimum.

    Parameters
    ----------
    blocks
        Terminals and the pairs that may serve.
    budgets
        Limits on weighted sums of p².
    tolerance
        Relative distance of the least SINR from its upper bound.
    start
        (J,A) amplitudes to start from.
    certified
        Continue until the rigorous bound meets the tolerance; otherwise until the duality gap does.
    """
    search = _Search.begin(blocks, budgets, Sinr(), start)
    bound, aim = np.inf, tolerance
    for steps in range(1, MOST_STEPS + 1):  # noqa: B007 - wanted afterwards
        if search.gap < aim and not certified:
            break
        if search.gap < aim:
            bound, aim = min(bound, upper_bound(search.point, search.held, tolerance)), LEAST_GAP * aim
            if bound <= _used_up(search.point)[1] * (1.0 + tolerance) or aim < LEAST_AIM * tolerance:
                break
        following = search.further(LEAST_GAP * aim)
        if following is None:
            break
        search = following
    amplitude, least = _used_up(search.point)
    return Solution(
        amplitude=amplitude, least_sinr=least, bound=bound, steps=steps, converged=bound <= least * (1.0 + tolerance)
    )


def successive(
    blocks: Blocks, budgets: Budgets, *, tolerance: float, iterations: int, start: FloatArray | None = None
) -> Solution:
    """Solve the same problem by P5's successive convex approximation (35) to (37) from a feasible point.

    The iteration ends when the least SINR rises by a smaller fraction than ``tolerance``; ``bound`` is infinite.
    """
    amplitude = _Search.begin(blocks, budgets, Sinr(), start).point.amplitude
    least = float(blocks.sinr(amplitude).min())
    for iteration in range(1, iterations + 1):
        goal = LinearisedSinr(y=(blocks.signal * amplitude).sum(axis=1) / least)
        amplitude = _convex(blocks, budgets, goal, amplitude, 0.1 * tolerance * least)
        before, least = least, float(blocks.sinr(amplitude).min())
        if least - before <= tolerance * least:
            return Solution(amplitude=amplitude, least_sinr=least, bound=np.inf, steps=iteration, converged=True)
    return Solution(amplitude=amplitude, least_sinr=least, bound=np.inf, steps=iterations, converged=False)


def _convex(blocks: Blocks, budgets: Budgets, goal: LinearisedSinr, start: FloatArray, tolerance: float) -> FloatArray:
    """Amplitudes (J,A) that solve P5's problem (37) to an absolute tolerance."""
    search = _Search.begin(blocks, budgets, goal, start)
    for _ in range(MOST_STEPS):
        following = None if search.gap < tolerance else search.further(LEAST_GAP * tolerance)
        if following is None:
            break
        search = following
    return search.point.amplitude


@dataclass(frozen=True, slots=True, kw_only=True)
class _Search:
    """State of the interior-point method."""

    point: InteriorPoint
    held: DualVariables
    gap: float
    """Duality gap: how much the objective may still rise, if the dual variables are feasible."""

    @classmethod
    def begin(cls, blocks: Blocks, budgets: Budgets, goal: TargetModel, start: FloatArray | None) -> _Search:
        """Start from a point well within all limits, with a target that it exceeds."""
        even = budgets.within(0.7 * blocks.held / np.sqrt(max(len(blocks.terminal), 1)), 0.5)
        amplitude = even if start is None else budgets.within(0.9 * start + 0.1 * even, 0.9)
        point = InteriorPoint.at(blocks, budgets, goal, amplitude, 0.0)
        reached = goal.reached(point.wanted, point.unwanted)
        return cls._at(point.moved(np.zeros_like(amplitude), reached - 0.5 * abs(reached)), None)

    @classmethod
    def _at(cls, point: InteriorPoint, held: DualVariables | None) -> _Search:
        held = DualVariables.central(point) if held is None else held.normal(point)
        return cls(point=point, held=held, gap=float(held.products(point).sum()))

    def further(self, least_gap: float) -> _Search | None:
        """The state after one step to no smaller gap than given; None if no step makes progress."""
        # numbers of very different magnitude can make a step infinite; it is rejected below
        with np.errstate(all="ignore"):
            try:
                newton = Newton.at(self.point, self.held)
            except np.linalg.LinAlgError:
                return None
            return self._best(newton, least_gap)

    def _best(self, newton: Newton, least_gap: float) -> _Search | None:
        """The first direction with enough progress, or the one with the longest step."""
        products = self.held.products(self.point)
        mean, least = float(products.mean()), least_gap / len(products)
        greedy = newton.greedy()
        ray = LineSearch.of(self.point, greedy.amplitude)
        share = ray.allowed(SHARES, self.held, greedy, 0.0)
        longest, chosen = 0.0, None
        for aim in self._aims(ray, greedy, (1.0 - share) ** 3, mean, least):
            allowed, tried = self._after(newton.step(aim))
            if tried is not None and allowed > longest:
                longest, chosen = allowed, tried
            if tried is not None and tried.gap < FAR * self.gap:
                return tried
        return chosen

    def _after(self, step: SearchDirection) -> tuple[float, _Search | None]:
        """The allowed length of a step, and the state after it."""
        share = LineSearch.of(self.point, step.amplitude).allowed(SHARES, self.held, step, LEAST_PRODUCT)
        if share == 0.0:
            return 0.0, None
        point = self.point.moved(share * step.amplitude, share * step.target)
        return share, self._at(point, self.held.moved(step.multipliers, share)) if point.inside() else None

    def _aims(
        self, ray: LineSearch, greedy: SearchDirection, centring: float, mean: float, least: float
    ) -> Iterator[CentringTarget]:
        """Right-hand sides for the directions to try, in order."""
        yield ray.beyond(self.held, greedy, max(centring * mean, least))
        shorter = CENTRINGS[0]
        if centring > shorter:
            yield ray.beyond(self.held, greedy, max(shorter * mean, least), (1.0 - shorter) ** 2)
        for share in (centring, *CENTRINGS):
            yield CentringTarget.even(self.point, max(share * mean, least))


def upper_bound(point: InteriorPoint, held: DualVariables, tolerance: float) -> float:
    """Upper bound of the least SINR of any amplitudes within the limits, by weak duality.

    For any λ, q ≥ 0 with Σ q ≤ Σ λσ² and N_j = Σ_k λ_k M_kj + diag(q) no target above max_j λ_j b̄_jᵀ N_j⁻¹ b̄_j can be
    reached, for any b̄ ≥ b because p ≥ 0. Where no limit is active, λ and q are nearly zero and their ratio is rounding
    alone: λ = 0 is tried for all terminals except those that may limit the others, until a bound is within the
    tolerance of what the point reaches.
    """
    raised = point.blocks.signal + (0.5 / (held.terminals * point.wanted))[:, None] * held.pairs
    over = point.slack.value / point.wanted**2
    bound, enough, before = np.inf, _used_up(point)[1] * (1.0 + tolerance), 0
    for share in BOTTLENECKS:
        rows = np.flatnonzero(over < share)
        if len(rows) in (0, before):
            continue
        found = _bound(point, held, raised, rows, tolerance, enough)
        bound, before = min(bound, found), len(rows)
        if bound <= enough:
            break
    return bound


def _bound(
    point: InteriorPoint, held: DualVariables, raised: FloatArray, rows: IntArray, tolerance: float, enough: float
) -> float:
    """The bound that some of the terminals give."""
    blocks, limits, raised = point.blocks.some(rows), point.budgets, raised[rows]
    width = blocks.held.shape[1]
    limit, weight, raised = limits.limit[:, rows, :width], limits.weight[:, rows, :width], raised[:, :width]
    price = np.zeros(limits.limits + 1)
    counted = np.unique(limit[limit < limits.limits])
    price[counted] = np.maximum(held.limits[counted], LEAST_PRICE * tolerance * held.limits[counted].mean())
    costs, total = (weight * price[limit]).sum(axis=0), float(price.sum())
    bound, worth = np.inf, held.terminals[rows]
    for _ in range(BALANCINGS):
        scaled = costs * (float(worth @ blocks.noise) / total)  # Σ q = Σ λσ²
        per_worth = _per_worth(blocks, worth, scaled, raised)
        if not (np.isfinite(per_worth).all() and (per_worth > 0.0).all()):
            break
        found = float((worth * per_worth).max())
        hopeless = bound - found < HOPELESS * (found - enough)
        bound = min(bound, found)
        if hopeless or bound <= enough:
            break
        # at the optimum all products are equal; this brings them closer
        worth = 1.0 / per_worth
    return bound


def _per_worth(blocks: Blocks, worth: FloatArray, costs: FloatArray, raised: FloatArray) -> FloatArray:
    """(J,) b̄_jᵀ N_j⁻¹ b̄_j."""
    sums = block_sums(blocks, worth, costs + ~blocks.held)
    size = 1.0 / np.sqrt(np.einsum("jaa->ja", sums))
    scaled = raised * size
    try:
        solved = np.linalg.solve(sums * size[:, :, None] * size[:, None, :], scaled[..., None])[..., 0]
    except np.linalg.LinAlgError:
        return np.full(len(raised), np.inf)
    return np.asarray((scaled * solved).sum(axis=1))


def _used_up(point: InteriorPoint) -> tuple[FloatArray, float]:
    """The amplitudes scaled until one limit is fully used, which raises every SINR, and the least SINR."""
    amplitude = point.amplitude / np.sqrt(point.budgets.usage(point.amplitude).max())
    return amplitude, float(point.blocks.sinr(amplitude).min())
