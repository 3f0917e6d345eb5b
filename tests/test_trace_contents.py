"""What stands in a trace: the contract's columns, sums that agree, units, and numbers that others confirm."""

from __future__ import annotations

import importlib
import logging
import math
import textwrap
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from skyfield.api import EarthSatellite, load, wgs84

from tests.helpers.small_run import StoppedError, small, small_tree, trace_bits
from twin.catalogue import Walker, walker_text
from twin.errors import InputError
from twin.registry import of_kind
from twin.results import Trace, read_trace
from twin.results.summary import summarise
from twin.scenario import from_mapping
from twin.simulation.run import run
from twin.world.setup import Setup

COLUMNS = {
    "terminals": "epoch time terminal latitude_deg longitude_deg altitude_km se_bps_hz rate_bps sinr_db in_service"
    " serving master",
    "handovers": "epoch time terminal kind from_satellite to_satellite from_beam to_beam reason interruption_s",
    "satellites": "epoch time satellite served power_w",
    "epochs": "epoch time visible_satellites sum_se_bps_hz precoder_iterations converged",
    "links": "epoch time satellite terminal elevation_deg azimuth_deg range_km delay_s doppler_hz path_gain_db"
    " rician_k_db phase_error_rad serving",
}
NULLABLE = {"sinr_db", "master", "from_satellite", "to_satellite", "from_beam", "to_beam", "rician_k_db"}
FAST = {"time.duration": "300s", "association.min_elevation_deg": 30.0, "association.execution": "4s"}


@pytest.fixture(scope="module")
def trace(tmp_path_factory: pytest.TempPathFactory) -> Trace:
    return run(small({**FAST, "trace.links": True}), tmp_path_factory.mktemp("runs") / "trace")


# Columns and sums


def test_every_column_of_the_contract_is_there(trace: Trace):
    for table, columns in COLUMNS.items():
        frame = pd.read_parquet(trace.directory / table)
        assert set(columns.split()) <= set(frame.columns)
        assert not {name for name in frame if frame[name].isna().any()} - NULLABLE
        assert isinstance(frame["time"].dtype, pd.DatetimeTZDtype)
        assert str(frame["time"].dt.tz) == "UTC"
        assert frame["epoch"].is_monotonic_increasing


def test_one_row_for_each_epoch_and_terminal(trace: Trace):
    assert trace.epochs["epoch"].tolist() == list(range(30))
    pairs = list(zip(trace.terminals["epoch"], trace.terminals["terminal"], strict=True))
    assert pairs == [(epoch, f"ut-{number:02}") for epoch in range(30) for number in range(4)]
    start = pd.Timestamp("2026-01-01", tz="UTC")
    for name in ("terminals", "satellites", "epochs", "links"):
        frame = trace.table(name)
        assert (frame["time"] == start + pd.to_timedelta(10 * frame["epoch"], unit="s")).all()


