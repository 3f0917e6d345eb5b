"""Arrays, link budgets and draws against arithmetic by hand, 3GPP's printed losses and their own statistics."""

import json
from dataclasses import dataclass, replace
from functools import partial

import numpy as np
import pytest

from twin.geometry.links import LinkStates
from twin.precoding import PrecodingProblem
from twin.radio.channel import ChannelModel, PlanarArray, StatisticalCsi, draw_channels, noise_power_w
from twin.radio.channel.element_pattern import Isotropic
from twin.radio.channel.environment import FieldKeys, terminal_keys
from twin.radio.synchronisation import draw_phase_errors, mean_phase
from twin.rates import Streams, score
from twin.registry import of_kind

# ------------------------------------------------------------------------------------------------- link budget


def links_of(range_km: np.ndarray, **changes: np.ndarray) -> LinkStates:
    """Links at nadir by default."""
    shape = range_km.shape
    values = {
        "norad_id": np.arange(1, shape[0] + 1),
        "instant": np.datetime64("2026-01-01", "ns"),
        "usable": np.ones(shape[0], dtype=bool),
        "latitude_deg": np.full(shape[1], 45.0),
        "longitude_deg": np.full(shape[1], 10.0),
        "elevation_deg": np.full(shape, 90.0),
        "azimuth_deg": np.zeros(shape),
        "range_km": range_km,
        "delay_s": range_km / 299_792.458,
        "range_rate_km_s": np.zeros(shape),
        "range_acceleration_km_s2": np.zeros(shape),
        "departure": np.zeros((*shape, 2)),
        "departure_nadir_cos": np.ones(shape),
        "arrival": np.zeros((*shape, 2)),
        "arrival_boresight_cos": np.ones(shape),
    }
    return LinkStates(**(values | changes))


def model_of(*terminal_arrays: PlanarArray, fading: str = "none", loss: str = "free_space") -> ChannelModel:
    losses, fadings = of_kind("path loss")[loss], of_kind("fading")[fading]
    noise_w = noise_power_w(bandwidth_hz=30e3, noise_figure_db=7.0, antenna_temperature_k=290.0)
    return ChannelModel(
        carrier_hz=2e9,
        path_loss=partial(losses.model, options=losses.options()),
        fading=partial(fadings.model, options=fadings.options()),
        isotropic_scattering=False,
        satellite_array=PlanarArray(rows=10, columns=10, element_gain_dbi=6.0),
        terminal_arrays=terminal_arrays,
        satellite_pattern=Isotropic(),
        terminal_patterns=(Isotropic(),) * len(terminal_arrays),
        field_keys=FieldKeys(seed=0, terminal=terminal_keys(f"ut-{number}" for number in range(len(terminal_arrays)))),
        group=np.arange(len(terminal_arrays)),
        noise_w=np.full(len(terminal_arrays), noise_w),
    )


def rate_through_the_chain(terminal: PlanarArray, interference: str, knowledge: str, power_w: float) -> float:
    model = model_of(terminal)
    links = links_of(np.array([[600.0]]))
    csi = model.csi(links, mean_phase(np.zeros((1, 1))))
    smrt = of_kind("precoder")["smrt"]
    serving = np.ones((1, 1), dtype=bool)
    problem = PrecodingProblem(
        csi=csi, serving=serving, master=np.zeros(1, int), power_w=np.array([power_w]), weight=np.ones(1)
    )
    weights = smrt.model(problem, options=smrt.options()).weights
    phases = draw_phase_errors(np.zeros((1, 1)), csi.norad_id, draws=2, seed=1, epoch=0)
    draws = draw_channels(csi, phases, seed=1, epoch=0)
    streams = Streams.of(weights, csi, serving)
    found = score(streams, csi, draws, interference=interference, knowledge=knowledge)
    return float(found.spectral_efficiency_bps_hz[0])


