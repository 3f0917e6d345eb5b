"""Pilots against estimators, means against draws, and the closed loop against one that is walked through."""

from dataclasses import replace

import numpy as np
import pytest

from tests.literal import ofdm
from twin.errors import InputError
from twin.radio.synchronisation import (
    Alignment,
    LinkView,
    Residual,
    aligned,
    delay_disturbance,
    demodulate,
    doppler_disturbance,
    draw_phase_errors,
    mean_disturbance,
    mean_phase,
    predict,
    residual,
)
from twin.radio.synchronisation.loop_errors import loop_errors, pilot_grid, prediction_error
from twin.radio.synchronisation.pilot_bounds import PilotGrid, pilot_bounds
from twin.radio.waveform import Waveform
from twin.registry import of_kind

LIGHT_M_S = 299_792_458.0
WAVE = Waveform.of(carrier_hz=2e9, subcarrier_hz=30e3, bandwidth_hz=20e6)
PAIRS = (3, 2)


def view(snr_db: float | np.ndarray = 15.0, shape: tuple[int, ...] = PAIRS, waveform: Waveform = WAVE) -> LinkView:
    rng = np.random.default_rng(1)
    return LinkView(
        range_km=rng.uniform(600.0, 2000.0, shape),
        elevation_deg=rng.uniform(10.0, 90.0, shape),
        range_rate_km_s=rng.uniform(-6.5, 6.5, shape),
        range_acceleration_km_s2=rng.uniform(0.01, 0.09, shape),
        pilot_snr=np.broadcast_to(10.0 ** (np.asarray(snr_db) / 10.0), shape),
        waveform=waveform,
    )


def answer(name: str, links: LinkView, **options: object) -> Alignment:
    entry = of_kind("phase error")[name]
    return aligned(entry.model(links, options=entry.options(**options)))


# Pilots


@pytest.mark.parametrize(("carriers", "symbols"), [(24, 3), (8, 8), (2, 5)])
def test_the_best_estimator_reaches_the_bounds(carriers: int, symbols: int):
    snr, trials = 100.0, 1500  # 20 dB a pilot: far above the threshold
    errors = ofdm.pilot_errors(np.random.default_rng(2), N=carriers, M=symbols, snr=snr, trials=trials)
    grid = PilotGrid(subcarriers=carriers, subcarrier_step_hz=120e3, symbols=symbols, symbol_step_s=5e-4)
    bounds = pilot_bounds(np.array(snr), grid)
    found = errors.var(axis=0) * np.array([1.0 / 120e3**2, 1.0 / 5e-4**2, 1.0])
    # a sample variance is off by sqrt(2 / trials) of itself: four of these; 1/snr squared is left out by the bound
    expected = [bounds.delay_s2, bounds.doppler_hz2, bounds.phase_rad2]
    np.testing.assert_allclose(found, expected, rtol=4 * np.sqrt(2 / trials))
    np.testing.assert_allclose(np.corrcoef(errors.T), np.eye(3), atol=4.5 / np.sqrt(trials))


def test_the_bounds_invert_the_fisher_matrix():
    grid = PilotGrid(subcarriers=7, subcarrier_step_hz=60e3, symbols=4, symbol_step_s=1e-3)
    f, t = np.meshgrid((np.arange(7) - 3) * 60e3, (np.arange(4) - 1.5) * 1e-3)
    slopes = 2 * np.pi * np.stack([np.ones(28) / (2 * np.pi), -f.ravel(), t.ravel()])
    phase, delay, doppler = np.diag(np.linalg.inv(2 * 3.0 * slopes @ slopes.T))
    bounds = pilot_bounds(np.array(3.0), grid)
    # an inverse of condition 1e13 in double precision, whose blocks differ in scale
    np.testing.assert_allclose(
        [bounds.phase_rad2, bounds.delay_s2, bounds.doppler_hz2], [phase, delay, doppler], rtol=1e-9
    )


def test_a_slope_needs_two_points():
    with pytest.raises(ValueError, match=r"needs at least 2 pilots .* found 1"):
        pilot_bounds(np.ones(1), PilotGrid(subcarriers=1, subcarrier_step_hz=1.0, symbols=4, symbol_step_s=1.0))


# Means over errors


