"""The same scenario and seed give the same bits, and nothing that is beside the point changes them."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.helpers.small_run import link_rows, records, rows_of, small, trace_bits
from twin.catalogue import Walker, walker_text
from twin.geometry import windows as sky
from twin.precoding import Precoding, PrecodingProblem
from twin.simulation.run import run
from twin.world.setup import Setup

START = np.datetime64("2026-01-01", "ns")
WIDE = {"kind": "disc", "latitude_deg": 20.0, "longitude_deg": 0.0, "radius_km": 6000.0, "count": 8}
BUSY = {"association.preparation": "5s", "association.execution": "12s", "precoding.latency": "3s"}


def bits(scenario: Any, *, links: bool = True) -> Any:
    setup = Setup.of(scenario)
    return rows_of(setup, records(setup), links=links)


@pytest.mark.parametrize("changes", [{}, {"terminals": WIDE}, {"association.scope": "region"}], ids=str)
def test_twice_the_same(tmp_path: Path, changes: dict[str, Any]):
    scenario = small({**BUSY, **changes, "trace.links": True})
    one, two = (run(scenario, tmp_path / name) for name in ("one", "two"))
    assert trace_bits(one) == trace_bits(two)
    assert one.run["scenario_sha256"] == two.run["scenario_sha256"]


def test_another_seed_is_another_run():
    terminals = {"kind": "list", "positions": [{"latitude_deg": 45.0, "longitude_deg": 10.0}]}
    one, two = (bits(small(seed=seed, terminals=terminals), links=False) for seed in (1, 2))
    assert [epoch[0]["se_bps_hz"] for epoch in one] != [epoch[0]["se_bps_hz"] for epoch in two]
    # what was not drawn is the same
    assert [epoch[0]["serving"] for epoch in one] == [epoch[0]["serving"] for epoch in two]
    assert [epoch[0]["se_ap1_bps_hz"] for epoch in one] == [epoch[0]["se_ap1_bps_hz"] for epoch in two]


def catalogue(path: Path, *more: Walker) -> dict[str, str]:
    usual = Walker(
        pattern="delta", planes=20, per_plane=20, altitude_km=600.0, inclination_deg=53.0, phasing=1, epoch=START
    )
    path.write_text("".join(walker_text(walker) for walker in (*more, usual)))
    return {"source": str(path)}


@pytest.mark.parametrize("changes", [{}, {"terminals.antenna": {"rows": 2, "columns": 2}}], ids=["one", "four"])
def test_satellites_that_never_come_near_change_no_row(tmp_path: Path, changes: dict[str, Any]):
    """An equatorial ring, by number before and after the others, and before them in the file."""
    far = [
        Walker(
            pattern="delta",
            planes=1,
            per_plane=40,
            altitude_km=400.0,
            inclination_deg=0.0,
            phasing=0,
            epoch=START,
            first_norad_id=first,
            name_prefix=f"RING{first}",
        )
        for first in (100, 200_000)
    ]
    changes = {**BUSY, **changes}
    alone = bits(small({**changes, "constellation": catalogue(tmp_path / "alone.tle")}))
    assert bits(small({**changes, "constellation": catalogue(tmp_path / "more.tle", *far)})) == alone
    generated = bits(small(changes))
    assert generated == alone


def test_the_order_of_a_catalogue_changes_no_row(tmp_path: Path):
    catalogue(tmp_path / "usual.tle")
    lines = (tmp_path / "usual.tle").read_text().splitlines(keepends=True)
    sets = ["".join(lines[at : at + 3]) for at in range(0, len(lines), 3)]
    (tmp_path / "shuffled.tle").write_text("".join(np.random.default_rng(1).permutation(sets)))
    usual, shuffled = (
        bits(small({**BUSY, "constellation": {"source": str(tmp_path / name)}}))
        for name in ("usual.tle", "shuffled.tle")
    )
    assert usual == shuffled


def drawn(setup: Setup) -> dict[tuple[int, int, str], float]:
    """Phase error of each pair in view at each epoch."""
    found = {}
    for report in records(setup):
        rows: Any = link_rows(setup, report)
        keys = zip(rows["satellite"], rows["terminal"], rows["phase_error_rad"], strict=True)
        found |= {(report.epoch, int(satellite), terminal): float(error) for satellite, terminal, error in keys}
    return found


def test_another_policy_shifts_no_draw():
    usual = drawn(Setup.of(small()))
    assert len(set(usual.values())) == len(usual)
    for association in (
        {"name": "max_elevation", "min_elevation_deg": 20.0},
        {"name": "nearest_cluster", "min_elevation_deg": 20.0, "cluster_size": 1, "every": "40s", "preparation": "7s"},
    ):
        assert drawn(Setup.of(small(association=association))) == usual
    lower = drawn(Setup.of(small({"association.min_elevation_deg": 5.0})))
    assert len(lower) > len(usual)
    assert {key: lower[key] for key in usual} == usual


def test_draws_other_than_the_first_leave_it_alone():
    one, many = (drawn(Setup.of(small({"receiver.draws": draws}))) for draws in (1, 50))
    assert one == many


def test_two_precoders_meet_the_same_channel():
    """Each solves for itself, and both put the same weights on the air: then all rates are the same."""
    setup = Setup.of(small(BUSY))
    others = {name: Setup.of(small({**BUSY, "precoding.name": name})) for name in ("smrt", "ss_mmse")}
    matched = others["smrt"].precoder

    def alike(solver: Setup) -> Setup:
        def precoder(problem: PrecodingProblem) -> Precoding:
            solver.precoder(problem)
            return matched(replace(problem, start=None))

        return replace(solver, precoder=precoder)

    usual = [report.score.spectral_efficiency_bps_hz.tobytes() for report in records(alike(setup))]
    for solver in others.values():
        assert [report.score.spectral_efficiency_bps_hz.tobytes() for report in records(alike(solver))] == usual
    assert [event.handover for report in records(setup) for event in report.events] == [
        event.handover for report in records(others["smrt"]) for event in report.events
    ]


def test_recording_links_changes_no_other_table(tmp_path: Path):
    with_links, without = (
        trace_bits(run(small({**BUSY, "trace.links": flag}), tmp_path / str(flag))) for flag in (True, False)
    )
    assert set(with_links) - set(without) == {"links"}
    assert {name: with_links[name] for name in without} == without


def test_how_much_is_held_at_once_changes_no_row(monkeypatch: pytest.MonkeyPatch):
    usual = bits(small(BUSY))
    monkeypatch.setattr(sky, "CHUNK_PAIRS", 1)
    assert bits(small(BUSY)) == usual
    monkeypatch.setattr(sky, "WINDOW_EPOCHS", 3)
    assert bits(small(BUSY)) == usual


def test_the_name_of_a_run_changes_no_row():
    assert bits(small({"name": "other"})) == bits(small())


def test_how_often_rows_are_flushed_changes_none(tmp_path: Path):
    often, rarely = (trace_bits(run(small({"trace.flush": flush}), tmp_path / flush)) for flush in ("1ns", "1h"))
    assert often == rarely


def test_a_shorter_run_is_the_beginning_of_a_longer_one():
    longer, shorter = (bits(small({**BUSY, "time.duration": duration})) for duration in ("200s", "70s"))
    assert longer[:7] == shorter
