"""The scripts under analysis/ run on a trace."""

import runpy
from pathlib import Path

import pytest

import twin
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
    # one attach for each terminal in six epochs of one second
    assert table.attach.tolist() == pytest.approx([3600 / 6] * 3)
