"""The largest target that all terminals reach, found between a target that is reached and a bound that cannot be.

For a given target the amplitudes that reach it form a convex set, cut out by second-order cones: the least SINR is
quasi-concave, and what satisfies the conditions of first order is a global maximum. Bisection asks of one target after
another whether its set is empty; here a primal-dual interior-point method, with Mehrotra's corrector, raises the target
together with the amplitudes, and its multipliers bound from above what any amplitudes reach, so that the last word is
as rigorous.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

import numpy as np

from twin.arrays import FloatArray, IntArray
from twin.solvers.max_min.hessian import block_sums
from twin.solvers.max_min.interior_point import Multipliers, Point
from twin.solvers.max_min.layout import Blocks
from twin.solvers.max_min.limits import Budgets
from twin.solvers.max_min.line_search import Ray
from twin.solvers.max_min.newton import Aim, Newton, Step
from twin.solvers.max_min.targets import Goal, LinearisedSinr, Sinr

MOST_STEPS: Final = 150
"""Newton steps after which the search ends; twenty are usual."""
SHARES: Final = np.array(
    [1.0, 0.99, 0.97, 0.94, 0.9, 0.85, 0.8, 0.7, 0.6, 0.5, 0.4, 0.3, 0.2, 0.1, 0.05, 0.02, 5e-3, 1e-3, 1e-4]
)
"""Tried shares of a step."""
CENTRINGS: Final = (0.3, 1.0)
"""Shares of the mean product aimed at where a step towards less is a short one."""
FAR: Final = 0.8
"""Share of the gap that a step leaves if it leads on far enough."""
LEAST_GAP: Final = 0.2
"""Share of the tolerance that a step aims at, if not at more."""
LEAST_AIM: Final = 1e-4
"""Share of the tolerance below which no smaller gap is aimed at: the bound that it gives would be no better."""
LEAST_PRODUCT: Final = 0.02
"""No product of multiplier and slack falls below this share of their mean."""
LEAST_PRICE: Final = 0.1
"""Share of the tolerance, and of the mean price, that every limit's price is when a bound is worked out."""
BOTTLENECKS: Final = (np.inf, 1e-3, 1e-5, 1e-7)
"""Shares of (b_kᵀp_k)² below which a terminal's slack may make it one that holds the others back."""
BALANCINGS: Final = 12
"""Most rounds in which the multipliers are evened out for a bound."""
HOPELESS: Final = 0.1
"""Share of what a bound is too large by that a round must take from it for another one to be tried."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Peak:
    """The best amplitudes found."""

    amplitude: FloatArray
    """(J,A) p, with a limit used up."""
    least: float
    """Their least SINR."""
    bound: float
    """What no amplitudes within the limits exceed."""
    steps: int
    """Newton steps, or solved cone programs for `successive`."""
    converged: bool
    """Whether both are within the tolerance of each other."""


def highest(
    blocks: Blocks, budgets: Budgets, *, tolerance: float, start: FloatArray | None = None, certain: bool = True
) -> Peak:
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
    certain
        Whether to go on until the bound says that the tolerance is met; else the multipliers' word is taken.
    """
    search = _Search.begin(blocks, budgets, Sinr(), start)
    bound, aim = np.inf, tolerance
    for steps in range(1, MOST_STEPS + 1):  # noqa: B007 - wanted afterwards
        if search.gap < aim and not certain:
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
    return Peak(
        amplitude=amplitude, least=least, bound=bound, steps=steps, converged=bound <= least * (1.0 + tolerance)
    )


