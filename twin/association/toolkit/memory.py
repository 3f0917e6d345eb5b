"""What a policy remembered of pairs, found again among other satellites."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from twin.arrays import BoolArray, IntArray
from twin.association.problem import AssociationView

SATELLITES = "norad_id"
"""Under this name a policy remembers which satellites the rows of its other arrays were."""


def recalled(view: AssociationView, name: str, unknown: float) -> NDArray[Any]:
    """An array (V,K) of the last decision for the satellites of this one.

    Parameters
    ----------
    view
        The moment; its memory holds the array and, as `SATELLITES`, the NORAD ids of its rows.
    name
        What the array was remembered as.
    unknown
        The value for satellites that were not there, and for all at the first decision; it sets the type, too.
    """
    values = np.full(view.visible.shape, unknown)
    if name in view.memory:
        past = view.memory[SATELLITES]
        if len(past):
            place = np.minimum(np.searchsorted(past, view.norad_id), len(past) - 1)
            known = past[place] == view.norad_id
            values[known] = view.memory[name][place[known]]
    return values


def master_id(view: AssociationView) -> IntArray:
    """(K,) NORAD id of each terminal's master now, -1 for none."""
    return np.append(view.norad_id, -1)[view.master]


def same_master(view: AssociationView) -> BoolArray:
    """(K,) terminals that are led by the satellite that led them at the last decision, remembered as ``master``."""
    now = master_id(view)
    return np.asarray((now >= 0) & (view.memory["master"] == now)) if "master" in view.memory else now < -1
