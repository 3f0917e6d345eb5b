"""Joint clustering and power allocation that maximises the least SINR (P5, Algorithm 1)."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Annotated, Final, Literal

import numpy as np
from annotated_types import Ge, Gt, Lt

from twin.arrays import BoolArray, FloatArray
from twin.errors import InputError
from twin.records import documented
from twin.registry import dataclass_options
from twin.solvers.max_min.coefficients import Coefficients
from twin.solvers.max_min.count_limits import CountLimits
from twin.solvers.max_min.layout import Blocks
from twin.solvers.max_min.limits import Budgets
from twin.solvers.max_min.search import Solution, maximise, successive

Reason = Literal["fits", "kept", "pruned", "empty"]
ROUGH: Final = 1e-2
"""Relative tolerance of powers that only decide which pairs to drop."""
IDLE_ROUNDS: Final = 3
"""Most rounds in which pairs without power are dropped from the final clusters."""


@dataclass_options
class MaxMinOptions:
    """Method and tolerance of the max-min power allocation."""

    step: Literal["bisection", "sca"] = "bisection"
    """Method for one problem with given weights: an interior-point method that brackets the global optimum between a
    reached SINR and an upper bound (bisection), or P5's successive convex approximation (sca)."""
    tolerance: Annotated[float, Ge(1e-7), Lt(1.0)] = 1e-5
    """Relative gap between the least SINR and its bound (bisection), or relative gain of an iteration (sca), below
    which the method ends."""
    approximations: Annotated[int, Ge(1)] = 50
    """Most convex approximations of one problem, with step = "sca" (P5 needs up to 20)."""


@dataclass_options
class CellFreeOptions(MaxMinOptions):
    """Limits and reweighting of the joint clustering and power allocation."""

    terminals_per_satellite: Annotated[int, Ge(1)] = 8
    """K_max: most terminals that one satellite serves (P5, eq. 23b)."""
    satellites_per_terminal: Annotated[int, Ge(1)] | None = None
    """Most satellites that serve one terminal. None means no limit, as in P5."""
    reweightings: Annotated[int, Ge(0)] = 15
    """Most iterations of the reweighted ℓ2 norm, after which surplus pairs are dropped by power (P5: up to 20)."""
    regularisation: Annotated[float, Gt(0.0)] = 1e-10
    """ε in ω = 1/(p² + ε) (P5, eq. 30)."""
    least_amplitude: Annotated[float, Gt(0.0), Lt(1.0)] = 1e-3
    """Amplitude p that a pair must exceed to count as serving; zero in P5."""
    tolerated_loss: Annotated[float, Ge(0.0), Lt(1.0)] = 0.0
    """Clusters given as a start are kept until the ratio of their least SINR to the one without count limits has
    fallen by more than this fraction since they were chosen."""


@documented
@dataclass(frozen=True, slots=True, kw_only=True)
class Allocation:
    """Clusters and powers of S satellites and K terminals."""

    power_fraction: FloatArray
    """(S,K) p²: fraction of its power that each satellite spends on each terminal."""
    serving: BoolArray
    """(S,K) pairs that serve."""
    sinr: FloatArray
    """(K,) SINR of the use-and-forget bound (P5, eq. 27), zero where no satellite serves."""
    least_sinr: float
    """Least SINR over the served terminals; zero if no terminal is served."""
    bound: float
    """Upper bound of the least SINR with these clusters; infinite where the method gives no bound."""
    sinr_ratio: float = 1.0
    """Ratio of the least SINR to the one without count limits, to about 1 %, when the clusters were chosen; 1 for
    given clusters."""
    iterations: int
    """Number of problems solved: those of the reweighting and those on the final clusters."""
    converged: bool
    """Whether the final powers are optimal to the tolerance."""
    reason: Reason
    """Why the clusters are final: they fit the count limits (``fits``), are those of the start (``kept``), surplus
    pairs were dropped by power (``pruned``), or no terminal can be served (``empty``)."""


