"""Reasons for the trace why a terminal gets another satellite."""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from twin.arrays import BoolArray
from twin.association.problem import AssociationView, Memory

INITIAL_ACCESS: Final = "initial access"
"""The terminal was not served at any earlier decision."""
REESTABLISHMENT: Final = "re-establishment"
"""The terminal has lost its satellites."""
SERVED_BEFORE: Final = "served_before"
"""Name in the memory of (K,) terminals that were served at an earlier decision."""


def reasons(view: AssociationView, usual: str | NDArray[np.str_]) -> NDArray[np.str_]:
    """Return (K,) the usual reason for terminals that are served, initial access or re-establishment for the others."""
    unserved = np.where(_served_before(view), REESTABLISHMENT, INITIAL_ACCESS)
    return np.where(view.master >= 0, usual, unserved)


def served_before(view: AssociationView) -> Memory:
    """Return the memory that `reasons` needs at the next decision."""
    return {SERVED_BEFORE: _served_before(view) | (view.master >= 0)}


def _served_before(view: AssociationView) -> BoolArray:
    """Return (K,) terminals that were served before this decision."""
    return np.asarray(view.memory.get(SERVED_BEFORE, np.zeros(view.master.shape, dtype=np.bool_)))