@pytest.mark.parametrize("interference", ["independent", "coherent"])
@pytest.mark.parametrize("knowledge", ["instantaneous", "mean_only"])
@pytest.mark.parametrize("elements", [1, 4])
def test_a_satellite_overhead_gives_the_rate_of_a_link_budget_by_hand(interference, knowledge, elements):
    power_dbm, gain_sat_dbi, gain_ut_dbi = 35.0, 6.0 + 20.0, 3.0 + 10 * np.log10(elements)
    wavelength_m = 299_792_458.0 / 2e9
    loss_db = 20 * np.log10(4 * np.pi * 600e3 / wavelength_m)  # 154.03 dB
    noise_dbm = 10 * np.log10(1.380649e-23 * 290.0 * 30e3) + 30 + 7.0  # kTB and a noise figure of 7 dB
    snr_db = power_dbm + gain_sat_dbi + gain_ut_dbi - loss_db - noise_dbm
    expected = np.log2(1 + 10 ** (snr_db / 10))
    terminal = PlanarArray(rows=1, columns=elements, element_gain_dbi=3.0)
    found = rate_through_the_chain(terminal, interference, knowledge, 10 ** (0.1 * power_dbm - 3))
    # two dozen roundings and a few powers of ten
    assert found == pytest.approx(expected, rel=1e-9)


def test_noise_is_thermal_noise_raised_by_the_noise_figure_at_290_k():
    arguments = {"bandwidth_hz": 20e6, "noise_figure_db": 7.0, "antenna_temperature_k": 290.0}
    # at an antenna of 290 K the figure adds as dB: -173.975 dBm/Hz + 73.010 dB + 7 dB; a rounding of the logarithms
    expected_dbm = 10 * np.log10(1.380649e-23 * 290.0 * 20e6) + 30 + 7.0
    assert 10 * np.log10(noise_power_w(**arguments)) + 30 == pytest.approx(expected_dbm, abs=1e-11)
    # a cold antenna leaves the receiver's own 290 (F - 1) K
    cold = noise_power_w(**(arguments | {"antenna_temperature_k": 0.0}))
    assert cold == pytest.approx(1.380649e-23 * 20e6 * 290.0 * (10**0.7 - 1), rel=1e-12)
    assert noise_power_w(**(arguments | {"noise_figure_db": 0.0})) == pytest.approx(1.380649e-23 * 20e6 * 290.0)


@dataclass(frozen=True, kw_only=True)
class Link:
    range_km: np.ndarray
    elevation_deg: np.ndarray


def free_space_db(range_km: float, carrier_hz: float, **options: float) -> float:
    entry = of_kind("path loss")["free_space"]
    path = Link(range_km=np.array([range_km]), elevation_deg=np.array([30.0]))
    return float(entry.model(path, carrier_hz=carrier_hz, options=entry.options(**options))[0])


def test_free_space_loss_is_that_of_tr_38_821(shared):
    reference = json.loads((shared / "tr38821_reference.json").read_text())["FSPL_all_scenarios_pm0p1"]
    slant = reference["own_check"]["slant_30deg_km"]
    ranges = {
        "LEO-600_30deg": slant["LEO-600"],
        "LEO-1200_30deg": slant["LEO-1200"],
        "GEO_12.5deg": reference["own_check"]["slant_GEO_12.5_km"],
    }
    rows = [(ranges[name], float(ghz), db) for name in ranges for ghz, db in reference[name].items()]
    assert len(rows) == 9
    for range_km, carrier_ghz, expected_db in rows:
        # printed to one decimal
        assert free_space_db(range_km, carrier_ghz * 1e9) == pytest.approx(expected_db, abs=0.05 + 1e-6)


def test_a_margin_is_added_to_the_loss():
    more = free_space_db(1000.0, 2e9, extra_loss_db=3.0) - free_space_db(1000.0, 2e9)
    assert more == pytest.approx(3.0, abs=1e-12)  # rounding at 160 dB


def test_links_behind_an_array_or_the_horizon_have_no_gain():
    cosines = np.array([[1.0, 0.0, -0.2, 1.0, 1.0, 1.0]])
    model = model_of(*[PlanarArray(rows=1, columns=1)] * 6)
    ranges = np.full((1, 6), 900.0)
    facing = model.csi(links_of(ranges, departure_nadir_cos=cosines), np.ones((1, 6))).gain > 0.0
    np.testing.assert_array_equal(facing, [[True, False, False, True, True, True]])
    facing = model.csi(links_of(ranges, arrival_boresight_cos=cosines), np.ones((1, 6))).gain > 0.0
    np.testing.assert_array_equal(facing, [[True, False, False, True, True, True]])
    elevation = np.array([[90.0, 10.0, 0.0, -1.0, -90.0, 1e-3]])
    facing = model.csi(links_of(ranges, elevation_deg=elevation), np.ones((1, 6))).gain > 0.0
    np.testing.assert_array_equal(facing, [[True, True, False, False, False, True]])


