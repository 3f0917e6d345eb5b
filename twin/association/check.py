"""Validates what a policy returns before the simulation uses it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from twin.association.problem import Assignment, AssociationView
from twin.errors import InputError


def checked(wanted: Assignment, view: AssociationView, where: str) -> Assignment:
    """Return a policy's assignment if it is valid; the policy may be the user's own.

    Parameters
    ----------
    wanted
        The assignment.
    view
        What the policy was given.
    where
        Names the policy, at the beginning of a message.

    Raises
    ------
    InputError
        If it is not an `Assignment`, a field has another shape or type than documented, a satellite serves a terminal
        that it may not serve, or more terminals than the capacity allows.
    """
    returned: object = wanted
    if not isinstance(returned, Assignment):
        raise InputError(f"{where}: must return a twin.association.Assignment, found {_described(returned)}")
    serving = _check_clusters(wanted, view, where)
    if view.capacity is not None and (load := serving.sum(axis=1)).max(initial=0) > view.capacity:
        worst = int(load.argmax())
        raise InputError(
            f"{where}: satellite {view.norad_id[worst]} is to serve {load[worst]} terminals,"
            f" association.capacity allows {view.capacity}"
        )
    _check_beams(wanted, view, where)
    _check_power_and_score(wanted, view, where)
    _check_reasons(wanted, view, where)
    _check_memory(wanted, where)
    return wanted


def _check_clusters(wanted: Assignment, view: AssociationView, where: str) -> NDArray[np.bool_]:
    """Refuse clusters of satellites that may not serve, and masters that are not members; return ``serving``."""
    serving, master = _array(wanted.serving, "serving", where), _array(wanted.master, "master", where)
    if (
        serving.shape != view.visible.shape
        or serving.dtype != np.bool_
        or master.shape != view.master.shape
        or (master.dtype.kind not in "iu" and len(master))
    ):
        raise InputError(
            f"{where}: serving must be truth values of shape {view.visible.shape} and master rows of shape"
            f" {view.master.shape}, found {serving.dtype} {serving.shape} and {master.dtype} {master.shape}"
        )
    if (serving & ~view.visible).any():
        raise InputError(f"{where}: a satellite serves a terminal to which it is not visible or not available")
    served = serving.any(axis=0)
    rows = np.where(served, master, 0)
    if (master[~served] != -1).any() or (rows < 0).any() or (rows >= max(1, len(serving))).any():
        raise InputError(f"{where}: master must be the row of a serving satellite, and -1 where no satellite serves")
    if not serving[rows[served], np.flatnonzero(served)].all():
        raise InputError(f"{where}: the master of a cluster must be one of its members")
    return serving


def _check_beams(wanted: Assignment, view: AssociationView, where: str) -> None:
    """Refuse beams that are not beam numbers."""
    if wanted.beam is None:
        return
    beam = _array(wanted.beam, "beam", where)
    if beam.shape != view.master.shape or beam.dtype.kind not in "iu" or (beam < -1).any():
        raise InputError(f"{where}: beam must be {len(view.master)} numbers of beams, -1 for no beam")
    if (beam[~np.asarray(wanted.serving).any(axis=0)] != -1).any():
        raise InputError(f"{where}: beam must be -1 where no satellite serves")


def _check_power_and_score(wanted: Assignment, view: AssociationView, where: str) -> None:
    """Refuse power fractions that sum to more than 1, and scores of another shape."""
    shape = view.visible.shape
    if wanted.power_fraction is not None:
        fraction = _array(wanted.power_fraction, "power_fraction", where)
        numeric = fraction.dtype.kind in "fiu" and fraction.shape == shape
        if not numeric or not (np.isfinite(fraction) & (fraction >= 0.0)).all():
            raise InputError(f"{where}: power_fraction must be numbers of shape {shape}, 0 or more")
        total = np.where(wanted.serving, fraction, 0.0).sum(axis=1)
        if total.max(initial=0.0) > 1.0 + 1e-9:
            worst = int(total.argmax())
            raise InputError(
                f"{where}: the power fractions of satellite {view.norad_id[worst]} sum to {total[worst]:g},"
                " at most 1 is allowed"
            )
    if wanted.score is not None:
        score = _array(wanted.score, "score", where)
        if score.shape != shape or score.dtype.kind not in "fiub":
            raise InputError(f"{where}: score must be numbers of shape {shape}, found {score.dtype} {score.shape}")


def _check_reasons(wanted: Assignment, view: AssociationView, where: str) -> None:
    """Refuse reasons that are not one text per terminal."""
    if wanted.reason is None:
        return
    reason = _array(wanted.reason, "reason", where)
    if reason.shape != view.master.shape or (reason.dtype.kind != "U" and len(reason)):
        raise InputError(f"{where}: reason must be {len(view.master)} texts, found {reason.dtype} {reason.shape}")


def _check_memory(wanted: Assignment, where: str) -> None:
    """Refuse a memory that a resumed run cannot read back."""
    memory: object = wanted.memory
    if not isinstance(memory, Mapping) or not all(isinstance(name, str) for name in memory):
        raise InputError(f"{where}: memory must be a mapping of names to arrays, found {_described(memory)}")
    if any(_array(array, "memory", where).dtype.hasobject for array in memory.values()):
        raise InputError(f"{where}: memory must be plain arrays, which a resumed run can read back")


def _array(values: Any, name: str, where: str) -> NDArray[Any]:
    """The values as an array, or an error that names the field."""
    try:
        return np.asarray(values)
    except (TypeError, ValueError) as error:
        raise InputError(f"{where}: {name} must be an array, found {_described(values)}") from error


def _described(value: object) -> str:
    """What a message says that it found."""
    return "None" if value is None else f"an object of type {type(value).__name__}"
