"""Joint precoding with each satellite's power met exactly, by a dual search."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Annotated

import numpy as np
from annotated_types import Ge, Gt

from twin.arrays import FloatArray
from twin.precoding.budget import scaled_down, within_budget
from twin.precoding.exact.loads import DecomposedLoads
from twin.precoding.joint import JointOptions, PairStatistics, SingleStreamReceivers, carried_over
from twin.precoding.problem import Precoding, PrecodingProblem, precoders
from twin.precoding.weights import SpannedWeights
from twin.precoding.wmmse import decomposed_receivers, ms_jo_cdwmmse
from twin.registry import dataclass_options
from twin.solvers.span import Span


@dataclass_options
class ExactPowerOptions(JointOptions):
    """The start's options, and how far to go from there."""

    refinements: Annotated[int, Ge(1)] = 10
    """Most iterations after those of `ms_jo_cdwmmse`, whose solution is the start."""
    power_tolerance: Annotated[float, Gt(0.0)] = 1e-9
    """Relative error to which the budgets that bind are met in each iteration."""


@precoders.register("cdwmmse_exact_power", source="ours; P3's problem (26)", options=ExactPowerOptions)
def cdwmmse_exact_power(problem: PrecodingProblem, *, options: ExactPowerOptions) -> Precoding:
    """Joint WMMSE on the decomposed covariance with the satellites' own power constraints, by dual search.

    P3 replaces the constraint of each satellite by one of each terminal and scales in the end, which leaves power
    unused. Here the transmitter step is solved with a multiplier μ_s for each satellite instead, so that no iteration
    lowers the sum of AP1: the result is never below that of `ms_jo_cdwmmse`, from which it starts where it has no
    weights of the same clusters to go on from.
    """
    pairs, given = PairStatistics.of(problem), carried_over(problem)
    if given is not None and np.array_equal(given.any(axis=1), pairs.serving):
        return _refined(problem, pairs, given, options, options.warm_iterations)
    start = ms_jo_cdwmmse(problem, options=options)
    if not isinstance(start.weights, SpannedWeights) or not pairs.served.any():
        return start
    most = options.refinements if given is None else options.change_iterations
    found = _refined(problem, pairs, start.weights.coefficients[..., 0].real, options, most)
    return replace(found, iterations=start.iterations + found.iterations)


def _refined(
    problem: PrecodingProblem, pairs: PairStatistics, start: FloatArray, options: ExactPowerOptions, most: int
) -> Precoding:
    """Alternate between receivers and the exact transmitter step, from coefficients (S,B,B) on; the best is kept."""
    span = Span.of(problem.csi.gram)
    budget_w = np.where(pairs.serving.any(axis=1), problem.power_w, 0.0)
    best, coordinates = start, span.coordinates @ start
    multiplier: FloatArray | None = None
    highest, converged, iterations = -np.inf, False, 0
    for iterations in range(most + 1):
        receivers = decomposed_receivers(pairs, span.coordinates.swapaxes(1, 2) @ coordinates)
        rate = -float((pairs.weight * np.log2(receivers.error))[pairs.served].sum())
        converged = iterations > 0 and rate <= highest + options.tolerance_bit
        if rate > highest:
            best, highest = span.basis @ coordinates, rate
        if converged or iterations == most:
            break
        dual = SingleStreamDual.of(pairs, problem.csi.gram, receivers, budget_w)
        multiplier = dual.maximised(multiplier, options.power_tolerance)
        coordinates = span.coordinates @ dual.at(multiplier).coefficients()
        # the search may exceed a budget by its tolerance
        spent_w = np.einsum("srk,srk->s", coordinates, coordinates)
        coordinates = scaled_down(coordinates, spent_w, budget_w)
    coefficients = within_budget(best, problem.csi.gram, problem.power_w)
    weights = SpannedWeights.over(problem.csi, coefficients[..., None])
    return Precoding(weights=weights, iterations=iterations, converged=converged)


