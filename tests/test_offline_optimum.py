"""The provable optimum of handovers: against all assignments, against greedy rules, and over a real sky."""

from __future__ import annotations

from itertools import combinations, pairwise, product
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.optimize import linprog

from tests.helpers.small_run import small
from twin.association.offline import (
    ContactPlan,
    OfflinePlan,
    best_at_price,
    fewest_handovers,
    fewest_membership_changes,
    frontier,
)
from twin.errors import InputError
from twin.world.setup import Setup

Flags = NDArray[np.bool_]


def scene(seed: int, instants: int = 7, satellites: int = 4) -> tuple[Flags, NDArray[np.float64]]:
    """A small horizon with gaps, satellites that come back, and scores that are often equal."""
    rng = np.random.default_rng([20, seed])
    visible = rng.random((instants, satellites)) < rng.choice([0.35, 0.6, 0.9])
    visible[rng.random(instants) < 0.1] = False
    return visible, rng.integers(0, 5, visible.shape).astype(float)


def passes(seed: int, instants: int, contacts: int) -> ContactPlan:
    """A long horizon of passes that rise, culminate and set."""
    rng = np.random.default_rng([21, seed])
    parts: list[Any] = []
    for satellite in range(contacts):
        begin, length = int(rng.integers(-60, instants)), int(rng.integers(5, 120))
        when = np.arange(max(begin, 0), min(begin + length, instants))
        score = 25.0 + 65.0 * rng.random() * np.sin(np.pi * (when - begin + 0.5) / length)
        parts.append((when, np.full(len(when), satellite), score))
    return ContactPlan.of_pairs(*(np.concatenate(each) for each in zip(*parts, strict=True)), instants=instants)


def every_assignment(visible: Flags) -> list[tuple[int, ...]]:
    """All that serve whenever anyone is visible."""
    return list(product(*(np.flatnonzero(row).tolist() or [-1] for row in visible)))


def handovers_of(assignment: tuple[int, ...]) -> int:
    return sum(a != b for a, b in pairwise(assignment) if a >= 0 and b >= 0)


def score_of(assignment: tuple[int, ...], score: NDArray[np.float64]) -> float:
    return sum(float(score[t, v]) for t, v in enumerate(assignment) if v >= 0)


def patient(assignment: tuple[int, ...], visible: Flags, dwell: int) -> bool:
    """Whether no satellite that is still visible is left before it has served the given number of instants."""
    since = 0
    for t in range(1, len(assignment)):
        if assignment[t] != assignment[t - 1]:
            if assignment[t - 1] >= 0 and visible[t, assignment[t - 1]] and t - since < dwell:
                return False
            since = t
    return True


def check_is_a_plan(plan: OfflinePlan, visible: Flags, score: NDArray[np.float64]) -> None:
    chosen = tuple(plan.assignment.tolist())
    assert all(visible[t, v] if v >= 0 else not visible[t].any() for t, v in enumerate(chosen))
    assert plan.handovers == handovers_of(chosen)
    assert plan.attaches == sum(v >= 0 and (t == 0 or chosen[t - 1] < 0) for t, v in enumerate(chosen))
    assert plan.score == score_of(chosen, score)  # whole numbers


def contacts_by_hand(visible: Flags) -> list[tuple[int, int, int]]:
    """First instant, satellite and stop of each contact, one pair at a time."""
    found = []
    for t, v in zip(*np.nonzero(visible), strict=True):
        if t == 0 or not visible[t - 1, v]:
            stop = t
            while stop < len(visible) and visible[stop, v]:
                stop += 1
            found.append((int(t), int(v), stop))
    return sorted(found)


# Contacts


@pytest.mark.parametrize("seed", range(20))
def test_contacts_are_the_unbroken_stretches_of_visibility(seed: int):
    visible, score = scene(seed, instants=12)
    plan = ContactPlan.of(visible, score)
    spans = list(zip(plan.first.tolist(), plan.satellite.tolist(), plan.stop.tolist(), strict=True))
    assert spans == contacts_by_hand(visible)
    for (first, satellite, stop), part in zip(spans, plan.score, strict=True):
        assert np.array_equal(part, score[first:stop, satellite])
    assert np.array_equal(plan.visible_count(), visible.sum(axis=1))


def test_pairs_may_come_in_any_order():
    visible, score = scene(3, instants=12)
    when, who = np.nonzero(visible)
    order = np.random.default_rng(1).permutation(len(when))
    mixed = ContactPlan.of_pairs(when[order], who[order], score[when, who][order], instants=12)
    straight = ContactPlan.of(visible, score)
    assert np.array_equal(mixed.first, straight.first)
    assert np.array_equal(mixed.satellite, straight.satellite)
    assert all(np.array_equal(a, b) for a, b in zip(mixed.score, straight.score, strict=True))


