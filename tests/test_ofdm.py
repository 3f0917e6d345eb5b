"""Formulas of residual delay and Doppler against a chain of samples: IFFT, prefix, delay, Doppler, FFT."""

import numpy as np
import pytest

from tests.literal import ofdm
from twin.radio.synchronisation import Compensation, Residual, carrier_leakage, demodulate, phase_error_rad
from twin.radio.waveform import Waveform
from twin.rates.independence import stream_correlation

N, PREFIX, SPACING_HZ = 64, 16, 30e3
CARRIER = 100.25  # in subcarriers
COMPENSATED = 7.5
WAVE = Waveform(
    carrier_hz=CARRIER * SPACING_HZ, subcarrier_hz=SPACING_HZ, subcarriers=N, prefix_s=PREFIX / N / SPACING_HZ
)
SAMPLE_S = 1.0 / (N * SPACING_HZ)
MIDDLE = 4  # of nine symbols
SIGMAS = 4.5  # standard errors: one comparison in 1e5 fails by chance, and seeds are fixed


def error(early: float, cycles: float = 0.0) -> Residual:
    return Residual(delay_s=np.array(early * SAMPLE_S), doppler_hz=np.array(cycles * SPACING_HZ))


def parts(early: float, cycles: float = 0.0, *, advance: int = 0, trials: int = 200):
    rng = np.random.default_rng([7, advance, trials])
    sent = {"early": early, "cycles": cycles, "advance": advance, "carrier": CARRIER, "compensated": COMPENSATED}
    return ofdm.parts(rng, N=N, prefix=PREFIX, trials=trials, **sent)


def expected_phase(early: float, cycles: float = 0.0, *, advance: int = 0) -> np.ndarray:
    """Of all subcarriers, what the window's advance turns included."""
    applied = Compensation(delay_s=np.array(0.0), doppler_hz=np.array(COMPENSATED * SPACING_HZ))
    elapsed_s = MIDDLE * WAVE.symbol_s - advance * SAMPLE_S
    each = [phase_error_rad(error(early, cycles), applied, WAVE, subcarrier=n, elapsed_s=elapsed_s) for n in range(N)]
    return np.array(each) - 2 * np.pi * np.arange(N) * advance / N


@pytest.mark.parametrize("early", [0.0, -1.0, -5.3, -0.001, -15.99, -16.0])
def test_inside_the_prefix_a_delay_turns_subcarriers_and_does_nothing_else(early: float):
    own, symbols = parts(early, trials=2)
    # FFTs of 64 samples and a carrier phase of some 170 rad: 1e-12
    np.testing.assert_allclose(own, np.exp(1j * expected_phase(early)) * np.ones((2, 1)), atol=1e-12)
    np.testing.assert_allclose(symbols, 0.0, atol=1e-12)
    formula = demodulate(error(early), WAVE)
    # 16 samples of delay, as a float, may round to beyond the prefix by 1e-16
    np.testing.assert_allclose([formula.response, formula.disturbance], [1.0, 0.0], atol=1e-14)


@pytest.mark.parametrize(
    ("early", "cycles", "advance"),
    [
        (-4.0, 0.0, 0), (-4.5, 0.1, 0), (0.0, -0.45, 0), (-2.0, 1.3, 0),  # Doppler alone
        (-20.0, 0.0, 0), (-48.0, 0.0, 0), (7.0, 0.0, 0), (40.0, 0.0, 0),  # delay beyond either end
        (-20.0, 0.2, 0), (12.0, 0.2, 0), (-48.0, -0.7, 0), (30.0, 1.6, 0),  # both
        (5.0, 0.0, 8), (-8.0, 0.15, 8), (11.0, 0.15, 8), (-15.0, -0.3, 8),  # an early window
        (-80.0, 0.0, 0), (-111.0, 0.3, 0), (64.0, 0.0, 0), (-130.0, 0.4, 0),  # nothing is left of the symbol
    ],
)  # fmt: skip
def test_power_goes_where_the_formulas_say(early: float, cycles: float, advance: int):
    own, symbols = parts(early, cycles, advance=advance)
    turned = own * np.exp(-1j * expected_phase(early, cycles, advance=advance))
    formula = demodulate(error(early, cycles), WAVE, advance_s=advance * SAMPLE_S)
    # what is not response is independent from carrier to carrier
    assert abs(turned.mean() - formula.response) < SIGMAS * np.sqrt(formula.ici_power / own.size) + 1e-11
    expect_close(np.mean(np.abs(turned - formula.response) ** 2, axis=1), formula.ici_power)
    expect_close(symbols, formula.isi_power)


def expect_close(measured: np.ndarray, formula: np.ndarray) -> None:
    deviation = SIGMAS * measured.std() / np.sqrt(len(measured))
    assert abs(measured.mean() - formula) < deviation + 1e-11  # FFT rounding where nothing is random


@pytest.mark.parametrize("early", [-20.4, -33.7, 5.5, 17.2])
def test_fractions_of_a_sample_beyond_the_prefix_count_as_whole_ones_at_most(early: float):
    own, symbols = parts(early)
    turned = own * np.exp(-1j * expected_phase(early))
    formula = demodulate(error(early), WAVE)
    slack = SIGMAS * np.sqrt(formula.ici_power / own.size)
    assert abs(turned.mean() - formula.response) < 1.0 / N + slack  # the receiver takes whole samples
    assert abs(symbols.mean() - formula.isi_power) < 1.0 / N + SIGMAS * symbols.std() / np.sqrt(len(symbols))


