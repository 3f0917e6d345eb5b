"""A run that is stopped and taken up again writes the rows of one that never stopped, bit by bit."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.helpers.scripted import ANY, WINDOWS, whatever
from tests.helpers.small_run import (
    StoppedError,
    initial,
    records,
    records_with_stops,
    rows_of,
    small,
    small_tree,
    through_a_file,
    trace_bits,
)
from twin.association import Assignment, AssociationView
from twin.catalogue import Walker, walker_text
from twin.errors import InputError
from twin.precoding import AntennaWeights, Precoding, PrecodingProblem
from twin.registry import of_kind
from twin.results import read_trace
from twin.scenario import from_mapping
from twin.simulation.checkpoint import restored, saved
from twin.simulation.engine import Engine
from twin.simulation.run import run
from twin.simulation.state import RunState
from twin.world.setup import Setup

CUT_EVERYWHERE = range(1, 12)
"""Stops after every epoch of the small scenario."""

FLIGHT = {"name": "air", "kind": "great_circle", "start": [45.0, 8.0], "end": [48.0, 14.0], "speed_km_h": 20_000.0}
WIDE = {"kind": "disc", "latitude_deg": 20.0, "longitude_deg": 0.0, "radius_km": 6000.0, "count": 8}


def check(setup: Setup, stops: Any = CUT_EVERYWHERE) -> None:
    whole = rows_of(setup, records(setup), links=True)
    assert rows_of(setup, records_with_stops(setup, stops), links=True) == whole


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"association.preparation": "20s"},
        {"association.preparation": "10s", "association.execution": "10s"},
        {"association.preparation": "27.5s", "association.execution": "13s", "association.every": "20s"},
        {"association.execution": "30s", "association.min_elevation_deg": 40.0},
        {"association.execution": "0s", "association.every": "50s"},
        {"precoding.csi_age": "10s"},
        {"precoding.csi_age": "34.5s"},
        {"precoding.latency": "10s"},
        {"precoding.latency": "3s"},
        {"precoding.latency": "25s", "precoding.csi_age": "25s"},
        {"precoding.every": "30s"},
        {"precoding.every": "40s", "precoding.on_handover": False},
        {"precoding.restart_epochs": 2},
        {"precoding.restart_epochs": 5, "precoding.name": "smrt"},
        {"precoding.name": "ss_mmse", "precoding.latency": "15s"},
        {"association": {"name": "max_elevation", "hysteresis_deg": 5.0, "capacity": 2, "preparation": "15s"}},
        {"association.scope": "region", "association.rank_by": "gain"},
        {"terminals": [FLIGHT, {**WIDE, "name": "wide"}], "association.preparation": "4s"},
        {"terminals": WIDE, "receiver.interference": "coherent", "association.execution": "12s"},
        {"receiver.knowledge": "mean_only", "precompensation.prediction_age": "7s"},
    ],
    ids=str,
)
def test_stops_after_every_epoch_change_no_row(changes: dict[str, Any]):
    check(Setup.of(small(changes)))


def lengths(most: int) -> st.SearchStrategy[str]:
    return st.one_of(st.just("0s"), st.integers(0, most).map(lambda half: f"{5 * half}s"), st.just("3.3s"))


@settings(max_examples=12, deadline=None)
@given(
    changes=st.fixed_dictionaries(
        {
            "association.every": st.sampled_from(["10s", "20s", "50s"]),
            "association.min_elevation_deg": st.sampled_from([0.0, 20.0, 50.0]),
            "association.preparation": lengths(9),
            "association.execution": lengths(9),
            "precoding.name": st.sampled_from(of_kind("precoder").names()),
            "precoding.every": st.sampled_from(["10s", "30s"]),
            "precoding.on_handover": st.booleans(),
            "precoding.csi_age": lengths(9),
            "precoding.latency": lengths(9),
            "precoding.restart_epochs": st.sampled_from([1, 3, 60]),
        }
    ),
    stops=st.sets(st.integers(1, 11), min_size=1),
    hour=st.integers(0, 23),
)
def test_any_stops_of_any_run_change_no_row(changes: dict[str, Any], stops: set[int], hour: int):
    setup = Setup.of(small({"time.start": f"2026-01-01T{hour:02}:00:00Z", **changes}))
    check(setup, sorted(stops))


@settings(max_examples=20)
@given(
    association=ANY,
    windows=WINDOWS,
    timeout=st.booleans(),
    more=st.fixed_dictionaries(
        {
            "precoding.name": st.sampled_from(["smrt", "ms_jo_cdwmmse"]),
            "precoding.latency": lengths(4),
            "precoding.every": st.sampled_from(["10s", "40s"]),
        }
    ),
    stops=st.sets(st.integers(1, 11), min_size=1),
)
def test_any_stops_change_no_row_whatever_happens(
    association: dict[str, Any], windows: list[Any], timeout: bool, more: dict[str, Any], stops: set[int]
):
    check(whatever(association, windows, timeout=timeout, more=more), sorted(stops))


EVENTFUL = [
    *(("outage", 39, 20, 1), ("outage", 115, 32, 0), ("outage", 206, 44, 9), ("outage", 228, 57, 2)),
    *(("outage", 294, 45, 5), ("outage", 327, 45, 9), ("outage", 341, 45, 5)),
    *(("exclusion", 23, 50, 7), ("exclusion", 163, 54, 5), ("exclusion", 328, 46, 0), ("exclusion", 340, 27, 0)),
    *(("exclusion", 346, 20, 5), ("absence", 41, 31, 4), ("absence", 174, 36, 0)),
]
"""Kind, begin and length in half seconds, and number of the satellites or terminal."""


@pytest.mark.parametrize("timeout", [True, False])
def test_all_that_can_become_of_a_change_happens_and_stops_change_nothing(timeout: bool):
    section = {"preparation": "13s", "execution": "12s", "beam_execution": "1.5s", "capacity": 1, "every": "10s"}
    section |= {"min_dwell": "15s"}
    windows = [{"kind": kind, "at": at, "lasts": lasts, "who": who} for kind, at, lasts, who in EVENTFUL]
    setup = whatever(section, windows, timeout=timeout, more={"time.duration": "300s"})
    check(setup, range(1, 30))
    found = records(setup)
    outcomes = {attempt.outcome for report in found for attempt in report.attempts}
    expected = {"executed", "target lost", "admission rejected", "superseded"} | ({"timed out"} if timeout else set())
    assert outcomes == expected
    events = [logged.handover for report in found for logged in report.events]
    assert {event.kind for event in events} == {"service_start", "service_end", "hard", "beam", "add", "drop", "master"}
    reasons = {event.reason for event in events}
    assert {"outage", "terminal_left", "arrival", "exclusion window"} <= reasons
    assert any("refused" in reason for reason in reasons)


def test_a_history_of_element_sets(tmp_path: Path):
    """The second set of each satellite takes over in the middle of the run, its orbit a little lower."""
    sources = []
    for name, altitude_km, minute in (("old", 600.0, 0), ("new", 599.0, 1)):
        path = tmp_path / f"{name}.tle"
        epoch = np.datetime64("2026-01-01T00:00", "ns") + np.timedelta64(minute, "m")
        walker = Walker(
            pattern="delta",
            planes=20,
            per_plane=20,
            altitude_km=altitude_km,
            inclination_deg=53.0,
            phasing=1,
            epoch=epoch,
        )
        path.write_text(walker_text(walker))
        sources.append(str(path))
    setup = Setup.of(small({"constellation": {"source": sources}}))
    check(setup)
    found = records(setup)
    jumped = [setup.truth.snapshot(report.epoch).range_km.min() for report in found]
    assert len(set(jumped)) == 12


def test_what_a_policy_remembers():
    """A dwell rule that counts decisions: its memory decides, so that a lost one would show."""
    setup = Setup.of(small({"association.min_elevation_deg": 30.0}))

    def dwelling(view: AssociationView) -> Assignment:
        wanted = setup.policy(view)
        held = view.memory.get("held", np.zeros(view.visible.shape[1], dtype=np.int64))
        stay = (held % 4 != 0) & view.serving.any(axis=0)
        return Assignment(
            serving=np.where(stay, view.serving, wanted.serving),
            master=np.where(stay, view.master, wanted.master),
            memory={"held": held + 1, "last/seen": view.norad_id, "": np.float32(1.5)},
        )

    check(replace(setup, policy=dwelling))


def test_weights_of_single_antennas():
    """A precoder of one's own: weights of all antennas, oddly laid out in memory, that follow from the last ones."""
    setup = Setup.of(small({"precoding.latency": "15s", "association.preparation": "5s"}))

    def mixing(problem: PrecodingProblem) -> Precoding:
        steering = problem.csi.steering().conj() * problem.serving[..., None]
        scale = np.sqrt(problem.power_w[:, None, None] / np.maximum(problem.serving.sum(axis=1), 1)[:, None, None])
        weights = np.moveaxis(np.ascontiguousarray(np.moveaxis((steering * scale)[..., None], 1, 2)), 1, 2)
        if problem.start is not None:
            weights = 0.5 * weights + 0.5 * problem.start.antenna()
        made = AntennaWeights(norad_id=problem.csi.norad_id, array=problem.csi.array, weights=weights)
        return Precoding(weights=made, iterations=np.int64(3), converged=np.bool_(True))  # type: ignore[arg-type]

    check(replace(setup, precoder=mixing))


