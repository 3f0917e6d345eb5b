"""The command line as people use it."""

from __future__ import annotations

import errno
import http.server
import json
import os
import re
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from tests.helpers.folders import ROOT
from tests.helpers.small_run import trace_bits
from twin.cli.entry import main
from twin.cli.progress import Lines
from twin.results import read_trace, writer
from twin.results.summary import summarise
from twin.vocabulary import EventKind

TINY = """\
name = "tiny"
seed = 3

[time]
start = 2026-01-01T00:00:00Z
duration = "40s"
epoch = "2s"

[constellation.walker]
planes = 10
per_plane = 20

[satellites]
array = { rows = 2, columns = 2 }

[[terminals]]
name = "north"
kind = "list"
positions = [{ latitude_deg = 88.0, longitude_deg = 0.0 }]

[[terminals]]
name = "south"
kind = "disc"
latitude_deg = 45.0
longitude_deg = 10.0
radius_km = 200.0
count = 3

[association]
name = "max_elevation"
every = "10s"

[precoding]
name = "smrt"

[receiver]
draws = 2
"""
"""Twenty epochs of four terminals; nothing of a constellation at 53 degrees is ever above the northern one."""

COMMANDS = ["run", "validate", "compare", "report", "precoders", "policies", "catalogue"]


@pytest.fixture
def tiny(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The tiny scenario in the current folder."""
    monkeypatch.chdir(tmp_path)
    file = Path("tiny.toml")
    file.write_text(TINY)
    return file


def told(capsys: pytest.CaptureFixture[str], *words: str, status: int = 0) -> tuple[list[str], list[str]]:
    """Lines on standard output and standard error of a command with an exit status."""
    found = main(words)
    out, err = capsys.readouterr()
    assert found == status, err
    return out.splitlines(), err.splitlines()


# What there is


def test_help_lists_exactly_the_commands(capsys: pytest.CaptureFixture[str]) -> None:
    out, _ = told(capsys, "--help")
    listed = out[out.index("Commands:") + 1 :]
    names = [line.split()[0] for line in listed[: listed.index("")]]
    assert names == COMMANDS


@pytest.mark.parametrize("words", [[name] for name in COMMANDS] + [["catalogue", "info"], ["catalogue", "walker"]])
def test_every_command_has_help(capsys: pytest.CaptureFixture[str], words: list[str]) -> None:
    out, _ = told(capsys, *words, "--help")
    assert out[0].startswith(f"Usage: twin {' '.join(words)}")


def test_version(capsys: pytest.CaptureFixture[str]) -> None:
    out, _ = told(capsys, "--version")
    assert re.fullmatch(r"twin \d+\.\d+\.\d+", out[0])


def test_help_loads_nothing_heavy() -> None:
    code = (
        "import sys; from twin.__main__ import main; main(['--help']);"
        "print(sorted({'pandas', 'scipy.optimize', 'matplotlib', 'rich'} & set(sys.modules)), file=sys.stderr)"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stderr == "[]\n"


def test_models_are_listed_with_source_and_options(capsys: pytest.CaptureFixture[str]) -> None:
    out, _ = told(capsys, "policies")
    assert any(line.startswith("max_elevation: ") and line.endswith("]") for line in out)
    assert "  hysteresis_deg = 0.0  (a number, at least 0)" in out
    out, _ = told(capsys, "precoders")
    assert [line.split(":")[0] for line in out if not line.startswith(" ")].count("smrt") == 1


def test_a_plugin_is_listed_and_can_be_run(tiny: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "mine.py").write_text(PLUGIN)
    out, _ = told(capsys, "precoders", "--plugin", "mine.py")
    at = next(number for number, line in enumerate(out) if line.startswith("half_power"))
    assert out[at : at + 2] == [
        "half_power: SMRT with a part of the power. [ours]",
        "  share = 0.5  (a number, more than 0 and at most 1)",
    ]
    settings = ["--set", 'plugins="mine.py"', "--set", "precoding.name=half_power", "--set", "precoding.share=0.25"]
    told(capsys, "run", str(tiny), "--out", "half", *settings)
    told(capsys, "run", str(tiny), "--out", "full")
    half, full = (read_trace(name).satellites.power_w.sum() for name in ("half", "full"))
    # rows are held as 64-bit numbers
    assert half == pytest.approx(0.25 * full, rel=1e-12)


PLUGIN = '''
from __future__ import annotations

from dataclasses import replace
from typing import Annotated

from annotated_types import Gt, Le

from twin.precoding import precoders
from twin.precoding.matched import smrt
from twin.registry import dataclass_options


@dataclass_options
class Share:
    """How much."""

    share: Annotated[float, Gt(0.0), Le(1.0)] = 0.5


@precoders.register("half_power", source="ours", options=Share)
def half_power(problem, *, options):
    """SMRT with a part of the power."""
    return smrt(replace(problem, power_w=problem.power_w * options.share), options=None)
'''


# A run


def test_run_tells_what_it_does_and_ends_with_the_path(tiny: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out, err = told(capsys, "run", str(tiny))
    assert out[:5] == [
        "catalogue: 200 records read, 200 used for 200 satellites, 0 dropped (generated)",
        "terminals: 4 in 2 groups",
        "policy: max_elevation; precoder: smrt",
        "run: 20 epochs of 2s from 2026-01-01T00:00:00Z",
        "trace: traces/tiny",
    ]
    assert out[5] == "link budget of a satellite that gives one terminal all its power"
    labels = [line[:15].strip() for line in out[10:-1]]
    assert labels == ["simulated", "rate", "in service", "handovers", "sum SE", "masked", "cost"]
    assert out[-1] == "traces/tiny"
    assert read_trace(out[-1]).run["status"] == "complete"
    assert err[-1].startswith("100%  simulated 0:00:40 of 0:00:40, ")


def test_a_second_run_gets_a_folder_of_its_own(tiny: Path, capsys: pytest.CaptureFixture[str]) -> None:
    told(capsys, "run", str(tiny), "--quiet")
    out, _ = told(capsys, "run", str(tiny))
    assert out[-1] == "traces/tiny-2"


def test_quiet_says_nothing(tiny: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out, err = told(capsys, "run", str(tiny), "--quiet", "--out", "here")
    assert (out, err) == ([], [])
    assert read_trace("here").last_epoch == 19


def test_figures_are_those_of_the_tables(tiny: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out, _ = told(capsys, "run", str(tiny), "--out", "here")
    trace, summary = read_trace("here"), summarise("here")
    means = trace.terminals.groupby("terminal").rate_bps.mean()
    # sums of 80 numbers in another order
    close = {"rel": 1e-12}
    assert summary.rate_bps == pytest.approx(means[list(summary.terminals)].to_numpy(), **close)
    assert means["north"] == 0.0
    assert means.mean() > 0.0
    assert summary.mean_rate_bps == pytest.approx(trace.terminals.rate_bps.mean(), **close)
    assert summary.low_rate_bps == pytest.approx(np.percentile(means, 5.0), **close)
    assert summary.in_service == trace.terminals.in_service.mean()
    assert summary.interrupted == pytest.approx(trace.terminals.interrupted_fraction.mean(), **close)
    assert summary.sum_spectral_efficiency_bps_hz == pytest.approx(trace.epochs.sum_se_bps_hz.mean(), **close)
    counts = trace.handovers.kind.value_counts()
    assert {kind: count for kind, count in summary.handovers.items() if count} == counts.to_dict()
    assert summary.handovers.keys() == set(EventKind)
    # 4 terminals for 40 s
    assert summary.handover_rate("service_start") == pytest.approx(
        counts["service_start"] / (4 * 40.0 / 3600.0), **close
    )
    stages = trace.timings.groupby("stage").wall_s.sum() / 20
    assert summary.stage_s == pytest.approx(stages.to_dict(), **close)
    lines = {line[:15].strip(): line[15:] for line in out}
    share = f"{100.0 * trace.terminals.in_service.mean():.0f} %"
    assert share == "75 %"
    assert lines["in service"].startswith("75.00 % of the time, ")
    assert f"service_start {counts['service_start'] * 22.5:.3g}" in lines["handovers"]


def test_a_summary_holds_no_table_in_memory(tiny: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert main(["run", str(tiny), "--quiet", "--out", "here", "--set", "trace.flush=1ms"]) == 0
    whole = summarise("here")
    monkeypatch.setattr("twin.results.summary._ROWS_AT_ONCE", 3)
    monkeypatch.setattr(pd, "DataFrame", None)
    pieces = summarise("here")
    # 80 numbers added up in other groups
    assert pieces.rate_bps == pytest.approx(whole.rate_bps, rel=1e-12)
    assert (pieces.in_service, pieces.handovers) == (whole.in_service, whole.handovers)


def test_progress_lines_come_at_each_tenth_and_each_minute() -> None:
    lines: list[str] = []
    now_s = iter(np.arange(0.0, 1e4, 5.0))
    progress = Lines(1.0, lines.append, lambda: float(next(now_s)))
    for done in range(0, 101):
        progress(done, 100)
    shares = [int(line[:4].strip("% ")) for line in lines]
    assert {10, 20, 30, 40, 50, 60, 70, 80, 90, 100} <= set(shares)
    assert len(shares) == len(set(shares))
    assert len(lines) > 11, "a slow run must say more than one line for each tenth"
    assert "x real time" in lines[0]
    assert lines[0].endswith(" left")
    assert lines[-1].startswith("100%  simulated 0:01:40 of 0:01:40, ")


def test_progress_of_a_resumed_run_counts_its_own_epochs_alone() -> None:
    lines: list[str] = []
    now_s = iter([0.0, 0.0, 10.0, 10.0, 10.0, 10.0])
    progress = Lines(1.0, lines.append, lambda: next(now_s))
    progress(50, 100)
    progress(75, 100)
    assert lines == [" 75%  simulated 0:01:15 of 0:01:40, 2.50 x real time, 0:00:10 left"]


def test_a_bar_is_shown_on_a_terminal(tiny: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pty = pytest.importorskip("pty")
    leader, follower = pty.openpty()
    command = [sys.executable, "-m", "twin", "run", str(tiny), "--out", "here"]
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "TERM": "xterm", "COLUMNS": "100"}
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=follower, env=environment) as process:
        os.close(follower)
        seen = b""
        while True:
            try:
                chunk = os.read(leader, 4096)
            except OSError:  # the other side is closed
                break
            if not chunk:
                break
            seen += chunk
        out = process.communicate()[0].decode()
    os.close(leader)
    assert process.returncode == 0
    assert "━".encode() in seen
    assert b"x real time" in seen
    assert out.splitlines()[-1] == "here"


# Interruptions

LONG = ["--set", "time.duration=1200s", "--set", "precoding.name=smrt"]
"""600 epochs, of a few milliseconds each."""


def started(words: list[str], folder: Path) -> subprocess.Popen[str]:
    """A run in a process that takes Ctrl-C even if this one does not."""
    code = (
        "import signal, sys; signal.signal(signal.SIGINT, signal.default_int_handler);"
        "from twin.__main__ import main; sys.exit(main(sys.argv[1:]))"
    )
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    return subprocess.Popen(
        [sys.executable, "-c", code, *words],
        cwd=folder,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


@pytest.mark.parametrize("sent", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupted_run_can_be_resumed(
    tiny: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], sent: signal.Signals
) -> None:
    with started(["run", str(tiny), *LONG], tmp_path) as process:
        assert process.stderr is not None
        first = process.stderr.readline()
        process.send_signal(sent)
        _, err = process.communicate()
    assert first.startswith(" 10%"), first + err
    assert process.returncode == 130
    record = json.loads(Path("traces/tiny/run.json").read_text())
    assert record["status"] == "interrupted"
    done = record["last_durable_epoch"] + 1
    assert 60 <= done < 600
    again = f"twin run tiny.toml {' '.join(LONG)} --out traces/tiny --resume"
    last = err.splitlines()[-1]
    assert last == f"twin: interrupted; {done} of 600 epochs are written, resume with: {again}"
    out, _ = told(capsys, *again.split()[1:])
    assert out[3] == f"run: 600 epochs of 2s from 2026-01-01T00:00:00Z, resumed after {done} of them"
    assert f"; {600 - done} of them computed now, " in out[5]
    told(capsys, "run", str(tiny), *LONG, "--quiet", "--out", "undisturbed")
    assert trace_bits(read_trace("traces/tiny")) == trace_bits(read_trace("undisturbed"))


def test_resume_finds_the_newest_unfinished_trace(
    tiny: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    told(capsys, "run", str(tiny), "--quiet")
    with monkeypatch.context() as patched:
        patched.setattr("twin.simulation.loop.Loop._close", interrupted_at(7))
        out, err = told(capsys, "run", str(tiny), status=130)
    assert err[-1].startswith("twin: interrupted; 7 of 20 epochs are written, resume with: twin run tiny.toml --out")
    out, _ = told(capsys, "run", str(tiny), "--resume")
    assert out[-1] == "traces/tiny-2"
    assert trace_bits(read_trace("traces/tiny-2")) == trace_bits(read_trace("traces/tiny"))


def test_resuming_a_complete_run_says_so(tiny: Path, capsys: pytest.CaptureFixture[str]) -> None:
    told(capsys, "run", str(tiny), "--quiet")
    before = Path("traces/tiny/run.json").read_bytes()
    for words in (["--out", "traces/tiny"], []):
        out, _ = told(capsys, "run", str(tiny), "--resume", *words)
        assert out == ["traces/tiny: this run is complete; there is nothing to resume", "traces/tiny"]
    assert Path("traces/tiny/run.json").read_bytes() == before


def test_a_trace_of_an_earlier_version_is_refused(tiny: Path, capsys: pytest.CaptureFixture[str]) -> None:
    told(capsys, "run", str(tiny), "--quiet")
    file = Path("traces/tiny/run.json")
    file.write_text(json.dumps(json.loads(file.read_text()) | {"layout": 1, "status": "interrupted"}))
    for words in (["report", "traces/tiny"], ["run", str(tiny), "--resume", "--out", "traces/tiny"]):
        _, err = told(capsys, *words, status=2)
        assert err == [
            "twin: error: traces/tiny: written by an earlier version of twin (layout 1; this version reads 2)",
            "  event kinds have changed: attach -> service_start, detach -> service_end, satellite -> hard",
            "  the unit of times has changed: nanoseconds -> microseconds",
            "  pandas still reads the tables; this version needs a new run, in a new directory",
        ]
    _, err = told(capsys, "run", str(tiny), "--resume", status=2)
    assert err[0] == 'twin: error: --resume: there is no trace of "tiny" in traces/; give its folder with --out DIR'
    assert err[1] == "  traces/tiny: written by an earlier version of twin (layout 1; this version reads 2)"
    told(capsys, "run", str(tiny), "--quiet")
    assert read_trace("traces/tiny-2").run["status"] == "complete"


def test_an_interruption_before_the_first_epoch(
    tiny: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("twin.world.setup.Setup.of", interrupted)
    _, err = told(capsys, "run", str(tiny), status=130)
    assert err == ["twin: interrupted"]
    assert not Path("traces").exists()


def interrupted_at(epoch: int):  # type: ignore[no-untyped-def]
    """A stand-in for the closing of an epoch that is interrupted at one of them."""
    from twin.simulation.loop import Loop

    close = Loop._close

    def stopped(self, epoch_now):  # type: ignore[no-untyped-def]
        if epoch_now == epoch:
            raise KeyboardInterrupt
        return close(self, epoch_now)

    return stopped


# What goes wrong without being anybody's input


def test_a_full_disk_is_told_and_the_run_goes_on_later(
    tiny: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    written, write_part = [], writer.write_part

    def full(*arguments: object, **keywords: object) -> None:
        written.append(1)
        if len(written) > 20:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        write_part(*arguments, **keywords)  # type: ignore[arg-type]

    flush = ["--set", "trace.flush=1ns"]
    with monkeypatch.context() as patched:
        patched.setattr(writer, "write_part", full)
        _, err = told(capsys, "run", str(tiny), "--out", "here", *flush, status=2)
    done = read_trace("here").last_epoch + 1
    assert 0 < done < 20
    assert err[-2:] == [
        f"twin: error: here: cannot be written to: No space left on device; {done} of 20 epochs are written",
        "  free some space, then resume with: twin run tiny.toml --set trace.flush=1ns --out here --resume",
    ]
    told(capsys, "run", str(tiny), "--out", "here", "--resume", *flush)
    told(capsys, "run", str(tiny), "--out", "undisturbed")
    assert trace_bits(read_trace("here")) == trace_bits(read_trace("undisturbed"))


def test_a_defect_is_told_without_a_traceback(
    tiny: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object) -> None:
        raise RuntimeError("what now?")

    monkeypatch.setattr("twin.world.setup.Setup.of", broken)
    monkeypatch.delenv("TWIN_DEBUG", raising=False)
    _, err = told(capsys, "run", str(tiny), status=1)
    assert err[0] == "twin: error: internal error (a defect of twin): RuntimeError: what now?"
    assert re.fullmatch(
        r"  at .*test_cli\.py:\d+; --debug before the command, or TWIN_DEBUG=1, shows the whole traceback", err[1]
    )
    assert len(err) == 2
    _, err = told(capsys, "--debug", "run", str(tiny), status=1)
    assert err[0] == "Traceback (most recent call last):"
    monkeypatch.setenv("TWIN_DEBUG", "1")
    _, err = told(capsys, "run", str(tiny), status=1)
    assert err[0] == "Traceback (most recent call last):"


def test_a_reader_who_goes_away_is_no_fault() -> None:
    reader, writer_end = os.pipe()
    os.close(reader)
    done = subprocess.run(
        [sys.executable, "-m", "twin", "policies"], cwd=ROOT, stdout=writer_end, stderr=subprocess.PIPE, check=False
    )
    os.close(writer_end)
    assert (done.returncode, done.stderr) == (0, b"")


def test_warnings_are_plain_lines_and_not_too_many(capsys: pytest.CaptureFixture[str], tiny: Path) -> None:
    made = ["--altitude-km", "600", "--inclination-deg", "53", "--epoch", "2025-01-01T00:00:00Z"]
    told(capsys, "catalogue", "walker", "delta", "--planes", "5", "--per-plane", "5", *made, "--out", "old.tle")
    old = ["--set", "constellation.source=old.tle", "--set", "constellation.max_element_age=30d"]
    out, err = told(capsys, "run", str(tiny), *old)
    assert err[:2] == [
        "twin: warning: the run starts 365 days after the epoch of the newest elements",
        "twin: warning: elements of 25 of 25 satellites are more than 14d old at the start of the run,"
        " at most 365 days",
    ]
    masked = [line for line in err if " masked at " in line]
    assert len(masked) == 10
    assert masked[0].startswith("twin: warning: satellite 90000 (WALKER-01-01) masked at 2026-01-01T00:0")
    assert "twin: warning: more warnings of this kind are not shown" in err
    assert any(line.startswith("masked         25 satellites: 90000 (elements are 365.0 d old") for line in out)


# Validation


def test_validate_tells_what_a_run_will_be(tiny: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out, err = told(capsys, "validate", str(tiny), "--set", "trace.links=true")
    told(capsys, "run", str(tiny), "--quiet", "--out", "here", "--set", "trace.links=true")
    trace = read_trace("here")
    assert err == ["twin: warning: 1 of 4 terminals see no satellite at the start: north"]
    assert out[0] == 'scenario "tiny" is valid'
    visible = trace.epochs.visible_satellites[0]
    at_start = f"  at the start: 200 of 200 satellites usable, {visible} at 10 degrees or more above a terminal"
    assert at_start in out
    assert "terminals: 4 in 2 groups" in out
    assert "  north (list): 1, latitude 88 deg, longitude 0 deg, altitude 0 km" in out
    assert "time: 20 epochs of 2s, 2026-01-01T00:00:00Z to 2026-01-01T00:00:40Z" in out
    assert "  policy max_elevation every 10s, precoder smrt every 2s" in out
    # the trial runs all of so short a run, so that the estimates are exact
    for name in ("terminals", "satellites", "epochs", "links"):
        assert any(line.startswith(f"  {name}: about {len(trace.table(name))} rows, ") for line in out), name
    assert any(line.startswith("cost: ") and line.endswith("x real time") for line in out)
    assert not Path("traces").exists()


def test_validate_warns_of_elements_far_from_the_run(tiny: Path, capsys: pytest.CaptureFixture[str]) -> None:
    star = f"constellation.source={ROOT / 'tle' / 'walker-star-6x11-780km-86.4deg.tle'}"
    _, err = told(capsys, "validate", str(tiny), "--set", star, "--set", "time.start=2025-12-30T12:00:00Z")
    assert "twin: warning: the run starts 1.50 days before the epoch of the first elements" in err
    _, err = told(capsys, "validate", str(tiny), "--set", star, "--set", "time.start=2026-01-31T00:00:00Z")
    assert "twin: warning: the run starts 30.0 days after the epoch of the newest elements" in err
    _, err = told(capsys, "validate", str(tiny), "--set", star, "--set", "constellation.names=['WALKER-01-*','X']")
    assert 'twin: warning: no satellite is named "X"' in err


# Catalogues

README_COMMANDS = re.findall(r"`(twin catalogue walker [^`]*)`", (ROOT / "tle" / "README.md").read_text())


@pytest.mark.parametrize("command", README_COMMANDS, ids=lambda command: command.split()[-1])
def test_the_commands_of_the_readme_make_its_files(
    command: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "tle").mkdir()
    words = command.split()[1:]
    out, _ = told(capsys, *words)
    assert out[-1] == words[-1]
    assert (tmp_path / words[-1]).read_bytes() == (ROOT / words[-1]).read_bytes()


def test_the_readme_has_a_command_for_each_file() -> None:
    assert sorted(command.split()[-1] for command in README_COMMANDS) == sorted(
        f"tle/{file.name}" for file in (ROOT / "tle").glob("*.tle")
    )


def test_catalogue_info_reports(capsys: pytest.CaptureFixture[str]) -> None:
    file = ROOT / "tle" / "walker-star-6x11-780km-86.4deg.tle"
    out, err = told(capsys, "catalogue", "info", str(file), "--at", "2026-01-08T00:00:00Z")
    assert err == []
    assert out == [
        "walker-star-6x11-780km-86.4deg.tle: TLE, 66 records",
        "read 66, used 66 of 66 satellites, dropped 0, duplicates 0",
        "epochs 2026-01-01T00:00Z to 2026-01-01T00:00Z",
        "age at 2026-01-08T00:00Z: median 7.0 days, 7.0 to 7.0 days",
        "perigee 780.0 to 780.0 km, median 780.0",
        "apogee 780.0 to 780.0 km, median 780.0",
        "inclination 86.4 to 86.4 deg, median 86.4",
    ]


@pytest.fixture
def server(tmp_path: Path) -> Iterator[str]:
    """A server that has one group of elements."""
    content = (
        b"OBJECT_NAME,OBJECT_ID,EPOCH,MEAN_MOTION,ECCENTRICITY,INCLINATION,RA_OF_ASC_NODE,ARG_OF_PERICENTER,"
        b"MEAN_ANOMALY,EPHEMERIS_TYPE,CLASSIFICATION_TYPE,NORAD_CAT_ID,ELEMENT_SET_NO,REV_AT_EPOCH,BSTAR,"
        b"MEAN_MOTION_DOT,MEAN_MOTION_DDOT\n"
        b"ONE,2020-001A,2026-01-01T00:00:00,15.0,0.0001,53,10,20,30,0,U,44000,999,1,0.0001,0.00001,0\n"
    )

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *_: object) -> None:
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as made:
        threading.Thread(target=made.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{made.server_address[1]}/{{group}}"
        made.shutdown()


def test_catalogue_fetch_keeps_a_file(server: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = tmp_path / "elements"
    out, _ = told(capsys, "catalogue", "fetch", "few", "--out", str(folder), "--url", server)
    assert out[0].startswith("fetched: ")
    assert out[1:] == ["1 satellite", str(folder / "few.csv")]
    out, _ = told(capsys, "catalogue", "fetch", "few", "--out", str(folder), "--url", server)
    assert out[0].startswith("fresh: ")
