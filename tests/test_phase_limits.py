"""The two ends of the phase error in whole runs: perfect phases, and phases that are not aligned at all."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest

from tests.helpers.small_run import records, rows_of, small, with_phase_error
from twin.radio.synchronisation import LinkView
from twin.results.record import EpochRecord
from twin.simulation import scoring
from twin.simulation.scoring import EpochChannels, OnAirSegment
from twin.world.setup import Setup

UNIFORM = {"name": "uniform_phase"}
PRECODERS = ["ms_jo_cdwmmse", "joint_ncjt", "mmse", "smrt"]
INTERFERENCE = ["independent", "coherent"]


def gaussian(variance_rad2: float) -> dict[str, Any]:
    return {"name": "gaussian_phase", "phase_variance_rad2": variance_rad2}


def network_of(precompensation: dict[str, Any], changes: dict[str, Any]) -> Setup:
    return Setup.of(small(changes | {"precompensation": precompensation}))


def total_se(setup: Setup) -> float:
    return sum(float(report.score.spectral_efficiency_bps_hz.sum()) for report in records(setup))


def undisturbed(setup: Setup, monkeypatch: pytest.MonkeyPatch) -> list[tuple[EpochRecord, EpochChannels, OnAirSegment]]:
    """The epochs of a run in which the same satellites serve the same terminals all the time."""
    met: list[tuple[EpochChannels, list[OnAirSegment]]] = []
    scored = scoring.scored

    def kept(air: EpochChannels, segments: Sequence[OnAirSegment]) -> Any:
        met.append((air, list(segments)))
        return scored(air, segments)

    with monkeypatch.context() as patched:
        patched.setattr(scoring, "scored", kept)
        found = records(setup)
    return [
        (report, air, segments[0])
        for report, (air, segments) in zip(found, met, strict=True)
        if len(segments) == 1 and np.array_equal(segments[0].ready(), segments[0].table.member)
    ]


def responses(air: EpochChannels, segment: OnAirSegment) -> np.ndarray:
    """(S,K,K) √γ vᵀ w of every terminal for every terminal's stream, antenna by antenna."""
    assert segment.weights is not None
    np.testing.assert_array_equal(segment.weights.norad_id, air.truth.norad_id)
    antenna = segment.weights.antenna() * segment.ready()[:, :, None, None]
    return np.sqrt(air.truth.gain)[:, :, None] * np.einsum("skn,sjnl->skj", air.truth.steering(), antenna)


def disturbance_w(arriving: np.ndarray, noise_w: np.ndarray) -> np.ndarray:
    """(K,) power of the other terminals' streams, summed over satellites, and noise."""
    power_w = (np.abs(arriving) ** 2).sum(axis=0)
    return power_w.sum(axis=1) - np.diagonal(power_w) + noise_w


@pytest.mark.parametrize("interference", INTERFERENCE)
@pytest.mark.parametrize("precoder", PRECODERS)
def test_a_gaussian_phase_without_end_is_a_uniform_one_bit_by_bit(precoder, interference):
    changes = {"precoding": precoder, "receiver.interference": interference}
    uniform = network_of(UNIFORM, changes)
    expected = rows_of(uniform, records(uniform))
    # from a million rad² on e^{-ζ²/2} is zero, and phases are drawn as for no alignment at all
    setup = network_of(gaussian(1e7), changes)
    found = rows_of(setup, records(setup))
    assert found == expected
    aligned = network_of(gaussian(0.5), changes)
    assert rows_of(aligned, records(aligned)) != found


@pytest.mark.parametrize("knowledge", ["instantaneous", "mean_only"])
@pytest.mark.parametrize("interference", INTERFERENCE)
def test_rates_fall_to_those_of_a_uniform_phase_as_the_variance_grows(interference, knowledge):
    changes = {"receiver": {"interference": interference, "knowledge": knowledge, "draws": 64}}
    end = total_se(network_of(UNIFORM, changes))
    found = np.array([total_se(network_of(gaussian(variance), changes)) for variance in (0.0, 0.5, 2.0, 8.0, 50.0)])
    assert (np.diff(found[:4]) < 0.0).all()
    # a deviation of 7 rad is uniform to e^{-25}; 48 rates of 64 draws each, a few tenths of a bit wide, leave 1 %
    assert found[-1] == pytest.approx(end, rel=0.01)


