"""Satellites that reach few terminals: the compact form gives what the dense one gives."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from twin import arrays as reach
from twin.arrays import Reach
from twin.registry import of_kind
from twin.scenario import from_mapping
from twin.simulation.run import run

WORLD = {
    "name": "world",
    "time": {"duration": "3s"},
    "constellation": {"walker": {"planes": 12, "per_plane": 12, "altitude_km": 700.0}},
    "satellites": {"array": {"rows": 6, "columns": 5, "element_gain_dbi": 6.0}},
    "terminals": {
        "kind": "grid",
        "latitude_deg": [0.0, 36.0],
        "longitude_deg": [-60.0, 60.0],
        "step_deg": 12.0,
    },
    "association": {"cluster_size": 2, "min_elevation_deg": 5.0},
    "receiver": {"draws": 3},
}


@pytest.mark.parametrize("precoder", of_kind("precoder").names())
@pytest.mark.parametrize(("interference", "columns"), [("independent", 1), ("coherent", 2)])
def test_compact_and_dense_runs_agree(tmp_path, monkeypatch, precoder, interference, columns):
    # cold starts: coefficients over more directions than antennas are not unique, and a warm start carries them on
    light = {"samples": 6, "iterations": 2} if hasattr(of_kind("precoder")[precoder].options(), "samples") else {}
    world = WORLD | {"precoding": {"name": precoder, "restart_epochs": 1} | light}
    world["receiver"] = {"draws": 3, "interference": interference}
    world["terminals"] = WORLD["terminals"] | {"antenna": {"columns": columns}}
    compact = run(from_mapping(world), tmp_path / "compact")
    monkeypatch.setattr(reach, "WHOLE_FRACTION", 0.0)
    dense = run(from_mapping(world), tmp_path / "dense")
    assert compact.terminals.in_service.any()
    # sums in another order, through an iteration that magnifies rounding a little
    for table in ("terminals", "satellites", "epochs"):
        pd.testing.assert_frame_equal(getattr(compact, table), getattr(dense, table), rtol=1e-7, atol=1e-9)


linked = arrays(np.bool_, st.tuples(st.integers(0, 4), st.integers(1, 20)))


@given(linked)
def test_spread_undoes_gathered_on_links(links):
    held = Reach.of(links)
    values = np.arange(1.0, links.size + 1).reshape(links.shape)
    back = held.scatter(held.gather(values * links))
    np.testing.assert_array_equal(back, values * links)


@given(linked)
def test_sums_over_satellites(links):
    held = Reach.of(links)
    values = np.arange(1.0, 2 * links.size + 1).reshape(*links.shape, 2) * links[..., None]
    # integers well below 2^53: exact in any order
    np.testing.assert_array_equal(held.sum_by_terminal(held.gather(values)), values.sum(axis=0))


@given(linked, st.integers(0, 2**32 - 1))
def test_positions_find_the_same_terminal(links, seed):
    held, other = Reach.of(links), Reach.of(np.random.default_rng(seed).random(links.shape) < 0.3)
    place = held.positions(other)
    for row, columns in enumerate(place):
        for column, found in enumerate(columns):
            terminal = held.terminal[row, column]
            if found >= 0:
                assert other.terminal[row, found] == terminal
            else:
                assert terminal == held.terminals or terminal not in other.terminal[row]
