"""Selections of a trace, and the errors of invalid ones."""

import datetime
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from tests.helpers.made_up_trace import EPOCHS, SOME, append, at, manifest, whole_trace
from twin.errors import InputError
from twin.results import TABLES, TraceWriter, read_trace


@pytest.fixture(scope="module")
def directory(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return whole_trace(tmp_path_factory.mktemp("trace") / "run", tables=(*SOME, "satellites", "timings"))


def test_tables_are_frames_read_once(directory: Path) -> None:
    trace = read_trace(str(directory))
    for name in ("terminals", "handovers", "satellites", "epochs", "timings"):
        frame = getattr(trace, name)
        assert frame is getattr(trace, name)
        assert tuple(frame.columns) == TABLES[name].names
        assert len(frame) == 3 * EPOCHS


def test_a_trace_shows_itself_in_a_few_lines(directory: Path, tmp_path: Path) -> None:
    shutil.copytree(directory, tmp_path / "run")
    assert repr(read_trace(tmp_path / "run")) == (
        f"Trace {tmp_path / 'run'}\n"
        '  scenario "made-up": complete, 6 of 6 epochs\n'
        "  policy ?, precoder ?\n"
        "  tables: terminals (18 rows), handovers (18 rows), satellites (18 rows), epochs (18 rows),\n"
        "    timings (18 rows)"
    )
    (tmp_path / "run" / "epochs" / "part-0000000004-0000000005.parquet").write_bytes(b"torn")
    assert "epochs (damaged)" in repr(read_trace(tmp_path / "run"))


def test_a_trace_of_a_scenario_names_its_models(tmp_path: Path) -> None:
    scenario = {"association": {"name": "a3"}, "precoding": {"name": "szf"}}
    with TraceWriter.create(tmp_path / "run", manifest=manifest(scenario=scenario, epochs=None), tables=SOME):
        shown = repr(read_trace(tmp_path / "run"))
    assert '  scenario "made-up": running, 0 epochs\n  policy a3, precoder szf\n' in shown
    assert shown.endswith("tables: terminals (0 rows), handovers (0 rows), epochs (0 rows)")
    assert max(len(line) for line in shown.splitlines()[1:]) <= 100


UTC_PLUS_2 = datetime.timezone(datetime.timedelta(hours=2))
INSTANTS = [
    (2, 4),
    (np.int64(2), np.int64(4)),
    ("2026-05-30T12:00:02", "2026-05-30T12:00:04"),
    ("2026-05-30 12:00:01.000000001Z", "2026-05-30T14:00:03.5+02:00"),
    ("2026-05-30 12:00:01.000000001Z", "2026-05-30 12:00:03.000000001Z"),
    (at(2), at(4)),
    (datetime.datetime(2026, 5, 30, 14, 0, 2, tzinfo=UTC_PLUS_2), pd.Timestamp(at(4), tz="UTC")),
    (2, "2026-05-30T12:00:04"),
]


@pytest.mark.parametrize(("start", "stop"), INSTANTS)
def test_time_is_chosen_by_epoch_or_instant(directory: Path, start: Any, stop: Any) -> None:
    trace = read_trace(directory)
    whole = trace.terminals
    expected = whole[whole["epoch"].isin([2, 3])].reset_index(drop=True)
    pd.testing.assert_frame_equal(trace.table("terminals", start=start, stop=stop), expected)


def test_columns_and_terminals_are_chosen(directory: Path) -> None:
    trace = read_trace(directory)
    found = trace.table("terminals", ["master", "epoch"], start=1, terminals=["ut-2", "ut-0"])
    whole = trace.terminals
    wanted = whole[(whole["epoch"] >= 1) & (whole["terminal"] != "ut-1")]
    pd.testing.assert_frame_equal(found, wanted[["master", "epoch"]].reset_index(drop=True))
    assert set(trace.table("handovers", terminals="ut-1")["terminal"]) == {"ut-1"}


@pytest.mark.parametrize(("start", "stop"), [(4, 2), (99, None), (None, 0), ("2027-01-01", None), (-3, 0)])
def test_an_empty_selection_has_all_columns(directory: Path, start: Any, stop: Any) -> None:
    found = read_trace(directory).table("terminals", start=start, stop=stop)
    assert (len(found), tuple(found.columns)) == (0, TABLES["terminals"].names)
    assert str(found["master"].dtype) == "Int64"


def test_parts_outside_the_selection_are_not_opened(tmp_path: Path) -> None:
    directory = whole_trace(tmp_path / "run")
    (directory / "epochs" / "part-0000000004-0000000005.parquet").write_bytes(b"torn")
    trace = read_trace(directory)
    assert trace.table("epochs", stop=4)["epoch"].max() == 3
    with pytest.raises(InputError, match="the table epochs is damaged"):
        trace.table("epochs")


REFUSED: list[tuple[dict[str, Any], str]] = [
    (
        {"name": "terminal"},
        'no table "terminal"; did you mean "terminals"? (recorded: "terminals", "handovers", ',
    ),
    ({"name": "links"}, "links were not recorded; run with trace.links = true"),
    (
        {"name": "epochs", "columns": ["sum_se"]},
        'the table epochs has no column "sum_se"; did you mean "sum_se_bps_hz"?',
    ),
    ({"name": "terminals", "terminals": "ut_2"}, 'no terminal "ut_2"; did you mean "ut-2"?'),
    ({"name": "epochs", "terminals": "ut-2"}, 'the table epochs has no column "terminal"'),
    ({"name": "epochs", "start": "noon"}, '"noon" is not an instant ('),
    ({"name": "epochs", "start": 1.5}, '"1.5" is not an instant ('),
    ({"name": "epochs", "start": "NaT"}, '"NaT" is not an instant ('),
    ({"name": "timings", "start": "2026-05-30"}, 'the table timings has no column "time"'),
]


@pytest.mark.parametrize(("selection", "message"), REFUSED, ids=[message[:40] for _, message in REFUSED])
def test_what_cannot_be_selected(directory: Path, selection: dict[str, Any], message: str) -> None:
    with pytest.raises(InputError) as refused:
        read_trace(directory).table(**selection)
    assert message in str(refused.value)


def test_what_is_no_trace(directory: Path, tmp_path: Path) -> None:
    for place in (tmp_path, tmp_path / "none"):
        with pytest.raises(InputError) as refused:
            read_trace(place)
        assert str(refused.value) == f"{place}: no trace here (run.json is missing)"
    with pytest.raises(InputError, match="did you mean"):
        read_trace(directory / "terminals")


def test_a_trace_that_has_only_begun_reads_as_empty(tmp_path: Path) -> None:
    with TraceWriter.create(tmp_path / "run", manifest=manifest(), tables=SOME):
        trace = read_trace(tmp_path / "run")
        assert (len(trace.terminals), len(trace.table("handovers", terminals="ut-9"))) == (0, 0)


def test_an_open_trace_stays_at_the_epoch_where_it_was_opened(tmp_path: Path) -> None:
    with TraceWriter.create(tmp_path / "run", manifest=manifest(), tables=SOME, flush_rows=6) as writer:
        append(writer, 0, 3)
        trace = read_trace(tmp_path / "run")
        append(writer, 4)
        writer.finish("complete")
    assert trace.epochs["epoch"].max() == 3
    assert read_trace(tmp_path / "run").epochs["epoch"].max() == 5
