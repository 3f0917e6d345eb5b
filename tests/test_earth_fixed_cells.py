"""Cells on the Earth: the grid, and who serves them, against words and brute force."""

from dataclasses import replace

import numpy as np
import pytest

from tests.helpers.views import decide, driver, members, view_of
from twin.association.toolkit.cells import CellGrid
from twin.radio.channel.beam_numbers import FIRST_CELL


def on_sphere(latitude_deg, longitude_deg):
    latitude, longitude = np.radians(latitude_deg), np.radians(longitude_deg)
    return np.stack(
        [np.cos(latitude) * np.cos(longitude), np.cos(latitude) * np.sin(longitude), np.sin(latitude)], axis=-1
    )


def anywhere(seed, count):
    """Places spread evenly over the sphere."""
    rng = np.random.default_rng(seed)
    return np.degrees(np.arcsin(rng.uniform(-1, 1, count))), rng.uniform(-180, 180, count)


@pytest.mark.parametrize("diameter_km", [20.0, 50.0, 333.3, 2000.0])
def test_every_place_is_near_the_centre_of_its_cell(diameter_km):
    grid = CellGrid(diameter_km=diameter_km)
    latitude, longitude = anywhere(1, 20_000)
    number = grid.number(latitude, longitude)
    centre = on_sphere(*grid.centre_deg(number))
    apart_km = 2.0 * 6371.0 * np.arcsin(0.5 * np.linalg.norm(on_sphere(latitude, longitude) - centre, axis=1))
    height_km = np.radians(grid.height_deg) * 6371.0
    # the meridian has a whole number of parts
    assert height_km == pytest.approx(diameter_km, rel=0.51 * diameter_km / 20_000.0)
    # the cells that lie furthest out, six about a pole, reach from half a height to one and a half from the pole: their
    # corners are √(1 + 1.5² - 3 cos 30°) = 0.807 heights from their centres; those of a square 0.707
    assert 0.7 * height_km < apart_km.max() < 0.81 * height_km
    assert number.min() >= 0
    assert number.max() < grid.counts.sum()


@pytest.mark.parametrize("diameter_km", [300.0, 1000.0, 7000.0, 20_000.0])
def test_cells_are_numbered_without_gaps_and_hold_their_centres(diameter_km):
    grid = CellGrid(diameter_km=diameter_km)
    every = np.arange(grid.counts.sum())
    np.testing.assert_array_equal(grid.number(*grid.centre_deg(every)), every)
    np.testing.assert_array_equal(grid.counts, grid.counts[::-1])


def test_cells_are_alike_all_over_the_globe():
    grid = CellGrid(diameter_km=200.0)
    found = np.bincount(grid.number(*anywhere(2, 2_000_000)), minlength=grid.counts.sum())
    share = found / found.sum() * 4.0 * np.pi * 6371.0**2 / 200.0**2
    # about 156 places a cell: a standard deviation of 8 %
    assert share.mean() == pytest.approx(1.0, abs=0.01)
    assert share[[0, -1]] == pytest.approx(np.pi / 4.0, rel=0.35)
    assert share[1:-1].min() > 0.6
    assert share[1:-1].max() < 1.45


def test_poles_and_the_date_line_are_no_seams():
    grid = CellGrid(diameter_km=50.0)
    around = np.linspace(-180.0, 180.0, 73)
    for pole, last in ((-90.0, 0), (90.0, grid.counts.sum() - 1)):
        assert set(grid.number(np.full(73, pole), around).tolist()) == {last}
        assert set(grid.number(np.full(73, pole * (1 - 1e-3)), around).tolist()) == {last}
    latitude = np.linspace(-89.0, 89.0, 400)
    east, west = np.full(400, 180.0), np.full(400, -180.0)
    np.testing.assert_array_equal(grid.number(latitude, east), grid.number(latitude, west))
    # from one side of the line to the other the number rises by one at most: the numbers begin at longitude 0
    step = grid.number(latitude, west + 1e-6) - grid.number(latitude, east - 1e-6)
    assert set(step.tolist()) == {0, 1}
    # a longitude that a remainder rounds to 360
    last = grid.number(np.array([10.0]), np.array([-1e-3]))
    np.testing.assert_array_equal(grid.number(np.array([10.0]), np.array([-1e-17])), last)


GRID = {"cells": "earth_fixed", "cell_diameter_km": 500.0}


def cell_of(latitude_deg, longitude_deg, diameter_km=500.0):
    grid = CellGrid(diameter_km=diameter_km)
    return FIRST_CELL + grid.number(np.asarray(latitude_deg, float), np.asarray(longitude_deg, float))


