"""Goes through the instants once, for many prices of a handover side by side."""

from __future__ import annotations

from dataclasses import dataclass
from heapq import heappop, heappush
from typing import Self

import numpy as np

from twin.arrays import FloatArray, IntArray
from twin.association.offline.contacts import ContactPlan
from twin.records import documented


@documented
@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class OfflinePlan:
    """Who serves one terminal at each of T instants."""

    assignment: IntArray
    """(T,) row of the satellite that serves, -1 where none is visible."""
    handovers: int
    """Changes from one satellite to another between two neighbouring instants."""
    attaches: int
    """Starts of service, at the beginning or after a gap; they are not handovers."""
    score: float
    """Sum of the scores of the serving satellites."""

    @property
    def mean_score(self) -> float:
        """Mean score of the instants with service; 0 without service."""
        return self.score / max(1, int((self.assignment >= 0).sum()))


@documented
@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Slots:
    """Contacts side by side: each keeps one of B columns from its first instant to its last."""

    contacts: ContactPlan
    """Contacts between satellites and terminals over the whole run."""
    contact: IntArray
    """(T,B) number of the contact, -1 for none."""
    score: FloatArray
    """(T,B) less the highest of the instant: at most 0; -inf where there is no contact."""
    total: FloatArray
    """(T,B) sum of the score from the contact's first instant on, this one included."""
    begins: tuple[tuple[int, ...], ...]
    """Columns in which a contact begins, for each instant."""
    ends: tuple[tuple[int, ...], ...]
    """Columns in which one has its last instant."""

    @classmethod
    def of(cls, contacts: ContactPlan) -> Self:
        """Lay contacts out."""
        columns = _columns(contacts)
        shape = contacts.instants, max(columns, default=0) + 1
        contact, score = np.full(shape, -1), np.full(shape, -np.inf)
        begins: list[list[int]] = [[] for _ in range(contacts.instants)]
        ends: list[list[int]] = [[] for _ in range(contacts.instants)]
        spans = list(zip(columns, contacts.first.tolist(), contacts.stop.tolist(), strict=True))
        for number, (column, first, stop) in enumerate(spans):
            contact[first:stop, column] = number
            score[first:stop, column] = contacts.score[number]
            begins[first].append(column)
            ends[stop - 1].append(column)
        seen = contact >= 0
        highest = score.max(axis=1, keepdims=True, initial=-np.inf)
        score = np.where(seen, score - np.where(np.isfinite(highest), highest, 0.0), -np.inf)
        total = np.full(shape, -np.inf)
        for column, first, stop in spans:
            np.cumsum(score[first:stop, column], out=total[first:stop, column])
        return cls(
            contacts=contacts,
            contact=contact,
            score=score,
            total=total,
            begins=tuple(map(tuple, begins)),
            ends=tuple(map(tuple, ends)),
        )

    @property
    def prohibitive(self) -> float:
        """A price above all that scores can differ by: no score buys a handover."""
        return 1.0 - 2.0 * float(np.where(self.contact >= 0, self.score, 0.0).min(axis=1, initial=0.0).sum())

    def plans(self, prices: FloatArray, dwell: int) -> list[OfflinePlan]:
        """The best plan at each of (L,) prices."""
        column, since = self._forward(prices, dwell)
        return [self._plan(column[:, lane].tolist(), since[:, lane].tolist()) for lane in range(len(prices))]

    def _forward(self, prices: FloatArray, dwell: int) -> tuple[IntArray, IntArray]:
        """For each instant, the best column to be in and free to leave, and since when: (T,L) both.

        ``held`` is the best value with which a column can be held and left, less the contact's score so far: it is that
        of the best instant to come in, and only changes when a better one has served its time. Coming in after a gap is
        charged, too: it happens equally often on all ways through, and so decides nothing.
        """
        lanes, width, occupied = np.arange(len(prices)), self.contact.shape[1], self.contact >= 0
        column, since = np.full((2, len(occupied), len(prices)), -1)
        held, entered = np.full((len(prices), width), -np.inf), np.zeros((len(prices), width), dtype=np.int64)
        entering = np.full((dwell, len(prices), width), -np.inf)
        value = np.zeros(len(prices))
        before = np.where(occupied, self.total - np.where(occupied, self.score, 0.0), np.inf)
        for instant, anyone in enumerate((self.contact.max(axis=1) >= 0).tolist()):
            if not anyone:
                continue
            for b in self.begins[instant]:
                held[:, b] = -np.inf
                entering[:, :, b] = -np.inf
            entering[instant % dwell] = (value - prices)[:, None] - before[instant]
            _take(held, entered, entering[(instant + 1) % dwell], instant - dwell + 1)
            if dwell > 1:
                for b in self.ends[instant]:
                    for late in range(max(0, instant - dwell + 2), instant + 1):
                        _take(held[:, b], entered[:, b], entering[late % dwell, :, b], late)
            free = held + self.total[instant]
            column[instant] = best = free.argmax(axis=1)
            since[instant] = entered[lanes, best]
            value = free[lanes, best]
        return column, since

    def _plan(self, column: list[int], since: list[int]) -> OfflinePlan:
        """Follow the choices back from the end, one stay at a time."""
        assignment = np.full(len(column), -1)
        chosen: list[FloatArray] = []
        instant = len(column) - 1
        while instant >= 0:
            if column[instant] < 0:
                instant -= 1
                continue
            number, begin = int(self.contact[instant, column[instant]]), since[instant]
            first = int(self.contacts.first[number])
            assignment[begin : instant + 1] = self.contacts.satellite[number]
            chosen.append(self.contacts.score[number][begin - first : instant + 1 - first])
            instant = begin - 1
        assignment.flags.writeable = False
        served = assignment >= 0
        after = served[1:] & served[:-1]
        return OfflinePlan(
            assignment=assignment,
            handovers=int((after & (np.diff(assignment) != 0)).sum()),
            attaches=int(served[:1].sum() + (served[1:] & ~served[:-1]).sum()),
            score=float(np.concatenate([np.empty(0), *reversed(chosen)]).sum()),
        )


def _take(held: FloatArray, entered: IntArray, candidate: FloatArray, instant: int) -> None:
    """Where it is better to have come in at an instant, note so; where it is the same, the longer stay remains."""
    better = candidate > held
    np.copyto(held, candidate, where=better)
    np.copyto(entered, instant, where=better)


def _columns(contacts: ContactPlan) -> list[int]:
    """The lowest column that is free during each contact."""
    columns: list[int] = []
    free: list[int] = []
    busy: list[tuple[int, int]] = []
    for first, stop in zip(contacts.first.tolist(), contacts.stop.tolist(), strict=True):
        while busy and busy[0][0] <= first:
            heappush(free, heappop(busy)[1])
        column = heappop(free) if free else len(busy)
        columns.append(column)
        heappush(busy, (stop, column))
    return columns
