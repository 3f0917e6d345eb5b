"""Policies that tests write themselves: wishes by hand, and one that wants anything at all."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from hypothesis import strategies as st

from tests.helpers.small_run import small
from twin.association import Assignment, AssociationView
from twin.world.setup import Setup

Wish = Callable[[AssociationView], Sequence[Sequence[int]]]
"""For each terminal the NORAD ids of its satellites in order, the first of which leads."""


def wishing(wish: Wish, **more: Any) -> Callable[[AssociationView], Assignment]:
    """A policy that wants what is written, as far as it may serve."""

    def policy(view: AssociationView) -> Assignment:
        serving = np.zeros(view.visible.shape, dtype=np.bool_)
        master = np.full(serving.shape[1], -1)
        for terminal, ids in enumerate(wish(view)):
            rows = [int(np.searchsorted(view.norad_id, id_)) for id_ in ids if id_ in view.norad_id]
            rows = [row for row in rows if view.visible[row, terminal]]
            serving[rows, terminal] = True
            master[terminal] = rows[0] if rows else -1
        return Assignment(serving=serving, master=master, **{name: make(view) for name, make in more.items()})

    return policy


def anything(view: AssociationView) -> Assignment:
    """Clusters, beams, shares and scores drawn from the time and the satellites: never twice the same, always allowed.

    Every other terminal keeps what it has; what was drawn is remembered and drawn on.
    """
    satellites, terminals = view.visible.shape
    chance = np.random.default_rng([view.instant_ns, terminals, *view.norad_id.tolist()])
    drawn = view.memory.get("drawn", np.zeros(terminals))
    serving = view.serving.copy()
    for terminal in chance.permutation(terminals):
        if chance.random() < 0.5:
            continue
        serving[:, terminal] = False
        room = serving.sum(axis=1) < (satellites * terminals if view.capacity is None else view.capacity)
        free = np.flatnonzero(view.visible[:, terminal] & room)
        serving[chance.permutation(free)[: chance.integers(0, 4)], terminal] = True
    served = serving.any(axis=0)
    keys = np.where(serving, chance.random(serving.shape) + 0.3 * drawn, -1.0)
    power_fraction = chance.random(serving.shape) * serving
    return Assignment(
        serving=serving,
        master=np.where(served, keys.argmax(axis=0), -1) if satellites else np.full(terminals, -1),
        beam=np.where(served, chance.integers(-1, 3, terminals), -1),
        power_fraction=power_fraction / np.maximum(power_fraction.sum(axis=1, keepdims=True), 1.0),
        score=keys,
        memory={"drawn": chance.random(terminals)},
    )


WINDOWS = st.lists(
    st.fixed_dictionaries(
        {
            "kind": st.sampled_from(["outage", "exclusion", "absence"]),
            "at": st.integers(0, 240),
            "lasts": st.integers(1, 120),
            "who": st.integers(0, 9),
        }
    ),
    max_size=4,
)


def timetable_of(windows: list[dict[str, Any]], satellites: Sequence[int]) -> list[dict[str, Any]]:
    """Events of the scenario in half seconds, among satellites that are seen."""
    events = []
    for one in windows:
        event = {"kind": one["kind"], "from": f"{500 * one['at']}ms", "until": f"{500 * (one['at'] + one['lasts'])}ms"}
        if one["kind"] != "absence":
            event["satellites"] = [satellites[(one["who"] + step) % len(satellites)] for step in (0, 3)]
        if one["kind"] != "outage":
            event["terminals"] = [f"ut-{one['who'] % 4:02}"]
        events.append(event)
    return events


ANY = st.fixed_dictionaries(
    {
        "every": st.sampled_from(["10s", "20s"]),
        "preparation": st.sampled_from(["0s", "2.5s", "10s", "13s"]),
        "execution": st.sampled_from(["0s", "4s", "10s", "27.5s"]),
        "beam_execution": st.sampled_from(["0s", "1.5s", "10s"]),
        "min_dwell": st.sampled_from(["0s", "20s"]),
        "capacity": st.sampled_from([1, 2]),
    }
)


def whatever(
    association: dict[str, Any], windows: list[dict[str, Any]], *, timeout: bool, more: dict[str, Any] | None = None
) -> Setup:
    """Four terminals under a policy that wants anything, with all that can happen to it."""
    section = {"name": "nearest_cluster", "min_elevation_deg": 20.0, **association}
    if timeout:
        section["timeout"] = "14s"
    plain = Setup.of(small({"precoding.name": "smrt"}, association=section))
    seen = sorted({id_ for epoch in (0, 6, 11) for id_ in plain.truth.windows.at(epoch).norad_id.tolist()})
    changes = {"precoding.name": "smrt", "trace.candidates": True} | (more or {})
    scenario = small(changes, association=section, events=timetable_of(windows, seen))
    return replace(Setup.of(scenario), policy=anything)
