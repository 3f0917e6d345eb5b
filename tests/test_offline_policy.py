"""The bound in the loop: no policy changes less often while it serves as much."""

from functools import cache
from itertools import pairwise

import numpy as np
import pytest

from twin.catalogue import walker_delta
from twin.catalogue.tle import write_tle
from twin.errors import InputError
from twin.metrics import Run, evaluate
from twin.scenario import from_mapping
from twin.simulation.run import run

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
    changes = metrics.terminals[["hard", "service_start"]].to_numpy().sum()
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


@cache
def shells(folder):
    """A catalogue of two shells: a satellite of the lower one is received better than a higher one of the upper."""
    epoch = np.datetime64("2026-01-01T00:00:00", "ns")
    shape = {"planes": 12, "per_plane": 16, "inclination_deg": 60.0, "epoch": epoch}
    low = walker_delta(altitude_km=500.0, phasing=1, **shape)
    high = walker_delta(altitude_km=1300.0, phasing=5, first_norad_id=95_000, **shape)
    write_tle(folder / "shells.tle", [*low, *high])
    return str(folder / "shells.tle")


@cache
def served(folder, name: str, **options):
    """(T,K) who serves each terminal at each decision below two shells."""
    association = {"name": name, "every": "20s", "min_elevation_deg": 15.0, "execution": "0s", **options}
    sky = {"constellation": {"source": shells(folder)}, "time": HOUR["time"] | {"start": "2026-01-01T00:00:00Z"}}
    scenario = from_mapping(HOUR | sky | {"association": association})
    rows = run(
        scenario, folder / "-".join(["shells", name, *(f"{key}-{value}" for key, value in options.items())])
    ).terminals
    return np.array(rows["master"].fillna(-1), dtype=np.int64).reshape(-1, HOUR["terminals"]["count"])


def changes(serving) -> int:
    """Changes from one satellite to another between neighbouring decisions."""
    return sum(int(((a != b) & (a >= 0) & (b >= 0)).sum()) for a, b in pairwise(serving))


def test_where_a_handover_costs_no_rate_the_strongest_serves(folder):
    strongest = served(folder, "strongest")
    assert np.array_equal(served(folder, "offline_optimal", price_bps_hz=0.0), strongest)
    assert not np.array_equal(served(folder, "offline_optimal", price_deg=0.0), strongest)


def test_no_rate_is_worth_a_handover_at_any_price(folder):
    dear = served(folder, "offline_optimal", price_bps_hz=1e9)
    assert changes(dear) == changes(served(folder, "offline_optimal")) > 0


def test_the_dearer_a_handover_the_fewer_there_are(folder):
    count = [changes(served(folder, "offline_optimal", price_bps_hz=price)) for price in (0.0, 1.0, 4.0, 16.0, 1e9)]
    assert count == sorted(count, reverse=True)
    assert len(set(count)) > 3


def test_a_handover_has_one_price():
    options = {"name": "offline_optimal", "price_deg": 3.0, "price_bps_hz": 2.0}
    with pytest.raises(InputError, match="price_deg = 3 and price_bps_hz = 2; only one price"):
        from_mapping(HOUR | {"association": options})
