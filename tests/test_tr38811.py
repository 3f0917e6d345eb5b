"""TR 38.811's surroundings: every table, the random fields by their statistics, and the models that draw from them."""

import itertools
import json
from collections.abc import Callable
from dataclasses import dataclass, fields, replace
from functools import partial

import numpy as np
import pytest
from scipy.special import ndtr

from tests.helpers.carrier_facts import facts_of
from twin.radio.channel.environment import (
    BANDS,
    ENVIRONMENTS,
    FieldKeys,
    Surroundings,
    Tables,
    band_of,
    drawn,
    gaussian_field,
    mosaic_field,
    surroundings,
    tables,
    terminal_keys,
)
from twin.radio.channel.environment.field_coordinates import EARTH_RADIUS_M, clutter_points_m, rotated, rotation_index
from twin.radio.channel.environment.keys import keys_for, mixed, pair_keys
from twin.radio.channel.environment.waves import WAVES, wave_vectors
from twin.radio.channel.fading import realised_rician
from twin.radio.channel.path_loss import realised_loss_db
from twin.radio.channel.path_loss.free_space import free_space_db
from twin.registry import of_kind
from twin.units import to_db

EVERY_TABLE = pytest.mark.parametrize(("environment", "band"), [(e, b) for e in ENVIRONMENTS for b in BANDS])
CARRIER_HZ = {"s": 2e9, "ka": 20e9}


@dataclass(frozen=True, kw_only=True)
class Links:
    """What the drawn models need of links."""

    norad_id: np.ndarray
    range_km: np.ndarray
    elevation_deg: np.ndarray
    azimuth_deg: np.ndarray
    latitude_deg: np.ndarray
    longitude_deg: np.ndarray

    def of(self, satellites: np.ndarray, terminals: np.ndarray) -> "Links":
        pairs = np.ix_(satellites, terminals)
        return Links(
            norad_id=self.norad_id[satellites],
            range_km=self.range_km[pairs],
            elevation_deg=self.elevation_deg[pairs],
            azimuth_deg=self.azimuth_deg[pairs],
            latitude_deg=self.latitude_deg[terminals],
            longitude_deg=self.longitude_deg[terminals],
        )


def links_of(satellites: int, terminals: int, elevation_deg: float | None = None, seed: int = 1) -> Links:
    rng, shape = np.random.default_rng(seed), (satellites, terminals)
    return Links(
        norad_id=np.arange(44_000, 44_000 + satellites),
        range_km=rng.uniform(600.0, 2000.0, shape),
        elevation_deg=rng.uniform(-20.0, 90.0, shape) if elevation_deg is None else np.full(shape, elevation_deg),
        azimuth_deg=rng.uniform(0.0, 360.0, shape),
        latitude_deg=rng.uniform(-60.0, 60.0, terminals),
        longitude_deg=rng.uniform(-180.0, 180.0, terminals),
    )


def field_keys_of(terminals: int, seed: int = 7) -> FieldKeys:
    return FieldKeys(seed=seed, terminal=terminal_keys([f"ut-{number:04d}" for number in range(terminals)]))


def loss_of(**options: object) -> partial:
    entry = of_kind("path loss")["tr38811"]
    return partial(entry.model, options=entry.options(**options))


def fading_of(**options: object) -> partial:
    entry = of_kind("fading")["tr38811"]
    return partial(entry.model, options=entry.options(**options))


# ---------------------------------------------------------------------------------------------------- tables


def printed(reference: dict, environment: str, band: str) -> dict[str, list[float]]:
    name = "".join(word.capitalize() for word in environment.split("_"))
    shadowing, k_db = reference["sigma_SF_dB_and_CL_dB"][name], reference["K_dB"][name][band.capitalize()]
    letters = band.capitalize()
    return {
        "los_probability": reference["LOS_prob"][name],
        "los_sigma_db": shadowing[f"{letters}_LOS_sigma"],
        "nlos_sigma_db": shadowing[f"{letters}_NLOS_sigma"],
        "clutter_db": shadowing[f"{letters}_NLOS_CL"],
        "k_mean_db": k_db["mu"],
        "k_sigma_db": k_db["sigma"],
        "los_correlation_m": reference["shadowing_correlation_distance_m"]["LOS"][name],
        "nlos_correlation_m": reference["shadowing_correlation_distance_m"]["NLOS"][name],
        "k_correlation_m": reference["K_correlation_distance_m_LOS"][name],
    }


