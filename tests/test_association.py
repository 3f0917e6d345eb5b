"""Policies on skies small enough to decide by hand; events against the clusters that they lead to."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.helpers.views import decide, members, view_of
from twin.association import EMPTY_CLUSTER, Cluster, Handover, ServingTable, transition

# --------------------------------------------------------------------------------------------- max_elevation


def test_the_highest_visible_satellite_serves():
    made = decide("max_elevation", view_of([[20, 80], [50, 30], [70, 60]], visible=[[1, 1], [1, 1], [0, 1]]))
    assert members(made) == [{1}, {0}]
    np.testing.assert_array_equal(made.master, [1, 0])


def test_a_satellite_is_left_only_for_a_clearly_higher_one():
    view = view_of([[40.0], [49.0], [10.0]], serving=[[1], [0], [0]])
    assert members(decide("max_elevation", view)) == [{1}]
    assert members(decide("max_elevation", view, hysteresis_deg=10.0)) == [{0}]
    assert members(decide("max_elevation", view, hysteresis_deg=8.0)) == [{1}]


def test_a_satellite_that_has_set_is_left_whatever_the_hysteresis():
    view = view_of([[40.0], [12.0]], serving=[[1], [0]], visible=[[0], [1]])
    assert members(decide("max_elevation", view, hysteresis_deg=80.0)) == [{1}]


def test_capacity_goes_to_the_best_links():
    sky = [[80, 70, 60], [20, 30, 50]]
    assert members(decide("max_elevation", view_of(sky))) == [{0}, {0}, {0}]
    assert members(decide("max_elevation", view_of(sky, capacity=2))) == [{0}, {0}, {1}]
    made = decide("max_elevation", view_of(sky, capacity=1))
    # the pair (1, terminal 2) at 50 degrees comes before (1, terminal 1) at 30
    assert members(made) == [{0}, set(), {1}]
    np.testing.assert_array_equal(made.master, [0, -1, 1])


# ------------------------------------------------------------------------------------------- nearest_cluster


def test_each_terminal_has_its_nearest_satellites():
    ranges = [[900, 2000], [700, 800], [1500, 600], [1100, 700]]
    made = decide("nearest_cluster", view_of(range_km=ranges), cluster_size=2)
    assert members(made) == [{0, 1}, {2, 3}]
    np.testing.assert_array_equal(made.master, [1, 2])


def test_clusters_hold_all_there_are_where_these_are_few():
    view = view_of(range_km=[[900, 2000], [700, 800]], visible=[[1, 0], [1, 0]])
    made = decide("nearest_cluster", view, cluster_size=5)
    assert members(made) == [{0, 1}, set()]
    np.testing.assert_array_equal(made.master, [1, -1])


def test_the_strongest_satellites_by_gain():
    gain = np.array([[1e-12], [4e-12], [2e-12]])
    view = view_of(range_km=[[600], [700], [800]], gain=gain, serving=[[1], [0], [0]])
    assert members(decide("nearest_cluster", view, cluster_size=1, rank_by="gain")) == [{1}]
    made = decide("nearest_cluster", view, cluster_size=2, rank_by="gain")
    assert members(made) == [{1, 2}]
    np.testing.assert_array_equal(made.master, [1])
    # 6 dB and 3 dB above the one that serves
    kept = decide("nearest_cluster", view, cluster_size=1, rank_by="gain", hysteresis_db=6.1)
    assert members(kept) == [{0}]
    lost = decide("nearest_cluster", view, cluster_size=1, rank_by="gain", hysteresis_db=5.9)
    assert members(lost) == [{1}]


def test_a_member_keeps_its_place_within_the_hysteresis():
    view = view_of(range_km=[[1000], [950], [700]], serving=[[1], [0], [1]], master=[2])
    assert members(decide("nearest_cluster", view, cluster_size=2)) == [{1, 2}]
    assert members(decide("nearest_cluster", view, cluster_size=2, hysteresis_km=51.0)) == [{0, 2}]
    assert members(decide("nearest_cluster", view, cluster_size=2, hysteresis_km=49.0)) == [{1, 2}]


def test_a_master_leads_on_within_the_hysteresis():
    view = view_of(range_km=[[1000], [950]], serving=[[1], [1]], master=[0])
    assert decide("nearest_cluster", view, cluster_size=2).master == [1]
    assert decide("nearest_cluster", view, cluster_size=2, hysteresis_km=51.0).master == [0]
    assert decide("nearest_cluster", view, cluster_size=2, hysteresis_km=49.0).master == [1]


def test_a_new_member_leads_as_soon_as_it_would_later():
    # terminal served by 0 alone; 1 joins and is nearer by more than the hysteresis, but not by twice that
    view = view_of(range_km=[[1000], [850]], serving=[[1], [0]], master=[0])
    made = decide("nearest_cluster", view, cluster_size=2, hysteresis_km=100.0)
    again = decide(
        "nearest_cluster",
        replace(view, serving=made.serving, master=made.master),
        cluster_size=2,
        hysteresis_km=100.0,
    )
    assert made.master == again.master == [1]


def test_capacity_is_filled_in_rounds():
    ranges = [[600, 610, 620], [700, 710, 720]]
    made = decide("nearest_cluster", view_of(range_km=ranges, capacity=2), cluster_size=2)
    # first round: 0 takes the two nearest, 1 the third; second round: the one place left goes to terminal 0
    assert members(made) == [{0, 1}, {0}, {1}]
    made = decide("nearest_cluster", view_of(range_km=ranges, capacity=1), cluster_size=2)
    assert members(made) == [{0}, {1}, set()]


def _positions(count: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Terminals around a place on a sphere and satellites above, in km."""
    rng = np.random.default_rng(seed)
    terminals = rng.normal([0, 0, 6371.0], 300.0, (7, 3))
    terminals *= 6371.0 / np.linalg.norm(terminals, axis=1, keepdims=True)
    satellites = rng.normal([0, 0, 6971.0], 900.0, (count, 3))
    satellites *= 6971.0 / np.linalg.norm(satellites, axis=1, keepdims=True)
    return satellites, terminals


