"""Limits on weighted sums of p²: each satellite's power, and P5's convex surrogate of the number of terminals."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any, Self

import numpy as np
from scipy import sparse

from twin.arrays import FloatArray, IntArray
from twin.records import documented
from twin.solvers.max_min.layout import Blocks


@documented
@dataclass(frozen=True, kw_only=True)
class Budgets:
    """I limits Σ weight · p² ≤ 1 over the pairs (J,A) of a problem, in G families; a pair is in one limit of each."""

    limit: IntArray
    """(G,J,A) the limit that each pair belongs to, I if it belongs to none."""
    weight: FloatArray
    """(G,J,A) the weight of each pair in its limit, zero if it belongs to none."""
    limits: int
    """I."""

    @classmethod
    def of(cls, blocks: Blocks, load: FloatArray | None = None, cluster: FloatArray | None = None) -> Self:
        """Power p² summed over each satellite (P5, eq. 32d), and the two count limits if they are given.

        Parameters
        ----------
        blocks
            The pairs.
        load
            (J,A) ω / K_max, summed over each satellite (P5, eq. 32c).
        cluster
            (J,A) ω over the most satellites of a terminal, summed over each terminal; ours.
        """
        used, local = np.unique(blocks.satellite, return_inverse=True)
        local = np.where(blocks.held, local.reshape(blocks.satellite.shape), -1)
        satellites = len(used) - int((~blocks.held).any())
        families: list[tuple[IntArray, FloatArray, int]] = [(local, blocks.held.astype(float), satellites)]
        if load is not None:
            families.append((local, load * blocks.held, satellites))
        if cluster is not None:
            streams = np.broadcast_to(np.arange(len(local))[:, None], local.shape)
            families.append((np.where(blocks.held, streams, -1), cluster * blocks.held, len(local)))
        offset = np.cumsum([0] + [count for _, _, count in families])
        limit = [np.where(index < 0, offset[-1], index + offset[g]) for g, (index, _, _) in enumerate(families)]
        weight = np.stack([weight for _, weight, _ in families])
        return cls(limit=np.stack(limit), weight=weight, limits=int(offset[-1]))

    @cached_property
    def _incidence(self) -> Any:
        """(I,G·J·A) which pairs belong to each limit."""
        flat = self.limit.ravel()
        counted = np.flatnonzero(flat < self.limits)
        return sparse.csr_array((np.ones(len(counted)), (flat[counted], counted)), shape=(self.limits, len(flat)))

    def sum_by_terminal(self, values: FloatArray) -> FloatArray:
        """Values (G,J,A,...) of pairs, summed over each limit (I,...)."""
        if values.ndim == 3:
            return self._counted(self.limit, values, self.limits + 1)[:-1]
        flat = values.reshape(self.limit.size, int(np.prod(values.shape[3:])))
        return np.asarray(self._incidence @ flat).reshape(self.limits, *values.shape[3:])

    def usage(self, amplitude: FloatArray, other: FloatArray | None = None) -> FloatArray:
        """(I,) Σ weight · p², or the same of a product of two amplitudes."""
        return self.sum_by_terminal(self.weight * (amplitude * (amplitude if other is None else other)))

    def at_pairs(self, values: FloatArray) -> FloatArray:
        """Values (I,) of limits at the pairs (G,J,A), zero for pairs without one."""
        return np.append(values, 0.0)[self.limit]

    def crossed(self, values: FloatArray) -> FloatArray:
        """(I,I) sums of values (G,G,J,A,A) of pairs of the same stream over the limits of both."""
        size = self.limits + 1
        at = self.limit[:, None, :, :, None] * size + self.limit[None, :, :, None, :]
        return self._counted(at, values, size * size).reshape(size, size)[:-1, :-1]

    def by_stream(self, values: FloatArray) -> FloatArray:
        """(I,J) sums of values (G,J,A) over each limit and stream."""
        streams = values.shape[1]
        at = self.limit * streams + np.arange(streams)[:, None]
        return self._counted(at, values, (self.limits + 1) * streams).reshape(-1, streams)[:-1]

    @staticmethod
    def _counted(at: IntArray, values: FloatArray, size: int) -> FloatArray:
        """(size,) values summed by index."""
        return np.asarray(np.bincount(at.ravel(), values.ravel(), minlength=size), dtype=np.float64)

    def within(self, amplitude: FloatArray, share: float = 1.0) -> FloatArray:
        """The amplitudes, scaled per satellite so that no limit is used by more than a given fraction."""
        over = self.at_pairs(np.sqrt(np.maximum(self.usage(amplitude) / share, 1.0)))
        return np.asarray(amplitude / np.maximum(over, 1.0).max(axis=0))