def cells_word_by_word(view, number, hysteresis_db=0.0):
    """The satellite of each cell without a limit of capacity: for each cell, over each satellite."""
    level_db = 10.0 * np.log10(view.mean_gain())
    wanted = np.full(len(number), -1)
    for cell in set(number.tolist()):
        own = [k for k in np.flatnonzero(number == cell) if view.visible[:, k].any()]
        whole = [v for v in range(len(level_db)) if own and view.visible[v, own].all()]
        some = whole or [v for v in range(len(level_db)) if view.visible[v, own].any()]
        if some:
            serves = {int(view.master[k]) for k in own}
            rank = [level_db[v, own].mean() + hysteresis_db * (v in serves) for v in some]
            wanted[own] = [
                some[int(np.argmax(rank))] if view.visible[some[int(np.argmax(rank))], k] else -1 for k in own
            ]
    return wanted


@pytest.mark.parametrize("seed", range(30))
def test_each_cell_has_the_satellite_that_it_receives_best_as_a_whole(seed):
    rng = np.random.default_rng(seed)
    satellites, terminals = int(rng.integers(1, 8)), int(rng.integers(1, 25))
    latitude, longitude = rng.uniform(40, 52, terminals), rng.uniform(175, 195, terminals)
    lead = rng.integers(-1, satellites, terminals)
    visible = rng.random((satellites, terminals)) < 0.8
    lead = np.where(visible[lead, np.arange(terminals)], lead, -1)
    serving = np.arange(satellites)[:, None] == lead
    view = view_of(
        snr_db=rng.uniform(0, 20, (satellites, terminals)),
        visible=visible,
        latitude_deg=latitude,
        longitude_deg=(longitude + 180.0) % 360.0 - 180.0,
        serving=serving,
        master=lead,
    )
    number = cell_of(latitude, longitude)
    for hysteresis_db in (0.0, 4.0):
        made = decide("spot_beam", view, **GRID, hysteresis_db=hysteresis_db)
        wanted = cells_word_by_word(view, number, hysteresis_db)
        np.testing.assert_array_equal(made.master, wanted)
        np.testing.assert_array_equal(made.beam, np.where(wanted >= 0, number, -1))
    # however satellites and terminals are named, and whatever stands beside them
    kept = rng.permutation(terminals)
    turned = replace(
        view,
        norad_id=view.norad_id + 7,
        serving=serving[:, kept],
        master=lead[kept],
        visible=visible[:, kept],
        terminal_latitude_deg=view.terminal_latitude_deg[kept],
        terminal_longitude_deg=view.terminal_longitude_deg[kept],
        mean_gain=lambda: view.mean_gain()[:, kept],
    )
    again = decide("spot_beam", turned, **GRID, hysteresis_db=4.0)
    np.testing.assert_array_equal(again.serving, made.serving[:, kept])
    np.testing.assert_array_equal(again.beam, made.beam[kept])


TWO_CELLS = {"latitude_deg": [0.0, 0.0, 0.0, 0.0, 0.0], "longitude_deg": [1.0, 1.1, 1.2, 11.0, 11.1]}
"""Three terminals in one cell, two in another."""


def test_capacity_moves_cells_as_a_whole():
    snr_db = [[9.0, 9.0, 9.0, 8.0, 8.0], [1.0, 1.0, 1.0, 2.0, 2.0], [0.0] * 5]
    assert members(decide("spot_beam", view_of(snr_db=snr_db, **TWO_CELLS), **GRID)) == [{0}] * 5
    sky = {"snr_db": snr_db, **TWO_CELLS}
    assert members(decide("spot_beam", view_of(**sky, capacity=5), **GRID)) == [{0}] * 5
    assert members(decide("spot_beam", view_of(**sky, capacity=4), **GRID)) == [{0}] * 3 + [{1}] * 2
    # the larger cell fits nowhere: the smaller one is served as a whole, the strongest of the other by who is left
    sky["snr_db"] = [[9.0, 9.5, 9.1, 8.0, 8.0], [1.0, 1.4, 1.5, 2.0, 2.0], [0.0] * 5]
    assert members(decide("spot_beam", view_of(**sky, capacity=2), **GRID)) == [set(), {1}, {1}, {0}, {0}]
    made = decide("spot_beam", view_of(**sky, capacity=3), **GRID)
    assert members(made) == [{0}] * 3 + [{1}] * 2
    # alone with two cells, it gives the one that it cannot serve as a whole what is left
    only = {**sky, "snr_db": [[9.0, 9.5, 9.1, 2.0, 2.0]]}
    assert members(decide("spot_beam", view_of(**only, capacity=4), **GRID)) == [{0}] * 4 + [set()]
    only = {**sky, "snr_db": [[9.0, 9.5, 9.1, 12.0, 12.0]]}
    assert members(decide("spot_beam", view_of(**only, capacity=4), **GRID)) == [set(), {0}, {0}, {0}, {0}]
    # however strong those are whose cell it cannot serve as a whole
    weak = {name: each[:4] for name, each in TWO_CELLS.items()}
    made = decide("spot_beam", view_of(snr_db=[[9.0, 9.5, 9.1, 2.0]], **weak, capacity=2), **GRID)
    assert members(made) == [set(), {0}, set(), {0}]


