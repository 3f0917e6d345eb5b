"""Link geometry compared with Skyfield, TR 38.821 and independent constructions."""

import csv
import json
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest
from skyfield.api import EarthSatellite, wgs84

from tests.helpers.element_sets import LINES, OTHER, needs_data, one_set, read_sets, window
from tests.helpers.folders import SHARED
from twin.constants import EARTH_GM_WGS72_KM3_S2, EARTH_ROTATION_RAD_S, LIGHT_SPEED_M_S
from twin.geometry.ephemeris import Ephemeris, SatelliteStates
from twin.geometry.ephemeris.time_scales import skyfield_time, timescale
from twin.geometry.links import LinkStates, doppler_hz, doppler_rate_hz_s, link_states, visibility
from twin.geometry.terminals import Orientation, TerminalGroup, Terminals, TerminalStates
from twin.geometry.terminals.groups import GreatCircle, Place, PlaceList


def places(points: Sequence[tuple[float, float, float]], orientation: Orientation | None = None) -> Terminals:
    layout = PlaceList(places=tuple(Place(latitude_deg=a, longitude_deg=b, altitude_km=h) for a, b, h in points))
    group = TerminalGroup(name="ut", layout=layout, orientation=orientation or Orientation())
    return Terminals.place([group], seed=0)


def angle_between(one_deg: np.ndarray, other_deg: np.ndarray) -> np.ndarray:
    return np.abs((one_deg - other_deg + 180.0) % 360.0 - 180.0)


@needs_data
def test_the_topocentric_reference_is_reproduced() -> None:
    ephemeris = Ephemeris(read_sets("geometry/skyfield_reference_tles.tle"))
    with (SHARED / "geometry/skyfield_topocentric_reference.csv").open() as file:
        rows = list(csv.DictReader(file))
    stations = sorted({(row["station"], row["lat_deg"], row["lon_deg"], row["height_m"]) for row in rows})
    instants = np.unique(np.array([row["utc"][:-1] for row in rows], dtype="datetime64[ns]"))
    terminals = places([(float(a), float(b), float(h) / 1e3) for _, a, b, h in stations])
    satellites = ephemeris.states(instants, ephemeris.norad_ids)
    ground = terminals.states(instants, instants[0])
    links = [link_states(satellites, ground, epoch) for epoch in range(len(instants))]
    names = [station[0] for station in stations]
    for row in rows:
        epoch = int(np.searchsorted(instants, np.datetime64(row["utc"][:-1])))
        s, k = int(np.searchsorted(ephemeris.norad_ids, int(row["satnum"]))), names.index(row["station"])
        link = links[epoch]
        # required accuracy: 0.001 deg, 1 m, 1 cm/s; both sides use the same theory
        assert abs(link.elevation_deg[s, k] - float(row["elevation_deg"])) < 1e-3
        east_west = angle_between(link.azimuth_deg[s, k], np.float64(row["azimuth_deg"]))
        assert east_west * np.cos(np.radians(float(row["elevation_deg"]))) < 1e-3
        assert abs(link.range_km[s, k] - float(row["range_km"])) < 1e-3
        assert abs(link.range_rate_km_s[s, k] - float(row["range_rate_km_s"])) < 1e-5
        itrs = [float(row[f"{axis}_itrs_km"]) for axis in "xyz"]
        assert np.abs(satellites.position_km[epoch, s] - itrs).max() < 1e-3
        itrs_rate = [float(row[f"v{axis}_itrs_km_s"]) for axis in "xyz"]
        assert np.abs(satellites.velocity_km_s[epoch, s] - itrs_rate).max() < 1e-5