@pytest.mark.parametrize("seed", range(5))
def test_a_region_is_served_by_the_satellites_nearest_to_its_centre(seed):
    satellites, terminals = _positions(12, seed)
    ranges = np.linalg.norm(satellites[:, None] - terminals, axis=-1)
    made = decide("nearest_cluster", view_of(range_km=ranges), cluster_size=5, scope="region")
    to_centre = np.linalg.norm(satellites - terminals.mean(axis=0), axis=-1)
    expected = set(np.argsort(to_centre)[:5])
    assert members(made) == [expected] * 7
    # satellites and centre on spheres: nearest to the centroid is nearest to the place on the ground above it (P3)
    ground = terminals.mean(axis=0) * 6371.0 / np.linalg.norm(terminals.mean(axis=0))
    assert set(np.argsort(np.linalg.norm(satellites - ground, axis=-1))[:5]) == expected
    assert (made.master == np.argmin(to_centre)).all()


def test_regions_have_clusters_of_their_own():
    ranges = [[600, 650, 2000], [900, 950, 900], [2000, 1900, 600]]
    view = view_of(range_km=ranges, region=[4, 4, 9])
    assert members(decide("nearest_cluster", view, cluster_size=1, scope="region")) == [{0}, {0}, {2}]


def test_terminals_of_a_region_do_without_members_that_they_do_not_see():
    view = view_of(range_km=[[600, 650], [900, 950], [990, 990]], visible=[[1, 0], [1, 1], [1, 1]])
    assert members(decide("nearest_cluster", view, cluster_size=2, scope="region")) == [{0, 1}, {1}]


def test_places_are_not_kept_for_terminals_that_do_not_see_the_satellite():
    view = view_of(range_km=[[1000, 1000]], visible=[[0, 1]], capacity=1)
    made = decide("nearest_cluster", view, cluster_size=1, scope="region")
    assert members(made) == [set(), {0}]


def test_a_member_of_a_region_keeps_its_place_within_the_hysteresis():
    view = view_of(range_km=[[1000, 1000], [950, 950]], serving=[[1, 0], [0, 0]], master=[0, -1])
    assert members(decide("nearest_cluster", view, cluster_size=1, scope="region")) == [{1}, {1}]
    kept = decide("nearest_cluster", view, cluster_size=1, scope="region", hysteresis_km=51.0)
    assert members(kept) == [{0}, {0}]


@pytest.mark.parametrize("scope", ["terminal", "region"])
@pytest.mark.parametrize("capacity", [None, 2])
def test_nobody_in_view(scope, capacity):
    view = view_of(np.empty((0, 3)), capacity=capacity)
    made = decide("nearest_cluster", view, scope=scope)
    assert made.serving.shape == (0, 3)
    np.testing.assert_array_equal(made.master, [-1, -1, -1])


# --------------------------------------------------------------------------------------- clusters and events


