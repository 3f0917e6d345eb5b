"""Joint precoding of several satellites by weighted mean square errors (P3's Algorithm 1), in exact structured form.

Each satellite's channels being of rank one, its weights lie in the span of V_s*, of at most K dimensions, whatever
the array's size. In an orthonormal basis of that span with the coordinates R_s of V_s*, the matrix that the algorithm
inverts for terminal k is blkdiag_s(D_s + λ_k I) plus what couples the satellites of k, with D_s = R_s A_s R_sᵀ and
A_s = diag_i(α_i γ_si) common to all terminals: one symmetric eigendecomposition a satellite and iteration serves all
of them with all their regularisations λ_k. The coupling is a diagonal plus a rank one matrix of size S, inverted in
closed form. Phases being counted from the middle of the array, all of it is real.
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
    """Iterations from the last weights where some clusters have changed since; three score above ten cold ones."""
    tolerance_bit: Annotated[float, Ge(0.0)] = 1e-3
    """χ: the iteration ends when the sum rate rises by less (P3: 0.001)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Receivers:
    """What the transmitter needs of the receivers a_k and the weights u_k."""

    error: FloatArray
    """(K,) e_k: mean square error at its optimal receiver."""
    strength: FloatArray
    """(K,) α_k = β_k u_k ‖a_k‖²."""
    aligned: FloatArray
    """(K,) coefficient of Σ_s |ρ_sk| v_sk* in what the transmitter shall match: the terminal's mean channel."""
    apart: FloatArray
    """(S,B) coefficient of v_sk* in what else it shall match."""


def optimise(
    problem: PrecodingProblem, options: JointOptions, receivers: Callable[[Near, FloatArray], Receivers]
) -> Precoding:
    """Alternate between receivers and transmitter until the sum rate rises no more.

    The stop criterion takes the error before the first iteration as infinite; the printed χ would end the
    iteration after its first step. Where not every satellite serves everyone, a terminal's weights are restricted
    to its own satellites and P_k is its share of their budgets.
    """
    near = Near.of(problem)
    span = Span.of(problem.csi.gram)
    coordinates, most = _start(problem, near, span, options)
    last = np.full(near.served.sum(), np.inf)
    iterations, converged = 0, not near.served.any()
    while iterations < most and not converged:
        iterations += 1
        found = receivers(near, span.coordinates.swapaxes(1, 2) @ coordinates)
        coordinates = _transmit(near, span, found)
        error = found.error[near.served]
        converged = bool(np.log2(last / error).sum() <= options.tolerance_bit)
        last = error
    coefficients = within_budget(span.basis @ coordinates, problem.csi.gram, problem.power_w)
    weights = SpannedWeights.over(problem.csi, coefficients[..., None])
    return Precoding(weights=weights, iterations=iterations, converged=converged)


@dataclass(frozen=True, slots=True, kw_only=True)
class Near:
    """What the iteration needs of a problem, of the pairs in reach alone."""

    reach: Reach
    gain: FloatArray
    """(S,B) γ."""
    mean: FloatArray
    """(S,B) |ρ|."""
    spread: FloatArray
    """(S,B) γ - |ρ|²."""
    serving: BoolArray
    """(S,B)"""
    power_w: FloatArray
    """(K,) P_k."""
    noise_w: FloatArray
    """(K,) σ²."""
    weight: FloatArray
    """(K,) β."""
    served: BoolArray
    """(K,) terminals that take part."""

    @classmethod
    def of(cls, problem: PrecodingProblem) -> Self:
        """Gather it."""
        csi, reach = problem.csi, problem.csi.reach
        power_w = problem.terminal_power_w()
        mean, gain = reach.gather(csi.mean_amplitude), reach.gather(csi.gain)
        return cls(
            reach=reach,
            gain=gain,
            mean=mean,
            spread=gain * reach.gather(np.maximum(1.0 - csi.los_fraction * csi.mean_phase**2, 0.0)),
            serving=reach.gather(problem.serving),
            power_w=power_w,
            noise_w=csi.noise_w,
            weight=problem.weight,
            served=(power_w > 0.0) & np.asarray((problem.serving & (csi.gain > 0.0)).any(axis=0)),
        )


