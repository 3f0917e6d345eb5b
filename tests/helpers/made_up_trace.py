"""A small made-up trace: its rows, its state and its manifest."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq

from twin.results import TABLES, ListColumn, Manifest, TraceWriter

START = np.datetime64("2026-05-30T12:00:00", "ns")
TERMINALS = ["ut-0", "ut-1", "ut-2"]
EPOCHS = 6
SOME = ("terminals", "handovers", "epochs")


def manifest(**changes: Any) -> Manifest:
    given: dict[str, Any] = {
        "name": "made-up",
        "scenario": {"seed": 7, "association": {"every": "15s"}, "trace": {"flush": "10s"}},
        "scenario_sha256": "aa",
        "inputs": {"made-up.tle": "11"},
        "seed": 7,
        "versions": {"python": "3.11", "twin": "0.1.0"},
        "epochs": EPOCHS,
    }
    return Manifest(**(given | changes))


def state(epoch: int) -> Callable[[], Mapping[str, np.ndarray]]:
    return lambda: {"master": np.array([epoch, -1, 0]), "names": np.array(TERMINALS), "phase": np.array(0.5)}


def at(epoch: int) -> np.datetime64:
    return START + np.timedelta64(epoch, "s")


def rows(table: str, epoch: int) -> dict[str, Any]:
    """Plausible rows of any table: three for each epoch, absent values among them."""
    draw = np.random.default_rng([epoch, len(table)])
    values: dict[str, Any] = {}
    for column in TABLES[table].columns:
        match column.kind:
            case "integer":
                values[column.name] = 44000 + draw.integers(0, 9, 3)
            case "float":
                values[column.name] = draw.normal(size=3)
            case "boolean":
                values[column.name] = draw.random(3) < 0.5
            case "label":
                values[column.name] = TERMINALS
            case "instant":
                values[column.name] = np.full(3, at(epoch))
            case "integer list":
                values[column.name] = ListColumn(values=np.arange(epoch, epoch + 3), lengths=np.array([2, 0, 1]))
        if column.nullable:
            values[column.name] = np.ma.masked_array(values[column.name], mask=[epoch % 2 == 0, False, epoch > 3])
    return values | {"epoch": np.full(3, epoch)}


def append(writer: TraceWriter, first: int, last: int = EPOCHS - 1, *, tables: tuple[str, ...] = SOME) -> None:
    for epoch in range(first, last + 1):
        for table in tables:
            writer.add(table, rows(table, epoch))
        writer.mark(epoch, state(epoch))


def whole_trace(directory: Path, *, tables: tuple[str, ...] = SOME, flush_rows: int = 6) -> Path:
    with TraceWriter.create(directory, manifest=manifest(), tables=tables, flush_rows=flush_rows) as writer:
        append(writer, 0, tables=tables)
        writer.finish("complete")
    return directory


def arrow_rows(directory: Path, table: str) -> Any:
    return pq.read_table(directory / table)
