"""Rows that are not written yet: checked when they are added, converted to Arrow tables when they are written."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, TypeAlias

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from twin.arrays import BoolArray
from twin.results.tables import ColumnSchema, ListColumn, TableSchema

Numbers: TypeAlias = NDArray[Any]
Values: TypeAlias = "NDArray[Any] | list[Any] | tuple[Any, ...] | ListColumn | pa.Array"
"""Accepted forms of a column; absent values are masked (numpy), null (Arrow) or None (list)."""

_DTYPES: Final = {
    "integer": np.dtype(np.int64),
    "float": np.dtype(np.float64),
    "boolean": np.dtype(np.bool_),
    "instant": np.dtype("datetime64[us]"),
}
_ACCEPTED: Final = {"integer": "iu", "float": "fiu", "boolean": "b", "instant": "M"}
_FITS: Final = {
    "integer": (pa.types.is_integer,),
    "float": (pa.types.is_floating, pa.types.is_integer),
    "boolean": (pa.types.is_boolean,),
    "instant": (pa.types.is_timestamp,),
    "integer list": (pa.types.is_list,),
}
_EXPECTED: Final = {
    "integer": "integers",
    "float": "floats",
    "boolean": "booleans",
    "instant": "datetime64",
    "label": "strings",
    "integer list": "ListColumn or list of integer arrays",
}
_NANOSECONDS: Final = (pa.timestamp("ns"), pa.timestamp("ns", tz="UTC"))
_MIN_CAPACITY: Final = 1024


class TableBuffer:
    """Rows of one table that are not written yet, in arrays whose capacity doubles when it is exceeded."""

    def __init__(self, table: TableSchema) -> None:
        self.table = table
        self.rows = 0
        """Number of buffered rows; array elements beyond it are unused."""
        self._capacity = 0
        self._names = frozenset(table.names)
        by_kind = {kind: [c for c in table.columns if c.kind == kind] for kind in _EXPECTED}
        self._numeric = {kind: columns for kind, columns in by_kind.items() if columns and kind in _DTYPES}
        self._blocks = {k: np.zeros((len(c), 0), _DTYPES[k]) for k, c in self._numeric.items()}
        self._absent = {c.name: np.zeros(0, np.bool_) for c in table.columns if c.nullable}
        self._labels: dict[str, list[str]] = {c.name: [] for c in by_kind["label"]}
        self._items = {c.name: np.zeros(0, np.int64) for c in by_kind["integer list"]}
        self._ends = {c.name: np.zeros(1, np.int64) for c in by_kind["integer list"]}

    def add(self, columns: Mapping[str, Values], *, after: int) -> None:
        """Store a copy of rows, all of epochs later than ``after``; instants are truncated to microseconds.

        Raises
        ------
        ValueError
            If a column is missing, unknown, of the wrong type or length, or holds NaN, infinity or a null that
            its schema forbids; or if epochs are out of order. The buffer is then unchanged.
        """
        if columns.keys() != self._names:
            missing, unknown = sorted(self._names - columns.keys()), sorted(columns.keys() - self._names)
            raise ValueError(f"{self.table.name}: columns missing {missing}, unknown {unknown}")
        epochs, _ = _numbers(self.table, self.table.columns[0], columns["epoch"])
        stop = self.rows + len(epochs)
        self._check_order(epochs, after)
        self._reserve(stop)
        for kind, of_kind in self._numeric.items():
            block = self._blocks[kind][:, self.rows : stop]
            for target, column in zip(block, of_kind, strict=True):
                self._put(target, column, columns[column.name])
        for name, labels in self._labels.items():
            labels[self.rows :] = _labels(self.table, name, columns[name], len(epochs))
        for name in self._items:
            self._put_lists(name, columns[name], len(epochs))
        self._check_finite(stop)
        self.rows = stop

    def through(self, epoch: int) -> Any:
        """The rows up to and including an epoch, as an Arrow table; the buffer is unchanged."""
        rows = self._rows_through(epoch)
        arrays = [self._arrow(column, rows) for column in self.table.columns]
        return pa.Table.from_arrays(arrays, schema=self.table.arrow)

    def after(self, epoch: int) -> TableBuffer:
        """A new buffer with only the rows after an epoch; this buffer is unchanged."""
        rest, first = TableBuffer(self.table), self._rows_through(epoch)
        rest._reserve(self._capacity)
        kept = self.rows - first
        for kind, block in self._blocks.items():
            rest._blocks[kind][:, :kept] = block[:, first : self.rows]
        for name, absent in self._absent.items():
            rest._absent[name][:kept] = absent[first : self.rows]
        for name, labels in self._labels.items():
            rest._labels[name] = labels[first : self.rows]
        for name, ends in self._ends.items():
            rest._ends[name][: kept + 1] = ends[first : self.rows + 1] - ends[first]
            rest._items[name] = self._items[name][ends[first] : ends[self.rows]].copy()
        rest.rows = kept
        return rest

    def _rows_through(self, epoch: int) -> int:
        return int(np.searchsorted(self._blocks["integer"][0, : self.rows], epoch, side="right"))

    def _check_order(self, epochs: Numbers, after: int) -> None:
        first_allowed = max(after + 1, int(self._blocks["integer"][0, self.rows - 1]) if self.rows else 0)
        if len(epochs) and (epochs[0] < first_allowed or (epochs[1:] < epochs[:-1]).any()):
            raise ValueError(
                f"{self.table.name}: rows of epochs {int(epochs.min())} to {int(epochs.max())} where"
                f" epochs must ascend from {first_allowed}"
            )

    def _reserve(self, rows: int) -> None:
        if rows > self._capacity:
            capacity = max(rows, 2 * self._capacity, _MIN_CAPACITY)
            self._blocks = {kind: _grown(block, capacity) for kind, block in self._blocks.items()}
            self._absent = {name: _grown(mask, capacity) for name, mask in self._absent.items()}
            self._ends = {name: _grown(ends, capacity + 1) for name, ends in self._ends.items()}
            self._capacity = capacity

    def _put(self, target: Numbers, column: ColumnSchema, given: Any) -> None:
        values, absent = given, None
        matches = type(given) is np.ndarray and given.dtype == target.dtype and given.shape == target.shape
        if not matches:
            values, absent = _numbers(self.table, column, given)
            _check_length(self.table, column.name, len(values), len(target))
        target[:] = values  # casts nanoseconds to microseconds by truncation
        if column.nullable:
            stop = self.rows + len(target)
            self._absent[column.name][self.rows : stop] = False if absent is None else absent

    def _put_lists(self, name: str, given: Values, rows: int) -> None:
        lists, ends = _lists(self.table, name, given), self._ends[name]
        _check_length(self.table, name, len(lists.lengths), rows)
        first = ends[self.rows]
        last = first + len(lists.values)
        ends[self.rows + 1 : self.rows + rows + 1] = first + np.cumsum(lists.lengths)
        if ends[self.rows + rows] != last or lists.lengths.min(initial=0) < 0:
            raise ValueError(f"{self.table.name}.{name}: the lengths do not add up to {len(lists.values)}")
        if last > len(self._items[name]):
            self._items[name] = _grown(self._items[name], max(last, 2 * len(self._items[name])))
        self._items[name][first:last] = lists.values

    def _check_finite(self, stop: int) -> None:
        for kind, is_valid in (("float", np.isfinite), ("instant", _is_instant)):
            if kind not in self._blocks:
                continue
            block = self._blocks[kind][:, self.rows : stop]
            valid = is_valid(block)
            if not valid.all():
                index, row = np.argwhere(~valid)[0]
                raise ValueError(
                    f"{self.table.name}.{self._numeric[kind][index].name}: {block[index, row]} at epoch"
                    f" {self._blocks['integer'][0, self.rows + row]}; mask a value that is absent"
                )

    def _arrow(self, column: ColumnSchema, rows: int) -> Any:
        name, kind = column.name, column.kind
        if kind == "label":
            return pa.array(self._labels[name][:rows], column.arrow_type)
        if kind == "integer list":
            ends = self._ends[name][: rows + 1]
            items = pa.array(self._items[name][: ends[-1]])
            return pa.ListArray.from_arrays(pa.array(ends.astype(np.int32)), items, type=column.arrow_type)
        values = self._blocks[kind][self._numeric[kind].index(column), :rows]
        mask = self._absent[name][:rows] if column.nullable else None
        return pa.array(values, column.arrow_type, mask=mask)


def _grown(array: Numbers, capacity: int) -> Numbers:
    larger = np.zeros((*array.shape[:-1], capacity), array.dtype)
    larger[..., : array.shape[-1]] = array
    return larger


def _is_instant(block: Numbers) -> BoolArray:
    return ~np.isnat(block)


def _check_length(table: TableSchema, name: str, found: int, rows: int) -> None:
    if found != rows:
        raise ValueError(f"{table.name}.{name}: {found} values where the epoch has {rows}")


def _check_dtype(table: TableSchema, name: str, values: Numbers, kind: str) -> None:
    dtype = values.dtype
    too_wide = dtype.kind == "u" and dtype.itemsize == 8
    if dtype.kind not in _ACCEPTED[kind] or values.ndim != 1 or too_wide:
        raise ValueError(
            f"{table.name}.{name}: {values.ndim} axes of {dtype} where one axis of {_EXPECTED[kind]} is needed"
        )


def _numbers(table: TableSchema, column: ColumnSchema, given: Any) -> tuple[Numbers, BoolArray | None]:
    """Values, and the mask of absent ones (whose values are zero); None means that all values are present."""
    values, absent = given, None
    if type(given) is not np.ndarray:
        masked = isinstance(given, np.ma.MaskedArray)
        values, absent = _from_masked(given) if masked else _from_arrow(table, column, given)
    _check_dtype(table, column.name, values, column.kind)
    if absent is not None and not column.nullable:
        raise ValueError(
            f"{table.name}.{column.name}: {int(absent.sum())} values are absent; the column allows no null"
        )
    return values, absent


def _from_masked(given: Any) -> tuple[Numbers, BoolArray | None]:
    absent = np.ma.getmaskarray(given)
    if not absent.any():
        return np.asarray(given.data), None
    return np.where(absent, np.zeros((), given.dtype), given.data), absent


def _from_arrow(table: TableSchema, column: ColumnSchema, given: Any) -> tuple[Numbers, BoolArray | None]:
    array, absent = _as_arrow(table, column, given), None
    if array.null_count:
        absent = array.is_null().to_numpy(zero_copy_only=False)
        array = array.fill_null(pa.scalar(0, pa.int64()).cast(column.arrow_type))
    return array.to_numpy(zero_copy_only=False), absent


def _as_arrow(table: TableSchema, column: ColumnSchema, given: Any) -> Any:
    try:
        array = given.combine_chunks() if isinstance(given, pa.ChunkedArray) else given
        if not isinstance(array, pa.Array):
            array = pa.array(array)  # no type is given, as pyarrow would truncate 1.5 to the integer 1
        if array.type in _NANOSECONDS:
            array = pc.floor_temporal(array, unit="microsecond")
        if any(fits(array.type) for fits in (pa.types.is_null, *_FITS[column.kind])):
            return array.cast(column.arrow_type)
        fault = f"found {array.type}"
    except (pa.ArrowException, TypeError, ValueError, OverflowError) as error:
        fault = str(error)
    raise ValueError(f"{table.name}.{column.name}: {_EXPECTED[column.kind]} needed ({fault})")


def _labels(table: TableSchema, name: str, given: Any, rows: int) -> list[str]:
    labels: list[str] = given
    if not isinstance(given, list | tuple):
        labels = given.tolist() if isinstance(given, np.ndarray) else given.to_pylist()
    if not all(issubclass(kind, str) for kind in set(map(type, labels))):
        raise ValueError(f"{table.name}.{name}: {_EXPECTED['label']} needed, no null allowed")
    _check_length(table, name, len(labels), rows)
    return labels


def _lists(table: TableSchema, name: str, given: Any) -> ListColumn:
    if not isinstance(given, ListColumn):
        column = table.columns[table.names.index(name)]
        array = _as_arrow(table, column, given)
        if array.null_count or array.flatten().null_count:
            raise ValueError(f"{table.name}.{name}: values are absent; the column allows no null")
        return ListColumn(values=array.flatten().to_numpy(), lengths=array.value_lengths().to_numpy())
    for part in (given.values, given.lengths):
        _check_dtype(table, name, part, "integer")
    return given