@pytest.mark.parametrize("deviation", [0.001, 0.003, 0.0225, 0.1, 0.4, 1.0, 30.0])
def test_mean_leakage_is_that_of_drawn_doppler_errors(deviation: float):
    """Against an integral over the Gaussian with 20,001 points, and over the exact sum of N samples."""
    z = np.linspace(-9.0, 9.0, 20_001)
    weight = np.exp(-(z**2) / 2)
    weight /= weight.sum()
    zero = np.zeros_like(z)
    made = demodulate(Residual(delay_s=zero, doppler_hz=z * deviation * 30e3), WAVE, advance_s=WAVE.prefix_s / 2)
    found = doppler_disturbance(deviation * 30e3, WAVE)
    # 666 samples instead of infinitely many: 1/N² of the small, and Gaussian tails beyond nine deviations
    assert found == pytest.approx((weight * made.disturbance).sum(), rel=3e-6, abs=1e-13)


def test_series_and_closed_form_meet():
    edge_hz = 1e-2 / (np.sqrt(2.0) * np.pi) * 30e3
    below, above = doppler_disturbance(np.array([edge_hz * (1 - 1e-9), edge_hz * (1 + 1e-9)]), WAVE)
    assert below == pytest.approx(above, rel=1e-8)  # 4e-9 by the step, 1e-11 by cancellation


@pytest.mark.parametrize("advance", [0.0, 0.3, 0.5, 1.0])
@pytest.mark.parametrize("deviation", [0.002, 0.03, 0.2, 1.0, 5.0])
def test_mean_loss_beyond_the_prefix_is_that_of_drawn_delays(deviation: float, advance: float):
    z = np.linspace(-9.0, 9.0, 200_001)
    weight = np.exp(-(z**2) / 2)
    weight /= weight.sum()
    drawn = Residual(delay_s=z * deviation * WAVE.data_s, doppler_hz=np.zeros_like(z))
    made = demodulate(drawn, WAVE, advance_s=advance * WAVE.prefix_s)
    found = delay_disturbance(deviation * WAVE.data_s, WAVE, advance_s=advance * WAVE.prefix_s)
    assert found == pytest.approx((weight * made.disturbance).sum(), abs=1e-7)  # kinks on a grid of 1e-4


def test_together_they_are_never_below_and_hardly_above_the_drawn():
    rng, deviation_s, deviation_hz = np.random.default_rng(3), 0.05 * WAVE.data_s, 0.1 * 30e3
    count = 200_000
    drawn = Residual(delay_s=rng.normal(0.0, deviation_s, count), doppler_hz=rng.normal(0.0, deviation_hz, count))
    half = 0.5 * WAVE.prefix_s
    made = demodulate(drawn, WAVE, advance_s=half).disturbance
    found = mean_disturbance(deviation_s, deviation_hz, WAVE, advance_s=half)
    alone = [delay_disturbance(deviation_s, WAVE, advance_s=half), doppler_disturbance(deviation_hz, WAVE)]
    error = 4.5 * made.std() / np.sqrt(count)
    assert made.mean() - error < found < made.mean() + alone[0] * alone[1] + error
    assert found > max(alone)


def test_no_error_no_disturbance_and_no_end_of_errors_all_disturbance():
    assert mean_disturbance(0.0, 0.0, WAVE) == 0.0
    assert mean_disturbance(0.0, 0.0, WAVE, advance_s=WAVE.prefix_s) == 0.0
    assert delay_disturbance(0.0, WAVE, advance_s=1.5 * WAVE.prefix_s) > 0.0  # windows outside the symbol
    for delay_s, doppler_hz in [(1e25, 0.0), (0.0, 1e25), (1e25, 1e25)]:
        assert mean_disturbance(delay_s, doppler_hz, WAVE) == pytest.approx(1.0, abs=1e-5)  # 1e6 symbols are the widest
    grown = mean_disturbance(np.geomspace(1e-9, 1e-3, 200), 0.0, WAVE, advance_s=0.5 * WAVE.prefix_s)
    assert (np.diff(grown) >= -1e-12).all()  # rounding of second moments of tails


# Models by name