def test_bad_contacts_are_refused_by_name():
    visible = np.ones((2, 2), dtype=bool)
    with pytest.raises(InputError, match=r"found shapes \(2, 2\) and \(2, 3\)"):
        ContactPlan.of(visible, np.zeros((2, 3)))
    with pytest.raises(InputError, match="score: found nan for a visible satellite"):
        ContactPlan.of(visible, np.array([[0.0, np.nan], [0.0, 0.0]]))
    with pytest.raises(InputError, match="outside 0 to 1"):
        ContactPlan.of_pairs([2], [0], instants=2)
    with pytest.raises(InputError, match="stand together twice"):
        ContactPlan.of_pairs([0, 0], [1, 1], instants=2)
    with pytest.raises(InputError, match=r"allowed \(M,\) for all"):
        ContactPlan.of_pairs([0, 1], [1], instants=2)
    for price in (-1.0, np.inf, np.nan):
        with pytest.raises(InputError, match="price: found"):
            best_at_price(ContactPlan.of(visible), price=price)
    with pytest.raises(InputError, match="dwell_instants: found 0"):
        frontier(ContactPlan.of(visible), dwell_instants=0)
    with pytest.raises(InputError, match="members: found 0"):
        fewest_membership_changes(ContactPlan.of(visible), members=0)


def test_the_score_of_who_is_not_visible_is_not_read():
    visible = np.array([[True, False], [False, True]])
    plan = fewest_handovers(ContactPlan.of(visible, np.array([[1.0, np.nan], [np.inf, 2.0]])))
    assert (plan.assignment.tolist(), plan.score, plan.mean_score) == ([0, 1], 3.0, 1.5)


@pytest.mark.parametrize("shape", [(0, 3), (4, 0), (4, 3)])
def test_a_sky_without_anyone_is_a_plan_without_service(shape: tuple[int, int]):
    contacts = ContactPlan.of(np.zeros(shape, dtype=bool))
    plan = fewest_handovers(contacts)
    assert plan.assignment.tolist() == [-1] * shape[0]
    assert (plan.handovers, plan.attaches, plan.score, plan.mean_score) == (0, 0, 0.0, 0.0)
    assert len(frontier(contacts).plans) == 1
    assert fewest_membership_changes(contacts, members=2).joins == 0


# Against all assignments


@pytest.mark.parametrize("seed", range(60))
def test_the_fewest_handovers_and_then_the_highest_score_of_all_assignments(seed: int):
    visible, score = scene(seed, instants=7 + seed % 2)
    plan = fewest_handovers(ContactPlan.of(visible, score))
    check_is_a_plan(plan, visible, score)
    best = min((handovers_of(each), -score_of(each, score)) for each in every_assignment(visible))
    assert (plan.handovers, -plan.score) == best


@pytest.mark.parametrize("dwell", [1, 2, 3, 9])
@pytest.mark.parametrize("seed", range(25))
def test_no_assignment_is_worth_more_at_a_price(seed: int, dwell: int):
    visible, score = scene(seed)
    allowed = [each for each in every_assignment(visible) if patient(each, visible, dwell)]
    for price in (0.0, 0.25, 1.0, 2.5, 100.0):
        plan = best_at_price(ContactPlan.of(visible, score), price=price, dwell_instants=dwell)
        check_is_a_plan(plan, visible, score)
        assert patient(tuple(plan.assignment.tolist()), visible, dwell)
        best = max(score_of(each, score) - price * handovers_of(each) for each in allowed)
        assert plan.score - price * plan.handovers == best  # quarters of whole numbers


def hull_by_hand(points: set[tuple[int, float]]) -> list[tuple[int, float]]:
    """Points that some price makes strictly best, found from all pairs of points."""
    corners = []
    for h, s in points:
        steepest = max(((other - s) / (more - h) for more, other in points if more > h), default=0.0)
        flattest = min(((s - other) / (h - fewer) for fewer, other in points if fewer < h), default=np.inf)
        if max(steepest, 0.0) < flattest and not any(fewer <= h and other > s for fewer, other in points):
            corners.append((h, s))
    return sorted(corners)


