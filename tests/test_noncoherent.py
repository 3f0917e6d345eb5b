"""P1's joint non-coherent transmission and its benchmarks: against the literal version, and in what the paper says."""

from dataclasses import replace
from functools import cache
from itertools import pairwise

import numpy as np
import pytest

from tests.helpers.p1_problem import CAPPED, MANY, SCENES, constraints_of, effective, literal, problem_of
from tests.helpers.p1_start import begin
from tests.helpers.scenario_facts import facts_of
from tests.literal import p1_baselines, p1_channel, p1_joint, p1_rates
from tests.literal import p1_receiver as receiver
from tests.literal.p1_compare import difference
from tests.literal.p1_scenes import paper
from twin.errors import InputError
from twin.precoding import AntennaWeights, PrecodingProblem, SpannedWeights
from twin.precoding.noncoherent.alternating import alternate, update_groups
from twin.precoding.noncoherent.constraints import PowerCap, per_antenna, total_power
from twin.precoding.noncoherent.eigenmodes import StreamOptions, mmse, mrt_tdma, zf
from twin.precoding.noncoherent.joint import NoncoherentOptions, joint, joint_ncjt
from twin.precoding.noncoherent.solvers import AntennaSolver, SpannedSolver
from twin.registry import NoOptions
from twin.solvers.span import Span

SADDLE = "coincident_uts"
"""Two UTs alike in everything: to treat them alike is a saddle, which rounding grows away from."""
NO_OTHER_PRECODER = [
    # in the others W may have a part that no UT receives and no cap feels
    name
    for name in MANY
    if name not in ("subspace_capped", "singular_constraint_alone")
]


def solved(problem: PrecodingProblem, scene, **options):
    return joint(problem, constraints_of(scene), NoncoherentOptions(streams=scene.S, **options))


def printed(scene, problem, **options):
    """The literal version; a satellite without power is none to it, so that no mode is chosen for its sake."""
    arguments = literal(scene, problem)
    powered = np.array([max(rho for _, rho in caps) > 0.0 for caps in scene.constraints])
    return p1_joint.joint(**(arguments | {"active": scene.serving & powered[:, None]}), **options)


@cache
def both(name, iterations):
    scene = SCENES[name]
    problem = problem_of(scene)
    return solved(problem, scene, iterations=iterations), printed(scene, problem, I_max=iterations)


def rate(problem, W):
    """Sum rate of (11)."""
    return p1_rates.of_effective(effective(problem), problem.csi.noise_w, W) @ problem.weight


def objective(problem, before, W):
    """(13a) with receivers for the weights before."""
    H, omega = effective(problem), problem.weight
    U, C = receiver.receivers(H, before, problem.csi.noise_w, omega)
    return receiver.objective(H, W, problem.csi.noise_w, omega, U, C)


# ------------------------------------------------------------------------------------- against the literal version


@pytest.mark.parametrize("name", CAPPED)
def test_joint_is_algorithm_1(name):
    found, expected = both(name, 4 if name == SADDLE else 8)
    assert found.iterations == len(expected.history)
    assert found.converged == expected.converged
    # rounding through eight iterations: 1e-11 at most was seen
    assert difference(found.weights.antenna(), expected.W) <= 1e-8


@pytest.mark.slow
@pytest.mark.parametrize("name", [name for name in CAPPED if name != SADDLE])
def test_joint_ends_where_algorithm_1_ends(name):
    found, expected = both(name, 40)
    assert found.iterations == len(expected.history)
    assert difference(found.weights.antenna(), expected.W) <= 1e-7  # 2e-9 was seen in more_uts_than_antennas


@pytest.mark.parametrize("name", CAPPED)
def test_objective_is_that_of_algorithm_1_and_never_rises(name):
    scene = SCENES[name]
    problem = problem_of(scene)
    expected = printed(scene, problem, I_max=6, eps=0.0)
    W = [solved(problem, scene, iterations=n, tolerance=0.0).weights.antenna() for n in range(1, 7)]
    found = [objective(problem, *pair) for pair in pairwise(W)]
    count = len(expected.history) - 1  # it stops where nothing changes
    np.testing.assert_allclose(found[:count], expected.history[1:], rtol=1e-9)
    assert (np.diff(found) <= 1e-11 * np.abs(found[:-1])).all()  # the rounding of (13a)