def test_a_bare_variance_is_a_phase_and_nothing_else():
    links = view()
    found = answer("gaussian_phase", links, phase_variance_rad2=0.25)
    np.testing.assert_array_equal(found.variance_rad2, np.full(PAIRS, 0.25))
    np.testing.assert_array_equal(found.mean_phase, mean_phase(np.full(PAIRS, 0.25)))
    np.testing.assert_array_equal(found.amplitude, 1.0)
    assert not found.disturbance_fraction.any()
    assert not answer("uniform_phase", links).mean_phase.any()
    assert aligned(found) is found


def test_residuals_of_nothing_are_perfect():
    found = answer("residual", view(), delay_deviation_ps=0.0, doppler_deviation_hz=0.0)
    np.testing.assert_array_equal(found.variance_rad2, 0.0)
    np.testing.assert_array_equal(found.mean_phase, 1.0)
    np.testing.assert_array_equal(found.disturbance_fraction, 0.0)


def test_an_early_window_saves_signals_that_come_early():
    options = {"delay_deviation_ps": 1e5, "doppler_deviation_hz": 300.0}  # 0.1 us of a prefix of 2.3
    paper, middle = (answer("residual", view(), window_advance=fraction, **options) for fraction in (0.0, 0.5))
    assert (paper.disturbance_fraction > 5.0 * middle.disturbance_fraction).all()  # half of the signals lose 0.1 us
    expected = mean_disturbance(1e-7, 300.0, WAVE, advance_s=0.5 * WAVE.prefix_s)
    np.testing.assert_array_equal(middle.disturbance_fraction, expected)


def test_large_residuals_are_a_uniform_phase():
    found = answer("residual", view(), delay_deviation_ps=1e6)
    np.testing.assert_array_equal(found.mean_phase, 0.0)
    assert (found.disturbance_fraction > 0.0).all()
    drawn = draw_phase_errors(found.variance_rad2, np.arange(3), draws=20_000, seed=1, epoch=1)
    assert (np.abs(np.exp(1j * drawn).mean(axis=0)) < 4.5 / np.sqrt(20_000)).all()


def test_residual_phases_have_the_moments_of_drawn_residuals():
    rng, count = np.random.default_rng(4), 400_000
    options = {"delay_deviation_ps": 4000.0, "doppler_deviation_hz": 6.0, "elapsed_ms": 12.0}
    found = answer("residual", view(waveform=replace(WAVE, carrier_hz=11e6)), **options)  # a band around its carrier
    subcarrier_hz = 30e3 * (rng.integers(0, 666, count) - 332.5)
    phase = 2 * np.pi * (11e6 + subcarrier_hz) * rng.normal(0.0, 4000e-12, count)
    phase += 2 * np.pi * 12e-3 * rng.normal(0.0, 6.0, count)
    # a sample variance is off by sqrt(3 / count) of itself at a kurtosis below 4, a mean of unit phases by 1 / count
    # under the root; the mean over the band of Gaussian means is not quite Gaussian: 5e-4
    np.testing.assert_allclose(found.variance_rad2, phase.var(), rtol=4.5 * np.sqrt(3 / count))
    np.testing.assert_allclose(found.mean_phase, np.exp(1j * phase).mean().real, atol=5e-4 + 4.5 / np.sqrt(count))


# The loop


def walked(links: LinkView, options: object, rng: np.random.Generator, count: int) -> Residual:
    """Go round the loop: estimates as good as the bounds, rounded, carried forward, compared with a true cubic."""
    grid = pilot_grid(links.waveform, options)
    carrier_hz = links.waveform.carrier_hz
    bounds = pilot_bounds(links.pilot_snr, grid)
    age_s = loop_errors(links, options).age_s
    shape = (count, *links.range_km.shape)
    delay_error_s = rng.normal(0.0, 1.0, shape) * np.sqrt(bounds.delay_s2)
    doppler_error_hz = rng.normal(0.0, 1.0, shape) * np.sqrt(bounds.doppler_hz2)
    r, v, a = links.range_km, links.range_rate_km_s, links.range_acceleration_km_s2
    # what is sent back is rounded; the range itself is left out, to be exact in picoseconds
    sent_s = rounded(delay_error_s, options.delay_step_ps * 1e-12, rng)
    sent_hz = rounded(-v * 1e3 / LIGHT_M_S * carrier_hz + doppler_error_hz, options.doppler_step_hz, rng)
    rate_km_s = -sent_hz / carrier_hz * LIGHT_M_S / 1e3
    known = a if options.foresee_acceleration else 0.0 * a
    jerk = -3.0 * v * a / r
    applied_s = sent_s + (rate_km_s * age_s + known * age_s**2 / 2) * 1e3 / LIGHT_M_S
    true_s = (v * age_s + a * age_s**2 / 2 + jerk * age_s**3 / 6) * 1e3 / LIGHT_M_S
    applied_hz = sent_hz - known * age_s * 1e3 / LIGHT_M_S * carrier_hz
    true_hz = -(v + a * age_s + jerk * age_s**2 / 2) * 1e3 / LIGHT_M_S * carrier_hz
    return Residual(delay_s=applied_s - true_s, doppler_hz=true_hz - applied_hz)