LOOP_FIELDS = ("next_epoch", "next_precoding", "known_ns", "reports_ns", "solved_epoch", "pending", "in_force")
LOOP_FIELDS += ("latest",)
HANDOVER_FIELDS = ("clusters", "planned", "events", "attempts", "changed_ns", "arriving", "weights_outdated")


@pytest.mark.parametrize("wild", [False, True])
def test_a_state_is_whole_after_a_file(wild: bool):
    changes = {"precoding.latency": "25s", "precoding.csi_age": "25s"}
    setup = Setup.of(small(changes | {"association.preparation": "15s"}))
    if wild:
        windows = [{"kind": "absence", "at": 20, "lasts": 60, "who": 1}]
        section = {"preparation": "15s", "execution": "5s"}
        setup = whatever(section, windows, timeout=False, more=changes)
    snapshots: list[Any] = []
    records(setup, lambda state: snapshots.append(state.copy()))
    kinds = set()
    for state in snapshots:
        again = restored(through_a_file(saved(state)), setup.channel.satellite_array)
        for one, other, names in (
            (again.loop, state.loop, LOOP_FIELDS),
            (again.loop.handover, state.loop.handover, HANDOVER_FIELDS),
        ):
            for name in names:
                assert getattr(one, name) == getattr(other, name), name
                kinds |= {name for _ in range(1) if getattr(other, name)}
        assert again.solutions.keys() == state.solutions.keys()
        for number, solution in state.solutions.items():
            weights = again.solutions[number].weights
            assert np.array_equal(weights.antenna(), solution.weights.antenna())
    assert kinds >= {"clusters", "planned", "reports_ns"} | ({"changed_ns", "arriving"} if wild else set())
    held = [cluster for state in snapshots for cluster in state.loop.handover.clusters]
    for name in ("since_ns", "beam", "power_fraction") if wild else ("since_ns",):
        assert any(getattr(cluster, name) for cluster in held)


