"""Reads a trace: whole tables, or selected columns, times and terminals."""

from __future__ import annotations

import sys
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from functools import cached_property, reduce
from operator import and_
from pathlib import Path
from textwrap import wrap
from typing import TYPE_CHECKING, Any, Final, TypeAlias

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from twin.errors import InputError, did_you_mean, listed
from twin.results.parts import Part, parts_of
from twin.results.provenance import read_run
from twin.results.tables import TABLES, TableSchema

if TYPE_CHECKING:
    import pandas as pd

_WIDTH: Final = 96
"""Most characters of a line of `Trace.__repr__`, its indent not counted."""

EpochOrTime: TypeAlias = "int | str | datetime | np.datetime64 | pd.Timestamp"
"""Number of an epoch, or an instant (UTC if it has no time zone)."""


def read_trace(directory: Path | str) -> Trace:
    """Open a trace; each table is read at its first use.

    Raises
    ------
    InputError
        If there is no trace, another version of twin wrote it in another layout, or its ``run.json`` is damaged.
    """
    return Trace(Path(directory), read_run(Path(directory)))


class Trace:
    """A trace on disk, up to the epoch that was durable when the trace was opened; all tables end at this epoch.

    Tables are pandas frames; `table` reads a selection of a table that does not fit in memory.
    """

    def __init__(self, directory: Path, run: dict[str, Any]) -> None:
        self.directory = directory
        self.run = run
        """The content of ``run.json``: scenario, inputs, versions, seed, status, last durable epoch."""

    def __repr__(self) -> str:
        planned, scenario = self.run.get("epochs"), self.run["scenario"]
        done = f"{self.last_epoch + 1:,}" + ("" if planned is None else f" of {planned:,}")
        tables = "tables: " + ", ".join(f"{name} ({self._counted(name)})" for name in self.run["tables"])
        lines = [
            f"Trace {self.directory}",
            f'scenario "{self.run.get("name")}": {self.run["status"]}, {done} epochs',
            f"policy {_model(scenario, 'association')}, precoder {_model(scenario, 'precoding')}",
            *wrap(tables, width=_WIDTH, subsequent_indent="  "),
        ]
        return "\n  ".join(lines)

    @property
    def last_epoch(self) -> int:
        """The last epoch that can be read, -1 if there is none."""
        return int(self.run["last_durable_epoch"])

    @cached_property
    def terminals(self) -> pd.DataFrame:
        """One row for each epoch and terminal."""
        return self.table("terminals")

    @cached_property
    def handovers(self) -> pd.DataFrame:
        """One row for each change of the satellites or the beam that serve a terminal."""
        return self.table("handovers")

    @cached_property
    def attempts(self) -> pd.DataFrame:
        """One row for each decided change."""
        return self.table("attempts")

    @cached_property
    def satellites(self) -> pd.DataFrame:
        """One row for each epoch and active satellite."""
        return self.table("satellites")

    @cached_property
    def epochs(self) -> pd.DataFrame:
        """One row for each epoch."""
        return self.table("epochs")

    @cached_property
    def links(self) -> pd.DataFrame:
        """One row for each epoch and each pair of a satellite and a terminal in view of each other."""
        return self.table("links")

    @cached_property
    def candidates(self) -> pd.DataFrame:
        """One row for each decision, terminal and candidate satellite."""
        return self.table("candidates")

    @cached_property
    def timings(self) -> pd.DataFrame:
        """Wall-clock time of each stage of an epoch."""
        return self.table("timings")

    def table(
        self,
        name: str,
        columns: Sequence[str] | None = None,
        start: EpochOrTime | None = None,
        stop: EpochOrTime | None = None,
        terminals: str | Collection[str] | None = None,
    ) -> pd.DataFrame:
        """Read a selection of a table; only selected columns and parts are read from disk.

        Parameters
        ----------
        columns
            Names of columns, in the order of the result; all by default.
        start, stop
            First selected epoch or instant, and the first one after the selection.
        terminals
            Names of terminals; all by default.

        Raises
        ------
        InputError
            If a name is unknown, an epoch or instant is invalid, or the table was not recorded or is damaged.
        """
        schema = self._schema(name)
        names = [columns] if isinstance(columns, str) else list(schema.names if columns is None else columns)
        for column in names:
            _check_column(schema, column)
        epochs, conditions = _selected(schema, start, stop)
        if terminals is not None:
            _check_column(schema, "terminal")
            chosen = [terminals] if isinstance(terminals, str) else sorted(terminals)
            self._check_terminals(chosen)
            conditions.append(pc.field("terminal").isin(pa.array(chosen, pa.string())))
        parts = [part for part in self._parts(name) if part.last >= epochs.start and part.first < epochs.stop]
        frame: pd.DataFrame = _read(schema, parts, names, conditions).to_pandas()
        return frame

    def _counted(self, name: str) -> str:
        """The number of rows of a table, from the metadata of its files alone."""
        try:
            return f"{sum(pq.read_metadata(part.path).num_rows for part in self._parts(name)):,} rows"
        except (pa.ArrowException, OSError):
            return "damaged"

    def _parts(self, name: str) -> list[Part]:
        """The parts of a table up to the last durable epoch."""
        return [part for part in parts_of(self.directory / name) if part.last <= self.last_epoch]

    def _check_terminals(self, chosen: list[str]) -> None:
        """Refuse a terminal that has no row; the first part usually names all terminals."""
        parts = self._parts("terminals")
        for searched in (parts[:1], parts):
            column = _read(TABLES["terminals"], searched, ["terminal"], [])
            known = set(column["terminal"].unique().to_pylist())
            unknown = [name for name in chosen if name not in known]
            if not unknown:
                return
        if known:
            raise InputError(f'{self.directory}: no terminal "{unknown[0]}"{did_you_mean(unknown[0], known)}')

    def _schema(self, name: str) -> TableSchema:
        recorded = self.run["tables"]
        if name in recorded:
            return TABLES[name]
        if name in ("links", "candidates"):
            raise InputError(f"{self.directory}: {name} were not recorded; run with trace.{name} = true")
        raise InputError(
            f'{self.directory}: no table "{name}"{did_you_mean(name, recorded)} (recorded: {listed(recorded)})'
        )


