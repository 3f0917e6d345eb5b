"""P1's Algorithm 3: each stream of a terminal is sent by one satellite, which reduces the fronthaul load."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated, Literal

import numpy as np
from annotated_types import Ge
from scipy.optimize import linear_sum_assignment

from twin.arrays import BoolArray, FloatArray, IntArray, Reach
from twin.precoding.noncoherent.alternating import alternate
from twin.precoding.noncoherent.eigenmodes import Modes, along_streams, mmse_directions
from twin.precoding.noncoherent.multipliers import total_power
from twin.precoding.noncoherent.solvers import SpannedSolver
from twin.precoding.problem import Precoding, PrecodingProblem, precoders
from twin.precoding.stream_limits import check_streams
from twin.radio.channel import StatisticalCsi
from twin.randomness import stream
from twin.records import documented
from twin.registry import Facts, dataclass_options
from twin.solvers.span import Span

PREFERENCE = 1e-9
"""Weight of a satellite's fraction of the mean power relative to its participation: it breaks ties."""


@dataclass_options
class StreamwiseOptions:
    """Number of streams, their association with satellites, and when the iteration ends."""

    streams: Annotated[int, Ge(1)] = 1
    """S: streams of each terminal; fewer if fewer satellites serve it."""
    association: Literal["participation", "random"] = "participation"
    """Each stream from a satellite that participates in its eigenmode (P1, eq. 37), or at random (P1, Fig. 9)."""
    seed: Annotated[int, Ge(0)] = 0
    """Seed of the random association."""
    iterations: Annotated[int, Ge(1)] = 40
    """I_max: iterations from a cold start (P1: 40)."""
    warm_iterations: Annotated[int, Ge(1)] = 1
    """Iterations from the last weights of the same streams."""
    change_iterations: Annotated[int, Ge(1)] = 3
    """Iterations from the last weights if streams have changed satellites since."""
    tolerance: Annotated[float, Ge(0.0)] = 1e-4
    """ε: the iteration ends when the objective changes by less (P1: 1e-4)."""

    def check(self, facts: Facts) -> None:
        """Refuse more streams than the scenario allows.

        Raises
        ------
        ValueError
            Of `check_streams`; the message begins with the key.
        """
        check_streams(self.streams, facts)


@documented
@dataclass(frozen=True, slots=True, kw_only=True)
class Participation:
    """Participation of satellites in the eigenmodes of a terminal (P1, eq. 33 to 36)."""

    satellites: Reach
    """The satellites, D at most, of each terminal: a reach with the parts of satellites and terminals exchanged."""
    factors: FloatArray
    """(K,D,R) η: fraction of each satellite in each mode.

    The fractions sum to 1 over D; they are 0 where the singular value is 0.
    """
    values: FloatArray
    """(K,R) singular values, descending."""


def participation(csi: StatisticalCsi, serving: BoolArray) -> Participation:
    """Participation of serving satellites (S,K) in the modes of each terminal.

    A right singular vector is H̃ᴴ q over its singular value, of length √γ |uᴴ q| at each satellite. If singular values
    coincide, modes and factors are not unique.
    """
    modes = Modes.of(csi, serving)
    projected = np.abs(modes.channels.conj().swapaxes(1, 2) @ modes.vectors) ** 2
    squares = modes.values[:, None, :] ** 2
    factors = np.divide(projected, squares, where=squares > 0.0, out=np.zeros_like(projected))
    return Participation(satellites=modes.satellites, factors=factors, values=modes.values)


def score(csi: StatisticalCsi, serving: BoolArray, modes: int | None = None) -> FloatArray:
    """(S,K) power of each satellite in a terminal's strongest modes (P1, eq. 40).

    Over all modes, as printed, this is γ; it ranks satellites only for fewer modes than the terminal has antennas.
    """
    found = participation(csi, serving)
    wide = (found.factors * found.values[:, None, :] ** 2)[:, :, :modes].sum(axis=2)
    return np.ascontiguousarray(found.satellites.scatter(wide).T)


def associated(problem: PrecodingProblem, streams: int, seed: int | None = None) -> BoolArray:
    """(S,K,L) which satellite sends which stream: the best assignment (P1, eq. 37), or at random with a seed.

    A terminal has as many streams as serving satellites if these are fewer. Of equal assignments the one with the
    stronger satellites is chosen, then the one with the lower catalogue numbers.
    """
    csi = problem.csi
    candidates = problem.serving & (csi.gain > 0.0) & (problem.power_w > 0.0)[:, None]
    sent = np.zeros((*candidates.shape, streams), dtype=np.bool_)
    order = np.argsort(csi.norad_id, kind="stable")
    scores = None if seed is not None else _stream_scores(csi, candidates, streams)
    drawn = None if seed is None else _drawn_scores(csi, seed)
    for terminal in np.flatnonzero(candidates.any(axis=0)):
        own = order[candidates[order, terminal]]
        count = min(streams, len(own))
        if scores is not None:
            chosen, stream_of = linear_sum_assignment(scores(int(terminal), own)[:, :count], maximize=True)
        else:
            assert drawn is not None
            chosen, stream_of = np.argsort(drawn[own, terminal], kind="stable")[:count], np.arange(count)
        sent[own[chosen], terminal, stream_of] = True
    return sent


def _drawn_scores(csi: StatisticalCsi, seed: int) -> FloatArray:
    """(S,K) random scores of all pairs; those of a satellite do not depend on the others."""
    terminals = csi.gain.shape[1]
    drawn = [stream(seed, "streams", int(number)).random(terminals) for number in csi.norad_id]
    return np.array(drawn).reshape(len(drawn), terminals)


def _stream_scores(csi: StatisticalCsi, candidates: BoolArray, streams: int) -> Callable[[int, IntArray], FloatArray]:
    """A function for the scores (D,L) of each stream at each of some satellites of a terminal."""
    found = participation(csi, candidates)
    factors = found.factors[:, :, :streams]
    missing = streams - factors.shape[2]
    factors = np.pad(factors, ((0, 0), (0, 0), (0, missing)))
    total = np.where(candidates, csi.gain, 0.0).sum(axis=0)

    def scores(terminal: int, own: IntArray) -> FloatArray:
        held = np.searchsorted(found.satellites.terminal[terminal], own)
        return np.asarray(factors[terminal, held] + PREFERENCE * (csi.gain[own, terminal] / total[terminal])[:, None])

    return scores


@precoders.register("streamwise", source="P1, Algorithm 3", options=StreamwiseOptions)
def streamwise(problem: PrecodingProblem, *, options: StreamwiseOptions) -> Precoding:
    """Non-coherent transmission with each stream from one satellite, chosen by its part in the eigenmode."""
    csi = problem.csi
    active = associated(problem, options.streams, options.seed if options.association == "random" else None)
    active &= (problem.weight > 0.0)[:, None]
    span = Span.of(csi.gram)
    cold = along_streams(csi, mmse_directions(csi, span), active, problem.power_w).responses(span)
    solver = SpannedSolver(csi=csi, span=span, cap_w=problem.power_w, search=total_power)
    return alternate(problem, solver, active, cold, options)
