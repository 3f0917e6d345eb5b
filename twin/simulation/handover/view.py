"""What an association policy may know at a decision."""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from twin.arrays import FloatArray
from twin.association import AssociationView, ServingTable
from twin.association.offline import ContactPlan
from twin.association.problem import Memory, Score
from twin.geometry.snapshot import Snapshot
from twin.world.setup import Setup


def association_view(setup: Setup, snapshot: Snapshot, table: ServingTable, memory: Memory) -> AssociationView:
    """What the policy may know at the start of an epoch."""
    instant_ns = setup.timeline.begin_ns(snapshot.epoch)
    visible = setup.available(snapshot, instant_ns)
    norad_id, association = snapshot.norad_id, setup.scenario.association
    serving = np.zeros(visible.shape, dtype=np.bool_)
    since_ns = np.zeros(visible.shape, dtype=np.int64)
    _, known, rows = np.intersect1d(table.norad_id, norad_id, assume_unique=True, return_indices=True)
    serving[rows] = table.member[known] & visible[rows]
    place = np.full(len(table.norad_id) + 1, -1, dtype=np.int64)
    place[known] = rows
    held, column = np.nonzero(serving[rows])
    since_ns[rows[held], column] = table.since_ns[known[held], column]
    master = place[table.master]
    kept = serving[master, np.arange(len(master))] if len(norad_id) else np.zeros(len(master), dtype=np.bool_)
    return AssociationView(
        norad_id=norad_id,
        elevation_deg=snapshot.elevation_deg,
        range_km=snapshot.range_km,
        visible=visible,
        mean_gain=lambda: setup.belief.mean_gain(snapshot),
        serving=serving,
        master=np.where(kept, master, -1),
        region=setup.terminals.group,
        terminal_latitude_deg=snapshot.terminals.latitude_deg[snapshot.index],
        terminal_longitude_deg=snapshot.terminals.longitude_deg[snapshot.index],
        instant_ns=instant_ns,
        every_ns=int(association.every),
        member_since_ns=since_ns,
        capacity=association.capacity,
        power_w=setup.power_w,
        noise_w=setup.channel.noise_w,
        remaining_s=lambda: setup.belief.remaining_s(snapshot),
        ground_distance_km=snapshot.ground_distance_km,
        statistics=lambda: setup.belief.expected_csi(snapshot, norad_id),
        contacts=partial(contacts, setup),
        memory=memory,
    )


def contacts(setup: Setup, score: Score = "elevation") -> list[ContactPlan]:
    """For each terminal, the satellites visible at each decision of the run, with their scores."""
    every = setup.scenario.epochs_in(setup.scenario.association.every)
    # windows of its own: what is masked ahead is not reported, and the run's own window stays where it is
    ahead = setup.belief.ahead()
    seen: list[tuple[NDArray[Any], ...]] = []
    decisions = range(0, setup.timeline.epochs, every)
    for decision, epoch in enumerate(decisions):
        snapshot = ahead.at(epoch)
        row, terminal = np.nonzero(setup.available(snapshot, setup.timeline.begin_ns(epoch)))
        scores = snapshot.elevation_deg if score == "elevation" else _alone_bps_hz(setup, snapshot)
        seen.append((np.full(len(row), decision), snapshot.norad_id[row], terminal, scores[row, terminal]))
    when, satellite, whom, scored = (np.concatenate(parts) for parts in zip(*seen, strict=True))
    owns = [whom == terminal for terminal in range(setup.terminals.count)]
    return [ContactPlan.of_pairs(when[own], satellite[own], scored[own], instants=len(decisions)) for own in owns]


def _alone_bps_hz(setup: Setup, snapshot: Snapshot) -> FloatArray:
    """(V,K) spectral efficiency of the mean channel if a satellite spends all its power on a terminal alone."""
    snr = setup.power_w * setup.belief.mean_gain(snapshot) / setup.channel.noise_w
    return np.asarray(np.log2(1.0 + snr))