@pytest.mark.parametrize("dwell", [1, 2, 3])
@pytest.mark.parametrize("seed", range(40))
def test_the_frontier_is_the_hull_of_all_assignments(seed: int, dwell: int):
    visible, score = scene(seed)
    allowed = [each for each in every_assignment(visible) if patient(each, visible, dwell)]
    found = frontier(ContactPlan.of(visible, score), dwell_instants=dwell)
    for plan in found.plans:
        check_is_a_plan(plan, visible, score)
        assert patient(tuple(plan.assignment.tolist()), visible, dwell)
    corners = [(plan.handovers, plan.score) for plan in found.plans]
    assert corners == hull_by_hand({(handovers_of(each), score_of(each, score)) for each in allowed})
    slopes = [(d - b) / (c - a) for (a, b), (c, d) in pairwise(corners)]
    assert found.prices.tolist() == slopes


@pytest.mark.parametrize("members", [1, 2, 3])
@pytest.mark.parametrize("seed", range(40))
def test_no_sequence_of_clusters_has_fewer_changes(seed: int, members: int):
    visible, _ = scene(seed)
    plan = fewest_membership_changes(ContactPlan.of(visible), members=members)
    serving = [set() for _ in visible]
    for satellite, first, stop in zip(plan.satellite, plan.first, plan.stop, strict=True):
        for t in range(first, stop):
            serving[t].add(int(satellite))
    assert all(len(now) == min(members, row.sum()) for now, row in zip(serving, visible, strict=True))
    assert all(visible[t, v] for t, now in enumerate(serving) for v in now)
    fewest: dict[frozenset[int], int] = {frozenset(): 0}
    for row in visible:  # over all sequences of clusters, by the last cluster
        there = np.flatnonzero(row).tolist()
        clusters = [frozenset(each) for each in combinations(there, min(members, len(there)))]
        fewest = {now: min(joins + len(now - old) for old, joins in fewest.items()) for now in clusters}
    assert plan.joins == min(fewest.values())
    steps = list(zip([set(), *serving], serving, strict=False))
    assert plan.joins == sum(len(now - old) for old, now in steps)
    assert plan.replacements == sum(min(len(now - old), len(old - now)) for old, now in steps)


def test_a_plan_in_the_middle_of_an_edge_is_no_corner():
    # pairs of instants between gaps; in each, a better satellite rises for one handover: gains 3, 2, 2 and 1. The line
    # from the fewest handovers to the highest score has the slope 2, at which the two middle pairs are ties; in the
    # third a lower satellite, which sets at once, makes the tie fall to the other side
    visible, score = np.zeros((12, 12), dtype=bool), np.zeros((12, 12))
    for block, gain in enumerate((3.0, 2.0, 2.0, 1.0)):
        stays, rises = 3 * block + 1, 3 * block + 2
        visible[3 * block : 3 * block + 2, stays] = visible[3 * block + 1, rises] = True
        score[3 * block + 1, rises] = gain
    visible[6, 6] = True
    contacts = ContactPlan.of(visible, score)
    assert best_at_price(contacts, price=2.0).handovers == 2
    found = frontier(contacts)
    assert [(plan.handovers, plan.score) for plan in found.plans] == [(0, 0.0), (1, 3.0), (3, 7.0), (4, 8.0)]
    assert found.prices.tolist() == [3.0, 2.0, 1.0]


def test_of_equal_plans_the_one_that_stays_is_taken():
    visible = np.array([[True, True], [True, True], [False, True]])
    contacts = ContactPlan.of(visible)
    assert best_at_price(contacts, price=0.0).assignment.tolist() == [1, 1, 1]
    assert fewest_handovers(contacts).assignment.tolist() == [1, 1, 1]


# Long horizons


def stay_as_long_as_possible(contacts: ContactPlan) -> int:
    """Handovers of the greedy rule: a satellite is kept until it sets, then the one that sets last is taken."""
    handovers, until, served = 0, -1, False
    spans = list(zip(contacts.first.tolist(), contacts.stop.tolist(), strict=True))
    for t, count in enumerate(contacts.visible_count().tolist()):
        if count == 0:
            served = False
        elif t >= until:
            until = max(stop for first, stop in spans if first <= t < stop)
            handovers += served
            served = True
    return handovers


@pytest.mark.parametrize("seed", range(8))
def test_the_greedy_rule_and_one_member_clusters_have_as_few_handovers(seed: int):
    contacts = passes(seed, instants=1500, contacts=30 + 30 * seed)
    plan = fewest_handovers(contacts)
    assert plan.handovers == stay_as_long_as_possible(contacts)
    alone = fewest_membership_changes(contacts, members=1)
    assert (alone.replacements, alone.joins) == (plan.handovers, plan.handovers + plan.attaches)