@pytest.mark.parametrize("method", ["newton", "ellipsoid"])
@pytest.mark.parametrize("name", MANY)
def test_any_caps_are_algorithm_1(name, method):
    scene = SCENES[name]
    problem = problem_of(scene)
    W0 = begin(scene)
    expected = printed(scene, problem, W0=W0, I_max=2)
    cold = np.einsum("sin,sknl->sikl", problem.csi.steering(), W0)
    active = np.broadcast_to(scene.serving[:, :, None], (*scene.serving.shape, scene.S))
    solver = AntennaSolver.of(problem.csi, constraints_of(scene), method)
    W = alternate(problem, solver, active, cold, NoncoherentOptions(iterations=2)).weights.antenna()
    H = effective(problem)
    arrived, other = receiver.received(H, W), receiver.received(H, expected.W)
    # both searches end at 1e-10 to 1e-11 of sum mu rho, and W goes with its root where multipliers are small
    assert np.linalg.norm(arrived - other) <= 1e-7 * np.linalg.norm(other)
    if name in NO_OTHER_PRECODER:
        assert np.linalg.norm(W - expected.W) <= 1e-7 * np.linalg.norm(expected.W)
    for own, caps in zip(W, scene.constraints, strict=True):
        for A, rho in caps:
            assert sum(np.trace(w.conj().T @ A @ w).real for w in own) <= rho * (1 + 1e-12) + 1e-20


@pytest.mark.parametrize("name", ["plain_2_streams", "largest", "partial_clusters", "powers_unequal"])
def test_a_total_cap_is_the_same_over_antennas_and_in_the_span(name):
    scene = SCENES[name]
    problem = problem_of(scene)
    inside = solved(problem, scene, iterations=5).weights
    twice = [replace(one, forms=np.stack([np.eye(scene.N)] * 2 + [np.diag([1.0] + [0.0] * (scene.N - 1))]))
             for one in constraints_of(scene)]  # fmt: skip
    twice = [replace(one, cap_w=np.array([cap, 2 * cap, cap])) for one, cap in zip(twice, scene.rho, strict=True)]
    outside = joint(problem, twice, NoncoherentOptions(streams=scene.S, iterations=5)).weights
    assert isinstance(inside, SpannedWeights)
    assert isinstance(outside, AntennaWeights)
    # a slackness of 1e-11
    assert np.linalg.norm(outside.antenna() - inside.antenna()) <= 1e-7 * np.linalg.norm(inside.antenna())


def test_bisection_finds_the_same_multiplier():
    scene = SCENES["largest"]
    problem = problem_of(scene)
    newton, bisection = (
        solved(problem, scene, multipliers=method, iterations=10).weights.antenna()
        for method in ("newton", "bisection")
    )
    np.testing.assert_allclose(bisection, newton, atol=1e-11 * np.abs(newton).max())  # rounding over ten iterations


# ----------------------------------------------------------------------------------------------- turns and order


def sparse(scene, reached, seed=0):
    """Each satellite has links to a few UTs alone."""
    order = np.random.default_rng([23, seed]).random(scene.beta.shape).argsort(axis=1).argsort(axis=1)
    beta = np.where(order < reached, scene.beta, 0.0)
    return replace(scene, beta=beta, serving=scene.serving & (beta > 0.0))


def wide_scene(satellites=6, terminals=9, reached=2):
    base = SCENES["largest"]
    rng = np.random.default_rng(24)
    pairs = (satellites, terminals)
    scene = replace(
        base,
        sin_theta=rng.uniform(-1, 1, pairs),
        sin_phi=rng.uniform(-1, 1, pairs),
        beta=1e-13 * 10 ** rng.uniform(-0.5, 0.5, pairs),
        kappa=np.full(pairs, 10.0),
        sigma2=np.full(terminals, 1e-13),
        constraints=p1_joint.total_power(np.ones(satellites), base.N),
        serving=np.ones(pairs, bool),
    )
    return sparse(scene, reached)


@pytest.mark.parametrize("reached", [1, 2, 4])
def test_satellites_that_reach_few_are_those_of_algorithm_1(reached):
    scene = wide_scene(reached=reached)
    problem = problem_of(scene)
    assert not problem.csi.reach.whole
    expected = printed(scene, problem, I_max=8)
    found = solved(problem, scene, iterations=8)
    assert found.iterations == len(expected.history)
    assert difference(found.weights.antenna(), expected.W) <= 1e-9  # rounding over eight iterations