def test_a_snapshot_stays_what_it_was():
    """It may be written long after it was taken."""
    setup = Setup.of(small({"precoding.latency": "15s", "association.preparation": "15s"}))
    kept: list[tuple[Any, dict[str, bytes]]] = []

    def keep(state: RunState) -> None:
        snapshot = state.copy()
        kept.append((snapshot, {name: array.tobytes() for name, array in saved(snapshot).items()}))

    records(setup, keep)
    for snapshot, before in kept:
        assert {name: array.tobytes() for name, array in saved(snapshot).items()} == before


def test_a_loop_that_has_nothing_left_to_do():
    setup = Setup.of(small())
    states: list[Any] = []
    records(setup, lambda state: states.append(state.copy()))
    assert not list(Engine(setup, states[-1]).records())
    assert initial(setup).loop.next_epoch == 0


# On disk


def stopping_after(epochs: int, how: type[BaseException] = StoppedError) -> Any:
    def progress(done: int, _: int) -> None:
        if done == epochs:
            raise how

    return progress


FLUSHED = {"trace.flush": "1ns", "trace.links": True}
BUSY = {"association.preparation": "14s", "precoding.csi_age": "14s", "precoding.latency": "14s"}


@pytest.mark.parametrize("changes", [FLUSHED, FLUSHED | BUSY], ids=["plain", "busy"])
def test_a_trace_that_was_broken_off_again_and_again(tmp_path: Path, changes: dict[str, Any]):
    scenario = small(changes)
    whole = trace_bits(run(scenario, tmp_path / "whole"))
    for number, stop in enumerate((1, 2, 5, 11)):
        with pytest.raises(StoppedError):
            run(scenario, tmp_path / "parts", resume=number > 0, progress=stopping_after(stop))
        assert read_trace(tmp_path / "parts").last_epoch < stop
    trace = run(scenario, tmp_path / "parts", resume=True)
    assert trace.run["status"] == "complete"
    assert trace_bits(trace) == whole
    assert len(trace.run["resumed"]) == 4