def successive(
    blocks: Blocks, budgets: Budgets, *, tolerance: float, iterations: int, start: FloatArray | None = None
) -> Peak:
    """Solve the same by P5's successive convex approximation (35) to (37) from a feasible point.

    Ends when the least SINR rises by less than a share of ``tolerance``; ``bound`` is none (infinite).
    """
    amplitude = _Search.begin(blocks, budgets, Sinr(), start).point.amplitude
    least = float(blocks.sinr(amplitude).min())
    for iteration in range(1, iterations + 1):
        goal = LinearisedSinr(y=(blocks.signal * amplitude).sum(axis=1) / least)
        amplitude = _convex(blocks, budgets, goal, amplitude, 0.1 * tolerance * least)
        before, least = least, float(blocks.sinr(amplitude).min())
        if least - before <= tolerance * least:
            return Peak(amplitude=amplitude, least=least, bound=np.inf, steps=iteration, converged=True)
    return Peak(amplitude=amplitude, least=least, bound=np.inf, steps=iterations, converged=False)


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
    """Where the interior-point method stands."""

    point: Point
    held: Multipliers
    gap: float
    """By how much what is maximised may still rise, if the multipliers are feasible."""

    @classmethod
    def begin(cls, blocks: Blocks, budgets: Budgets, goal: Goal, start: FloatArray | None) -> _Search:
        """A point well inside all limits, and a target that it exceeds."""
        even = budgets.within(0.7 * blocks.held / np.sqrt(max(len(blocks.terminal), 1)), 0.5)
        amplitude = even if start is None else budgets.within(0.9 * start + 0.1 * even, 0.9)
        point = Point.at(blocks, budgets, goal, amplitude, 0.0)
        reached = goal.reached(point.wanted, point.unwanted)
        return cls._at(point.moved(np.zeros_like(amplitude), reached - 0.5 * abs(reached)), None)

    @classmethod
    def _at(cls, point: Point, held: Multipliers | None) -> _Search:
        held = Multipliers.central(point) if held is None else held.normal(point)
        return cls(point=point, held=held, gap=float(held.products(point).sum()))

    def further(self, least_gap: float) -> _Search | None:
        """One step on, as long as one leads on, to no smaller gap than asked: rounding would come in sooner."""
        # where numbers of too different size meet, a step is not finite: then it is refused below
        with np.errstate(all="ignore"):
            try:
                newton = Newton.at(self.point, self.held)
            except np.linalg.LinAlgError:
                return None
            return self._best(newton, least_gap)

    def _best(self, newton: Newton, least_gap: float) -> _Search | None:
        """The first step that leads on far enough, or the one of which most is allowed."""
        products = self.held.products(self.point)
        mean, least = float(products.mean()), least_gap / len(products)
        greedy = newton.greedy()
        ray = Ray.of(self.point, greedy.amplitude)
        share = ray.allowed(SHARES, self.held, greedy, 0.0)
        longest, chosen = 0.0, None
        for aim in self._aims(ray, greedy, (1.0 - share) ** 3, mean, least):
            allowed, tried = self._after(newton.step(aim))
            if tried is not None and allowed > longest:
                longest, chosen = allowed, tried
            if tried is not None and tried.gap < FAR * self.gap:
                return tried
        return chosen

    def _after(self, step: Step) -> tuple[float, _Search | None]:
        """The share of a step that is allowed, and where it leads."""
        share = Ray.of(self.point, step.amplitude).allowed(SHARES, self.held, step, LEAST_PRODUCT)
        if share == 0.0:
            return 0.0, None
        point = self.point.moved(share * step.amplitude, share * step.target)
        return share, self._at(point, self.held.moved(step.multipliers, share)) if point.inside() else None

    def _aims(self, ray: Ray, greedy: Step, centring: float, mean: float, least: float) -> Iterator[Aim]:
        """What steps may aim at, the first to be tried first."""
        yield ray.beyond(self.held, greedy, max(centring * mean, least))
        shorter = CENTRINGS[0]
        if centring > shorter:
            yield ray.beyond(self.held, greedy, max(shorter * mean, least), (1.0 - shorter) ** 2)
        for share in (centring, *CENTRINGS):
            yield Aim.even(self.point, max(share * mean, least))


def upper_bound(point: Point, held: Multipliers, tolerance: float) -> float:
    """An SINR that no amplitudes within the limits bring all terminals above, by weak duality.

    For any λ, q ≥ 0 with Σ q ≤ Σ λσ² and N_j = Σ_k λ_k M_kj + diag(q) no target above max_j λ_j b̄_jᵀ N_j⁻¹ b̄_j can be
    reached, with b̄ ≥ b at will because p ≥ 0. Where nothing is scarce, λ and q are nearly zero and their ratio is
    nothing but rounding: λ = 0 is tried for all but those who may hold the others back, until a bound is within the
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
    point: Point, held: Multipliers, raised: FloatArray, rows: IntArray, tolerance: float, enough: float
) -> float:
    """The bound that some terminals alone give."""
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
        # at the optimum all products are the same; this brings them nearer to each other
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


def _used_up(point: Point) -> tuple[FloatArray, float]:
    """The amplitudes scaled until a limit is used up, which raises every SINR, and the least of these."""
    amplitude = point.amplitude / np.sqrt(point.budgets.usage(point.amplitude).max())
    return amplitude, float(point.blocks.sinr(amplitude).min())