@dataclass(frozen=True, slots=True, kw_only=True)
class SingleStreamDual:
    """The transmitter step as a function of the satellites' multipliers: concave, and smooth above zero.

    With the loads c_i = α_i γ_si and √C G √C = Y diag(q) Yᵀ, whatever (D_s + μ)⁻¹ enters is a sum of squares of Y:
    nothing cancels however small a multiplier is, and a trial costs one product of a matrix and a vector.
    """

    pairs: PairStatistics
    mean: FloatArray
    """(S,B) |ρ| of serving pairs."""
    coherent_target: FloatArray
    """(S,B) the part of the target that is the same multiple of |ρ| on all satellites of a terminal."""
    scattered_target: FloatArray
    """(S,B) what else the target holds."""
    receiver_gain: FloatArray
    """(S,B) α."""
    loads: DecomposedLoads
    """Of c = α γ."""
    budget_w: FloatArray
    """(S,)"""

    @classmethod
    def of(
        cls, pairs: PairStatistics, gram: FloatArray, receivers: SingleStreamReceivers, budget_w: FloatArray
    ) -> SingleStreamDual:
        """Decompose what the receivers ask for."""
        receiver_gain = np.where(pairs.reach.gather(pairs.served), pairs.reach.gather(receivers.receiver_gain), 0.0)
        load = receiver_gain * pairs.gain
        serving = pairs.serving & (load > 0.0)
        mean = np.where(serving, pairs.mean, 0.0)
        coherent_target = mean * pairs.reach.gather(receivers.coherent_target)
        return cls(
            pairs=pairs,
            mean=mean,
            coherent_target=coherent_target,
            scattered_target=np.where(serving, receivers.scattered_target, 0.0),
            receiver_gain=receiver_gain,
            loads=DecomposedLoads.of(load, gram),
            budget_w=budget_w,
        )

    def at(self, multiplier: FloatArray) -> SingleStreamDualPoint:
        """The solution under given multipliers (S,), and what it spends."""
        pairs, reach, loads = self.pairs, self.pairs.reach, self.loads
        damped = 1.0 / (loads.values + multiplier[:, None])
        remainder = loads.weighted_squares(multiplier[:, None] * damped)
        per_gain = np.divide(self.mean, pairs.gain, where=pairs.gain > 0.0, out=np.zeros_like(self.mean))
        unknown = np.divide(pairs.variance, pairs.gain, where=self.mean > 0.0, out=np.ones_like(self.mean))
        diagonal = unknown + per_gain * self.mean * remainder
        swept = np.divide(self.mean, diagonal, where=diagonal > 0.0, out=np.zeros_like(self.mean))
        alone = np.divide(self.scattered_target, diagonal, where=diagonal > 0.0, out=np.zeros_like(self.mean))
        common = per_gain * (1.0 - remainder)
        gather = reach.gather(1.0 / (1.0 + reach.sum_by_terminal(common * swept)))
        # (I + M g)⁻¹ of the aligned part in closed form: taken as a difference it would cancel
        ratio = np.divide(self.coherent_target, diagonal, where=diagonal > 0.0, out=np.zeros_like(self.mean))
        amplitude = ratio * gather + alone - swept * gather * reach.gather(reach.sum_by_terminal(common * alone))
        power_w = (amplitude**2 * loads.per_load(loads.values * damped**2)).sum(axis=1)
        gain_term = float(
            ((self.coherent_target + self.scattered_target) * amplitude * loads.per_load(loads.values * damped)).sum()
        )
        return SingleStreamDualPoint(
            dual=self,
            multiplier=multiplier,
            damped=damped,
            amplitude=amplitude,
            swept=swept * np.sqrt(self.receiver_gain * gather),
            coupling_diagonal=self.receiver_gain * self.mean * swept,
            power_w=power_w,
            value=-gain_term - float(multiplier @ self.budget_w),
        )

    def maximised(self, start: FloatArray | None, tolerance: float) -> FloatArray:
        """Multipliers (S,) under which budgets are met where they bind and nobody else exceeds theirs."""
        return self.loads.maximised(self.at, self.budget_w, start, tolerance)


@dataclass(frozen=True, slots=True, kw_only=True)
class SingleStreamDualPoint:
    """The transmitter step under given multipliers."""

    dual: SingleStreamDual
    multiplier: FloatArray
    """(S,) μ."""
    damped: FloatArray
    """(S,B) 1/(q + μ)."""
    amplitude: FloatArray
    """(S,B) share of (D_s + μ_s)⁻¹ v_k* in w_k."""
    swept: FloatArray
    """(S,B) x of the coupling x xᵀ - diag y between the satellites of each terminal."""
    coupling_diagonal: FloatArray
    """(S,B) y."""
    power_w: FloatArray
    """(S,)"""
    value: float
    """Of the dual, less a constant."""

    def coefficients(self) -> FloatArray:
        """(S,B,B) the weights over the conjugate steering vectors."""
        loads = self.dual.loads
        root = np.sqrt(loads.load)
        scaled = np.divide(self.amplitude, root, where=root > 0.0, out=np.zeros_like(root))
        return np.asarray(loads.inverse(self.damped) * scaled[:, None, :])

    def power_jacobian(self) -> FloatArray:
        """(S,S) derivative of each power by each multiplier: the Hessian of the dual."""
        loads, q = self.dual.loads, self.dual.loads.values
        response = self.amplitude * loads.per_load(q * self.damped**2)
        variance = self.dual.pairs.reach.scatter(self.swept * response)
        alone = (self.amplitude**2 * loads.per_load(q * self.damped**3) + self.coupling_diagonal * response**2).sum(
            axis=1
        )
        return np.asarray(2.0 * (variance @ variance.T - np.diag(alone)))