@pytest.mark.parametrize("cycles", [0.0, 0.07, -0.3, 0.5, 1.0, 2.6])
def test_the_leakage_between_carriers_is_that_of_a_single_one(cycles: float):
    sent = np.zeros((1, N), complex)
    sent[0, 20] = 1.0
    received = ofdm.demodulated(sent, prefix=PREFIX, early=0.0, cycles=cycles)
    kernel = carrier_leakage(cycles * SPACING_HZ, 20 - np.arange(N), WAVE)
    np.testing.assert_allclose(received, kernel, atol=1e-13)  # an FFT of 64 samples
    assert (np.abs(kernel) ** 2).sum() == pytest.approx(1.0, abs=1e-13)


def test_the_printed_kernel_has_the_other_neighbour():
    """P3, after (10): as printed, a carrier that has moved up would leak more into the one below."""
    sent = np.zeros((1, N), complex)
    sent[0, 20] = 1.0
    received = np.abs(ofdm.demodulated(sent, prefix=PREFIX, early=0.0, cycles=0.3))
    assert received[21] > 1.5 * received[19]
    printed = [abs(np.mean(np.exp(2j * np.pi * np.arange(N) * (0.3 - (20 - n)) / N))) for n in (19, 21)]
    np.testing.assert_allclose(printed, received[[21, 19]], atol=1e-13)  # an FFT of 64 samples


def test_power_is_never_lost():
    rng = np.random.default_rng(2)
    wrong = Residual(delay_s=rng.normal(0.0, 60.0, 5000) * SAMPLE_S, doppler_hz=rng.normal(0.0, 1.0, 5000) * SPACING_HZ)
    formula = demodulate(wrong, WAVE, advance_s=5 * SAMPLE_S)
    total = np.abs(formula.response) ** 2 + formula.disturbance
    np.testing.assert_allclose(total, 1.0, atol=2.0 / N**2)  # a remainder of one sample or less cannot turn
    whole = np.abs(formula.response) ** 2 > 0.25
    np.testing.assert_allclose(total[whole], 1.0, atol=1e-14)  # sums of three numbers below one


def test_an_interfering_satellite_adds_its_power_for_all_offsets():
    """One satellite with a small residual, one that serves another terminal, far off in time and frequency."""
    rng, trials, amplitude = np.random.default_rng(3), 200, 0.6
    for offset, cycles in [(-3.0, 0.0), (-37.4, 0.4), (90.2, -1.7), (-250.0, 3.1)]:
        off = np.empty(trials)
        for trial in range(trials):
            data, other = ofdm.qpsk(rng, 9, N), ofdm.qpsk(rng, 9, N)
            own = ofdm.demodulated(data, prefix=PREFIX, early=-2.0, cycles=0.1)
            rest = amplitude * ofdm.demodulated(other, prefix=PREFIX, early=offset, cycles=cycles)
            formula = demodulate(error(-2.0, 0.1), WAVE)
            turn = np.exp(2j * np.pi * 0.1 * MIDDLE * (N + PREFIX) / N - 4j * np.pi * np.arange(N) / N)
            off[trial] = np.mean(np.abs(own + rest - formula.response * turn * data[MIDDLE]) ** 2)
        expect_close(off, formula.disturbance + amplitude**2)


@pytest.mark.parametrize(("one", "other"), [(-20, -20), (-20, -52), (3, -41), (-20, -84), (-5, -70), (0, -150)])
def test_two_arrivals_of_a_stream_are_correlated_by_the_samples_that_they_share(one: int, other: int):
    bare = Waveform(carrier_hz=2e9, subcarrier_hz=SPACING_HZ, subcarriers=N, prefix_s=0.0)
    products = ofdm.correlation(np.random.default_rng(4), N=N, prefix=0, trials=1000, one=one, other=other)
    found = abs(products.mean())
    expected = float(stream_correlation((one - other) * SAMPLE_S, bare))
    assert found == pytest.approx(expected, abs=SIGMAS * products.std() / np.sqrt(len(products)) + 1e-12)


@pytest.mark.slow
@pytest.mark.parametrize("difference", [10, 40, 70, 81, 100, 126, 130])
def test_the_prefix_adds_copies_on_the_mean_over_where_symbols_begin(difference: int):
    found, weight = [], []
    for begin in range(0, N + PREFIX, 5):
        rng = np.random.default_rng([5, begin, difference])
        products = ofdm.correlation(rng, N=N, prefix=PREFIX, trials=500, one=-begin, other=-begin - difference)
        turn = np.exp(-2j * np.pi * 3 * difference / N)  # the common phase on subcarrier 3
        found.append((products * turn).mean().real)
        weight.append(products.std() / np.sqrt(len(products)))
    expected = float(stream_correlation(difference * SAMPLE_S, WAVE))
    slack = SIGMAS * np.sqrt(np.square(weight).sum()) / len(found)
    # every fifth place only: the mean over places is off by the steps of a piecewise linear function
    assert np.mean(found) == pytest.approx(expected, abs=slack + 1.0 / N)
    assert max(found) < 1.0 - min(difference, N) / N + PREFIX / N + 0.12  # five standard errors of 1500 products
