"""Phase errors against their statistics; compensation against motion that it can and cannot foresee."""

from dataclasses import dataclass

import numpy as np
import pytest

from twin.radio.synchronisation import Compensation, draw_phase_errors, mean_phase, predict, residual
from twin.registry import of_kind

LIGHT_KM_S = 299_792.458
CARRIER_HZ = 2e9
IDS = np.array([11, 25, 44713])


def errors(variance: float, *, draws: int = 4, ids: np.ndarray = IDS, seed: int = 3, epoch: int = 8) -> np.ndarray:
    return draw_phase_errors(np.full((len(ids), 2), variance), ids, draws=draws, seed=seed, epoch=epoch)


@pytest.mark.parametrize("variance", [0.0, 0.1, 0.5, 2.0, 9.0])
def test_the_mean_of_drawn_phases_is_the_one_that_precoders_are_told(variance):
    draws = 40_000
    found = np.exp(1j * errors(variance, draws=draws)).mean(axis=0)
    expected = float(mean_phase(np.array(variance)))
    # the standard error of a mean of unit phases is at most sqrt((1 - |mean|^2) / D); four of these, for six pairs
    assert (np.abs(found - expected) <= 4 * np.sqrt((1 - expected**2) / draws) + 1e-15).all()


def test_drawn_phases_have_their_variance():
    draws = 40_000
    found = errors(0.5, draws=draws)
    # a sample variance is off by sqrt(2 / D) of itself
    np.testing.assert_allclose(found.var(axis=0), 0.5, rtol=4 * np.sqrt(2 / draws))
    np.testing.assert_allclose(found.mean(axis=0), 0.0, atol=4 * np.sqrt(0.5 / draws))


def test_each_pair_has_its_own_variance():
    variance = np.array([[0.0, 0.1], [1.0, 4.0], [np.inf, 0.0]])
    found = draw_phase_errors(variance, IDS, draws=20_000, seed=1, epoch=1)
    assert not found[:, 0, 0].any()
    assert not found[:, 2, 1].any()
    for pair in ((0, 1), (1, 0), (1, 1)):
        assert found[(slice(None), *pair)].var() == pytest.approx(variance[pair], rel=0.05)  # five sqrt(2 / D)
    assert np.isfinite(found).all()


def test_an_infinite_variance_is_a_uniform_phase():
    draws = 40_000
    found = errors(np.inf, draws=draws)
    assert np.isfinite(found).all()
    assert mean_phase(np.array(np.inf)) == 0.0
    for harmonic in (1, 2, 3):
        mean = np.exp(1j * harmonic * found).mean(axis=0)
        assert (np.abs(mean) <= 4 / np.sqrt(draws)).all()  # unit phases without a mean
    turns, _ = np.histogram(found % (2 * np.pi), bins=20, range=(0, 2 * np.pi))
    expected = found.size / 20
    # chi-square of 19 degrees of freedom: beyond 50 once in 1e4 times
    assert ((turns - expected) ** 2 / expected).sum() < 50


def test_draws_of_a_satellite_do_not_depend_on_the_others():
    np.testing.assert_array_equal(errors(0.5)[:, [2, 0]], errors(0.5, ids=IDS[[2, 0]]))


def test_first_draws_are_the_same_however_many_follow():
    np.testing.assert_array_equal(errors(0.5, draws=2), errors(0.5, draws=7)[:2])


def test_draws_scale_with_the_deviation_alone():
    # so that two scenarios that differ in the variance have common random numbers; one root and one product
    np.testing.assert_allclose(errors(2.0), 2 * errors(0.5), rtol=1e-15)


def test_other_seeds_and_epochs_give_other_draws():
    first = errors(0.5)
    np.testing.assert_array_equal(first, errors(0.5))
    assert (first != errors(0.5, seed=4)).all()
    assert (first != errors(0.5, epoch=9)).all()


