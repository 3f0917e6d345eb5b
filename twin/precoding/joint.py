"""Joint precoding of several satellites by weighted mean square errors (P3's Algorithm 1), in exact structured form.

Each satellite's channels have rank one, so that its weights lie in the span of V_s*, of at most K dimensions for an
array of any size. In an orthonormal basis of that span, with the coordinates R_s of V_s*, the algorithm inverts for
terminal k the matrix blkdiag_s(D_s + λ_k I) plus a coupling between the satellites of k. D_s = R_s A_s R_sᵀ with
A_s = diag_i(α_i γ_si) is common to all terminals: one symmetric eigendecomposition per satellite and iteration serves
all of them with all their regularisations λ_k. The coupling is a diagonal plus a rank-one matrix of size S and is
inverted in closed form. Phases are counted from the middle of the array, so that all values are real.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated, Self

import numpy as np
from annotated_types import Ge

from twin.arrays import BoolArray, FloatArray, Reach
from twin.precoding.budget import within_budget
from twin.precoding.matched import known_amplitude
from twin.precoding.problem import Precoding, PrecodingProblem
from twin.precoding.warm_start import steering_coefficients, warm_iterations
from twin.precoding.weights import SpannedWeights
from twin.records import documented
from twin.registry import dataclass_options
from twin.solvers.span import Span


@dataclass_options
class JointOptions:
    """When the iteration ends."""

    iterations: Annotated[int, Ge(1)] = 10
    """I_max: iterations from a cold start (P3: 10)."""
    warm_iterations: Annotated[int, Ge(1)] = 1
    """Iterations from the last weights of the same clusters."""
    change_iterations: Annotated[int, Ge(1)] = 3
    """Iterations from the last weights if clusters have changed since; three reach a higher rate than ten cold ones."""
    tolerance_bit: Annotated[float, Ge(0.0)] = 1e-3
    """χ: the iteration ends when the sum rate increases by less (P3: 0.001)."""


@documented
@dataclass(frozen=True, slots=True, kw_only=True)
class SingleStreamReceivers:
    """What the transmitter needs of the receivers a_k and the weights u_k."""

    error: FloatArray
    """(K,) e_k: mean square error of the optimal receiver."""
    receiver_gain: FloatArray
    """(K,) α_k = β_k u_k ‖a_k‖²."""
    coherent_target: FloatArray
    """(K,) coefficient of the terminal's mean channel Σ_s |ρ_sk| v_sk* in the transmitter's target."""
    scattered_target: FloatArray
    """(S,B) coefficient of v_sk* in the rest of the transmitter's target."""


def optimise(
    problem: PrecodingProblem,
    options: JointOptions,
    receivers: Callable[[PairStatistics, FloatArray], SingleStreamReceivers],
) -> Precoding:
    """Alternate between receivers and transmitter until the sum rate no longer increases.

    The error before the first iteration is infinite in the stop criterion; the printed χ would end the iteration after
    its first step. If not every satellite serves every terminal, a terminal's weights are restricted to its own
    satellites and P_k is its fraction of their budgets.
    """
    pairs = PairStatistics.of(problem)
    span = Span.of(problem.csi.gram)
    coordinates, most = _start(problem, pairs, span, options)
    last = np.full(pairs.served.sum(), np.inf)
    iterations, converged = 0, not pairs.served.any()
    while iterations < most and not converged:
        iterations += 1
        found = receivers(pairs, span.coordinates.swapaxes(1, 2) @ coordinates)
        coordinates = _transmit(pairs, span, found)
        error = found.error[pairs.served]
        converged = bool(np.log2(last / error).sum() <= options.tolerance_bit)
        last = error
    coefficients = within_budget(span.basis @ coordinates, problem.csi.gram, problem.power_w)
    weights = SpannedWeights.over(problem.csi, coefficients[..., None])
    return Precoding(weights=weights, iterations=iterations, converged=converged)


@documented
@dataclass(frozen=True, slots=True, kw_only=True)
class PairStatistics:
    """The statistics of a problem for the pairs in reach."""

    reach: Reach
    """Pairs of a satellite and a terminal within reach."""
    gain: FloatArray
    """(S,B) γ."""
    mean: FloatArray
    """(S,B) |ρ|: amplitude of the mean channel."""
    variance: FloatArray
    """(S,B) γ - |ρ|²."""
    serving: BoolArray
    """(S,B) whether the satellite serves the terminal."""
    power_w: FloatArray
    """(K,) P_k."""
    noise_w: FloatArray
    """(K,) σ²."""
    weight: FloatArray
    """(K,) β."""
    served: BoolArray
    """(K,) terminals with power and a usable serving satellite."""

    @classmethod
    def of(cls, problem: PrecodingProblem) -> Self:
        """Gather the statistics of a problem."""
        csi, reach = problem.csi, problem.csi.reach
        power_w = problem.terminal_power_w()
        mean, gain = reach.gather(csi.mean_amplitude), reach.gather(csi.gain)
        return cls(
            reach=reach,
            gain=gain,
            mean=mean,
            variance=gain * reach.gather(np.maximum(1.0 - csi.los_fraction * csi.mean_phase**2, 0.0)),
            serving=reach.gather(problem.serving),
            power_w=power_w,
            noise_w=csi.noise_w,
            weight=problem.weight,
            served=(power_w > 0.0) & np.asarray((problem.serving & (csi.gain > 0.0)).any(axis=0)),
        )


