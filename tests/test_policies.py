"""Policies over scripted skies, against brute force, closed forms and P2's words."""

import io
import itertools
import json
from dataclasses import fields, replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.helpers.views import SECOND_NS, decide, driver, members, view_of
from tests.literal.p2_clusters import clusters
from twin.association.policy.load_balanced import least_load, matched
from twin.association.policy.spot_beam import beam_loss_db, nearest_beam
from twin.association.policy.strongest import sinr_db
from twin.association.toolkit.measurement import filtered, held_since, lasted
from twin.association.toolkit.ranking import best, stable_matching
from twin.precoding.beamspace.spot_beam import spot_directions
from twin.radio.channel import PlanarArray
from twin.radio.channel.beam_numbers import FIRST_CELL
from twin.registry import of_kind
from twin.units import Duration

EVERY_POLICY = of_kind("policy").names()


def seconds(text: str) -> Duration:
    return Duration.parse(text)


# -------------------------------------------------------------------------------------------------- ranking


def greedy(score, eligible, size, capacity):
    """The rule of `best` word by word: rounds, and in each round the best pairs first."""
    chosen, load = np.zeros_like(eligible), [0] * len(score)
    pairs = sorted(zip(*np.nonzero(eligible), strict=True), key=lambda pair: (-score[pair], *pair))
    for _ in range(size):
        got = set()
        for satellite, terminal in pairs:
            if terminal not in got and not chosen[satellite, terminal] and load[satellite] < capacity:
                chosen[satellite, terminal] = True
                load[satellite] += 1
                got.add(terminal)
    return chosen


@pytest.mark.parametrize("seed", range(40))
def test_the_best_under_capacity_are_found_pair_by_pair(seed):
    rng = np.random.default_rng(seed)
    pairs = rng.integers(1, 9), rng.integers(1, 14)
    score = rng.normal(size=pairs) if seed % 2 else rng.integers(0, 3, pairs).astype(float)
    eligible = rng.random(pairs) < 0.7
    size, capacity = int(rng.integers(1, 4)), int(rng.integers(1, 4))
    np.testing.assert_array_equal(best(score, eligible, size, capacity), greedy(score, eligible, size, capacity))
    np.testing.assert_array_equal(best(score, eligible, size, None), greedy(score, eligible, size, 99))


def test_of_equal_satellites_that_of_the_lower_number_is_taken():
    score = np.array([[1.0], [5.0], [5.0], [5.0], [7.0]])
    assert np.flatnonzero(best(score, np.ones((5, 1), bool), 3, None)).tolist() == [1, 2, 4]


@pytest.mark.parametrize("seed", range(20))
def test_nobody_would_rather_sit_elsewhere(seed):
    rng = np.random.default_rng(seed)
    pairs = int(rng.integers(1, 7)), int(rng.integers(1, 12))
    wish, claim = rng.normal(size=pairs), rng.normal(size=pairs)
    wish[rng.random(pairs) < 0.2] = -np.inf
    room = rng.integers(0, 4, pairs[0])
    held = stable_matching(wish, claim, room)
    assert (held.sum(axis=1) <= room).all()
    assert held.sum(axis=0).max() <= 1
    for satellite, terminal in zip(*np.nonzero(np.isfinite(wish) & ~held), strict=True):
        has = np.flatnonzero(held[:, terminal])
        would = not len(has) or wish[satellite, terminal] > wish[has[0], terminal]
        weaker = claim[satellite, held[satellite]] < claim[satellite, terminal]
        assert not (would and (weaker.any() or held[satellite].sum() < room[satellite]))


# ------------------------------------------------------------------------------------ strongest and distance


def test_the_strongest_satellite_by_received_power():
    view = view_of(snr_db=[[3.0, 9.0], [6.0, 2.0], [5.0, 8.5]], serving=[[0, 0], [0, 0], [1, 1]])
    assert members(decide("strongest", view)) == [{1}, {0}]
    assert members(decide("strongest", view, hysteresis_db=0.7)) == [{1}, {2}]
    assert members(decide("strongest", view, cluster_size=2)) == [{1, 2}, {0, 2}]
    made = decide("strongest", view, cluster_size=2, hysteresis_db=1.1)
    np.testing.assert_array_equal(made.master, [2, 2])
    np.testing.assert_allclose(made.score, [[3.0, 9.0], [6.0, 2.0], [5.0, 8.5]], rtol=1e-14)


def test_the_mean_sinr_counts_every_visible_satellite_as_busy_elsewhere():
    gain = np.array([[8.0, 2.0], [4.0, 1.0], [16.0, 64.0]])
    view = view_of(gain=gain, visible=[[1, 1], [1, 1], [1, 0]], array=PlanarArray(rows=2, columns=2))
    expected = np.array(
        [[8 / (1 + 20 / 4), 2 / (1 + 1 / 4)], [4 / (1 + 24 / 4), 1 / (1 + 2 / 4)], [16 / (1 + 12 / 4), 0]]
    )
    # one division and two logarithms: 1e-15 each
    np.testing.assert_allclose(10.0 ** (sinr_db(view) / 10.0)[view.visible], expected[view.visible], rtol=1e-13)
    assert members(decide("strongest", view, rank_by="sinr")) == [{2}, {0}]


def test_a_satellite_without_a_link_ranks_last_and_is_finite():
    made = decide("strongest", view_of(gain=[[0.0], [1e-30]]), rank_by="sinr")
    assert members(made) == [{1}]
    assert np.isfinite(made.score).all()


def test_distance_clusters_are_the_nearest():
    view = view_of(range_km=[[900, 2000], [700, 800], [1500, 600]], gain=np.ones((3, 2)))
    made = decide("distance_cluster", view, cluster_size=2)
    assert members(made) == [{0, 1}, {1, 2}]
    np.testing.assert_array_equal(made.master, [1, 2])
    kept = decide("distance_cluster", replace(view, serving=np.array([[0, 1], [0, 0], [0, 0]], bool)), cluster_size=2)
    assert members(kept) == members(made)


# ------------------------------------------------------------------------------------------------------- A3


