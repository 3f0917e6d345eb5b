"""Matchings and offline plans, against general graph algorithms."""

from __future__ import annotations

import networkx as nx
import numpy as np
import pytest

from twin.association.offline import ContactPlan, best_at_price, fewest_handovers
from twin.association.policy.load_balanced import matched


@pytest.mark.parametrize("seed", range(12))
@pytest.mark.parametrize("capacity", [1, 2, 5])
def test_a_matching_under_capacity_is_networkxs_between_copies_of_satellites(seed: int, capacity: int) -> None:
    rng = np.random.default_rng(seed)
    weight = rng.uniform(10.0, 90.0, (5, 9))
    eligible = rng.random((5, 9)) < 0.5
    graph = nx.Graph()
    for satellite, terminal in np.argwhere(eligible):
        for copy in range(capacity):
            graph.add_edge(("s", satellite, copy), ("t", terminal), weight=float(weight[satellite, terminal]))
    found = matched(weight, eligible, capacity)
    pairs = nx.max_weight_matching(graph, maxcardinality=True)
    assert found.sum() == len(pairs)
    # sums of nine numbers below 90
    assert weight[found].sum() == pytest.approx(sum(graph.edges[pair]["weight"] for pair in pairs), abs=1e-10)


def passes(seed: int, instants: int = 40, satellites: int = 7) -> tuple[np.ndarray, np.ndarray]:
    """Visibility (T,V) in one stretch for each satellite, with gaps for all of them together, and scores."""
    rng = np.random.default_rng(seed)
    begin, length = rng.integers(-8, instants, satellites), rng.integers(3, 18, satellites)
    time = np.arange(instants)[:, None]
    visible = (time >= begin) & (time < begin + length)
    return visible, rng.integers(10, 90, visible.shape).astype(float)


def expanded(visible: np.ndarray, score: np.ndarray, price: float) -> nx.DiGraph:
    """The time-expanded graph: a node for each visible pair, edges to the next instant at which anybody is visible."""
    graph, layers = nx.DiGraph(), [np.flatnonzero(row) for row in visible]
    before: list[object] = ["start"]
    last = -2
    for instant, layer in enumerate(layers):
        if not len(layer):
            continue
        nodes = [(instant, int(satellite)) for satellite in layer]
        for one in before:
            for node in nodes:
                changes = last == instant - 1 and one != "start" and one[1] != node[1]  # type: ignore[index]
                graph.add_edge(one, node, weight=price * changes - float(score[node]))
        before, last = nodes, instant
    for one in before:
        graph.add_edge(one, "end", weight=0.0)
    return graph


@pytest.mark.parametrize("seed", range(20))
@pytest.mark.parametrize("price", [0.0, 35.0, 1e6])
def test_a_plan_is_networkxs_shortest_path(seed: int, price: float) -> None:
    visible, score = passes(seed)
    if not visible.any():
        pytest.skip("no satellite is visible")
    graph = expanded(visible, score, price)
    length = nx.bellman_ford_path_length(graph, "start", "end")
    plan = best_at_price(ContactPlan.of(visible, score), price=price)
    assert price * plan.handovers - plan.score == pytest.approx(length, abs=1e-6)  # sums to 4e7 in double precision
    if price == 1e6:  # more than all scores together: the fewest handovers come first
        assert fewest_handovers(ContactPlan.of(visible, score)).handovers == plan.handovers
