"""The frames of a run, checked and converted to arrays: the input of all metrics."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, Self

import numpy as np
from numpy.typing import NDArray

from twin.arrays import BoolArray, FloatArray, IntArray
from twin.errors import InputError
from twin.metrics.columns import check_columns, check_range, finite
from twin.metrics.events import Events, events_of
from twin.records import documented
from twin.results import Trace
from twin.units import Duration

if TYPE_CHECKING:
    import pandas as pd


_TERMINALS: Final = (
    "epoch",
    "time",
    "terminal",
    "rate_bps",
    "se_bps_hz",
    "in_service",
    "interrupted_fraction",
    "serving",
)
_PRESENCE: Final = ("present", "present_fraction")
"""Columns that a frame of terminals may lack."""
_HANDOVERS: Final = ("time", "terminal", "kind", "from_satellite", "to_satellite", "interruption_s")
_SATELLITES: Final = ("epoch", "satellite", "served")


@documented
@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Run:
    """The first E epochs of a run with K terminals; every terminal counts while it is present, served or not."""

    names: tuple[str, ...]
    """(K,) names of the terminals, in the order of the trace."""
    epochs: int
    """E, number of epochs."""
    epoch_ns: int
    """Length of an epoch in ns."""
    rate_bps: FloatArray
    """(K,E) mean over the whole epoch, absences included."""
    spectral_efficiency_bps_hz: FloatArray
    """(K,E) mean over the whole epoch, absences included."""
    in_service: BoolArray
    """(K,E) whether any satellite serves the terminal at the end of the epoch."""
    present: BoolArray
    """(K,E) whether the terminal is present at the end of the epoch."""
    present_ns: IntArray
    """(K,E) time of the epoch in which the terminal is present, in ns."""
    interrupted: FloatArray
    """(K,E) fraction of the epoch in which handover execution interrupts service."""
    cluster_size: IntArray
    """(K,E) number of satellites that serve at the end of the epoch."""
    member_satellite: IntArray
    """(M,) NORAD ids of the members of all serving sets."""
    member_cell: IntArray
    """(M,) index k E + e of the serving set of each member."""
    events: Events
    """Handovers of the run."""
    load_epoch: IntArray
    """(L,) epoch of each row of the table satellites."""
    load_satellite: IntArray
    """(L,) NORAD id of each row."""
    load_served: IntArray
    """(L,) number of terminals that the satellite serves."""

    @property
    def duration_ns(self) -> int:
        """Length of the run in ns."""
        return self.epochs * self.epoch_ns

    @property
    def epoch_s(self) -> float:
        """Length of an epoch in s."""
        return self.epoch_ns / 1e9

    @property
    def hours(self) -> float:
        """Length of the run in hours."""
        return self.duration_ns / 3.6e12

    @property
    def axis_step_ns(self) -> int:
        """Offset between two terminals on the axis of `axis_ns`, in ns."""
        return self.duration_ns + 1

    def axis_ns(self, terminal: IntArray | np.int64, time_ns: IntArray | int | np.int64) -> IntArray:
        """Instants of terminals on one common axis, on which intervals of different terminals do not touch."""
        return np.asarray(terminal * self.axis_step_ns + time_ns, dtype=np.int64)

    @property
    def present_fraction(self) -> FloatArray:
        """(K,E) fraction of the epoch in which the terminal is present."""
        return np.asarray(self.present_ns / self.epoch_ns)

    @property
    def present_s(self) -> FloatArray:
        """(K,) time in which each terminal is present, in s."""
        return np.asarray(self.present_ns.sum(axis=1) / 1e9)

    @property
    def present_hours(self) -> FloatArray:
        """(K,) the same in hours; NaN for a terminal that is never present, as its figures per hour are."""
        total = self.present_ns.sum(axis=1)
        return np.asarray(np.where(total > 0, total / 3.6e12, np.nan))

    @classmethod
    def of(cls, trace: Trace) -> Self:
        """The durable epochs of a trace.

        Raises
        ------
        InputError
            If no epoch is durable yet, or the tables are inconsistent.
        """
        if trace.last_epoch < 0:
            raise InputError(f"{trace.directory}: no epoch is complete yet; there is nothing to measure")
        try:
            epoch_s = Duration.parse(trace.run["scenario"]["time"]["epoch"]).seconds
        except (KeyError, TypeError, ValueError):
            raise InputError(f"{trace.directory}: run.json does not hold a valid time.epoch") from None
        return cls.of_frames(
            trace.table("terminals", columns=(*_TERMINALS, *_PRESENCE)),
            trace.table("handovers", columns=_HANDOVERS),
            trace.table("satellites", columns=_SATELLITES),
            epoch_s=epoch_s,
            duration_s=(trace.last_epoch + 1) * epoch_s,
        )

    @classmethod
    def of_frames(
        cls,
        terminals: pd.DataFrame,
        handovers: pd.DataFrame,
        satellites: pd.DataFrame,
        *,
        epoch_s: float,
        duration_s: float,
    ) -> Self:
        """Frames of `twin.read_trace`, or other frames with the same columns; terminals may be in any order.

        Parameters
        ----------
        terminals
            One row for each epoch and terminal, from epoch 0 on. Without the columns ``present`` and
            ``present_fraction``, all terminals are present all the time.
        handovers
            One row for each event.
        satellites
            One row for each epoch and active satellite.
        epoch_s, duration_s
            Length of an epoch and of the run, in s.

        Raises
        ------
        InputError
            If a column is missing, a terminal does not have one row per epoch, an event names an unknown kind or
            terminal or lies outside the run, a number is not finite, or an absent terminal is served.
        """
        for name, frame, columns in (
            ("terminals", terminals, _TERMINALS),
            ("handovers", handovers, _HANDOVERS),
            ("satellites", satellites, _SATELLITES),
        ):
            check_columns(name, frame, columns)
        epoch_ns, epochs = round(epoch_s * 1e9), _whole_epochs(epoch_s, duration_s)
        index, names = _coded(terminals["terminal"])
        cell = _cells(index, terminals["epoch"].to_numpy(np.int64), names, epochs)
        size, members = _flattened(terminals["serving"])
        load_epoch = satellites["epoch"].to_numpy(np.int64)
        check_range("satellites: epoch", load_epoch, epochs - 1)
        begin = terminals["time"].min()
        present, present_ns = _presence(terminals, epoch_ns)

        def matrix(values: NDArray[Any]) -> NDArray[Any]:
            filled = np.empty(len(cell), dtype=values.dtype)
            filled[cell] = values
            return filled.reshape(len(names), epochs)

        return cls(
            names=tuple(names),
            epochs=epochs,
            epoch_ns=epoch_ns,
            rate_bps=matrix(finite(terminals, "terminals", "rate_bps")),
            spectral_efficiency_bps_hz=matrix(finite(terminals, "terminals", "se_bps_hz")),
            in_service=matrix(terminals["in_service"].to_numpy(np.bool_)),
            present=matrix(present),
            present_ns=matrix(present_ns),
            interrupted=matrix(finite(terminals, "terminals", "interrupted_fraction")),
            cluster_size=matrix(size),
            member_satellite=members,
            member_cell=np.repeat(cell, size),
            events=events_of(handovers, names, begin, epochs * epoch_ns),
            load_epoch=load_epoch,
            load_satellite=satellites["satellite"].to_numpy(np.int64),
            load_served=satellites["served"].to_numpy(np.int64),
        )


def _whole_epochs(epoch_s: float, duration_s: float) -> int:
    epochs = round(duration_s / epoch_s) if epoch_s > 0.0 else 0
    if epochs < 1 or abs(epochs * epoch_s - duration_s) > 0.5e-9 * epochs:
        raise InputError(f"the run: found {duration_s} s in epochs of {epoch_s} s, allowed one whole epoch or more")
    return epochs


def _coded(labels: pd.Series[Any]) -> tuple[IntArray, list[str]]:
    """Index of each row's label, and the labels in the order of their first rows."""
    codes, names = labels.factorize()
    return codes.astype(np.int64), [str(name) for name in names]