def test_no_satellites_no_draws():
    assert errors(0.5, ids=np.empty(0, dtype=np.int64)).shape == (4, 0, 2)


def test_models_by_name():
    path = Links(*np.ones((3, 2, 3)))
    gaussian = of_kind("phase error")["gaussian_phase"]
    found = gaussian.model(path, options=gaussian.options(phase_variance_rad2=0.25))
    np.testing.assert_array_equal(found, np.full((2, 3), 0.25))
    uniform = of_kind("phase error")["uniform_phase"]
    assert not mean_phase(uniform.model(path, options=uniform.options())).any()


# ------------------------------------------------------------------------------------------------ compensation


@dataclass(frozen=True)
class Links:
    range_km: np.ndarray
    range_rate_km_s: np.ndarray
    range_acceleration_km_s2: np.ndarray


def flight(time_s: float, jerk: float = 0.0) -> Links:
    """Four passes with constant acceleration, or constant jerk."""
    r, v, a = np.array([[900.0, 1500.0], [600.0, 2000.0]]), np.array([[-6.0, 3.0], [0.0, 6.5]]), 0.08
    return Links(
        r + v * time_s + a * time_s**2 / 2 + jerk * time_s**3 / 6,
        v + a * time_s + jerk * time_s**2 / 2,
        np.full((2, 2), a + jerk * time_s),
    )


@pytest.mark.parametrize("age_s", [0.0, 0.02, 1.0, 10.0])
def test_constant_acceleration_is_foreseen(age_s):
    missed = residual(predict(flight(0.0), age_s=age_s, carrier_hz=CARRIER_HZ), flight(age_s), carrier_hz=CARRIER_HZ)
    # rounding of 2000 km and of 7 km/s: 1e-18 s of delay, 1e-11 Hz of Doppler
    np.testing.assert_allclose(missed.delay_s, 0.0, atol=5e-18)
    np.testing.assert_allclose(missed.doppler_hz, 0.0, atol=5e-11)


def test_compensation_without_age_misses_nothing():
    known = flight(3.0)
    missed = residual(predict(known, age_s=0.0, carrier_hz=CARRIER_HZ), known, carrier_hz=CARRIER_HZ)
    assert not missed.delay_s.any()
    assert not missed.doppler_hz.any()


def test_jerk_is_missed_by_the_next_term():
    jerk, age_s = 1e-3, 4.0
    known, truth = flight(0.0, jerk), flight(age_s, jerk)
    missed = residual(predict(known, age_s=age_s, carrier_hz=CARRIER_HZ), truth, carrier_hz=CARRIER_HZ)
    # P3 (8): delay error is applied less true, Doppler error is true less applied; rounding of 2000 km
    np.testing.assert_allclose(missed.delay_s, -jerk * age_s**3 / 6 / LIGHT_KM_S, rtol=1e-9)
    np.testing.assert_allclose(missed.doppler_hz, -jerk * age_s**2 / 2 / LIGHT_KM_S * CARRIER_HZ, rtol=1e-9)


def test_signs_are_those_of_p3():
    truth = Links(np.array([[3.0]]) * LIGHT_KM_S, np.array([[-1.5]]), np.zeros((1, 1)))
    applied = Compensation(delay_s=np.array([[3.25]]), doppler_hz=np.array([[10_000.0]]))
    missed = residual(applied, truth, carrier_hz=CARRIER_HZ)
    assert missed.delay_s[0, 0] == pytest.approx(0.25, abs=1e-14)  # rounding of 3 s
    approaching_hz = 1.5 / LIGHT_KM_S * CARRIER_HZ  # an approaching satellite has a positive Doppler shift
    assert missed.doppler_hz[0, 0] == pytest.approx(approaching_hz - 10_000.0, rel=1e-12)
    assert predict(truth, age_s=0.0, carrier_hz=CARRIER_HZ).doppler_hz[0, 0] > 0.0
