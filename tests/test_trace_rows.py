"""Rows of a small made-up run, and what becomes of them on disk."""

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tests.helpers.made_up_trace import (
    EPOCHS,
    SOME,
    TERMINALS,
    append,
    arrow_rows,
    at,
    manifest,
    rows,
    state,
    whole_trace,
)
from twin.results import TABLES, ListColumn, TraceWriter, read_trace


@pytest.fixture(scope="module")
def trace(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return whole_trace(tmp_path_factory.mktemp("trace") / "run", tables=tuple(TABLES))


@pytest.mark.parametrize("table", TABLES)
def test_what_was_added_is_what_is_read(trace: Path, table: str) -> None:
    found = arrow_rows(trace, table)
    assert found.num_rows == 3 * EPOCHS
    for epoch in range(EPOCHS):
        part = found.slice(3 * epoch, 3)
        for name, given in rows(table, epoch).items():
            read = part[name].to_pylist()
            if isinstance(given, ListColumn):
                assert read == [[epoch, epoch + 1], [], [epoch + 2]]
            elif not isinstance(given, list) and given.dtype.kind == "M":
                there = ~np.ma.getmaskarray(given)
                assert [snapshot is not None for snapshot in read] == there.tolist()
                moments = [np.datetime64(snapshot.replace(tzinfo=None)) for snapshot in read if snapshot is not None]
                assert moments == list(np.ma.getdata(given)[there])
            else:
                assert read == (given if isinstance(given, list) else given.tolist())


@pytest.mark.parametrize("table", TABLES)
def test_every_file_carries_types_units_and_descriptions(trace: Path, table: str) -> None:
    for file in (trace / table).glob("*.parquet"):
        schema = pq.read_schema(file)
        assert schema.equals(TABLES[table].arrow, check_metadata=False)
        assert schema.metadata[b"description"].decode() == TABLES[table].description
        for column in TABLES[table].columns:
            metadata = schema.field(column.name).metadata
            assert metadata[b"unit"].decode() == column.unit
            assert metadata[b"description"].decode() == column.description != ""


def test_the_contract_s_columns_are_there() -> None:
    promised = {
        "terminals": "epoch time terminal latitude_deg longitude_deg altitude_km se_bps_hz rate_bps sinr_db"
        " in_service present present_fraction serving master se_ap1_bps_hz interrupted_fraction",
        "handovers": "epoch time terminal kind from_satellite to_satellite from_beam to_beam reason interruption_s",
        "satellites": "epoch time satellite served power_w",
        "epochs": "epoch time visible_satellites sum_se_bps_hz precoder_iterations converged"
        " active_satellites in_service_terminals",
        "links": "epoch time satellite terminal elevation_deg azimuth_deg range_km delay_s doppler_hz"
        " path_gain_db rician_k_db phase_error_rad serving residual_delay_s residual_doppler_hz phase_variance_rad2",
        "timings": "epoch stage wall_s",
        "attempts": "epoch time terminal decided begun from_satellites to_satellites outcome reason",
        "candidates": "epoch time terminal satellite score elevation_deg chosen",
    }
    assert {name: set(columns.split()) for name, columns in promised.items()} == {
        name: set(table.names) for name, table in TABLES.items()
    }


def test_encodings(trace: Path) -> None:
    part = sorted((trace / "terminals").glob("part-*"))[0]
    group = pq.read_metadata(part).row_group(0)
    found = {group.column(i).path_in_schema: group.column(i) for i in range(group.num_columns)}
    assert {column.compression for column in found.values()} == {"ZSTD"}
    with_dictionary = {name for name, column in found.items() if "RLE_DICTIONARY" in column.encodings}
    assert with_dictionary == {"terminal"}
    for column in TABLES["terminals"].columns:
        if column.kind == "float":
            assert "BYTE_STREAM_SPLIT" in found[column.name].encodings


PANDAS = {
    "epoch": "int64",
    "time": "datetime64[us, UTC]",
    "se_bps_hz": "float64",
    "sinr_db": "float64",
    "in_service": "bool",
    "master": "Int64",
}


def test_pandas_reads_the_same_types_at_any_moment(tmp_path: Path) -> None:
    writer = TraceWriter.create(tmp_path / "run", manifest=manifest(), tables=SOME)
    empty = pd.read_parquet(tmp_path / "run" / "terminals")
    assert (len(empty), tuple(empty.columns)) == (0, TABLES["terminals"].names)
    seen = [empty]
    for epoch, mask in enumerate(([False] * 3, [True] * 3, [True, False, True])):
        given = rows("terminals", epoch)
        for column in ("master", "sinr_db"):
            given[column] = np.ma.masked_array(given[column].data, mask=mask)
        writer.add("terminals", given)
        writer.mark(epoch, state(epoch))
        writer.flush()
        seen.append(pd.read_parquet(tmp_path / "run" / "terminals"))
    for frame in seen:
        assert {name: str(frame[name].dtype) for name in PANDAS} == PANDAS
        assert pd.api.types.is_string_dtype(frame["terminal"].dtype)
    assert [len(frame) for frame in seen] == [0, 3, 6, 9]
    assert seen[-1]["master"].isna().tolist() == [False] * 3 + [True] * 3 + [True, False, True]
    assert [list(items) for items in seen[-1]["serving"][:3]] == [[0, 1], [], [2]]
    writer.close()


def test_pandas_and_the_trace_show_one_table(trace: Path) -> None:
    for table in TABLES:
        pd.testing.assert_frame_equal(read_trace(trace).table(table), pd.read_parquet(trace / table))


def test_large_parts_have_even_row_groups(tmp_path: Path) -> None:
    many = 100_001
    with TraceWriter.create(tmp_path / "run", manifest=manifest(epochs=1), tables=["timings"]) as writer:
        walls = np.random.default_rng(1).random(many)
        writer.add("timings", {"epoch": np.zeros(many, int), "stage": ["rates"] * many, "wall_s": walls})
        writer.mark(0, state(0))
        writer.finish("complete")
    metadata = pq.read_metadata(next((tmp_path / "run" / "timings").glob("part-*")))
    groups = [metadata.row_group(i).num_rows for i in range(metadata.num_row_groups)]
    assert groups == [50_001, 50_000]
    assert np.array_equal(read_trace(tmp_path / "run").timings["wall_s"], walls)


def test_columns_may_come_as_arrow_arrays_and_lists(tmp_path: Path) -> None:
    given = rows("handovers", 0) | {
        "time": [at(0)] * 3,
        "terminal": pa.array(TERMINALS).dictionary_encode(),
        "kind": np.array(["service_start", "service_end", "beam"]),
        "from_satellite": [None, 44713, None],
        "to_satellite": pa.array([44714, None, 100_000_001]),
        "interruption_s": pa.array([0.0, 0.5, 1.0]),
    }
    with TraceWriter.create(tmp_path / "run", manifest=manifest(), tables=SOME) as writer:
        writer.add("handovers", given)
        writer.add("terminals", rows("terminals", 0) | {"serving": [[1, 2], [], np.array([3])]})
        writer.mark(0, state(0))
        writer.flush()
    read = arrow_rows(tmp_path / "run", "handovers").to_pydict()
    assert read["from_satellite"] == [None, 44713, None]
    assert read["to_satellite"] == [44714, None, 100_000_001]
    assert (read["terminal"], read["kind"]) == (TERMINALS, ["service_start", "service_end", "beam"])
    assert read["interruption_s"] == [0.0, 0.5, 1.0]
    assert arrow_rows(tmp_path / "run", "terminals")["serving"].to_pylist() == [[1, 2], [], [3]]


NANOSECONDS = np.array([1_000, 1_999, -1], "datetime64[ns]")
"""The last is before 1970: truncated, it is earlier, not later."""


@pytest.mark.parametrize(
    "given",
    [
        NANOSECONDS,
        np.ma.masked_array(NANOSECONDS),
        list(NANOSECONDS),
        pa.array(NANOSECONDS),
        pa.array(NANOSECONDS).cast(pa.timestamp("ns", tz="UTC")),
    ],
    ids=["numpy", "masked", "list", "arrow", "arrow in UTC"],
)
def test_instants_between_microseconds_are_truncated(tmp_path: Path, given: Any) -> None:
    with TraceWriter.create(tmp_path / "run", manifest=manifest(), tables=SOME) as writer:
        writer.add("handovers", rows("handovers", 0) | {"time": given})
        writer.mark(0, state(0))
        writer.flush()
    assert arrow_rows(tmp_path / "run", "handovers")["time"].cast(pa.int64()).to_pylist() == [1, 1, -1]
    read = read_trace(tmp_path / "run").handovers["time"]
    assert str(read.dtype) == "datetime64[us, UTC]"


FAULTY = [
    (
        {"se_bps_hz": np.array([1.0, np.nan, 2.0])},
        "terminals.se_bps_hz: nan at epoch 4; mask a value that is absent",
    ),
    (
        {"rate_bps": np.array([1.0, 2.0, -np.inf])},
        "terminals.rate_bps: -inf at epoch 4; mask a value that is absent",
    ),
    (
        {"sinr_db": pa.array([1.0, None, np.inf])},
        "terminals.sinr_db: inf at epoch 4; mask a value that is absent",
    ),
    (
        {"time": np.array(["NaT"] * 3, "datetime64[s]")},
        "terminals.time: NaT at epoch 4; mask a value that is absent",
    ),
    (
        {"se_bps_hz": np.ma.masked_array(np.zeros(3), mask=[1, 0, 1])},
        "terminals.se_bps_hz: 2 values are absent; the column allows",
    ),
    ({"latitude_deg": np.zeros(2)}, "terminals.latitude_deg: 2 values where the epoch has 3"),
    ({"terminal": TERMINALS[:2]}, "terminals.terminal: 2 values where the epoch has 3"),
    ({"terminal": ["ut-0", None, "ut-2"]}, "terminals.terminal: strings needed, no null allowed"),
    (
        {"in_service": np.ones(3)},
        "terminals.in_service: 1 axes of float64 where one axis of booleans is needed",
    ),
    ({"master": np.ones(3)}, "terminals.master: 1 axes of float64 where one axis of integers is needed"),
    (
        {"master": np.ones(3, np.uint64)},
        "terminals.master: 1 axes of uint64 where one axis of integers is needed",
    ),
    ({"master": [1.5, 2.0, 3.0]}, "terminals.master: integers needed (found double)"),
    ({"master": [True, False, True]}, "terminals.master: integers needed (found bool)"),
    ({"serving": [[1], [2.5], []]}, "terminals.serving: ListColumn or list of integer arrays needed ("),
    ({"serving": [[1], None, []]}, "terminals.serving: values are absent; the column allows no null"),
    (
        {"se_bps_hz": np.zeros((3, 1))},
        "terminals.se_bps_hz: 2 axes of float64 where one axis of floats is needed",
    ),
    (
        {"serving": ListColumn(values=np.arange(3), lengths=np.array([1, 1, 2]))},
        "terminals.serving: the lengths do not add up to 3",
    ),
    (
        {"serving": ListColumn(values=np.arange(3), lengths=np.array([4, -1, 0]))},
        "terminals.serving: the lengths do not add up to 3",
    ),
    ({"speed": np.zeros(3)}, "terminals: columns missing [], unknown ['speed']"),
    ({"epoch": np.full(3, 2)}, "terminals: rows of epochs 2 to 2 where epochs must ascend from 4"),
    ({"epoch": np.array([4, 6, 5])}, "terminals: rows of epochs 4 to 6 where epochs must ascend from 4"),
]


@pytest.mark.parametrize(("change", "message"), FAULTY, ids=[message[:40] for _, message in FAULTY])
def test_rows_that_do_not_fit_are_refused_and_not_kept(tmp_path: Path, change: dict[str, Any], message: str) -> None:
    with TraceWriter.create(tmp_path / "run", manifest=manifest(), tables=SOME) as writer:
        append(writer, 0, 3)
        with pytest.raises(ValueError) as refused:  # noqa: PT011 (the message is compared below)
            writer.add("terminals", rows("terminals", 4) | change)
        assert str(refused.value).startswith(message)
        append(writer, 4)
        writer.finish("complete")
    other = whole_trace(tmp_path / "other")
    assert all(arrow_rows(tmp_path / "run", t).equals(arrow_rows(other, t)) for t in SOME)


def test_what_a_masked_value_hides_does_not_matter(tmp_path: Path) -> None:
    hidden = np.ma.masked_array([np.nan, 1.0, np.inf], mask=[True, False, True])
    with TraceWriter.create(tmp_path / "run", manifest=manifest(), tables=SOME) as writer:
        writer.add("terminals", rows("terminals", 0) | {"sinr_db": hidden})
        writer.mark(0, state(0))
        writer.flush()
    assert arrow_rows(tmp_path / "run", "terminals")["sinr_db"].to_pylist() == [None, 1.0, None]


def test_rows_are_copied_when_they_come(tmp_path: Path) -> None:
    with TraceWriter.create(tmp_path / "run", manifest=manifest(), tables=SOME) as writer:
        given = rows("epochs", 0)
        writer.add("epochs", given)
        given["sum_se_bps_hz"][:] = 0.0
        writer.mark(0, state(0))
        writer.flush()
    kept = arrow_rows(tmp_path / "run", "epochs")["sum_se_bps_hz"].to_pylist()
    assert kept == rows("epochs", 0)["sum_se_bps_hz"].tolist()


@pytest.mark.slow
def test_a_day_of_rows_leaves_memory_flat(tmp_path: Path) -> None:
    with TraceWriter.create(tmp_path / "run", manifest=manifest(epochs=None), tables=["timings"]) as writer:
        for epoch in range(2_000):
            walls = np.full(1_000, float(epoch))
            writer.add("timings", {"epoch": np.full(1_000, epoch), "stage": ["a"] * 1_000, "wall_s": walls})
            writer.mark(epoch, state(epoch))
            buffered = writer._buffers["timings"]
            # Rows that may wait, plus one epoch, rounded up by doubling from 1024.
            assert buffered._blocks["float"].shape[-1] <= 131_072
        writer.finish("complete")
    assert arrow_rows(tmp_path / "run", "timings").num_rows == 2_000_000