def test_satellites_that_reach_few_are_those_of_algorithm_1_per_antenna():
    scene = replace(wide_scene(), N=4)
    problem = problem_of(scene)
    given = {"constraints": p1_joint.per_antenna(np.full((6, 4), 0.25)), "I_max": 2}
    expected = p1_joint.joint(**(literal(scene, problem) | given))
    found = joint(problem, per_antenna(np.ones(6), 4), NoncoherentOptions(streams=2, iterations=2)).weights.antenna()
    powers = (np.abs(found) ** 2).sum(axis=(1, 3))
    assert (powers <= 0.25 * (1 + 1e-12)).all()
    assert powers.max() > 0.25 * (1 - 1e-9)  # caps bind, though not everywhere
    # both searches end at 1e-10 to 1e-11 of sum mu rho; W itself is not unique where caps are slack
    rates = [p1_rates.of_effective(effective(problem), scene.sigma2, W) for W in (found, expected.W)]
    np.testing.assert_allclose(*rates, rtol=1e-9)


def test_satellites_without_a_common_stream_go_together():
    active = np.zeros((4, 3, 1), bool)
    active[[0, 1, 2, 3], [0, 1, 0, 2]] = True
    reach = problem_of(wide_scene(4, 3, 3)).csi.reach
    groups = [np.arange(4)[rows].tolist() for rows in update_groups(active, reach, np.arange(4))]
    assert groups == [[0, 1, 3], [2]]
    groups = [np.arange(4)[rows].tolist() for rows in update_groups(active, reach, np.array([2, 1, 0, 3]))]
    assert groups == [[1, 2, 3], [0]]
    one_each = np.zeros((4, 3, 2), bool)
    one_each[[0, 1], 0, [0, 1]] = True
    assert update_groups(one_each, reach, np.arange(4)) == [slice(0, 4)]


def test_order_is_that_of_catalogue_numbers_unless_given():
    scene = SCENES["plain_2_streams"]
    problem = problem_of(scene)
    backwards = replace(problem, csi=replace(problem.csi, norad_id=problem.csi.norad_id[::-1].copy()))
    found = solved(backwards, scene, iterations=4).weights.antenna()
    H = effective(problem)[::-1]
    W0 = p1_joint.mmse_start(H, scene.sigma2, scene.constraints, scene.S)
    expected = p1_joint.joint(H, scene.sigma2, scene.constraints, scene.S, W0=W0, I_max=4).W[::-1]
    assert difference(found, expected) <= 1e-10  # rounding over four iterations
    assert difference(solved(problem, scene, iterations=4).weights.antenna(), expected) > 1e-3

    span = Span.of(problem.csi.gram)
    solver = SpannedSolver(
        csi=problem.csi, span=span, cap_w=problem.power_w, search=lambda values, loads, cap: np.ones(len(cap))
    )
    active = np.ones((3, 3, 2), bool)
    cold = np.einsum("sin,sknl->sikl", problem.csi.steering(), W0[::-1])
    orders = [np.arange(3), np.array([2, 1, 0])]
    W = [
        alternate(problem, solver, active, cold, NoncoherentOptions(iterations=2), order).weights.antenna()
        for order in orders
    ]
    assert difference(W[0], W[1]) > 1e-6


@pytest.mark.parametrize("constraint", ["total", "per_antenna"])
def test_numbering_of_rows_and_terminals_is_of_no_effect(constraint):
    scene = SCENES["partial_clusters"]
    problem = problem_of(scene)
    options = NoncoherentOptions(streams=2, iterations=5, constraint=constraint)
    W = joint_ncjt(problem, options=options).weights.antenna()
    rng = np.random.default_rng(25)
    rows, columns = rng.permutation(4), rng.permutation(4)
    pairs, csi = np.ix_(rows, columns), problem.csi
    other = replace(
        problem,
        csi=replace(
            csi,
            norad_id=csi.norad_id[rows],
            departure=csi.departure[pairs],
            gain=csi.gain[pairs],
            rician=csi.rician[pairs],
            mean_phase=csi.mean_phase[pairs],
            receive_steering=csi.receive_steering[pairs],
        ),
        serving=problem.serving[pairs],
        power_w=problem.power_w[rows],
    )
    renamed = joint_ncjt(other, options=options).weights.antenna()
    # phases of singular vectors turn streams; rounding over five iterations, per antenna a slackness of 1e-11
    assert difference(renamed, W[pairs]) <= 1e-7
    again = joint_ncjt(problem, options=options).weights.antenna()
    np.testing.assert_array_equal(again, W)