def allocate(
    coefficients: Coefficients, serving: BoolArray, *, options: MaxMinOptions, start: Allocation | None = None
) -> Allocation:
    """Return the max-min powers of given clusters.

    Terminals without a mean channel from a serving satellite are left out: their SINR is zero at any power. The least
    SINR is maximised separately in each group of terminals that neither interfere with each other nor share a
    satellite.

    Parameters
    ----------
    coefficients
        Amplitudes of S satellites and K terminals.
    serving
        (S,K) pairs that serve.
    options
        Method and tolerance.
    start
        Solution for the same satellites and terminals to start from; it changes the result only by rounding.

    Raises
    ------
    InputError
        If an array's shape does not fit.
    """
    _check(coefficients, serving, start)
    useful = coefficients.useful(serving)
    amplitude, solutions = np.zeros(useful.shape), []
    initial = None if start is None else np.sqrt(coefficients.reach.gather(start.power_fraction))
    for blocks in Blocks.of(coefficients, useful).parts():
        found = _max_min(blocks, Budgets.of(blocks), options, None if initial is None else blocks.gather(initial))
        amplitude += blocks.scatter(found.amplitude, useful.shape)
        solutions.append(found)
    return _allocation(coefficients, useful, amplitude, solutions)


def clusters(
    coefficients: Coefficients, eligible: BoolArray, *, options: CellFreeOptions, start: Allocation | None = None
) -> Allocation:
    """Return clusters and powers that jointly maximise the least SINR (P5, Algorithm 1).

    The max-min problem is solved over all eligible pairs, then repeatedly with a limit on Σ ω p², ω = 1/(p² + ε), for
    each satellite that serves too many terminals, until no satellite does. Pairs below ``least_amplitude`` are removed.
    Ours: the final powers are those of the clusters without the limits on Σ ω p²; if the iterations do not end, the
    weakest surplus pairs are dropped, but no terminal's last one; if not all terminals can have a satellite, as many
    as possible have one.

    Parameters
    ----------
    coefficients
        Amplitudes of S satellites and K terminals.
    eligible
        (S,K) pairs that may serve, for example the visible ones.
    options
        Limits and method.
    start
        Solution for the same satellites and terminals whose clusters may be kept (``tolerated_loss``).

    Raises
    ------
    InputError
        If an array's shape does not fit.
    """
    _check(coefficients, eligible, start)
    reach, signal = coefficients.reach, coefficients.signal
    limits = CountLimits(load=options.terminals_per_satellite, cluster=options.satellites_per_terminal)
    useful = limits.admitted(coefficients.useful(eligible), signal, reach)
    rough = replace(options, tolerance=max(ROUGH, options.tolerance))
    parts = list(Blocks.of(coefficients, useful).parts())
    unlimited = [_max_min(blocks, Budgets.of(blocks), rough, None, certified=False) for blocks in parts]
    unlimited_sinr = min((part.least_sinr for part in unlimited), default=0.0)
    if start is not None and options.tolerated_loss > 0.0:
        kept = _kept(coefficients, useful, limits, options, start, unlimited_sinr)
        if kept is not None:
            return kept
    strength, reweightings = np.zeros(useful.shape), 0
    for blocks, part in zip(parts, unlimited, strict=True):
        amplitude, count = _sparse(blocks, part.amplitude, useful.shape, limits, rough)
        strength += amplitude
        reweightings = max(reweightings, count)
    chosen = limits.pruned(strength, useful, signal, reach)
    found, solved = _without_idle(coefficients, chosen, options)
    if found.reason == "empty":
        return found
    reason: Reason = "fits" if np.array_equal(chosen, strength > 0.0) else "pruned"
    ratio = found.least_sinr / unlimited_sinr
    return replace(found, iterations=reweightings + solved, reason=reason, sinr_ratio=ratio)