@EVERY_TABLE
def test_every_number_is_the_reports(shared, environment, band):
    reference = json.loads((shared / "tr38811" / "tr38811_reference.json").read_text())
    table = tables(environment, band)
    expected = printed(reference, environment, band)
    assert {field.name for field in fields(Tables)} == set(expected) | {"state_correlation_m"}
    for name, values in expected.items():
        np.testing.assert_array_equal(getattr(table, name), values, err_msg=name)


def test_the_nearest_reference_angle_is_taken():
    elevation = np.array([-90.0, 0.0, 10.0, 14.99, 15.0, 24.99, 25.0, 84.99, 85.0, 90.0])
    np.testing.assert_array_equal(Tables.row(elevation), [0, 0, 0, 0, 1, 1, 2, 7, 8, 8])
    rng = np.random.default_rng(0)
    drawn = rng.uniform(0.0, 90.0, 1000)
    nearest = np.abs(drawn[:, None] - np.arange(10.0, 91.0, 10.0)).argmin(axis=1)
    np.testing.assert_array_equal(Tables.row(drawn), nearest)


def test_a_carrier_has_a_band_or_none():
    assert [band_of(ghz * 1e9) for ghz in (0.5, 2.0, 5.99, 17.0, 20.0, 30.0, 40.0)] == ["s"] * 3 + ["ka"] * 4
    with pytest.raises(
        ValueError, match=r'^band must be "s" or "ka" for a carrier of 12 GHz: .* 6 GHz and from 17 to 40 GHz'
    ):
        band_of(12e9)
    options = of_kind("path loss")["tr38811"].options
    with pytest.raises(ValueError, match="12 GHz"):
        options().check(facts_of(carrier_hz=12e9))
    options(band="ka").check(facts_of(carrier_hz=12e9))


# ---------------------------------------------------------------------------------------------------- fields

DRAWS = 100_000
FAR = (1.3e5, -0.9e5, 1.1e5)
"""A place on the ground, in correlation lengths from the Earth's centre."""
FIELDS = pytest.mark.parametrize("field", [gaussian_field, mosaic_field])


def keys_of(count: int, first: int = 0) -> np.ndarray:
    return mixed(np.arange(first, first + count, dtype=np.uint64))


def at(point: tuple[float, float, float], count: int) -> tuple[np.ndarray, ...]:
    return tuple(np.full(count, coordinate) for coordinate in point)


def standard(field: Callable, point: tuple[float, float, float], key: np.ndarray) -> np.ndarray:
    """Values of mean 0 and variance 1, in law."""
    values = field(at(point, len(key)), key)
    return values if field is gaussian_field else (values - 0.5) * np.sqrt(12.0)


@FIELDS
@pytest.mark.parametrize("distance", [0.01, 0.1, 0.3, 1.0, 2.0, 4.0])
@pytest.mark.parametrize("start", [FAR, (0.0, 0.0, 0.0)], ids=["far", "middle"])
@pytest.mark.parametrize("direction", [(1.0, 0.0, 0.0), (0.0, 0.6, 0.8), (0.577, -0.577, 0.578)])
def test_the_autocorrelation_is_exponential_in_any_direction(field, distance, start, direction):
    key = keys_of(DRAWS)
    length = np.linalg.norm(direction)
    there = tuple(here + distance / length * step for here, step in zip(start, direction, strict=True))
    product = standard(field, start, key) * standard(field, there, key)
    # five standard errors of the mean of 1e5 products, and what 48 radii of waves or six axes of planes leave
    assert product.mean() == pytest.approx(np.exp(-distance), abs=5.0 * product.std() / np.sqrt(DRAWS) + 4.6e-3)


def test_the_radii_of_the_waves_give_the_exponential():
    distance = np.geomspace(5e-4, 10.0, 2000)
    radius = 2.0 * np.pi * np.linalg.norm(wave_vectors(), axis=0)
    # a mean of sin(kr)/kr over 48 radii for an integral over all: 4.57e-3 at most, around a twentieth of the length,
    # as computed once; wave numbers a third of an interval lower double it
    found = np.sinc(np.outer(distance, radius) / np.pi).mean(axis=1)
    np.testing.assert_allclose(found, np.exp(-distance), atol=4.6e-3)


