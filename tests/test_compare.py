"""Precoders side by side."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

import twin
from tests.helpers.small_run import small_tree
from twin.cli.entry import main
from twin.errors import InputError
from twin.registry import of_kind
from twin.scenario import from_mapping, with_precoder
from twin.simulation.compare import as_frame, compare, compare_setup
from twin.world.setup import Setup

TREE = {
    "name": "pair",
    "time": {"duration": "20s", "epoch": "2s"},
    "satellites": {"array": {"rows": 6, "columns": 6, "element_gain_dbi": 6.0}},
    "terminals": {"kind": "disc", "latitude_deg": 45, "longitude_deg": 10, "radius_km": 400, "count": 5},
    "association": {"every": "10s", "cluster_size": 3, "execution": "500ms"},
    "precoding": {"name": "ms_jo_cdwmmse", "iterations": 4},
    "receiver": {"draws": 3},
}


@pytest.fixture(scope="module")
def scores():
    setup = Setup.of(from_mapping(TREE))
    return {score.precoder: score for score in compare_setup(setup, of_kind("precoder").names())}


@pytest.mark.parametrize("name", ["ms_jo_cdwmmse", "smrt", "ss_mmse"])
def test_a_score_is_that_of_the_run(scores, name, tmp_path):
    trace = twin.run(with_precoder(from_mapping(TREE), name), tmp_path / "trace")
    mean = trace.terminals.groupby("terminal").se_bps_hz.mean().to_numpy()
    score = scores[name]
    # the same numbers, summed in another order
    assert score.sum_se_bps_hz == pytest.approx(mean.sum(), rel=1e-12)
    assert score.low_se_bps_hz == pytest.approx(np.percentile(mean, 5), rel=1e-12)
    assert score.least_se_bps_hz == pytest.approx(mean.min(), rel=1e-12)
    assert score.jain_index == pytest.approx(mean.sum() ** 2 / (5 * (mean**2).sum()), rel=1e-12)
    spent = trace.satellites[trace.satellites.power_w > 0]
    budget_w = 10**0.5  # 35 dBm
    assert score.power_share == pytest.approx(spent.power_w.mean() / budget_w, rel=1e-12)


def test_a_single_satellite_feeds_each_terminal_once_and_clusters_feed_it_often(scores):
    # serving pairs with power: three satellites for each of five terminals, or the master alone
    assert scores["smrt"].fronthaul_streams > scores["ss_smrt"].fronthaul_streams
    assert all(0.0 < score.power_share <= 1.0 + 1e-9 for score in scores.values())
    assert all(0.2 <= score.jain_index <= 1.0 for score in scores.values())


def test_options_stay_with_their_own_precoder():
    scenario = from_mapping(TREE)
    assert with_precoder(scenario, "ms_jo_cdwmmse") is scenario
    other = with_precoder(scenario, "ms_jo_wmmse").precoding
    assert (other.name, other.options().iterations, other.every) == ("ms_jo_wmmse", 10, scenario.precoding.every)


def test_an_unknown_name_is_refused_before_anything_runs():
    setup = Setup.of(from_mapping(TREE))
    with pytest.raises(InputError, match=r'^"smtr" is no precoder; did you mean "smrt"\?'):
        compare_setup(replace(setup, outages=None), ["smrt", "smtr"])


def test_the_command_prints_and_saves_one_table(tmp_path, capsys):
    path = tmp_path / "pair.toml"
    path.write_text(
        'name = "pair"\n[time]\nduration = "2s"\n[terminals]\nkind = "disc"\nlatitude_deg = 45\n'
        "longitude_deg = 10\nradius_km = 300\ncount = 3\n[receiver]\ndraws = 2\n"
    )
    saved = tmp_path / "table.csv"
    words = ["compare", str(path), "--precoder", "smrt", "--precoder", "szf", "--out", str(saved), "--quiet"]
    assert main(words) == 0
    out, err = capsys.readouterr()
    assert err == ""
    assert out.splitlines()[-1] == str(saved)
    table = pd.read_csv(saved)
    assert table.precoder.tolist() == ["smrt", "szf"]
    assert list(table.columns) == list(as_frame([]).columns)
    assert len(out.splitlines()) == 4
    assert main(["compare", str(path)]) == 2
    assert capsys.readouterr().err == (
        "twin: error: twin compare: at least one --precoder is needed; twin precoders lists them\n"
    )


def test_a_terminal_counts_while_it_is_there(tmp_path):
    absences = [
        {"kind": "absence", "terminals": ["ut-01"], "from": "7s"},
        {"kind": "absence", "terminals": ["ut-02"], "until": "10s"},
        {"kind": "absence", "terminals": ["ut-03"]},
    ]
    scenario = from_mapping(TREE | {"events": absences, "precoding": {"name": "smrt"}})
    score = compare(scenario, ["smrt"])[0]
    trace = twin.run(scenario, tmp_path / "trace")
    by = trace.terminals.groupby("terminal")[["se_bps_hz", "present_fraction"]].sum()
    assert by["present_fraction"].tolist() == [10.0, 3.5, 5.0, 0.0, 10.0]
    mean = (by["se_bps_hz"] / by["present_fraction"]).dropna().to_numpy()
    assert len(mean) == 4
    # the same numbers, summed in another order
    assert score.sum_se_bps_hz == pytest.approx(trace.epochs["sum_se_bps_hz"].mean(), rel=1e-12)
    assert score.low_se_bps_hz == pytest.approx(np.percentile(mean, 5), rel=1e-12)
    assert score.least_se_bps_hz == pytest.approx(mean.min(), rel=1e-12)
    assert score.jain_index == pytest.approx(mean.sum() ** 2 / (4 * (mean**2).sum()), rel=1e-12)


def test_where_nobody_is_ever_there_nobody_gets_anything():
    scenario = from_mapping(TREE | {"events": {"kind": "absence", "terminals": "ut"}, "precoding": {"name": "smrt"}})
    score = compare(scenario, ["smrt"])[0]
    assert (score.sum_se_bps_hz, score.low_se_bps_hz, score.least_se_bps_hz, score.jain_index) == (0.0, 0.0, 0.0, 0.0)


def test_a_comparison_takes_what_a_run_takes(tmp_path):
    tree = small_tree()
    short = {"time.duration": "20s"}
    scores = [compare(tree, ["smrt"], overrides=short), compare(twin.load_scenario(tree, short), ["smrt"])]
    for (score,) in scores:
        assert score.sum_se_bps_hz == scores[0][0].sum_se_bps_hz > 0.0
    with pytest.raises(TypeError, match="load_scenario"):
        compare(twin.load_scenario(tree), ["smrt"], overrides=short)
