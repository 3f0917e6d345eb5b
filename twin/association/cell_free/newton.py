"""One Newton step of a logarithmic barrier whose curvature is a block for each stream and a few columns."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final, Self

import numpy as np
from numpy.typing import NDArray

from twin.association.cell_free.blocks import Blocks
from twin.association.cell_free.budgets import Budgets
from twin.association.cell_free.goals import Goal, Slack

Real = NDArray[np.float64]

ROUNDING: Final = 1e-13
"""Share of its terms below which a slack is not known well enough to go on."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Point:
    """Amplitudes strictly inside all limits, for a target that all terminals exceed, and what depends on them."""

    blocks: Blocks
    budgets: Budgets
    goal: Goal
    amplitude: Real
    """(J,A) p."""
    target: float
    """The t that is aimed at."""
    turned: Real
    """(J,J,A) M_kj p_j of each stream j at each terminal k."""
    wanted: Real
    """(J,) b_kᵀ p_k."""
    unwanted: Real
    """(J,) interference and noise."""
    slack: Slack
    """What is left of each terminal's inequality."""
    left: Real
    """(I,) what is left of each limit."""

    @classmethod
    def at(cls, blocks: Blocks, budgets: Budgets, goal: Goal, amplitude: Real, target: float) -> Self:
        """Work everything out."""
        turned, interference = blocks.response(amplitude)
        wanted, unwanted = (blocks.signal * amplitude).sum(axis=1), interference + blocks.noise
        return cls(
            blocks=blocks,
            budgets=budgets,
            goal=goal,
            amplitude=amplitude,
            target=target,
            turned=turned,
            wanted=wanted,
            unwanted=unwanted,
            slack=goal.slack(wanted, unwanted, target),
            left=1.0 - budgets.usage(amplitude),
        )

    def moved(self, by: Real, rise: float) -> Point:
        """The point with other amplitudes and another target."""
        return Point.at(self.blocks, self.budgets, self.goal, self.amplitude + by, self.target + rise)

    def inside(self) -> bool:
        """Whether all slacks are positive beyond rounding."""
        sure = self.slack.value > ROUNDING * self.wanted**2
        return bool(sure.all() and (self.left > 0.0).all())

    def gradient(self) -> Real:
        """(J,A) gradient of the barrier, - Σ log of all that must be positive."""
        slack, p = self.slack, self.amplitude
        limits = 2.0 * (self.budgets.weight * self.budgets.at_pairs(1.0 / self.left)).sum(axis=0)
        own = (slack.by_wanted / slack.value)[:, None] * self.blocks.signal
        return np.asarray(limits * p - own - self.heard(slack.by_unwanted / slack.value) - _over(self.blocks, p))

    def heard(self, weight: Real) -> Real:
        """(J,A) gradient of Σ_k weight_k times interference."""
        return 2.0 * np.asarray((weight @ self.turned)[..., :])