def test_waves_have_the_moments_of_their_sum():
    values = gaussian_field(at(FAR, DRAWS), keys_of(DRAWS))
    # five standard errors: of a mean 1, of a variance 2, of a fourth moment 96 over the number of draws
    assert values.mean() == pytest.approx(0.0, abs=5.0 / np.sqrt(DRAWS))
    assert values.var() == pytest.approx(1.0, abs=5.0 * np.sqrt(2.0 / DRAWS))
    assert (values**4).mean() == pytest.approx(3.0 - 1.5 / WAVES, abs=5.0 * np.sqrt(96.0 / DRAWS))
    # the normal law: Kolmogorov's bound at 1e-6, and 1e-3 for the excess kurtosis of -1.5/48 (|He3| phi/24 < 0.024)
    assert kolmogorov(values, ndtr) < 2.7 / np.sqrt(DRAWS) + 1e-3


def test_a_mosaic_is_uniform():
    values = mosaic_field(at(FAR, DRAWS), keys_of(DRAWS))
    assert ((values > 0.0) & (values < 1.0)).all()
    assert kolmogorov(values, lambda x: x) < 2.7 / np.sqrt(DRAWS)  # Kolmogorov's bound at 1e-6


def kolmogorov(values: np.ndarray, law: Callable) -> float:
    ordered = law(np.sort(values))
    steps = np.arange(len(values) + 1) / len(values)
    return float(max(np.abs(ordered - steps[1:]).max(), np.abs(ordered - steps[:-1]).max()))


def test_a_mosaic_is_constant_over_an_exponential_length_of_one_correlation_length_in_the_mean():
    keys, steps, step = 1000, 500, 0.02
    along = np.tile(np.arange(steps) * step, keys)
    points = (FAR[0] + 0.6 * along, FAR[1] + 0.8 * along, FAR[2] + 0.0 * along)
    values = mosaic_field(points, keys_of(keys).repeat(steps)).reshape(keys, steps)
    changes = (np.diff(values, axis=1) != 0.0).sum(axis=1)
    # five standard errors over the keys, and 2e-3 of them for the six axes
    expected = (steps - 1) * -np.expm1(-step)
    assert changes.mean() == pytest.approx(expected, abs=5.0 * changes.std() / np.sqrt(keys) + 2e-3 * expected)
    # no value comes back: there are as many as there are stays
    assert sum(np.unique(row).size for row in values) == changes.sum() + keys


@FIELDS
def test_keys_have_fields_of_their_own(field):
    key = keys_of(DRAWS)
    values = standard(field, FAR, key)
    # five standard errors of a correlation of nothing
    assert abs((values[1:] * values[:-1]).mean()) < 5.0 / np.sqrt(DRAWS)
    assert abs((values[7:] * values[:-7]).mean()) < 5.0 / np.sqrt(DRAWS)
    assert np.unique(values).size > 0.99 * DRAWS


@FIELDS
def test_a_value_depends_on_nothing_that_is_asked_for_beside_it(field):
    rng = np.random.default_rng(3)
    points = tuple(rng.uniform(-2e5, 2e5, 40_000) for _ in range(3))
    key = keys_of(40_000)
    everything = field(points, key)
    for chosen in (
        np.array([0]),
        np.array([39_999, 5]),
        np.arange(16_380, 16_390),
        np.arange(1025),
        rng.permutation(40_000)[:3001],
    ):
        some = field(tuple(axis[chosen] for axis in points), key[chosen])
        np.testing.assert_array_equal(some, everything[chosen])