def rounded(values: np.ndarray, step: float, rng: np.random.Generator) -> np.ndarray:
    """On a grid that lies anywhere."""
    if not step:
        return values
    shift = rng.uniform(0.0, step, values.shape)
    return np.asarray(np.round((values + shift) / step) * step - shift)


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"pilot_spacing": 2, "pilot_symbols": 8, "processing_ms": 1.0},
        {"pilot_symbols": 2, "pilot_interval_symbols": 3},
        {"delay_step_ps": 300.0},
        {"doppler_step_hz": 30.0},
        {"delay_step_ps": 450.0, "doppler_step_hz": 30.0},
        {"processing_ms": 1500.0, "pilot_symbols": 40},
    ],
)
def test_the_loop_leaves_what_walking_through_it_leaves(changes: dict[str, float]):
    entry = of_kind("phase error")["closed_loop"]
    options, links, count = entry.options(**changes), view(snr_db=22.0), 40_000
    missed = walked(links, options, np.random.default_rng(5), count)
    errors, found = loop_errors(links, options), answer("closed_loop", links, **changes)
    phase = 2 * np.pi * 2e9 * missed.delay_s
    at_carrier = errors.variance_rad2 - errors.slope_rad2
    # the mean square of count draws, of kurtosis 3 at most: four times sqrt(2 / count) of itself
    np.testing.assert_allclose((phase**2).mean(axis=0), at_carrier, rtol=4.5 * np.sqrt(2 / count))
    np.testing.assert_allclose(
        (missed.delay_s**2).mean(axis=0), found.delay_deviation_s**2, rtol=4.5 * np.sqrt(2 / count)
    )
    np.testing.assert_allclose(
        (missed.doppler_hz**2).mean(axis=0), found.doppler_deviation_hz**2, rtol=4.5 * np.sqrt(2 / count)
    )
    # the mean phase less what the prediction error, the same for all draws, turns; unit phases: 1/sqrt(count)
    expected = mean_phase(found.variance_rad2 - errors.slope_rad2 - errors.prediction_rad2)
    np.testing.assert_allclose(np.abs(np.exp(1j * phase).mean(axis=0)), expected, atol=4.5 / np.sqrt(count))


def test_the_age_is_half_the_pilots_and_the_processing_and_the_way_there_and_back():
    links = replace(view(), range_km=np.full(PAIRS, 299.792458))  # a millisecond
    options = of_kind("phase error")["closed_loop"].options(
        processing_ms=3.0, pilot_symbols=5, pilot_interval_symbols=7, pilot_spacing=3
    )
    half_s = 2 * 7 * WAVE.symbol_s
    np.testing.assert_allclose(loop_errors(links, options).age_s, half_s + 3e-3 + 2e-3, rtol=1e-14)  # sums of three
    assert pilot_grid(WAVE, options).subcarriers == 222
    assert pilot_grid(WAVE, options).subcarrier_step_hz == 90e3


