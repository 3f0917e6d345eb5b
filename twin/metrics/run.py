"""The frames of a run, checked and laid out as arrays: what all metrics are worked out from."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, Self

import numpy as np
from numpy.typing import NDArray

from twin.errors import InputError, did_you_mean, listed
from twin.trace import Trace
from twin.trace.summary import KINDS
from twin.units import Duration

if TYPE_CHECKING:
    import pandas as pd

Real = NDArray[np.float64]
Whole = NDArray[np.int64]
Flags = NDArray[np.bool_]

NOBODY: Final = -1
"""Stands for the satellite that an event does not name."""

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
_HANDOVERS: Final = ("time", "terminal", "kind", "from_satellite", "to_satellite", "interruption_s")
_SATELLITES: Final = ("epoch", "satellite", "served")


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Events:
    """N events, by terminal and, within one, in the order in which they happened."""

    terminal: Whole
    """(N,) index of the terminal."""
    time_ns: Whole
    """(N,) since the start of the run."""
    kind: Whole
    """(N,) place of the kind in `twin.trace.summary.KINDS`."""
    from_satellite: Whole
    """(N,) NORAD id of the satellite left, -1 for none."""
    to_satellite: Whole
    """(N,) NORAD id of the satellite taken, -1 for none."""
    interruption_ns: Whole
    """(N,) for so long the event leaves the terminal without service."""

    def of_kind(self, *kinds: str) -> Flags:
        """(N,) which events are of some kinds."""
        return np.isin(self.kind, [KINDS.index(kind) for kind in kinds])


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Run:
    """One run from its start on: K terminals, E epochs. Every terminal of the trace counts, served or not."""

    names: tuple[str, ...]
    """(K,) names of the terminals, in the order of the trace."""
    epochs: int
    """E."""
    epoch_ns: int
    """Length of an epoch."""
    rate_bps: Real
    """(K,E)"""
    spectral_efficiency_bps_hz: Real
    """(K,E)"""
    in_service: Flags
    """(K,E) whether anyone serves the terminal at the end of the epoch."""
    interrupted: Real
    """(K,E) share of the epoch in which a handover under way left the terminal without service."""
    cluster_size: Whole
    """(K,E) satellites that serve at the end of the epoch."""
    member_satellite: Whole
    """(M,) NORAD id of every member of every serving set."""
    member_cell: Whole
    """(M,) of which set it is one: k E + e."""
    events: Events
    load_epoch: Whole
    """(L,) epoch of each row of the satellites."""
    load_satellite: Whole
    """(L,) NORAD id."""
    load_served: Whole
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
            trace.table("terminals", columns=_TERMINALS),
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
            One row for each epoch and terminal, from epoch 0 on.
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
            terminal or lies outside the run, or a number is not finite.
        """
        for name, frame, columns in (
            ("terminals", terminals, _TERMINALS),
            ("handovers", handovers, _HANDOVERS),
            ("satellites", satellites, _SATELLITES),
        ):
            _check_columns(name, frame, columns)
        epoch_ns, epochs = round(epoch_s * 1e9), _whole_epochs(epoch_s, duration_s)
        index, names = _coded(terminals["terminal"])
        cell = _cells(index, terminals["epoch"].to_numpy(np.int64), names, epochs)
        size, members = _flattened(terminals["serving"])
        load_epoch = satellites["epoch"].to_numpy(np.int64)
        _check_range("satellites: epoch", load_epoch, epochs - 1)
        begin = terminals["time"].min()

        def matrix(values: NDArray[Any]) -> NDArray[Any]:
            laid = np.empty(len(cell), dtype=values.dtype)
            laid[cell] = values
            return laid.reshape(len(names), epochs)

        return cls(
            names=tuple(names),
            epochs=epochs,
            epoch_ns=epoch_ns,
            rate_bps=matrix(_finite(terminals, "terminals", "rate_bps")),
            spectral_efficiency_bps_hz=matrix(_finite(terminals, "terminals", "se_bps_hz")),
            in_service=matrix(terminals["in_service"].to_numpy(np.bool_)),
            interrupted=matrix(_finite(terminals, "terminals", "interrupted_fraction")),
            cluster_size=matrix(size),
            member_satellite=members,
            member_cell=np.repeat(cell, size),
            events=_events(handovers, names, begin, epochs * epoch_ns),
            load_epoch=load_epoch,
            load_satellite=satellites["satellite"].to_numpy(np.int64),
            load_served=satellites["served"].to_numpy(np.int64),
        )