def test_an_interrupted_trace_is_durable_and_goes_on(tmp_path: Path):
    scenario = small()  # nothing would be flushed before ten seconds are over
    whole = trace_bits(run(scenario, tmp_path / "whole"))
    with pytest.raises(KeyboardInterrupt):
        run(scenario, tmp_path / "parts", progress=stopping_after(7, KeyboardInterrupt))
    trace = read_trace(tmp_path / "parts")
    assert (trace.run["status"], trace.last_epoch) == ("interrupted", 6)
    assert trace_bits(run(scenario, tmp_path / "parts", resume=True)) == whole


def test_what_was_not_durable_is_computed_again(tmp_path: Path):
    scenario = small()
    whole = trace_bits(run(scenario, tmp_path / "whole"))
    with pytest.raises(StoppedError):
        run(scenario, tmp_path / "parts", progress=stopping_after(7))
    assert trace_bits(run(scenario, tmp_path / "parts", resume=True)) == whole


def test_resuming_a_complete_run_leaves_it_as_it_is(tmp_path: Path):
    # elements of the start of the run, of which those 61 s old are refused: everyone is masked in the middle
    scenario = small({"constellation.max_element_age": "61s", "constellation.walker.planes": 5})
    before = run(scenario, tmp_path / "trace")
    rows, notes = trace_bits(before), before.run["notes"]
    assert notes["masked"]
    again = run(scenario, tmp_path / "trace", resume=True)
    assert again.run["status"] == "complete"
    assert trace_bits(again) == rows
    assert again.run["notes"] == notes


def test_who_was_masked_before_a_stop_is_still_named_after_it(tmp_path: Path):
    """Elements grow too old after 150 s and newer ones come after 180 s: satellites are masked for a while only."""
    start = np.datetime64("2026-01-01T00:00", "ns")
    older, newer = (
        Walker(
            pattern="delta", planes=20, per_plane=20, altitude_km=600.0, inclination_deg=53.0, phasing=1, epoch=epoch
        )
        for epoch in (start, start + np.timedelta64(3, "m"))
    )
    (tmp_path / "older.tle").write_text(walker_text(older))
    (tmp_path / "newer.tle").write_text(walker_text(newer))
    source = {"source": [str(tmp_path / "older.tle"), str(tmp_path / "newer.tle")], "max_element_age": "150s"}
    scenario = small({"constellation": source, "time.duration": "300s", "trace.flush": "1ns"})
    whole = run(scenario, tmp_path / "whole").run["notes"]["masked"]
    assert whole
    with pytest.raises(KeyboardInterrupt):
        run(scenario, tmp_path / "parts", progress=stopping_after(28, KeyboardInterrupt))
    parts = run(scenario, tmp_path / "parts", resume=True).run["notes"]["masked"]
    assert {one["norad_id"] for one in parts} == {one["norad_id"] for one in whole}