@needs_data
def test_links_agree_with_skyfield_for_other_satellites_and_places() -> None:
    sets = read_sets("tle/starlink_2026-05-30_CRLF.tle")[3::900]
    points = [(-33.9, 151.2, 0.05), (78.2, 15.6, 0.4), (64.1, -51.7, 0.0), (0.0, 0.0, 11.0), (90.0, 0.0, 2.8)]
    times = window("2026-05-30T07:00", 4, 1111.1)
    satellites = Ephemeris(sets).states(times, [one.norad_id for one in sets])
    ground = places(points).states(times, times[0])
    links = [link_states(satellites, ground, epoch) for epoch in range(len(times))]
    time = skyfield_time(times)
    for s, one in enumerate(sets):
        for k, (latitude, longitude, altitude_km) in enumerate(points):
            station = wgs84.latlon(latitude, longitude, elevation_m=altitude_km * 1e3)
            topocentric = (EarthSatellite(*one.lines, ts=timescale()) - station).at(time)
            elevation, azimuth, distance, _, _, rate = topocentric.frame_latlon_and_rates(station)
            for epoch, link in enumerate(links):
                # far below the required 0.001 deg, 1 m, 1 cm/s: rounding, and azimuth near the zenith
                assert abs(link.elevation_deg[s, k] - elevation.degrees[epoch]) < 1e-6
                deviation = angle_between(link.azimuth_deg[s, k], azimuth.degrees[epoch])
                assert deviation * np.cos(elevation.radians[epoch]) < 1e-6
                assert abs(link.range_km[s, k] - distance.km[epoch]) < 1e-5
                assert abs(link.range_rate_km_s[s, k] - rate.km_per_s[epoch]) < 1e-7


def one_pass(orbit: tuple[str, str], step_s: float) -> tuple[SatelliteStates, TerminalStates]:
    """A satellite with high and low passes over fixed places, and an aircraft that crosses its ground track."""
    ephemeris = Ephemeris([one_set(orbit)])
    times = window("2026-06-13T12:05", 401, step_s)
    points = tuple(Place(latitude_deg=a, longitude_deg=b) for a, b in ((0, 0), (10, 5), (-20, 40), (60, 10)))
    ground = TerminalGroup(name="ut", layout=PlaceList(places=points))
    flight = GreatCircle(start_deg=(0, 0), end_deg=(10, 5), speed_km_h=900, altitude_km=11)
    terminals = Terminals.place([ground, TerminalGroup(name="jet", layout=flight)], seed=0)
    return ephemeris.states(times, ephemeris.norad_ids), terminals.states(times, times[0])


def stacked(satellites: SatelliteStates, ground: TerminalStates, *names: str) -> tuple[np.ndarray, ...]:
    links = [link_states(satellites, ground, epoch) for epoch in range(len(satellites.instant))]
    return tuple(np.array([getattr(link, name) for link in links]) for name in names)


@pytest.mark.parametrize("orbit", [LINES, OTHER])
def test_range_rate_and_acceleration_are_the_derivatives_of_range(orbit: tuple[str, str]) -> None:
    step_s = 0.5
    satellites, ground = one_pass(orbit, step_s)
    distance, rate, acceleration = stacked(
        satellites, ground, "range_km", "range_rate_km_s", "range_acceleration_km_s2"
    )

    def slope(values: np.ndarray) -> np.ndarray:
        """Five-point derivative; its error at 0.5 s is below 1e-8 in these units."""
        return (8.0 * (values[3:-1] - values[1:-3]) - (values[4:] - values[:-4])) / (12.0 * step_s)

    # SGP4's velocity differs from the derivative of its position by up to 0.024 m/s
    assert np.abs(slope(distance) - rate[2:-2]).max() < 2.4e-5
    # J3, J4 and drag are neglected (3e-8), and the error of SGP4's velocity, about half of 0.024 m/s here,
    # turns with the line of sight at up to 0.014 rad/s (1.7e-7)
    assert np.abs(slope(rate) - acceleration[2:-2]).max() < 2e-7
    assert np.abs(acceleration).max() > 1e-3


