"""Spot beams against the literal ones."""

from dataclasses import replace

import numpy as np
import pytest

from tests.literal import p5_precoders
from tests.p5_problem import CELL_FREE, cell_free_problem
from twin.precoding.spot_beam import spot_beam, spot_directions


@pytest.mark.parametrize("scene", CELL_FREE)
def test_spot_beams_are_the_literal_ones(scene):
    given = CELL_FREE[scene]
    problem = cell_free_problem(given)
    beams = problem.csi.array.steering(spot_directions(problem.csi.array)).conj()
    expected, satellite, _ = p5_precoders.spot_beams(**given.weighted(), beams=beams)
    found = spot_beam(problem, options=None).weights
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
    weights = spot_beam(replace(problem, beam=beam, share=None), options=None).weights
    assert not weights.power_w()[:, 2].any()
    expected = problem.csi.array.steering(spot_directions(problem.csi.array))[beam].conj()
    for k in (0, 1, 3, 4):
        sent = weights.antenna()[problem.master[k], k, :, 0]
        np.testing.assert_allclose(sent / np.linalg.norm(sent), expected[k], atol=1e-12)
