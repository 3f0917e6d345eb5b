"""Joint precoding of one stream with each satellite's power constraint met exactly, by a dual search."""

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
from twin.records import documented
from twin.registry import dataclass_options
from twin.solvers.span import Span


@dataclass_options
class ExactPowerOptions(JointOptions):
    """Options of the start, and of the iterations after it."""

    refinements: Annotated[int, Ge(1)] = 10
    """Most iterations after those of `ms_jo_cdwmmse`, whose solution is the start."""
    power_tolerance: Annotated[float, Gt(0.0)] = 1e-9
    """Relative error to which the budgets that bind are met in each iteration."""


@precoders.register("cdwmmse_exact_power", source="ours; P3's problem (26)", options=ExactPowerOptions)
def cdwmmse_exact_power(problem: PrecodingProblem, *, options: ExactPowerOptions) -> Precoding:
    """Joint WMMSE on the decomposed covariance under the satellites' own power constraints, by a dual search.

    P3 replaces the constraint of each satellite by one of each terminal and scales at the end, which leaves power
    unused. Here the transmitter's step has one multiplier μ_s for each satellite instead, so that no iteration lowers
    the sum of AP1. The result is never below that of `ms_jo_cdwmmse`, from which it starts unless it has weights of the
    same clusters.
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
    """Alternate between receivers and the exact transmitter step, from coefficients (S,B,B); returns the best weights.

    ``most`` is the largest number of iterations.
    """
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


@documented
@dataclass(frozen=True, slots=True, kw_only=True)
class SingleStreamDual:
    """The transmitter's step as a function of the satellites' multipliers: concave, and smooth above zero.

    A trial costs one product of a matrix and a vector, because all of (D_s + μ)⁻¹ that it needs are sums of squares of
    Y; see `loads.DecomposedLoads`. The loads are c_i = α_i γ_si.
    """

    pairs: PairStatistics
    """Statistics of the serving pairs."""
    mean: FloatArray
    """(S,B) |ρ| of serving pairs."""
    coherent_target: FloatArray
    """(S,B) part of the target that is the same multiple of |ρ| on all satellites of a terminal."""
    scattered_target: FloatArray
    """(S,B) the rest of the target."""
    receiver_gain: FloatArray
    """(S,B) α."""
    loads: DecomposedLoads
    """Of c = α γ."""
    budget_w: FloatArray
    """(S,) power budgets in W."""

    @classmethod
    def of(
        cls, pairs: PairStatistics, gram: FloatArray, receivers: SingleStreamReceivers, budget_w: FloatArray
    ) -> SingleStreamDual:
        """Decompose the loads of given receivers."""
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
        """The solution under given multipliers (S,), and its powers."""
        pairs, reach, loads = self.pairs, self.pairs.reach, self.loads
        damped = 1.0 / (loads.values + multiplier[:, None])
        remainder = loads.weighted_squares(multiplier[:, None] * damped)
        per_gain = np.divide(self.mean, pairs.gain, where=pairs.gain > 0.0, out=np.zeros_like(self.mean))
        unknown = np.divide(pairs.variance, pairs.gain, where=self.mean > 0.0, out=np.ones_like(self.mean))
        diagonal = unknown + per_gain * self.mean * remainder
        coupling_vector = np.divide(self.mean, diagonal, where=diagonal > 0.0, out=np.zeros_like(self.mean))
        scattered = np.divide(self.scattered_target, diagonal, where=diagonal > 0.0, out=np.zeros_like(self.mean))
        common = per_gain * (1.0 - remainder)
        attenuation = reach.gather(1.0 / (1.0 + reach.sum_by_terminal(common * coupling_vector)))
        # (I + M g)⁻¹ of the coherent part in closed form; a difference would cancel
        ratio = np.divide(self.coherent_target, diagonal, where=diagonal > 0.0, out=np.zeros_like(self.mean))
        cross_term = coupling_vector * attenuation * reach.gather(reach.sum_by_terminal(common * scattered))
        amplitude = ratio * attenuation + scattered - cross_term
        power_w = (amplitude**2 * loads.per_load(loads.values * damped**2)).sum(axis=1)
        target, gain = self.coherent_target + self.scattered_target, loads.per_load(loads.values * damped)
        gain_term = float((target * amplitude * gain).sum())
        return SingleStreamDualPoint(
            dual=self,
            multiplier=multiplier,
            damped=damped,
            amplitude=amplitude,
            coupling_vector=coupling_vector * np.sqrt(self.receiver_gain * attenuation),
            coupling_diagonal=self.receiver_gain * self.mean * coupling_vector,
            power_w=power_w,
            value=-gain_term - float(multiplier @ self.budget_w),
        )

    def maximised(self, start: FloatArray | None, tolerance: float) -> FloatArray:
        """Multipliers (S,) under which budgets that bind are met and no other budget is exceeded."""
        return self.loads.maximised(self.at, self.budget_w, start, tolerance)


@documented
@dataclass(frozen=True, slots=True, kw_only=True)
class SingleStreamDualPoint:
    """The transmitter's step under given multipliers."""

    dual: SingleStreamDual
    """Function that was evaluated."""
    multiplier: FloatArray
    """(S,) μ."""
    damped: FloatArray
    """(S,B) 1/(q + μ)."""
    amplitude: FloatArray
    """(S,B) coefficient of (D_s + μ_s)⁻¹ v_k* in w_k."""
    coupling_vector: FloatArray
    """(S,B) x of the coupling x xᵀ - diag y between the satellites of each terminal."""
    coupling_diagonal: FloatArray
    """(S,B) y."""
    power_w: FloatArray
    """(S,) power of each satellite in W."""
    value: float
    """Value of the dual, without a constant."""

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
        coupled = self.dual.pairs.reach.scatter(self.coupling_vector * response)
        uncoupled = self.amplitude**2 * loads.per_load(q * self.damped**3) + self.coupling_diagonal * response**2
        return np.asarray(2.0 * (coupled @ coupled.T - np.diag(uncoupled.sum(axis=1))))
