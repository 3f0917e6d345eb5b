"""Beams received by terminals that they are not compensated for, and which satellites' interference adds in power."""

from dataclasses import dataclass

import numpy as np
import pytest

from twin.arrays import Reach
from twin.radio.synchronisation import Compensation, demodulate, offsets, predict, residual
from twin.radio.waveform import Waveform
from twin.rates.independence import correlated_arrivals, delay_differences, independent_fraction, stream_correlation

LIGHT_KM_S = 299_792.458
EARTH_KM = 6371.0
WAVE = Waveform.of(carrier_hz=2e9, subcarrier_hz=30e3, bandwidth_hz=20e6)


@dataclass(frozen=True)
class Motion:
    range_km: np.ndarray
    range_rate_km_s: np.ndarray
    range_acceleration_km_s2: np.ndarray


def motion(rng: np.random.Generator, shape: tuple[int, int]) -> Motion:
    return Motion(rng.uniform(600.0, 2000.0, shape), rng.uniform(-7.0, 7.0, shape), rng.uniform(0.0, 0.1, shape))


def linked(rng: np.random.Generator, shape: tuple[int, int], fraction: float) -> np.ndarray:
    return np.asarray(rng.random(shape) < fraction)


# Offsets


@pytest.mark.parametrize("fraction", [0.2, 0.5, 1.0])
def test_offsets_are_those_of_p3_for_every_beam_and_receiving_terminal(fraction: float):
    rng = np.random.default_rng(1)
    shape, truth = (6, 11), motion(rng, (6, 11))
    applied = Compensation(delay_s=rng.uniform(2e-3, 7e-3, shape), doppler_hz=rng.normal(0.0, 3e4, shape))
    links, served = linked(rng, shape, fraction), linked(rng, shape, fraction)
    reach, sent = Reach.of(links), Reach.of(links & served)
    found = offsets(applied, truth, carrier_hz=2e9, reach=reach, sent=sent)
    assert found.delay_s.shape == (6, reach.terminal.shape[1], sent.terminal.shape[1])
    for s, b, j in np.ndindex(found.delay_s.shape):
        k, l = reach.terminal[s, b], sent.terminal[s, j]
        if k == 11 or l == 11:
            assert found.delay_s[s, b, j] == found.doppler_hz[s, b, j] == 0.0
            continue
        # (9), to the rounding of milliseconds and of tens of kHz
        assert found.delay_s[s, b, j] == pytest.approx(
            applied.delay_s[s, l] - truth.range_km[s, k] / LIGHT_KM_S, abs=1e-17
        )
        doppler_hz = -truth.range_rate_km_s[s, k] / LIGHT_KM_S * 2e9
        assert found.doppler_hz[s, b, j] == pytest.approx(doppler_hz - applied.doppler_hz[s, l], abs=1e-10)


def test_a_terminals_own_beam_has_the_residual():
    rng = np.random.default_rng(2)
    truth = motion(rng, (3, 4))
    applied = predict(motion(rng, (3, 4)), age_s=0.01, carrier_hz=2e9)
    all_pairs = Reach.of(np.ones((3, 4), dtype=np.bool_))
    own, every = residual(applied, truth, carrier_hz=2e9), offsets(applied, truth, carrier_hz=2e9, reach=all_pairs)
    np.testing.assert_array_equal(np.einsum("skk->sk", every.delay_s), own.delay_s)
    np.testing.assert_array_equal(np.einsum("skk->sk", every.doppler_hz), own.doppler_hz)


def test_beams_for_distant_terminals_arrive_scrambled_and_whole():
    rng = np.random.default_rng(3)
    truth = motion(rng, (3, 4))
    perfect = predict(truth, age_s=0.0, carrier_hz=2e9)
    reach = Reach.of(np.ones((3, 4), dtype=np.bool_))
    received = demodulate(offsets(perfect, truth, carrier_hz=2e9, reach=reach), WAVE)
    own = np.eye(4, dtype=np.bool_)
    assert (received.disturbance[:, own] == 0.0).all()  # a perfect compensation at its own terminal
    assert (received.disturbance[:, ~own] > 0.9).all()  # ranges differ by hundreds of km: milliseconds
    # the three fractions of each add up to one, by construction to rounding
    np.testing.assert_allclose(np.abs(received.response) ** 2 + received.disturbance, 1.0, atol=1e-14)


