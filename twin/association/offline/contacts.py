"""When each satellite can be seen from one terminal."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import ArrayLike

from twin.arrays import BoolArray, FloatArray, IntArray
from twin.errors import InputError
from twin.records import documented


@documented
@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class ContactPlan:
    """Who is visible to one terminal when: N contacts, each one satellite without a break, over T instants."""

    instants: int
    """T."""
    satellite: IntArray
    """(N,) row of the satellite; contacts stand in the order of their first instants, then of rows."""
    first: IntArray
    """(N,) instant at which it is first visible."""
    stop: IntArray
    """(N,) first instant at which it is not visible any more, at most T."""
    score: tuple[FloatArray, ...]
    """N arrays (stop - first,): what serving at each instant is worth, as a rate or an elevation."""

    @classmethod
    def of(cls, visible: BoolArray, score: FloatArray | None = None) -> Self:
        """From (T,V) visibility and, if there is one, (T,V) score, which is not read where no satellite is visible.

        Raises
        ------
        InputError
            If the shapes differ or the score of a visible satellite is not finite.
        """
        visible = np.asarray(visible, dtype=np.bool_)
        if visible.ndim != 2 or (score is not None and np.shape(score) != visible.shape):
            found = f"{visible.shape} and {np.shape(score)}" if score is not None else f"{visible.shape}"
            raise InputError(f"visibility and score: found shapes {found}, allowed (T,V) for both")
        instants, satellites = np.nonzero(visible)
        values = None if score is None else score[instants, satellites]
        return cls.of_pairs(instants, satellites, values, instants=len(visible))

    @classmethod
    def of_pairs(
        cls, instant: ArrayLike, satellite: ArrayLike, score: ArrayLike | None = None, *, instants: int
    ) -> Self:
        """From the visible pairs alone, in any order: (M,) instants, rows of satellites and scores.

        So a long horizon can be gone through in chunks.

        Raises
        ------
        InputError
            If a pair stands twice or outside the horizon, or a score is not finite.
        """
        when, who = np.asarray(instant, dtype=np.int64), np.asarray(satellite, dtype=np.int64)
        worth = np.zeros(len(when)) if score is None else np.asarray(score, dtype=np.float64)
        if not when.shape == who.shape == worth.shape or when.ndim != 1:
            raise InputError(f"pairs: found shapes {when.shape}, {who.shape} and {worth.shape}, allowed (M,) for all")
        if len(when) and (when.min() < 0 or when.max() >= instants or who.min() < 0):
            raise InputError(f"pairs: an instant is outside 0 to {instants - 1}, or a satellite's row is negative")
        if not np.isfinite(worth).all():
            raise InputError(
                f"score: found {worth[~np.isfinite(worth)][0]} for a visible satellite, allowed finite numbers"
            )
        order = np.lexsort((when, who))
        when, who, worth = when[order], who[order], worth[order]
        separate = (np.diff(who) != 0) | (np.diff(when) != 1)
        if (~np.diff(who).astype(np.bool_) & (np.diff(when) == 0)).any():
            raise InputError("pairs: an instant and a satellite stand together twice, allowed once")
        edges = np.flatnonzero(np.concatenate([[True], separate, [True]])) if len(when) else np.zeros(1, dtype=np.int64)
        begin, end = edges[:-1], edges[1:]
        rank = np.lexsort((who[begin], when[begin]))
        begin, end = begin[rank], end[rank]
        return cls(
            instants=instants,
            satellite=who[begin],
            first=when[begin],
            stop=when[end - 1] + 1,
            score=tuple(worth[a:b] for a, b in zip(begin.tolist(), end.tolist(), strict=True)),
        )

    def visible_count(self) -> IntArray:
        """(T,) how many satellites are visible."""
        steps = np.zeros(self.instants + 1, dtype=np.int64)
        np.add.at(steps, self.first, 1)
        np.subtract.at(steps, self.stop, 1)
        return np.cumsum(steps[:-1])