def _whole_epochs(epoch_s: float, duration_s: float) -> int:
    epochs = round(duration_s / epoch_s) if epoch_s > 0.0 else 0
    if epochs < 1 or abs(epochs * epoch_s - duration_s) > 0.5e-9 * epochs:
        raise InputError(f"the run: found {duration_s} s in epochs of {epoch_s} s, allowed one whole epoch or more")
    return epochs


def _check_columns(table: str, frame: pd.DataFrame, columns: Sequence[str]) -> None:
    missing = [name for name in columns if name not in frame.columns]
    if missing:
        raise InputError(f'{table}: no column "{missing[0]}"{did_you_mean(missing[0], map(str, frame.columns))}')


def _check_range(what: str, values: Whole, last: int) -> None:
    outside = (values < 0) | (values > last)
    if outside.any():
        raise InputError(f"{what}: found {values[outside][0]}, allowed 0 to {last}")


def _coded(labels: pd.Series[Any]) -> tuple[Whole, list[str]]:
    """Index of each label, and the labels in the order of their first rows."""
    codes, names = labels.factorize()
    return codes.astype(np.int64), [str(name) for name in names]


def _finite(frame: pd.DataFrame, table: str, column: str) -> Real:
    values = frame[column].to_numpy(np.float64)
    if not np.isfinite(values).all():
        raise InputError(f"{table}: {column}: found {values[~np.isfinite(values)][0]}, allowed finite numbers")
    return values


def _cells(index: Whole, epoch: Whole, names: Sequence[str], epochs: int) -> Whole:
    """(K E,) place k E + e of each row of the terminals, all of which are filled once."""
    _check_range("terminals: epoch", epoch, epochs - 1)
    cell = index * epochs + epoch
    filled = np.bincount(cell, minlength=len(names) * epochs)
    if not len(names) or (filled != 1).any():
        wrong = int(np.append(filled != 1, True).argmax())
        k, e = divmod(wrong, epochs)
        found = f'"{names[k]}" has {filled[wrong]} rows at epoch {e}' if len(names) else "no rows"
        raise InputError(f"terminals: found {found}, allowed one for each terminal and each of {epochs} epochs")
    return cell


def _flattened(serving: pd.Series[Any]) -> tuple[Whole, Whole]:
    """Lengths of lists, and all their items."""
    lists = serving.to_numpy(object)
    size = np.fromiter(map(len, lists), dtype=np.int64, count=len(lists))
    return size, np.concatenate([np.empty(0, dtype=np.int64), *lists[size > 0]]).astype(np.int64, copy=False)


def _events(frame: pd.DataFrame, names: Sequence[str], begin: pd.Timestamp, duration_ns: int) -> Events:
    import pandas as pd

    terminal = pd.Index(names).get_indexer(pd.Index(frame["terminal"].astype(object))).astype(np.int64)
    if (terminal < 0).any():
        raise InputError(
            f'handovers: terminal: found "{frame["terminal"].iloc[int(np.argmin(terminal))]}", not in terminals'
        )
    kind = pd.Index(KINDS).get_indexer(pd.Index(frame["kind"].astype(object))).astype(np.int64)
    if (kind < 0).any():
        raise InputError(
            f'handovers: kind: found "{frame["kind"].iloc[int(np.argmin(kind))]}", allowed {listed(KINDS)}'
        )
    since = (frame["time"] - begin).dt.as_unit("ns")
    time_ns = since.to_numpy("timedelta64[ns]").astype(np.int64)
    _check_range("handovers: nanoseconds since the start of the run", time_ns, duration_ns - 1)
    interruption_s = _finite(frame, "handovers", "interruption_s")
    if (interruption_s < 0.0).any():
        raise InputError(f"handovers: interruption_s: found {interruption_s.min()}, allowed 0 or more")
    order = np.lexsort((time_ns, terminal))
    left, taken = (
        np.asarray(frame[name].astype("Int64").fillna(NOBODY), dtype=np.int64)
        for name in ("from_satellite", "to_satellite")
    )
    return Events(
        terminal=terminal[order],
        time_ns=time_ns[order],
        kind=kind[order],
        from_satellite=left[order],
        to_satellite=taken[order],
        interruption_ns=np.rint(interruption_s * 1e9).astype(np.int64)[order],
    )