# ---------------------------------------------------------------------------------------------------- warm starts


def options(**given):
    return NoncoherentOptions(streams=2, tolerance=0.0, **given)


@pytest.mark.parametrize("constraint", ["total", "per_antenna"])
def test_a_start_is_continued(constraint):
    problem = problem_of(SCENES["plain_2_streams"])
    two = joint_ncjt(problem, options=options(iterations=2, constraint=constraint))
    four = joint_ncjt(problem, options=options(iterations=4, constraint=constraint))
    warm = replace(problem, start=two.weights)
    on = joint_ncjt(warm, options=options(warm_iterations=2, constraint=constraint))
    assert on.iterations == 2
    # rounding; per antenna a slackness of 1e-11 reached from another start
    assert difference(on.weights.antenna(), four.weights.antenna()) <= (1e-11 if constraint == "total" else 1e-7)


def test_a_new_member_of_a_cluster_starts_cold_and_a_former_one_is_dropped():
    problem = problem_of(SCENES["plain_2_streams"])
    fewer = problem.serving.copy()
    fewer[0, 1] = False
    before = joint_ncjt(replace(problem, serving=fewer), options=options(iterations=3)).weights
    found = joint_ncjt(replace(problem, start=before), options=options())
    assert found.iterations == 3
    H, scene = effective(problem), SCENES["plain_2_streams"]
    W0 = before.antenna()
    W0[0, 1] = mmse(problem, options=StreamOptions(streams=2)).weights.antenna()[0, 1]
    expected = p1_joint.joint(H, scene.sigma2, scene.constraints, 2, W0=W0, I_max=3, eps=0.0).W
    assert difference(found.weights.antenna(), expected) <= 1e-10  # rounding over three iterations
    whole = joint_ncjt(problem, options=options(iterations=3)).weights
    later = joint_ncjt(replace(problem, serving=fewer, start=whole), options=options())
    assert later.iterations == 3
    assert not later.weights.power_w()[0, 1]


@pytest.mark.parametrize("start", ["streams", "slots"])
def test_a_start_that_does_not_fit_is_a_cold_one(start):
    problem = problem_of(SCENES["plain_2_streams"])
    cold = joint_ncjt(problem, options=options(iterations=3))
    if start == "streams":
        held = joint_ncjt(problem, options=NoncoherentOptions(streams=1, iterations=3)).weights
    else:
        held = mrt_tdma(problem, options=NoOptions()).weights
    again = joint_ncjt(replace(problem, start=held), options=options(iterations=3))
    np.testing.assert_array_equal(again.weights.antenna(), cold.weights.antenna())


# ------------------------------------------------------------------------------------------------ limits and trends


def test_one_satellite_and_one_ut_is_a_matched_filter():
    problem = problem_of(SCENES["one_satellite_one_ut"])
    W = joint_ncjt(problem, options=NoncoherentOptions()).weights.antenna()[0, 0, :, 0]
    v = problem.csi.steering()[0, 0]
    assert abs(v @ W) ** 2 == pytest.approx(problem.power_w[0], rel=1e-12)
    assert np.vdot(W, W).real == pytest.approx(problem.power_w[0], rel=1e-12)


def test_a_converged_precoder_of_one_satellite_is_stationary():
    # The slope of the sum rate over W is mu W at a point that no small change within the power improves.
    problem = problem_of(SCENES["one_satellite"])
    W = joint_ncjt(problem, options=NoncoherentOptions(iterations=20_000, tolerance=1e-13)).weights.antenna()
    rng = np.random.default_rng(26)

    def slope(step):
        return (rate(problem, W + 1e-5 * step) - rate(problem, W - 1e-5 * step)) / 2e-5

    along = slope(W)  # 2 Re <mu W, W> with |W|^2 = P
    for _ in range(5):
        step = rng.standard_normal(W.shape) + 1j * rng.standard_normal(W.shape)
        step /= np.linalg.norm(step)
        expected = along * np.vdot(W, step).real / np.vdot(W, W).real
        assert slope(step) == pytest.approx(expected, abs=1e-3 * abs(along))  # 1e-13 of change an iteration remains