@pytest.mark.parametrize("members", [2, 3, 5])
@pytest.mark.parametrize("seed", range(4))
def test_no_set_of_contacts_that_covers_the_horizon_is_smaller(seed: int, members: int):
    contacts = passes(seed, instants=600, contacts=60)
    # contacts are intervals: the matrix has consecutive ones, is totally unimodular, and the relaxed optimum is whole
    t = np.arange(contacts.instants)[:, None]
    covers = (contacts.first <= t) & (t < contacts.stop)
    needed = np.minimum(members, covers.sum(axis=1))
    relaxed = linprog(np.ones(covers.shape[1]), A_ub=-covers.astype(float), b_ub=-needed, bounds=(0, 1))
    assert relaxed.status == 0
    joins = fewest_membership_changes(contacts, members=members).joins
    assert joins == pytest.approx(relaxed.fun, abs=1e-6)  # the solver's tolerance


@pytest.mark.parametrize("dwell", [1, 12])
def test_the_ends_of_the_frontier_are_the_fewest_handovers_and_the_highest_score(dwell: int):
    contacts = passes(1, instants=900, contacts=90)
    found = frontier(contacts, dwell_instants=dwell)
    few, high = found.plans[0], found.plans[-1]
    fewest = fewest_handovers(contacts)
    # to serve until the satellite sets is patient enough for any dwell
    assert few.handovers == fewest.handovers
    assert few.score <= fewest.score
    top = np.full(contacts.instants, 0.0)
    for first, stop, score in zip(contacts.first, contacts.stop, contacts.score, strict=True):
        top[first:stop] = np.maximum(top[first:stop], score)
    if dwell == 1:
        assert np.array_equal(few.assignment, fewest.assignment)
        assert high.score == pytest.approx(top.sum(), rel=1e-13)  # another order of 900 additions
    else:
        assert high.score < top.sum()
    assert len(found.plans) > 10
    assert (np.diff(found.prices) < 0).all()
    for plan, below, above in zip(found.plans[1:-1], found.prices[1:], found.prices[:-1], strict=True):
        again = best_at_price(contacts, price=float(below + above) / 2, dwell_instants=dwell)
        assert (again.handovers, again.score) == (plan.handovers, plan.score)


def test_a_longer_dwell_is_never_better_and_every_stay_is_long_enough():
    contacts = passes(2, instants=900, contacts=90)
    visible = np.zeros((900, 90), dtype=bool)
    for satellite, first, stop in zip(contacts.satellite, contacts.first, contacts.stop, strict=True):
        visible[first:stop, satellite] = True
    worth = []
    for dwell in (1, 2, 5, 15, 60):
        plan = best_at_price(contacts, price=0.0, dwell_instants=dwell)
        assert patient(tuple(plan.assignment.tolist()), visible, dwell)
        worth.append(plan.score)
    assert all(a > b for a, b in pairwise(worth))


def test_names_of_satellites_change_nothing_but_names():
    contacts = passes(5, instants=900, contacts=90)
    name = np.random.default_rng(2).permutation(90)
    when = np.concatenate([np.arange(a, b) for a, b in zip(contacts.first, contacts.stop, strict=True)])
    who = np.repeat(contacts.satellite, contacts.stop - contacts.first)
    renamed = ContactPlan.of_pairs(when, name[who], np.concatenate(contacts.score), instants=900)
    for price in (0.0, 3.0, 300.0):
        one, other = best_at_price(contacts, price=price), best_at_price(renamed, price=price)
        assert np.array_equal(np.append(name, -1)[one.assignment], other.assignment)
    one, other = fewest_handovers(contacts), fewest_handovers(contacts)
    assert np.array_equal(one.assignment, other.assignment)
    assert one.score == other.score


# A real sky


def test_the_highest_satellite_of_a_walker_sky_costs_more_handovers_than_are_needed():
    setup = Setup.of(small({"time.duration": "20min", "association.min_elevation_deg": 25.0}))
    seen: dict[int, list[Any]] = {terminal: [] for terminal in range(4)}
    for epoch in range(setup.timeline.epochs):
        snapshot = setup.truth.windows.at(epoch)
        for terminal, parts in seen.items():
            rows = np.flatnonzero(snapshot.visible[:, terminal])
            parts.append((np.full(len(rows), epoch), snapshot.norad_id[rows], snapshot.elevation_deg[rows, terminal]))
    spared = 0
    for parts in seen.values():
        when, who, elevation = (np.concatenate(each) for each in zip(*parts, strict=True))
        contacts = ContactPlan.of_pairs(when, who, elevation, instants=setup.timeline.epochs)
        highest = [int(ids[np.argmax(deg)]) if len(ids) else -1 for _, ids, deg in parts]
        found = frontier(contacts)
        few, high = found.plans[0], found.plans[-1]
        assert high.assignment.tolist() == highest
        assert few.handovers == stay_as_long_as_possible(contacts)
        assert few.score < high.score
        spared += high.handovers - few.handovers
    assert spared > 0
