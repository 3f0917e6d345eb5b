"""Multipliers of one satellite's convex problem (P1, eq. 16 to 20): in closed form up to a scalar for one constraint.

The problem is min Σ_k Tr W_kᴴ T W_k - 2 Re Tr z_kᴴ W_k with powers Σ_k Tr W_kᴴ A_x W_k ≤ ρ_x. For every method, the
multipliers μ ≥ 0 are optimal if no power exceeds its cap and μ_x is zero wherever power is left.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Generic, Protocol, TypeVar

import numpy as np
from scipy.linalg import lapack

from twin.arrays import FloatArray
from twin.records import documented

STEPS = 100
"""Most trial multipliers of a search; a dozen is common."""
PATIENCE = 15
"""Most Newton steps with the lowest barrier; three are common."""
BISECTIONS = 1100
"""Halvings from the largest number to the smallest."""
RESOLUTION = 2.0**-50
"""Relative change of a multiplier below which it is rounding."""
ACCURACY = 1e-11
"""Slackness at the end, as a fraction of Σ_x μ_x ρ_x."""
RESOLVED = 1e-15
"""Slackness that counts as zero, as a fraction of the largest possible gain of the objective."""


def total_power(values: FloatArray, loads: FloatArray, cap_w: FloatArray) -> FloatArray:
    """Multipliers (G,) at which the powers p(μ) = Σ_r loads_r / (values_r + μ)² meet caps (G,), or 0.

    Newton's method on 1/√p, which is concave and nearly linear in μ: from below the root it ascends to the root and
    stops at the last bits.

    Parameters
    ----------
    values
        (G,R) eigenvalues of T, not negative.
    loads
        (G,R) power of z along each eigenvector; zero where the eigenvalue is zero.
    cap_w
        (G,) caps in W, positive.
    """
    # eigenvalues without load must not lead to a division by zero
    values = np.where(loads > 0.0, values, 1.0)
    mu = np.maximum((np.sqrt(loads / cap_w[:, None]) - values).max(axis=1, initial=0.0), 0.0)
    mu = np.maximum(mu, np.sqrt(loads.sum(axis=1) / cap_w) - values.max(axis=1, initial=0.0))
    for _ in range(STEPS):
        damped = values + mu[:, None]
        parts = loads / (damped * damped)
        power = parts.sum(axis=1)
        slope = (parts / damped).sum(axis=1)
        over = np.maximum(np.sqrt(power / cap_w) - 1.0, 0.0)
        step = over * power / np.where(slope > 0.0, slope, 1.0)
        if (step <= RESOLUTION * mu).all():
            break
        mu = mu + step
    return np.asarray(mu)


def total_power_by_bisection(values: FloatArray, loads: FloatArray, cap_w: FloatArray) -> FloatArray:
    """The same by bisection between 0 and √(Σ_r loads_r / cap), where the power is below its cap."""

    def power(mu: FloatArray) -> FloatArray:
        return np.asarray((loads / (values + mu[:, None]) ** 2).sum(axis=1))

    values = np.where(loads > 0.0, values, 1.0)
    low, high = np.zeros(len(cap_w)), np.sqrt(loads.sum(axis=1) / cap_w)
    high = np.where(power(low) > cap_w, high, 0.0)
    for _ in range(BISECTIONS):
        middle = 0.5 * (low + high)
        if not ((low < middle) & (middle < high)).any():
            break
        over = power(middle) > cap_w
        low, high = np.where(over, middle, low), np.where(over, high, middle)
    return high


class Evaluation(Protocol):
    """W at given multipliers, with powers and derivatives of the dual."""

    @property
    def power(self) -> FloatArray:
        """(d,) powers over their caps."""

    @property
    def dual(self) -> float:
        """The dual function, concave in μ with gradient ``power - 1``."""

    def curvature(self) -> FloatArray:
        """(d,d) minus the dual's second derivatives, positive semidefinite."""

    def curvature_along(self, direction: FloatArray) -> float:
        """The curvature along one direction (d,)."""


Evaluated = TypeVar("Evaluated", bound=Evaluation)
EvaluatedAt = TypeVar("EvaluatedAt", bound=Evaluation, covariant=True)


class CappedDual(Protocol[EvaluatedAt]):
    """A satellite's problem with d caps of 1, its objective in units of T's largest eigenvalue."""

    @property
    def count(self) -> int:
        """d."""

    @property
    def gain(self) -> float:
        """Most that the objective can fall below its value at W = 0."""

    def at(self, mu: FloatArray) -> EvaluatedAt:
        """The minimum over W for multipliers (d,), all positive."""


