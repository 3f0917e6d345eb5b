"""Spot beams against the literal ones."""

from dataclasses import replace

import numpy as np
import pytest

from tests.helpers.p5_problem import CELL_FREE, cell_free_problem
from tests.helpers.small_run import records, records_with_stops, rows_of, small
from tests.literal import p5_precoders
from twin.association.toolkit.cells import CellGrid
from twin.errors import InputError
from twin.precoding.beamspace.spot_beam import spot_beam, spot_directions
from twin.radio.channel.beam_numbers import FIRST_CELL
from twin.registry import NoOptions, of_kind
from twin.results import TABLES
from twin.world.setup import Setup


@pytest.mark.parametrize("scene", CELL_FREE)
def test_spot_beams_are_the_literal_ones(scene):
    given = CELL_FREE[scene]
    problem = cell_free_problem(given)
    beams = problem.csi.array.steering(spot_directions(problem.csi.array)).conj()
    expected, satellite, _ = p5_precoders.spot_beams(**given.weighted(), beams=beams)
    found = spot_beam(problem, options=NoOptions()).weights
    # beams that are alike to a terminal, or no element to tell them apart: the power is the same
    np.testing.assert_allclose(found.power_w(), (np.abs(expected) ** 2).sum(axis=2), rtol=1e-9, atol=1e-15)
    served = np.flatnonzero((satellite >= 0) & found.power_w().any(axis=0))
    received = np.abs(np.einsum("skn,skn->sk", given.v, found.antenna()[..., 0]))
    literal = np.abs(np.einsum("skn,skn->sk", given.v, expected))
    np.testing.assert_allclose(received[:, served], literal[:, served], rtol=1e-9, atol=1e-14)


def test_grids_are_orthogonal_and_symmetric():
    array = cell_free_problem(CELL_FREE["plain_0"]).csi.array
    directions = spot_directions(array)
    # rounding of sines
    np.testing.assert_allclose(array.gram(directions), np.eye(array.elements), atol=1e-14)
    np.testing.assert_allclose(directions.sum(axis=0), 0.0, atol=1e-12)


def test_a_policy_says_which_beam_of_the_master_it_is():
    problem = cell_free_problem(CELL_FREE["plain_0"])
    beam = np.array([3, 3, -1, 0, 7])
    weights = spot_beam(replace(problem, beam=beam, power_fraction=None), options=NoOptions()).weights
    assert not weights.power_w()[:, 2].any()
    expected = problem.csi.array.steering(spot_directions(problem.csi.array))[beam].conj()
    for k in (0, 1, 3, 4):
        sent = weights.antenna()[problem.master[k], k, :, 0]
        np.testing.assert_allclose(sent / np.linalg.norm(sent), expected[k], atol=1e-12)


# --------------------------------------------------------------------------------------------- cells on the Earth


def test_all_terminals_of_a_cell_have_one_beam_at_their_middle():
    problem = cell_free_problem(CELL_FREE["plain_0"])
    problem = replace(
        problem, power_fraction=None, master=np.array([0, 0, 0, 1, 1]), serving=np.ones_like(problem.serving)
    )
    beam = FIRST_CELL + np.array([7, 7, 2, 7, -1 - FIRST_CELL])
    weights = spot_beam(replace(problem, beam=beam), options=NoOptions()).weights
    power_w = weights.power_w()
    # a third of the first one's power each; the fifth terminal has no beam, and the fourth is the other one's alone
    expected = np.zeros_like(power_w)
    expected[0, :3], expected[1, 3] = problem.power_w[0] / 3.0, problem.power_w[1]
    np.testing.assert_allclose(power_w, expected, rtol=1e-12, atol=1e-30)  # rounding of a square root and its square
    departure = problem.csi.departure
    for satellite, terminals, towards in (
        (0, (0, 1), departure[0, :2].mean(axis=0)),
        (0, (2,), departure[0, 2]),
        (1, (3,), departure[1, 3]),
    ):
        for k in terminals:
            sent = weights.antenna()[satellite, k, :, 0]
            steered = problem.csi.array.steering(towards).conj()
            np.testing.assert_allclose(sent / np.linalg.norm(sent), steered, atol=1e-12)  # rounding of sines


def test_the_middle_of_a_cell_is_weighted_by_powers():
    problem = cell_free_problem(CELL_FREE["plain_0"])
    power_fraction = np.zeros_like(problem.csi.gain)
    power_fraction[0] = [0.1, 0.3, 0.0, 0.2, 0.4]
    master = np.zeros(5, int)
    problem = replace(problem, power_fraction=power_fraction, master=master, serving=np.ones_like(problem.serving))
    # shares are those of the problem, and the third terminal has none
    weights = spot_beam(replace(problem, beam=np.full(5, FIRST_CELL)), options=NoOptions()).weights
    np.testing.assert_allclose(weights.power_w()[0] / problem.power_w[0], power_fraction[0], atol=1e-12)  # rounding
    towards = power_fraction[0] @ problem.csi.departure[0]
    sent = weights.antenna()[0, 4, :, 0]
    np.testing.assert_allclose(sent / np.linalg.norm(sent), problem.csi.array.steering(towards).conj(), atol=1e-12)