def _without_idle(coefficients: Coefficients, chosen: BoolArray, options: CellFreeOptions) -> tuple[Allocation, int]:
    """Return max-min powers of pairs (S,B) without those that get no power, and the number of problems solved."""
    reach = coefficients.reach
    for solved in range(1, IDLE_ROUNDS + 1):  # noqa: B007 - used after the loop
        found = allocate(coefficients, reach.scatter(chosen), options=options)
        amplitude = np.sqrt(found.power_fraction)
        active = (amplitude > options.least_amplitude) | (amplitude >= amplitude.max(axis=0, initial=0.0))
        if (active | ~found.serving).all():
            break
        chosen = chosen & reach.gather(active)
    return found, solved


def _sparse(
    blocks: Blocks, amplitude: FloatArray, shape: tuple[int, ...], limits: CountLimits, options: CellFreeOptions
) -> tuple[FloatArray, int]:
    """Return the amplitudes (S,B) that remain of (J,A) after the reweighting, and the number of problems solved."""
    for count in range(1, options.reweightings + 2):
        strongest = amplitude >= amplitude.max(axis=1, keepdims=True)
        amplitude = np.where(strongest | (amplitude > options.least_amplitude), amplitude, 0.0)
        remaining = blocks.kept(amplitude > 0.0)
        amplitude, blocks = remaining.gather(blocks.scatter(amplitude, shape)), remaining
        budgets = limits.weighted(blocks, 1.0 / (amplitude**2 + options.regularisation))
        if budgets is None or count > options.reweightings:
            break
        amplitude = _max_min(blocks, budgets, options, amplitude, certified=False).amplitude
    return blocks.scatter(amplitude, shape), count


def _kept(
    coefficients: Coefficients,
    useful: BoolArray,
    limits: CountLimits,
    options: CellFreeOptions,
    start: Allocation,
    unlimited_sinr: float,
) -> Allocation | None:
    """Return the clusters of the start with new powers, or None if they are not allowed or have lost too much."""
    pairs = coefficients.reach.gather(start.serving) & useful
    if not np.array_equal(pairs, limits.pruned(pairs.astype(float), useful, coefficients.signal, coefficients.reach)):
        return None
    found = allocate(coefficients, coefficients.reach.scatter(pairs), options=options, start=start)
    required = (1.0 - options.tolerated_loss) * start.sinr_ratio * unlimited_sinr
    if found.reason == "empty" or found.least_sinr < required:
        return None
    return replace(found, iterations=2, reason="kept", sinr_ratio=start.sinr_ratio)


def _max_min(
    blocks: Blocks, budgets: Budgets, options: MaxMinOptions, start: FloatArray | None, *, certified: bool = True
) -> Solution:
    """Solve one max-min problem by the selected method."""
    if options.step == "bisection":
        return maximise(blocks, budgets, tolerance=options.tolerance, start=start, certified=certified)
    return successive(blocks, budgets, tolerance=options.tolerance, iterations=options.approximations, start=start)


def _allocation(
    coefficients: Coefficients, useful: BoolArray, amplitude: FloatArray, solutions: list[Solution]
) -> Allocation:
    """Return the record of amplitudes (S,B) that were solved for in separate groups."""
    reach = coefficients.reach
    sinr = np.zeros(reach.terminals)
    if solutions:
        blocks = Blocks.of(coefficients, useful)
        sinr[blocks.terminal] = blocks.sinr(blocks.gather(amplitude))
    return Allocation(
        power_fraction=np.asarray(reach.scatter(amplitude**2)),
        serving=np.asarray(reach.scatter(useful)),
        sinr=sinr,
        least_sinr=min((part.least_sinr for part in solutions), default=0.0),
        bound=min((part.bound for part in solutions), default=0.0),
        iterations=1,
        converged=all(part.converged for part in solutions),
        reason="fits" if solutions else "empty",
    )


def _check(coefficients: Coefficients, pairs: BoolArray, start: Allocation | None) -> None:
    shape = (len(coefficients.signal), coefficients.reach.terminals)
    if pairs.shape != shape:
        raise InputError(f"pairs that may serve: found shape {pairs.shape}, allowed {shape} as of the coefficients")
    if start is not None and start.power_fraction.shape != shape:
        raise InputError(
            f"start: found shape {start.power_fraction.shape} of satellites and terminals, allowed {shape} as of the"
            " coefficients"
        )