def test_rays_pass_the_clutter_where_a_map_says():
    latitude_deg, longitude_deg = np.array([0.0, 90.0, 45.0]), np.array([0.0, 0.0, 90.0])
    arguments = {"latitude_deg": latitude_deg, "longitude_deg": longitude_deg, "clutter_distance_m": 100.0}
    # to the zenith, to the east, to the north at 30 degrees; x points to the Gulf of Guinea, z to the pole
    for elevation, azimuth, terminal, expected in (
        (90.0, 123.0, 0, (EARTH_RADIUS_M + 100.0, 0.0, 0.0)),
        (0.0, 90.0, 0, (EARTH_RADIUS_M, 100.0, 0.0)),
        (30.0, 0.0, 0, (EARTH_RADIUS_M + 50.0, 0.0, 100.0 * np.sqrt(0.75))),
        (0.0, 90.0, 1, (0.0, 100.0, EARTH_RADIUS_M)),
        (0.0, 0.0, 2, (0.0, (EARTH_RADIUS_M - 100.0) * np.sqrt(0.5), (EARTH_RADIUS_M + 100.0) * np.sqrt(0.5))),
        (0.0, 270.0, 2, (100.0, EARTH_RADIUS_M * np.sqrt(0.5), EARTH_RADIUS_M * np.sqrt(0.5))),
    ):
        direction = {"elevation_deg": np.array([elevation]), "azimuth_deg": np.array([azimuth])}
        point_m = clutter_points_m(**direction, **arguments, terminal=np.array([terminal]))
        np.testing.assert_allclose(np.ravel(point_m), expected, atol=1e-4)  # single floats of angles, 100 m away


def test_turning_keeps_distances():
    rng = np.random.default_rng(5)
    points = tuple(rng.normal(0.0, 1e5, 1000) for _ in range(3))
    there = rotated(points, rotation_index(keys_of(1000)))
    lengths = [np.sqrt(sum(axis * axis for axis in place)) for place in (points, there)]
    np.testing.assert_allclose(lengths[1], lengths[0], rtol=1e-14)  # a few roundings


# ------------------------------------------------------------------------------------------------------ pairs


def test_keys_of_pairs_depend_on_names_and_not_on_positions():
    field_keys, norad_id = field_keys_of(60), np.arange(44_000, 44_040)
    key = pair_keys(field_keys, norad_id)
    assert np.unique(key).size == key.size
    order, other = np.random.default_rng(0).permutation(40), np.random.default_rng(1).permutation(60)
    renamed = FieldKeys(seed=field_keys.seed, terminal=field_keys.terminal[other])
    np.testing.assert_array_equal(pair_keys(renamed, norad_id[order]), key[np.ix_(order, other)])
    for changed in (keys_for("purpose", key), pair_keys(replace(field_keys, seed=8), norad_id)):
        assert not np.isin(changed, key).any()


def test_pairs_with_a_common_satellite_or_terminal_are_independent():
    """Every covariance of 36 pairs, over 800 worlds."""
    worlds, norad_id = 800, np.arange(44_000, 44_006)
    names = terminal_keys([f"ut-{number}" for number in range(6)])
    place = (EARTH_RADIUS_M / 37.0, 0.0, 0.0)
    for field in (gaussian_field, mosaic_field):
        keys = [pair_keys(FieldKeys(seed=seed, terminal=names), norad_id).ravel() for seed in range(worlds)]
        values = np.array([standard(field, place, key) for key in keys])
        covariance = values.T @ values / worlds
        # 666 numbers: five and a half standard errors is met by chance once in 4e4 times
        np.testing.assert_allclose(covariance, np.eye(36), atol=5.5 / np.sqrt(worlds) * np.sqrt(2.0))


# ----------------------------------------------------------------------------------------------- drawn losses


def surroundings_of(links: Links, field_keys: FieldKeys, environment: str, band: str) -> Surroundings:
    return Surroundings.of(links, field_keys, tables(environment, band), clutter_distance_m=100.0)


@EVERY_TABLE
@pytest.mark.parametrize("elevation_deg", [10.0, 50.0, 90.0])
def test_draws_have_the_means_and_deviations_of_the_tables(environment, band, elevation_deg):
    links, field_keys = links_of(100, 1000, elevation_deg), field_keys_of(1000)
    table, row = tables(environment, band), round(elevation_deg / 10.0) - 1
    model = loss_of(environment=environment)
    loss_db = realised_loss_db(model, links, carrier_hz=CARRIER_HZ[band], field_keys=field_keys)
    excess_db = (loss_db - free_space_db(links.range_km, CARRIER_HZ[band])).ravel()
    los = surroundings_of(links, field_keys, environment, band).line_of_sight
    probability = table.los_probability[row]
    # five standard errors of a fraction, a mean, a deviation of 1e5 draws and of those in either state
    assert los.mean() == pytest.approx(probability, abs=5.0 * np.sqrt(probability * (1.0 - probability) / DRAWS))
    k_db = to_db(realised_rician(fading_of(environment=environment, band=band), links, field_keys=field_keys)).ravel()
    for values, mean_db, sigma_db in (
        (excess_db[los], 0.0, table.los_sigma_db[row]),
        (excess_db[~los], table.clutter_db[row], table.nlos_sigma_db[row]),
        (k_db[los], table.k_mean_db[row], table.k_sigma_db[row]),
    ):
        assert values.mean() == pytest.approx(mean_db, abs=5.0 * sigma_db / np.sqrt(values.size))
        assert values.std() == pytest.approx(sigma_db, abs=5.0 * sigma_db / np.sqrt(2.0 * values.size))
    assert (k_db[~los] == -np.inf).all()