def test_events_lie_in_their_epoch(trace: Trace):
    events = trace.handovers
    since = events["time"] - pd.Timestamp("2026-01-01", tz="UTC")
    assert (since // pd.Timedelta("10s") == events["epoch"]).all()
    assert set(events["kind"]) <= {"service_start", "service_end", "hard", "beam", "add", "drop", "master"}
    assert events["from_beam"].isna().all()
    assert events["to_beam"].isna().all()
    without_from, without_to = {"service_start", "add"}, {"service_end", "drop"}
    assert (events["from_satellite"].isna() == events["kind"].isin(without_from)).all()
    assert (events["to_satellite"].isna() == events["kind"].isin(without_to)).all()
    hard = events["kind"].isin({"service_start", "hard"})
    assert (events.loc[hard, "interruption_s"] == 4.0).all()
    assert (events.loc[~hard, "interruption_s"] == 0.0).all()


def test_sums_agree(trace: Trace):
    epochs = trace.epochs.set_index("epoch")
    by_epoch = trace.terminals.groupby("epoch")
    # the same few numbers in another order of addition
    assert np.allclose(epochs["sum_se_bps_hz"], by_epoch["se_bps_hz"].sum(), rtol=1e-14, atol=0.0)
    assert (epochs["in_service_terminals"] == by_epoch["in_service"].sum()).all()
    served = trace.terminals.explode("serving").dropna(subset="serving").groupby(["epoch", "serving"]).size()
    satellites = trace.satellites[trace.satellites["served"] > 0].set_index(["epoch", "satellite"])["served"]
    assert satellites.to_dict() == served.to_dict()
    active = served.reset_index().groupby("epoch").size().reindex(epochs.index, fill_value=0)
    assert (epochs["active_satellites"] == active).all()
    in_view = trace.links.groupby("epoch")["satellite"].nunique().reindex(epochs.index, fill_value=0)
    assert (epochs["visible_satellites"] == in_view).all()


def test_links_say_who_serves(trace: Trace):
    chosen = trace.links[trace.links["serving"]]
    from_links = set(zip(chosen["epoch"], chosen["satellite"], chosen["terminal"], strict=True))
    rows = trace.terminals
    members = {
        (epoch, int(satellite), terminal)
        for epoch, terminal, serving in zip(rows["epoch"], rows["terminal"], rows["serving"], strict=True)
        for satellite in serving
    }
    assert from_links == members
    assert (trace.links["elevation_deg"] >= 30.0 - 1e-9).all()  # arctangent against arcsine of one angle


def test_units(trace: Trace):
    rows = trace.terminals
    assert (rows["rate_bps"] == rows["se_bps_hz"] * 20e6).all()
    assert (rows["in_service"] == rows["serving"].map(len).gt(0)).all()
    assert (rows["in_service"] == rows["master"].notna()).all()
    assert not rows.loc[~rows["in_service"] & (rows["interrupted_fraction"] == 1.0), "se_bps_hz"].any()
    assert (rows["sinr_db"].notna() <= rows["in_service"]).all()
    budget_w = 10 ** (35.0 / 10) / 1e3
    assert (trace.satellites["power_w"] <= budget_w * (1 + 1e-12)).all()  # rounding of the scaling to the budget
    links = trace.links
    # one division by c
    assert np.allclose(links["delay_s"], links["range_km"] / 299_792.458, rtol=1e-15, atol=0.0)
    wavelength_m = 299_792_458.0 / 2e9
    free_db = 20.0 * np.log10(wavelength_m / (4.0 * math.pi * 1e3 * links["range_km"]))
    assert np.allclose(links["path_gain_db"], free_db, rtol=0.0, atol=1e-9)
    assert np.allclose(links["rician_k_db"], 25.0, rtol=0.0, atol=1e-9)
    assert not links["residual_delay_s"].any()
    assert not links["residual_doppler_hz"].any()


def test_links_are_as_skyfield_sees_them(trace: Trace):
    walker = Walker(
        pattern="delta",
        planes=20,
        per_plane=20,
        altitude_km=600.0,
        inclination_deg=53.0,
        phasing=1,
        epoch=np.datetime64("2026-01-01", "ns"),
    )
    text = walker_text(walker).splitlines()
    scale = load.timescale(builtin=True)
    places = trace.terminals.drop_duplicates("terminal").set_index("terminal")
    for _, row in trace.links.sample(8, random_state=1).iterrows():
        at = 3 * (row["satellite"] - 90_000)
        satellite = EarthSatellite(text[at + 1], text[at + 2], text[at], scale)
        there = places.loc[row["terminal"]]
        place = wgs84.latlon(there["latitude_deg"], there["longitude_deg"], 1e3 * there["altitude_km"])
        seen = (satellite - place).at(scale.utc(2026, 1, 1, 0, 0, 10 * row["epoch"]))
        altitude, azimuth, distance, _, _, rate = seen.frame_latlon_and_rates(place)
        # Skyfield knows UT1 - UTC, below 0.1 s: 46 m on the ground
        assert row["range_km"] == pytest.approx(distance.km, abs=0.05)
        assert row["elevation_deg"] == pytest.approx(altitude.degrees, abs=5e-3)
        assert abs((row["azimuth_deg"] - azimuth.degrees + 180) % 360 - 180) * np.cos(altitude.radians) < 5e-3
        # a metre a second at 2 GHz
        assert row["doppler_hz"] == pytest.approx(-rate.km_per_s * 1e3 / 299_792_458.0 * 2e9, abs=7.0)


def test_what_compensation_misses_when_it_knows_the_past_only(tmp_path: Path):
    # no acceleration changes by more than a few percent in 2 s: what second order leaves is below 2 m and 20 Hz
    late = run(small({**FAST, "precompensation.prediction_age": "2s", "trace.links": True}), tmp_path / "late").links
    assert 0.0 < late["residual_delay_s"].abs().max() < 2.0 / 3e8
    assert 0.0 < late["residual_doppler_hz"].abs().max() < 20.0


def test_weights_favour_their_group(tmp_path: Path):
    """Two terminals in one beam, one of them weighted a hundredfold."""
    places = [{"latitude_deg": 45.0 + step, "longitude_deg": 10.0} for step in (0.0, 0.01)]
    groups = [
        {"name": name, "kind": "list", "positions": [place], "weight": weight}
        for name, place, weight in zip(("light", "heavy"), places, (1.0, 100.0), strict=True)
    ]
    rows = run(small(terminals=groups), tmp_path / "trace").terminals.groupby("terminal")["se_bps_hz"].mean()
    assert rows["heavy"] > 2.0 * rows["light"]


# Odd runs


def test_nobody_is_ever_in_view(tmp_path: Path):
    pole = {"kind": "list", "positions": [{"latitude_deg": 89.0, "longitude_deg": 0.0}]}
    found = run(small({"trace.links": True}, terminals=pole), tmp_path / "trace")
    rows = found.terminals
    assert len(rows) == 12
    assert not rows["rate_bps"].any()
    assert not rows["in_service"].any()
    assert rows[["sinr_db", "master"]].isna().all().all()
    assert rows["serving"].map(len).sum() == 0
    assert len(found.handovers) == len(found.satellites) == len(found.links) == 0
    assert not found.epochs[["visible_satellites", "sum_se_bps_hz", "precoder_iterations"]].any().any()


def test_everybody_is_masked_in_the_middle(tmp_path: Path, caplog: pytest.LogCaptureFixture):
    with caplog.at_level(logging.WARNING):
        found = run(small({"constellation.max_element_age": "55s"}), tmp_path / "trace")
    assert found.run["status"] == "complete"
    rows = found.terminals.groupby("epoch")["in_service"].all().tolist()
    assert rows == [True] * 6 + [False] * 6
    assert (found.handovers[found.handovers["epoch"] == 6]["kind"].isin({"drop", "service_end", "master"})).all()
    assert not found.terminals[found.terminals["epoch"] > 5]["se_bps_hz"].any()
    masked = found.run["notes"]["masked"]
    assert [one["norad_id"] for one in masked] == list(range(90_000, 90_400))
    assert len([record for record in caplog.records if "masked" in record.message]) == 400


def test_a_satellite_that_fails_costs_one_satellite(tmp_path: Path, caplog: pytest.LogCaptureFixture):
    """Its elements are refused from the middle of the run on; the others serve as if it had never been there."""
    whole = Setup.of(small())
    victim = int(whole.truth.windows.at(0).norad_id[whole.truth.windows.at(0).visible.all(axis=1)][0])
    walker = Walker(
        pattern="delta",
        planes=20,
        per_plane=20,
        altitude_km=600.0,
        inclination_deg=53.0,
        phasing=1,
        epoch=np.datetime64("2026-01-01", "ns"),
    )
    lines = walker_text(walker).splitlines(keepends=True)
    at = 3 * (victim - 90_000)
    fresh = lines[:at] + lines[at + 3 :]
    (tmp_path / "fresh.tle").write_text("".join(lines[:at] + _doomed(lines[at : at + 3]) + lines[at + 3 :]))
    (tmp_path / "without.tle").write_text("".join(fresh))
    with caplog.at_level(logging.WARNING):
        found = run(small({"constellation": {"source": str(tmp_path / "fresh.tle")}}), tmp_path / "trace")
    spared = run(small({"constellation": {"source": str(tmp_path / "without.tle")}}), tmp_path / "spared")
    (note,) = found.run["notes"]["masked"]
    assert note["norad_id"] == victim
    assert len([record for record in caplog.records if str(victim) in record.message]) == 1
    served = found.terminals.explode("serving")
    last = int(served.loc[served["serving"] == victim, "epoch"].max())
    assert 0 <= last < 11
    after = [(frame["epoch"] > last + 1, frame) for frame in (found.terminals, spared.terminals)]
    members = [frame.loc[rows, "serving"].map(list).tolist() for rows, frame in after]
    assert members[0] == members[1]
    assert found.terminals["in_service"].all()


def _doomed(lines: list[str]) -> list[str]:
    """The set with a drag term so large that SGP4 gives up within minutes."""
    name, one, two = lines
    one = one[:53] + " 99999+9" + one[61:68]
    digits = sum(int(mark) if mark.isdigit() else mark == "-" for mark in one)
    return [name, f"{one}{digits % 10}\n", two]


# Who is there, and what was tried


def test_means_are_over_the_time_in_which_a_terminal_is_there(tmp_path: Path):
    absences = [
        {"kind": "absence", "terminals": "ut-01", "from": "64s"},
        {"kind": "absence", "terminals": "ut-02", "until": "30s"},
        {"kind": "absence", "terminals": ["ut-03"]},
    ]
    trace = run(small(events=absences), tmp_path / "trace")
    found = summarise(tmp_path / "trace")
    rows = trace.terminals.groupby("terminal")
    assert rows["present"].sum().tolist() == [12, 6, 9, 0]
    assert found.present.tolist() == pytest.approx([1.0, 64 / 120, 0.75, 0.0], rel=1e-12)  # sums of a few shares
    whole = rows["rate_bps"].mean().to_numpy()
    assert found.rate_bps[:3] == pytest.approx(whole[:3] / [1.0, 64 / 120, 0.75], rel=1e-12)
    assert found.rate_bps[3] == whole[3] == 0.0
    assert found.mean_rate_bps == pytest.approx(found.rate_bps[:3].mean(), rel=1e-12)
    assert found.low_rate_bps == pytest.approx(np.percentile(found.rate_bps[:3], 5.0), rel=1e-12)
    assert found.sum_spectral_efficiency_bps_hz == pytest.approx(trace.epochs["sum_se_bps_hz"].mean(), rel=1e-12)
    assert found.in_service == trace.terminals["in_service"].sum() / 27
    hours = 120.0 * (1.0 + 64 / 120 + 0.75) / 3600.0
    for kind, count in found.handovers.items():
        assert found.handover_rate(kind) == pytest.approx(count / hours, rel=1e-12)
    assert found.handovers["service_start"] > 0
    gone = trace.terminals[~trace.terminals["present"]]
    assert not gone["in_service"].any()
    assert not trace.terminals.loc[trace.terminals["present_fraction"] == 0.0, "rate_bps"].any()


def test_nobody_is_ever_there(tmp_path: Path):
    run(small(events={"kind": "absence", "terminals": "ut"}), tmp_path / "trace")
    found = summarise(tmp_path / "trace")
    assert found.mean_rate_bps == found.low_rate_bps == found.in_service == found.interrupted == 0.0
    assert found.handover_rate("service_start") == 0.0


def test_attempts_and_candidates_are_tables(tmp_path: Path, trace: Trace):
    changes = {"trace.candidates": True, "association.every": "20s", "association.preparation": "3s"}
    found = run(small(changes), tmp_path / "trace")
    attempts, candidates = found.attempts, found.candidates
    assert set(attempts["outcome"]) == {"executed"}
    assert (attempts["begun"] - attempts["decided"] == pd.Timedelta("3s")).all()
    assert (attempts["time"] == attempts["begun"]).all()
    assert str(attempts["decided"].dt.tz) == "UTC"
    changed = found.handovers[found.handovers["reason"] == "nearest_cluster"]
    assert set(zip(changed["time"], changed["terminal"], strict=True)) <= set(
        zip(attempts["time"], attempts["terminal"], strict=True)
    )
    assert set(candidates["epoch"]) == {0, 2, 4, 6, 8, 10}
    chosen = candidates[candidates["chosen"]].groupby(["epoch", "terminal"])["satellite"].agg(sorted)
    for one in attempts.itertuples():
        at = (one.decided - pd.Timestamp("2026-01-01", tz="UTC")) // pd.Timedelta("10s")
        assert list(one.to_satellites) == chosen[at, one.terminal]
    assert (candidates["elevation_deg"] >= 20.0 - 1e-9).all()
    with pytest.raises(InputError, match=r"candidates were not recorded; run with trace\.candidates = true"):
        _ = trace.candidates


# Models of one's own

PLUGIN = '''
"""A precoder and a policy of one's own."""

from typing import Annotated

import numpy as np
from annotated_types import Gt

from twin.association import Assignment, policies
from twin.precoding import AntennaWeights, Precoding, precoders
from twin.registry import dataclass_options


@dataclass_options
class HalfOptions:
    """How much."""

    share: Annotated[float, Gt(0.0)] = 0.5
    """Share of the budget that is used."""


@precoders.register("half_the_power", source="ours", options=HalfOptions)
def half_the_power(problem, *, options):
    """Matched filters at half power, antenna by antenna."""
    load = np.maximum(problem.serving.sum(axis=1), 1)
    amplitude = np.sqrt(options.share * problem.power_w / load)[:, None] * problem.serving
    weights = (amplitude[..., None] * problem.csi.steering().conj())[..., None]
    made = AntennaWeights(norad_id=problem.csi.norad_id, array=problem.csi.array, weights=weights)
    return Precoding(weights=made, iterations=np.int64(1), converged=np.bool_(True))


@precoders.register("broken", source="ours")
def broken(problem, *, options):
    """Not a number from the third solution on."""
    made = half_the_power(problem, options=HalfOptions())
    if problem.start is not None:
        made.weights.weights[..., 0, 0] = np.nan
    return made


@policies.register("lowest", source="ours")
def lowest(view, *, options):
    """The lowest satellite in view, and a count of decisions."""
    elevation = np.where(view.visible, view.elevation_deg, np.inf)
    served = view.visible.any(axis=0)
    row = elevation.argmin(axis=0) if len(elevation) else np.zeros(len(served), dtype=int)
    serving = np.zeros(view.visible.shape, dtype=bool)
    serving[row[served], np.flatnonzero(served)] = True
    count = view.memory.get("count", np.zeros(1)) + 1
    return Assignment(serving=serving, master=np.where(served, row, -1), memory={"count": count})
'''


@pytest.fixture
def plugin(tmp_path: Path) -> Iterator[Path]:
    registries = [of_kind("precoder"), of_kind("policy")]
    before = [dict(registry._entries) for registry in registries]
    path = tmp_path / "mine.py"
    path.write_text(textwrap.dedent(PLUGIN))
    yield path
    for registry, entries in zip(registries, before, strict=True):
        registry._entries.clear()
        registry._entries.update(entries)
    importlib.invalidate_caches()


def of_ones_own(plugin: Path, **changes: Any) -> Any:
    own = {"plugins": [str(plugin)], "association": {"name": "lowest", "min_elevation_deg": 20.0}}
    return from_mapping(small_tree({**own, **changes}))


def test_a_precoder_and_a_policy_of_ones_own(tmp_path: Path, plugin: Path):
    scenario = of_ones_own(plugin, precoding={"name": "half_the_power", "share": 0.25}, **{"trace.flush": "1ns"})
    whole = run(scenario, tmp_path / "whole")
    assert whole.run["scenario"]["precoding"]["share"] == 0.25
    assert whole.terminals["in_service"].all()
    assert whole.terminals["se_bps_hz"].gt(0.0).all()
    serving = whole.satellites[whole.satellites["served"] > 0]
    # rounding of sums over sixteen antennas
    assert np.allclose(serving["power_w"], 0.25 * 10 ** (35.0 / 10) / 1e3, rtol=1e-12, atol=0.0)
    assert whole.epochs["converged"].all()

    def stop(done: int, _: int) -> None:
        if done in (4, 5, 9):
            raise StoppedError

    parts = tmp_path / "parts"
    for attempt in range(3):
        with pytest.raises(StoppedError):
            run(scenario, parts, resume=attempt > 0, progress=stop if not attempt else _at((5, 9)[attempt - 1]))
    assert trace_bits(run(scenario, parts, resume=True)) == trace_bits(whole)


def _at(epoch: int) -> Any:
    def stop(done: int, _: int) -> None:
        if done == epoch:
            raise StoppedError

    return stop


def test_weights_that_are_no_numbers_are_refused(tmp_path: Path, plugin: Path):
    with pytest.raises(InputError, match=r'precoder "broken".* gave weights that are not finite'):
        run(of_ones_own(plugin, precoding="broken"), tmp_path / "trace")
    assert read_trace(tmp_path / "trace").run["status"] in ("running", "interrupted")


def test_the_runs_own_record(trace: Trace):
    record = trace.run
    assert (record["status"], record["last_durable_epoch"], record["epochs"]) == ("complete", 29, 30)
    assert record["seed"] == 5
    assert record["notes"]["masked"] == []
    assert from_mapping(small_tree({**FAST, "trace.links": True})).digest() == record["scenario_sha256"]