def _model(scenario: Mapping[str, Any], section: str) -> str:
    """The name of the model that a section of a scenario selects, "?" if the section names none."""
    selected = scenario.get(section)
    return str(selected.get("name", "?")) if isinstance(selected, Mapping) else "?"


def _check_column(schema: TableSchema, name: str) -> None:
    if name not in schema.names:
        raise InputError(
            f'the table {schema.name} has no column "{name}"{did_you_mean(name, schema.names)}'
            f" (it has {listed(schema.names)})"
        )


def _selected(schema: TableSchema, start: EpochOrTime | None, stop: EpochOrTime | None) -> tuple[range, list[Any]]:
    """The range of epochs that holds the selection, and the conditions on each row."""
    low, high = 0, sys.maxsize
    conditions = []
    if isinstance(start, int | np.integer):
        low = int(start)
        conditions.append(pc.field("epoch") >= low)
    elif start is not None:
        conditions.append(pc.field("time") >= _instant(schema, start))
    if isinstance(stop, int | np.integer):
        high = int(stop)
        conditions.append(pc.field("epoch") < high)
    elif stop is not None:
        conditions.append(pc.field("time") < _instant(schema, stop))
    return range(low, high), conditions


def _instant(schema: TableSchema, when: Any) -> pa.Scalar:
    import pandas as pd

    _check_column(schema, "time")
    try:
        if not isinstance(when, str | datetime | np.datetime64):
            raise TypeError(f"it is of type {type(when).__name__}")
        stamp = pd.Timestamp(when).as_unit("ns")
        if pd.isna(stamp):
            raise ValueError("it is not a time")
    except (ValueError, TypeError) as error:
        raise InputError(
            f'"{when}" is not an instant ({error}); write an epoch number, or UTC as "2026-05-30T12:00:00"'
        ) from None
    utc = stamp.tz_localize("UTC") if stamp.tz is None else stamp.tz_convert("UTC")
    microseconds = -(-utc.value // 1_000)  # rounded up: tables hold whole microseconds
    return pa.scalar(microseconds, pa.int64()).cast(schema.arrow.field("time").type)


def _read(schema: TableSchema, parts: list[Part], columns: list[str], conditions: list[Any]) -> Any:
    import pyarrow.dataset as ds  # it imports pandas

    paths = [str(part.path) for part in parts]
    if not paths:
        return schema.arrow.empty_table().select(columns)
    condition = reduce(and_, conditions) if conditions else None
    try:
        return ds.dataset(paths, format="parquet", schema=schema.arrow).to_table(columns=columns, filter=condition)
    except (pa.ArrowException, OSError) as error:
        raise InputError(f"the table {schema.name} is damaged ({error})") from None
