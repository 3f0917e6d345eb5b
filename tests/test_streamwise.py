"""P1's stream-wise transmission: the association of streams, and the precoder against its literal version."""

from dataclasses import replace
from itertools import permutations

import numpy as np
import pytest

from tests.helpers.p1_problem import SCENES, STREAMWISE, effective, literal_streamwise, mask_of, problem_of
from tests.helpers.scenario_facts import facts_of
from tests.literal import p1_rates, p1_streamwise
from tests.literal.p1_compare import difference
from tests.literal.p1_scenes import NOT_ORTHOGONAL, ORTHOGONAL, paper
from twin.precoding import SpannedWeights
from twin.precoding.noncoherent.joint import NoncoherentOptions, joint_ncjt
from twin.precoding.noncoherent.streamwise import StreamwiseOptions, associated, participation, score, streamwise


def solved(problem, streams, **given):
    return streamwise(problem, options=StreamwiseOptions(streams=streams, **given))


def powered(scene):
    """Satellites without power send nothing, and are no candidates; the literal version does not know."""
    return replace(scene, serving=scene.serving & (scene.rho > 0.0)[:, None])


def rate(problem, W):
    return p1_rates.of_effective(effective(problem), problem.csi.noise_w, W).sum()


def factors_of(found, terminal, satellites):
    """eta (L,R) of one UT."""
    return found.satellites.scatter(found.factors)[terminal].reshape(satellites, -1)


# ------------------------------------------------------------------------------------------------------ association


@pytest.mark.parametrize("name", STREAMWISE)
def test_participation_is_that_of_the_whole_matrix(name):
    scene = SCENES[name]
    problem = problem_of(scene)
    found = participation(problem.csi, scene.serving)
    H = effective(problem) * scene.serving[:, :, None, None]
    for k in range(len(scene.sigma2)):
        eta, sigma = p1_streamwise.participation(H[:, k])
        rank = int((found.values[k] > 0.0).sum())
        assert rank == (sigma > 1e-12 * sigma[0]).sum()
        np.testing.assert_allclose(found.values[k, :rank], sigma[:rank], rtol=1e-12)
        # 1e-16 of the largest singular value over the distance to the next
        gaps = np.abs(np.diff(sigma, append=0.0)).min(initial=np.inf, where=np.arange(len(sigma)) < rank)
        np.testing.assert_allclose(
            factors_of(found, k, len(scene.beta))[:, :rank], eta[:, :rank], atol=1e-13 * sigma[0] / gaps
        )


def four_satellites(sines, beta):
    base = SCENES["orthogonal_arrivals"]
    return replace(base, sin_theta=np.array(sines)[:, None], beta=np.array(beta)[:, None])


def test_figure_2_one_satellite_a_mode():
    # unlike gains: with like ones singular values coincide, and modes are any of many
    problem = problem_of(four_satellites(ORTHOGONAL, [1e-13, 1.3e-13, 1.7e-13, 2.2e-13]))
    found = participation(problem.csi, problem.serving)
    np.testing.assert_allclose(factors_of(found, 0, 4), np.eye(4)[::-1], atol=1e-12)  # rounding of orthogonality
    sent = associated(problem, 4)
    np.testing.assert_array_equal(sent[:, 0], np.eye(4, dtype=bool)[::-1])


def test_figure_3_modes_are_shared():
    problem = problem_of(four_satellites(NOT_ORTHOGONAL, [1e-13] * 4))
    eta = factors_of(participation(problem.csi, problem.serving), 0, 4)
    np.testing.assert_allclose(eta.sum(axis=0), 1.0, rtol=1e-12)
    assert eta.max() < 0.9
    assert ((eta > 0.05).sum(axis=1) >= 2).all()