def test_a_measured_carrier_phase_leaves_its_own_error_drift_and_the_slope_over_the_band():
    links, count, rng = view(snr_db=3.0), 150_000, np.random.default_rng(6)
    links = replace(links, range_acceleration_km_s2=np.zeros(PAIRS))
    found = answer("closed_loop", links, carrier_phase=True, pilot_symbols=200)
    options = of_kind("phase error")["closed_loop"].options(pilot_symbols=200)
    bounds, age_s = pilot_bounds(links.pilot_snr, pilot_grid(WAVE, options)), loop_errors(links, options).age_s
    shape = (count, *PAIRS)
    away_hz = 30e3 * (rng.integers(0, 666, shape) - 332.5)
    phase = rng.normal(size=shape) * np.sqrt(bounds.phase_rad2)
    phase += 2 * np.pi * away_hz * rng.normal(size=shape) * np.sqrt(bounds.delay_s2)
    phase += 2 * np.pi * age_s * rng.normal(size=shape) * np.sqrt(bounds.doppler_hz2)
    # kurtosis of the slope's part, a product of two draws, is below 6: sqrt(5 / count)
    np.testing.assert_allclose((phase**2).mean(axis=0), found.variance_rad2, rtol=4.5 * np.sqrt(5 / count))
    fraction = 4 * np.pi**2 * WAVE.squared_offset_hz2 * bounds.delay_s2 / found.variance_rad2
    assert (fraction > 3 * 4.5 * np.sqrt(5 / count)).all()  # a missing one of the three would be noticed
    assert (bounds.phase_rad2 / found.variance_rad2 > 3 * 4.5 * np.sqrt(5 / count)).all()


def test_rounding_to_a_cycle_or_more_leaves_no_phase():
    for step_ps in (500.0, 700.0, 1e5):
        assert not answer("closed_loop", view(60.0), delay_step_ps=step_ps).mean_phase.any()
    assert (answer("closed_loop", view(60.0), delay_step_ps=400.0).mean_phase > 0.2).all()  # sinc(0.8) = 0.23


def test_each_link_has_the_error_of_its_own_snr_and_range():
    found = answer("closed_loop", view(snr_db=np.array([[5.0, 10.0], [15.0, 20.0], [25.0, 30.0]])))
    flat = found.variance_rad2.ravel()
    assert (np.diff(flat) < 0.0).all()
    nearer = view()
    further = replace(nearer, range_km=nearer.range_km * 3.0)
    assert (answer("closed_loop", further).variance_rad2 > answer("closed_loop", nearer).variance_rad2).all()


def test_no_noise_and_no_motion_to_miss_is_perfect():
    still = view(snr_db=280.0)
    still = replace(still, range_acceleration_km_s2=np.zeros(PAIRS))
    found = answer("closed_loop", still)
    np.testing.assert_allclose(found.variance_rad2, 0.0, atol=1e-24)  # what 280 dB leave
    np.testing.assert_allclose(found.disturbance_fraction, 0.0, atol=1e-24)


def test_where_no_pilot_is_heard_the_phase_is_uniform():
    silent = view(snr_db=np.array([[-np.inf, 20.0], [20.0, -np.inf], [-np.inf, -np.inf]]))
    found, links = answer("closed_loop", silent), silent.pilot_snr > 0.0
    np.testing.assert_array_equal(found.mean_phase[~links], 0.0)
    np.testing.assert_array_equal(found.amplitude[~links], 0.0)
    everywhere = answer("closed_loop", view(snr_db=20.0))
    np.testing.assert_allclose(found.variance_rad2[links], everywhere.variance_rad2[links], rtol=1e-15)
    bounds = pilot_bounds(
        np.array([0.0, 1e-320]), PilotGrid(subcarriers=2, subcarrier_step_hz=1.0, symbols=2, symbol_step_s=1.0)
    )
    assert np.isfinite(bounds.delay_s2).all()
    assert (bounds.phase_rad2 > 1e20).all()


def test_the_carriers_phase_tells_more_than_the_slope_over_the_band():
    coarse, fine = (answer("closed_loop", view(), carrier_phase=which) for which in (False, True))
    assert (fine.variance_rad2 < 0.1 * coarse.variance_rad2).all()
    np.testing.assert_array_equal(fine.delay_deviation_s, coarse.delay_deviation_s)


def test_prediction_with_the_acceleration_is_more_accurate():
    blind, seeing = (answer("closed_loop", view(60.0), foresee_acceleration=which) for which in (False, True))
    assert (seeing.variance_rad2 < 0.5 * blind.variance_rad2).all()


