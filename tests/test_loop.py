"""The loop: exact time, the order of one instant, and what handovers, latencies and ages do to rates."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.helpers.small_run import initial, records, small, with_segments
from twin.association import Assignment, AssociationView
from twin.precoding import Precoding, PrecodingProblem
from twin.results import TABLES
from twin.results.record import EpochRecord
from twin.simulation.engine import Engine
from twin.world.setup import Setup

SECOND = 10**9
ONE_EACH = {"association": {"name": "max_elevation", "min_elevation_deg": 20.0, "execution": "0s"}}
"""One satellite for each terminal: every handover is hard."""


def rates(found: list[EpochRecord]) -> np.ndarray:
    return np.array([report.score.spectral_efficiency_bps_hz for report in found])


def events_of(found: list[EpochRecord]) -> list[tuple[int, int, str]]:
    return [(e.time_ns, e.handover.terminal, e.handover.kind) for report in found for e in report.events]


@dataclass
class Watched:
    """A network that keeps account of who is asked when."""

    setup: Setup
    decisions: list[AssociationView] = field(default_factory=list)
    problems: list[tuple[int, PrecodingProblem]] = field(default_factory=list)

    def run(self) -> list[EpochRecord]:
        engines: list[Engine] = []

        def policy(view: AssociationView) -> Assignment:
            self.decisions.append(view)
            return self.setup.policy(view)

        def precoder(problem: PrecodingProblem) -> Precoding:
            self.problems.append((engines[0].state.loop.next_epoch - 1, problem))
            return self.setup.precoder(problem)

        engines.append(Engine(replace(self.setup, policy=policy, precoder=precoder), initial(self.setup)))
        return list(engines[0].records())


def wanting(wish: Callable[[AssociationView], list[int]]) -> Callable[[AssociationView], Assignment]:
    """A policy for all terminals alike: NORAD ids in order, the first of them leads; those not in view are left out."""

    def policy(view: AssociationView) -> Assignment:
        serving = np.zeros(view.visible.shape, dtype=np.bool_)
        order = [int(np.searchsorted(view.norad_id, id_)) for id_ in wish(view) if id_ in view.norad_id]
        serving[order] = view.visible[order]
        leader = order[0] if order else 0
        return Assignment(serving=serving, master=np.where(serving.any(axis=0), leader, -1))

    return policy


# Time


def test_a_thousand_tenths_of_a_second():
    one = {"kind": "list", "positions": [{"latitude_deg": 45.0, "longitude_deg": 10.0}]}
    scenario = small({"time.epoch": "0.1s", "time.duration": "100s", "precoding.name": "smrt"}, terminals=one)
    setup = Setup.of(scenario)
    found = records(setup)
    assert len(found) == 1000
    times = [TABLES["epochs"].rows(report)["time"][0] for report in found]
    start = np.datetime64("2026-01-01T00:00:00", "ns")
    assert times == [start + np.timedelta64(100_000_000 * epoch, "ns") for epoch in range(1000)]


@pytest.mark.parametrize("on_handover", [True, False])
def test_decisions_and_weights_keep_their_cadences(on_handover: bool):
    changes = {"association.every": "30s", "precoding.every": "20s", "precoding.on_handover": on_handover}
    watched = Watched(Setup.of(small({"time.duration": "600s", "association.min_elevation_deg": 30.0, **changes})))
    found = watched.run()
    assert [view.instant_ns for view in watched.decisions] == [30 * SECOND * number for number in range(20)]
    solved = [epoch for epoch, _ in watched.problems]
    changed = {report.epoch for report in found if any(e.handover.kind for e in report.events)}
    due = set(range(0, 60, 2))
    assert solved == sorted(due | changed if on_handover else due)
    assert not changed <= due
    assert [report.iterations > 0 for report in found] == [report.epoch in solved for report in found]


def test_a_precoder_that_is_due_rarely_leaves_new_members_silent():
    changes = {"precoding.every": "120s", "precoding.on_handover": False, "precoding.name": "smrt"}
    setup = Setup.of(small({"time.duration": "240s", "time.epoch": "10s", **ONE_EACH, **changes}))
    found = records(setup)
    taken = [(report, e.handover.terminal) for report in found for e in report.events if e.handover.kind == "hard"]
    assert taken
    for report, terminal in taken:
        served = report.score.serving[:, terminal].any()
        assert served
        if report.epoch % 12:
            assert report.score.spectral_efficiency_bps_hz[terminal] == 0.0


# The order of one instant


def test_what_falls_on_an_instant_has_happened_before_its_epoch_opens():
    """Preparation, latency and CSI age of whole epochs: all of it is done when the precoder runs."""
    changes = {"association.preparation": "20s", "precoding.csi_age": "20s", "precoding.latency": "10s"}
    watched = Watched(Setup.of(small(changes)))
    found = watched.run()
    assert {time for time, _, kind in events_of(found) if kind == "service_start"} == {20 * SECOND}
    assert [epoch for epoch, _ in watched.problems] == list(range(2, 12))
    assert watched.problems[0][1].serving.any(axis=0).all()
    # weights solved at 20 s for the new clusters come into force at 30 s: the epoch before has none for them
    assert not rates(found)[:3].any()
    assert rates(found)[3].all()


def test_a_row_shows_what_held_during_its_epoch():
    """A handover at the very end of an epoch belongs to the next one."""
    setup = Setup.of(small({"association.preparation": "10s", "association.execution": "0s"}))
    found = records(setup)
    assert not found[0].score.norad_id.size
    assert found[0].events == ()
    assert found[1].events
    assert found[1].score.serving.any(axis=0).all()


def test_converged_is_said_of_weights_that_were_in_force():
    """Weights that come into force at the end of an epoch say nothing about it."""
    setup = Setup.of(small({"precoding.name": "smrt", "precoding.latency": "10s", "time.duration": "30s"}))
    assert [report.converged for report in records(setup)] == [False, True, True]


@pytest.mark.parametrize("preparation_s", [10, 20, 15])
def test_what_would_happen_at_the_end_of_the_run_or_later_does_not(preparation_s: int):
    changes = {
        "time.duration": "20s",
        "association.every": "10s",
        "association.preparation": f"{preparation_s}s",
        "association.execution": "30s",
        "precoding.csi_age": "20s",
        "precoding.latency": "20s",
    }
    found = records(Setup.of(small(changes)))
    assert len(found) == 2
    assert all(time < 20 * SECOND for time, _, _ in events_of(found))
    assert bool(events_of(found)) == (preparation_s < 20)


# Handovers


def test_preparation_delays_events_by_its_length():
    at_once = records(Setup.of(small({"time.duration": "30s"})))
    later = records(Setup.of(small({"time.duration": "30s", "association.preparation": "3.5s"})))
    first = [event for event in events_of(at_once) if event[0] == 0]
    assert first
    assert [(time - 3_500_000_000, *rest) for time, *rest in events_of(later) if time < 10 * SECOND] == first


def test_only_one_handover_of_a_terminal_is_under_way():
    changes = {"association.preparation": "25s", "association.execution": "20s", "time.duration": "300s"}
    found = records(Setup.of(small({**changes, "association.min_elevation_deg": 30.0})))
    for terminal in range(4):
        times = sorted(
            {time for time, who, kind in events_of(found) if who == terminal and kind in ("service_start", "add")}
        )
        assert all(later - earlier >= 45 * SECOND for earlier, later in pairwise(times))


@pytest.mark.parametrize("precoder", ["smrt", "ms_jo_cdwmmse", "ss_mmse"])
def test_a_hard_handover_within_an_epoch_costs_its_share_of_the_rate(precoder: str):
    base = ONE_EACH | {"time.duration": "200s", "precoding.name": precoder}
    instant = records(Setup.of(small(base)))
    slow = records(Setup.of(small({**base, "association": ONE_EACH["association"] | {"execution": "2.5s"}})))
    hard = [(t // (10 * SECOND), k) for t, k, kind in events_of(instant) if kind in ("service_start", "hard")]
    assert {kind for *_, kind in events_of(instant)} == {"service_start", "hard"}
    assert events_of(slow) == events_of(instant)
    for epoch, terminal in hard:
        # one product against a sum of two; everyone who waits is ready at the same time
        assert rates(slow)[epoch, terminal] == pytest.approx(0.75 * rates(instant)[epoch, terminal], rel=1e-13)
        assert slow[epoch].score.interrupted[terminal] == 0.25
    quiet = np.ones_like(rates(slow), dtype=bool)
    quiet[[epoch for epoch, _ in hard]] = False
    assert np.array_equal(rates(slow)[quiet], rates(instant)[quiet])


@pytest.mark.parametrize(
    ("execution", "in_service", "interrupted"),
    [
        ("10s", [False, True, True, True], [1.0, 0.0, 0.0, 0.0]),
        ("20s", [False, False, True, True], [1.0, 1.0, 0.0, 0.0]),
        ("25s", [False, False, True, True], [1.0, 1.0, 0.5, 0.0]),
        ("4s", [True, True, True, True], [0.4, 0.0, 0.0, 0.0]),
        ("0s", [True, True, True, True], [0.0, 0.0, 0.0, 0.0]),
        ("10.000000001s", [False, True, True, True], [1.0, 1e-10, 0.0, 0.0]),
    ],
)
def test_an_execution_of_any_length(execution: str, in_service: list[bool], interrupted: list[float]):
    one = {"kind": "list", "positions": [{"latitude_deg": 45.0, "longitude_deg": 10.0}]}
    setup = Setup.of(small({"time.duration": "40s", "association.execution": execution}, terminals=one))
    found = records(setup)
    table = [TABLES["terminals"].rows(report) for report in found]
    assert [bool(rows["in_service"][0]) for rows in table] == in_service
    assert [float(rows["interrupted_fraction"][0]) for rows in table] == interrupted
    assert [bool(rows["se_bps_hz"][0] > 0) for rows in table] == [share < 1.0 for share in interrupted]
    assert [bool(np.ma.getmaskarray(rows["sinr_db"])[0]) for rows in table] == [not there for there in in_service]


def test_a_soft_change_goes_on_with_those_who_stay():
    """The joining satellite is silent for its execution; the rate is never zero and no event claims an interruption."""
    setup = Setup.of(small({"time.duration": "300s", "association.execution": "4s"}))
    found = records(setup)
    soft = [(t // (10 * SECOND), k) for t, k, kind in events_of(found) if kind == "add" and t > 0]
    hard = {(t // (10 * SECOND), k) for t, k, kind in events_of(found) if kind in ("service_start", "hard")}
    assert set(soft) - hard
    for epoch, terminal in set(soft) - hard:
        assert found[epoch].score.interrupted[terminal] == 0.0
        assert rates(found)[epoch, terminal] > 0.0
    gaps = [e.handover.interruption_ns for r in found for e in r.events if e.handover.kind in ("add", "drop", "master")]
    assert not any(gaps)


ONE = {"kind": "list", "positions": [{"latitude_deg": 45.0, "longitude_deg": 10.0}]}


def seen_by_one(**association: str) -> tuple[Setup, list[set[int]]]:
    """A network of one terminal over 300 s, and the satellites that it sees at each epoch."""
    changes = {f"association.{key}": value for key, value in association.items()}
    setup = Setup.of(small({"time.duration": "300s", **changes}, terminals=ONE))
    return setup, [set(setup.truth.windows.at(epoch).norad_id.tolist()) for epoch in range(30)]


def leaving(seen: list[set[int]], *, after: int) -> tuple[int, int]:
    """An epoch at which some satellite is seen for the last time, having been seen for five epochs, and which."""
    for last in range(after, 25):
        gone = set.intersection(*seen[last - 4 : last + 1]) - seen[last + 1]
        if gone:
            return last, min(gone)
    raise AssertionError("no satellite sets")


def test_a_target_that_has_gone_is_not_gone_to():
    """When the prepared satellites have all set, the terminal keeps those that still serve it."""
    setup, seen = seen_by_one(preparation="20s", execution="0s")
    last, sets = leaving(seen, after=6)
    stays = min(set.intersection(*seen[last - 4 : last + 4]) - {sets})
    wish = wanting(lambda view: [sets] if view.instant_ns == last * 10 * SECOND else [stays])
    found = records(replace(setup, policy=wish))
    kinds = [(time, kind) for time, _, kind in events_of(found) if time <= (last + 2) * 10 * SECOND]
    assert kinds == [(20 * SECOND, "service_start")]
    assert found[last + 2].score.norad_id.tolist() == [stays]


def test_a_cluster_that_loses_all_who_serve_waits_for_those_who_join():
    """The serving satellite sets while another joins: the event says for how long the terminal has no service."""
    setup, seen = seen_by_one(execution="25s")
    last, sets = leaving(seen, after=6)
    stays = min(set.intersection(*seen[last : last + 4]) - {sets})
    wish = wanting(lambda view: [sets] if view.instant_ns < last * 10 * SECOND else [sets, stays])
    setup = replace(setup, policy=wish)
    found = records(setup)
    lost = [(e.handover.kind, e.handover.interruption_ns) for e in found[last + 1].events]
    assert lost == [("drop", 15 * SECOND), ("master", 0)]
    assert [found[last + 1 + later].score.interrupted[0] for later in range(3)] == [1.0, 0.5, 0.0]


def test_a_member_that_leaves_before_it_is_ready_cuts_nothing(monkeypatch: pytest.MonkeyPatch):
    """Otherwise a run that is taken up in between, and knows nothing of it, would add up other stretches."""
    setup, seen = seen_by_one(execution="25s")
    last, sets = leaving(seen, after=6)
    stays = min(set.intersection(*seen[last - 4 : last + 4]) - {sets})
    wish = wanting(lambda view: [stays] if view.instant_ns < last * 10 * SECOND else [stays, sets])
    stretches = with_segments(replace(setup, policy=wish), monkeypatch)
    joined = (
        [e.handover.kind for e in stretches[last][0].events],
        [e.handover.kind for e in stretches[last + 1][0].events],
    )
    assert joined == (["add"], ["drop"])
    assert [len(segments) for _, segments in stretches[last : last + 4]] == [1, 1, 1, 1]


# Latency and age


def test_nothing_is_on_the_air_before_the_first_weights():
    base = {"precoding.name": "smrt", "association.execution": "0s", "time.duration": "60s"}
    prompt = records(Setup.of(small(base)))
    late = records(Setup.of(small({**base, "precoding.latency": "2.5s"})))
    # rounding of one product
    assert np.allclose(rates(late)[0], 0.75 * rates(prompt)[0], rtol=1e-13, atol=0.0)
    never = records(Setup.of(small({**base, "precoding.latency": "60s"})))
    assert not rates(never).any()
    assert all(report.score.serving.any(axis=0).all() for report in never)
    assert all(np.ma.getmaskarray(TABLES["terminals"].rows(report)["sinr_db"]).all() for report in never)


def test_old_weights_serve_until_the_new_ones_are_in_force(monkeypatch: pytest.MonkeyPatch):
    setup = Setup.of(small({"precoding.latency": "15s", "time.duration": "80s", "association.execution": "0s"}))
    for report, segments in with_segments(setup, monkeypatch)[2:]:
        solved = [setup.truth.windows.at(report.epoch - back) for back in (2, 1)]
        assert [segment.end_ns - segment.begin_ns for segment in segments] == [5 * SECOND, 5 * SECOND]
        for segment, snapshot in zip(segments, solved, strict=True):
            assert segment.weights is not None
            expected = snapshot.links(segment.weights.norad_id).departure
            assert np.array_equal(segment.weights.departure, expected)


@pytest.mark.parametrize(
    ("age", "seen_s"),
    [
        ("0s", [0, 10, 20, 30, 40, 50]),
        ("4s", [-10, 0, 10, 20, 30, 40]),
        ("10s", [-10, 0, 10, 20, 30, 40]),
        ("20s", [-20, -10, 0, 10, 20, 30]),
        ("25s", [-30, -20, -10, 0, 10, 20]),
        ("1h", [-3600, -3590, -3580, -3570, -3560, -3550]),
    ],
)
def test_the_precoder_sees_the_newest_csi_that_is_old_enough(age: str, seen_s: list[int]):
    watched = Watched(Setup.of(small({"time.duration": "60s", "precoding.csi_age": age})))
    watched.run()
    setup = watched.setup
    assert [epoch for epoch, _ in watched.problems] == [0, 1, 2, 3, 4, 5]
    for (_, problem), seconds in zip(watched.problems, seen_s, strict=True):
        links = setup.truth.windows.links_at(seconds * SECOND, problem.csi.norad_id)
        expected = setup.belief.statistics.of(links).csi
        assert np.array_equal(problem.csi.departure, expected.departure)
        assert np.array_equal(problem.csi.gain, expected.gain)


def test_age_changes_weights_and_not_the_world():
    fresh = records(Setup.of(small({"time.duration": "60s"})))
    old = records(Setup.of(small({"time.duration": "60s", "precoding.csi_age": "30s"})))
    assert [events_of([report]) for report in fresh] == [events_of([report]) for report in old]
    # half a minute at 7.5 km/s turns a beam of a 4 x 4 array, some 25° wide, by tens of degrees
    assert rates(old).sum() < 0.9 * rates(fresh).sum()


@pytest.mark.parametrize("block", [1, 2, 3, 60])
def test_warm_starts_are_cut_at_fixed_epochs(block: int):
    watched = Watched(Setup.of(small({"precoding.restart_epochs": block})))
    watched.run()
    cold = [epoch for epoch, problem in watched.problems if problem.start is None]
    assert cold == list(range(0, 12, block))


# What policies remember


def test_a_policy_cannot_change_what_was_kept():
    setup = Setup.of(small())
    seen: list[int] = []

    def counting(view: AssociationView) -> Assignment:
        count = view.memory.get("count", np.zeros(1, dtype=np.int64))
        seen.append(int(count[0]))
        wanted = setup.policy(view)
        mine = count + 1
        answer = replace(wanted, memory={"count": mine})
        if seen[-1]:
            with pytest.raises(ValueError, match="read-only"):
                count += 1
        return answer

    records(replace(setup, policy=counting))
    assert seen == list(range(12))


def test_an_array_that_a_policy_goes_on_using_is_copied():
    setup = Setup.of(small())
    mine = np.zeros(1)
    snapshots = []

    def careless(view: AssociationView) -> Assignment:
        mine[0] += 1.0
        return replace(setup.policy(view), memory={"mine": mine})

    records(replace(setup, policy=careless), lambda state: snapshots.append(state.copy()))
    assert [snapshot.loop.handover.memory["mine"][0] for snapshot in snapshots] == list(range(1, 13))


# Events replay


def seconds(most: int) -> st.SearchStrategy[str]:
    return st.integers(0, most).map(lambda half: f"{500 * half}ms")


ASSOCIATIONS = st.one_of(
    st.fixed_dictionaries(
        {
            "name": st.just("nearest_cluster"),
            "cluster_size": st.sampled_from([1, 2, 3, 9]),
            "scope": st.sampled_from(["terminal", "region"]),
            "rank_by": st.sampled_from(["range", "gain"]),
        }
    ),
    st.fixed_dictionaries({"name": st.just("max_elevation"), "hysteresis_deg": st.sampled_from([0.0, 8.0])}),
)
TIMES = st.fixed_dictionaries(
    {
        "every": st.sampled_from(["5s", "15s", "40s"]),
        "min_elevation_deg": st.sampled_from([0.0, 10.0, 35.0, 55.0]),
        "preparation": seconds(40),
        "execution": seconds(60),
    }
)


@settings(max_examples=25, deadline=None)
@given(association=ASSOCIATIONS, times=TIMES, hour=st.integers(0, 23), count=st.integers(1, 4))
def test_events_replay_to_the_rows(association: dict[str, Any], times: dict[str, Any], hour: int, count: int):
    changes = {
        "time.start": f"2026-01-01T{hour:02}:00:00Z",
        "time.epoch": "5s",
        "time.duration": "150s",
        "terminals.count": count,
        "precoding.name": "smrt",
    }
    setup = Setup.of(small(changes, association=association | times))
    execution_ns = int(setup.scenario.association.execution)
    clusters: list[dict[int, int]] = [{} for _ in range(count)]
    masters: list[int | None] = [None] * count
    for report in records(setup):
        end_ns = (report.epoch + 1) * 5 * SECOND
        for logged in report.events:
            assert end_ns - 5 * SECOND <= logged.time_ns < end_ns
            _apply(logged.handover, logged.time_ns + execution_ns, clusters, masters)
            if logged.handover.reason == "below minimum elevation":
                assert logged.time_ns == end_ns - 5 * SECOND
        table = TABLES["terminals"].rows(report)
        serving = np.split(table["serving"].values, np.cumsum(table["serving"].lengths)[:-1])
        links = setup.truth.snapshot(report.epoch).links(setup.truth.snapshot(report.epoch).norad_id)
        for terminal in range(count):
            ready = sorted(id_ for id_, ready_ns in clusters[terminal].items() if ready_ns < end_ns)
            assert serving[terminal].tolist() == ready
            assert (masters[terminal] in clusters[terminal]) == bool(clusters[terminal])
            assert table["master"].filled(-1)[terminal] == (masters[terminal] if ready else -1)
            rows = np.searchsorted(setup.truth.snapshot(report.epoch).norad_id, ready)
            # the mask is applied to the sine of the elevation, in double precision
            assert (links.elevation_deg[rows, terminal] >= times["min_elevation_deg"] - 1e-9).all()


def _apply(event: Any, ready_ns: int, clusters: list[dict[int, int]], masters: list[int | None]) -> None:
    cluster = clusters[event.terminal]
    if event.from_satellite is not None and event.kind != "master":
        del cluster[event.from_satellite]
    if event.to_satellite is not None and event.kind != "master":
        assert event.to_satellite not in cluster
        cluster[event.to_satellite] = ready_ns
    if event.kind in ("service_start", "hard", "service_end", "master"):
        assert event.kind == "service_start" or event.from_satellite == masters[event.terminal]
        masters[event.terminal] = event.to_satellite
    if event.kind == "service_start":
        assert len(cluster) == 1
    if event.kind == "service_end":
        assert not cluster


def test_interruptions_add_up_to_what_events_say():
    changes = {**ONE_EACH, "time.epoch": "5s", "time.duration": "400s"}
    association = ONE_EACH["association"] | {"execution": "7s", "every": "15s", "min_elevation_deg": 35.0}
    setup = Setup.of(small({**changes, "association": association}))
    found = records(setup)
    lost_s = sum(5.0 * report.score.interrupted for report in found)
    said_s = np.zeros(4)
    for report in found:
        for logged in report.events:
            # what goes on beyond the run, or is cut short because the new satellite sets, is not lost
            begin_s, gap_s = logged.time_ns / SECOND, logged.handover.interruption_ns / SECOND
            ends = [
                t / SECOND for t, k, kind in events_of(found) if kind == "service_end" and k == logged.handover.terminal
            ]
            cut_s = min([400.0, *(end for end in ends if end > begin_s)])
            said_s[logged.handover.terminal] += min(gap_s, cut_s - begin_s)
    assert lost_s.min() > 0.0
    assert np.allclose(lost_s, said_s, rtol=0.0, atol=1e-9)  # sums of a few shares of an epoch


def test_satellites_that_sink_between_decisions_are_dropped_and_not_served_from():
    association = {"name": "max_elevation", "min_elevation_deg": 45.0, "every": "60s", "execution": "0s"}
    setup = Setup.of(small({"time.duration": "600s"}, association=association))
    found = records(setup)
    lost = [e for r in found for e in r.events if e.handover.reason == "below minimum elevation"]
    assert {e.handover.kind for e in lost} == {"service_end"}
    between = [event for event in lost if event.time_ns % (60 * SECOND)]
    assert between
    for event in between:
        before, after = (found[event.time_ns // (10 * SECOND) + shift] for shift in (-1, 0))
        row = np.searchsorted(before.score.norad_id, event.handover.from_satellite)
        assert before.score.serving[row, event.handover.terminal]
        assert not after.score.serving[:, event.handover.terminal].any()
        assert after.score.spectral_efficiency_bps_hz[event.handover.terminal] == 0.0


# Odd runs

NOWHERE = {"kind": "list", "positions": [{"latitude_deg": -89.0, "longitude_deg": 0.0}]}
GROUPS = [
    {**ONE, "name": "small", "weight": 3.0},
    {"name": "wide", "kind": "disc", "latitude_deg": 46.0, "longitude_deg": 9.0, "radius_km": 200.0, "count": 2}
    | {"antenna": {"rows": 2, "columns": 2}, "orientation": {"tilt_deg": 20.0, "azimuth_deg": 90.0}},
    {**NOWHERE, "name": "pole"},
]
MODELS = st.fixed_dictionaries(
    {
        "precoding.name": st.sampled_from(["ms_jo_cdwmmse", "smrt", "ss_mmse"]),
        "receiver.interference": st.sampled_from(["independent", "coherent"]),
        "receiver.knowledge": st.sampled_from(["instantaneous", "mean_only"]),
        "channel.scattering": st.sampled_from(["along_los", "isotropic"]),
        "channel.fading": st.sampled_from(["none", "fixed_k"]),
        "precompensation": st.sampled_from(
            [{"name": "uniform_phase"}, {"name": "gaussian_phase", "phase_variance_rad2": 0.0}, {}]
        ),
        "association.min_elevation_deg": st.sampled_from([0.0, 30.0, 90.0]),
        "association.cluster_size": st.sampled_from([1, 3, 50]),
    }
)


@settings(max_examples=30, deadline=None)
@given(models=MODELS, terminals=st.sampled_from([[NOWHERE], [ONE], GROUPS]), epochs=st.sampled_from([1, 3]))
def test_every_combination_of_models_runs(models: dict[str, Any], terminals: list[Any], epochs: int):
    changes = {"time.duration": f"{10 * epochs}s", "receiver.draws": 2, **models}
    setup = Setup.of(small(changes, terminals=terminals))
    found = records(setup)
    assert len(found) == epochs
    for report in found:
        outcome = report.score
        assert np.isfinite(outcome.spectral_efficiency_bps_hz).all()
        assert (outcome.spectral_efficiency_bps_hz >= 0.0).all()
        served = outcome.serving.any(axis=0)
        assert not outcome.spectral_efficiency_bps_hz[~served].any()
        assert (outcome.power_w <= setup.power_w * (1.0 + 1e-9)).all()  # rounding of the scaling to the budget
        assert outcome.serving.sum(axis=0).max(initial=0) <= models["association.cluster_size"]
        if models["association.min_elevation_deg"] < 90.0 and terminals is GROUPS:
            assert served.tolist() == [True, True, True, False]


@pytest.mark.parametrize("precoder", ["ms_jo_cdwmmse", "smrt", "ss_mmse"])
def test_one_satellite(precoder: str):
    walker = {"walker": {"planes": 1, "per_plane": 1, "inclination_deg": 45.0, "phasing": 0}}
    terminals = {"kind": "disc", "latitude_deg": 0.0, "longitude_deg": -100.0, "radius_km": 100.0, "count": 3}
    changes = {"time.epoch": "1min", "time.duration": "200min", "precoding.name": precoder, "constellation": walker}
    found = records(Setup.of(small({**changes, "association.min_elevation_deg": 0.0}, terminals=terminals)))
    served = [report.score.serving.any() for report in found]
    assert any(served)
    assert not all(served)
    kinds = {kind for *_, kind in events_of(found)}
    assert kinds == {"service_start", "service_end"}
