"""Assignment of earth-fixed cells to satellites, each cell as a whole."""

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
from twin.association.toolkit.reasons import reasons, served_before
from twin.radio.channel.beam_numbers import FIRST_CELL


def earth_fixed(view: AssociationView, *, diameter_km: float | None, hysteresis_db: float) -> Assignment:
    """Serve all terminals of a cell by one satellite, the one with the highest mean of their received powers in dB.

    A cell changes only to a satellite that is better by more than the hysteresis. The satellite of a terminal that
    enters a cell does not count as the cell's, unless the cell was empty. Cells of the grid take a satellite that is
    visible to all of their terminals if there is one. Terminals without a visible satellite do not count.

    Capacity counts terminals. Where it limits, the best pairs of cell and satellite come first: a cell gets its best
    satellite that can serve all of its terminals. A cell without such a satellite is served in part, the terminals of
    the highest received power first.

    Parameters
    ----------
    view
        What the policy is given.
    diameter_km
        Diameter of the cells of a `CellGrid`. None means that the cells are the groups of terminals.
    hysteresis_db
        Advantage that another satellite must exceed.
    """
    number = view.region if diameter_km is None else _grid_number(view, diameter_km)
    level_db, cells = received_db(view), _Cells.of(number)
    counted = np.asarray(view.visible.any(axis=0))[None]
    visible, size, total = cells.any(view.visible), cells.sum(view.visible), cells.sum(counted)
    if diameter_km is not None:
        whole = visible & (size == total)
        visible = np.where(whole.any(axis=0), whole, visible)
    score = cells.sum(np.where(counted, level_db, 0.0)) / np.maximum(total, 1)
    ranked = score + hysteresis_db * _serves(view, cells, number)
    chosen, complete = _whole_cells(ranked, visible, size, view.capacity)
    step = 1.0 + np.ptp(level_db) if level_db.size else 1.0
    # at a satellite that serves some cell in part, terminals of completely served cells come first
    wanted = chosen[:, cells.own] & view.visible
    decision = led(best(level_db + step * complete[cells.own], wanted, 1, view.capacity), score[:, cells.own])
    return _with_beams(view, decision, number)


def _grid_number(view: AssociationView, diameter_km: float) -> IntArray:
    return CellGrid(diameter_km=diameter_km).number(view.terminal_latitude_deg, view.terminal_longitude_deg)


def _with_beams(view: AssociationView, decision: Assignment, number: IntArray) -> Assignment:
    """Add beams, and as reason whether a terminal entered another cell or its cell changed the satellite."""
    beam = np.where(decision.master >= 0, FIRST_CELL + number, -1)
    before = view.memory.get("beam", beam)
    usual = np.where((before >= 0) & (before != FIRST_CELL + number), "cell entered", "cell handed over")
    memory = {"beam": beam, "satellite": np.append(view.norad_id, -1)[decision.master], **served_before(view)}
    return replace(decision, beam=beam, reason=reasons(view, usual), memory=memory)


def _serves(view: AssociationView, cells: _Cells, number: IntArray) -> BoolArray:
    """Return (V,C) which satellites serve a cell now: those of terminals that were in it before, else of all in it."""
    masters, beam, satellite = leads(view), FIRST_CELL + number, master_id(view)
    unchanged = (view.memory.get("beam", beam) == beam) & (view.memory.get("satellite", satellite) == satellite)
    serves = cells.any(masters & unchanged)
    return np.where(serves.any(axis=0), serves, cells.any(masters))


def _whole_cells(
    ranked: FloatArray, visible: BoolArray, size: IntArray, capacity: int | None
) -> tuple[BoolArray, BoolArray]:
    """Return one satellite for each of C cells (V,C), and which cells (C,) it serves completely.

    Parameters
    ----------
    ranked
        (V,C) score of each satellite for each cell.
    visible
        (V,C) pairs that may serve.
    size
        (V,C) terminals of the cell that the satellite would serve.
    capacity
        Most terminals of a satellite. None means no limit.
    """
    chosen = best(ranked, visible, 1, None)
    if capacity is None or (np.where(chosen, size, 0).sum(axis=1) <= capacity).all():
        return chosen, np.ones(chosen.shape[1], dtype=np.bool_)
    satellite, cell = np.nonzero(visible)
    order = np.lexsort((cell, satellite, -ranked[satellite, cell]))
    pairs = list(
        zip(satellite[order].tolist(), cell[order].tolist(), size[satellite, cell][order].tolist(), strict=True)
    )
    free, chosen = [capacity] * len(visible), np.zeros_like(visible)
    served = [False] * visible.shape[1]
    for row, column, terminals in pairs:
        if not served[column] and terminals <= free[row]:
            chosen[row, column] = served[column] = True
            free[row] -= terminals
    complete = np.array(served, dtype=np.bool_)
    for row, column, terminals in pairs:
        if not served[column] and free[row] > 0:
            chosen[row, column] = served[column] = True
            free[row] -= min(terminals, free[row])
    return chosen, complete


@dataclass(frozen=True, slots=True, kw_only=True)
class _Cells:
    """The C cells that contain any of the K terminals."""

    own: IntArray
    """(K,) index of each terminal's cell among the C."""
    order: IntArray
    """(K,) terminals sorted by cell."""
    first: IntArray
    """(C,) position of each cell's first terminal in that order."""

    @classmethod
    def of(cls, number: IntArray) -> Self:
        """Group terminals by their cell numbers (K,)."""
        order = np.argsort(number, kind="stable")
        _, first, own = np.unique(number[order], return_index=True, return_inverse=True)
        index = np.empty_like(order)
        index[order] = own
        return cls(own=index, order=order, first=first)

    def sum(self, values: NDArray[Any]) -> NDArray[Any]:
        """Return (V,C) sums of values (V,K) over the terminals of each cell; truth values are counted."""
        kind = np.int64 if values.dtype == np.bool_ else None
        return np.asarray(np.add.reduceat(values[:, self.order], self.first, axis=1, dtype=kind))

    def any(self, flags: BoolArray) -> BoolArray:
        """Return (V,C) whether any terminal of the cell has its flag (V,K) set."""
        return np.asarray(np.logical_or.reduceat(flags[:, self.order], self.first, axis=1))
