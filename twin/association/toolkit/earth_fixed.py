"""Cells on the Earth and the satellites that serve them, each cell as a whole."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from twin.arrays import BoolArray, FloatArray, IntArray
from twin.association.problem import Assignment, AssociationView
from twin.association.toolkit.cells import CellGrid
from twin.association.toolkit.memory import master_id
from twin.association.toolkit.ranking import best, leads, led, received_db
from twin.association.toolkit.reasons import met, reasons
from twin.radio.channel.beam_numbers import FIRST_CELL


def earth_fixed(view: AssociationView, *, diameter_km: float | None, hysteresis_db: float) -> Assignment:
    """All terminals of a cell are served by one satellite, the one that they receive best on the mean of their dB.

    A cell's satellite is left for one better by more than the hysteresis; a terminal that enters a cell does not bring
    its satellite with it, unless nobody was there. Cells of the grid take a satellite that all of their terminals see
    wherever there is one. Terminals that see nobody have no say.

    Capacity counts terminals. Where it binds, the best pairs of cell and satellite come first: a cell goes to its best
    satellite that has room for the whole of it, and one that finds no such satellite is served in part, the terminals
    received best first.

    Parameters
    ----------
    view
        The moment.
    diameter_km
        Of the cells of a `CellGrid`; without it the cells are the groups of terminals.
    hysteresis_db
        By how much another satellite must be better.
    """
    number = view.region if diameter_km is None else _grid_number(view, diameter_km)
    level_db, cells = received_db(view), _Cells.of(number)
    present = np.asarray(view.visible.any(axis=0))[None]
    seen, size, most = cells.any(view.visible), cells.sum(view.visible), cells.sum(present)
    if diameter_km is not None:
        whole = seen & (size == most)
        seen = np.where(whole.any(axis=0), whole, seen)
    score = cells.sum(np.where(present, level_db, 0.0)) / np.maximum(most, 1)
    ranked = score + hysteresis_db * _serves(view, cells, number)
    chosen, fits = _whole_cells(ranked, seen, size, view.capacity)
    apart = 1.0 + np.ptp(level_db) if level_db.size else 1.0
    # within a satellite that serves some cell in part, that one gives way
    wanted = chosen[:, cells.own] & view.visible
    made = led(best(level_db + apart * fits[cells.own], wanted, 1, view.capacity), score[:, cells.own])
    return _told(view, made, number)


def _grid_number(view: AssociationView, diameter_km: float) -> IntArray:
    return CellGrid(diameter_km=diameter_km).number(view.terminal_latitude_deg, view.terminal_longitude_deg)


def _told(view: AssociationView, made: Assignment, number: IntArray) -> Assignment:
    """The answer with beams, and whether a terminal came to another cell or the cell to another satellite."""
    beam = np.where(made.master >= 0, FIRST_CELL + number, -1)
    before = view.memory.get("beam", beam)
    usual = np.where((before >= 0) & (before != FIRST_CELL + number), "cell entered", "cell handed over")
    memory = {"beam": beam, "satellite": np.append(view.norad_id, -1)[made.master], **met(view)}
    return replace(made, beam=beam, reason=reasons(view, usual), memory=memory)


def _serves(view: AssociationView, cells: _Cells, number: IntArray) -> BoolArray:
    """(V,C) which satellites serve a cell now: those given to terminals that were in it before, if there are any."""
    lead, beam, satellite = leads(view), FIRST_CELL + number, master_id(view)
    stayed = (view.memory.get("beam", beam) == beam) & (view.memory.get("satellite", satellite) == satellite)
    stayed = cells.any(lead & stayed)
    return np.where(stayed.any(axis=0), stayed, cells.any(lead))


def _whole_cells(
    ranked: FloatArray, seen: BoolArray, size: IntArray, capacity: int | None
) -> tuple[BoolArray, BoolArray]:
    """One satellite for each of C cells (V,C), and which cells (C,) it serves as a whole.

    Parameters
    ----------
    ranked
        (V,C) how well each satellite would serve each cell.
    seen
        (V,C) pairs that can be.
    size
        (V,C) terminals of the cell that the satellite would serve.
    capacity
        Most terminals of a satellite.
    """
    chosen = best(ranked, seen, 1, None)
    if capacity is None or (np.where(chosen, size, 0).sum(axis=1) <= capacity).all():
        return chosen, np.ones(chosen.shape[1], dtype=np.bool_)
    satellite, cell = np.nonzero(seen)
    order = np.lexsort((cell, satellite, -ranked[satellite, cell]))
    pairs = list(
        zip(satellite[order].tolist(), cell[order].tolist(), size[satellite, cell][order].tolist(), strict=True)
    )
    room, chosen = [capacity] * len(seen), np.zeros_like(seen)
    served = [False] * seen.shape[1]
    for one, which, terminals in pairs:
        if not served[which] and terminals <= room[one]:
            chosen[one, which] = served[which] = True
            room[one] -= terminals
    fits = np.array(served, dtype=np.bool_)
    for one, which, terminals in pairs:
        if not served[which] and room[one] > 0:
            chosen[one, which] = served[which] = True
            room[one] -= min(terminals, room[one])
    return chosen, fits


@dataclass(frozen=True, slots=True, kw_only=True)
class _Cells:
    """Which of C cells, those where somebody is, each of K terminals is in."""

    own: IntArray
    """(K,) place of the terminal's cell among those that are held."""
    order: IntArray
    """(K,) terminals cell by cell."""
    first: IntArray
    """(C,) where each cell begins in that order."""

    @classmethod
    def of(cls, number: IntArray) -> Self:
        """Sort terminals into cells by the numbers (K,) of these."""
        order = np.argsort(number, kind="stable")
        _, first, own = np.unique(number[order], return_index=True, return_inverse=True)
        place = np.empty_like(order)
        place[order] = own
        return cls(own=place, order=order, first=first)

    def sum(self, values: NDArray[Any]) -> NDArray[Any]:
        """(V,C) sums over the terminals of each cell of values (V,K); truth values are counted."""
        kind = np.int64 if values.dtype == np.bool_ else None
        return np.asarray(np.add.reduceat(values[:, self.order], self.first, axis=1, dtype=kind))

    def any(self, flags: BoolArray) -> BoolArray:
        """(V,C) whether it is so for a terminal of the cell."""
        return np.asarray(np.logical_or.reduceat(flags[:, self.order], self.first, axis=1))