def walked(links: Links, way_m: float) -> Links:
    """The same links after every terminal has walked to the north, its satellites where they are in its sky."""
    return replace(links, latitude_deg=links.latitude_deg + np.degrees(way_m / EARTH_RADIUS_M))


def assert_correlated(first: Links, later: Links, way_m: float, environment: str, band: str) -> None:
    """Shadowing and state of 40,000 pairs at two moments, between which their rays moved by a way in the clutter."""
    field_keys, table = field_keys_of(200), tables(environment, band)
    here, there = (surroundings_of(links, field_keys, environment, band) for links in (first, later))
    row = int(here.row[0])
    assert (here.row == row).all()
    assert (there.row == row).all()
    all_pairs = np.ones(here.row.size, dtype=bool)
    for state, sigma_db, length_m in (
        (all_pairs, table.los_sigma_db, table.los_correlation_m),
        (~all_pairs, table.nlos_sigma_db, table.nlos_correlation_m),
    ):
        product = here.shadowing_db(state) * there.shadowing_db(state) / sigma_db[row] ** 2
        # five standard errors of the mean of the products, and what the fields themselves allow
        error = 5.0 * product.std() / np.sqrt(product.size) + 4.6e-3
        assert product.mean() == pytest.approx(np.exp(-way_m / length_m), abs=error)
    k_db = [(each.rician_db(all_pairs) - table.k_mean_db[row]) / table.k_sigma_db[row] for each in (here, there)]
    product = k_db[0] * k_db[1]
    error = 5.0 * product.std() / np.sqrt(product.size) + 4.6e-3
    assert product.mean() == pytest.approx(np.exp(-way_m / table.k_correlation_m), abs=error)
    probability = table.los_probability[row]
    changed = here.line_of_sight != there.line_of_sight
    expected = 2.0 * probability * (1.0 - probability) * -np.expm1(-way_m / table.state_correlation_m)
    assert changed.mean() == pytest.approx(expected, abs=5.0 * np.sqrt(expected / changed.size) + 1e-3)


@pytest.mark.parametrize(("environment", "band"), [("urban", "s"), ("rural", "ka")])
@pytest.mark.parametrize("way_m", [2.0, 10.0, 40.0, 100.0])
def test_surroundings_decorrelate_over_the_reports_distances_as_terminals_move(environment, band, way_m):
    first = links_of(200, 200, 40.0)
    assert_correlated(first, walked(first, way_m), way_m, environment, band)


LOS_AT_30 = {"dense_urban": 0.398, "urban": 0.493, "suburban": 0.919, "rural": 0.919}
"""TR 38.811, Table 6.6.1-1."""
STATE_CORRELATION_M = {"dense_urban": 50.0, "urban": 50.0, "suburban": 50.0, "rural": 60.0}
"""TR 38.901, Table 7.6.3.1-2, LOS/NLOS state: UMa, and RMa for rural surroundings."""