@pytest.mark.parametrize("name", STREAMWISE)
def test_association_is_the_best(name):
    scene = powered(SCENES[name])
    problem = problem_of(scene)
    sent = associated(problem, scene.S)
    found = participation(problem.csi, scene.serving)
    for k in np.flatnonzero(scene.serving.any(axis=0)):
        candidates = np.flatnonzero(scene.serving[:, k])
        eta = np.zeros((len(scene.beta), scene.S))
        eta[:, : found.factors.shape[2]] = factors_of(found, k, len(scene.beta))[:, : scene.S]
        count = min(scene.S, len(candidates))
        assert sent[:, k].sum() == count
        assert (sent[:, k].sum(axis=0)[:count] == 1).all()
        assert (sent[:, k].sum(axis=1) <= 1).all()
        best = max(sum(eta[sat, s] for s, sat in enumerate(pi)) for pi in permutations(candidates, count))
        # a tie is settled by 1e-9 of the gains
        assert (eta * sent[:, k]).sum() == pytest.approx(best, abs=1e-8)


def test_fewer_satellites_than_streams_send_fewer_streams():
    problem = problem_of(SCENES["partial_clusters"])
    sent = associated(problem, 4)
    assert (sent.sum(axis=(0, 2)) == 2).all()
    assert not sent[:, :, 2:].any()
    W = solved(problem, 4).weights.antenna()
    assert not W[..., 2:].any()
    two = solved(problem, 2).weights.antenna()
    np.testing.assert_allclose(W[..., :2], two, atol=1e-12)  # rounding


def test_satellites_from_one_direction_are_taken_by_their_strength():
    # one arrival for all: a single mode, whose best satellite is the strongest; the rest is settled by gain
    scene = SCENES["one_arrival"]
    problem = problem_of(scene)
    sent = associated(problem, 2)
    for k in range(2):
        ranked = np.argsort(-scene.beta[:, k])
        assert sent[ranked[0], k, 0]
        assert sent[ranked[1], k, 1]


def test_score_ranks_by_the_strongest_modes():
    scene = SCENES["largest"]
    problem = problem_of(scene)
    H = effective(problem)
    for k in range(4):
        np.testing.assert_allclose(
            score(problem.csi, scene.serving, 2)[:, k], p1_streamwise.score(H[:, k], 2), rtol=1e-11
        )
    np.testing.assert_allclose(score(problem.csi, scene.serving), problem.csi.gain, rtol=1e-11)  # as (40) is printed


def test_random_association_is_even_and_keyed_by_satellite():
    scene = SCENES["largest"]
    problem = problem_of(scene)
    counts = {}
    for seed in range(600):
        sent = associated(problem, 2, seed)
        for k in range(4):
            order = tuple(int(np.flatnonzero(sent[:, k, s])[0]) for s in range(2))
            counts[order] = counts.get(order, 0) + 1
    assert len(counts) == 12
    assert all(abs(n - 200) <= 5 * np.sqrt(200) for n in counts.values())  # five standard deviations
    rows = np.array([2, 0, 3, 1])
    csi = problem.csi.of(rows)
    renamed = associated(replace(problem, csi=csi, serving=problem.serving[rows], power_w=problem.power_w[rows]), 2, 7)
    np.testing.assert_array_equal(renamed, associated(problem, 2, 7)[rows])
    # a satellite takes no other satellite's streams
    fewer = problem.serving.copy()
    fewer[3] = False
    one = associated(replace(problem, serving=fewer), 1, 7)
    kept = associated(problem, 1, 7)
    elsewhere = ~kept[3, :, 0]
    np.testing.assert_array_equal(one[:, elsewhere], kept[:, elsewhere])


# --------------------------------------------------------------------------------------------------------- precoder


@pytest.mark.parametrize("name", STREAMWISE)
def test_streamwise_is_algorithm_3(name):
    scene = powered(SCENES[name])
    problem = problem_of(scene)
    sent = associated(problem, scene.S)
    if (scene.serving.sum(axis=0) < scene.S).any():
        pytest.skip("the literal version needs a satellite for each stream")
    expected, pi = p1_streamwise.streamwise(**literal_streamwise(scene, problem), I_max=6)
    if name not in ("orthogonal_arrivals", "orthogonal_arrivals_two_uts"):
        np.testing.assert_array_equal(sent, mask_of(pi, len(scene.beta)))
    found = solved(problem, scene.S, iterations=6)
    assert found.iterations == len(expected.history)
    assert found.converged == expected.converged
    # rounding through six iterations at SINRs of 1e10 (power_very_high); 3e-9 was the most elsewhere
    assert difference(found.weights.antenna(), expected.W) <= (1e-6 if name == "power_very_high" else 1e-7)


