"""The Parquet files of a table: names, encodings, and the list of existing files.

``empty.parquet`` exists from the start of a run and holds the columns without rows. ``part-<first>-<last>.parquet``
holds the rows of these epochs; files sorted by name are in epoch order.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import pyarrow.parquet as pq

from twin.records import documented
from twin.results.durable import write_whole
from twin.results.tables import TableSchema

EMPTY: Final = "empty.parquet"
ROWS_PER_GROUP: Final = 100_000
"""Maximum number of rows of a row group; larger parts are divided into equal groups."""

_ENCODING: Final = {
    "integer": "DELTA_BINARY_PACKED",
    "float": "BYTE_STREAM_SPLIT",
    "instant": "DELTA_BINARY_PACKED",
}
_NAME = re.compile(r"part-(\d+)-(\d+)\.parquet")


@documented
@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """One file of a table."""

    path: Path
    """Parquet file of the part."""
    first: int
    """First epoch of its rows, or an earlier one."""
    last: int
    """Last epoch of its rows, or a later one."""


def parts_of(folder: Path) -> list[Part]:
    """The parts of a table in epoch order; empty if the folder does not exist."""
    if not folder.is_dir():
        return []
    found = [
        Part(path=path, first=int(name[1]), last=int(name[2]))
        for path in folder.iterdir()
        if (name := _NAME.fullmatch(path.name)) is not None
    ]
    return sorted(found, key=lambda part: part.first)


def write_empty(folder: Path, table: TableSchema) -> None:
    """Write the file that holds the columns of a table without rows."""
    write_whole(folder / EMPTY, _writer(table, table.arrow.empty_table()))


def write_part(folder: Path, table: TableSchema, rows: Any, *, first: int, last: int) -> None:
    """Write the rows (an Arrow table) of the epochs ``first`` to ``last``, both included."""
    write_whole(folder / f"part-{first:010d}-{last:010d}.parquet", _writer(table, rows))


def leftovers(folders: Iterable[Path]) -> list[Path]:
    """Temporary files that a killed writer left behind."""
    return [path for folder in folders if folder.is_dir() for path in folder.glob(".*.tmp")]


def _writer(table: TableSchema, rows: Any) -> Any:
    groups = -(-rows.num_rows // ROWS_PER_GROUP) or 1
    options = {
        "row_group_size": -(-rows.num_rows // groups) or 1,
        "compression": "zstd",
        "use_dictionary": [column.name for column in table.columns if column.kind == "label"],
        "column_encoding": _encodings(table),
    }
    return lambda stream: pq.write_table(rows, stream, **options)


def _encodings(table: TableSchema) -> dict[str, str]:
    plain = {c.name: _ENCODING[c.kind] for c in table.columns if c.kind in _ENCODING}
    lists = {f"{c.name}.list.element": _ENCODING["integer"] for c in table.columns if c.kind == "integer list"}
    return plain | lists
