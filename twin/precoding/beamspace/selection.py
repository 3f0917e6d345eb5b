"""Selection of the active beams of a satellite (P2, Section V-B)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Final, Literal, Protocol

import numpy as np
from annotated_types import Ge, Le

from twin.arrays import BoolArray, FloatArray, IntArray
from twin.errors import InputError
from twin.precoding.beamspace.codebook import ActiveBeams, Codebook
from twin.precoding.problem import PrecodingProblem
from twin.precoding.stream_limits import check_streams
from twin.radio.channel import PlanarArray
from twin.registry import Facts, dataclass_options

BeamSelection = Literal["full", "lcms", "near_opt"]
"""All of space; by captured power (P2, Algorithm 3); by the sum rate of zero forcing (P2's reference [18])."""

TIE: Final = 1e-12
"""Difference below which two values are equal, relative to the sum that they are part of: symmetry makes exact ties."""


SINGULAR: Final = 1e-12
"""Smallest eigenvalue of a Gram matrix, relative to their sum, up to which zero forcing is impossible."""

EQUAL_RATES: Final = 1e-9
"""Relative difference below which two rates are equal."""


class BeamChoice(Protocol):
    """The options of a precoder of several streams over selected beams."""

    @property
    def streams(self) -> int:
        """Largest number of streams of a terminal."""

    @property
    def beam_selection(self) -> BeamSelection:
        """Method of selection."""

    @property
    def beams(self) -> int:
        """Active beams of each satellite."""

    @property
    def oversampling(self) -> int:
        """Codewords per element of an axis."""


@dataclass_options
class BeamOptions:
    """Number of streams, and active beams."""

    streams: Annotated[int, Ge(1)] = 1
    """M_k at most: no terminal gets more streams than it has elements or serving satellites."""
    beam_selection: BeamSelection = "full"
    """Active beams: all of space, by captured power, or by the sum rate of zero forcing."""
    beams: Annotated[int, Ge(1)] = 48
    """B_s: active beams of each satellite, if beams are selected (P2: 48)."""
    oversampling: Annotated[int, Ge(1), Le(8)] = 1
    """Codewords per element of an axis (P2: 1)."""

    def check(self, facts: Facts) -> None:
        """Refuse options that the scenario cannot meet.

        Raises
        ------
        ValueError
            Of `check_beams`; the message begins with the key.
        """
        check_beams(self, facts)


def check_beams(choice: BeamChoice, facts: Facts) -> None:
    """Refuse options of streams and beams that a scenario cannot meet.

    Raises
    ------
    ValueError
        If there are more streams than elements or satellites, or more beams than codewords; the message begins with the
        key.
    """
    check_streams(choice.streams, facts)
    codebook = Codebook(
        array=PlanarArray(rows=facts.satellite_rows, columns=facts.satellite_columns),
        oversampling=choice.oversampling,
    )
    if choice.beam_selection != "full" and choice.beams > codebook.size:
        raise ValueError(_too_many(choice.beams, codebook))


def active_beams(problem: PrecodingProblem, choice: BeamChoice) -> ActiveBeams | None:
    """The active beams of each satellite; None for ``full``, which leaves all antennas free.

    Raises
    ------
    InputError
        If there are more beams than codewords.
    """
    if choice.beam_selection == "full":
        return None
    codebook = Codebook(array=problem.csi.array, oversampling=choice.oversampling)
    if choice.beams > codebook.size:
        raise InputError(_too_many(choice.beams, codebook))
    select: Callable[[PrecodingProblem, Codebook, int], IntArray] = (
        lcms if choice.beam_selection == "lcms" else near_opt
    )
    return ActiveBeams.of(codebook, select(problem, codebook, choice.beams))


def lcms(problem: PrecodingProblem, codebook: Codebook, count: int) -> IntArray:
    """Low-complexity selection by captured power (P2, Algorithm 3): codewords (S,count) in the order of selection.

    First each served terminal, the strongest first, gets its best free beam. Then follow the beams that capture most
    power of all served terminals together.
    """
    reach, csi = problem.csi.reach, problem.csi
    serving, gain = reach.gather(problem.serving), reach.gather(csi.gain)
    captured = codebook.response(csi.reached_departure) ** 2
    free = np.ones((len(gain), codebook.size), dtype=bool)
    own = _own_beams(captured, gain, serving, free, count)
    weighed = np.where(serving, gain, 0.0)
    total = np.einsum("sb,sbq->sq", weighed, captured)
    rest = _ranked(np.where(free, total, -1.0), TIE * weighed.sum(axis=1))
    # own beams first, then the others: both lists are in order, and own beams rank last among the rest
    place = np.argsort(np.concatenate([own < 0, np.zeros_like(rest, dtype=bool)], axis=1), axis=1, kind="stable")
    return np.take_along_axis(np.concatenate([own, rest], axis=1), place, axis=1)[:, :count]


def _own_beams(captured: FloatArray, gain: FloatArray, serving: BoolArray, free: BoolArray, count: int) -> IntArray:
    """(S,U) the best free beam of each served terminal, the strongest first.

    Removes these beams from ``free`` (S,Q) in place.
    """
    row = np.arange(len(gain))
    order = np.argsort(np.where(serving, -gain, np.inf), axis=1, kind="stable")
    users = int(serving.sum(axis=1).max(initial=0))
    own = np.full((len(gain), min(users, count)), -1, dtype=np.int64)
    for rank in range(own.shape[1]):
        terminal = order[:, rank]
        active = serving[row, terminal]
        available = np.where(free, captured[row, terminal], -1.0)
        best = np.argmax(available >= available.max(axis=1, keepdims=True) - TIE, axis=1)
        own[active, rank] = best[active]
        free[row[active], best[active]] = False
    return own


def _ranked(values: FloatArray, tie: FloatArray) -> IntArray:
    """(S,Q) indices by descending value; values that differ by less than ``tie`` (S,) by ascending index."""
    order = np.argsort(-values, axis=1, kind="stable")
    falling = np.take_along_axis(values, order, axis=1)
    steps = np.zeros(order.shape, dtype=np.int64)
    steps[:, 1:] = np.cumsum(falling[:, :-1] - falling[:, 1:] > tie[:, None], axis=1)
    return np.take_along_axis(order, np.lexsort((order, steps), axis=1), axis=1)


def near_opt(problem: PrecodingProblem, codebook: Codebook, count: int) -> IntArray:
    """Selection by the sum rate of zero forcing (P2's reference [18]): codewords (S,count) in the order of selection.

    First, terminals whose best beam is the best of no other terminal get that beam. The others, the strongest first,
    each get the beam that maximises the rate of all terminals with a beam so far. Then follow the beams that add most
    to the rate of all terminals.
    """
    reach, csi = problem.csi.reach, problem.csi
    serving, gain = reach.gather(problem.serving), reach.gather(csi.gain)
    amplitude = reach.gather(np.sqrt(csi.gain / csi.noise_w))
    rows = codebook.response(csi.reached_departure) * amplitude[..., None]
    order = np.argsort(np.where(serving, -gain, np.inf), axis=1, kind="stable")
    found = np.empty((len(rows), count), dtype=np.int64)
    for satellite, users in enumerate(serving.sum(axis=1)):
        own = rows[satellite, order[satellite, :users]]
        found[satellite] = _BestRate(own, float(problem.power_w[satellite])).beams(count)
    return found


class _BestRate:
    """The greedy search at one satellite; rows (U,Q) are √γ v̄ᵀ/σ of the terminals that it serves."""

    def __init__(self, rows: FloatArray, power_w: float) -> None:
        power = rows**2
        tie = TIE * power.sum(axis=1, keepdims=True)
        best = np.argmax(power >= power.max(axis=1, keepdims=True) - tie, axis=1)
        alone = np.bincount(best, minlength=rows.shape[1])[best] == 1
        turn = np.argsort(~alone, kind="stable")
        self.rows, self.power_w = rows[turn], power_w
        self.unshared: list[int] = best[turn][: alone.sum()].tolist()
        # total power of the first n terminals on each beam, n from 0
        self.power = np.concatenate([np.zeros((1, rows.shape[1])), np.cumsum(power[turn], axis=0)])
        self.scale = float(power.sum())
        self.taken: list[int] = []
        self.free = np.ones(rows.shape[1], dtype=bool)

    def beams(self, count: int) -> IntArray:
        """Codewords (count,) in the order of selection."""
        for step in range(count):
            best = self.unshared[step] if step < len(self.unshared) else self._best(min(step + 1, len(self.rows)))
            self.taken.append(best)
            self.free[best] = False
        return np.array(self.taken, dtype=np.int64)

    def _best(self, users: int) -> int:
        """The free beam of the highest rate; of equal rates the one with most power, then the lowest index."""
        rate = np.where(self.free, self._rates(users), -1.0)
        equal = rate >= rate.max() * (1.0 - EQUAL_RATES)
        power = np.where(equal & self.free, self.power[users], -1.0)
        return int(np.argmax(power >= power.max() - TIE * self.scale))

    def _rates(self, users: int) -> FloatArray:
        """(Q,) zero-forcing rate of each of the first terminals, with each further beam; 0 if it is impossible."""
        rows = self.rows[:users]
        if not self.power[users].any():
            return np.zeros(rows.shape[1])
        held = rows[:, self.taken]
        found = _square_traces(held, rows) if users > len(self.taken) else _wide_traces(held, rows)
        inverse = _traces(held, rows) if found is None else found
        trace = np.vdot(held, held) + self.power[users]
        possible = (inverse > 0.0) & (inverse * trace * SINGULAR < 1.0)
        return np.log1p(np.divide(self.power_w, inverse, where=possible, out=np.zeros_like(inverse)))


def _square_traces(held: FloatArray, rows: FloatArray) -> FloatArray | None:
    """(Q,) tr (A Aᵀ)⁻¹ of square A = (held, column q), by bordering; None if the bordered matrix is singular."""
    inverse = _inverse(held[:-1], power=2)
    if inverse is None:
        return None
    down, across = inverse @ rows[:-1], held[-1] @ inverse
    schur = rows[-1] - held[-1] @ down
    ends = (1.0 + np.einsum("uq,uq->q", down, down)) * (1.0 + across @ across)
    added = 2.0 * (inverse @ across) @ down * schur + ends
    none = np.full_like(schur, np.inf)
    return np.asarray(np.vdot(inverse, inverse) + np.divide(added, schur**2, where=schur**2 > 0.0, out=none))


def _wide_traces(held: FloatArray, rows: FloatArray) -> FloatArray | None:
    """(Q,) tr (A Aᵀ + h_q h_qᵀ)⁻¹ for A = held, by the Sherman-Morrison formula; None if A Aᵀ is singular."""
    inverse = _inverse(held @ held.T, power=1)
    if inverse is None:
        return None
    solved = inverse @ rows
    lost = np.einsum("uq,uq->q", solved, solved) / (1.0 + np.einsum("uq,uq->q", rows, solved))
    return np.asarray(np.trace(inverse) - lost)


def _traces(held: FloatArray, rows: FloatArray) -> FloatArray:
    """(Q,) the same traces by eigenvalues, one matrix per beam; infinite where zero forcing is impossible."""
    values = np.linalg.eigvalsh(rows @ rows.T)
    none = np.full(rows.shape[1], np.inf)
    if values[0] <= SINGULAR * values.sum():
        return none  # impossible even with all beams
    values = np.linalg.eigvalsh(held @ held.T + rows.T[:, :, None] * rows.T[:, None, :])
    possible = values[:, 0] > SINGULAR * values.sum(axis=1)
    return np.where(possible, (1.0 / np.where(possible[:, None], values, 1.0)).sum(axis=1), none)


def _inverse(matrix: FloatArray, *, power: int) -> FloatArray | None:
    """The inverse of a matrix; None if the matrix or its Gram matrix (``power`` 2) is singular to rounding."""
    try:
        inverse = np.linalg.inv(matrix)
    except np.linalg.LinAlgError:
        return None
    condition = np.linalg.norm(matrix) * np.linalg.norm(inverse)
    return None if condition**power * SINGULAR >= 1.0 else np.asarray(inverse)


def _too_many(beams: int, codebook: Codebook) -> str:
    """Message for more beams than codewords."""
    array = codebook.array
    return (
        f"beams = {beams} must be at most {codebook.size}, the codewords of {array.rows} x {array.columns} "
        f"elements with oversampling {codebook.oversampling}"
    )
