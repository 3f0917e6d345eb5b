"""Codebooks and beam selections against their literal twins."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.helpers.p2_problem import SCENES, problem_of
from tests.literal import p2_beams
from tests.literal.p2_channel import beam_cosines
from tests.literal.p2_scenes import Scene
from twin.errors import InputError
from twin.precoding.beamspace.codebook import ActiveBeams, Codebook, Subspace
from twin.precoding.beamspace.selection import BeamOptions, active_beams, lcms, near_opt
from twin.radio.channel import PlanarArray

every_scene = pytest.mark.parametrize("name", SCENES)
every_oversampling = pytest.mark.parametrize("oversampling", [1, 2])


def sampled(scene: Scene, oversampling: int) -> tuple[int, int]:
    """An axis of one element has one beam."""
    vertical, horizontal = (oversampling if count > 1 else 1 for count in scene.shape)
    return vertical, horizontal


def codebook_of(scene: Scene, oversampling: int) -> Codebook:
    return Codebook(array=problem_of(scene).csi.array, oversampling=oversampling)


def counts(codebook: Codebook) -> list[int]:
    return [count for count in (1, 3, 6, codebook.size) if count <= min(codebook.size, 40)]


def literal_near_opt(scene: Scene, count: int, oversampling: tuple[int, int]) -> np.ndarray:
    """[18] with the terminals numbered by falling strength, satellite by satellite; it needs a terminal to serve."""
    found = []
    for s in range(len(scene.P)):
        if not scene.o[s].any():
            found.append(np.arange(count))
            continue
        k = np.argsort(-scene.gamma[s], kind="stable")
        one = slice(s, s + 1)
        given = scene.gamma[one, k], scene.cosines[one, k], scene.shape, scene.o[one, k]
        found += p2_beams.near_optimal(*given, [count], scene.P[one], scene.sigma2[k], oversampling)
    return np.array(found)


@every_oversampling
@every_scene
def test_codewords_are_those_of_the_paper(name, oversampling):
    scene = SCENES[name]
    codebook = codebook_of(scene, oversampling)
    expected = beam_cosines(scene.shape, sampled(scene, oversampling))[:, ::-1]
    np.testing.assert_allclose(codebook.departure, expected, rtol=0, atol=1e-15)
    assert codebook.size == len(expected)
    gains = p2_beams.gains(scene.cosines, scene.shape, sampled(scene, oversampling))
    # the literal kernel is a quotient of sines, which loses digits next to a beam
    np.testing.assert_allclose(codebook.response(problem_of(scene).csi.departure) ** 2, gains, rtol=0, atol=1e-12)


@pytest.mark.parametrize("spacing", [0.3, 0.5, 0.8])
@pytest.mark.parametrize("shape", [(4, 4), (1, 6), (5, 3)])
def test_codewords_are_a_tight_frame_at_any_spacing(shape, spacing):
    array = PlanarArray(rows=shape[0], columns=shape[1], spacing_wavelengths=spacing)
    for oversampling in (1, 2, 3):
        codebook = Codebook(array=array, oversampling=oversampling)
        beams = array.steering(codebook.departure).conj()
        frame = codebook.size / array.elements * np.eye(array.elements)
        np.testing.assert_allclose(beams.T @ beams.conj(), frame, atol=1e-13)


def test_a_beam_with_a_null_towards_a_terminal_has_none_of_it():
    codebook = Codebook(array=PlanarArray(rows=4, columns=4))
    np.testing.assert_array_equal(np.abs(codebook.response(codebook.departure)) > 0.0, np.eye(16, dtype=bool))


@every_oversampling
@every_scene
def test_lcms_is_algorithm_3(name, oversampling):
    scene, codebook = SCENES[name], codebook_of(SCENES[name], oversampling)
    for count in counts(codebook):
        given = scene.gamma, scene.cosines, scene.shape, scene.o, np.full(len(scene.P), count)
        expected = np.array(p2_beams.lcms(*given, sampled(scene, oversampling)))
        np.testing.assert_array_equal(lcms(problem_of(scene), codebook, count), expected)


@every_scene
def test_near_opt_is_the_greedy_search(name):
    scene, codebook = SCENES[name], codebook_of(SCENES[name], 1)
    for count in counts(codebook):
        expected = literal_near_opt(scene, count, (1, 1))
        np.testing.assert_array_equal(near_opt(problem_of(scene), codebook, count), expected)


@pytest.mark.parametrize("name", ["plain_0", "two_uts_at_one_place", "on_the_grid_of_beams", "codebook_oversampled"])
def test_near_opt_in_an_oversampled_codebook(name):
    scene, codebook = SCENES[name], codebook_of(SCENES[name], 2)
    found = near_opt(problem_of(scene), codebook, 8)
    np.testing.assert_array_equal(found, literal_near_opt(scene, 8, (2, 2)))


@pytest.mark.parametrize("middle", [(x / 4, y / 4) for x in (-3, -1, 1) for y in (-3, 1, 2)])
def test_beams_that_add_as_much_are_taken_by_number(middle):
    scene = SCENES["one_ut"]
    between = replace(scene, cosines=np.broadcast_to(middle, scene.cosines.shape))  # several beams of a 4 x 4 codebook
    codebook = codebook_of(scene, 1)
    for count in (3, 4, 9):
        found = near_opt(problem_of(between), codebook, count)
        np.testing.assert_array_equal(found, literal_near_opt(between, count, (1, 1)))


def crowd(seed: int, satellites: int = 2, terminals: int = 10, *, on_grid: bool = False) -> Scene:
    """More terminals than the scenes have, close together or where beams tie."""
    rng, scene = np.random.default_rng(seed), SCENES["plain_0"]
    pairs = (satellites, terminals)
    grid = np.round(rng.uniform(-4, 4, (*pairs, 2))) / 4
    return replace(
        scene,
        cosines=grid if on_grid else rng.uniform(-0.5, 0.5, (*pairs, 2)),
        cosines_ut=rng.uniform(-0.5, 0.5, (*pairs, 2)),
        gamma=1e-12 * 10 ** rng.uniform(-1, 1, pairs),
        kappa=np.ones(pairs),
        Sigma=np.broadcast_to(np.eye(4) / 4, (*pairs, 4, 4)),
        phi_bar=np.ones(pairs),
        P=rng.choice([1e-4, 1.0, 1e3], satellites),
        sigma2=10 ** rng.uniform(-17, -15, terminals),
        beta=np.ones(terminals),
        o=rng.random(pairs) < 0.8,
        streams=np.ones(terminals, dtype=int),
        beams=(np.arange(2),) * satellites,
    )


@settings(max_examples=25, deadline=None, derandomize=True)
@given(st.integers(0, 2**32 - 1), st.booleans())
def test_selections_are_the_literal_ones_in_crowds(seed, on_grid):
    scene = crowd(seed, on_grid=on_grid)
    problem, codebook = problem_of(scene), codebook_of(scene, 1)
    for count in (4, 13):
        given = scene.gamma, scene.cosines, scene.shape, scene.o, np.full(len(scene.P), count)
        np.testing.assert_array_equal(lcms(problem, codebook, count), np.array(p2_beams.lcms(*given)))
        if not on_grid:  # there Gram matrices are singular, or not, by rounding
            np.testing.assert_array_equal(near_opt(problem, codebook, count), literal_near_opt(scene, count, (1, 1)))


@pytest.mark.parametrize("select", [lcms, near_opt])
def test_each_beam_is_chosen_once_and_order_of_terminals_does_not_matter(select):
    for seed in range(5):
        scene = crowd(seed, on_grid=seed % 2 == 0)
        order = np.random.default_rng(seed).permutation(len(scene.beta))
        pairs = {
            name: getattr(scene, name)[:, order]
            for name in ("cosines", "cosines_ut", "gamma", "kappa", "Sigma", "phi_bar", "o")
        }
        renamed = replace(scene, **pairs, sigma2=scene.sigma2[order])
        codebook = codebook_of(scene, 2)
        found = select(problem_of(scene), codebook, 12)
        assert all(len(set(row)) == 12 for row in found.tolist())
        np.testing.assert_array_equal(select(problem_of(renamed), codebook, 12), found)


@pytest.mark.parametrize("select", [lcms, near_opt])
def test_terminals_that_are_not_served_have_no_say(select):
    scene = crowd(3)
    codebook = codebook_of(scene, 1)
    other = replace(scene, cosines=np.where(scene.o[..., None], scene.cosines, 0.1), gamma=scene.gamma.copy())
    other.gamma[~scene.o] *= 100.0
    found = [select(problem_of(given), codebook, 12) for given in (scene, other)]
    np.testing.assert_array_equal(found[1], found[0])


@every_oversampling
@pytest.mark.parametrize(
    "name", ["plain_0", "largest", "fewer_beams_than_uts", "on_the_grid_of_beams", "beams_unequal"]
)
def test_coordinates_are_the_projection_on_the_active_beams(name, oversampling):
    scene = SCENES[name]
    problem, codebook = problem_of(scene), codebook_of(scene, oversampling)
    active = ActiveBeams.of(codebook, lcms(problem, codebook, min(8, codebook.size)))
    space = Subspace.of(problem.csi, active)
    beams = problem.csi.array.steering(active.departure).conj()
    toward = problem.csi.steering().conj()
    for s, F in enumerate(beams):
        basis = F.T @ space.basis[s]
        held = np.linalg.svd(F.T, full_matrices=False)
        rank = held[1] > 1e-9
        projector = held[0][:, rank] @ held[0][:, rank].conj().T
        # rounding, over the smallest singular value of eight beams that overlap
        np.testing.assert_allclose(basis @ space.coordinates[s], projector @ toward[s].T, atol=1e-11)
        gram = basis.conj().T @ basis
        size = np.diag(gram).real > 0.5
        np.testing.assert_allclose(gram[np.ix_(size, size)], np.eye(size.sum()), atol=1e-11)


def test_more_beams_than_codewords_are_refused():
    problem = problem_of(SCENES["plain_0"])
    with pytest.raises(InputError, match=r"^beams = 17 must be at most 16, the codewords of 4 x 4 elements"):
        active_beams(problem, BeamOptions(beam_selection="lcms", beams=17))
    assert active_beams(problem, BeamOptions(beam_selection="full", beams=17)) is None
