"""The max-min problem arranged by stream: for each terminal, the satellites that may serve it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Self

import numpy as np
from scipy import sparse
from scipy.sparse.csgraph import connected_components

from twin.arrays import BoolArray, FloatArray, IntArray
from twin.records import documented
from twin.solvers.max_min.coefficients import Coefficients


@documented
@dataclass(frozen=True, slots=True, kw_only=True)
class Blocks:
    """J terminals, each with up to A satellites that may serve it; amplitudes p (J,A) are zero beyond.

    Each terminal's amplitudes are divided by its largest b, which changes no SINR.
    """

    terminal: IntArray
    """(J,) the terminals."""
    satellite: IntArray
    """(J,A) rows of the satellites that may serve each, S beyond their number."""
    column: IntArray
    """(J,A) the terminal's column in each satellite's reach, 0 beyond."""
    held: BoolArray
    """(J,A) whether the entry holds a satellite."""
    signal: FloatArray
    """(J,A) b."""
    deviation: FloatArray
    """(J,J,A) c² of each stream (first J) at each terminal (second J)."""
    leak: FloatArray
    """(J,Q,J,A) d, its real and imaginary parts that are not all zero; zero at the stream's own terminal."""
    noise: FloatArray
    """(J,) σ²."""
    satellites: int
    """S."""

    @classmethod
    def of(cls, coefficients: Coefficients, useful: BoolArray) -> Self:
        """Arrange the useful pairs (S,B) by stream; terminals without a useful pair are left out."""
        reach = coefficients.reach
        row, column = np.nonzero(useful)
        terminal, stream = np.unique(reach.terminal[row, column], return_inverse=True)
        order = np.argsort(stream, kind="stable")
        row, column, stream = row[order], column[order], stream[order]
        count = np.bincount(stream, minlength=len(terminal))
        slot = np.arange(len(row)) - np.repeat(np.cumsum(count) - count, count)
        shape = (len(terminal), int(count.max(initial=0)))

        def laid(values: IntArray, beyond: int) -> IntArray:
            out = np.full(shape, beyond, dtype=np.int64)
            out[stream, slot] = values
            return out

        satellite = laid(row, len(useful))
        signal = np.zeros(shape)
        signal[stream, slot] = coefficients.signal[row, column]
        deviation, leak = _interference(coefficients, terminal, (row, column, stream, slot), shape)
        size = signal.max(axis=1, initial=0.0)
        return cls(
            terminal=terminal,
            satellite=satellite,
            column=laid(column, 0),
            held=satellite < len(useful),
            signal=signal / size[:, None],
            deviation=(deviation / size[:, None]) ** 2,
            leak=leak / size[:, None],
            noise=coefficients.noise_w[terminal] / size / size,
            satellites=len(useful),
        )

    def parts(self) -> Iterator[Blocks]:
        """Groups of terminals that neither interfere with each other nor have a satellite in common."""
        if not len(self.terminal):
            return
        streams = np.nonzero(self.held)[0]
        serves = sparse.csr_array(
            (np.ones(len(streams)), (streams, self.satellite[self.held])), shape=(len(self.terminal), self.satellites)
        )
        received = sparse.csr_array((self.deviation.any(axis=2) | self.leak.any(axis=(1, 3))).astype(float))
        count, label = connected_components(received + serves @ serves.T, directed=False)
        if count == 1:
            yield self
            return
        for part in range(count):
            yield self.some(np.flatnonzero(label == part))

    def some(self, rows: IntArray) -> Blocks:
        """The problem of some terminals."""
        width = int(self.held[rows].sum(axis=1).max(initial=0))
        return replace(
            self,
            terminal=self.terminal[rows],
            satellite=self.satellite[rows, :width],
            column=self.column[rows, :width],
            held=self.held[rows, :width],
            signal=self.signal[rows, :width],
            deviation=self.deviation[rows[:, None], rows, :width],
            leak=self.leak[rows[:, None, None], np.arange(self.leak.shape[1])[:, None], rows, :width],
            noise=self.noise[rows],
        )

    def kept(self, pairs: BoolArray) -> Blocks:
        """The problem with some of the pairs (J,A), compacted."""
        held = self.held & pairs
        order = np.argsort(~held, axis=1, kind="stable")[:, : int(held.sum(axis=1).max(initial=0))]
        held = np.take_along_axis(held, order, axis=1)
        stream = np.arange(len(held))[:, None]
        return replace(
            self,
            satellite=np.where(held, self.satellite[stream, order], self.satellites),
            column=np.where(held, self.column[stream, order], 0),
            held=held,
            signal=self.signal[stream, order] * held,
            deviation=np.take_along_axis(self.deviation, order[:, None], axis=2) * held[:, None],
            leak=np.take_along_axis(self.leak, order[:, None, None], axis=3) * held[:, None, None],
        )

    def response(self, amplitude: FloatArray) -> tuple[FloatArray, FloatArray]:
        """M_kj p_j (J,J,A) of each stream j (first J) at each terminal k, and their sum Σ_j p_jᵀM_kj p_j (J,)."""
        seen = (self.leak @ amplitude[:, None, :, None])[..., 0]
        turned = self.deviation * amplitude[:, None, :]
        for part in range(self.leak.shape[1]):
            turned += seen[:, part, :, None] * self.leak[:, part]
        return turned, np.asarray((turned @ amplitude[:, :, None])[..., 0].sum(axis=0))

    def sinr(self, amplitude: FloatArray) -> FloatArray:
        """(J,) SINR (P5, eq. 27, the beamforming uncertainty with p of stream j)."""
        wanted = (self.signal * amplitude).sum(axis=1)
        return np.asarray(wanted**2 / (self.response(amplitude)[1] + self.noise))

    def scatter(self, values: FloatArray, shape: tuple[int, ...]) -> FloatArray:
        """Values (J,A) of pairs as (S,B)."""
        out = np.zeros(shape)
        out[self.satellite[self.held], self.column[self.held]] = values[self.held]
        return out

    def gather(self, values: FloatArray) -> FloatArray:
        """Values (S,B) of pairs as (J,A)."""
        out = np.zeros(self.held.shape)
        out[self.held] = values[self.satellite[self.held], self.column[self.held]]
        return out


def _interference(
    coefficients: Coefficients,
    terminal: IntArray,
    pairs: tuple[IntArray, IntArray, IntArray, IntArray],
    shape: tuple[int, int],
) -> tuple[FloatArray, FloatArray]:
    """c (J,J,A) and d (J,Q,J,A) of each pair's stream at the terminals."""
    row, column, stream, slot = pairs
    reach = coefficients.reach
    place = np.full(reach.terminals + 1, -1)
    place[terminal] = np.arange(len(terminal))
    hearer = place[reach.terminal[row]]
    pair, receiver = np.nonzero(hearer >= 0)
    to = (stream[pair], hearer[pair, receiver], slot[pair])
    at = (row[pair], receiver, column[pair])
    deviation = np.zeros((shape[0], *shape))
    deviation[to] = coefficients.deviation[at]
    others = np.where(to[0] == to[1], 0.0, coefficients.leak[at])
    parts = [part for part in (others.real, others.imag) if part.any()]
    leak = np.zeros((shape[0], len(parts), *shape))
    for number, part in enumerate(parts):
        leak[to[0], number, to[1], to[2]] = part
    return deviation, leak
