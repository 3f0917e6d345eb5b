"""Outcomes of decisions: attempts, capacity, dwell, beams, power fractions, and the outage schedule."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from itertools import groupby
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.helpers.scripted import ANY, WINDOWS, Wish, whatever, wishing
from tests.helpers.small_run import records, records_with_stops, rows_of, small
from twin.association import AssociationView, Cluster
from twin.errors import InputError
from twin.precoding import Precoding, PrecodingProblem
from twin.results import TABLES
from twin.results.record import EpochRecord
from twin.simulation.handover.admission import admitted
from twin.world.setup import Setup

SECOND = 10**9
PLACES = [{"latitude_deg": 45.0 + step, "longitude_deg": 10.0, "name": name} for step, name in ((0.0, "a"), (0.3, "b"))]


def pair(duration: str = "80s", events: Sequence[dict[str, Any]] = (), **association: Any) -> tuple[Setup, list[int]]:
    """Two terminals, and satellites that both see throughout, the lowest NORAD id first; ``*0`` names such a one."""
    section = {"name": "nearest_cluster", "min_elevation_deg": 10.0, "execution": "0s"} | association
    tree = {"time.duration": duration, "precoding.name": "smrt"}
    places = {"kind": "list", "positions": PLACES}
    plain = Setup.of(small(tree, terminals=places, association=section))
    seen = [plain.truth.windows.at(epoch) for epoch in range(plain.timeline.epochs)]
    always = set.intersection(*(set(snapshot.norad_id[snapshot.visible.all(axis=1)].tolist()) for snapshot in seen))
    ids = sorted(always)
    named = [
        {key: [ids[int(one[1:])] for one in value] if key == "satellites" else value for key, value in event.items()}
        for event in events
    ]
    return Setup.of(small(tree, terminals=places, association=section, events=named)), ids


def run(setup: Setup, wish: Wish, **more: Any) -> list[EpochRecord]:
    return records(replace(setup, policy=wishing(wish, **more)))


def events_of(found: list[EpochRecord], terminal: int = 0) -> list[tuple[float, str, int | None, int | None]]:
    return [
        (logged.time_ns / SECOND, logged.handover.kind, logged.handover.from_satellite, logged.handover.to_satellite)
        for report in found
        for logged in report.events
        if logged.handover.terminal == terminal
    ]


def attempts_of(found: list[EpochRecord], terminal: int = 0) -> list[tuple[float, float, float | None, str]]:
    return [
        (
            one.time_ns / SECOND,
            one.decided_ns / SECOND,
            None if one.begun_ns is None else one.begun_ns / SECOND,
            one.outcome,
        )
        for report in found
        for one in report.attempts
        if one.terminal == terminal
    ]


def by_time(*steps: tuple[int, list[int], list[int]]) -> Wish:
    """What the two terminals want from so many seconds on."""

    def wish(view: AssociationView) -> list[list[int]]:
        return [*max(step for step in steps if step[0] * SECOND <= view.instant_ns)[1:]]

    return wish


# Attempts


def test_a_change_is_an_attempt_with_its_times():
    setup, (a, b, *_) = pair(preparation="3s")
    found = run(setup, by_time((0, [a], [a]), (20, [b], [a])))
    assert attempts_of(found) == [(3.0, 0.0, 3.0, "executed"), (23.0, 20.0, 23.0, "executed")]
    assert attempts_of(found, 1) == [(3.0, 0.0, 3.0, "executed")]
    rows = TABLES["attempts"].rows(found[2])
    start = np.datetime64("2026-01-01T00:00:00", "ns")
    assert rows["terminal"] == ["a"]
    assert rows["decided"][0] - start == np.timedelta64(20, "s")
    assert rows["begun"][0] - start == np.timedelta64(23, "s")
    assert rows["from_satellites"].values.tolist() == [a]
    assert rows["to_satellites"].values.tolist() == [b]
    assert rows["reason"] == ["nearest_cluster"]


def test_a_target_that_is_lost_before_execution_begins():
    outage = {"kind": "outage", "satellites": ["*1"], "from": "25s", "until": "45s"}
    setup, (a, b, *_) = pair(preparation="10s", events=[outage])
    found = run(setup, by_time((0, [a], [a]), (20, [b], [a]), (30, [a], [a])))
    assert attempts_of(found)[1:] == [(30.0, 20.0, None, "target lost")]
    assert events_of(found) == [(10.0, "service_start", None, a)]
    assert np.ma.getmaskarray(TABLES["attempts"].rows(found[3])["begun"]).tolist() == [True]


def test_a_satellite_that_is_full_when_execution_begins_refuses():
    setup, (a, b, c, *_) = pair(preparation="20s", capacity=1)
    # at 20 s the first terminal sets out for c, and changes its mind when it is too late; then the second wants c
    found = run(setup, by_time((0, [a], [b]), (20, [c], [b]), (30, [a], [c]), (40, [c], [b])))
    assert attempts_of(found, 0)[1:2] == [(40.0, 20.0, 40.0, "executed")]
    assert attempts_of(found, 1)[1:2] == [(50.0, 30.0, None, "admission rejected")]
    assert events_of(found, 1) == [(20.0, "service_start", None, b)]


def test_a_change_of_which_a_part_is_refused_says_so():
    setup, (a, b, c, d, *_) = pair(preparation="20s", capacity=1)
    found = run(setup, by_time((0, [a], [b]), (20, [c], [b]), (30, [a], [c, d]), (50, [c], [d])))
    assert attempts_of(found, 1)[1:] == [(50.0, 30.0, 50.0, "executed")]
    # the master is refused: the one that is left leads
    assert events_of(found, 1)[1:] == [(50.0, "hard", b, d)]
    (attempt,) = (one for report in found for one in report.attempts if one.time_ns == 50 * SECOND)
    assert attempt.wanted == (c, d)
    reasons = [e.handover.reason for r in found for e in r.events if e.time_ns == 50 * SECOND]
    assert reasons == [attempt.reason] == ["nearest_cluster, 1 refused"]


def test_full_satellites_are_swapped_in_one_instant():
    setup, (a, b, *_) = pair(capacity=1)
    found = run(setup, by_time((0, [a], [b]), (20, [b], [a])))
    assert events_of(found, 0)[1:] == [(20.0, "hard", a, b)]
    assert events_of(found, 1)[1:] == [(20.0, "hard", b, a)]


def test_a_change_waits_for_the_one_that_is_executed():
    setup, (a, b, *_) = pair(execution="25s", preparation="2s")
    found = run(setup, by_time((0, [a], [a]), (10, [b], [a])))
    # begun at 2 s, executed until 27 s, then two seconds of preparation
    assert attempts_of(found) == [(2.0, 0.0, 2.0, "executed"), (29.0, 10.0, 29.0, "executed")]


def test_a_change_that_waits_too_long_is_given_up():
    setup, (a, b, *_) = pair(execution="25s", timeout="12s")
    found = run(setup, by_time((0, [a], [a]), (10, [b], [a]), (20, [a], [a])))
    # the policy does not want it any more at 20 s
    assert attempts_of(found)[1:] == [(20.0, 10.0, None, "superseded")]
    found = run(setup, by_time((0, [a], [a]), (10, [b], [a]), (30, [a], [a])))
    assert attempts_of(found)[1:] == [(22.0, 10.0, None, "timed out")]
    assert events_of(found) == [(0.0, "service_start", None, a)]
    patient, _ = pair(execution="25s", timeout="15s")
    found = run(patient, by_time((0, [a], [a]), (10, [b], [a])))
    assert attempts_of(found)[1:] == [(25.0, 10.0, 25.0, "executed")]


def test_a_preparation_that_would_last_too_long_is_given_up():
    setup, (a, b, *_) = pair(execution="25s", preparation="4s", timeout="21s")
    found = run(setup, by_time((0, [a], [a]), (10, [b], [a])))
    # executed from 4 to 29 s; prepared until 33 s, later than 31 s
    assert attempts_of(found)[1:2] == [(31.0, 10.0, None, "timed out")]


def test_a_change_that_waits_gives_way_to_a_newer_decision():
    setup, (a, b, c, *_) = pair(execution="25s")
    found = run(setup, by_time((0, [a], [a]), (10, [b], [a]), (20, [c], [a])))
    assert attempts_of(found)[1:] == [(20.0, 10.0, None, "superseded"), (25.0, 20.0, 25.0, "executed")]
    assert events_of(found)[1:] == [(25.0, "hard", a, c)]


def test_a_change_that_is_prepared_goes_on_whatever_is_decided():
    setup, (a, b, c, *_) = pair(preparation="25s")
    found = run(setup, by_time((0, [a], [a]), (30, [b], [a]), (40, [c], [a])))
    assert attempts_of(found)[1:2] == [(55.0, 30.0, 55.0, "executed")]
    assert events_of(found)[1] == (55.0, "hard", a, b)


def test_who_joins_does_not_lead_before_it_serves():
    setup, (a, b, *_) = pair(execution="12s")
    found = run(setup, by_time((0, [a], []), (20, [b, a], [])))
    # it is ready at 32 s, for which the decision of 30 s has waited
    assert events_of(found)[1:] == [(20.0, "add", None, b), (32.0, "master", a, b)]


# Dwell, exclusion, capacity


def test_a_cluster_is_left_alone_for_its_dwell():
    setup, (a, b, *_) = pair(min_dwell="30s")
    turns = by_time(*((second, [[a], [b]][second // 10 % 2], [a]) for second in range(0, 80, 10)))
    # 30 s: b is wanted; 60 s: a is wanted
    assert events_of(run(setup, turns)) == [
        (0.0, "service_start", None, a),
        (30.0, "hard", a, b),
        (60.0, "hard", b, a),
    ]


def test_a_member_that_is_lost_ends_the_dwell():
    outage = {"kind": "outage", "satellites": ["*1"], "from": "15s", "until": "40s"}
    setup, (a, b, c, *_) = pair(min_dwell="60s", events=[outage])
    found = run(setup, by_time((0, [a, b], [a]), (20, [c], [a])))
    assert events_of(found)[2:] == [(15.0, "drop", b, None), (20.0, "hard", a, c)]
    assert {e.handover.reason for e in found[1].events} == {"outage"}


def test_satellites_that_are_excluded_serve_nobody():
    setup, _ = pair()
    found = records(setup)
    served = {id_ for report in found for id_ in report.score.norad_id.tolist()}
    without, _ = pair(exclude=[min(served), setup.catalogue.names[max(served)].lower()])
    left = {id_ for report in records(without) for id_ in report.score.norad_id.tolist()}
    assert left
    assert not left & {min(served), max(served)}


def test_a_policy_that_asks_for_too_much_is_refused():
    setup, (a, *_) = pair(capacity=1)
    with pytest.raises(InputError, match=f"satellite {a} is to serve 2 terminals, association.capacity allows 1"):
        run(setup, by_time((0, [a], [a])))


clusters = st.lists(st.sets(st.integers(0, 4), max_size=3), min_size=2, max_size=6)


@settings(max_examples=200)
@given(before=clusters, wishes=clusters, capacity=st.integers(1, 3), seed=st.integers(0, 99))
def test_places_are_given_within_capacity_whatever_the_names(
    before: list[set[int]], wishes: list[set[int]], capacity: int, seed: int
):
    # as in a run, no satellite starts above the capacity
    held: list[set[int]] = []
    for cluster in before:
        held.append({one for one in cluster if sum(one in other for other in held) < capacity})
    wanted = dict(enumerate(wishes[: len(held)]))
    chance = np.random.default_rng(seed)
    ranks = chance.random((5, len(held)))

    def places(terminals: list[int], satellites: list[int]) -> dict[int, set[int]]:
        """The same under other names, written in the old ones."""
        old_terminal, old_satellite = np.argsort(terminals).tolist(), np.argsort(satellites).tolist()
        listed = [Cluster(ready_ns={satellites[one]: 0 for one in held[old]}, master=None) for old in old_terminal]
        asked = {terminals[old]: {satellites[one] for one in ids} for old, ids in wanted.items()}
        got = admitted(
            listed,
            dict(sorted(asked.items())),
            capacity,
            lambda satellite, terminal: (float(ranks[old_satellite[satellite], old_terminal[terminal]]),),
        )
        return {old_terminal[new]: {old_satellite[one] for one in ids} for new, ids in got.items()}

    got = places(list(range(len(held))), list(range(5)))
    after = [got.get(terminal, cluster) for terminal, cluster in enumerate(held)]
    assert max(sum(one in cluster for cluster in after) for one in range(5)) <= capacity
    for terminal, members in got.items():
        assert members <= wanted[terminal]
        assert wanted[terminal] & held[terminal] <= members
        assert members or not wanted[terminal]
    for terminal, ids in wanted.items():  # no terminal is rejected by a satellite that has a place
        for one in ids - got.get(terminal, set()):
            if terminal in got:
                assert sum(one in cluster for cluster in after) == capacity
    assert places(chance.permutation(len(held)).tolist(), chance.permutation(5).tolist()) == got


# Reasons


def reasons_of(found: list[EpochRecord], terminal: int = 0) -> list[tuple[float, str, str]]:
    return [
        (logged.time_ns / SECOND, logged.handover.kind, logged.handover.reason)
        for report in found
        for logged in report.events
        if logged.handover.terminal == terminal
    ]


def why(*steps: tuple[int, str, str]) -> Any:
    """Reasons of the two terminals from so many seconds on."""

    def reasons(view: AssociationView) -> Any:
        return np.array(max(step for step in steps if step[0] * SECOND <= view.instant_ns)[1:])

    return reasons


def test_what_the_policy_says_is_the_reason_of_attempts_and_events():
    setup, (a, b, *_) = pair(preparation="12s")
    wish = by_time((0, [a], [a]), (20, [b], [a]), (50, [b], [b]))
    found = run(setup, wish, reason=why((0, "first", ""), (20, "better", "other"), (30, "later", "last")))
    # decided at 20 s, executed at 32 s: the reason is that of the decision
    assert reasons_of(found) == [(12.0, "service_start", "first"), (32.0, "hard", "better")]
    # an empty one is the policy's name
    assert reasons_of(found, 1) == [(12.0, "service_start", "nearest_cluster"), (62.0, "hard", "last")]
    told = [(one.terminal, one.outcome, one.reason) for report in found for one in report.attempts]
    assert told == [
        (0, "executed", "first"),
        (1, "executed", "nearest_cluster"),
        (0, "executed", "better"),
        (1, "executed", "last"),
    ]
    assert {type(one.reason) for report in found for one in report.attempts} == {str}


def test_what_the_network_knows_better_is_the_reason():
    gone = {"kind": "absence", "terminals": ["b"], "from": "15s", "until": "38s"}
    fails = {"kind": "outage", "satellites": ["*1"], "from": "25s", "until": "45s"}
    setup, (a, b, *_) = pair(preparation="10s", events=[gone, fails])
    found = run(setup, by_time((0, [a, b], [a])), reason=why((0, "x", "y")))
    assert reasons_of(found) == [
        (10.0, "service_start", "x"),
        (10.0, "add", "x"),
        (25.0, "drop", "outage"),
        (60.0, "add", "x"),
    ]
    assert reasons_of(found, 1) == [
        (10.0, "service_start", "y"),
        (15.0, "service_end", "terminal_left"),
        (50.0, "service_start", "arrival"),
    ]
    fails = {"kind": "outage", "satellites": ["*1"], "from": "25s", "until": "45s"}
    setup, (a, b, *_) = pair(preparation="10s", events=[fails])
    found = run(setup, by_time((0, [a], [a]), (20, [b], [a]), (30, [a], [a])), reason=why((0, "x", "y")))
    told = [(one.outcome, one.reason) for report in found for one in report.attempts if one.terminal == 0]
    assert told == [("executed", "x"), ("target lost", "x")]


def test_refusals_stand_behind_the_policy_s_reason():
    setup, (a, b, c, d, *_) = pair(preparation="20s", capacity=1)
    wish = by_time((0, [a], [b]), (20, [c], [b]), (30, [a], [c, d]), (50, [c], [d]))
    found = run(setup, wish, reason=why((0, "x", "y")))
    assert [one[2] for one in reasons_of(found, 1) if one[0] == 50.0] == ["y, 1 refused"]


@pytest.mark.parametrize(
    "reason", [np.array(["one"]), np.array(["a", "b", "c"]), np.array([1, 2]), np.array(["a", None]), "ab"], ids=str
)
def test_reasons_that_are_no_texts_are_refused(reason: Any):
    setup, (a, *_) = pair()
    with pytest.raises(InputError, match=r'the policy "nearest_cluster".*: reason must be 2 texts, found'):
        run(setup, by_time((0, [a], [a])), reason=lambda view: reason)


@pytest.mark.parametrize("name", ["a3", "cho_location", "scheduled", "load_balanced", "offline_optimal"])
def test_reasons_of_changes_under_way_survive_a_stop(name: str):
    section = {"name": name, "min_elevation_deg": 30.0, "preparation": "13s", "execution": "4s"}
    setup = Setup.of(small({"precoding.name": "smrt"}, association=section))
    whole = records(setup)
    found = records_with_stops(setup, range(1, 12))
    assert rows_of(setup, found) == rows_of(setup, whole)
    told = {logged.handover.reason for report in found for logged in report.events}
    assert told & {"A3", "re-establishment", "D1", "slot", "matching", "plan"}
    assert name not in told


# Beams and shares


def numbers(*steps: tuple[int, int, int]) -> Any:
    """Beams of the two terminals from so many seconds on."""

    def beams(view: AssociationView) -> Any:
        return np.array(max(step for step in steps if step[0] * SECOND <= view.instant_ns)[1:])

    return beams


def test_a_beam_that_changes_under_one_master_is_an_event():
    setup, (a, b, *_) = pair()
    found = run(setup, by_time((0, [a], [a]), (40, [b], [a])), beam=numbers((0, 3, 1), (20, 4, 1), (40, 7, 1)))
    assert events_of(found) == [(0.0, "service_start", None, a), (20.0, "beam", a, a), (40.0, "hard", a, b)]
    beams = [(e.handover.from_beam, e.handover.to_beam) for r in found for e in r.events if e.handover.terminal == 0]
    assert beams == [(None, 3), (3, 4), (4, 7)]
    assert [attempt[3] for attempt in attempts_of(found)] == ["executed"] * 3


@pytest.mark.parametrize("alone", [True, False])
def test_a_master_that_takes_up_another_beam_does_not_serve_meanwhile(alone: bool):
    setup, (a, b, *_) = pair(beam_execution="4s")
    members = [a] if alone else [a, b]
    found = run(setup, by_time((0, members, [a])), beam=numbers((0, 3, 1), (20, 4, 1)))
    same = run(setup, by_time((0, members, [a])), beam=numbers((0, 3, 1)))
    (event,) = (e.handover for e in found[2].events)
    assert (event.kind, event.interruption_ns) == ("beam", 4 * SECOND if alone else 0)
    assert found[2].score.interrupted.tolist() == [0.4 if alone else 0.0, 0.0]
    rates = [[each.score.spectral_efficiency_bps_hz[0] for each in reported] for reported in (found, same)]
    if alone:  # rounding of one product
        assert rates[0][2] == pytest.approx(0.6 * rates[1][2], rel=1e-12)
    else:
        assert 0.0 < rates[0][2] < rates[1][2]
    assert rates[0][3] == rates[1][3]
    assert found[2].score.serving.sum(axis=0).tolist() == same[2].score.serving.sum(axis=0).tolist()


def test_beams_and_shares_reach_the_precoder():
    setup, (a, b, *_) = pair(every="20s")
    problems: list[PrecodingProblem] = []

    def precoder(problem: PrecodingProblem) -> Precoding:
        problems.append(problem)
        return setup.precoder(problem)

    def power_fraction(view: AssociationView) -> Any:
        part = 0.25 if view.instant_ns < 40 * SECOND else 0.5
        return np.broadcast_to([part, 0.3], view.visible.shape)

    scenario = setup.scenario.model_copy(
        update={"precoding": setup.scenario.precoding.model_copy(update={"every": 80 * SECOND})}
    )
    policy = wishing(by_time((0, [a], [a, b])), beam=numbers((0, 3, -1)), power_fraction=power_fraction)
    found = records(replace(setup, scenario=scenario, precoder=precoder, policy=policy))
    assert [report.iterations for report in found] == [0] * 8  # smrt has none
    # due at the start, and again where the shares alone have changed
    assert [report.epoch for report in found if "precoding" in report.wall_s] == [0, 4]
    assert [problem.beam.tolist() for problem in problems if problem.beam is not None] == [[3, -1], [3, -1]]
    shares = [problem.power_fraction.tolist() for problem in problems if problem.power_fraction is not None]
    assert shares == [[[0.25, 0.3], [0.0, 0.3]], [[0.5, 0.3], [0.0, 0.3]]]
    assert not [e for report in found for e in report.events if e.time_ns]
    budget_w = setup.power_w
    spent = [report.score.power_w.tolist() for report in found]
    # rounding of amplitudes and their squares
    assert np.allclose(spent[0], [0.55 * budget_w, 0.3 * budget_w], rtol=1e-12)
    assert np.allclose(spent[5], [0.8 * budget_w, 0.3 * budget_w], rtol=1e-12)


def test_shares_of_changes_under_way_never_come_to_more_than_the_whole():
    setup, (a, b, *_) = pair(preparation="15s")

    def power_fraction(view: AssociationView) -> Any:
        early = view.instant_ns < 20 * SECOND
        return np.broadcast_to([0.5, 0.5] if early else [1.0, 1.0], view.visible.shape)

    # from 20 s on the second terminal has all of a, while the first one is still on its way from there to b
    found = run(setup, by_time((0, [a], [a]), (20, [b], [a])), power_fraction=power_fraction)
    for report in found:
        assert (report.score.power_w <= setup.power_w * (1.0 + 1e-12)).all()
    pairs = [report.score.beam_power_w for report in found]
    # half and whole, of a satellite that can give one
    assert np.allclose(pairs[2][0] / setup.power_w, [1 / 3, 2 / 3], rtol=1e-12)
    assert np.allclose(pairs[5][0] / setup.power_w, [0.0, 1.0], rtol=1e-12)


@pytest.mark.parametrize(
    ("more", "message"),
    [
        ({"beam": lambda view: np.zeros(3, int)}, "beam must be 2 numbers of beams"),
        ({"beam": lambda view: np.array([0.5, 1.0])}, "beam must be 2 numbers of beams"),
        ({"beam": lambda view: np.array([-2, 1])}, "beam must be 2 numbers of beams"),
        ({"power_fraction": lambda view: np.ones(2)}, "power_fraction must be numbers of shape"),
        (
            {"power_fraction": lambda view: np.full(view.visible.shape, np.nan)},
            "power_fraction must be numbers of shape",
        ),
        ({"power_fraction": lambda view: -np.ones(view.visible.shape)}, "power_fraction must be numbers of shape"),
        ({"power_fraction": lambda view: np.full(view.visible.shape, 0.6)}, "sum to 1.2, at most 1 is allowed"),
        ({"score": lambda view: np.ones(7)}, "score must be numbers of shape"),
    ],
)
def test_answers_that_cannot_be_are_refused(more: dict[str, Any], message: str):
    setup, (a, *_) = pair()
    with pytest.raises(InputError, match=f'the policy "nearest_cluster".* {message}'):
        run(setup, by_time((0, [a], [a])), **more)
    with pytest.raises(InputError, match="beam must be -1 where no satellite serves"):
        run(setup, by_time((0, [a], [])), beam=numbers((0, 0, 0)))


# The outage schedule


def test_a_satellite_that_fails_within_an_epoch_serves_until_then():
    outage = {"kind": "outage", "satellites": ["*0"], "from": "12.5s", "until": "33s"}
    setup, (a, *_) = pair(events=[outage])
    found, whole = run(setup, by_time((0, [a], []))), run(pair()[0], by_time((0, [a], [])))
    assert events_of(found) == [
        (0.0, "service_start", None, a),
        (12.5, "service_end", a, None),
        (40.0, "service_start", None, a),
    ]
    assert [e.handover.reason for r in found for e in r.events] == ["nearest_cluster", "outage", "nearest_cluster"]
    rates, usual = ([report.score.spectral_efficiency_bps_hz[0] for report in each] for each in (found, whole))
    assert rates[1] == pytest.approx(0.25 * usual[1], rel=1e-12)  # rounding of one product
    assert rates[2] == rates[3] == 0.0
    assert [rates[epoch] for epoch in (0, 4, 5)] == [usual[epoch] for epoch in (0, 4, 5)]


def test_an_outage_costs_a_cluster_one_member():
    outage = {"kind": "outage", "satellites": ["*0"], "from": "12.5s"}
    setup, (a, b, *_) = pair(events=[outage])
    found = run(setup, by_time((0, [a, b], [])))
    assert events_of(found)[2:] == [(12.5, "drop", a, None), (12.5, "master", a, b)]
    assert found[1].score.spectral_efficiency_bps_hz[0] > 0.0
    assert found[7].score.norad_id.tolist() == [b]


def test_an_exclusion_window_holds_for_its_terminals_alone():
    window = {"kind": "exclusion", "satellites": ["*0"], "terminals": "b", "from": "20s", "until": "30s"}
    setup, (a, *_) = pair(events=window and [window])
    found = run(setup, by_time((0, [a], [a])))
    assert events_of(found, 0) == [(0.0, "service_start", None, a)]
    assert events_of(found, 1) == [
        (0.0, "service_start", None, a),
        (20.0, "service_end", a, None),
        (30.0, "service_start", None, a),
    ]
    assert [e.handover.reason for e in found[2].events] == ["exclusion window"]


def test_terminals_leave_and_arrive():
    gone = {"kind": "absence", "terminals": ["b"], "from": "15s", "until": "38s"}
    late = {"kind": "absence", "terminals": ["a"], "until": "7s"}
    setup, (a, b, *_) = pair(preparation="10s", events=[gone, late])
    found = run(setup, by_time((0, [a], [a, b]), (10, [a], [b])))
    told = [(e.time_ns / SECOND, e.handover.kind, e.handover.reason) for r in found for e in r.events]
    assert told == [
        (10.0, "service_start", "nearest_cluster"),
        (10.0, "add", "nearest_cluster"),
        (15.0, "drop", "terminal_left"),
        (15.0, "service_end", "terminal_left"),
        (20.0, "service_start", "arrival"),
        (50.0, "service_start", "arrival"),
    ]
    # b was to go to b alone when it left
    assert attempts_of(found, 1)[1] == (15.0, 10.0, None, "superseded")
    rows = [TABLES["terminals"].rows(report) for report in found]
    assert [row["present"].tolist() for row in rows[:5]] == [
        [True, True],
        [True, False],
        [True, False],
        [True, True],
        [True, True],
    ]
    fractions = [row["present_fraction"].tolist() for row in rows]
    assert fractions == [[0.3, 1.0], [1.0, 0.5], [1.0, 0.0], [1.0, 0.2]] + [[1.0, 1.0]] * 4
    assert not rows[2]["in_service"][1]
    assert rows[2]["se_bps_hz"][1] == 0.0


def test_what_the_timetable_and_a_change_do_at_one_instant():
    """Who fails at an instant is not there for what begins at it; who comes back is."""
    fails = {"kind": "outage", "satellites": ["*1"], "from": "20s"}
    setup, (a, b, *_) = pair(preparation="10s", events=[fails])
    found = run(setup, by_time((0, [a], []), (10, [b], [])))
    assert attempts_of(found)[1] == (20.0, 10.0, None, "target lost")
    fails = {"kind": "outage", "satellites": ["*0"], "from": "20s"}
    setup, (a, b, *_) = pair(preparation="10s", events=[fails])
    found = run(setup, by_time((0, [a], []), (10, [b], [])))
    # no terminal is handed over by a satellite that has just failed
    assert events_of(found)[1:] == [(20.0, "service_end", a, None), (20.0, "service_start", None, b)]
    back = {"kind": "absence", "terminals": "a", "until": "20s"}
    setup, (a, *_) = pair(events=[back])
    assert events_of(run(setup, by_time((0, [a], [])))) == [(20.0, "service_start", None, a)]


@pytest.mark.parametrize(
    ("event", "message"),
    [
        ({"kind": "outage", "satellites": [7]}, r"events\[0\]\.satellites: satellite 7 is not in the catalogue"),
        (
            {"kind": "outage", "satellites": ["WALKR-0001"]},
            r'events\[0\]\.satellites: no satellite is named "WALKR-0001"; did you mean "[A-Z0-9 -]+"\?',
        ),
        (
            {"kind": "absence", "terminals": ["ut-0"]},
            r'events\[0\]\.terminals: no terminal or group is named "ut-0"; did you mean "ut-0[0-3]"\?',
        ),
    ],
)
def test_unknown_names_are_refused_with_the_nearest(event: dict[str, Any], message: str):
    with pytest.raises(InputError, match=message):
        Setup.of(small(events=[event]))
    with pytest.raises(InputError, match=r'association\.exclude: no satellite is named "X\*"'):
        Setup.of(small({"association.exclude": "X*"}))


# Candidates


def test_candidates_are_what_a_decision_could_choose_from():
    window = {"kind": "exclusion", "satellites": ["*0"], "terminals": "b"}
    setup, (a, b, *_) = pair(every="20s", events=[window])
    setup = replace(
        setup,
        scenario=setup.scenario.model_copy(
            update={"trace": setup.scenario.trace.model_copy(update={"candidates": True})}
        ),
    )
    found = run(setup, by_time((0, [a], [b])), score=lambda view: -view.range_km)
    assert [report.candidates is None for report in found] == [False, True] * 4
    rows = TABLES["candidates"].rows(found[2])
    snapshot = setup.truth.snapshot(2)
    seen = snapshot.visible.T.copy()
    seen[1, np.searchsorted(snapshot.norad_id, a)] = False
    terminal, satellite = np.nonzero(seen)
    assert rows["terminal"] == [["a", "b"][one] for one in terminal]
    assert rows["satellite"].tolist() == snapshot.norad_id[satellite].tolist()
    assert rows["elevation_deg"].tolist() == snapshot.elevation_deg[satellite, terminal].tolist()
    assert rows["score"].tolist() == (-snapshot.range_km[satellite, terminal]).tolist()
    chosen = [
        pair
        for pair, is_chosen in zip(zip(terminal, rows["satellite"], strict=True), rows["chosen"], strict=True)
        if is_chosen
    ]
    assert chosen == [(0, a), (1, b)]
    assert found[1].candidates is None
    silent = run(setup, by_time((0, [a], [b])))
    assert np.ma.getmaskarray(TABLES["candidates"].rows(silent[0])["score"]).all()


# Events replay


@settings(max_examples=40)
@given(association=ANY, windows=WINDOWS, timeout=st.booleans())
def test_events_replay_to_the_rows_whatever_happens(
    association: dict[str, Any], windows: list[dict[str, Any]], timeout: bool
):
    setup = whatever(association, windows, timeout=timeout)
    execution_ns, beam_ns = (int(getattr(setup.scenario.association, key)) for key in ("execution", "beam_execution"))
    clusters: list[dict[int, int]] = [{} for _ in range(4)]
    leads: list[tuple[int | None, int | None]] = [(None, None)] * 4
    for report in records(setup):
        end_ns = (report.epoch + 1) * 10 * SECOND
        for at_ns, events in groupby(report.events, key=lambda logged: logged.time_ns):
            for logged in events:
                cluster = clusters[logged.handover.terminal]
                replayed(logged.handover, cluster, leads, at_ns, execution_ns, beam_ns)
            load = Counter(one for cluster in clusters for one in cluster)
            assert max(load.values(), default=0) <= association["capacity"]
        rows = TABLES["terminals"].rows(report)
        serving = np.split(rows["serving"].values, np.cumsum(rows["serving"].lengths)[:-1])
        for terminal, cluster in enumerate(clusters):
            ready = sorted(one for one, at_ns in cluster.items() if at_ns < end_ns)
            assert serving[terminal].tolist() == ready
            assert rows["master"].filled(-1)[terminal] == (leads[terminal][0] if ready else -1)
            barred = setup.outages.allowed(end_ns - 1, np.array(sorted(cluster)))
            assert barred is None or barred[:, terminal].all()
            assert rows["present"][terminal] or not cluster


def replayed(
    event: Any,
    cluster: dict[int, int],
    leads: list[tuple[int | None, int | None]],
    at_ns: int,
    execution_ns: int,
    beam_ns: int,
) -> None:
    left, taken = event.from_satellite, event.to_satellite
    if event.kind in ("service_end", "drop", "hard"):
        del cluster[left]
    if event.kind in ("service_start", "add", "hard"):
        assert taken not in cluster
        cluster[taken] = at_ns + execution_ns
    if event.kind == "beam":
        assert left == taken
        cluster[left] = max(cluster[left], at_ns + beam_ns)
    if event.kind not in ("add", "drop"):
        assert (left, event.from_beam) == leads[event.terminal]
        leads[event.terminal] = taken, event.to_beam
    assert event.kind != "beam" or event.from_beam != event.to_beam
