"""Columns and tables of a trace: name, type, unit, meaning, and the value that an epoch's record gives."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any, Final, Literal

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from twin.arrays import FloatArray, IntArray
from twin.records import documented
from twin.results.record import EpochRecord

Kind = Literal["integer", "float", "boolean", "label", "instant", "integer list"]

_ARROW: Final[dict[Kind, Any]] = {
    "integer": pa.int64(),
    "float": pa.float64(),
    "boolean": pa.bool_(),
    "label": pa.string(),
    "instant": pa.timestamp("us", tz="UTC"),
    "integer list": pa.list_(pa.field("element", pa.int64(), nullable=False)),
}


@documented
@dataclass(frozen=True, slots=True, kw_only=True)
class ColumnSchema:
    """One column of a table."""

    name: str
    """Name, which ends in the unit if there is one."""
    kind: Kind
    """Type of the values."""
    unit: str
    """Unit of the values; "1" for counts and ratios, empty for names and booleans."""
    description: str
    """Meaning of the values."""
    value: Callable[[EpochRecord], object]
    """The values of all rows of an epoch: an array, a masked array, a `ListColumn`, or a sequence of text."""
    nullable: bool = False
    """Whether values may be null."""

    @property
    def arrow_type(self) -> Any:
        """The Arrow data type."""
        return _ARROW[self.kind]

    @property
    def arrow_field(self) -> Any:
        """The Arrow field, with unit and description as its metadata."""
        metadata = {"unit": self.unit, "description": self.description}
        return pa.field(self.name, self.arrow_type, nullable=self.nullable, metadata=metadata)


@documented
@dataclass(frozen=True, slots=True, kw_only=True)
class TableSchema:
    """One table of a trace; the first column is ``epoch``, and rows are in epoch order."""

    name: str
    """Name of the table and of its folder."""
    description: str
    """Meaning of one row."""
    columns: tuple[ColumnSchema, ...]
    """The columns, in order."""
    key: str | None = None
    """Scenario key under ``[trace]`` that enables the table; None means that every trace holds it."""

    occurs: Callable[[EpochRecord], object] = lambda record: True
    """Whether an epoch has rows; an epoch without rows is not written."""

    def rows(self, record: EpochRecord) -> Mapping[str, object]:
        """The rows of one epoch, column by column."""
        return {column.name: column.value(record) for column in self.columns}

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the columns, in order."""
        return tuple(column.name for column in self.columns)

    @property
    def arrow(self) -> Any:
        """The Arrow schema; its metadata makes pandas read nullable integers as ``Int64``."""
        return _arrow_schema(self)


@cache
def _arrow_schema(table: TableSchema) -> Any:
    nullable_integers = [column for column in table.columns if column.kind == "integer" and column.nullable]
    for_pandas = {
        "index_columns": [],
        "column_indexes": [],
        "columns": [
            {
                "name": column.name,
                "field_name": column.name,
                "pandas_type": "int64",
                "numpy_type": "Int64",
                "metadata": None,
            }
            for column in nullable_integers
        ],
    }
    metadata = {"description": table.description, "pandas": json.dumps(for_pandas)}
    return pa.schema([column.arrow_field for column in table.columns], metadata=metadata)


@documented
@dataclass(frozen=True, slots=True)
class ListColumn:
    """Values of a column whose rows hold lists of different lengths."""

    values: NDArray[np.integer[Any]]
    """Values of all rows, one after the other."""
    lengths: NDArray[np.integer[Any]]
    """Length of each row's list."""


def column(
    name: str,
    kind: Kind,
    unit: str,
    description: str,
    value: Callable[[EpochRecord], object],
    *,
    nullable: bool = False,
) -> ColumnSchema:
    """A column; see `ColumnSchema`."""
    return ColumnSchema(name=name, kind=kind, unit=unit, description=description, value=value, nullable=nullable)


def epoch_column(count: Callable[[EpochRecord], int]) -> ColumnSchema:
    """The column ``epoch``, the first of every table; ``count`` gives the number of rows of an epoch."""
    return column("epoch", "integer", "1", "Number of the epoch, from 0", lambda r: np.full(count(r), r.epoch))


def time_column(count: Callable[[EpochRecord], int]) -> ColumnSchema:
    """The column ``time`` with the start of the epoch; ``count`` gives the number of rows of an epoch."""
    return column("time", "instant", "UTC", "Start of the epoch", lambda r: np.full(count(r), r.start))


def where(values: NDArray[Any], valid: NDArray[np.bool_]) -> object:
    """Values as a masked array, absent where they are not valid."""
    return np.ma.masked_array(values, ~valid)


def finite(values: FloatArray) -> object:
    """Values as a masked array, absent where they are infinite or NaN."""
    lost = ~np.isfinite(values)
    return np.ma.masked_array(np.where(lost, 0.0, values), lost)


def optional(ids: Sequence[int | None]) -> object:
    """Integers as a masked array, absent where they are None."""
    return np.ma.masked_array([id_ or 0 for id_ in ids], [id_ is None for id_ in ids], dtype=np.int64)


def lists(sets: Sequence[tuple[int, ...]]) -> ListColumn:
    """A column with one list of NORAD ids per row."""
    values = np.array([satellite for each in sets for satellite in each], dtype=np.int64)
    return ListColumn(values=values, lengths=np.array([len(each) for each in sets], dtype=np.int64))


def instants(record: EpochRecord, times_ns: Sequence[int | None]) -> object:
    """UTC instants of times since the start of the run, absent where they are None."""
    instant = record.frame.timeline.instant
    found = np.array([instant(at_ns or 0) for at_ns in times_ns], dtype="datetime64[ns]")
    lost = [at_ns is None for at_ns in times_ns]
    return np.ma.masked_array(found, lost) if any(lost) else found


def names(record: EpochRecord, terminals: IntArray) -> list[str]:
    """Names of terminals by index."""
    found: list[str] = np.array(record.frame.names)[terminals].tolist()
    return found