def _cells(index: IntArray, epoch: IntArray, names: Sequence[str], epochs: int) -> IntArray:
    """(K E,) index k E + e of each row of the terminals; refuses indices that do not occur exactly once."""
    check_range("terminals: epoch", epoch, epochs - 1)
    cell = index * epochs + epoch
    count = np.bincount(cell, minlength=len(names) * epochs)
    if not len(names) or (count != 1).any():
        wrong = int(np.append(count != 1, True).argmax())
        k, e = divmod(wrong, epochs)
        found = f'"{names[k]}" has {count[wrong]} rows at epoch {e}' if len(names) else "no rows"
        raise InputError(f"terminals: found {found}, allowed one for each terminal and each of {epochs} epochs")
    return cell


def _presence(frame: pd.DataFrame, epoch_ns: int) -> tuple[BoolArray, IntArray]:
    """Whether each row's terminal is present at the end of the epoch, and its time of presence in ns."""
    known = [name for name in _PRESENCE if name in frame.columns and not frame[name].isna().all()]
    if not known:  # a trace whose files lack the columns gives nulls
        return np.ones(len(frame), dtype=np.bool_), np.full(len(frame), epoch_ns)
    check_columns("terminals", frame, _PRESENCE)
    if frame["present"].isna().any():
        raise InputError("terminals: present: found a missing value, allowed true or false")
    present = frame["present"].to_numpy(np.bool_)
    fraction = finite(frame, "terminals", "present_fraction")
    invalid = (fraction < 0.0) | (fraction > 1.0) | (present & (fraction == 0.0)) | (~present & (fraction == 1.0))
    if invalid.any():
        raise InputError(
            f"terminals: present_fraction: found {fraction[invalid][0]}, allowed 0 to 1, above 0 if present and below 1"
            " if not"
        )
    served = (frame["in_service"].to_numpy(np.bool_) & ~present) | (
        (frame["rate_bps"] != 0.0).to_numpy() & (fraction == 0.0)
    )
    if served.any():
        row = frame.iloc[int(np.argmax(served))]
        raise InputError(f'terminals: "{row["terminal"]}" is served at epoch {row["epoch"]}, but absent')
    return present, np.rint(fraction * epoch_ns).astype(np.int64)


def _flattened(serving: pd.Series[Any]) -> tuple[IntArray, IntArray]:
    """Lengths of the lists, and their items concatenated."""
    lists = serving.to_numpy(object)
    size = np.fromiter(map(len, lists), dtype=np.int64, count=len(lists))
    return size, np.concatenate([np.empty(0, dtype=np.int64), *lists[size > 0]]).astype(np.int64, copy=False)