@documented
@dataclass(frozen=True, slots=True, kw_only=True)
class MultiplierSolution(Generic[Evaluated]):
    """Multipliers, and the work of the search."""

    mu: FloatArray
    """(d,) multipliers."""
    evaluation: Evaluated
    """The minimum over W there."""
    evaluations: int
    """Number of trial multipliers."""


def newton(problem: CappedDual[Evaluated], start: FloatArray | None = None) -> MultiplierSolution[Evaluated]:
    """Multipliers by a primal-dual interior-point method on the concave dual.

    Along the ray through the start (without one: all multipliers equal) the dual is a total-power problem; a few scalar
    steps come near its maximum. Then damped Newton steps increase the dual plus a logarithmic barrier t Σ log μ, while
    t decreases, until every slackness μ_x (1 - p_x) is below tolerance. All multipliers stay positive, so that the
    matrix is regular unless all caps together leave it singular.
    """
    direction = np.ones(problem.count) if start is None else start / start.mean()
    direction = np.maximum(direction, 1e-4)
    scale, trials = _scale_along(problem, direction, None if start is None else float(start.mean()))
    mu = scale * direction
    evaluation = problem.at(mu)
    barrier = max(0.1 * float(np.abs(mu * (1.0 - evaluation.power)).mean()), _slackness_goal(problem, mu))
    slack = barrier / mu
    evaluations, at_floor = trials + 1, 0
    # rounding errors of the powers may keep the slackness above tolerance
    while not _solved(problem, mu, evaluation) and evaluations < STEPS and at_floor < PATIENCE:
        evaluations += 1
        floor = 0.3 * _slackness_goal(problem, mu)
        barrier = max(min(barrier, 0.2 * float(mu @ slack) / len(mu)), floor)
        at_floor += barrier == floor
        slope = evaluation.power - 1.0 + barrier / mu
        step = _newton_step(evaluation.curvature(), slack / mu, slope)
        change = barrier / mu - slack - slack / mu * step
        mu, evaluation, length = _line_search(problem, mu, evaluation, step, slope, barrier)
        slack = slack + _positive_step(slack, change) * change
        slack = np.clip(slack, 1e-6 * barrier / mu, 1e6 * barrier / mu)
        barrier *= 0.02 if length > 0.5 else 1.0
    return MultiplierSolution(mu=mu, evaluation=evaluation, evaluations=evaluations)


def _slackness_goal(problem: CappedDual[Evaluation], mu: FloatArray) -> float:
    """Slackness at which the search ends."""
    return max(ACCURACY * float(mu.sum()), RESOLVED * problem.gain)


def _solved(problem: CappedDual[Evaluation], mu: FloatArray, evaluation: Evaluation) -> bool:
    """Whether powers and slackness are within tolerance."""
    spare = 1.0 - evaluation.power
    return bool(spare.min() >= -ACCURACY and np.abs(mu * spare).max() <= _slackness_goal(problem, mu))


def _scale_along(problem: CappedDual[Evaluation], direction: FloatArray, start: float | None) -> tuple[float, int]:
    """Scale of a direction near the maximum of the dual along it, and the number of trials."""
    least = 1e-12 * problem.gain / float(direction.sum())
    scale = max(problem.gain / float(direction.sum()) / 4.0 if start is None else start, least)
    exact = problem.count == 1
    for trials in range(STEPS if exact else 12):
        evaluation = problem.at(scale * direction)
        power = float(direction @ evaluation.power / direction.sum())
        curvature_along = evaluation.curvature_along(direction) / float(direction.sum())
        if power <= 0.0 or curvature_along <= 0.0 or (exact and abs(power - 1.0) <= 0.1 * ACCURACY):
            break
        raised = scale + 2.0 * power / curvature_along * (np.sqrt(power) - 1.0)
        raised = max(raised, 0.1 * scale, least)
        if abs(raised - scale) <= (1e-13 if exact else 0.03) * scale:
            return raised, trials + 1
        scale = raised
    return scale, trials + 1


def _newton_step(curvature: FloatArray, damping: FloatArray, slope: FloatArray) -> FloatArray:
    """(d,) (curvature + diag(damping))⁻¹ slope."""
    matrix = curvature + np.diag(damping)
    scale = 1.0 / np.sqrt(np.diagonal(matrix))
    _, step, failed = lapack.dposv(matrix * scale[:, None] * scale, slope * scale)
    if failed:  # constraints that are equal to rounding
        ridge = 1e-12 * np.eye(len(slope))
        step = np.linalg.solve(matrix * scale[:, None] * scale + ridge, slope * scale)
    return np.asarray(step * scale)


