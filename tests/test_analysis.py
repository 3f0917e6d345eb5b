"""The scripts under analysis/ run on a trace."""

import runpy
from pathlib import Path

import numpy as np
import pytest

import twin
from twin.catalogue import Walker, walker_catalogue
from twin.catalogue.tle import tle_text
from twin.scenario import from_mapping

SCRIPTS = Path(__file__).resolve().parents[1] / "analysis"


def test_first_look(tmp_path):
    disc = {"kind": "disc", "latitude_deg": 45, "longitude_deg": 10, "radius_km": 300, "count": 3}
    scenario = from_mapping({"name": "look", "time": {"duration": "6s"}, "terminals": disc, "receiver": {"draws": 2}})
    trace = twin.run(scenario, tmp_path / "trace")
    table = runpy.run_path(str(SCRIPTS / "first_look.py"))["by_terminal"](trace)
    assert list(table.index) == ["ut-00", "ut-01", "ut-02"]
    # sums over the raw rows, in the other order
    assert table.mean_mbps.mean() * 1e6 == pytest.approx(trace.terminals.rate_bps.mean(), rel=1e-12)
    # one start of service for each terminal in six epochs of one second
    assert table.service_start.tolist() == pytest.approx([3600 / 6] * 3)


@pytest.fixture(scope="module")
def study(tmp_path_factory):
    """Traces as the handover study leaves them, of a few seconds each."""
    folder = tmp_path_factory.mktemp("study")
    disc = {"kind": "disc", "latitude_deg": 45, "longitude_deg": 10, "radius_km": 300, "count": 3}
    for policy, section in {"offline_optimal": {}, "max_elevation": {}, "nearest_cluster": {"cluster_size": 2}}.items():
        for seed in (1, 2):
            tree = {"name": "walker", "seed": seed, "time": {"duration": "40s", "epoch": "10s"}, "terminals": disc}
            tree |= {
                "receiver": {"draws": 2},
                "association": {"name": policy, **section},
                "precoding": {"name": "smrt"},
            }
            twin.run(from_mapping(tree), folder / f"walker-{policy}-{seed}")
    return folder


def test_handover_study(study, tmp_path, capsys):
    runpy.run_path(str(SCRIPTS / "handover_study.py"))["main"]([str(study), "--out", str(tmp_path)])
    assert {"handover-study.csv", "handover-study.svg", "handover-study.png"} == {
        one.name for one in tmp_path.iterdir()
    }
    assert "nearest_cluster" in capsys.readouterr().out


def test_the_handover_study_counts_what_the_traces_hold(study):
    runs = runpy.run_path(str(SCRIPTS / "handover_study.py"))["collected"](study).set_index(["policy", "seed"])
    trace = twin.read_trace(study / "walker-nearest_cluster-2")
    hours = 40.0 / 3600.0
    kinds = trace.handovers.kind.value_counts()
    joins = (kinds.get("service_start", 0) - 3 + kinds.get("hard", 0) + kinds.get("add", 0)) / 3 / hours
    row = runs.loc[("nearest_cluster", 2)]
    assert row.joins_per_hour == pytest.approx(joins)
    assert row.mean_rate_mbps * 1e6 == pytest.approx(trace.terminals.rate_bps.mean(), rel=1e-12)
    assert row.active_satellites == pytest.approx(trace.epochs.active_satellites.mean())
    reference = twin.read_trace(study / "walker-max_elevation-2").terminals.rate_bps.mean()
    assert row.mean_rate_ratio == pytest.approx(trace.terminals.rate_bps.mean() / reference, rel=1e-12)
    assert (runs.loc["max_elevation", ["mean_rate_ratio", "low_rate_ratio"]] == 1.0).all(axis=None)


def test_the_handover_study_says_what_it_misses(tmp_path):
    with pytest.raises(SystemExit, match="no complete trace"):
        runpy.run_path(str(SCRIPTS / "handover_study.py"))["main"]([str(tmp_path)])


def test_the_growth_of_errors_is_found_again():
    import pandas as pd

    growth = runpy.run_path(str(SCRIPTS / "element_age.py"))["growth"]
    older = np.linspace(1.0, 7.0, 8)
    newer = older - 7.2
    table = pd.DataFrame({"older_age_d": older, "newer_age_d": newer})
    table["median_km"] = 1.7 * np.hypot(older**1.8, np.abs(newer) ** 1.8)
    coefficient, power = growth(table)
    assert (coefficient, power) == (pytest.approx(1.7, rel=0.02), pytest.approx(1.8, abs=0.011))  # steps of 0.01


def test_differences_of_two_catalogues():
    """The same satellites, a kilometre higher: they are that far apart at first, and fall behind by 0.6 km an orbit."""
    start = np.datetime64("2026-01-01T00:00:00", "ns")
    low, high = (
        walker_catalogue(
            Walker(pattern="delta", planes=3, per_plane=4, altitude_km=km, inclination_deg=53.0, phasing=1, epoch=start)
        )
        for km in (550.0, 551.0)
    )
    assert tle_text(low.sets) != tle_text(high.sets)
    differences = runpy.run_path(str(SCRIPTS / "element_age.py"))["differences"]
    table = differences(low, high, start + np.array([0, 6000]) * np.timedelta64(1, "s"))
    assert table.median_km[0] == pytest.approx(1.0, abs=0.05)
    # n falls by 3/2 of the radius' share: 1.5 * 1 / 6928 * 7.58 km/s * 6000 s
    assert table.median_km[1] == pytest.approx(np.hypot(1.0, 1.5 / 6928 * 7.58 * 6000), rel=0.05)