def test_another_scenario_is_refused(tmp_path: Path):
    with pytest.raises(StoppedError):
        run(small(FLUSHED), tmp_path / "trace", progress=stopping_after(3))
    with pytest.raises(InputError, match=r"association\.execution: \"100ms\" -> \"1s\""):
        run(small(FLUSHED | {"association.execution": "1s"}), tmp_path / "trace", resume=True)
    with pytest.raises(InputError, match="already holds a trace"):
        run(small(FLUSHED), tmp_path / "trace")


WORKER = """
import sys, time, json
from twin.simulation.run import run
from twin.scenario import from_mapping
tree, out, resume = json.loads(sys.argv[1]), sys.argv[2], sys.argv[3] == "resume"
run(from_mapping(tree), out, resume=resume, progress=lambda done, total: time.sleep(0.02))
"""


def start(tree: dict[str, Any], out: Path, mode: str) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-c", WORKER, json.dumps(tree), str(out), mode]
    root = Path(__file__).resolve().parents[1]
    return subprocess.Popen(command, env=os.environ | {"PYTHONPATH": str(root)}, stderr=subprocess.PIPE)


PLUGIN = """
from tests.helpers.scripted import anything
from twin.association import policies

@policies.register("anything", source="tests")
def wanted(view, *, options):
    \"\"\"Anything at all.\"\"\"
    return anything(view)
"""

WILD = {
    **{"trace.candidates": True, "precoding.name": "smrt", "precoding.latency": "3s"},
    "association": {
        **{"name": "anything", "min_elevation_deg": 20.0, "capacity": 2, "min_dwell": "20s", "timeout": "25s"},
        **{"preparation": "13s", "execution": "12s", "beam_execution": "1.5s"},
    },
    "events": [
        {"kind": "outage", "satellites": "WALKER-*[13579]", "from": "33.3s", "until": "71s"},
        {"kind": "absence", "terminals": ["ut-01", "ut-03"], "from": "90s", "until": "130.5s"},
        {"kind": "exclusion", "satellites": "WALKER-*", "terminals": "ut", "from": "180s", "until": "200s"},
    ],
}
"""All that can happen to a change, on disk."""


@pytest.fixture
def anything_by_name(tmp_path: Path) -> Iterator[str]:
    """A plugin whose policy is known during one test alone."""
    path = tmp_path / "wild.py"
    path.write_text(PLUGIN)
    entries = of_kind("policy")._entries
    before = dict(entries)
    yield str(path)
    entries.clear()
    entries.update(before)


@pytest.mark.parametrize("changes", [BUSY, WILD], ids=["busy", "wild"])
def test_a_process_that_is_killed_again_and_again(tmp_path: Path, changes: dict[str, Any], anything_by_name: str):
    tree = small_tree({**FLUSHED, "time.duration": "300s", "plugins": [anything_by_name], **changes})
    whole = trace_bits(run(from_mapping(tree), tmp_path / "whole"))
    out, chance = tmp_path / "parts", random.Random(3)
    durable = [-1]
    for attempt in range(3):
        process = start(tree, out, "resume" if attempt else "fresh")
        while process.poll() is None and (not (out / "run.json").exists() or read_trace(out).last_epoch <= durable[-1]):
            time.sleep(0.005)
        time.sleep(chance.uniform(0.0, 0.1))
        process.send_signal(signal.SIGKILL)
        _, complaint = process.communicate()
        assert process.returncode == -signal.SIGKILL, complaint.decode()
        durable.append(read_trace(out).last_epoch)
    assert durable == sorted(set(durable))
    assert durable[-1] < 29
    assert trace_bits(run(from_mapping(tree), out, resume=True)) == whole
    assert changes is BUSY or all(len(whole[table]["epoch"]) for table in ("attempts", "candidates"))