@pytest.mark.parametrize(("coefficient", "every_ns"), [(0, 10**9), (4, 200_000_000), (4, 10**9), (11, 50_000_000)])
def test_the_filter_answers_a_step_as_its_closed_form(coefficient, every_ns):
    level, steps = np.array([[-100.0]]), 12
    kept = (1.0 - 0.5 ** (coefficient / 4.0)) ** (every_ns / 0.2e9)
    for step in range(1, steps + 1):
        level = filtered(np.array([[-90.0]]), level, np.array([[True]]), coefficient=coefficient, every_ns=every_ns)
        # a power by repeated products against one power: one rounding a step
        np.testing.assert_allclose(level, -90.0 - 10.0 * kept**step, rtol=1e-13)


def test_the_filter_keeps_its_time_constant_at_another_sampling():
    fine, coarse = np.array([[0.0]]), np.array([[0.0]])
    known, goal = np.array([[True]]), np.array([[10.0]])
    for _ in range(10):
        fine = filtered(goal, fine, known, coefficient=7, every_ns=100_000_000)
    coarse = filtered(goal, coarse, known, coefficient=7, every_ns=SECOND_NS)
    np.testing.assert_allclose(fine, coarse, rtol=1e-13)  # ten roundings


def test_a_condition_is_counted_from_its_beginning():
    since = held_since(np.array([True, False, True]), np.array([5, 5, -1]), 9)
    assert since.tolist() == [5, -1, 9]
    assert lasted(since, 9, 4).tolist() == [True, False, False]
    assert lasted(since, 9, 5).tolist() == [False, False, False]
    assert lasted(np.array([-1]), 9, 0).tolist() == [False]


A3 = {"offset_db": 3.0, "hysteresis_db": 1.0, "filter_coefficient": 0, "time_to_trigger": Duration.parse("3s")}


def level(*neighbour_db: float) -> list[dict]:
    """The serving satellite 101 at 0 dB, the neighbour 102 at these."""
    return [{"snr_db": [[0.0], [each]]} for each in neighbour_db]


