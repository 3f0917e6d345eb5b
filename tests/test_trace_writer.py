"""When a trace is begun, made durable, resumed and finished, and when that is refused."""

import json
import os
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from tests.helpers.made_up_trace import EPOCHS, SOME, append, manifest, rows, state, whole_trace
from twin.errors import InputError
from twin.results import Manifest, TraceWriter, provenance, read_trace, writer
from twin.results.parts import parts_of
from twin.units import Duration


def refusal(directory: Path, of: Manifest) -> str:
    with pytest.raises(InputError) as refused:
        TraceWriter.resume(directory, manifest=of)
    return str(refused.value)


@pytest.fixture
def trace(tmp_path: Path) -> Path:
    return whole_trace(tmp_path / "run")


def test_a_directory_that_holds_something_is_refused(trace: Path, tmp_path: Path) -> None:
    with pytest.raises(InputError) as refused:
        TraceWriter.create(trace, manifest=manifest(), tables=SOME)
    assert str(refused.value) == f"{trace}: already holds a trace; resume it, or choose another directory"
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "thesis.tex").touch()
    with pytest.raises(InputError) as refused:
        TraceWriter.create(tmp_path / "mine", manifest=manifest(), tables=SOME)
    assert str(refused.value) == (
        f'{tmp_path / "mine"}: holds "thesis.tex" but no trace; choose an empty or a new directory'
    )
    assert [path.name for path in (tmp_path / "mine").iterdir()] == ["thesis.tex"]
    with pytest.raises(InputError, match=r"a trace cannot be written here \(File exists\)"):
        TraceWriter.create(tmp_path / "mine" / "thesis.tex", manifest=manifest(), tables=SOME)


def test_unknown_tables_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"unknown tables \['beams'\]"):
        TraceWriter.create(tmp_path / "run", manifest=manifest(), tables=["terminals", "beams"])


class Clock:
    """A clock that is advanced by hand."""

    def __init__(self) -> None:
        self.now_s = 0.0

    def monotonic(self) -> float:
        return self.now_s


def test_the_interval_grows_with_the_length_of_the_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    clock = Clock()
    monkeypatch.setattr(writer, "time", clock)
    monkeypatch.setattr(os, "fsync", lambda descriptor: None)
    instants_s: list[float] = []
    with TraceWriter.create(tmp_path / "run", manifest=manifest(epochs=None), tables=["epochs"]) as w:
        for epoch in range(17_280):  # a day in steps of 5 s
            clock.now_s = 5.0 * epoch
            durable = w.last_durable_epoch
            w.mark(epoch, dict)
            if w.last_durable_epoch > durable:
                instants_s.append(clock.now_s)
    gaps_s = np.diff(instants_s)
    assert set(gaps_s[: int(500 / 10) - 1]) == {10.0}  # 10 s are 2 % of 500 s
    assert (np.diff(gaps_s) >= 0).all()
    assert gaps_s[-1] == 600.0
    # 50 until 500 s; 50 ln 60 = 205 until 30,000 s, where 2 % are 600 s; 94 until 86,400 s.
    # Fewer here, as gaps are rounded up to steps of 5 s.
    assert 270 < len(instants_s) <= 349


def test_rows_alone_make_a_flush(tmp_path: Path) -> None:
    whole_trace(tmp_path / "run", flush_rows=7)
    for table in SOME:
        assert [(part.first, part.last) for part in parts_of(tmp_path / "run" / table)] == [(0, 2), (3, 5)]


def test_the_state_is_made_only_for_a_flush(tmp_path: Path) -> None:
    calls = []
    with TraceWriter.create(tmp_path / "run", manifest=manifest(), tables=SOME) as w:
        for epoch in range(4):
            w.mark(epoch, lambda epoch=epoch: calls.append(epoch) or {})
        w.flush()
        w.flush()
    assert calls == [3]


def test_states_are_plain_arrays(tmp_path: Path) -> None:
    with TraceWriter.create(tmp_path / "run", manifest=manifest(), tables=SOME) as w:
        w.mark(0, lambda: {"policy": np.array([object()])})
        with pytest.raises(ValueError, match=r'"policy" \(object\) cannot be written: only plain arrays are allowed'):
            w.flush()


def test_misuse_is_refused(tmp_path: Path) -> None:
    with TraceWriter.create(tmp_path / "run", manifest=manifest(), tables=SOME) as w:
        append(w, 0, 3)
        with pytest.raises(ValueError, match="epoch 3 is marked after epoch 3"):
            w.mark(3, state(3))
        with pytest.raises(ValueError, match="rows of epochs 3 to 3 where epochs must ascend from 4"):
            w.add("epochs", rows("epochs", 3))
        with pytest.raises(ValueError, match="epoch 3 is the last one marked of 6; the run is not complete"):
            w.finish("complete")
        w.finish("interrupted")
        with pytest.raises(ValueError, match="finished"):
            w.add("epochs", rows("epochs", 4))
        with pytest.raises(ValueError, match="after the end"):
            w.mark(4, state(4))
        with pytest.raises(ValueError, match="finished"):
            w.finish("complete")