@pytest.mark.parametrize("precoder", PRECODERS)
def test_without_alignment_powers_of_satellites_add_up(precoder, monkeypatch):
    """P1's case: no stream gains by a second satellite but its power; held against sums over antennas."""
    setup = network_of(UNIFORM, {"precoding": precoder, "channel.fading": "none", "receiver.draws": 2000})
    epochs = undisturbed(setup, monkeypatch)
    assert len(epochs) >= 4
    rng = np.random.default_rng(0)
    for report, air, segment in epochs:
        arriving = responses(air, segment)
        wanted, rest_w = np.einsum("skk->sk", arriving), disturbance_w(arriving, setup.channel.noise_w)
        powers = np.log2(1.0 + (np.abs(wanted) ** 2).sum(axis=0) / rest_w)
        # in closed form to rounding
        np.testing.assert_allclose(report.score.surrogate_bps_hz, powers, rtol=1e-9)
        # drawn: the mean over any phases, with five standard errors of 2000 draws of either
        turned = wanted * np.exp(1j * rng.uniform(0.0, 2.0 * np.pi, (2000, *wanted.shape)))
        rates = np.log2(1.0 + np.abs(turned.sum(axis=1)) ** 2 / rest_w)
        error = 5.0 * np.sqrt(2.0) * rates.std(axis=0) / np.sqrt(2000)
        assert (np.abs(report.score.spectral_efficiency_bps_hz - rates.mean(axis=0)) <= error + 1e-12).all()


@pytest.mark.parametrize("precoder", PRECODERS)
def test_with_perfect_phases_amplitudes_of_satellites_add_up(precoder, monkeypatch):
    setup = network_of(gaussian(0.0), {"precoding": precoder, "channel.fading": "none"})
    epochs = undisturbed(setup, monkeypatch)
    assert len(epochs) >= 4
    for report, air, segment in epochs:
        arriving = responses(air, segment)
        wanted_w = np.abs(np.einsum("skk->sk", arriving).sum(axis=0)) ** 2
        expected = np.log2(1.0 + wanted_w / disturbance_w(arriving, setup.channel.noise_w))
        # nothing is left to chance: drawn rates and the closed form are the same numbers, to rounding
        np.testing.assert_allclose(report.score.spectral_efficiency_bps_hz, expected, rtol=1e-9)
        np.testing.assert_allclose(report.score.surrogate_bps_hz, expected, rtol=1e-9)


def test_a_phase_error_that_vanishes_is_none():
    perfect = total_se(network_of(gaussian(0.0), {}))
    # the phase's mean square, 1e-12, is all that can be lost of any power
    assert total_se(network_of(gaussian(1e-12), {})) == pytest.approx(perfect, rel=1e-5)


@pytest.mark.parametrize("precoder", ["ms_jo_cdwmmse", "ms_jo_wmmse", "ms2_cdwm", "cdwmmse_exact_power", "joint_ncjt"])
def test_links_of_all_qualities_side_by_side_leave_the_range_of_numbers_nowhere(precoder: str) -> None:
    """From perfect to hopeless: a mean of e^-350 once overflowed where it was divided by, and gave no number."""
    setup = Setup.of(small({"precoding": {"name": precoder}, "terminals.count": 12}))
    variance = np.array([0.0, 1.0, 30.0, 100.0, 149.0, 151.0, 300.0, 700.0, 1400.0, 1e6, np.inf])

    def mixed(path: LinkView) -> np.ndarray:
        return np.resize(variance, path.range_km.shape)

    with np.errstate(over="raise", invalid="raise", divide="raise"):
        found = records(with_phase_error(setup, mixed))
    assert all(np.isfinite(report.score.spectral_efficiency_bps_hz).all() for report in found)
    assert any(report.score.spectral_efficiency_bps_hz.any() for report in found)
