"""One satellite's convex problem: conditions that make a precoder its solution, and P1's methods against ours."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from twin.errors import InputError
from twin.precoding.noncoherent.capped import CappedSolution, FeasibleSubspace, solve
from twin.precoding.noncoherent.constraints import (
    PowerCap,
    PowerConstraints,
    check_constraints,
    constraints_of_options,
    form,
    per_antenna,
    total_power,
)
from twin.precoding.noncoherent.multipliers import total_power as multiplier
from twin.precoding.noncoherent.multipliers import total_power_by_bisection

ANTENNAS = 8


def rng_of(*key):
    return np.random.default_rng([22, *key])


def complex_normal(rng, *shape):
    return (rng.standard_normal(shape) + 1j * rng.standard_normal(shape)) / np.sqrt(2)


def problem(seed, *, size=1.0, vectors=3, columns=4, antennas=ANTENNAS):
    """F and c of T = F F^H, z = F c; powers of W(0) are of the order of ``size``."""
    rng = rng_of(1, seed)
    factor = complex_normal(rng, antennas, vectors)
    target = factor.conj().T @ complex_normal(rng, antennas, columns)
    return factor, target * np.sqrt(size / columns)


def random_forms(seed, count, rank):
    """Positive semidefinite matrices."""
    roots = complex_normal(rng_of(2, seed), count, ANTENNAS, rank)
    return roots @ roots.conj().swapaxes(1, 2) / rank


def sets(seed):
    """Constraints of every kind by name."""
    eye, dense = np.eye(ANTENNAS), random_forms(seed, 3, 2)
    half = np.repeat(np.eye(2), ANTENNAS // 2, axis=1)
    diagonals = np.concatenate([eye, np.ones((1, ANTENNAS))])
    return {
        "total": (np.ones((1, ANTENNAS)), [1.0]),
        "per_antenna": (eye, np.full(ANTENNAS, 1.0 / ANTENNAS)),
        "per_antenna_unequal": (eye, 10.0 ** rng_of(3, seed).uniform(-3, 1, ANTENNAS)),
        "total_and_per_antenna": (diagonals, [*np.full(ANTENNAS, 0.2), 1.0]),
        "halves": (half, [0.3, 0.7]),
        "one_half_alone": (half[:1], [0.3]),
        "subspaces": (dense, [0.1, 0.2, 0.3]),
        "total_and_subspace": (np.concatenate([eye[None], dense[:1]]), [1.0, 0.05]),
        "the_same_twice": (np.concatenate([eye[None], 2 * eye[None], dense[:1], dense[:1]]), [1.0, 2.0, 0.1, 0.1]),
        "antenna_off": (np.concatenate([np.ones((1, ANTENNAS)), eye[2:3]]), [1.0, 0.0]),
        "per_antenna_one_off": (eye, [0.1, 0.2, 0.0, 0.1, 0.3, 0.1, 0.1, 0.1]),
        "total_and_per_antenna_one_off": (diagonals, [0.1, 0.2, 0.0, 0.1, 0.3, 0.1, 0.1, 0.1, 0.5]),
        "subspace_off": (np.concatenate([eye[None], dense[:1]]), [1.0, 0.0]),
    }


KINDS = list(sets(0))


def constraints(kind, seed=0):
    forms, cap_w = sets(seed)[kind]
    return PowerConstraints(forms=forms, cap_w=np.array(cap_w, float))


def matrices(one):
    return one.forms if one.forms.ndim == 3 else one.forms[:, :, None] * np.eye(one.antennas)


def solved(one, factor, target, method="newton", start=None) -> CappedSolution:
    return solve(FeasibleSubspace.of(one, factor), factor, target, method, start)


def value(factor, target, weights):
    """Tr W^H T W - 2 Re Tr z^H W."""
    seen = factor.conj().T @ weights
    return float((np.abs(seen) ** 2).sum() - 2.0 * (target.conj() * seen).real.sum())


def assert_optimal(one, factor, target, found, tolerance=1e-10):
    """Stationary within what zero caps allow, within the caps, and no multiplier where power is left."""
    A, W, z = matrices(one), found.weights, factor @ target
    powers = np.einsum("nj,xnm,mj->x", W.conj(), A, W).real
    on = one.cap_w > 0.0
    assert np.isfinite(W).all()
    assert (found.mu >= 0.0).all()
    # powers are known to the rounding of W's largest part, of which a cap need not see much, and W is scaled to them
    size = max(np.linalg.norm(A[x]) / one.cap_w[x] for x in np.flatnonzero(on)) if on.any() else 0.0
    blurred = 1e-14 * size * np.linalg.norm(W) ** 2
    assert (powers[on] <= one.cap_w[on] * (1.0 + 1e-12 + blurred)).all()
    assert (powers[~on] <= 1e-15 * (np.abs(W) ** 2).sum()).all()  # as far as A itself is semidefinite
    matrix = factor @ factor.conj().T + np.tensordot(found.mu[on], A[on], axes=1)
    left = matrix @ W - z
    if not on.all():  # what zero caps forbid may pull
        values, vectors = np.linalg.eigh(A[~on].sum(axis=0))
        left = vectors[:, values < 1e-12].conj().T @ left
    rounding = 1e-14 * np.linalg.norm(matrix) * np.linalg.norm(W)  # that of any stable solver
    assert np.linalg.norm(left) <= (tolerance + blurred) * np.linalg.norm(z) + rounding
    slack = np.abs(found.mu[on] * (one.cap_w[on] - powers[on]))
    # the search ends at 1e-11 of sum mu rho, or at 1e-15 of the gain where multipliers vanish
    gain = np.linalg.norm(np.linalg.lstsq(factor, z, rcond=None)[0].conj().T @ factor.conj().T)  # only a size
    whole = float(found.mu[on] @ one.cap_w[on])
    assert slack.max(initial=0.0) <= (1e-10 + 10 * blurred) * whole or slack.max() <= 1e-13 * gain**2


@pytest.mark.parametrize("size", [1e-3, 1.0, 1e3, 1e8])
@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_of_constraint_is_solved(kind, size):
    for seed in range(3):
        one = constraints(kind, seed)
        factor, target = problem(seed, size=size)
        found = solved(one, factor, target)
        assert_optimal(one, factor, target, found)
        assert found.evaluations < 60


@pytest.mark.parametrize("kind", KINDS)
def test_no_precoder_within_the_caps_is_better(kind):
    one = constraints(kind)
    factor, target = problem(0, size=30.0)
    found = solved(one, factor, target)
    best, A = value(factor, target, found.weights), matrices(one)
    forbidden = A[one.cap_w == 0.0].sum(axis=0)
    away = np.eye(ANTENNAS) - forbidden @ np.linalg.pinv(forbidden, rcond=1e-10)
    rng, on = rng_of(4), one.cap_w > 0.0
    for trial in range(50):
        other = found.weights + 10.0 ** -(trial % 5) * (away @ complex_normal(rng, *found.weights.shape))
        powers = np.einsum("nj,xnm,mj->x", other.conj(), A[on], other).real
        other = other * np.sqrt(min(1.0, (one.cap_w[on] / powers).min()))
        assert value(factor, target, other) >= best - 1e-10 * abs(best)  # tolerance of the search


@pytest.mark.parametrize("kind", KINDS)
def test_p1s_ellipsoid_finds_the_same_precoder(kind):
    one = constraints(kind)
    factor, target = problem(1, size=30.0)
    ours = solved(one, factor, target)
    theirs = solved(one, factor, target, "ellipsoid")
    # a slackness of 1e-10 of sum mu rho leaves 1e-10 in the value and its root in W where multipliers are small
    assert value(factor, target, theirs.weights) == pytest.approx(value(factor, target, ours.weights), rel=1e-9)
    received, other = (factor.conj().T @ found.weights for found in (ours, theirs))
    assert np.linalg.norm(received - other) <= 1e-7 * np.linalg.norm(received)
    assert ours.evaluations < max(theirs.evaluations, 3)


def test_a_start_saves_steps_and_changes_nothing():
    one = constraints("per_antenna_unequal")
    factor, target = problem(2, size=10.0)
    cold = solved(one, factor, target)
    for off in (1.0, 1.1, 100.0, 1e-3):
        warm = solved(one, factor, target, start=cold.mu * off)
        # slackness of 1e-11
        assert np.linalg.norm(warm.weights - cold.weights) <= 1e-8 * np.linalg.norm(cold.weights)
    assert solved(one, factor, target, start=1.01 * cold.mu).evaluations < cold.evaluations


def test_multipliers_known_in_closed_form():
    # T = I on one antenna, z = 1: W = 1/(1 + mu a), at power 1/4 mu a = 1
    one = PowerConstraints(forms=np.array([[1.0], [4.0]]), cap_w=np.array([0.25, 0.25]))  # the second binds
    subspace = FeasibleSubspace.of(one, np.ones((1, 1), complex))
    found = solve(subspace, np.ones((1, 1), complex), np.ones((1, 1), complex), "newton")
    assert found.weights[0, 0] == pytest.approx(0.25, rel=1e-10)
    assert found.mu @ [1.0, 4.0] == pytest.approx(3.0, rel=1e-9)
    assert found.mu[1] == pytest.approx(0.75, abs=1e-9)


def test_equal_antennas_get_equal_multipliers():
    # one vector of equal entries: by symmetry the cap on each antenna is the total one
    factor = np.ones((ANTENNAS, 1), complex)
    target = np.array([[5.0 + 0j]])
    each = solved(per_antenna(np.ones(1), ANTENNAS)[0], factor, target)
    total = solved(total_power(np.ones(1), ANTENNAS)[0], factor, target)
    np.testing.assert_allclose(each.mu, total.mu[0], rtol=1e-9)  # slackness of 1e-11
    np.testing.assert_allclose(each.weights, total.weights, rtol=1e-9)


def test_what_no_cap_touches_is_the_solution_of_least_norm():
    factor, target = problem(3, size=1e-6)
    found = solved(constraints("per_antenna"), factor, target)
    assert not found.mu.any()
    least = np.linalg.pinv(factor.conj().T) @ target
    np.testing.assert_allclose(found.weights, least, atol=1e-13 * np.abs(least).max())


def test_nothing_to_send_and_nothing_to_spend():
    factor, target = problem(4)
    assert not solved(constraints("per_antenna"), factor, 0 * target).weights.any()
    assert not solved(constraints("per_antenna"), 0 * factor, target).weights.any()
    nothing = PowerConstraints(forms=np.eye(ANTENNAS), cap_w=np.zeros(ANTENNAS))
    found = solved(nothing, factor, target)
    assert not found.weights.any()
    assert np.isinf(found.mu).all()


@settings(max_examples=60, deadline=None, derandomize=True)
@given(
    seed=st.integers(0, 2**31),
    kind=st.sampled_from(KINDS),
    decades=st.floats(-6, 6),
    vectors=st.integers(1, 12),
    spread=st.floats(0, 6),
)
def test_conditions_hold_in_problems_at_random(seed, kind, decades, vectors, spread):
    one = constraints(kind, seed)
    factor, target = problem(seed, size=10.0**decades, vectors=vectors)
    factor = factor * 10.0 ** (-spread * np.arange(vectors) / vectors)  # far from equal loads
    found = solved(one, factor, target * 10.0 ** (-spread * np.arange(vectors) / vectors)[:, None])
    assert found.evaluations <= 100
    scaled = target * 10.0 ** (-spread * np.arange(vectors) / vectors)[:, None]
    assert_optimal(one, factor, scaled, found, tolerance=1e-8)


# ----------------------------------------------------------------------------------------- one cap on total power


@settings(max_examples=200, deadline=None, derandomize=True)
@given(seed=st.integers(0, 2**31), decades=st.floats(-8, 8), spread=st.floats(0, 12))
def test_total_power_is_met_to_the_last_bits(seed, decades, spread):
    rng = rng_of(5, seed)
    values = 10.0 ** rng.uniform(-spread, 0, (4, 6))
    loads = 10.0 ** rng.uniform(-spread, 0, (4, 6)) * values
    cap_w = 10.0**decades * rng.uniform(0.5, 2, 4)
    mu = multiplier(values, loads, cap_w)
    power = (loads / (values + mu[:, None]) ** 2).sum(axis=1)
    free = (loads / values**2).sum(axis=1)
    np.testing.assert_array_equal(mu[free < cap_w * (1 - 1e-12)], 0.0)
    # a change of mu by 2^-50 changes p by at most twice that, relative, and sums round
    np.testing.assert_allclose(power[mu > 0.0], cap_w[mu > 0.0], rtol=1e-14)
    np.testing.assert_allclose(total_power_by_bisection(values, loads, cap_w), mu, rtol=1e-12, atol=1e-300)


# -------------------------------------------------------------------------------------------------- what is allowed


EYE = ((1.0, 0.0, 0.0), (0.0, 1.0, 0.0), (0.0, 0.0, 1.0))
BAD = ((1.0, 0.0, 0.0), (0.0, -0.5, 0.0), (0.0, 0.0, 1.0))


@pytest.mark.parametrize(
    ("cap", "words"),
    [
        (PowerCap(share=1.0), r"caps\[1\]: give exactly one of matrix, antennas and file, found none"),
        (PowerCap(share=1.0, matrix=EYE, antennas=(0,)), "found matrix and antennas"),
        (PowerCap(share=1.0, antennas=(0, 3)), r"caps\[1\].antennas: found antenna 3, must be from 0 to 2"),
        (PowerCap(share=1.0, matrix=((1.0,),)), r"caps\[1\].matrix: found shape \(1, 1\), must be \(3, 3\)"),
        (PowerCap(share=1.0, matrix=((1.0, 2.0), (3.0,))), "must be square"),
        (PowerCap(share=1.0, matrix=(EYE[0], EYE[1], (0.5, 0.0, 1.0))), "must be Hermitian, found entries"),
        (PowerCap(share=1.0, matrix=BAD), "positive semidefinite, its least eigenvalue is -0.5"),
        (PowerCap(share=1.0, antennas=(0,), imaginary=EYE), r"caps\[1\].imaginary: needs matrix"),
        (PowerCap(share=1.0, matrix=EYE, imaginary=((1.0,),)), r"caps\[1\].imaginary: 1 rows, must be 3"),
        (PowerCap(share=1.0, file="not/there.npy"), r"caps\[1\].file: cannot read not/there.npy"),
    ],
)
def test_a_cap_that_is_none_is_told(cap, words):
    with pytest.raises(ValueError, match=words):
        form(cap, "caps[1]", 3)
    with pytest.raises(InputError, match="caps"):
        constraints_of_options("total", (cap,), np.ones(1), 3)


def test_a_cap_is_read_from_a_file(tmp_path):
    matrix = random_forms(0, 1, 2)[0]
    np.save(tmp_path / "cap.npy", matrix)
    np.testing.assert_allclose(form(PowerCap(share=1.0, file=str(tmp_path / "cap.npy")), "cap", ANTENNAS), matrix)
    np.save(tmp_path / "words.npy", np.array(["a"]))
    with pytest.raises(ValueError, match="holds no array of numbers"):
        form(PowerCap(share=1.0, file=str(tmp_path / "words.npy")), "cap", ANTENNAS)


def test_a_matrix_may_be_complex():
    real, imaginary = ((1.0, 0.0), (0.0, 1.0)), ((0.0, 0.5), (-0.5, 0.0))
    found = form(PowerCap(share=1.0, matrix=real, imaginary=imaginary), "cap", 2)
    np.testing.assert_array_equal(found, [[1, 0.5j], [-0.5j, 1]])


def test_caps_keep_the_satellites_power_as_well():
    one = constraints_of_options("total", (PowerCap(share=0.5, antennas=(0, 2)),), np.array([4.0]), 3)[0]
    np.testing.assert_array_equal(one.forms, [[1, 0, 1], [1, 1, 1]])
    np.testing.assert_array_equal(one.cap_w, [2.0, 4.0])
    mixed = constraints_of_options(
        "total", (PowerCap(share=0.5, matrix=((1.0, 1.0), (1.0, 1.0))),), np.array([4.0]), 2
    )[0]
    np.testing.assert_array_equal(mixed.forms, [[[1, 1], [1, 1]], np.eye(2)])


def test_total_power_is_recognised():
    assert total_power(np.array([2.0]), 3)[0].total_w() == 2.0
    eyes = PowerConstraints(forms=np.array([np.eye(3), 2 * np.eye(3)]), cap_w=np.array([2.0, 3.0]))
    assert eyes.total_w() == 1.5
    assert per_antenna(np.array([2.0]), 3)[0].total_w() is None
    assert per_antenna(np.array([2.0]), 1)[0].total_w() == 2.0
    assert PowerConstraints(forms=np.zeros((1, 3)), cap_w=np.ones(1)).total_w() is None


@pytest.mark.parametrize(
    ("given_sets", "words"),
    [
        (total_power(np.ones(1), 3), "found 1 sets, must be one for each of 2 satellites"),
        (total_power(np.ones(2), 4), r"forms of shape \(1, 4\) with 1 caps"),
        (total_power(np.array([1.0, -1.0]), 3), "satellite 1: caps must not be negative"),
        (total_power(np.array([1.0, np.nan]), 3), "all numbers finite"),
    ],
)
def test_constraints_that_do_not_fit_are_told(given_sets, words):
    with pytest.raises(InputError, match=words):
        check_constraints(given_sets, 2, 3)
