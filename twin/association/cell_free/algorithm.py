"""Who serves whom with what power, decided together so that the worst-off terminal fares best (P5, Algorithm 1)."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Annotated, Final, Literal

import numpy as np
from annotated_types import Ge, Gt, Lt

from twin.arrays import BoolArray, FloatArray
from twin.errors import InputError
from twin.registry import dataclass_options
from twin.solvers.max_min.coefficients import Coefficients
from twin.solvers.max_min.count_limits import Numbers
from twin.solvers.max_min.layout import Blocks
from twin.solvers.max_min.limits import Budgets
from twin.solvers.max_min.search import Peak, highest, successive

Reason = Literal["fits", "kept", "pruned", "nobody"]
ROUGH: Final = 1e-2
"""Relative accuracy of the powers that only tell which pairs to drop."""
IDLE_ROUNDS: Final = 3
"""How often pairs are dropped that the last powers make no use of."""


@dataclass_options
class MaxMinOptions:
    """How max-min powers are found."""

    step: Literal["bisection", "sca"] = "bisection"
    """Which method solves a problem of given weights: one that brackets the global optimum between a reached SINR and
    an upper bound, or P5's successive convex approximation, which ends when it gains little."""
    tolerance: Annotated[float, Ge(1e-7), Lt(1.0)] = 1e-5
    """Relative distance of the least SINR from its bound, or its relative gain, at which the method ends."""
    approximations: Annotated[int, Ge(1)] = 50
    """Most convex approximations of one problem, with step = "sca" (P5 needs up to 20)."""