def test_run_json_says_what_and_how_far(tmp_path: Path) -> None:
    w = TraceWriter.create(tmp_path / "run", manifest=manifest(notes={"usable": 3}), tables=SOME)
    begun = read_trace(tmp_path / "run").run
    assert (begun["status"], begun["last_durable_epoch"], begun["epochs"]) == ("running", -1, EPOCHS)
    append(w, 0)
    w.finish("complete", notes={"masked": {44714: "decayed"}, "every": Duration.parse("15s"), "ids": np.array([1])})
    run = read_trace(tmp_path / "run").run
    assert (run["status"], run["last_durable_epoch"]) == ("complete", EPOCHS - 1)
    assert run["notes"] == {"usable": 3, "masked": {"44714": "decayed"}, "every": "15s", "ids": [1]}
    for key in ("name", "scenario", "scenario_sha256", "inputs", "seed", "versions"):
        assert run[key] == getattr(manifest(), key)
    assert begun["created"] == run["created"] <= run["updated"]
    assert run["tables"] == ["terminals", "handovers", "epochs"]


def test_a_complete_trace_resumes_to_nothing(trace: Path) -> None:
    before = (trace / "run.json").read_bytes()
    w, last, _ = TraceWriter.resume(trace, manifest=manifest())
    assert (w.status, last) == ("complete", EPOCHS - 1)
    w.close()
    assert (trace / "run.json").read_bytes() == before


def test_each_resumption_is_recorded(tmp_path: Path) -> None:
    with TraceWriter.create(tmp_path / "run", manifest=manifest(), tables=SOME) as w:
        append(w, 0, 2)
        w.finish("interrupted")
    newer = manifest().versions | {"python": "3.13"}
    w, _, _ = TraceWriter.resume(tmp_path / "run", manifest=manifest(versions=newer))
    assert read_trace(tmp_path / "run").run["status"] == "running"
    w.close()
    assert read_trace(tmp_path / "run").run["resumed"] == [{"after_epoch": 2, "versions": newer}]


OTHER: list[tuple[dict[str, Any], list[str]]] = [
    (
        {
            "scenario": {"seed": 7, "association": {"every": "10s"}, "trace": {"flush": "20s"}},
            "scenario_sha256": "bb",
        },
        ['association.every: "15s" -> "10s"'],
    ),
    (
        {
            "scenario": {"seed": 8, "association": {"hold": [1]}, "trace": 1},
            "scenario_sha256": "bb",
            "seed": 8,
        },
        [
            "seed: 7 -> 8",
            'association.every: "15s" -> (absent)',
            "association.hold: (absent) -> [1]",
            'trace: {"flush": "10s"} -> 1',
        ],
    ),
    ({"scenario_sha256": "bb"}, ['scenario_sha256: "aa" -> "bb"']),
    ({"seed": 8}, ["seed: 7 -> 8"]),
    (
        {"inputs": {"made-up.tle": "12", "other.tle": "13"}},
        ['input made-up.tle: sha256 "11" -> "12"', 'input other.tle: sha256 (absent) -> "13"'],
    ),
    ({"versions": {"python": "3.11", "twin": "0.2.0"}}, ['version of twin: "0.1.0" -> "0.2.0"']),
]


@pytest.mark.parametrize(("change", "lines"), OTHER, ids=[lines[0] for _, lines in OTHER])
def test_another_run_is_not_continued(trace: Path, change: dict[str, Any], lines: list[str]) -> None:
    assert refusal(trace, manifest(**change)) == (
        f"{trace}: cannot be resumed, because it was begun by a different run:\n"
        + "".join(f"  {line}\n" for line in lines)
        + "Restore the previous values, or start a new run in another directory."
    )


def test_differences_inside_lists_have_their_place(tmp_path: Path) -> None:
    groups = [{"count": 3}, {"count": 4}]
    with TraceWriter.create(tmp_path / "run", manifest=manifest(scenario={"terminals": groups}), tables=SOME):
        pass
    other = manifest(scenario={"terminals": (groups[0], {"count": 5})}, scenario_sha256="bb")
    assert "\n  terminals[1].count: 4 -> 5\n" in refusal(tmp_path / "run", other)


