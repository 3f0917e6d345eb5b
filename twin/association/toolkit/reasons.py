"""Why a terminal gets another satellite, in a word for the trace."""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from twin.arrays import BoolArray
from twin.association.problem import AssociationView, Memory

FIRST: Final = "initial access"
"""Nobody served the terminal at any decision before."""
AGAIN: Final = "re-establishment"
"""The terminal has lost whom it had."""
MET: Final = "met"
"""Under this name a policy remembers who was served at a decision before."""


def reasons(view: AssociationView, usual: str | NDArray[np.str_]) -> NDArray[np.str_]:
    """(K,) the usual reason of terminals that are served; for the others whether it is for the first time."""
    unserved = np.where(_met(view), AGAIN, FIRST)
    return np.where(view.master >= 0, usual, unserved)


def met(view: AssociationView) -> Memory:
    """What is to be remembered for `reasons` at the next decision."""
    return {MET: _met(view) | (view.master >= 0)}


def _met(view: AssociationView) -> BoolArray:
    return np.asarray(view.memory.get(MET, np.zeros(view.master.shape, dtype=np.bool_)))