def test_each_terminal_has_the_array_of_its_group():
    small, large = PlanarArray(rows=1, columns=2, element_gain_dbi=5.0), PlanarArray(rows=2, columns=2)
    model = replace(model_of(small, large), group=np.array([1, 0, 1]), noise_w=np.full(3, 1e-16))
    rng = np.random.default_rng(1)
    links = links_of(rng.uniform(600, 900, (2, 3)), arrival=rng.uniform(-0.5, 0.5, (2, 3, 2)))
    csi = model.csi(links, np.ones((2, 3)))
    np.testing.assert_array_equal(csi.terminal_elements, [4, 2, 4])
    np.testing.assert_array_equal(csi.receive_steering[:, 1, :2], small.steering(links.arrival[:, 1]))
    np.testing.assert_array_equal(csi.receive_steering[:, 0], large.steering(links.arrival[:, 0]))
    assert not csi.receive_steering[:, 1, 2:].any()
    same_range = model.csi(links_of(np.full((1, 3), 700.0)), np.ones((1, 3))).gain[0]
    assert same_range[1] / same_range[0] == pytest.approx(10**0.5 * 2 / 4, rel=1e-12)  # powers of ten
    assert same_range[0] == same_range[2]


# --------------------------------------------------------------------------------------------- steering vectors

SHAPES = [(1, 1), (1, 8), (8, 1), (4, 4), (3, 5), (2, 7), (16, 16)]


@pytest.mark.parametrize("shape", SHAPES, ids=str)
@pytest.mark.parametrize("spacing", [0.5, 0.3, 1.0])
def test_steering_vectors_are_those_of_p3_up_to_one_phase(shape, spacing):
    rows, columns = shape
    array = PlanarArray(rows=rows, columns=columns, spacing_wavelengths=spacing)
    cosines = np.random.default_rng(0).uniform(-0.7, 0.7, (5, 2))
    for cosine, v in zip(cosines, array.steering(cosines), strict=True):
        # eq. 2 and 3, element by element from a corner; at half a wavelength the factor is pi
        line = [
            np.exp(-2j * np.pi * spacing * np.arange(n) * x) / np.sqrt(n)
            for n, x in ((rows, cosine[1]), (columns, cosine[0]))
        ]
        printed = np.kron(*line)
        assert np.linalg.norm(v) == pytest.approx(1.0, abs=1e-14)
        # a common phase is all that differs: the inner product is on the unit circle
        assert abs(np.vdot(printed, v)) == pytest.approx(1.0, abs=1e-13)
        turned = v * np.exp(-1j * np.angle(v[0] / printed[0]))
        np.testing.assert_allclose(turned, printed, rtol=0, atol=1e-13)  # phases of up to 50 rad in 1e-16 steps


@pytest.mark.parametrize("shape", SHAPES, ids=str)
@pytest.mark.parametrize("spacing", [0.5, 0.3, 1.0, 2.0])
def test_the_gram_matrix_holds_the_inner_products(shape, spacing):
    array = PlanarArray(rows=shape[0], columns=shape[1], spacing_wavelengths=spacing)
    rng = np.random.default_rng(3)
    cosines, others = rng.uniform(-1, 1, (2, 6, 2)), rng.uniform(-1, 1, (2, 4, 2))
    cosines[:, 1] = cosines[:, 0]  # one direction twice
    cosines[:, 3] = cosines[:, 2] + (1.0 / spacing, 0.0)  # a grating lobe: the same phases again
    v, w = array.steering(cosines), array.steering(others)
    gram, crossed = array.gram(cosines), array.gram(cosines, others)
    # sums of at most 256 products of numbers whose phases, up to 200 rad, are good to 3e-14
    np.testing.assert_allclose(gram, np.einsum("sin,sjn->sij", v, v.conj()), rtol=0, atol=1e-13)
    np.testing.assert_allclose(crossed, np.einsum("sin,sjn->sij", v, w.conj()), rtol=0, atol=1e-13)
    np.testing.assert_allclose(gram[:, 0, 1], 1.0, atol=1e-14)
    np.testing.assert_allclose(np.abs(gram[:, 2, 3]), 1.0, atol=1e-13)
    assert gram.dtype == np.float64


def test_broadside_has_equal_weights_and_one_element_has_no_pattern():
    array = PlanarArray(rows=3, columns=4)
    np.testing.assert_allclose(array.steering(np.zeros(2)), 1 / np.sqrt(12), rtol=1e-15)  # one division
    lone = PlanarArray(rows=1, columns=1)
    gram = lone.gram(np.random.default_rng(0).uniform(-1, 1, (1, 5, 2)))
    np.testing.assert_allclose(gram, 1.0, rtol=2e-15)  # four roots of one half
    assert array.elements == 12