@pytest.mark.parametrize("seed", range(40))
def test_within_capacity_no_cell_is_left_that_a_satellite_has_room_for(seed):
    rng = np.random.default_rng(seed)
    satellites, terminals, capacity = int(rng.integers(1, 6)), int(rng.integers(1, 20)), int(rng.integers(1, 6))
    latitude, longitude = rng.uniform(-6, 6, terminals), rng.uniform(-8, 8, terminals)
    visible = rng.random((satellites, terminals)) < 0.8
    snr_db = rng.uniform(0, 20, (satellites, terminals))
    sky = {"visible": visible, "latitude_deg": latitude, "longitude_deg": longitude, "capacity": capacity}
    made = decide("spot_beam", view_of(snr_db=snr_db, **sky), **GRID)
    load = made.serving.sum(axis=1)
    assert load.max() <= capacity
    assert made.serving.sum(axis=0).max() <= 1
    number = cell_of(latitude, longitude)
    for cell in set(number.tolist()):
        own = number == cell
        serves = np.flatnonzero(made.serving[:, own].any(axis=1))
        assert len(serves) <= 1
        there = visible[:, own].any(axis=0)
        whole = visible[:, own][:, there].all(axis=1) if there.any() else np.zeros(satellites, bool)
        eligible = whole if whole.any() else visible[:, own].any(axis=1)
        size = visible[:, own].sum(axis=1)
        if not len(serves):
            assert (load[eligible] == capacity).all()
        elif made.serving[serves[0], own].sum() < size[serves[0]]:
            assert load[serves[0]] == capacity
            assert not (eligible & (load + size <= capacity)).any()


def test_a_terminal_that_enters_a_cell_takes_its_satellite_and_beam():
    run = driver("spot_beam", **GRID, hysteresis_db=3.0)

    def step(longitude, snr_db):
        return run.step(snr_db=snr_db, latitude_deg=[0.0, 0.0], longitude_deg=[longitude, 11.0])

    made = step(6.0, [[5.0, 0.0], [0.0, 5.0]])
    home, away = cell_of([0.0, 0.0], [6.0, 11.0])
    assert made.reason.tolist() == ["initial access"] * 2
    assert (made.master.tolist(), made.beam.tolist()) == ([0, 1], [home, away])
    # in the other cell, and the first satellite is the better one for both, by less than the hysteresis
    made = step(10.0, [[6.0, 6.0], [4.0, 4.0]])
    assert (made.master.tolist(), made.beam.tolist()) == ([1, 1], [away, away])
    assert made.reason.tolist()[0] == "cell entered"
    # both are there now, and the cell goes over as a whole
    made = step(10.0, [[7.1, 7.1], [4.0, 4.0]])
    assert (made.master.tolist(), made.beam.tolist()) == ([0, 0], [away, away])
    assert made.reason.tolist() == ["cell handed over"] * 2
    # alone, it keeps its satellite within the hysteresis across the border
    made = step(6.0, [[4.0, 4.0], [6.0, 6.0]])
    assert (made.master.tolist(), made.beam.tolist()) == ([0, 0], [home, away])
    # the cell's satellite has set
    made = run.step(
        snr_db=[[9.0, 9.0], [0.0, 0.0]],
        latitude_deg=[0.0, 0.0],
        longitude_deg=[6.0, 11.0],
        visible=[[0, 1], [1, 1]],
    )
    assert made.reason.tolist()[0] == "re-establishment"
    assert made.master.tolist() == [1, 0]


def test_a_terminal_that_sees_nobody_has_no_say_in_its_cell():
    sky = {"snr_db": [[5.0, -60.0], [4.0, 60.0]], "latitude_deg": [0.0, 0.0], "longitude_deg": [1.0, 1.0]}
    assert members(decide("spot_beam", view_of(**sky), **GRID)) == [{1}, {1}]
    made = decide("spot_beam", view_of(**sky, visible=[[1, 0], [1, 0]]), **GRID)
    assert members(made) == [{0}, set()]
    assert made.beam.tolist() == [cell_of(0.0, 1.0), -1]