def test_doppler_is_positive_on_approach_and_its_rate_is_its_derivative() -> None:
    satellites, ground = one_pass(LINES, 1.0)
    links = [link_states(satellites, ground, epoch) for epoch in (0, 1, 2)]
    shift = [doppler_hz(link, 20e9) for link in links]
    closing = links[1].range_rate_km_s < 0
    assert closing.any()
    assert ((shift[1] > 0) == closing).all()
    assert shift[1] == pytest.approx(-20e9 * links[1].range_rate_km_s * 1e3 / LIGHT_SPEED_M_S, rel=1e-12)
    # 1.5e-7 km/s² (as above) at 20 GHz is 0.01 Hz/s, and the curvature over 2 s
    assert (shift[2] - shift[0]) / 2 == pytest.approx(doppler_rate_hz_s(links[1], 20e9), abs=0.5)
    assert links[1].delay_s == pytest.approx(links[1].range_km * 1e3 / LIGHT_SPEED_M_S, rel=1e-14)


def spherical_scene(altitude_km: float, elevation_deg: float, ahead: bool) -> LinkStates:
    """A retrograde equatorial circular orbit over a sphere of 6,371 km, as in TR 38.821, at a given elevation."""
    earth_km, radius_km = 6371.0, 6371.0 + altitude_km
    elevation = np.radians(elevation_deg)
    away = np.arccos(earth_km / radius_km * np.cos(elevation)) - elevation
    angle = away if ahead else -away
    rate = -np.sqrt(EARTH_GM_WGS72_KM3_S2 / radius_km**3) - EARTH_ROTATION_RAD_S
    instant = np.array(["2026-01-01"], dtype="datetime64[ns]")
    satellites = SatelliteStates(
        norad_id=np.array([1]),
        instant=instant,
        position_km=radius_km * np.array([[[np.cos(angle), np.sin(angle), 0.0]]]),
        velocity_km_s=radius_km * rate * np.array([[[-np.sin(angle), np.cos(angle), 0.0]]]),
        usable=np.ones((1, 1), dtype=bool),
    )
    ground = places([(0.0, 0.0, 0.0)]).states(instant, instant[0])
    on_sphere = replace(ground, position_km=np.array([[[earth_km, 0.0, 0.0]]]))
    return link_states(satellites, on_sphere, 0)


@needs_data
@pytest.mark.parametrize("orbit", ["LEO-600", "LEO-1200"])
def test_the_extremes_of_tr_38_821_are_reproduced(orbit: str) -> None:
    row = json.loads((SHARED / "tr38821_reference.json").read_text())["table_4_2_2_NTN_scenarios"][orbit]
    link = spherical_scene(row["altitude_km"], row["min_elevation_deg"], ahead=True)
    assert link.elevation_deg[0, 0] == pytest.approx(row["min_elevation_deg"], abs=1e-9)
    # printed to the unit (1931.64 as 1,932; 3130.94 as 3,131) and to 0.01 ms
    assert link.range_km[0, 0] == pytest.approx(row["max_distance_km"], abs=0.5)
    assert 2e3 * link.delay_s[0, 0] == pytest.approx(row["max_RTD_regenerative_ms"], abs=0.005)
    assert 4e3 * link.delay_s[0, 0] == pytest.approx(row["max_RTD_transparent_ms"], abs=0.01)
    # printed to 1 ppm, and only for Earth rotation against the orbit: 24.23 as 24, 21.58 as 21
    shift_ppm = doppler_hz(link, 2e9)[0, 0] / 2e9 * 1e6
    assert shift_ppm == pytest.approx(row["max_doppler_ppm"] + 0.3, abs=0.35)
    leaving = doppler_hz(spherical_scene(row["altitude_km"], 10.0, ahead=False), 2e9)[0, 0] / 2e9 * 1e6
    assert leaving == pytest.approx(-shift_ppm, abs=1e-9)
    rate_ppm_s = doppler_rate_hz_s(spherical_scene(row["altitude_km"], 90.0, ahead=True), 2e9)[0, 0] / 2e9 * 1e6
    # the exact rate at the zenith differs from the table by about 7 %, and by more if the Earth rotates against it
    assert -rate_ppm_s == pytest.approx(row["max_doppler_rate_ppm_per_s"], rel=0.25)


