"""Arrays in a policy's memory, mapped to the satellites of the current decision."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from twin.arrays import BoolArray, IntArray
from twin.association.problem import AssociationView

SATELLITES = "norad_id"
"""Name in the memory of the (V,) NORAD ids, ascending, to which the rows of the other arrays belong."""


def recalled(view: AssociationView, name: str, unknown: float) -> NDArray[Any]:
    """Return a (V,K) array from the memory with its rows mapped to the current satellites.

    Parameters
    ----------
    view
        What the policy is given; its memory holds the array and, as `SATELLITES`, the NORAD ids of its rows.
    name
        Name of the array in the memory.
    unknown
        Value for satellites without a row, and for all at the first decision; it sets the type of the result.
    """
    values = np.full(view.visible.shape, unknown)
    if name in view.memory:
        past = view.memory[SATELLITES]
        if len(past):
            row = np.minimum(np.searchsorted(past, view.norad_id), len(past) - 1)
            known = past[row] == view.norad_id
            values[known] = view.memory[name][row[known]]
    return values


def master_id(view: AssociationView) -> IntArray:
    """Return (K,) NORAD id of each terminal's master now, -1 without a master."""
    return np.append(view.norad_id, -1)[view.master]


def same_master(view: AssociationView) -> BoolArray:
    """Return (K,) whether a terminal's master is the one in the memory under the name ``master``."""
    now = master_id(view)
    return np.asarray((now >= 0) & (view.memory["master"] == now)) if "master" in view.memory else now < -1