def _positive_step(values: FloatArray, change: FloatArray) -> float:
    """Longest step, up to 1, that keeps positive values positive."""
    falling = change < 0.0
    return float(min(1.0, (0.99 * values[falling] / -change[falling]).min(initial=1.0)))


def _line_search(
    problem: CappedDual[Evaluated],
    mu: FloatArray,
    evaluation: Evaluated,
    step: FloatArray,
    slope: FloatArray,
    barrier: float,
) -> tuple[FloatArray, Evaluated, float]:
    """A step along which the dual with its barrier increases: multipliers, evaluation and length."""
    value = evaluation.dual + barrier * float(np.log(mu).sum())
    rise = float(slope @ step)
    noise = 1e-13 * (problem.gain + float(mu.sum()))
    length = _positive_step(mu, step)
    for _ in range(40):
        ahead = mu + length * step
        there = problem.at(ahead)
        reached = there.dual + barrier * float(np.log(ahead).sum())
        if reached >= value + 1e-4 * length * rise - noise:
            break
        length *= 0.5
    return ahead, there, length


def ellipsoid(
    problem: CappedDual[Evaluated], tolerance: float = 1e-10, most: int = 40_000
) -> MultiplierSolution[Evaluated]:
    """P1's Algorithm 2 with the sign of its cut and the size of its box corrected; with one constraint, bisection.

    A violated cap raises its multiplier: the dual is concave, so that the cut is along 1 - p. Centres outside the box
    [0, gain/4], which contains every solution, are cut by its faces instead of being clipped.
    """
    d = problem.count
    box = (1.0 + 1e-6) * problem.gain / 4.0
    centre = np.full(d, 0.5 * box)
    # the ellipsoid is {centre + root y, |y| ≤ 1}; its matrix would lose its narrow axes to rounding
    root = 0.5 * box * np.sqrt(d) * np.eye(d)
    evaluations = 0
    best = problem.at(centre)
    for _ in range(most):
        cut, depth = _box_cut(centre, root, box)
        if cut is None:
            best, evaluations = problem.at(centre), evaluations + 1
            spare = 1.0 - best.power
            small = max(tolerance * float(centre.sum()), 1e-13 * problem.gain)
            if spare.min() >= -tolerance and np.abs(centre * spare).max() <= small:
                break
            cut, depth = spare, 0.0
        along = root.T @ cut
        size = float(np.linalg.norm(along))
        if size == 0.0:
            break
        centre, root = _ellipsoid_after(centre, root, along / size, depth)
    centre = np.maximum(centre, np.finfo(float).tiny)
    return MultiplierSolution(mu=centre, evaluation=problem.at(centre), evaluations=evaluations)


def _box_cut(centre: FloatArray, root: FloatArray, box: float) -> tuple[FloatArray | None, float]:
    """The face of the box with the deepest cut, if the centre is outside or the ellipsoid extends far beyond it."""
    width = np.linalg.norm(root, axis=1)
    depth = np.stack([-centre / width, (centre - box) / width])
    side, place = np.unravel_index(int(depth.argmax()), depth.shape)
    deepest = float(depth[side, place])
    far = width[place] > 4.0 * len(centre) * box and deepest > -0.5 / len(centre)
    if deepest <= 0.0 and not far:
        return None, 0.0
    return (2.0 * float(side) - 1.0) * np.eye(len(centre))[place], deepest


def _ellipsoid_after(
    centre: FloatArray, root: FloatArray, along: FloatArray, depth: float
) -> tuple[FloatArray, FloatArray]:
    """The smallest ellipsoid around the remaining part (deep cut; P1's lines 21 to 26 for depth 0)."""
    d = len(centre)
    normal = root @ along
    centre = centre - (1.0 + d * depth) / (d + 1.0) * normal
    if d == 1:
        return centre, 0.5 * (1.0 - depth) * root
    narrow = np.sqrt(max(1.0 - 2.0 * (1.0 + d * depth) / ((d + 1.0) * (1.0 + depth)), 0.0))
    wide = d * np.sqrt((1.0 - depth**2) / (d * d - 1.0))
    return centre, wide * (root - (1.0 - narrow) * np.outer(normal, along))