def test_a_weight_of_zero_serves_nobody_and_a_large_one_more():
    scene = SCENES["plain_2_streams"]
    rates = {}
    for weight in (0.0, 1.0, 10.0):
        problem = replace(problem_of(scene), weight=np.array([1.0, 1.0, weight]))
        W = solved(problem, scene, iterations=8).weights.antenna()
        expected = printed(scene, problem, I_max=8).W
        rates[weight] = p1_rates.of_effective(effective(problem), scene.sigma2, W)[2]
        if weight:
            assert difference(W, expected) <= 1e-9  # rounding over eight iterations
    assert rates[0.0] == 0.0
    assert rates[10.0] > rates[1.0]


def test_caps_of_options_are_kept():
    problem = problem_of(SCENES["plain_2_streams"])
    antennas = problem.csi.array.elements
    towards = problem.csi.steering()[0, 0]
    spared = np.outer(towards.conj(), towards)
    caps = (
        PowerCap(share=0.25, antennas=tuple(range(antennas // 2))),
        PowerCap(share=0.01, matrix=tuple(map(tuple, spared.real)), imaginary=tuple(map(tuple, spared.imag))),
    )
    W = joint_ncjt(problem, options=NoncoherentOptions(streams=2, iterations=5, caps=caps)).weights.antenna()
    powers = (np.abs(W) ** 2).sum(axis=(1, 3))
    assert (powers[:, : antennas // 2].sum(axis=1) <= 0.25 * (1 + 1e-12)).all()
    assert (powers.sum(axis=1) <= 1 + 1e-12).all()
    sent = (np.abs(np.einsum("n,sknl->skl", towards, W)) ** 2).sum(axis=(1, 2))
    assert (sent <= 0.01 * (1 + 1e-9)).all()
    assert sent[0] == pytest.approx(0.01, rel=1e-6)  # it would send more there


def test_equal_antenna_powers_cost_little():
    scene = paper(3, N=16, cap_w=100.0)
    problem = problem_of(scene)
    total, each = (
        joint_ncjt(problem, options=NoncoherentOptions(streams=2, constraint=name)).weights.antenna()
        for name in ("total", "per_antenna")
    )
    powers = (np.abs(each) ** 2).sum(axis=(1, 3))
    assert (powers <= problem.power_w[:, None] / 16 * (1 + 1e-12)).all()
    assert 0.8 * rate(problem, total) < rate(problem, each) < rate(problem, total) * 1.01  # neither is a global optimum


def exact(scene, problem, W, draws=20, seed=0):
    """(4), summed over the UTs."""
    csi = problem.csi
    gamma = p1_channel.gains(np.random.default_rng([27, seed]), draws, scene.beta, scene.kappa)
    b, a = np.sqrt(scene.M) * csi.receive_steering, np.sqrt(scene.N) * csi.steering()
    return p1_rates.ergodic(gamma, b, a, scene.sigma2, W).sum()


def test_fig_8_joint_is_far_above_the_benchmarks_and_gains_by_satellites():
    means = {}
    for satellites in (4, 8):
        for name in ("joint", "mmse", "zf", "mrt_tdma"):
            means[satellites, name] = 0.0
        for seed in range(4):
            scene = paper(seed, L=satellites, cap_w=10.0)
            problem = problem_of(scene)
            for name, precoder, given in (
                ("joint", joint_ncjt, NoncoherentOptions(streams=2)),
                ("mmse", mmse, StreamOptions(streams=2)),
                ("zf", zf, StreamOptions(streams=2)),
            ):
                W = precoder(problem, options=given).weights.antenna()
                means[satellites, name] += exact(scene, problem, W, seed=seed) / 4
            turn = mrt_tdma(problem, options=NoOptions()).weights.antenna()
            alone = [np.where(np.arange(2)[:, None, None] == k, turn, 0.0) for k in range(2)]
            means[satellites, "mrt_tdma"] += sum(exact(scene, problem, W, seed=seed) for W in alone) / 2 / 4
    for satellites in (4, 8):
        for other in ("mmse", "zf", "mrt_tdma"):
            assert means[satellites, "joint"] > 1.2 * means[satellites, other]
    assert means[8, "joint"] > 1.1 * means[4, "joint"]


def test_fig_7_a_second_stream_helps_at_high_power():
    means = {}
    for cap_w in (0.01, 100.0):
        for streams in (1, 2):
            total = 0.0
            for seed in range(4):
                scene = paper(seed, cap_w=cap_w)
                problem = problem_of(scene)
                W = joint_ncjt(problem, options=NoncoherentOptions(streams=streams)).weights.antenna()
                total += exact(scene, problem, W, seed=seed)
            means[cap_w, streams] = total
    assert means[100.0, 2] > 1.1 * means[100.0, 1]
    assert means[100.0, 2] / means[100.0, 1] > means[0.01, 2] / means[0.01, 1]


# ---------------------------------------------------------------------------------------------------- benchmarks


@pytest.mark.parametrize("name", CAPPED)
def test_mmse_is_21(name):
    scene = SCENES[name]
    problem = problem_of(scene)
    W = mmse(problem, options=StreamOptions(streams=scene.S)).weights.antenna()
    active = scene.serving & (scene.rho > 0.0)[:, None]
    expected = p1_joint.mmse_start(effective(problem), scene.sigma2, scene.constraints, scene.S, active)
    assert difference(W, expected) <= 1e-8  # UTs at one place: their modes are separated to 1e-8
    assert not W[~scene.serving].any()


@pytest.mark.parametrize("name", [name for name in CAPPED if SCENES[name].serving.all()])
def test_zero_forcing_is_the_literal_one(name):
    scene = SCENES[name]
    problem = problem_of(scene)
    W = zf(problem, options=StreamOptions(streams=scene.S)).weights.antenna()
    if (scene.rho > 0.0).all():
        expected = p1_baselines.zero_forcing(effective(problem), scene.rho, scene.S)
        assert difference(W, expected) <= 1e-8  # condition of a stack of steering vectors
    assert (W[scene.rho == 0.0] == 0.0).all()


def test_mrt_in_turns_uses_the_strongest_of_the_cluster_and_all_its_power():
    scene = SCENES["partial_clusters"]
    problem = problem_of(scene)
    weights = mrt_tdma(problem, options=NoOptions()).weights
    assert sorted(weights.slot) == [0, 1, 2, 3]
    closest, w = p1_baselines.mrt_in_turns(np.where(scene.serving, scene.beta, 0.0), scene.a, scene.rho)
    W = weights.antenna()[..., 0]
    for k, satellite in enumerate(closest):
        assert np.flatnonzero(np.abs(W[:, k]).any(axis=1)).tolist() == [satellite]
        assert abs(np.vdot(W[satellite, k], w[k])) == pytest.approx(scene.rho[satellite], rel=1e-12)  # but for a phase
    # each is on a quarter of the time
    np.testing.assert_allclose(weights.power_w().sum(axis=0), scene.rho[closest] / 4, rtol=1e-12)


def test_a_ut_that_nobody_serves_has_no_turn():
    scene = SCENES["ut_nobody_serves"]
    weights = mrt_tdma(problem_of(scene), options=NoOptions()).weights
    assert weights.slot.max() == 1
    assert not weights.power_w()[:, 2].any()


# ------------------------------------------------------------------------------------------------- what is refused


FACTS = facts_of(satellite_rows=2, satellite_columns=2, terminal_elements=4, largest_cluster=3)


def test_options_that_fit_are_let_through():
    NoncoherentOptions(streams=3, constraint="per_antenna", multipliers="ellipsoid").check(FACTS)
    NoncoherentOptions(streams=3, caps=(PowerCap(share=0.5, antennas=(0, 3)),)).check(FACTS)
    NoncoherentOptions(multipliers="bisection").check(FACTS)
    StreamOptions(streams=3).check(FACTS)


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"streams": 4}, "streams = 4 must be at most 3, the satellites of a cluster"),
        ({"multipliers": "bisection", "constraint": "per_antenna"}, 'multipliers: "bisection" is for'),
        ({"caps": (PowerCap(share=1.0, antennas=(4,)),)}, r"caps\[0\].antennas: found antenna 4"),
    ],
)
def test_options_that_do_not_fit_are_told(given, words):
    with pytest.raises(ValueError, match=words):
        NoncoherentOptions(**given).check(FACTS)


def test_streams_are_held_against_the_smallest_terminal():
    with pytest.raises(ValueError, match="streams = 3 must be at most 2, the elements of the smallest terminal"):
        StreamOptions(streams=3).check(replace(FACTS, largest_cluster=None, terminal_elements=2))


def test_constraints_of_a_caller_are_checked():
    problem = problem_of(SCENES["plain_1_streams"])
    with pytest.raises(InputError, match="one for each of 3 satellites"):
        joint(problem, total_power(np.ones(2), 16), NoncoherentOptions())
    with pytest.raises(InputError, match="bisection"):
        joint(problem, per_antenna(np.ones(3), 16), NoncoherentOptions(multipliers="bisection"))