@pytest.mark.parametrize("band", BANDS)
@pytest.mark.parametrize("environment", ENVIRONMENTS)
def test_at_the_printed_correlation_distance_one_over_e_of_the_correlation_is_left(shared, environment, band):
    reference = json.loads((shared / "tr38811" / "tr38811_reference.json").read_text())
    distances_m = printed(reference, environment, band)
    links, field_keys, table = links_of(200, 500, 30.0, seed=9), field_keys_of(500), tables(environment, band)

    def moved(way_m: float) -> tuple[Surroundings, Surroundings]:
        return tuple(surroundings_of(each, field_keys, environment, band) for each in (links, walked(links, way_m)))

    all_pairs = np.ones(100_000, dtype=bool)
    drawn = {
        "los_correlation_m": lambda around: around.shadowing_db(all_pairs) / table.los_sigma_db[2],
        "nlos_correlation_m": lambda around: around.shadowing_db(~all_pairs) / table.nlos_sigma_db[2],
        "k_correlation_m": lambda around: (around.rician_db(all_pairs) - table.k_mean_db[2]) / table.k_sigma_db[2],
    }
    for name, value in drawn.items():
        product = np.multiply(*(value(around) for around in moved(distances_m[name])))
        # five standard errors of the mean of the products, and what the field itself allows
        assert product.mean() == pytest.approx(np.exp(-1.0), abs=5.0 * product.std() / np.sqrt(product.size) + 4.6e-3)
    los, probability = (
        [around.line_of_sight for around in moved(STATE_CORRELATION_M[environment])],
        LOS_AT_30[environment],
    )
    covariance = np.multiply(*(state - probability for state in los)) / (probability * (1.0 - probability))
    error = 5.0 * covariance.std() / np.sqrt(covariance.size) + 1e-3
    assert covariance.mean() == pytest.approx(np.exp(-1.0), abs=error)


@pytest.mark.parametrize("turn_deg", [0.5, 4.0, 8.0])
def test_a_satellite_that_moves_changes_the_surroundings_by_the_way_of_its_ray(turn_deg):
    # the clutter stands 100 m away: in a second, 0.7 degrees of a satellite overhead, its ray moves 1.2 m there
    first = links_of(200, 200, 36.0)
    later = replace(first, elevation_deg=first.elevation_deg + turn_deg)
    assert_correlated(first, later, 200.0 * np.sin(np.radians(0.5 * turn_deg)), "urban", "s")


def test_state_shadowing_and_rician_factor_have_nothing_to_do_with_each_other():
    around = surroundings_of(links_of(200, 500, 40.0), field_keys_of(500), "urban", "s")
    all_pairs = np.ones(around.row.size, dtype=bool)
    drawn = [
        around.line_of_sight - around.tables.los_probability[3],
        around.shadowing_db(all_pairs) / 4.0,
        around.shadowing_db(~all_pairs) / 6.0,
        (around.rician_db(all_pairs) - 7.46) / 8.01,
    ]
    covariance = np.cov(drawn)
    # five standard errors of a covariance of nothing, of variances of 1 at most
    assert (np.abs(covariance - np.diag(np.diag(covariance))) < 5.0 / np.sqrt(all_pairs.size)).all()


def test_what_does_not_move_stays():
    links, field_keys = links_of(20, 50), field_keys_of(50)
    model = loss_of(environment="dense_urban")
    first = realised_loss_db(model, links, carrier_hz=2e9, field_keys=field_keys)
    np.testing.assert_array_equal(realised_loss_db(model, links, carrier_hz=2e9, field_keys=field_keys), first)
    other = realised_loss_db(model, links, carrier_hz=2e9, field_keys=replace(field_keys, seed=8))
    above = links.elevation_deg > 0.0
    assert (other != first)[above].mean() > 0.99


def test_a_pairs_numbers_depend_on_no_other_pair_and_on_no_order():
    links, field_keys = links_of(30, 40), field_keys_of(40)
    rng = np.random.default_rng(2)
    loss, fading = loss_of(environment="urban"), fading_of(environment="urban")
    whole_db = realised_loss_db(loss, links, carrier_hz=2e9, field_keys=field_keys)
    whole_k = realised_rician(fading, links, field_keys=field_keys)
    for satellites, terminals in (
        (rng.permutation(30), rng.permutation(40)),
        (np.array([17]), np.array([3])),
        (np.array([2, 29]), rng.permutation(40)[:11]),
    ):
        some, pairs = links.of(satellites, terminals), np.ix_(satellites, terminals)
        some_keys = FieldKeys(seed=field_keys.seed, terminal=field_keys.terminal[terminals])
        np.testing.assert_array_equal(
            realised_loss_db(loss, some, carrier_hz=2e9, field_keys=some_keys), whole_db[pairs]
        )
        np.testing.assert_array_equal(realised_rician(fading, some, field_keys=some_keys), whole_k[pairs])


