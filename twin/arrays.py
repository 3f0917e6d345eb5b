"""Array types, and `Reach`: arrays over the pairs of satellite and terminal that have a link."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any, Self, TypeAlias

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from twin.records import documented

FloatArray: TypeAlias = NDArray[np.float64]
ComplexArray: TypeAlias = NDArray[np.complex128]
NumberArray: TypeAlias = NDArray[np.inexact[Any]]
"""Real or complex."""
IntArray: TypeAlias = NDArray[np.int64]
KeyArray: TypeAlias = NDArray[np.uint64]
"""Keys of random streams."""
BoolArray: TypeAlias = NDArray[np.bool_]
TimeArray: TypeAlias = NDArray[np.datetime64]
"""UTC instants."""

WHOLE_FRACTION = 0.75
"""If a satellite reaches this fraction of all terminals, columns are simply all terminals, which costs less."""


@documented
@dataclass(frozen=True, kw_only=True)
class Reach:
    """The terminals, at most B of K, that each of S satellites has a link to.

    Values of pairs are arrays (S,B,...), zero where a satellite reaches fewer than B terminals. Nothing of size S·K·K
    is formed where satellites reach few terminals.
    """

    terminal: IntArray
    """(S,B) indices of the terminals, ascending; K where a satellite reaches fewer."""
    terminals: int
    """K."""
    whole: bool
    """Whether the columns are all terminals."""

    @classmethod
    def of(cls, linked: BoolArray) -> Self:
        """The reach of satellites that have links to some terminals (S,K)."""
        satellites, terminals = linked.shape
        most = int(linked.sum(axis=1).max(initial=0))
        if most >= WHOLE_FRACTION * terminals:
            everyone = np.broadcast_to(np.arange(terminals), (satellites, terminals))
            return cls(terminal=everyone, terminals=terminals, whole=True)
        order = np.argsort(~linked, axis=1, kind="stable")[:, :most]
        held = np.take_along_axis(linked, order, axis=1)
        return cls(terminal=np.where(held, order, terminals), terminals=terminals, whole=False)

    def rows(self, rows: IntArray) -> Reach:
        """The reach of some satellites."""
        return Reach(terminal=self.terminal[rows], terminals=self.terminals, whole=self.whole)

    def gather(self, values: NDArray[Any]) -> NDArray[Any]:
        """Values (S,K,...) or (K,) of the pairs (S,B,...)."""
        if values.ndim == 1:
            return np.broadcast_to(values, self.terminal.shape) if self.whole else self._padded(values)[self.terminal]
        if self.whole:
            return values
        index = self.terminal.reshape(*self.terminal.shape, *(1,) * (values.ndim - 2))
        return np.take_along_axis(self._padded(values.swapaxes(0, 1)).swapaxes(0, 1), index, axis=1)

    def scatter(self, values: NDArray[Any]) -> NDArray[Any]:
        """Values (S,B,...) of pairs as (S,K,...), zero for those out of reach."""
        if self.whole:
            return values
        wide = np.zeros((len(values), self.terminals + 1, *values.shape[2:]), dtype=values.dtype)
        wide[np.arange(len(values))[:, None], self.terminal] = values
        return wide[:, : self.terminals]

    def sum_by_terminal(self, values: NDArray[Any]) -> NDArray[Any]:
        """Values (S,B,...) of pairs, summed over the satellites of each terminal (K,...)."""
        if self.whole:
            return np.asarray(values.sum(axis=0))
        flat = values.reshape(self.terminal.size, int(np.prod(values.shape[2:])))
        return np.asarray(self._incidence @ flat).reshape(self.terminals, *values.shape[2:])

    def positions(self, other: Reach) -> IntArray:
        """(S,B) columns of the other reach, of the same satellites, that hold these terminals; -1 where none does."""
        columns = np.full((len(self.terminal), self.terminals + 1), -1, dtype=np.int64)
        count = other.terminal.shape[1]
        columns[np.arange(len(self.terminal))[:, None], other.terminal] = np.arange(count)
        columns[:, self.terminals] = -1
        return np.take_along_axis(columns, self.terminal, axis=1)

    def same(self, other: Reach) -> bool:
        """Whether columns mean the same terminals."""
        if self.whole and other.whole:
            return True
        return np.array_equal(self.terminal, other.terminal)

    @cached_property
    def _incidence(self) -> Any:
        """(K, S·B) sparse matrix that sums pairs."""
        flat = self.terminal.ravel()
        held = np.flatnonzero(flat < self.terminals)
        return sparse.csr_array((np.ones(len(held)), (flat[held], held)), shape=(self.terminals, len(flat)))

    @staticmethod
    def _padded(values: NDArray[Any]) -> NDArray[Any]:
        """The values with a zero after the last terminal."""
        return np.concatenate([values, np.zeros((1, *values.shape[1:]), dtype=values.dtype)])
