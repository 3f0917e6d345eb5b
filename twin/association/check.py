"""What a policy answers, checked before anything rests on it."""

import numpy as np

from twin.association.problem import Assignment, AssociationView
from twin.errors import InputError


def checked(wanted: Assignment, view: AssociationView, where: str) -> Assignment:
    """What a policy wants, if that can be; a policy may be the user's own.

    Parameters
    ----------
    where
        Which policy, as the beginning of a message.

    Raises
    ------
    InputError
        If it wants what it does not see, more than the capacity, or something of another shape.
    """
    serving, master = np.asarray(wanted.serving), np.asarray(wanted.master)
    if serving.shape != view.visible.shape or serving.dtype != np.bool_ or master.shape != view.master.shape:
        raise InputError(
            f"{where}: serving must be truth values of shape {view.visible.shape} and master rows of shape"
            f" {view.master.shape}, found {serving.dtype} {serving.shape} and {master.dtype} {master.shape}"
        )
    if (serving & ~view.visible).any():
        raise InputError(f"{where}: a terminal is served by a satellite that it does not see, or that is barred")
    served = serving.any(axis=0)
    rows = np.where(served, master, 0)
    if (master[~served] != -1).any() or (rows < 0).any() or (rows >= max(1, len(serving))).any():
        raise InputError(f"{where}: master must be a row of a serving satellite, and -1 where nobody serves")
    if not serving[rows[served], np.flatnonzero(served)].all():
        raise InputError(f"{where}: the master of a cluster must be one of its members")
    if view.capacity is not None and (load := serving.sum(axis=1)).max(initial=0) > view.capacity:
        worst = int(load.argmax())
        raise InputError(
            f"{where}: satellite {view.norad_id[worst]} is to serve {load[worst]} terminals,"
            f" association.capacity allows {view.capacity}"
        )
    _check_beams(wanted, view, where)
    _check_reasons(wanted, view, where)
    if any(np.asarray(array).dtype.hasobject for array in wanted.memory.values()):
        raise InputError(f"{where}: memory must be plain arrays, which a resumed run can read back")
    return wanted


def _check_reasons(wanted: Assignment, view: AssociationView, where: str) -> None:
    """Refuse reasons that are not one text for each terminal."""
    if wanted.reason is not None:
        reason = np.asarray(wanted.reason)
        if reason.shape != view.master.shape or (reason.dtype.kind != "U" and len(reason)):
            raise InputError(f"{where}: reason must be {len(view.master)} texts, found {reason.dtype} {reason.shape}")


def _check_beams(wanted: Assignment, view: AssociationView, where: str) -> None:
    """Refuse beams that are no numbers, shares that are more than the whole, and scores of another shape."""
    if wanted.beam is not None:
        beam = np.asarray(wanted.beam)
        if beam.shape != view.master.shape or beam.dtype.kind not in "iu" or (beam < -1).any():
            raise InputError(f"{where}: beam must be {len(view.master)} numbers of beams, -1 for none")
        if (beam[~wanted.serving.any(axis=0)] != -1).any():
            raise InputError(f"{where}: beam must be -1 where nobody serves")
    if wanted.power_fraction is not None:
        fraction = np.asarray(wanted.power_fraction)
        if fraction.shape != view.visible.shape or not (np.isfinite(fraction) & (fraction >= 0.0)).all():
            raise InputError(f"{where}: power_fraction must be numbers of shape {view.visible.shape}, 0 or more")
        whole = np.where(wanted.serving, fraction, 0.0).sum(axis=1)
        if whole.max(initial=0.0) > 1.0 + 1e-9:
            worst = int(whole.argmax())
            raise InputError(
                f"{where}: the shares of satellite {view.norad_id[worst]} come to {whole[worst]:g}, at most 1 may"
            )
    if wanted.score is not None and np.asarray(wanted.score).shape != view.visible.shape:
        raise InputError(f"{where}: score must be of shape {view.visible.shape}, found {np.shape(wanted.score)}")