# Independence


def brute(delay_s: np.ndarray, links: np.ndarray, served: np.ndarray) -> dict[tuple[int, int, int, int], float]:
    """P3, Remark 1, over all of S, S, K, K."""
    S, K = delay_s.shape
    found = {}
    for one, other in ((a, b) for a in range(S) for b in range(a + 1, S)):
        for k, l in ((k, l) for k in range(K) for l in range(K) if k != l):
            if links[one, k] and links[other, k] and served[one, l] and served[other, l]:
                further = (delay_s[one, l] - delay_s[one, k]) - (delay_s[other, l] - delay_s[other, k])
                found[k, l, one, other] = abs(further)
    return found


@pytest.mark.parametrize(("satellites", "fraction"), [(5, 1.0), (7, 0.3), (12, 0.15), (1, 1.0), (4, 0.0)])
def test_differences_are_found_for_exactly_the_streams_that_two_satellites_bring(satellites: int, fraction: float):
    rng = np.random.default_rng(4)
    shape = (satellites, 9)
    delay_s = rng.uniform(2e-3, 7e-3, shape)
    links = linked(rng, shape, fraction)
    served = links & linked(rng, shape, 0.7)
    found = delay_differences(delay_s, links, served)
    keys = list(zip(found.receiving, found.served, found.first, found.second, strict=True))
    expected = brute(delay_s, links, served)
    assert keys == sorted(expected)
    np.testing.assert_allclose(found.delay_s, [expected[key] for key in keys], rtol=0.0, atol=5e-18)  # 7 ms rounded
    np.testing.assert_array_equal(found.independent(WAVE), found.delay_s > WAVE.symbol_s)


def test_the_order_of_satellites_and_terminals_does_not_matter():
    rng = np.random.default_rng(5)
    delay_s, links = rng.uniform(2e-3, 7e-3, (8, 10)), linked(rng, (8, 10), 0.4)
    rows, columns = rng.permutation(8), rng.permutation(10)

    def differences(delay_s: np.ndarray, links: np.ndarray) -> np.ndarray:
        return np.sort(delay_differences(delay_s, links).delay_s)

    first = differences(delay_s, links)
    other = differences(delay_s[rows][:, columns], links[rows][:, columns])
    assert len(first) > 20
    np.testing.assert_array_equal(first, other)