# ---------------------------------------------------------------------------------------------------- draws


def statistics(kappa=4.0, *, isotropic=False, elements=(1, 1, 1), satellites=2, phi_bar=1.0) -> StatisticalCsi:
    rng = np.random.default_rng(12)
    pairs = (satellites, len(elements))
    steering = np.zeros((*pairs, max(elements)), dtype=complex)
    for terminal, count in enumerate(elements):
        angles = 2 * np.pi * rng.random((satellites, count))
        steering[:, terminal, :count] = np.exp(1j * angles) / np.sqrt(count)
    return StatisticalCsi(
        norad_id=np.arange(40, 40 + satellites),
        array=PlanarArray(rows=2, columns=2),
        departure=rng.uniform(-0.5, 0.5, (*pairs, 2)),
        gain=rng.uniform(0.5, 2.0, pairs),
        rician=np.full(pairs, kappa),
        mean_phase=np.full(pairs, phi_bar),
        receive_steering=steering,
        isotropic_scattering=isotropic,
        terminal_elements=np.array(elements),
        noise_w=np.ones(len(elements)),
    )


def receive(csi: StatisticalCsi, draws: int, zeta2: float = 0.0, *, seed: int = 9, epoch: int = 2) -> np.ndarray:
    phases = draw_phase_errors(np.full(csi.gain.shape, zeta2), csi.norad_id, draws=draws, seed=seed, epoch=epoch)
    return draw_channels(csi, phases, seed=seed, epoch=epoch).receive


@pytest.mark.parametrize("isotropic", [False, True])
@pytest.mark.parametrize("kappa", [0.0, 1.0, 10.0])
def test_the_mean_power_of_draws_is_the_gain(isotropic, kappa):
    draws = 20_000
    csi = statistics(kappa, isotropic=isotropic, elements=(1, 4, 2))
    power = (np.abs(receive(csi, draws, 0.5)) ** 2).sum(axis=-1)
    # four standard errors of the sample mean, for six pairs
    assert (np.abs(power.mean(axis=0) - csi.gain) <= 4 * power.std(axis=0) / np.sqrt(draws)).all()


@pytest.mark.parametrize("kappa", [0.5, 5.0, 50.0])
def test_the_rician_factor_is_recovered_from_draws(kappa):
    draws = 40_000
    csi = statistics(kappa)
    found = receive(csi, draws)[..., 0]
    fraction = np.abs(found.mean(axis=0)) ** 2 / np.mean(np.abs(found) ** 2, axis=0)
    # mean a, variance b of each draw: |mean|^2 has a standard error of |a| sqrt(2 b / D), the mean power one below it
    los = kappa / (kappa + 1)
    error = np.sqrt(2 * los * (1 - los) / draws) + (1 - los) / draws
    assert (np.abs(fraction - los) <= 4 * 2 * error).all()


@pytest.mark.parametrize("isotropic", [False, True])
def test_the_scattered_part_has_its_covariance(isotropic):
    draws = 40_000
    csi = statistics(2.0, isotropic=isotropic, elements=(4, 2))
    found = receive(csi, draws)
    scattered = found - np.sqrt(csi.gain * 2 / 3)[..., None] * csi.receive_steering
    for s, k in np.ndindex(csi.gain.shape):
        u, own = csi.receive_steering[s, k], np.arange(4) < csi.terminal_elements[k]
        sigma = np.diag(own) / own.sum() if isotropic else np.outer(u, u.conj())
        sample = scattered[:, s, k].T @ scattered[:, s, k].conj() / draws
        # entries of a sample covariance are off by 1/sqrt(D) of the powers involved; five of these
        scale = csi.gain[s, k] / 3
        np.testing.assert_allclose(sample, scale * sigma, rtol=0, atol=5 * scale / own.sum() / np.sqrt(draws) * 2)
        circular = scattered[:, s, k].T @ scattered[:, s, k] / draws
        np.testing.assert_allclose(circular, 0.0, atol=5 * scale / own.sum() / np.sqrt(draws) * 2)


def test_draws_of_different_pairs_are_independent():
    draws = 20_000
    csi = statistics(0.0, elements=(1, 1, 1), satellites=3)
    flat = receive(csi, draws).reshape(draws, -1)
    correlation = np.abs(np.corrcoef(flat.T)) - np.eye(9)
    assert correlation.max() < 4.5 / np.sqrt(draws)  # 36 pairs of sample correlations of deviation 1/sqrt(D)