def _start(
    problem: PrecodingProblem, pairs: PairStatistics, span: Span, options: JointOptions
) -> tuple[FloatArray, int]:
    """Coordinates (S,R,B) to start from, and the largest number of iterations.

    Without a warm start all pairs begin with the matched filter of P_k on the mean channel; so do pairs that the given
    weights do not contain, since from zero a new member of a cluster would gain power slowly only. A pair without a
    mean channel (blocked line of sight), in a cluster that has one elsewhere, has no weight and counts as unchanged. So
    does the return of the mean channel, if it concerns at most half of a satellite's pairs.
    """
    given = carried_over(problem)
    if given is None:
        return _matched(problem, pairs, span), options.iterations
    known = np.asarray(given.any(axis=1))
    expected = pairs.reach.gather(known_amplitude(problem.csi, problem.serving)) > 0.0
    added, dropped = pairs.serving & ~known & expected, known & ~pairs.serving
    if not added.any() and not dropped.any():
        return np.asarray(span.coordinates @ given), options.warm_iterations
    kept = np.where(known[:, None, :], span.coordinates @ given, _matched(problem, pairs, span))
    joined = added.sum(axis=1) > 0.5 * pairs.serving.sum(axis=1)
    unchanged = not dropped.any() and not joined.any()
    return kept * pairs.serving[:, None, :], warm_iterations(options, unchanged=unchanged)


def carried_over(problem: PrecodingProblem) -> FloatArray | None:
    """(S,B,B) real coefficients of the given weights over the current directions; None without such weights."""
    given = steering_coefficients(problem.start, problem.csi.reach)
    return None if given is None else np.asarray(given[..., 0].real)


def _matched(problem: PrecodingProblem, pairs: PairStatistics, span: Span) -> FloatArray:
    """Coordinates (S,R,B) of the matched filters of P_k."""
    amplitude = known_amplitude(problem.csi, problem.serving)
    norm = np.linalg.norm(amplitude, axis=0)
    scale = np.divide(np.sqrt(pairs.power_w), norm, where=norm > 0.0, out=np.zeros_like(norm))
    return np.asarray(span.coordinates * pairs.reach.gather(amplitude * scale)[:, None, :])


def _transmit(pairs: PairStatistics, span: Span, receivers: SingleStreamReceivers) -> FloatArray:
    """Steps 9 to 11: coordinates (S,R,B) of the precoder, with ‖w_k‖² = P_k over all satellites of k."""
    reach, receiver_gain, power_w = pairs.reach, receivers.receiver_gain, pairs.power_w
    active = (receiver_gain > 0.0) & (power_w > 0.0)
    ridge = np.divide(receiver_gain * pairs.noise_w, power_w, where=active, out=np.ones_like(receiver_gain))
    load = reach.gather(receiver_gain) * pairs.gain
    factor = span.coordinates * np.sqrt(load)[:, None, :]
    values, vectors = np.linalg.eigh(factor @ factor.swapaxes(1, 2))
    rotated = vectors.swapaxes(1, 2) @ span.coordinates
    ridges = reach.gather(ridge)
    ridges = ridges if reach.whole else np.where(ridges > 0.0, ridges, 1.0)
    damped = rotated / (np.maximum(values, 0.0)[:, :, None] + ridges[:, None, :])
    # remainder = 1 - α γ vᵀ (D + λ)⁻¹ v*: the part of a terminal's direction that its own load does not suppress
    remainder = np.maximum(1.0 - load * np.einsum("slk,slk->sk", rotated, damped), 0.0)
    target = pairs.mean * reach.gather(receivers.coherent_target) + receivers.scattered_target
    amplitude = np.where(pairs.serving & reach.gather(active), coupled(pairs, target, remainder), 0.0)
    norm = np.sqrt(reach.sum_by_terminal(amplitude**2 * np.einsum("slk,slk->sk", damped, damped)))
    scale = np.divide(np.sqrt(power_w), norm, where=norm > 0.0, out=np.zeros_like(norm))
    return np.asarray(vectors @ (damped * (amplitude * reach.gather(scale))[:, None, :]))


def coupled(pairs: PairStatistics, target: FloatArray, remainder: FloatArray) -> FloatArray:
    """(S,B) solution t of (I + M_k diag(g)) t = r with M_k = α (ρ ρᵀ - diag ρ²), by the Sherman-Morrison formula.

    With g = vᵀ (D + λ)⁻¹ v* and ``remainder`` = 1 - α γ g, all terms of the diagonal are positive: nothing cancels.
    """
    mean, reach = np.where(pairs.serving, pairs.mean, 0.0), pairs.reach
    per_gain = np.divide(mean, pairs.gain, where=pairs.gain > 0.0, out=np.zeros_like(mean))
    unknown = np.divide(pairs.variance, pairs.gain, where=pairs.gain > 0.0, out=np.ones_like(mean))
    diagonal = np.where(pairs.serving, unknown, 1.0) + per_gain * mean * remainder
    loaded = per_gain * (1.0 - remainder)
    solved = np.divide(target, diagonal, where=pairs.serving & (diagonal > 0.0), out=np.zeros_like(target))
    scaled_mean = np.divide(mean, diagonal, where=diagonal > 0.0, out=np.zeros_like(mean))
    common = reach.sum_by_terminal(loaded * solved) / (1.0 + reach.sum_by_terminal(loaded * scaled_mean))
    return np.asarray(solved - scaled_mean * reach.gather(common))