def arc_km(altitude_km: float, elevation_deg: float) -> float:
    """Ground distance from the nadir point of a satellite to a place with this elevation, sphere of TR 38.811."""
    elevation = np.radians(elevation_deg)
    return 6371.0 * (np.arccos(6371.0 / (6371.0 + altitude_km) * np.cos(elevation)) - elevation)


def elevation_at_deg(altitude_km: float, away_km: float) -> float:
    """Elevation of a satellite at a ground distance from its nadir point, on the same sphere."""
    angle = away_km / 6371.0
    return float(np.degrees(np.arctan2(np.cos(angle) - 6371.0 / (6371.0 + altitude_km), np.sin(angle))))


@needs_data
@pytest.mark.parametrize("orbit", ["LEO-600", "LEO-1200"])
def test_the_greatest_differential_delay_of_tr_38_821_is_reproduced(orbit: str) -> None:
    row = json.loads((SHARED / "tr38821_reference.json").read_text())["table_4_2_2_NTN_scenarios"][orbit]
    altitude_km, lowest_deg = row["altitude_km"], row["min_elevation_deg"]
    # the footprint lies between the edge of coverage and the nadir point
    near_km = arc_km(altitude_km, lowest_deg) - row["max_footprint_km"]
    assert near_km > 0.0
    edge = spherical_scene(altitude_km, lowest_deg, ahead=True)
    near = spherical_scene(altitude_km, elevation_at_deg(altitude_km, near_km), ahead=True)
    difference_ms = 1e3 * (edge.delay_s - near.delay_s)[0, 0]
    # one way, printed to 0.01 ms: 3.1198 as 3.12, 3.1781 as 3.18
    assert difference_ms == pytest.approx(row["max_differential_delay_ms"], abs=0.005)


@needs_data
def test_the_differential_delay_of_tr_38_811_from_nadir_to_the_edge_is_reproduced() -> None:
    reference = json.loads((SHARED / "tr38811" / "tr38811_reference.json").read_text())
    for orbit, altitude_km in (("600km", 600.0), ("1500km", 1500.0)):
        edge, below = (spherical_scene(altitude_km, elevation_deg, ahead=True) for elevation_deg in (10.0, 90.0))
        _, printed_ms = reference["differential_delay_Table_5.3.4.2-1"][orbit]
        # printed to 0.01 ms or finer; the other radius of the sphere changes the range by 0.6 km
        assert 1e3 * (edge.delay_s - below.delay_s)[0, 0] == pytest.approx(printed_ms, abs=0.006)