def test_a_thousand_satellites_with_few_terminals_each_make_a_short_list():
    rng = np.random.default_rng(6)
    links = np.zeros((1000, 400), dtype=np.bool_)
    for row in links:
        row[rng.choice(400, 5, replace=False)] = True
    found = delay_differences(rng.uniform(2e-3, 7e-3, (1000, 400)), links)
    together = links.astype(np.int64).T @ links
    np.fill_diagonal(together, 0)
    assert len(found.delay_s) == (together * (together - 1) // 2).sum() < 50_000


def correlated(
    delay_s: np.ndarray, links: np.ndarray, served: np.ndarray, wave: Waveform = WAVE
) -> dict[tuple[int, int, int, int], float]:
    """The correlation of each receiving, served_terminal, and two satellites that has one."""
    reach, sent = Reach.of(links), Reach.of(served)
    receiving, served_terminal = reach.terminal[:, :, None], sent.terminal[:, None, :]
    arriving = reach.gather(links)[:, :, None] & sent.gather(served)[:, None, :] & (receiving != served_terminal)
    found = correlated_arrivals(delay_s, arriving, wave, reach=reach, sent=sent)
    (one, column, stream), (other, *_) = (
        np.unravel_index(place, arriving.shape) for place in (found.first, found.second)
    )
    keys = zip(reach.terminal[one, column], sent.terminal[one, stream], one, other, strict=True)
    assert (np.diff(found.first) >= 0).all()
    return dict(zip(keys, found.correlation, strict=True))


@pytest.mark.parametrize("spread_s", [0.0, 3e-5, 5e-3])
@pytest.mark.parametrize(("satellites", "fraction"), [(5, 1.0), (7, 0.3), (12, 0.15), (30, 0.6), (1, 1.0), (4, 0.0)])
def test_correlated_arrivals_are_the_close_ones_of_all(satellites: int, fraction: float, spread_s: float):
    rng = np.random.default_rng(10)
    shape = (satellites, 9)
    delay_s = 2e-3 + spread_s * rng.random(shape)
    links = linked(rng, shape, fraction)
    served = links & linked(rng, shape, 0.7)
    found = correlated(delay_s, links, served)
    every = {
        key: float(stream_correlation(difference_s, WAVE))
        for key, difference_s in brute(delay_s, links, served).items()
    }
    expected = {key: value for key, value in every.items() if value > 0.0}
    assert found.keys() == expected.keys()
    # differences of 7 ms, rounded, over a symbol of 33 us
    np.testing.assert_allclose([found[key] for key in expected], list(expected.values()), rtol=0.0, atol=1e-12)
    if satellites == 30 and spread_s == 5e-3:
        assert 0 < len(found) < 0.1 * len(every)


def test_a_thousand_satellites_have_few_arrivals_in_step():
    rng = np.random.default_rng(11)
    links = np.zeros((1000, 400), dtype=np.bool_)
    for row in links:
        row[rng.choice(400, 5, replace=False)] = True
    delay_s = rng.uniform(2e-3, 7e-3, links.shape)
    pairs = delay_differences(delay_s, links)
    assert len(correlated(delay_s, links, links)) == (pairs.delay_s < 2.0 * WAVE.data_s).sum() > 10


def test_terminals_at_one_place_hear_everything_in_step():
    delay_s = np.repeat(np.random.default_rng(7).uniform(2e-3, 7e-3, (5, 1)), 6, axis=1)
    found = delay_differences(delay_s, np.ones((5, 6), dtype=np.bool_))
    assert not found.delay_s.any()
    assert not found.independent(WAVE).any()
    np.testing.assert_array_equal(stream_correlation(found.delay_s, WAVE), 1.0)


def test_a_symbol_and_its_prefix_must_lie_between():
    between_s = 0.5 * (WAVE.data_s + WAVE.symbol_s)
    for further_s, expected in [(between_s, False), (1.0001 * WAVE.symbol_s, True)]:
        delay_s = np.array([[2e-3, 2e-3], [2e-3, 2e-3 + further_s]])
        found = delay_differences(delay_s, np.ones((2, 2), dtype=np.bool_))
        assert found.independent(WAVE).tolist() == [expected, expected]  # either terminal for the other


@pytest.mark.parametrize("difference", [0, 1, 20, 63, 64, 70, 80, 81, 100, 127, 128, 200])
def test_correlation_counts_the_samples_and_copies_in_two_windows(difference: int):
    """All places of two windows of 64 samples in a stream of symbols with prefixes of 16."""
    count, prefix, shared = 64, 16, 0
    period = count + prefix
    for begin in range(period):
        windows = [begin + first + np.arange(count) for first in (0, difference)]
        # which symbol, and which of its 64 samples: equal where one is the other or its copy
        first, second = (place // period * count + (place % period - prefix) % count for place in windows)
        shared += (first[:, None] == second).sum()
    wave = Waveform(carrier_hz=2e9, subcarrier_hz=1.0, subcarriers=count, prefix_s=prefix / count)
    # exact: a count over 80 places of 64 samples
    assert stream_correlation(difference / count, wave) == pytest.approx(shared / count / period, abs=1e-14)


def test_correlation_falls_from_one_and_ends_at_two_symbols():
    apart_s = np.linspace(0.0, 3.0, 301) * WAVE.data_s
    correlation = stream_correlation(apart_s, WAVE)
    assert correlation[0] == 1.0
    assert (np.diff(correlation) <= 1e-15).sum() > 250  # it falls but for nothing
    np.testing.assert_array_equal(correlation[apart_s >= 2.0 * WAVE.data_s * (1.0 + 1e-12)], 0.0)
    met = apart_s > WAVE.symbol_s  # P3's condition: what the prefix copies is all that is left
    assert correlation[met].max() < WAVE.prefix_s / WAVE.data_s


# P3, Fig. 2


def walker_km(planes: int = 28, per_plane: int = 60, inclination_deg: float = 53.0, altitude_km: float = 600.0):
    """(S,3) positions on circular orbits round a sphere."""
    plane, place = (index.ravel() for index in np.mgrid[:planes, :per_plane])
    node = 2 * np.pi * plane / planes
    along = 2 * np.pi * (place / per_plane + plane / (planes * per_plane))
    tilt = np.radians(inclination_deg)
    x, y, z = np.cos(along), np.sin(along) * np.cos(tilt), np.sin(along) * np.sin(tilt)
    turned = np.stack([x * np.cos(node) - y * np.sin(node), x * np.sin(node) + y * np.cos(node), z], axis=1)
    return (EARTH_KM + altitude_km) * turned


def disc_km(rng: np.random.Generator, count: int, radius_km: float) -> tuple[np.ndarray, np.ndarray]:
    """A random place below the constellation, and terminals (K,3) uniformly within a radius of it."""
    sine, longitude = rng.uniform(-np.sin(np.radians(53.0)), np.sin(np.radians(53.0))), rng.uniform(0.0, 2 * np.pi)
    cosine = np.sqrt(1.0 - sine**2)
    up = np.array([cosine * np.cos(longitude), cosine * np.sin(longitude), sine])
    east = np.array([-np.sin(longitude), np.cos(longitude), 0.0])
    north = np.cross(up, east)
    away = np.arccos(1.0 - rng.random(count) * (1.0 - np.cos(radius_km / EARTH_KM)))
    bearing = rng.uniform(0.0, 2 * np.pi, count)
    across = np.outer(np.cos(bearing), north) + np.outer(np.sin(bearing), east)
    return EARTH_KM * up, EARTH_KM * (np.outer(np.cos(away), up) + np.sin(away)[:, None] * across)


def figure_2(subcarrier_hz: np.ndarray, *, radius_km: float = 800.0, scenes: int = 60) -> np.ndarray:
    """Share of |Δτ| > T for the five satellites nearest to the middle of each area, and 48 terminals (Table I)."""
    rng, satellites, fractions = np.random.default_rng(8), walker_km(), []
    for _ in range(scenes):
        middle, terminals = disc_km(rng, 48, radius_km)
        nearest = satellites[np.argsort(np.linalg.norm(satellites - middle, axis=1))[:5]]
        range_km = np.linalg.norm(nearest[:, None] - terminals, axis=2)
        fractions.append(independent_fraction(range_km / LIGHT_KM_S, 1.0 / subcarrier_hz))
    return np.mean(fractions, axis=0)


def test_interference_is_independent_with_the_high_probability_that_p3_speaks_of():
    """The paper prints no figures: "highly probable" at 600 km and 800 km, and its Fig. 2 stands against spacing."""
    spacing_hz = np.array([15e3, 30e3, 60e3, 120e3, 240e3])
    fractions = figure_2(spacing_hz)
    assert (np.diff(fractions) > 0.0).all()  # for shorter symbols, more of them are independent
    # 0.947, 0.973, 0.986, 0.993 and 0.997 with 200 scenes: 0.0002 from those of these 60
    np.testing.assert_allclose(fractions, [0.947, 0.973, 0.986, 0.993, 0.997], rtol=0.0, atol=0.002)
    # 1 - fraction is the chance of a difference below T, which for small T is in proportion to T
    np.testing.assert_allclose((1.0 - fractions[2:-1]) / (1.0 - fractions[3:]), 2.0, rtol=0.1)
    # more dispersed terminals make it more probable (P3, Remark 1)
    assert figure_2(spacing_hz[1:2], radius_km=200.0)[0] < fractions[1] - 0.03


def test_the_share_is_that_of_the_list():
    delay_s = np.random.default_rng(9).uniform(2e-3, 2.2e-3, (4, 7))
    listed = delay_differences(delay_s, np.ones((4, 7), dtype=np.bool_)).delay_s
    for threshold_s in (0.0, 3e-5, 1e-4, 1.0):
        # receiving and served terminal may be exchanged: every difference is listed twice, up to rounding
        fraction = independent_fraction(delay_s, threshold_s)
        assert fraction == pytest.approx((listed > threshold_s).mean(), abs=1e-15)


@pytest.mark.parametrize("shape", [(1, 5), (5, 1)])
def test_no_pair_no_fraction(shape: tuple[int, int]):
    with pytest.raises(ValueError, match="at least 2 satellites and 2 terminals, found"):
        independent_fraction(np.zeros(shape), 1e-5)