def test_a_neighbour_is_taken_exactly_after_the_time_to_trigger():
    # above 4 dB from the decision at 2 s on: taken at 5 s
    run = driver("a3", **A3)
    assert run.masters_over(level(-9, 3.9, 4.1, 4.1, 4.1, 4.1, 4.1)) == [101] * 5 + [102] * 2
    finer = driver("a3", every_ns=SECOND_NS // 2, **A3)
    assert finer.masters_over(level(-9, *[4.1] * 7)) == [101] * 7 + [102]


def test_the_entering_condition_needs_more_than_offset_and_hysteresis():
    assert driver("a3", **A3).masters_over(level(-9, *[4.0] * 9)) == [101] * 10
    assert driver("a3", **A3 | {"time_to_trigger": Duration(0)}).masters_over(level(-9, 4.0, 4.01)) == [101, 101, 102]


def test_a_dip_restarts_the_time_to_trigger():
    sky = level(-9, 4.1, 4.1, 4.1, 3.9, 4.1, 4.1, 4.1, 4.1)
    assert driver("a3", **A3).masters_over(sky) == [101] * 8 + [102]


def test_a_report_outlives_a_dip_that_is_no_leaving():
    run = driver("a3", **A3)
    full = {"ignored": True}
    for sky in level(-9):
        run.step(**sky)
    for sky in level(4.1, 4.1, 4.1, 4.1):
        made = run.step(**sky, **full)
    assert made.master == [1]
    # between 2 and 4 dB neither entering nor leaving; below 2 for less than the time-to-trigger
    for each in (2.1, 1.9, 1.9, 1.9, 2.1):
        assert run.step(**level(each)[0], **full).master == [1]
    assert [run.step(**sky, **full).master[0] for sky in level(1.9, 1.9, 1.9, 1.9, 3.9)] == [1, 1, 1, 0, 0]


def test_state_survives_while_a_handover_is_under_way_and_ends_with_it():
    run = driver("a3", **A3)
    for sky in level(-9, 4.1, 4.1, 4.1):
        run.step(**sky)
    for sky in level(4.1, 4.1):
        assert run.step(**sky, ignored=True).master == [1]
    run.step(**level(4.1)[0])
    assert run.masters == [102]
    # what was reported was reported of the old serving satellite: the way back takes the whole time again
    back = [{"snr_db": [[0.0], [-4.1]]}] * 4
    assert run.masters_over(back) == [102, 102, 102, 101]


def test_what_was_reported_of_the_old_serving_satellite_is_forgotten_after_the_handover():
    run = driver("a3", **A3)
    run.step(snr_db=[[0.0], [-9.0], [-9.0]])
    assert run.masters_over([{"snr_db": [[0.0], [6.0], [5.0]]}] * 4) == [101] * 3 + [102]
    # both were reported; the other one is now neither entering nor leaving in respect of the new satellite
    assert run.masters_over([{"snr_db": [[0.0], [6.0], [8.5]]}] * 8) == [102] * 8


def test_a_lost_satellite_is_replaced_by_the_best_at_once():
    run = driver("a3", **A3)
    run.step(snr_db=[[5.0], [0.0], [1.0]])
    run.step(snr_db=[[9.0], [0.0], [1.0]], visible=[[0], [1], [1]])
    assert run.masters == [103]


def test_filters_follow_satellites_by_number_and_start_with_their_first_measurement():
    options = A3 | {"filter_coefficient": 8, "time_to_trigger": Duration(0)}
    run = driver("a3", every_ns=200_000_000, **options)
    run.step(snr_db=[[0.0], [-8.0]], norad_id=[20, 30])
    run.step(snr_db=[[2.0], [0.0], [-8.0]], norad_id=[10, 20, 30])
    made = run.step(snr_db=[[6.0], [0.0], [8.0]], norad_id=[10, 20, 30])
    # a = 1/4: the new one 2 -> 3, the old one -8 -> -8 -> -4, against 4 dB
    np.testing.assert_allclose(made.score.ravel(), [3.0, 0.0, -4.0], atol=1e-12)  # rounding of dB to gain and back
    made = run.step(snr_db=[[0.0], [8.0]], norad_id=[20, 30])
    np.testing.assert_allclose(made.score.ravel(), [0.0, -1.0], atol=1e-12)
    made = run.step(snr_db=[[6.0], [0.0], [8.0]], norad_id=[10, 20, 30])
    # it was gone for one decision: its filter starts anew and triggers
    np.testing.assert_allclose(made.score[0], 6.0, atol=1e-12)
    assert run.masters == [10]


def test_a_full_neighbour_is_reported_until_it_has_room():
    run = driver("a3", **A3)
    sky = {"snr_db": [[0.0, -50.0], [5.0, 3.0]], "capacity": 1}
    run.step(snr_db=[[0.0, -50.0], [-9.0, 3.0]], capacity=1)
    for _ in range(6):
        run.step(**sky)
        assert run.masters == [101, 102]
    run.step(snr_db=sky["snr_db"], capacity=1, visible=[[1, 1], [1, 0]])
    assert run.masters == [102, 101]


# ---------------------------------------------------------------------------------------- conditional handover


def pass_over(
    now_s: float, sets_s: dict[int, float], rises_s: dict[int, float] | None = None, **levels_db: float
) -> dict:
    """A sky in which satellites set (and rise) at given times; levels are 0 dB unless given as ``s102=...``."""
    ids = sorted(sets_s)
    rises_s = rises_s or {}
    up = [[rises_s.get(id_, -1e9) <= now_s < sets_s[id_]] for id_ in ids]
    return {
        "norad_id": ids,
        "visible": up,
        "remaining_s": [[sets_s[id_] - now_s] for id_ in ids],
        "snr_db": [[levels_db.get(f"s{id_}", 0.0)] for id_ in ids],
    }


CHO_TIME = {
    "prepare_before": Duration.parse("30s"),
    "open_before": Duration.parse("10s"),
    "window": Duration.parse("8s"),
    "threshold_db": -3.0,
    "hysteresis_db": 1.0,
}


def cho_run(skies, **options) -> list[int]:
    run = driver("cho_time", **CHO_TIME | options)
    run.clusters, run.masters = [{101}], [101]
    return run.masters_over(skies)


def test_a_prepared_satellite_is_taken_when_its_window_opens():
    sets = {101: 50.0, 102: 400.0, 103: 300.0}
    masters = cho_run([pass_over(t, sets, s103=0.0, s102=-1.0) for t in range(45)])
    # t1 = 40 s, and the time must be beyond it; both are prepared, the stronger one is taken
    assert masters == [101] * 41 + [103] * 4


def test_a_prepared_satellite_that_is_too_weak_is_left_out():
    sets = {101: 50.0, 102: 400.0, 103: 300.0}
    assert cho_run([pass_over(t, sets, s103=-2.0, s102=-1.9) for t in range(42)])[-1] == 102
    assert cho_run([pass_over(t, sets, s103=-2.0, s102=-2.1) for t in range(50)])[-1] == 101
    # no satellite was strong enough within the window: once lost, the strongest is taken
    assert cho_run([pass_over(t, sets, s103=-2.0, s102=-2.1) for t in range(51)])[-1] == 103


def test_only_what_was_in_view_at_the_preparation_is_prepared():
    sets = {101: 50.0, 102: 400.0, 103: 900.0}
    skies = [pass_over(t, sets, {103: 25.0}, s103=20.0) for t in range(45)]
    assert cho_run(skies)[-1] == 102
    early = [pass_over(t, sets, {103: 15.0}, s103=20.0) for t in range(45)]
    assert cho_run(early)[-1] == 103


def test_a_satellite_that_sets_before_the_serving_one_is_not_prepared():
    skies = [pass_over(t, {101: 50.0, 102: 400.0, 103: 48.0}, s103=20.0) for t in range(45)]
    assert cho_run(skies)[-1] == 102


def test_only_so_many_are_prepared_and_those_stay_longest():
    sets = {101: 50.0, 102: 400.0, 103: 300.0, 104: 200.0}
    skies = [pass_over(t, sets, s104=20.0, s103=10.0) for t in range(45)]
    assert cho_run(skies)[-1] == 104
    assert cho_run(skies, candidates=2)[-1] == 103
    assert cho_run(skies, candidates=1)[-1] == 102


def test_the_window_is_that_of_the_preparation_even_if_the_prediction_changes():
    sets = {101: 50.0, 102: 400.0}
    late = {101: 70.0, 102: 400.0}
    # prepared at 20 s for 50 s; from 25 s on the serving satellite is believed to stay until 70 s
    skies = [pass_over(t, sets if t < 25 else late) for t in range(45)]
    assert cho_run(skies) == [101] * 41 + [102] * 4


def test_the_signal_must_last_for_the_time_to_trigger():
    sets = {101: 50.0, 102: 400.0}
    skies = [pass_over(t, sets, s102=-9.0 if t in (38, 40) else 0.0) for t in range(48)]
    assert cho_run(skies, time_to_trigger=seconds("3s")) == [101] * 44 + [102] * 4


def test_a_window_that_passes_is_followed_by_another_preparation():
    sets = {101: 50.0, 102: 400.0, 103: 300.0}
    # the first window is (40, 45]; the second is prepared at 46 s and opens at once: the time must be beyond it
    for strong_from, taken in ((45, 45), (46, 47), (49, 49)):
        skies = [pass_over(t, sets, s102=-9.0, s103=-9.0 if t < strong_from else 0.0) for t in range(50)]
        assert cho_run(skies, window=seconds("5s")) == [101] * taken + [103] * (50 - taken)


D = {"target_within_km": 500.0, "serving_further_km": 100.0, "hysteresis_km": 10.0, "time_to_trigger": Duration(0)}


def distance_run(policy: str, distances, **options):
    run = driver(policy, **D | options)
    run.clusters, run.masters = [{101}], [101]
    return run.masters_over(
        {"ground_distance_km": [[one], [other]], "snr_db": [[0.0], [0.0]]} for one, other in distances
    )


def approach(steps: int):
    """The serving satellite goes away at 7 km a second, the other one comes nearer."""
    return [(540.0 + 7.0 * t, 600.0 - 7.0 * t) for t in range(steps)]


def test_d2_is_executed_when_one_is_far_and_the_other_near():
    # away: 540 + 7 t - 10 > 600 from t = 11; near: 600 - 7 t + 10 < 500 from t = 16
    assert distance_run("d2", approach(20)) == [101] * 16 + [102] * 4
    # from t = 3 near, so that the other condition decides
    assert distance_run("d2", [(one, other - 92.0) for one, other in approach(20)]) == [101] * 11 + [102] * 9
    assert distance_run("d2", approach(25), time_to_trigger=seconds("3s")) == [101] * 19 + [102] * 6


def test_a_distance_at_the_threshold_does_not_yet_execute():
    assert distance_run("d2", [(610.0, 400.0)] * 3) == [101] * 3
    assert distance_run("d2", [(610.01, 400.0)] * 3) == [102] * 3
    assert distance_run("d2", [(700.0, 490.0)] * 3) == [101] * 3
    assert distance_run("d2", [(700.0, 489.99)] * 3) == [102] * 3


def test_fixed_reference_points_are_those_of_the_last_preparation():
    # both conditions hold from t = 16; the points are fixed at 0, 10 and 20 s
    assert distance_run("cho_location", approach(30)) == [101] * 20 + [102] * 10
    assert distance_run("cho_location", approach(30), renewal=seconds("4s")) == [101] * 16 + [102] * 14
    assert distance_run("cho_location", approach(30), renewal=seconds("60s")) == [101] * 30


def test_candidates_are_those_that_stay_longest_at_the_preparation():
    def sky(t):
        return {
            "ground_distance_km": [[700.0], [400.0], [300.0]],
            "remaining_s": [[50.0], [100.0 - t], [90.0 if t < 4 else 190.0]],
        }

    for policy, masters in (("d2", [102]), ("cho_location", [102])):
        run = driver(policy, **D | {"candidates": 1})
        run.clusters, run.masters = [{101}], [101]
        assert run.masters_over([sky(0)]) == masters
        run = driver(policy, **D | {"candidates": 2})
        run.clusters, run.masters = [{101}], [101]
        assert run.masters_over([sky(0)]) == [103]


@pytest.mark.parametrize("policy", ["cho_time", "cho_location", "d2", "a3"])
def test_a_handover_under_way_is_asked_for_again_until_it_is_done(policy):
    sky = {
        "snr_db": [[0.0], [9.0]],
        "ground_distance_km": [[900.0], [100.0]],
        "remaining_s": [[5.0], [300.0]],
    }
    run = driver(policy, every_ns=SECOND_NS // 10)
    run.clusters, run.masters = [{101}], [101]
    asked = [run.step(**sky, ignored=True).master[0] for _ in range(12)]
    assert asked[-4:] == [1] * 4
    run.step(**sky)
    assert run.masters == [102]


# --------------------------------------------------------------------------------------------- time of service


def street(now_s: float, pass_s: float = 120.0, headway_s: float = 30.0) -> dict:
    """Identical satellites that follow each other over one terminal."""
    first = int(np.floor((now_s - pass_s) / headway_s)) + 1
    numbers = list(range(first, int(now_s // headway_s) + 1))
    return {
        "norad_id": [1000 + n for n in numbers],
        "remaining_s": [[n * headway_s + pass_s - now_s] for n in numbers],
        "snr_db": np.zeros((len(numbers), 1)),
    }


def test_the_longest_visible_satellite_is_kept_for_its_whole_pass():
    masters = np.array(driver("longest_visibility").masters_over(street(float(t)) for t in range(700)))
    changes = np.flatnonzero(np.diff(masters)) + 1
    # a satellite rises every 30 s and one is lost every 120 s: the newest is taken, and kept from rise to set
    assert np.diff(changes).tolist() == [120] * (len(changes) - 1)
    assert len(changes) == 5


def test_clusters_of_the_longest_visible_change_one_by_one():
    run = driver("longest_visibility", cluster_size=2)
    held = [run.step(**street(float(t))) and run.clusters[0] for t in range(400)]
    leaving = [before - after for before, after in itertools.pairwise(held) if before != after]
    assert all(len(gone) == 1 for gone in leaving)
    assert len({frozenset(each) for each in held}) > 4


@pytest.mark.parametrize(
    ("every_s", "expected"), [(5, range(15, 90, 15)), (4, [16, 32, 48, 60, 76]), (20, range(20, 90, 20))]
)
def test_terminals_are_distributed_anew_at_the_multiples_of_the_period_only(every_s, expected):
    rng = np.random.default_rng(5)
    run = driver("scheduled", every_ns=every_s * SECOND_NS, whole_slot=False)
    before, changed = None, []
    for _ in range(-(-90 // every_s)):
        now_s = run.now_ns // SECOND_NS
        run.step(elevation_deg=rng.uniform(20, 80, (9, 30)))
        if before is not None and run.masters != before:
            changed.append(now_s)
        before = run.masters
    # where the cadence does not divide the period: at the first decision at or after each multiple
    assert changed == list(expected)


def test_between_distributions_only_those_without_service_are_given_a_satellite():
    run = driver("scheduled", every_ns=5 * SECOND_NS)
    run.step(elevation_deg=[[50.0, 60.0], [40.0, 30.0]])
    assert run.masters == [101, 101]
    run.step(elevation_deg=[[50.0, 20.0], [70.0, 30.0]], visible=[[0, 1], [1, 1]])
    assert run.masters == [102, 101]


def test_a_satellite_that_stays_for_the_slot_comes_before_a_higher_one():
    sky = {"elevation_deg": [[80.0], [30.0]], "remaining_s": [[14.0], [16.0]]}
    assert decide("scheduled", view_of(**sky)).master == [1]
    assert decide("scheduled", view_of(**sky), whole_slot=False).master == [0]
    assert decide("scheduled", view_of(**sky), period=seconds("10s")).master == [0]
    assert decide("scheduled", view_of(elevation_deg=[[80.0], [30.0]], remaining_s=[[3.0], [2.0]])).master == [0]


def test_a_random_choice_depends_on_seed_slot_and_satellite_alone():
    def chosen(ids, instant_ns=0, **options):
        view = view_of(elevation_deg=np.full((len(ids), 60), 50.0), norad_id=ids, instant_ns=instant_ns)
        made = decide("scheduled", view, choose_by="random", **options)
        return np.array(ids)[made.master]

    first = chosen([5, 6, 7, 8])
    np.testing.assert_array_equal(first, chosen([5, 6, 7, 8], instant_ns=14 * SECOND_NS, whole_slot=False))
    assert (first != chosen([5, 6, 7, 8], instant_ns=15 * SECOND_NS)).any()
    assert (first != chosen([5, 6, 7, 8], seed=1)).any()
    assert len(set(first)) == 4
    # another satellite takes terminals from the others, and moves none between them
    more = chosen([5, 6, 7, 8, 9])
    np.testing.assert_array_equal(more[more != 9], first[more != 9])


# --------------------------------------------------------------------------------------------- load balancing


def by_hand(weight, eligible, capacity):
    """All distributions: the most served, then the greatest sum."""
    options = [[-1, *np.flatnonzero(column)] for column in eligible.T]
    found = (-1, -np.inf)
    for taken in itertools.product(*options):
        load = np.bincount([row for row in taken if row >= 0], minlength=len(weight))
        if capacity is None or load.max(initial=0) <= capacity:
            served = [(row, k) for k, row in enumerate(taken) if row >= 0]
            found = max(found, (len(served), sum(weight[pair] for pair in served)))
    return found


@pytest.mark.parametrize("seed", range(60))
def test_the_matching_is_that_of_brute_force(seed):
    rng = np.random.default_rng(seed)
    pairs = int(rng.integers(1, 5)), int(rng.integers(1, 6))
    weight = rng.uniform(-20, 20, pairs) if seed % 3 else rng.integers(-2, 2, pairs).astype(float)
    eligible = rng.random(pairs) < rng.choice([0.4, 0.7, 1.0])
    capacity = [None, 1, 2, 3][seed % 4]
    held = matched(weight, eligible, capacity)
    assert not (held & ~eligible).any()
    assert held.sum(axis=0).max(initial=0) <= 1
    assert capacity is None or held.sum(axis=1).max() <= capacity
    served, total = by_hand(weight, eligible, capacity)
    assert held.sum() == served
    assert weight[held].sum() == pytest.approx(total, abs=1e-9)  # sums of six numbers of size 20


@pytest.mark.parametrize("seed", range(25))
def test_the_least_load_serves_as_many(seed):
    rng = np.random.default_rng(seed)
    eligible = rng.random((4, 6)) < rng.choice([0.3, 0.6, 1.0])
    capacity = [None, 2, 4][seed % 3]
    most, _ = by_hand(np.zeros((4, 6)), eligible, capacity)
    least = least_load(eligible, capacity)
    assert by_hand(np.zeros((4, 6)), eligible, least)[0] == most
    assert least == 1 or by_hand(np.zeros((4, 6)), eligible, least - 1)[0] < most


def test_load_is_balanced_under_capacity_and_evenly_where_asked():
    sky = {"snr_db": [[9.0, 8.0, 7.0, 6.0], [3.0, 5.0, 2.0, 1.0]]}
    assert members(decide("load_balanced", view_of(**sky))) == [{0}] * 4
    assert members(decide("load_balanced", view_of(**sky, capacity=3))) == [{0}, {1}, {0}, {0}]
    assert members(decide("load_balanced", view_of(**sky), even=True)) == [{0}, {1}, {0}, {1}]
    # 7 dB apart: the one that gains most from staying stays
    kept = view_of(**sky, capacity=3, serving=[[0, 1, 0, 0], [1, 0, 0, 0]])
    assert members(decide("load_balanced", kept, hysteresis=10.0)) == [{1}, {0}, {0}, {0}]


def test_more_served_comes_before_better_served():
    view = view_of(elevation_deg=[[89.0, 88.0], [11.0, 0.0]], visible=[[1, 1], [1, 0]], capacity=1)
    assert members(decide("load_balanced", view, objective="elevation")) == [{1}, {0}]


# ----------------------------------------------------------------------------------------------- competition


def turns_of(gamma, seen):
    strongest = np.where(seen, gamma, 0.0).max(axis=0)
    return np.lexsort((strongest, seen.sum(axis=0)))


def filled(serving, gamma, seen, size, room, turns):
    """Free places, one after the other, to the terminal with the fewest members; of several, the first in turn."""
    serving = serving.copy()
    while True:
        open_to = seen & ~serving & (serving.sum(axis=1) < room)[:, None] & (serving.sum(axis=0) < size)
        waiting = [(serving[:, k].sum(), turn, k) for turn, k in enumerate(turns) if open_to[:, k].any()]
        if not waiting:
            return serving
        terminal = min(waiting)[2]
        serving[np.where(open_to[:, terminal], gamma[:, terminal], -1.0).argmax(), terminal] = True


@pytest.mark.parametrize("seed", range(40))
def test_competition_is_what_the_paper_says_line_by_line(seed):
    rng = np.random.default_rng(seed)
    pairs = int(rng.integers(1, 12)), int(rng.integers(1, 16))
    snr_db = rng.uniform(-10, 10, pairs)
    seen = rng.random(pairs) < rng.choice([0.5, 0.9, 1.0])
    size, room = int(rng.integers(1, 5)), int(rng.integers(1, 7))
    failures = [None, None, 0, 1, 3][seed % 5]
    view = view_of(snr_db=snr_db, visible=seen)
    options = {"satellites_per_terminal": size, "failures": failures}
    made = decide("competition", view, terminals_per_satellite=room, **options)
    gamma = view.mean_gain()
    turns = turns_of(gamma, seen)
    expected = filled(clusters(gamma, seen, size, room, failures, turns), gamma, seen, size, room, turns)
    np.testing.assert_array_equal(made.serving, expected)
    by_capacity = decide("competition", replace(view, capacity=room), **options)
    np.testing.assert_array_equal(by_capacity.serving, expected)


@pytest.mark.parametrize("hysteresis_db", [0.0, 3.0])
@pytest.mark.parametrize("seed", range(40))
def test_competition_serves_every_terminal_that_sees_a_free_place(seed, hysteresis_db):
    rng = np.random.default_rng(seed)
    pairs = int(rng.integers(2, 10)), int(rng.integers(2, 40))
    seen = rng.random(pairs) < rng.uniform(0.2, 1.0)
    size, room = int(rng.integers(1, 6)), int(rng.integers(1, 13))
    sky = {"snr_db": rng.uniform(-10, 10, pairs), "visible": seen, "capacity": room}
    options = {"satellites_per_terminal": size, "failures": 2, "hysteresis_db": hysteresis_db}
    serving = decide("competition", view_of(**sky, serving=seen & (rng.random(pairs) < 0.2)), **options).serving
    assert not (serving & ~seen).any()
    assert serving.sum(axis=1).max() <= room
    wanting = serving.sum(axis=0) < size
    assert not (seen & ~serving)[serving.sum(axis=1) < room][:, wanting].any()


def test_competition_gives_everyone_as_many_as_asked_where_that_can_be():
    short = 0
    for seed in range(20):
        rng = np.random.default_rng(100 + seed)
        view = view_of(snr_db=rng.uniform(-10, 10, (12, 20)), capacity=9)
        made = decide("competition", view, satellites_per_terminal=3)
        assert made.serving.sum(axis=0).max() <= 3
        assert made.serving.sum(axis=1).max() <= 9
        short += int((made.serving.sum(axis=0) < 3).sum())
    assert short == 0


def test_a_member_that_lost_its_place_stays_within_the_hysteresis_where_there_is_room():
    # one place at each: the second terminal wins 0 alone, the first 2 and 1; it had 1 before, which has room
    sky = {"snr_db": [[5.0, 9.0], [3.0, 1.0], [4.0, 2.0]], "capacity": 1, "serving": [[0, 0], [1, 0], [0, 0]]}
    options = {"satellites_per_terminal": 1, "failures": 2}
    fresh = decide("competition", view_of(**sky), **options)
    assert members(fresh) == [{2}, {0}]
    assert members(decide("competition", view_of(**sky), hysteresis_db=0.9, **options)) == [{2}, {0}]
    assert members(decide("competition", view_of(**sky), hysteresis_db=1.1, **options)) == [{1}, {0}]


@pytest.mark.parametrize("seed", range(60))
def test_competition_with_hysteresis_comes_to_rest_at_once(seed):
    rng = np.random.default_rng(seed)
    pairs = int(rng.integers(1, 9)), int(rng.integers(1, 12))
    seen = rng.random(pairs) < 0.8
    sky = {"snr_db": rng.uniform(-10, 10, pairs), "visible": seen, "capacity": int(rng.integers(1, 5))}
    options = {"satellites_per_terminal": int(rng.integers(1, 4)), "hysteresis_db": float(rng.choice([1, 10, 200]))}
    first = decide("competition", view_of(**sky, serving=seen & (rng.random(pairs) < 0.5)), **options)
    assert first.serving.sum(axis=1).max() <= sky["capacity"]
    assert first.serving.sum(axis=0).max() <= options["satellites_per_terminal"]
    again = decide("competition", view_of(**sky, serving=first.serving, master=first.master), **options)
    np.testing.assert_array_equal(again.serving, first.serving)
    np.testing.assert_array_equal(again.master, first.master)


def test_without_a_limit_the_competition_is_won_by_the_strongest():
    view = view_of(snr_db=[[1.0, 2.0], [3.0, 1.0], [2.0, 3.0]])
    assert members(decide("competition", view, satellites_per_terminal=2)) == [{1, 2}, {0, 2}]


# ------------------------------------------------------------------------------------------------- spot beams


@pytest.mark.parametrize(
    "array", [PlanarArray(rows=8, columns=8), PlanarArray(rows=3, columns=5, spacing_wavelengths=0.7)]
)
def test_the_nearest_beam_is_the_strongest_of_the_codebook(array):
    rng = np.random.default_rng(3)
    departure = rng.uniform(-0.7, 0.7, (1, 4000, 2))
    power = array.gram(departure, spot_directions(array)[None])[0] ** 2
    beam = nearest_beam(array, departure[0])
    np.testing.assert_array_equal(beam, power.argmax(axis=1))
    # near its zeros a response of 1e-12 carries the rounding of sines of size 1; here all are in the main lobe
    found = 10.0 ** (beam_loss_db(array, departure[0], beam) / 10.0)
    np.testing.assert_allclose(found, power.max(axis=1), rtol=1e-10)
    other = rng.integers(0, array.elements, 4000)
    found = 10.0 ** (beam_loss_db(array, departure[0], other) / 10.0)
    np.testing.assert_allclose(found, power[np.arange(4000), other], atol=1e-12)


def overhead(arc_km: float, altitude_km: float, array: PlanarArray) -> dict:
    """One satellite whose subsatellite point is so far along the ground behind the terminal, on a straight track."""
    radius_km = 6371.0
    angle = arc_km / radius_km
    range_km = np.sqrt(
        radius_km**2 + (radius_km + altitude_km) ** 2 - 2 * radius_km * (radius_km + altitude_km) * np.cos(angle)
    )
    cosine = radius_km * np.sin(angle) / range_km
    return {
        "range_km": [[range_km]],
        "gain": [[1e6 / range_km**2]],
        "departure": [[[cosine, 0.0]]],
        "array": array,
    }


def spot_array(diameter_km: float, altitude_km: float, columns: int) -> PlanarArray:
    """An odd line of elements whose middle beam has this diameter along the ground."""
    radius_km, angle = 6371.0, 0.5 * diameter_km / 6371.0
    range_km = np.sqrt(
        radius_km**2 + (radius_km + altitude_km) ** 2 - 2 * radius_km * (radius_km + altitude_km) * np.cos(angle)
    )
    edge = radius_km * np.sin(angle) / range_km
    return PlanarArray(rows=1, columns=columns, spacing_wavelengths=1.0 / (2.0 * edge * columns))


@pytest.mark.parametrize("altitude_km", [600.0, 1200.0])
def test_a_beam_dwells_as_long_as_the_time_to_handover_of_tr_38821(shared, altitude_km):
    table = json.loads((shared / "tr38821_reference.json").read_text())["table_7_3_2_1_4_1_time_to_handover"]
    speed_km_s = table["sat_ground_speed_km_per_s"]
    array, every_s = spot_array(50.0, altitude_km, 21), 0.01
    run = driver("spot_beam", every_ns=10_000_000)
    beams = []
    for step in range(2400):
        made = run.step(**overhead(90.0 - speed_km_s * every_s * step, altitude_km, array))
        beams.append(int(made.beam[0]))
    assert beams == sorted(beams, reverse=True)
    dwell_s = beams.count(10) * every_s
    # one decision more or less; the table has two digits
    assert dwell_s == pytest.approx(table["cell_diameter_km"]["50"]["UE_speed_neglected"], abs=every_s + 0.005)


def test_a_beam_is_kept_within_its_hysteresis():
    array = PlanarArray(rows=1, columns=8)

    def beams(**options):
        run = driver("spot_beam", **options)
        places = np.linspace(0.05, 0.2, 31)
        return [int(run.step(gain=[[1.0]], departure=[[[x, 0.0]]], array=array).beam[0]) for x in places]

    # beams 4 and 5 meet at 0.25 for 8 columns; with half a wavelength 0.25 apart, centres at 0.125 and 0.375
    assert beams() == [4] * 31
    array = PlanarArray(rows=1, columns=16)
    # now centres at 0.0625 and 0.1875, meeting at 0.125
    plain = beams()
    assert plain.count(8) == 15 or plain.count(8) == 16
    kept = beams(beam_hysteresis_db=3.0)
    assert plain.count(8) < kept.count(8) < 31
    first = 0.05 + 0.005 * kept.count(8)
    loss = beam_loss_db(array, np.array([[first, 0.0], [first - 0.005, 0.0]]), np.array([8, 8]))
    best_there = beam_loss_db(array, np.array([[first, 0.0], [first - 0.005, 0.0]]), np.array([9, 9]))
    assert best_there[0] - loss[0] > 3.0 >= best_there[1] - loss[1]


def test_the_best_pair_of_satellite_and_beam_is_taken():
    array = PlanarArray(rows=1, columns=8)
    # the nearer satellite has the terminal between two beams: 3.9 dB down
    departure = [[[0.25, 0.0]], [[0.125, 0.0]]]
    made = decide("spot_beam", view_of(snr_db=[[3.0], [0.0]], departure=departure, array=array))
    assert made.master == [1]
    assert made.beam == [4]
    assert made.score[0, 0] == pytest.approx(3.0 - 20 * np.log10(8 * np.sin(np.pi / 16)), abs=0.05)
    assert decide("spot_beam", view_of(snr_db=[[5.0], [0.0]], departure=departure, array=array)).master == [0]
    held = view_of(snr_db=[[5.0], [0.0]], departure=departure, array=array, serving=[[0], [1]])
    assert decide("spot_beam", held, hysteresis_db=1.2).master == [1]


def test_a_cell_on_the_earth_is_served_by_one_satellite_at_a_time():
    snr_db = [[9.0, 2.0, 0.0], [5.0, 5.0, 1.0], [0.0, 0.0, 3.0]]
    view = view_of(snr_db=snr_db, region=[7, 7, 4])
    made = decide("spot_beam", view, cells="earth_fixed")
    assert members(made) == [{0}, {0}, {2}]
    assert made.beam.tolist() == [FIRST_CELL + 7, FIRST_CELL + 7, FIRST_CELL + 4]
    held = replace(view, serving=np.array([[0, 0, 0], [1, 0, 0], [0, 0, 1]], bool), master=np.array([1, -1, 2]))
    assert members(decide("spot_beam", held, cells="earth_fixed", hysteresis_db=0.6)) == [{1}, {1}, {2}]
    blind = replace(view, visible=np.array([[1, 0, 1], [1, 1, 1], [1, 1, 1]], bool))
    made = decide("spot_beam", blind, cells="earth_fixed")
    assert members(made) == [{0}, set(), {2}]
    assert made.beam.tolist() == [FIRST_CELL + 7, -1, FIRST_CELL + 4]


# ------------------------------------------------------------------------------------------------------- reasons


def reasons_over(run, skies):
    return [run.step(**sky).reason.tolist()[0] for sky in skies]


def test_a3_says_what_it_was():
    run = driver("a3", **A3 | {"time_to_trigger": Duration(0), "filter_coefficient": 0})
    told = reasons_over(
        run,
        [
            {"snr_db": [[0.0], [-9.0], [-9.0]]},
            {"snr_db": [[0.0], [9.0], [-9.0]]},
            {"snr_db": [[0.0], [9.0], [-9.0]], "visible": [[1], [0], [1]]},
            {"snr_db": [[0.0], [9.0], [-9.0]], "visible": [[0], [0], [0]]},
            {"snr_db": [[0.0], [9.0], [-9.0]]},
        ],
    )
    assert told == ["initial access", "A3", "re-establishment", "re-establishment", "re-establishment"]


@pytest.mark.parametrize(("policy", "name"), [("cho_time", "T1 and A4"), ("cho_location", "D1"), ("d2", "D2")])
def test_conditional_handovers_name_their_condition(policy, name):
    run = driver(policy)
    seen = {"snr_db": [[0.0], [1.0]]}
    told = reasons_over(run, [seen, seen, {**seen, "visible": [[0], [0]]}, seen, seen])
    assert told == ["initial access", name, "re-establishment", "re-establishment", name]


def test_a_schedule_tells_slots_from_what_happens_between():
    run = driver("scheduled", every_ns=5 * SECOND_NS)
    sky, less = {"snr_db": [[0.0], [1.0]]}, {"snr_db": [[0.0], [1.0]], "visible": [[0], [1]]}
    told = reasons_over(run, [sky, sky, less, sky, sky])
    assert told == ["slot", "", "re-establishment", "slot", ""]


def test_joint_clusters_stay_though_limits_of_numbers_cost_much(monkeypatch):
    from twin.association.policy import cf_mntn

    why = []

    def told(*args, **options):
        found = solve(*args, **options)
        why.append((found.reason, found.sinr_ratio))
        return found

    solve = cf_mntn.clusters
    monkeypatch.setattr(cf_mntn, "clusters", told)
    rng = np.random.default_rng(8)
    snr_db = rng.uniform(0.0, 20.0, (4, 4))
    sky = {"departure": rng.uniform(-0.6, 0.6, (4, 4, 2)), "capacity": 1}
    run = driver("cf_mntn")
    first = run.step(snr_db=snr_db, **sky)
    second = run.step(snr_db=snr_db + 0.01, **sky)
    np.testing.assert_array_equal(second.serving, first.serving)
    assert [reason == "kept" for reason, _ in why] == [False, True]
    assert why[0][1] == why[1][1] < 0.9  # more than the loss that is tolerated, from the beginning


def test_matchings_and_plans_say_so():
    sky = {"elevation_deg": [[50.0, 40.0], [20.0, 30.0]]}
    assert decide("load_balanced", view_of(**sky)).reason.tolist() == ["matching"] * 2
    # the plan is of the highest satellite, which is then not there
    run = driver("offline_optimal")
    assert run.step(**sky).reason.tolist() == ["plan"] * 2
    assert run.step(**sky, visible=[[1, 0], [1, 1]]).reason.tolist() == ["plan", "not planned"]


# ---------------------------------------------------------------------------------------- the whole registry


@st.composite
def skies(draw):
    """A few moments of one sky; satellites come and go."""
    terminals = draw(st.integers(0, 5))
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    told = []
    for _ in range(draw(st.integers(1, 4))):
        ids = np.sort(rng.choice(np.arange(1, 9), rng.integers(0, 7), replace=False))
        pairs = len(ids), terminals
        ranges = rng.uniform(500, 2500, pairs)
        told.append(
            {
                "norad_id": ids,
                "range_km": np.round(ranges, -3) if draw(st.booleans()) else ranges,
                "visible": rng.random(pairs) < 0.7,
                "remaining_s": rng.uniform(0, 100, pairs),
                "departure": rng.uniform(-0.6, 0.6, (*pairs, 2)),
                "region": rng.integers(0, 2, terminals),
                "capacity": draw(st.sampled_from([None, 1, 2])),
            }
        )
    return told


@pytest.mark.parametrize("policy", [name for name in EVERY_POLICY if name != "cf_mntn"])
@settings(max_examples=40, deadline=None, derandomize=True)
@given(skies=skies())
def test_every_policy_keeps_the_rules_over_time(policy, skies):
    keeps_the_rules(policy, skies)


@settings(max_examples=5, deadline=None, derandomize=True)
@given(skies=skies())
def test_cf_mntn_keeps_the_rules_over_time(skies):
    """Apart, because each of its decisions is some fifty cone programs."""
    keeps_the_rules("cf_mntn", skies)


def keeps_the_rules(policy, skies):
    run, again = driver(policy), driver(policy)
    largest = largest_cluster(policy)
    for sky in skies:
        made = run.step(**sky)
        visible = sky["visible"]
        assert made.serving.shape == visible.shape
        assert not (made.serving & ~visible).any()
        assert largest is None or made.serving.sum(axis=0).max(initial=0) <= largest
        if sky["capacity"] is not None:
            assert made.serving.sum(axis=1).max(initial=0) <= sky["capacity"]
        np.testing.assert_array_equal(made.master >= 0, made.serving.any(axis=0))
        served = np.flatnonzero(made.master >= 0)
        assert made.serving[made.master[served], served].all()
        assert made.score is not None
        assert made.score.shape == visible.shape
        assert np.isfinite(made.score).all()
        if made.reason is not None:
            assert made.reason.shape == visible.shape[1:]
            assert made.reason.dtype.kind == "U"
        # what is remembered goes through a file, as in a resumed run, and leads to the same bits
        file = io.BytesIO()
        np.savez(file, **made.memory)
        file.seek(0)
        same = again.step(**sky)
        for field in ("serving", "master", "score"):
            np.testing.assert_array_equal(getattr(same, field), getattr(made, field))
        with np.load(file) as kept:
            again.memory = {name: kept[name] for name in kept.files}


@pytest.mark.parametrize("policy", EVERY_POLICY)
@pytest.mark.parametrize("shape", [(0, 3), (3, 0), (0, 0)])
def test_no_satellites_or_no_terminals(policy, shape):
    run = driver(policy)
    for _ in range(2):
        made = run.step(range_km=np.empty(shape))
        assert made.serving.shape == shape
        assert (made.master == -1).all()
    run.step(range_km=np.full((2, shape[1]), 700.0), visible=np.zeros((2, shape[1]), bool))
    assert not any(run.clusters or [])


@pytest.mark.parametrize("policy", EVERY_POLICY)
def test_whoever_lost_everything_is_served_again(policy):
    run = driver(policy)
    for seen in (1, 0, 1):
        run.step(range_km=[[700.0], [900.0]], visible=[[seen], [seen]])
        assert (run.masters[0] > 0) == bool(seen)


# ---------------------------------------------------------------------------------------- declared cluster sizes


def largest_cluster(policy, **options):
    registry = of_kind("policy")
    return registry.largest_cluster(policy, registry[policy].options(**options))


def size_options():
    """Every policy with its default options, and with two other sizes where an option sets the size."""
    for name in EVERY_POLICY:
        yield name, {}
        sizes = {field.name for field in fields(of_kind("policy")[name].options)}
        for key in sorted(sizes & {"cluster_size", "satellites_per_terminal"}):
            yield from ((name, {key: size}) for size in (1, 3))
    yield "nearest_cluster", {"scope": "region", "cluster_size": 3}


@pytest.mark.parametrize("capacity", [None, 2])
@pytest.mark.parametrize(("policy", "options"), list(size_options()))
def test_no_cluster_is_larger_than_the_policy_declares(policy, options, capacity):
    rng, largest, run = np.random.default_rng(5), largest_cluster(policy, **options), driver(policy, **options)
    assert largest is not None or policy == "cf_mntn"
    for _ in range(3):
        snr_db = rng.uniform(0.0, 20.0, (7, 4))
        made = run.step(snr_db=snr_db, visible=rng.random((7, 4)) < 0.8, capacity=capacity, region=[0, 0, 1, 1])
        sizes = made.serving.sum(axis=0)
        assert largest is None or sizes.max() <= largest
        if capacity is None and len(options) == 1 and policy != "cf_mntn":  # the number declared is reached, too
            assert sizes.max() == largest