def test_draws_do_not_depend_on_which_satellites_are_asked_for():
    csi = statistics(3.0, isotropic=True, elements=(1, 4), satellites=5)
    rows = np.array([3, 1])
    whole, part = receive(csi, 6, 0.5), receive(csi.of(rows), 6, 0.5)
    np.testing.assert_array_equal(part, whole[:, rows])


def test_first_draws_are_the_same_however_many_follow():
    csi = statistics(3.0, isotropic=True, elements=(1, 4))
    np.testing.assert_array_equal(receive(csi, 3, 0.5), receive(csi, 8, 0.5)[:3])


def test_other_seeds_and_epochs_give_other_draws():
    csi = statistics(3.0)
    first = receive(csi, 2)
    np.testing.assert_array_equal(first, receive(csi, 2))
    for other in (receive(csi, 2, seed=10), receive(csi, 2, epoch=3)):
        assert (first != other).all()


def test_without_fading_a_draw_is_the_line_of_sight():
    csi = statistics(np.inf, elements=(1, 4))
    found = receive(csi, 2)
    expected = np.sqrt(csi.gain)[..., None] * csi.receive_steering
    np.testing.assert_allclose(found, np.broadcast_to(expected, found.shape), rtol=1e-15)  # one product


def test_phase_errors_turn_the_whole_channel():
    csi = statistics(2.0, elements=(1, 4))
    phases = np.random.default_rng(0).normal(size=(3, 2, 2))
    still = draw_channels(csi, np.zeros((3, 2, 2)), seed=4, epoch=1).receive
    turned = draw_channels(csi, phases, seed=4, epoch=1).receive
    # phases are turned in single floats: 6e-8 of a unit vector, and of angles of a few rad
    np.testing.assert_allclose(turned, still * np.exp(1j * phases)[..., None], rtol=0, atol=5e-7)


def test_mixed_fading_leaves_unfaded_pairs_alone():
    csi = statistics(2.0)
    rician = csi.rician.copy()
    rician[0, 1] = np.inf
    found = receive(replace(csi, rician=rician), 4)
    np.testing.assert_allclose(np.abs(found[:, 0, 1, 0]) ** 2, csi.gain[0, 1], rtol=1e-14)  # a product and a root
    np.testing.assert_array_equal(found[:, 1], receive(csi, 4)[:, 1])


def test_statistics_of_the_mean_channel():
    csi = statistics(3.0, phi_bar=0.5)
    np.testing.assert_allclose(csi.mean_amplitude, np.sqrt(csi.gain * 0.75) * 0.5, rtol=1e-15)
    assert (replace(csi, rician=np.full_like(csi.rician, np.inf)).los_fraction == 1.0).all()
    assert (replace(csi, rician=np.zeros_like(csi.rician)).los_fraction == 0.0).all()
    rows = np.array([1])
    some = csi.of(rows)
    np.testing.assert_array_equal(some.gram, csi.gram[rows])
    np.testing.assert_array_equal(some.mean_amplitude, csi.mean_amplitude[rows])
    np.testing.assert_array_equal(some.steering(), csi.steering()[rows])


# --------------------------------------------------------------------------------------------- Rician factors


def factors(name: str, elevations: list[float], **options: object) -> np.ndarray:
    entry = of_kind("fading")[name]
    elevation = np.array(elevations)
    return entry.model(
        Link(range_km=np.ones_like(elevation), elevation_deg=elevation), options=entry.options(**options)
    )


def test_rician_factors_by_name():
    np.testing.assert_allclose(factors("fixed_k", [1.0, 80.0], k_db=10.0), 10.0, rtol=1e-15)
    assert np.isinf(factors("none", [1.0, 80.0])).all()
    table = {"elevation_deg": (20.0, 40.0), "k_db": (0.0, 20.0)}
    found = factors("k_by_elevation", [5.0, 20.0, 30.0, 40.0, 90.0], **table)
    np.testing.assert_allclose(found, [1.0, 1.0, 10.0, 100.0, 100.0], rtol=1e-13)  # powers of ten


@pytest.mark.parametrize(
    "table", [{"elevation_deg": (40.0, 20.0), "k_db": (0.0, 1.0)}, {"elevation_deg": (1.0, 2.0), "k_db": (0.0,)}]
)
def test_a_table_that_makes_no_sense_is_refused(table):
    with pytest.raises(ValueError, match="must be ascending"):
        of_kind("fading")["k_by_elevation"].options(**table)