@pytest.mark.parametrize("name", STREAMWISE)
def test_each_stream_has_one_satellite_and_powers_are_kept(name):
    scene = SCENES[name]
    problem = problem_of(scene)
    found = solved(problem, scene.S)
    assert isinstance(found.weights, SpannedWeights)
    W = found.weights.antenna()
    assert ((np.abs(W) ** 2).sum(axis=2) > 0.0).sum(axis=0).max() <= 1
    assert ((np.abs(W) ** 2).sum(axis=(1, 2, 3)) <= scene.rho * (1 + 1e-12)).all()
    assert not W[~associated(problem, scene.S).transpose(0, 1, 2).any(axis=2)].any()


@pytest.mark.parametrize("name", ["orthogonal_arrivals", "plain_3_streams", "largest", "close_uts"])
def test_the_rate_of_11_never_falls(name):
    scene = SCENES[name]
    problem = problem_of(scene)
    rates = [
        rate(problem, solved(problem, scene.S, iterations=n, tolerance=0.0).weights.antenna()) for n in range(1, 8)
    ]
    assert (np.diff(rates) >= -1e-10 * rates[-1]).all()  # rounding


def test_figure_5_joint_is_streamwise_for_as_many_streams_as_satellites():
    scene = SCENES["orthogonal_arrivals"]
    problem = problem_of(scene)
    options = NoncoherentOptions(streams=4)
    optimum = np.log2(1 + problem.csi.gain[:, 0] * problem.power_w / scene.sigma2[0]).sum()  # Hadamard's inequality
    for W in (joint_ncjt(problem, options=options).weights.antenna(), solved(problem, 4).weights.antenna()):
        assert rate(problem, W) == pytest.approx(optimum, rel=1e-9)


def test_figure_5_does_not_hold_for_fewer_streams():
    ratio = []
    for seed in range(3):
        scene = paper(seed, cap_w=10.0, sines=ORTHOGONAL)
        problem = problem_of(scene)
        joint = joint_ncjt(problem, options=NoncoherentOptions(streams=2)).weights.antenna()
        ratio.append(rate(problem, joint) / rate(problem, solved(problem, 2).weights.antenna()))
    assert min(ratio) > 1.2


def means_of_figure_9(terminals):
    chosen = chance = 0.0
    for seed in range(8):
        problem = problem_of(paper(seed, L=8, K=terminals, N=16, cap_w=10.0))
        chosen += rate(problem, solved(problem, 2).weights.antenna())
        chance += rate(problem, solved(problem, 2, association="random", seed=seed).weights.antenna())
    return chosen, chance


def test_figure_9_the_association_beats_chance_for_one_ut():
    chosen, chance = means_of_figure_9(1)
    assert chosen > 1.05 * chance


def test_figure_9_does_not_hold_for_two_uts_side_by_side():
    # both are given the same satellites, which share their power among them; chance spreads the load
    chosen, chance = means_of_figure_9(2)
    assert chance > 1.05 * chosen


def test_a_start_is_continued_and_a_stream_that_moves_starts_anew():
    problem = problem_of(SCENES["largest"])
    two = solved(problem, 2, iterations=2, tolerance=0.0)
    four = solved(problem, 2, iterations=4, tolerance=0.0)
    on = solved(replace(problem, start=two.weights), 2, warm_iterations=2, tolerance=0.0)
    assert on.iterations == 2
    assert difference(on.weights.antenna(), four.weights.antenna()) <= 1e-11  # rounding over two iterations
    other = solved(problem, 2, association="random", seed=1, iterations=2, tolerance=0.0)
    moved = solved(replace(problem, start=other.weights), 2, tolerance=0.0)
    assert moved.iterations == 3
    sent = associated(problem, 2)
    assert not (np.abs(moved.weights.antenna()).sum(axis=2) > 0.0)[~sent].any()


def test_too_many_streams_are_told():
    facts = facts_of(terminal_elements=2)
    StreamwiseOptions(streams=2).check(facts)
    with pytest.raises(ValueError, match="streams = 3 must be at most 2"):
        StreamwiseOptions(streams=3).check(facts)