@dataclass_options
class CellFreeOptions(MaxMinOptions):
    """How clusters and powers are found."""

    terminals_per_satellite: Annotated[int, Ge(1)] = 8
    """K_max: most terminals that one satellite serves (P5, eq. 23b)."""
    satellites_per_terminal: Annotated[int, Ge(1)] | None = None
    """Most satellites that serve one terminal; none is no limit, as in P5."""
    reweightings: Annotated[int, Ge(0)] = 15
    """Most passes of the reweighted ℓ2 norm, after which surplus pairs are dropped by power (P5 has up to 20)."""
    regularisation: Annotated[float, Gt(0.0)] = 1e-10
    """ε in ω = 1/(p² + ε) (P5, eq. 30)."""
    least_amplitude: Annotated[float, Gt(0.0), Lt(1.0)] = 1e-3
    """What p must exceed to count as serving; P5 says zero."""
    tolerated_loss: Annotated[float, Ge(0.0), Lt(1.0)] = 0.0
    """Clusters given as a start are kept if, measured by the least SINR without limits of numbers, they have lost no
    more than this share since they were chosen."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Allocation:
    """Clusters and powers of S satellites and K terminals."""

    power_fraction: FloatArray
    """(S,K) p²: share of its power that each satellite spends on each terminal."""
    serving: BoolArray
    """(S,K) pairs that serve."""
    sinr: FloatArray
    """(K,) SINR of the use-and-forget bound (P5, eq. 27), zero where nobody serves."""
    least_sinr: float
    """The least over the terminals that somebody serves; zero if there are none."""
    bound: float
    """What the least SINR cannot exceed with these clusters; infinite where the method gives no bound."""
    worth: float = 1.0
    """The least SINR over that without limits of numbers, to a hundredth, when the clusters were chosen; 1 for given
    clusters."""
    iterations: int
    """Problems solved: passes of the reweighting and the last one on the clusters found."""
    converged: bool
    """Whether the last powers are optimal to the tolerance."""
    reason: Reason
    """Why the clusters are final: they fit the limits of numbers (``fits``), are those of the start (``kept``), surplus
    pairs were dropped by power (``pruned``), or ``nobody`` can be served."""


def allocate(
    coefficients: Coefficients, serving: BoolArray, *, options: MaxMinOptions, start: Allocation | None = None
) -> Allocation:
    """Max-min powers of given clusters.

    Terminals to which no serving satellite has a mean channel are left out: no power changes their SINR of zero. Groups
    of terminals that neither hear each other nor share a satellite each have a maximum of their own.

    Parameters
    ----------
    coefficients
        Amplitudes of S satellites and K terminals.
    serving
        (S,K) the clusters.
    options
        How the powers are found.
    start
        A solution of the same satellites and terminals to start from; the result depends on it to rounding alone.

    Raises
    ------
    InputError
        If an array's shape does not fit.
    """
    _check(coefficients, serving, start)
    useful = coefficients.useful(serving)
    amplitude, peaks = np.zeros(useful.shape), []
    known = None if start is None else np.sqrt(coefficients.reach.gather(start.power_fraction))
    for blocks in Blocks.of(coefficients, useful).parts():
        peak = _peak(blocks, Budgets.of(blocks), options, None if known is None else blocks.gather(known))
        amplitude += blocks.scatter(peak.amplitude, useful.shape)
        peaks.append(peak)
    return _allocation(coefficients, useful, amplitude, peaks)


def clusters(
    coefficients: Coefficients, eligible: BoolArray, *, options: CellFreeOptions, start: Allocation | None = None
) -> Allocation:
    """Clusters and powers together (P5, Algorithm 1).

    The max-min problem is solved over all eligible pairs, then again and again with a limit on Σ ω p², ω = 1/(p² + ε),
    for each satellite that serves too many, until none does. Pairs below ``least_amplitude`` are out for good.
    Ours: the powers are found anew on the clusters, now without the limits that only stood for numbers; where the
    passes do not end the weakest surplus pairs are dropped, but nobody's last; where not everyone can have a
    satellite, as many as possible have.

    Parameters
    ----------
    coefficients
        Amplitudes of S satellites and K terminals.
    eligible
        (S,K) pairs that may serve, such as the visible.
    options
        Limits and method.
    start
        A solution of the same satellites and terminals, whose clusters may be kept (``tolerated_loss``).

    Raises
    ------
    InputError
        If an array's shape does not fit.
    """
    _check(coefficients, eligible, start)
    reach, signal = coefficients.reach, coefficients.signal
    numbers = Numbers(load=options.terminals_per_satellite, cluster=options.satellites_per_terminal)
    useful = numbers.admitted(coefficients.useful(eligible), signal, reach)
    rough = replace(options, tolerance=max(ROUGH, options.tolerance))
    parts = list(Blocks.of(coefficients, useful).parts())
    free = [_peak(blocks, Budgets.of(blocks), rough, None, certain=False) for blocks in parts]
    unlimited = min((peak.least for peak in free), default=0.0)
    if start is not None and options.tolerated_loss > 0.0:
        kept = _kept(coefficients, useful, numbers, options, start, unlimited)
        if kept is not None:
            return kept
    strength, passes = np.zeros(useful.shape), 0
    for blocks, peak in zip(parts, free, strict=True):
        amplitude, count = _sparse(blocks, peak.amplitude, useful.shape, numbers, rough)
        strength += amplitude
        passes = max(passes, count)
    chosen = numbers.pruned(strength, useful, signal, reach)
    found, solved = _without_idle(coefficients, chosen, options)
    if found.reason == "nobody":
        return found
    reason: Reason = "fits" if np.array_equal(chosen, strength > 0.0) else "pruned"
    return replace(found, iterations=passes + solved, reason=reason, worth=found.least_sinr / unlimited)


def _without_idle(coefficients: Coefficients, chosen: BoolArray, options: CellFreeOptions) -> tuple[Allocation, int]:
    """Max-min powers of pairs (S,B), less those that turn out to be of no use; and the number of problems solved."""
    reach = coefficients.reach
    for solved in range(1, IDLE_ROUNDS + 1):  # noqa: B007 - wanted afterwards
        found = allocate(coefficients, reach.scatter(chosen), options=options)
        amplitude = np.sqrt(found.power_fraction)
        busy = (amplitude > options.least_amplitude) | (amplitude >= amplitude.max(axis=0, initial=0.0))
        if (busy | ~found.serving).all():
            break
        chosen = chosen & reach.gather(busy)
    return found, solved


def _sparse(
    blocks: Blocks, amplitude: FloatArray, shape: tuple[int, ...], numbers: Numbers, options: CellFreeOptions
) -> tuple[FloatArray, int]:
    """Amplitudes (S,B) of the pairs that the reweighting leaves of some (J,A), and the number of problems solved."""
    for count in range(1, options.reweightings + 2):
        strongest = amplitude >= amplitude.max(axis=1, keepdims=True)
        amplitude = np.where(strongest | (amplitude > options.least_amplitude), amplitude, 0.0)
        left = blocks.kept(amplitude > 0.0)
        amplitude, blocks = left.gather(blocks.scatter(amplitude, shape)), left
        budgets = numbers.weighted(blocks, 1.0 / (amplitude**2 + options.regularisation))
        if budgets is None or count > options.reweightings:
            break
        amplitude = _peak(blocks, budgets, options, amplitude, certain=False).amplitude
    return blocks.scatter(amplitude, shape), count


def _kept(
    coefficients: Coefficients,
    useful: BoolArray,
    numbers: Numbers,
    options: CellFreeOptions,
    start: Allocation,
    unlimited: float,
) -> Allocation | None:
    """The clusters of the start with new powers, if they are still allowed and good enough."""
    held = coefficients.reach.gather(start.serving) & useful
    if not np.array_equal(held, numbers.pruned(held.astype(float), useful, coefficients.signal, coefficients.reach)):
        return None
    found = allocate(coefficients, coefficients.reach.scatter(held), options=options, start=start)
    if found.reason == "nobody" or found.least_sinr < (1.0 - options.tolerated_loss) * start.worth * unlimited:
        return None
    return replace(found, iterations=2, reason="kept", worth=start.worth)


def _peak(
    blocks: Blocks, budgets: Budgets, options: MaxMinOptions, start: FloatArray | None, *, certain: bool = True
) -> Peak:
    if options.step == "bisection":
        return highest(blocks, budgets, tolerance=options.tolerance, start=start, certain=certain)
    return successive(blocks, budgets, tolerance=options.tolerance, iterations=options.approximations, start=start)


def _allocation(coefficients: Coefficients, useful: BoolArray, amplitude: FloatArray, peaks: list[Peak]) -> Allocation:
    """The record of amplitudes (S,B) found part by part."""
    reach = coefficients.reach
    sinr = np.zeros(reach.terminals)
    if peaks:
        blocks = Blocks.of(coefficients, useful)
        sinr[blocks.terminal] = blocks.sinr(blocks.gather(amplitude))
    return Allocation(
        power_fraction=np.asarray(reach.scatter(amplitude**2)),
        serving=np.asarray(reach.scatter(useful)),
        sinr=sinr,
        least_sinr=min((peak.least for peak in peaks), default=0.0),
        bound=min((peak.bound for peak in peaks), default=0.0),
        iterations=1,
        converged=all(peak.converged for peak in peaks),
        reason="fits" if peaks else "nobody",
    )


def _check(coefficients: Coefficients, pairs: BoolArray, start: Allocation | None) -> None:
    shape = (len(coefficients.signal), coefficients.reach.terminals)
    if pairs.shape != shape:
        raise InputError(f"pairs that may serve have the shape {pairs.shape}; the coefficients are of {shape}")
    if start is not None and start.power_fraction.shape != shape:
        raise InputError(
            f"the start is of {start.power_fraction.shape} satellites and terminals; the coefficients are of {shape}"
        )
