"""The frames of a run, checked and laid out as arrays: what all metrics are worked out from."""

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
"""Columns of the terminals that older traces have not."""
_HANDOVERS: Final = ("time", "terminal", "kind", "from_satellite", "to_satellite", "interruption_s")
_SATELLITES: Final = ("epoch", "satellite", "served")


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Run:
    """One run from its start on: K terminals, E epochs. Every terminal counts while it is there, served or not."""

    names: tuple[str, ...]
    """(K,) names of the terminals, in the order of the trace."""
    epochs: int
    """E."""
    epoch_ns: int
    """Length of an epoch."""
    rate_bps: FloatArray
    """(K,E) mean over the epoch, the time without the terminal included."""
    spectral_efficiency_bps_hz: FloatArray
    """(K,E) likewise."""
    in_service: BoolArray
    """(K,E) whether anyone serves the terminal at the end of the epoch."""
    present: BoolArray
    """(K,E) whether the terminal is there at the end of the epoch."""
    there_ns: IntArray
    """(K,E) for how long of the epoch it is."""
    interrupted: FloatArray
    """(K,E) share of the epoch in which a handover under way left the terminal without service."""
    cluster_size: IntArray
    """(K,E) satellites that serve at the end of the epoch."""
    member_satellite: IntArray
    """(M,) NORAD id of every member of every serving set."""
    member_cell: IntArray
    """(M,) of which set it is one: k E + e."""
    events: Events
    load_epoch: IntArray
    """(L,) epoch of each row of the satellites."""
    load_satellite: IntArray
    """(L,) NORAD id."""
    load_served: IntArray
    """(L,) terminals that it serves."""

    @property
    def duration_ns(self) -> int:
        """Length of the run."""
        return self.epochs * self.epoch_ns

    @property
    def epoch_s(self) -> float:
        """Length of an epoch."""
        return self.epoch_ns / 1e9

    @property
    def hours(self) -> float:
        """Length of the run in hours."""
        return self.duration_ns / 3.6e12

    @property
    def line_ns(self) -> int:
        """What lies between two terminals on the line of `at_ns`."""
        return self.duration_ns + 1

    def at_ns(self, terminal: IntArray | np.int64, time_ns: IntArray | int | np.int64) -> IntArray:
        """Instants of terminals on one line of time, on which stretches of different terminals do not touch."""
        return np.asarray(terminal * self.line_ns + time_ns, dtype=np.int64)

    @property
    def present_fraction(self) -> FloatArray:
        """(K,E) share of the epoch in which the terminal is there."""
        return np.asarray(self.there_ns / self.epoch_ns)

    @property
    def present_s(self) -> FloatArray:
        """(K,) time in which each terminal is there."""
        return np.asarray(self.there_ns.sum(axis=1) / 1e9)

    @property
    def present_hours(self) -> FloatArray:
        """(K,) the same in hours; missing for a terminal that never is, so that no figure per hour is made of it."""
        total = self.there_ns.sum(axis=1)
        return np.asarray(np.where(total > 0, total / 3.6e12, np.nan))

    @classmethod
    def of(cls, trace: Trace) -> Self:
        """A trace as far as it is durable.

        Raises
        ------
        InputError
            If no epoch is durable yet, or the tables do not fit together.
        """
        if trace.last_epoch < 0:
            raise InputError(f"{trace.directory}: no epoch is finished yet; there is nothing to measure")
        try:
            epoch_s = Duration.parse(trace.run["scenario"]["time"]["epoch"]).seconds
        except (KeyError, TypeError, ValueError):
            raise InputError(f"{trace.directory}: run.json does not say how long an epoch is") from None
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
        """The frames of `twin.read_trace`, or others with the same columns; rows may stand in any order of terminals.

        Parameters
        ----------
        terminals
            One row for each epoch and terminal, from epoch 0 on. Without ``present`` and ``present_fraction``, all are
            there all the time.
        handovers
            One row for each event.
        satellites
            One row for each epoch and active satellite.
        epoch_s, duration_s
            Length of an epoch and of the run.

        Raises
        ------
        InputError
            If a column is missing, a terminal lacks an epoch or has it twice, an event names an unknown kind or
            terminal or lies outside the run, a number is not finite, or a terminal is served that is not there.
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
        present, there_ns = _presence(terminals, epoch_ns)

        def matrix(values: NDArray[Any]) -> NDArray[Any]:
            laid = np.empty(len(cell), dtype=values.dtype)
            laid[cell] = values
            return laid.reshape(len(names), epochs)

        return cls(
            names=tuple(names),
            epochs=epochs,
            epoch_ns=epoch_ns,
            rate_bps=matrix(finite(terminals, "terminals", "rate_bps")),
            spectral_efficiency_bps_hz=matrix(finite(terminals, "terminals", "se_bps_hz")),
            in_service=matrix(terminals["in_service"].to_numpy(np.bool_)),
            present=matrix(present),
            there_ns=matrix(there_ns),
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
    """Index of each label, and the labels in the order of their first rows."""
    codes, names = labels.factorize()
    return codes.astype(np.int64), [str(name) for name in names]


def _cells(index: IntArray, epoch: IntArray, names: Sequence[str], epochs: int) -> IntArray:
    """(K E,) place k E + e of each row of the terminals, all of which are filled once."""
    check_range("terminals: epoch", epoch, epochs - 1)
    cell = index * epochs + epoch
    filled = np.bincount(cell, minlength=len(names) * epochs)
    if not len(names) or (filled != 1).any():
        wrong = int(np.append(filled != 1, True).argmax())
        k, e = divmod(wrong, epochs)
        found = f'"{names[k]}" has {filled[wrong]} rows at epoch {e}' if len(names) else "no rows"
        raise InputError(f"terminals: found {found}, allowed one for each terminal and each of {epochs} epochs")
    return cell


def _presence(frame: pd.DataFrame, epoch_ns: int) -> tuple[BoolArray, IntArray]:
    """Whether each row's terminal is there at the end of the epoch, and for how long of it."""
    known = [name for name in _PRESENCE if name in frame.columns and not frame[name].isna().all()]
    if not known:  # an older trace gives columns of nulls
        return np.ones(len(frame), dtype=np.bool_), np.full(len(frame), epoch_ns)
    check_columns("terminals", frame, _PRESENCE)
    if frame["present"].isna().any():
        raise InputError("terminals: present: found a missing value, allowed true or false")
    present = frame["present"].to_numpy(np.bool_)
    share = finite(frame, "terminals", "present_fraction")
    odd = (share < 0.0) | (share > 1.0) | (present & (share == 0.0)) | (~present & (share == 1.0))
    if odd.any():
        raise InputError(
            f"terminals: present_fraction: found {share[odd][0]}, allowed 0 to 1, above 0 where present and below 1"
            " where not"
        )
    served = (frame["in_service"].to_numpy(np.bool_) & ~present) | (
        (frame["rate_bps"] != 0.0).to_numpy() & (share == 0.0)
    )
    if served.any():
        row = frame.iloc[int(np.argmax(served))]
        raise InputError(f'terminals: "{row["terminal"]}" is served at epoch {row["epoch"]} and is not there')
    return present, np.rint(share * epoch_ns).astype(np.int64)


def _flattened(serving: pd.Series[Any]) -> tuple[IntArray, IntArray]:
    """Lengths of lists, and all their items."""
    lists = serving.to_numpy(object)
    size = np.fromiter(map(len, lists), dtype=np.int64, count=len(lists))
    return size, np.concatenate([np.empty(0, dtype=np.int64), *lists[size > 0]]).astype(np.int64, copy=False)