def _start(problem: PrecodingProblem, near: Near, span: Span, options: JointOptions) -> tuple[FloatArray, int]:
    """Coordinates (S,R,B) to start from, and how many iterations they deserve.

    Pairs that the given weights do not know start from the matched filter of P_k on the mean channel, as all do
    without any; left at zero, a new member of a cluster would gain power only slowly. Beside others with a
    mean channel, a pair without one, as where the line of sight is blocked, has no weight and none is missed. Where
    it comes back to single pairs of a satellite, that is no change of the cluster.
    """
    given = carried(problem)
    if given is None:
        return _matched(problem, near, span), options.iterations
    known = np.asarray(given.any(axis=1))
    reckoned = near.reach.gather(known_amplitude(problem.csi, problem.serving)) > 0.0
    missed, gone = near.serving & ~known & reckoned, known & ~near.serving
    if not missed.any() and not gone.any():
        return np.asarray(span.coordinates @ given), options.warm_iterations
    kept = np.where(known[:, None, :], span.coordinates @ given, _matched(problem, near, span))
    joined = missed.sum(axis=1) > 0.5 * near.serving.sum(axis=1)
    few = not gone.any() and not joined.any()
    return kept * near.serving[:, None, :], warm_iterations(options, unchanged=few)


def carried(problem: PrecodingProblem) -> FloatArray | None:
    """(S,B,B) coefficients of the weights to start from, over today's directions; none without such weights."""
    given = steering_coefficients(problem.start, problem.csi.reach)
    return None if given is None else np.asarray(given[..., 0].real)


def _matched(problem: PrecodingProblem, near: Near, span: Span) -> FloatArray:
    """Coordinates (S,R,B) of the matched filters of P_k."""
    amplitude = known_amplitude(problem.csi, problem.serving)
    norm = np.linalg.norm(amplitude, axis=0)
    scale = np.divide(np.sqrt(near.power_w), norm, where=norm > 0.0, out=np.zeros_like(norm))
    return np.asarray(span.coordinates * near.reach.gather(amplitude * scale)[:, None, :])


def _transmit(near: Near, span: Span, receivers: Receivers) -> FloatArray:
    """Steps 9 to 11: coordinates (S,R,B) of the precoder, with ‖w_k‖² = P_k over all its satellites."""
    reach, strength, power_w = near.reach, receivers.strength, near.power_w
    active = (strength > 0.0) & (power_w > 0.0)
    ridge = np.divide(strength * near.noise_w, power_w, where=active, out=np.ones_like(strength))
    load = reach.gather(strength) * near.gain
    factor = span.coordinates * np.sqrt(load)[:, None, :]
    values, vectors = np.linalg.eigh(factor @ factor.swapaxes(1, 2))
    turned = vectors.swapaxes(1, 2) @ span.coordinates
    shifts = reach.gather(ridge)
    shifts = shifts if reach.whole else np.where(shifts > 0.0, shifts, 1.0)
    damped = turned / (np.maximum(values, 0.0)[:, :, None] + shifts[:, None, :])
    # own = 1 - α γ vᵀ (D + λ)⁻¹ v*: what of a terminal's direction its own load leaves over
    own = np.maximum(1.0 - load * np.einsum("slk,slk->sk", turned, damped), 0.0)
    target = near.mean * reach.gather(receivers.aligned) + receivers.apart
    pull = np.where(near.serving & reach.gather(active), coupled(near, target, own), 0.0)
    norm = np.sqrt(reach.sum_by_terminal(pull**2 * np.einsum("slk,slk->sk", damped, damped)))
    scale = np.divide(np.sqrt(power_w), norm, where=norm > 0.0, out=np.zeros_like(norm))
    return np.asarray(vectors @ (damped * (pull * reach.gather(scale))[:, None, :]))


def coupled(near: Near, target: FloatArray, own: FloatArray) -> FloatArray:
    """(S,B) solution t of (I + M_k diag(g)) t = r with M_k = α (ρ ρᵀ - diag ρ²), after Sherman and Morrison.

    With g = vᵀ (D + λ)⁻¹ v* and α γ g = 1 - own, all terms of the diagonal are positive: nothing cancels.
    """
    mean, reach = np.where(near.serving, near.mean, 0.0), near.reach
    per_gain = np.divide(mean, near.gain, where=near.gain > 0.0, out=np.zeros_like(mean))
    unknown = np.divide(near.spread, near.gain, where=near.gain > 0.0, out=np.ones_like(mean))
    diagonal = np.where(near.serving, unknown, 1.0) + per_gain * mean * own
    gather = per_gain * (1.0 - own)
    solved = np.divide(target, diagonal, where=near.serving & (diagonal > 0.0), out=np.zeros_like(target))
    swept = np.divide(mean, diagonal, where=diagonal > 0.0, out=np.zeros_like(mean))
    common = reach.sum_by_terminal(gather * solved) / (1.0 + reach.sum_by_terminal(gather * swept))
    return np.asarray(solved - swept * reach.gather(common))