@dataclass(frozen=True, slots=True, kw_only=True)
class Multipliers:
    """Weights of all inequalities."""

    terminals: Real
    """(J,) λ."""
    limits: Real
    """(I,) q."""
    pairs: Real
    """(J,A) z, of p ≥ 0."""

    @classmethod
    def central(cls, point: Point) -> Self:
        """Those with which every product of weight and slack is the same."""
        pairs = _over(point.blocks, point.amplitude)
        return cls(terminals=1.0 / point.slack.value, limits=1.0 / point.left, pairs=pairs).normal(point)

    def normal(self, point: Point) -> Self:
        """The same in the measure of what is maximised: the target's condition of optimality, met by a common factor.

        The conditions for the amplitudes are homogeneous in the multipliers; without this the products can vanish long
        before the target is anywhere near its optimum.
        """
        factor = -point.goal.worth(point.target)[0] / float(self.terminals @ point.slack.by_target)
        return replace(self, terminals=factor * self.terminals, limits=factor * self.limits, pairs=factor * self.pairs)

    def moved(self, by: Multipliers, share: float) -> Self:
        """Those changed by a share of something."""
        return replace(
            self,
            terminals=self.terminals + share * by.terminals,
            limits=self.limits + share * by.limits,
            pairs=self.pairs + share * by.pairs,
        )

    def products(self, point: Point) -> Real:
        """All products of weight and slack, in a row."""
        held = point.blocks.held
        return np.concatenate(
            [self.terminals * point.slack.value, self.limits * point.left, (self.pairs * point.amplitude)[held]]
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """Where Newton's method leads from a point and its multipliers."""

    amplitude: Real
    """(J,A)."""
    target: float
    multipliers: Multipliers
    """Changes of the multipliers."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Newton:
    """The equations of optimality at a point, linearised: t is highest, and products of weight and slack are equal."""

    point: Point
    held: Multipliers
    centring: Real
    """(J,A) direction to the centre, for products of one, the target unchanged."""
    drift: Real
    """(J,A) direction with the target."""
    stiffness: float
    """Second derivative by the target while the amplitudes follow; where it is not positive, while they rest, which
    gives a shorter step."""
    pull: float
    """Slope by the target that comes with the products."""

    @classmethod
    def at(cls, point: Point, held: Multipliers) -> Self:
        """Set up and solve for both directions."""
        slack = point.slack
        gradient = point.gradient()
        ratio = held.terminals / slack.value * slack.by_target
        mixed = (ratio * slack.by_wanted)[:, None] * point.blocks.signal
        mixed = mixed + point.heard(ratio * slack.by_unwanted - held.terminals * slack.mixed)
        solved = Curvature.of(point, held).solve(np.stack([gradient, mixed], axis=-1))
        curvature = point.goal.worth(point.target)[1] + float(ratio @ slack.by_target)
        following = float((mixed * solved[..., 1]).sum())
        return cls(
            point=point,
            held=held,
            centring=-solved[..., 0],
            drift=-solved[..., 1],
            stiffness=curvature - (following if following < curvature else 0.0),
            pull=float((slack.by_target / slack.value).sum() + (mixed * solved[..., 0]).sum()),
        )

    def step(self, product: float) -> Step:
        """The step towards equal products of a given size."""
        rise = (self.point.goal.worth(self.point.target)[0] + product * self.pull) / self.stiffness
        return self._with(product * self.centring + rise * self.drift, rise, product)

    def _with(self, direction: Real, rise: float, product: float) -> Step:
        point, held, slack = self.point, self.held, self.point.slack
        across = (point.turned @ direction[:, :, None])[..., 0].sum(axis=0)
        change = slack.by_wanted * (point.blocks.signal * direction).sum(axis=1)
        change = change + 2.0 * slack.by_unwanted * across + slack.by_target * rise
        used = 2.0 * point.budgets.usage(point.amplitude, direction)
        over = _over(point.blocks, point.amplitude)
        changes = Multipliers(
            terminals=(product - held.terminals * change) / slack.value - held.terminals,
            limits=(product + held.limits * used) / point.left - held.limits,
            pairs=(product - held.pairs * direction) * over - held.pairs,
        )
        return Step(amplitude=direction, target=rise, multipliers=changes)


@dataclass(frozen=True, slots=True, kw_only=True)
class Curvature:
    """The barrier's second derivative A + U diag(e) Uᵀ, A having a block for each stream.

    U has a column for the gradient of each terminal's inequality, one for each terminal's b alone (which enters with a
    negative sign where b_kᵀp_k is squared) and one for each limit.
    """

    inverse: Real
    """(J,A,A) A⁻¹."""
    budgets: Budgets
    gradients: Real
    """(J,J,A) columns of the inequalities (second J)."""
    own: Real
    """(J,A) the columns of b, each in its own block."""
    limits: Real
    """(G,J,A) the columns of the limits."""
    sign: Real
    """(J,) e of the columns of b."""

    @classmethod
    def of(cls, point: Point, held: Multipliers) -> Self:
        """Form the blocks and columns."""
        blocks, f, p = point.blocks, point.slack, point.amplitude
        ratio = np.sqrt(held.terminals / f.value)
        own = blocks.signal * (f.by_wanted * ratio)[:, None]
        gradients = point.turned * (2.0 * f.by_unwanted * ratio)[:, None]
        every = np.arange(len(p))
        gradients[every, every] += own
        price = point.budgets.weight * point.budgets.at_pairs(held.limits)
        root = point.budgets.at_pairs(np.sqrt(held.limits / point.left))
        pairs = held.pairs * _over(blocks, p) + ~blocks.held
        return cls(
            inverse=_inverse(
                block_sums(blocks, -2.0 * f.by_unwanted * held.terminals, 2.0 * price.sum(axis=0) + pairs)
            ),
            budgets=point.budgets,
            gradients=gradients,
            own=own,
            limits=2.0 * point.budgets.weight * root * p,
            sign=-f.by_wanted_twice * f.value / f.by_wanted**2,
        )

    def solve(self, right: Real) -> Real:
        """Solve for right-hand sides (J,A,R)."""
        streams, budgets = len(self.own), self.budgets
        solved = self.inverse @ right
        sign = np.concatenate([np.ones(streams), self.sign, np.ones(budgets.limits)])
        capacity = np.eye(len(sign)) + sign[:, None] * self._products()
        inner = np.linalg.solve(capacity, sign[:, None] * self._columns(solved))
        gradients, own, limits = inner[:streams], inner[streams : 2 * streams], inner[2 * streams :]
        spread = self.gradients.swapaxes(1, 2) @ gradients + self.own[..., None] * own[:, None, :]
        padded = np.concatenate([limits, np.zeros((1, limits.shape[1]))])
        spread = spread + (self.limits[..., None] * padded[budgets.limit]).sum(axis=0)
        return np.asarray(solved - self.inverse @ spread)

    def _columns(self, values: Real) -> Real:
        """Uᵀ times values (J,A,R)."""
        return np.concatenate(
            [
                (self.gradients @ values).sum(axis=0),
                (self.own[..., None] * values).sum(axis=1),
                self.budgets.summed(self.limits[..., None] * values),
            ]
        )

    def _products(self) -> Real:
        """Uᵀ A⁻¹ U."""
        streams = len(self.own)
        gradients, own = self.gradients @ self.inverse, (self.inverse @ self.own[..., None])[..., 0]
        size = 2 * streams + self.budgets.limits
        first, second, third = slice(0, streams), slice(streams, 2 * streams), slice(2 * streams, size)
        out = np.empty((size, size))
        flat = self.gradients.transpose(1, 0, 2).reshape(streams, -1)
        out[first, first] = flat @ gradients.transpose(1, 0, 2).reshape(streams, -1).T
        out[second, first] = (self.gradients @ own[..., None])[..., 0]
        out[second, second] = np.diag((self.own * own).sum(axis=1))
        out[third, first] = self.budgets.summed(self.limits[..., None] * gradients.swapaxes(1, 2))
        out[third, second] = self.budgets.by_stream(self.limits * own)
        between = self.limits[:, None, :, :, None] * self.limits[None, :, :, None, :] * self.inverse
        out[third, third] = self.budgets.crossed(between)
        out[first, second], out[first, third] = out[second, first].T, out[third, first].T
        out[second, third] = out[third, second].T
        return out


def block_sums(blocks: Blocks, weight: Real, diagonal: Real) -> Real:
    """(J,A,A) Σ_k weight_k M_kj + diag, for weights (J,) and a diagonal (J,A)."""
    streams, parts, _, width = blocks.leak.shape
    flat = blocks.leak.reshape(streams, parts * streams, width)
    weighted = (blocks.leak * weight[:, None]).reshape(flat.shape)
    sums = flat.swapaxes(1, 2) @ weighted
    every = np.arange(width)
    sums[:, every, every] += weight @ blocks.spread + diagonal
    return np.asarray(sums)


def _inverse(sums: Real) -> Real:
    """(J,A,A) inverses of the blocks, each scaled to a unit diagonal first."""
    size = 1.0 / np.sqrt(np.einsum("jaa->ja", sums))
    outer = size[:, :, None] * size[:, None, :]
    return np.asarray(np.linalg.inv(sums * outer) * outer)


def _over(blocks: Blocks, amplitude: Real) -> Real:
    """(J,A) 1/p, zero beyond the pairs."""
    return np.divide(1.0, amplitude, where=blocks.held, out=np.zeros_like(amplitude))