def test_what_changes_no_row_may_change(trace: Path) -> None:
    faster = {"seed": 7, "association": {"every": "15s"}, "trace": {"flush": "1s"}}
    versions = manifest().versions | {"numpy": "9.9"}
    TraceWriter.resume(trace, manifest=manifest(scenario=faster, versions=versions))[0].close()


def test_no_trace_no_resumption(tmp_path: Path, trace: Path) -> None:
    assert refusal(tmp_path / "none", manifest()) == f"{tmp_path / 'none'}: no trace here (run.json is missing)"
    assert refusal(trace / "epochs", manifest()) == (
        f'{trace / "epochs"}: no trace here (run.json is missing); did you mean "{trace}"?'
    )
    assert not (tmp_path / "none").exists()


REMEDY = "; restore it from a copy, or start a new run in another directory (pandas can still read the tables)"
DAMAGED = [
    ('{"layout": 2, "sta', "Unterminated string starting at: line 1 column 15 (char 14)"),
    ("[]", "it is not a JSON object"),
    ('{"layout": 2}', '"status" is missing or not of type str'),
]


@pytest.mark.parametrize(("text", "fault"), DAMAGED)
def test_a_damaged_run_json(trace: Path, text: str, fault: str) -> None:
    (trace / "run.json").write_text(text)
    assert refusal(trace, manifest()) == f"{trace}/run.json: damaged ({fault}){REMEDY}"
    with pytest.raises(InputError, match="damaged"):
        read_trace(trace)


EARLIER = """\
{}: written by an earlier version of twin (layout 1; this version reads 2)
event kinds have changed: attach -> service_start, detach -> service_end, satellite -> hard
the unit of times has changed: nanoseconds -> microseconds
pandas still reads the tables; this version needs a new run, in a new directory"""


def test_a_trace_of_an_earlier_layout_is_refused_and_left_alone(trace: Path) -> None:
    run = json.loads((trace / "run.json").read_text())
    (trace / "run.json").write_text(json.dumps(run | {"layout": 1}))
    before = {path: path.read_bytes() for path in trace.rglob("*") if path.is_file()}
    assert refusal(trace, manifest()) == EARLIER.format(trace)
    with pytest.raises(InputError) as refused:
        read_trace(trace)
    assert str(refused.value) == EARLIER.format(trace)
    assert {path: path.read_bytes() for path in trace.rglob("*") if path.is_file()} == before
    assert len(pd.read_parquet(trace / "terminals")) == 3 * EPOCHS


def test_a_trace_of_a_later_layout_is_refused(trace: Path) -> None:
    run = json.loads((trace / "run.json").read_text())
    (trace / "run.json").write_text(json.dumps(run | {"layout": 3}))
    assert refusal(trace, manifest()) == (
        f"{trace}: written by a later version of twin (layout 3; this version reads 2); update twin to use it"
    )


def test_unknown_tables_of_a_trace_are_refused(trace: Path) -> None:
    run = json.loads((trace / "run.json").read_text())
    (trace / "run.json").write_text(json.dumps(run | {"tables": ["beams"]}))
    assert "unknown tables ['beams']" in refusal(trace, manifest())


def test_a_state_that_is_missing_or_damaged(trace: Path) -> None:
    path = trace / "_state" / "epoch-5.npz"
    after = (
        ", so the run cannot be resumed after epoch 5;"
        " restore it from a copy, or start a new run in another directory (the tables can still be read)"
    )
    whole = path.read_bytes()
    for torn in (b"", whole[: len(whole) // 2], whole[:80] + bytes([whole[80] ^ 1]) + whole[81:]):
        path.write_bytes(torn)
        message = refusal(trace, manifest())
        assert message.startswith(f"{path}: damaged (")
        assert message.endswith(after)
    path.unlink()
    assert refusal(trace, manifest()) == f"{path}: missing{after}"
    assert len(parts_of(trace / "epochs")) == 3, "a refused resumption deletes nothing"


def test_hashes_and_versions(tmp_path: Path) -> None:
    (tmp_path / "abc").write_bytes(b"abc")
    # The example of FIPS 180-2, B.1.
    expected = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
    assert provenance.file_sha256(tmp_path / "abc") == expected
    found = provenance.versions()
    assert set(found) == {
        "python",
        "twin",
        "numpy",
        "scipy",
        "pandas",
        "pyarrow",
        "sgp4",
        "skyfield",
        "simpy",
    }
    assert found["numpy"] == np.__version__


def test_what_json_has_no_form_for_is_refused() -> None:
    with pytest.raises(ValueError, match=r"object cannot be written to run\.json"):
        provenance.plain({"policy": object()})
    assert provenance.plain(np.array([[1.5, 2.5]])) == [[1.5, 2.5]]
    assert provenance.plain(np.array(["2026-05-30"], "datetime64[D]")) == ["2026-05-30"]