@pytest.mark.parametrize("known", [False, True])
def test_what_prediction_misses_is_what_compensation_misses(known: bool):
    """`prediction_error` against `predict` and `residual` on motion with constant jerk."""
    links, age_s = view(), 0.7
    r, v, a = links.range_km, links.range_rate_km_s, links.range_acceleration_km_s2
    jerk = -3.0 * v * a / r
    truth = replace(
        links,
        range_km=r + v * age_s + a * age_s**2 / 2 + jerk * age_s**3 / 6,
        range_rate_km_s=v + a * age_s + jerk * age_s**2 / 2,
    )
    known_links = links if known else replace(links, range_acceleration_km_s2=np.zeros(PAIRS))
    missed = residual(predict(known_links, age_s=age_s, carrier_hz=2e9), truth, carrier_hz=2e9)
    error = prediction_error(links, np.full(PAIRS, age_s), carrier_hz=2e9, acceleration_known=known)
    np.testing.assert_allclose(error.delay_s, missed.delay_s, rtol=1e-6, atol=5e-18)  # rounding of 2000 km
    np.testing.assert_allclose(error.doppler_hz, missed.doppler_hz, rtol=1e-6, atol=1e-10)  # and of 7 km/s


def test_jerk_of_a_low_pass_is_near_that_of_straight_motion():
    """A circular orbit of 600 km over a terminal that does not move, differentiated by differences."""
    step_s = 0.1
    rate, radius_km, time_s = np.sqrt(398_600.4 / 6971.0**3), 6971.0, np.arange(-240.0, 240.0, step_s)
    range_km = np.sqrt(radius_km**2 + 6371.0**2 - 2 * radius_km * 6371.0 * np.cos(rate * time_s))
    v = np.gradient(range_km, step_s)
    a = np.gradient(v, step_s)
    jerk, straight, curved = (each[9:-9] for each in (np.gradient(a, step_s), -3.0 * v * a / range_km, -(rate**2) * v))
    greatest = np.abs(jerk).max()
    np.testing.assert_allclose(jerk, straight + curved, atol=1e-4 * greatest)  # differences over 0.1 s
    assert 0.005 * greatest < np.abs(curved).max() < 0.01 * greatest  # what `prediction_error` leaves out


def test_pilots_that_do_not_fit_are_refused():
    with pytest.raises(InputError, match=r"pilot_spacing: found 5000, must be below the number of subcarriers, 666"):
        answer("closed_loop", view(), pilot_spacing=5000)


@pytest.mark.parametrize("name", of_kind("phase error").names())
@pytest.mark.parametrize("shape", [(0, 3), (5,), (3, 4), (2, 3, 4)])
def test_every_model_answers_for_every_link_and_equally_in_every_order(name: str, shape: tuple[int, ...]):
    links = view(shape=shape)
    found = answer(name, links)
    for field in ("variance_rad2", "disturbance_fraction", "delay_deviation_s", "doppler_deviation_hz"):
        values = getattr(found, field)
        assert values.shape == shape
        assert (values >= 0.0).all()
    assert (found.mean_phase <= 1.0).all()
    np.testing.assert_allclose(found.amplitude**2 + found.disturbance_fraction, 1.0, rtol=1e-15)
    arrays = ("range_km", "elevation_deg", "range_rate_km_s", "range_acceleration_km_s2", "pilot_snr")
    backwards = answer(name, replace(links, **{field: getattr(links, field)[::-1] for field in arrays}))
    # elementwise: vector units may round the last lanes otherwise
    np.testing.assert_allclose(backwards.variance_rad2, found.variance_rad2[::-1], rtol=1e-14)
    np.testing.assert_array_equal(answer(name, links).variance_rad2, found.variance_rad2)


# Waveforms


def test_the_numbers_of_a_waveform():
    assert WAVE.subcarriers == 666
    assert pytest.approx(2.34375e-6) == WAVE.prefix_s
    assert pytest.approx(1 / 30e3 + 2.34375e-6) == WAVE.symbol_s
    offsets_hz = 30e3 * (np.arange(666) - 332.5)
    assert pytest.approx(np.mean(offsets_hz**2), rel=1e-13) == WAVE.squared_offset_hz2


@pytest.mark.parametrize(
    "change", [{"carrier_hz": 0.0}, {"subcarrier_hz": -1.0}, {"subcarriers": 0}, {"prefix_s": -1e-9}]
)
def test_waveforms_that_cannot_be_are_refused(change: dict[str, float]):
    with pytest.raises(InputError, match=r"waveform: found carrier .* must be positive"):
        replace(WAVE, **change)
