"""The bound in the loop: no policy changes less often while it serves as much."""

from functools import cache

import pytest

from twin.job import run
from twin.metrics import Run, evaluate
from twin.scenario import from_mapping

HOUR = {
    "name": "hour",
    "time": {"duration": "40min", "epoch": "20s"},
    "constellation": {"walker": {"planes": 16, "per_plane": 20, "altitude_km": 700.0}},
    "satellites": {"array": {"rows": 4, "columns": 4}},
    "terminals": {"kind": "disc", "latitude_deg": 40.0, "longitude_deg": 10.0, "radius_km": 900.0, "count": 10},
    "precoding": {"name": "ss_smrt"},
    "receiver": {"draws": 2},
}


@cache
def totals(folder, policy: str) -> tuple[float, float]:
    """Times that a terminal was given another satellite, and availability."""
    association = {"name": policy, "every": "20s", "min_elevation_deg": 15.0, "execution": "0s"}
    metrics = evaluate(Run.of(run(from_mapping(HOUR | {"association": association}), folder / policy)))
    changes = metrics.terminals[["satellite", "attach"]].to_numpy().sum()
    return float(changes), float(metrics.terminals["served_epochs"].mean())


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("bound")


@pytest.mark.parametrize("policy", ["max_elevation", "strongest", "a3", "longest_visibility", "d2", "load_balanced"])
def test_no_policy_changes_less_often_and_serves_as_much(folder, policy):
    least, most = totals(folder, "offline_optimal")
    changes, served = totals(folder, policy)
    assert 0.0 < served <= most + 1e-12
    # who leaves a terminal without service has nothing to hand over there
    assert changes >= least or served < most


def test_the_bound_is_not_trivial(folder):
    least, _ = totals(folder, "offline_optimal")
    changes, _ = totals(folder, "max_elevation")
    assert 0.0 < least < changes