def test_models_accept_links_below_the_horizon_only():
    links, field_keys = links_of(3, 5, -10.0), field_keys_of(5)
    loss = loss_of()
    drawn = realised_loss_db(loss, links, carrier_hz=2e9, field_keys=field_keys)
    np.testing.assert_array_equal(drawn, loss(links, carrier_hz=2e9))
    empty = links_of(0, 5)
    assert realised_loss_db(loss, empty, carrier_hz=2e9, field_keys=field_keys).shape == (0, 5)
    assert realised_rician(fading_of(), empty, field_keys=field_keys).shape == (0, 5)


def test_path_loss_and_fading_agree_on_who_has_a_line_of_sight():
    links, field_keys = links_of(40, 60, 30.0), field_keys_of(60)
    loss_db = realised_loss_db(loss_of(environment="urban"), links, carrier_hz=2e9, field_keys=field_keys)
    excess_db = loss_db - free_space_db(links.range_km, 2e9)
    scattered = realised_rician(fading_of(environment="urban"), links, field_keys=field_keys) == 0.0
    # 29 dB of clutter against deviations of 4 and 6 dB: 17 dB is three of either away and more
    assert ((excess_db > 14.5) == scattered).mean() > 0.99
    assert 0.45 < scattered.mean() < 0.56  # 1 - 0.493, within five standard errors of 2,400 draws


# -------------------------------------------------------------------------------------------------- expectation


@EVERY_TABLE
def test_what_is_expected_is_the_mean_power_over_line_of_sight_and_none(environment, band):
    table = tables(environment, band)
    elevation_deg = np.arange(10.0, 91.0, 10.0)
    links = replace(links_of(1, 9), elevation_deg=elevation_deg[None], range_km=np.full((1, 9), 1000.0))
    model = loss_of(environment=environment)
    gain = 10.0 ** (
        -0.1 * (model(links, carrier_hz=CARRIER_HZ[band]) - free_space_db(links.range_km, CARRIER_HZ[band]))
    )
    clutter = 10.0 ** (-0.1 * table.clutter_db)
    los = table.los_probability
    np.testing.assert_allclose(gain[0], los + (1.0 - los) * clutter, rtol=1e-12)  # roundings of decibels
    # the same powers, parted into the line of sight and what is scattered
    kappa = fading_of(environment=environment, band=band)(links)[0]
    k = 10.0 ** (0.1 * table.k_mean_db)
    np.testing.assert_allclose(gain[0] * kappa / (kappa + 1.0), los * k / (k + 1.0), rtol=1e-12)


def test_the_mean_without_a_spread_is_drawn_where_there_is_a_line_of_sight():
    links, field_keys = links_of(20, 30, 70.0), field_keys_of(30)
    rician = realised_rician(fading_of(environment="rural", band="ka", spread=False), links, field_keys=field_keys)
    k = 10.0 ** (0.1 * tables("rural", "ka").k_mean_db[6])
    np.testing.assert_allclose(np.unique(rician), [0.0, k], rtol=1e-14)


def test_models_without_a_drawn_part_are_true_as_they_stand():
    links, field_keys = links_of(4, 5), field_keys_of(5)
    for name in ("free_space", "atmospheric"):
        entry = of_kind("path loss")[name]
        model = partial(entry.model, options=entry.options())
        drawn = realised_loss_db(model, links, carrier_hz=2e9, field_keys=field_keys)
        np.testing.assert_array_equal(drawn, model(links, carrier_hz=2e9))
    entry = of_kind("fading")["fixed_k"]
    model = partial(entry.model, options=entry.options())
    np.testing.assert_array_equal(realised_rician(model, links, field_keys=field_keys), model(links))


def test_terms_add_up():
    links, field_keys = links_of(10, 20, 30.0), field_keys_of(20)
    carrier_hz = 20e9
    plain_db = realised_loss_db(loss_of(), links, carrier_hz=carrier_hz, field_keys=field_keys)
    full = loss_of(atmosphere=True, zenith_attenuation_db=0.25, scintillation=True, extra_loss_db=1.5)
    # 0.25 / sin 30 = 0.5, 0.3 from the table, and 1.5
    full_db = realised_loss_db(full, links, carrier_hz=carrier_hz, field_keys=field_keys)
    np.testing.assert_allclose(full_db - plain_db, 2.3, atol=1e-12)