@needs_data
def test_passes_rise_set_and_culminate_as_in_skyfield() -> None:
    sets = {one.norad_id: one for one in read_sets("geometry/skyfield_reference_tles.tle")}
    with (SHARED / "geometry/skyfield_topocentric_reference.csv").open() as file:
        sites = {
            row["station"]: (float(row["lat_deg"]), float(row["lon_deg"]), float(row["height_m"]) / 1e3)
            for row in csv.DictReader(file)
        }
    with (SHARED / "geometry/skyfield_pass_events_24h.csv").open() as file:
        rows = [row for row in csv.DictReader(file) if row["rise_utc"] and row["set_utc"]][::23]
    assert len(rows) > 20
    for row in rows:
        ephemeris = Ephemeris([sets[int(row["satnum"])]])
        rise, fall = (np.datetime64(row[key][:23], "ns") for key in ("rise_utc", "set_utc"))
        terminals = places([sites[row["station"]]])
        mask = np.sin(np.radians(float(row["mask_deg"])))
        for event, before in ((rise, False), (fall, True)):
            times = event + np.array([-1, 1]) * np.timedelta64(1, "s")
            sine = visibility(
                ephemeris.states(times, ephemeris.norad_ids), terminals.states(times, times[0])
            ).sine_elevation[:, 0, 0]
            # the event is known to half a second: one second before and one second after differ
            assert (sine[0] >= mask) == before
            assert (sine[1] >= mask) != before
        step = max((fall - rise) // 2000, np.timedelta64(1, "ms"))
        times = np.arange(rise, fall, step)
        sine = visibility(
            ephemeris.states(times, ephemeris.norad_ids), terminals.states(times, times[0])
        ).sine_elevation
        highest = np.degrees(np.arcsin(sine.max()))
        # culmination is also known to half a second: up to 0.4 deg/s² · (0.5 s)² / 2 near the zenith
        assert highest == pytest.approx(float(row["max_elevation_deg"]), abs=0.05)


def test_visibility_and_links_agree_and_a_pair_does_not_depend_on_its_neighbours() -> None:
    ephemeris = Ephemeris([one_set(LINES), one_set(OTHER)])
    times = window("2026-06-13T12:05", 3)
    ground = places([(0, 0, 0), (10, 20, 1), (-40, 100, 2)]).states(times, times[0])
    both = ephemeris.states(times, [44057, 44714])
    one = ephemeris.states(times, [44714])
    pairs, alone = visibility(both, ground), visibility(one, ground)
    assert np.array_equal(pairs.sine_elevation[:, 1:], alone.sine_elevation)
    assert np.array_equal(pairs.range_km[:, 1:], alone.range_km)
    for epoch in range(3):
        all_links, few = link_states(both, ground, epoch), link_states(one, ground, epoch)
        chosen = link_states(both, ground, epoch, rows=[1])
        for name in LinkStates.__slots__:
            value = getattr(all_links, name)
            if name != "instant":
                mine = value if name in ("latitude_deg", "longitude_deg") else value[1:]  # the terminals' own
                assert np.array_equal(mine, getattr(few, name)), name
                assert np.array_equal(mine, getattr(chosen, name)), name
                assert not value.flags.writeable
        sine = np.sin(np.radians(all_links.elevation_deg))
        assert sine == pytest.approx(pairs.sine_elevation[epoch], abs=1e-14)
        assert np.array_equal(all_links.range_km, pairs.range_km[epoch])


def test_an_unusable_satellite_is_visible_nowhere_and_its_links_are_finite() -> None:
    ephemeris = Ephemeris([one_set(LINES)], max_element_age_ns=1)
    times = window("2026-06-13T12:05", 2)
    satellites = ephemeris.states(times, [44714])
    ground = places([(0, 0, 0), (90, 0, 0)]).states(times, times[0])
    assert not satellites.usable.any()
    assert (visibility(satellites, ground).sine_elevation == -1.0).all()
    links = link_states(satellites, ground, 0)
    assert not links.usable.any()
    for name in LinkStates.__slots__:
        assert name == "instant" or np.isfinite(getattr(links, name)).all(), name
    assert (links.elevation_deg < -80).all()


def test_departure_is_the_ray_in_a_frame_built_from_the_inertial_orbit() -> None:
    """The array axes in TEME, from the inertial state of SGP4, and the terminal rotated into TEME."""
    one = one_set(LINES)
    times = window("2026-06-13T12:05:17", 1)
    ephemeris = Ephemeris([one])
    ground = places([(0, 0, 0), (20, -10, 0)]).states(times, times[0])
    links = link_states(ephemeris.states(times, [44714]), ground, 0)
    time = skyfield_time(times)
    _, position, velocity = one.satrec.sgp4(time.whole[0], time.tai_fraction[0] - 37.0 / 86_400.0)
    r, v = np.array(position), np.array(velocity)
    z = -r / np.linalg.norm(r)
    y = -np.cross(r, v) / np.linalg.norm(np.cross(r, v))  # against the orbit's angular momentum
    x = np.cross(y, z)
    gmst = np.radians(time.gmst[0] * 15.0)
    turn = np.array([[np.cos(gmst), -np.sin(gmst), 0], [np.sin(gmst), np.cos(gmst), 0], [0, 0, 1]])
    for k in range(2):
        ray = turn @ ground.position_km[0, k] - r
        ray /= np.linalg.norm(ray)
        # Skyfield's GMST uses another precession theory than that of 1982: within 1e-5 rad in 2026, at a
        # radius of 7,000 km and ranges of 1,000 km or more
        assert links.departure[0, k] == pytest.approx([ray @ x, ray @ y], abs=1e-4)
        assert links.departure_nadir_cos[0, k] == pytest.approx(ray @ z, abs=1e-4)
    norm = (links.departure**2).sum(axis=-1) + links.departure_nadir_cos**2
    assert norm == pytest.approx(np.ones((1, 2)), abs=1e-14)


def test_departures_to_places_ahead_below_and_right_are_along_x_z_and_y() -> None:
    # eastward equatorial flight: ahead is east, z x x points to the south
    instant = np.array(["2026-01-01"], dtype="datetime64[ns]")
    satellites = SatelliteStates(
        norad_id=np.array([1]),
        instant=instant,
        position_km=np.array([[[7000.0, 0.0, 0.0]]]),
        velocity_km_s=np.array([[[0.0, 7.0, 0.0]]]),
        usable=np.ones((1, 1), dtype=bool),
    )
    ground = places([(0, 0, 0), (0, 1, 0), (-1, 0, 0)]).states(instant, instant[0])
    links = link_states(satellites, ground, 0)
    assert links.departure[0, 0] == pytest.approx([0.0, 0.0], abs=1e-12)
    assert links.departure_nadir_cos[0, 0] == pytest.approx(1.0, abs=1e-12)
    assert links.departure[0, 1, 0] > 0.1
    assert links.departure[0, 1, 1] == pytest.approx(0.0, abs=1e-12)
    assert links.departure[0, 2, 1] > 0.1
    assert links.azimuth_deg[0, 1] == pytest.approx(270.0, abs=1e-9)
    assert links.azimuth_deg[0, 2] == 0.0 or links.azimuth_deg[0, 2] == pytest.approx(0.0, abs=1e-9)
    assert (links.azimuth_deg < 360.0).all()


def test_arrival_depends_on_elevation_azimuth_and_antenna_orientation() -> None:
    satellites, _ = one_pass(LINES, 60.0)
    flat = places([(0, 0, 0), (10, 5, 0)]).states(satellites.instant, satellites.instant[0])
    tilted = places([(0, 0, 0), (10, 5, 0)], Orientation(tilt_deg=40.0, azimuth_deg=70.0)).states(
        satellites.instant, satellites.instant[0]
    )
    for epoch in (0, 5, 9):
        links = link_states(satellites, flat, epoch)
        elevation, azimuth = np.radians(links.elevation_deg), np.radians(links.azimuth_deg)
        # without tilt: x to the north, y = z x x to the west
        expected = np.stack([np.cos(elevation) * np.cos(azimuth), -np.cos(elevation) * np.sin(azimuth)], axis=-1)
        assert links.arrival == pytest.approx(expected, abs=1e-12)
        assert links.arrival_boresight_cos == pytest.approx(np.sin(elevation), abs=1e-12)
        rotated = link_states(satellites, tilted, epoch)
        boresight = np.sin(elevation) * np.cos(np.radians(40.0)) + np.cos(elevation) * np.cos(
            azimuth - np.radians(70.0)
        ) * np.sin(np.radians(40.0))
        assert rotated.arrival_boresight_cos == pytest.approx(boresight, abs=1e-12)
        norm = (rotated.arrival**2).sum(axis=-1) + rotated.arrival_boresight_cos**2
        assert norm == pytest.approx(np.ones_like(norm), abs=1e-12)