@st.composite
def clusters(draw: st.DrawFn) -> Cluster:
    satellites = draw(st.sets(st.integers(1, 6), max_size=4))
    if not satellites:
        return EMPTY_CLUSTER
    return Cluster(
        ready_ns={satellite: draw(st.integers(0, 9)) for satellite in sorted(satellites)},
        master=draw(st.sampled_from(sorted(satellites))),
    )


def replay(old: Cluster, events: list[Handover]) -> tuple[set[int], int | None]:
    """Members and master after events, each of which must make sense where it comes."""
    serving, master = set(old.ready_ns), old.master
    for event in events:
        if event.kind in ("drop", "service_end", "hard"):
            assert event.from_satellite in serving
            serving.remove(event.from_satellite)
        if event.kind in ("add", "service_start", "hard"):
            assert event.to_satellite not in serving
            serving.add(event.to_satellite)
        if event.kind in ("service_start", "service_end", "hard", "master"):
            assert event.from_satellite == master
            master = event.to_satellite
        if event.kind == "master":
            assert event.to_satellite in serving
        if event.kind == "service_start":
            assert serving == {event.to_satellite}
    return serving, master


@settings(max_examples=300, deadline=None, derandomize=True)
@given(old=clusters(), new=clusters())
def test_events_lead_from_one_cluster_to_the_other(old, new):
    events = transition(4, old, new, reason="why", execution_ns=70)
    assert replay(old, events) == (set(new.ready_ns), new.master)
    kept = set(old.ready_ns) & set(new.ready_ns)
    kinds = [event.kind for event in events]
    hard = [kind for kind in kinds if kind in ("service_start", "service_end", "hard")]
    # hard means that no satellite carries over: one such event at most, and only then an interruption
    assert len(hard) == (0 if kept or not (old.ready_ns or new.ready_ns) else 1)
    if hard:
        whole = {(True, True): "hard", (False, True): "service_start", (True, False): "service_end"}
        assert hard == [whole[bool(old.ready_ns), bool(new.ready_ns)]]
    for event in events:
        assert event.terminal == 4
        assert event.reason == "why"
        assert event.kind in {"service_start", "service_end", "hard", "add", "drop", "master"}
        assert event.interruption_ns == (70 if event.kind in ("service_start", "hard") else 0)
    assert (events == []) == ((set(old.ready_ns), old.master) == (set(new.ready_ns), new.master))


def test_a_cluster_handed_over_whole_is_one_hard_event():
    old, new = Cluster(ready_ns={1: 0, 2: 0}, master=2), Cluster(ready_ns={3: 0, 4: 0}, master=3)
    events = transition(0, old, new, reason="r", execution_ns=5)
    told = [(event.kind, event.from_satellite, event.to_satellite) for event in events]
    assert told == [("drop", 1, None), ("hard", 2, 3), ("add", None, 4)]


def test_members_that_stay_keep_their_readiness():
    old = Cluster(ready_ns={1: 10, 2: 20}, master=1)
    new = old.kept([3, 2], 2, joining_ready_ns=99)
    assert new == Cluster(ready_ns={2: 20, 3: 99}, master=2)
    assert old == Cluster(ready_ns={1: 10, 2: 20}, master=1)
    assert old.kept([], None, joining_ready_ns=1) == EMPTY_CLUSTER


def test_the_longest_serving_member_inherits_a_cluster():
    old = Cluster(ready_ns={1: 10, 2: 30, 5: 20, 7: 20}, master=1)
    assert old.without([2]) == Cluster(ready_ns={1: 10, 5: 20, 7: 20}, master=1)
    assert old.without([1]) == Cluster(ready_ns={2: 30, 5: 20, 7: 20}, master=5)
    assert old.without([1, 2, 5, 7]) == EMPTY_CLUSTER
    assert old.without([8]) == old
    assert EMPTY_CLUSTER.without([1]) == EMPTY_CLUSTER


@settings(max_examples=60, deadline=None, derandomize=True)
@given(held=st.lists(clusters(), max_size=5))
def test_a_serving_table_holds_all_clusters(held):
    table = ServingTable.of(held)
    assert table.norad_id.tolist() == sorted({satellite for cluster in held for satellite in cluster.ready_ns})
    assert table.member.shape == table.ready_ns.shape == (len(table.norad_id), len(held))
    for terminal, cluster in enumerate(held):
        rows = np.flatnonzero(table.member[:, terminal])
        ready = {int(table.norad_id[row]): int(table.ready_ns[row, terminal]) for row in rows}
        assert ready == cluster.ready_ns
        leads = table.master[terminal]
        assert (None if leads < 0 else int(table.norad_id[leads])) == cluster.master