def test_fading_must_have_the_surroundings_of_the_path_loss():
    losses, fading = of_kind("path loss")["tr38811"].options, of_kind("fading")["tr38811"].options
    fading().check(facts_of(carrier_hz=2e9, path_loss=losses()))
    fading(band="ka").check(facts_of(carrier_hz=20e9, path_loss=losses()))
    fading(environment="urban").check(facts_of(carrier_hz=2e9, path_loss=of_kind("path loss")["free_space"].options()))
    with pytest.raises(ValueError, match=r"environment = 'urban' must be that of channel\.path_loss, 'suburban'"):
        fading(environment="urban").check(facts_of(carrier_hz=2e9, path_loss=losses()))
    with pytest.raises(ValueError, match=r"clutter_distance_m = 50\.0 must be that of channel\.path_loss, 100\.0"):
        fading(clutter_distance_m=50.0).check(facts_of(carrier_hz=2e9, path_loss=losses()))
    with pytest.raises(ValueError, match=r"band = 's' must be that of channel\.path_loss and the carrier, 'ka'"):
        fading().check(facts_of(carrier_hz=20e9, path_loss=losses()))


# ------------------------------------------------------------------------------------------------- what is kept


def forgotten() -> None:
    """Forget all that is kept only to spare time."""
    surroundings._surroundings.cache_clear()
    drawn._pair_fields.cache_clear()


def test_what_is_kept_changes_no_number():
    """In any order of asking, with other geometries, sets of satellites, worlds and tables between."""
    loss, fading = loss_of(environment="urban"), fading_of(environment="urban")
    asked = []
    for seed, field_keys in (
        (1, field_keys_of(40)),
        (2, field_keys_of(40)),
        (1, field_keys_of(40, seed=8)),
        (1, field_keys_of(41)),
    ):
        links = links_of(30, len(field_keys.terminal), seed=seed)
        asked += [(links, field_keys), (links.of(np.arange(9, 30), np.arange(len(field_keys.terminal))), field_keys)]
        asked.append((walked(links, 3.0), field_keys))
        asked.append((replace(links, norad_id=links.norad_id + 1), field_keys))
        asked.append((replace(links, azimuth_deg=links.azimuth_deg + 0.5), field_keys))
        asked.append((replace(links, longitude_deg=links.longitude_deg + 0.5), field_keys))

    def answers(links: Links, field_keys: FieldKeys) -> tuple[np.ndarray, ...]:
        return (
            realised_loss_db(loss, links, carrier_hz=2e9, field_keys=field_keys),
            realised_rician(fading, links, field_keys=field_keys),
            realised_rician(fading_of(environment="rural"), links, field_keys=field_keys),
            realised_rician(fading_of(environment="urban", clutter_distance_m=50.0), links, field_keys=field_keys),
        )

    fresh = []
    for each in asked:
        forgotten()
        fresh.append(answers(*each))
    for one, other in itertools.combinations(range(len(fresh)), 2):  # or the comparison below could not fail
        assert not all(np.array_equal(a, b) for a, b in zip(fresh[one], fresh[other], strict=True))
    for place in np.random.default_rng(0).integers(0, len(asked), 100):
        for found, expected in zip(answers(*asked[place]), fresh[place], strict=True):
            np.testing.assert_array_equal(found, expected)


def test_what_an_answer_is_used_for_does_not_reach_the_next():
    """Answers are the caller's own: writing to one changes no later one."""
    links, field_keys = links_of(5, 6, 40.0), field_keys_of(6)
    loss, fading = loss_of(environment="urban"), fading_of(environment="urban")
    for ask in (
        lambda: realised_loss_db(loss, links, carrier_hz=2e9, field_keys=field_keys),
        lambda: realised_rician(fading, links, field_keys=field_keys),
        lambda: loss(links, carrier_hz=2e9),
        lambda: fading(links),
    ):
        first = ask()
        kept = first.copy()
        first[:] = -1.0
        np.testing.assert_array_equal(ask(), kept)
    with pytest.raises(ValueError, match="read-only"):
        surroundings_of(links, field_keys, "urban", "s").line_of_sight[:] = True