def test_a_cell_of_one_terminal_is_a_matched_filter():
    """Each terminal in a cell of its own: the weights of `ss_smrt` for the same masters."""
    problem = replace(cell_free_problem(CELL_FREE["plain_0"]), power_fraction=None)
    beam = np.where(problem.master >= 0, FIRST_CELL + 10 * np.arange(len(problem.master)), -1)
    found = spot_beam(replace(problem, beam=beam), options=NoOptions()).weights
    entry = of_kind("precoder")["ss_smrt"]
    matched = entry.model(problem, options=entry.options()).weights
    np.testing.assert_allclose(found.power_w(), matched.power_w(), rtol=1e-12, atol=1e-30)
    overlap = np.abs(np.einsum("skn,skn->sk", found.antenna()[..., 0].conj(), matched.antenna()[..., 0]))
    np.testing.assert_allclose(overlap, found.power_w(), rtol=1e-12, atol=1e-30)  # alike but for a phase


def test_the_weights_of_cells_do_not_depend_on_names():
    problem = cell_free_problem(CELL_FREE["plain_0"])
    problem = replace(
        problem, power_fraction=None, master=np.array([0, 0, 1, 1, 0]), serving=np.ones_like(problem.serving)
    )
    beam = FIRST_CELL + np.array([7, 2, 7, 7, 7])
    power_w = spot_beam(replace(problem, beam=beam), options=NoOptions()).weights.antenna()
    turned = np.array([3, 0, 4, 2, 1])
    csi = problem.csi
    of_terminals = {
        name: getattr(csi, name)[:, turned]
        for name in ("departure", "gain", "rician", "mean_phase", "receive_steering", "carrier_phase_rad")
    }
    csi = replace(csi, noise_w=csi.noise_w[turned], terminal_elements=csi.terminal_elements[turned], **of_terminals)
    again = replace(
        problem,
        csi=csi,
        master=problem.master[turned],
        serving=problem.serving[:, turned],
        weight=problem.weight[turned],
        beam=beam[turned],
    )
    found = spot_beam(again, options=NoOptions()).weights.antenna()
    np.testing.assert_allclose(found, power_w[:, turned], atol=1e-12 * np.abs(power_w).max())  # order of a mean


def test_a_beam_that_the_satellites_do_not_have_is_refused():
    problem = cell_free_problem(CELL_FREE["plain_0"])
    elements = problem.csi.array.elements
    for unknown in (elements, FIRST_CELL - 1):
        with pytest.raises(InputError, match=f"beams 0 to {elements - 1}.* the policy names beam {unknown}"):
            spot_beam(replace(problem, beam=np.array([0, unknown, -1, 1, 2])), options=NoOptions())


FLIGHT = {"name": "air", "kind": "great_circle", "start": [45.0, 179.0], "end": [52.0, -174.0], "speed_km_h": 18_000.0}
GROUND = {
    "kind": "disc",
    "name": "ground",
    "latitude_deg": 45.5,
    "longitude_deg": 179.5,
    "radius_km": 150.0,
    "count": 6,
}


def cellular(**association) -> Setup:
    section = {"name": "spot_beam", "cells": "earth_fixed", "cell_diameter_km": 100.0, "min_elevation_deg": 20.0}
    changes = {"association": section | association, "precoding.name": "spot_beam"}
    return Setup.of(small(changes, terminals=[FLIGHT, GROUND]))


def test_a_run_over_cells_hands_them_over_as_a_whole():
    setup = cellular(execution="0s")
    found = records(setup)
    reasons = set()
    served: dict[int, tuple[int | None, int | None]] = {}
    for report in found:
        for logged in report.events:
            event = logged.handover
            reasons.add((event.kind, event.reason))
            served[event.terminal] = event.to_satellite, event.to_beam
        satellite_of: dict[int, set[int]] = {}
        for satellite, beam in served.values():
            assert beam is None or beam >= FIRST_CELL
            if beam is not None:
                satellite_of.setdefault(beam, set()).add(satellite)
        assert all(len(each) == 1 for each in satellite_of.values())
        rows = TABLES["terminals"].rows(report)
        cells = FIRST_CELL + CellGrid(diameter_km=100.0).number(rows["latitude_deg"], rows["longitude_deg"])
        assert [beam for _, (_, beam) in sorted(served.items())] == cells.tolist()
        assert (report.score.power_w <= setup.power_w * (1.0 + 1e-12)).all()  # rounding of squares
        assert (report.score.spectral_efficiency_bps_hz > 0.0).all()
    assert ("beam", "cell entered") in reasons
    assert ("hard", "cell handed over") in reasons
    assert ("service_start", "initial access") in reasons
    # the flight alone moves, 600 km in two minutes
    beams = {logged.handover.terminal for report in found for logged in report.events if logged.handover.kind == "beam"}
    assert beams == {0}


@pytest.mark.parametrize("association", [{"preparation": "20s"}, {"capacity": 3, "hysteresis_db": 1.0}], ids=str)
def test_a_run_over_cells_can_be_stopped_anywhere(association):
    setup = cellular(**association)
    whole = rows_of(setup, records(setup), links=True)
    assert rows_of(setup, records_with_stops(setup, range(1, 12)), links=True) == whole
