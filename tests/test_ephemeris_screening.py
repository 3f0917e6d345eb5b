"""Screening compared with brute force: no satellite in view is missing."""

import numpy as np
import pytest

from tests.helpers.element_sets import LINES, needs_data, one_set, read_sets, window, with_epoch
from twin.geometry.ephemeris import Ephemeris
from twin.geometry.ephemeris.frames import geodetic_to_itrs, itrs_to_geodetic, up_of


def in_view(ephemeris: Ephemeris, times: np.ndarray, places: np.ndarray, min_deg: float) -> np.ndarray:
    """Catalogue numbers of satellites at or above an elevation at any instant; places (K, 3) are geodetic."""
    observers, up = geodetic_to_itrs(*places.T), up_of(places[:, 0], places[:, 1])
    found = np.zeros(len(ephemeris.norad_ids), dtype=bool)
    for time in times:
        states = ephemeris.states(time[None], ephemeris.norad_ids)
        for observer, vertical in zip(observers, up, strict=True):
            across = states.position_km[0] - observer
            sine = (across @ vertical) / np.linalg.norm(across, axis=-1)
            found |= states.usable[0] & (sine >= np.sin(np.radians(min_deg)))
    return ephemeris.norad_ids[found]


@needs_data
@pytest.mark.parametrize("min_deg", [-20.0, 10.0, 25.0, 60.0])
def test_no_starlink_in_view_is_missing(min_deg: float) -> None:
    ephemeris = Ephemeris(read_sets("tle/starlink_2026-05-30_CRLF.tle"))
    places = np.array([[45.0, 9.0, 0.2], [47.5, 12.0, 3.0], [-88.0, 100.0, 0.0], [0.0, 179.9, 11.0]])
    # instants before and after a node, between nodes, and a single one
    times = window("2026-05-30T06:00:17", 7, 21.7)
    found = ephemeris.in_reach(times, geodetic_to_itrs(*places.T)[None], min_deg)
    truth = in_view(ephemeris, times, places, min_deg)
    assert truth.size
    assert np.isin(truth, found).all()
    # between the 7 sampled instants the satellites move by half of a circle of 60 degrees
    assert len(found) < 2 * len(truth) + 5


@needs_data
def test_a_window_of_one_instant_is_complete_and_tight() -> None:
    ephemeris = Ephemeris(read_sets("tle/starlink_2026-05-30_CRLF.tle"))
    places = np.array([[52.0, 0.0, 0.0]])
    for start in ("2026-05-30T06:00:00", "2026-05-30T06:00:29.999", "2026-05-30T06:00:30"):
        times = window(start, 1)
        found = ephemeris.in_reach(times, geodetic_to_itrs(*places.T)[None], 25.0)
        truth = in_view(ephemeris, times, places, 25.0)
        assert np.isin(truth, found).all()
        assert len(found) <= 1.2 * len(truth) + 3


@needs_data
def test_no_elliptical_orbit_is_missing_around_its_rise_and_set() -> None:
    names = (5, 8195, 9880, 11801, 21897, 22312, 23599, 24208, 25954, 26900, 28057, 28350)
    rng = np.random.default_rng(11)
    for one in read_sets("sgp4_verification/SGP4-VER.TLE"):
        if one.norad_id not in names:
            continue
        ephemeris = Ephemeris([one])
        crossings = 0
        times = one.epoch + np.arange(24 * 60) * np.timedelta64(60, "s")
        states = ephemeris.states(times, [one.norad_id])
        for place in np.column_stack([rng.uniform(-90, 90, 6), rng.uniform(-180, 180, 6), np.zeros(6)]):
            across = states.position_km[:, 0] - geodetic_to_itrs(*place)
            sine = (across @ up_of(place[0], place[1])) / np.linalg.norm(across, axis=-1)
            above = (sine >= np.sin(np.radians(5.0))) & states.usable[:, 0]
            for edge in np.flatnonzero(above[1:] != above[:-1]):
                near = window(str(times[edge]), 61, 1.0)
                observer = geodetic_to_itrs(*place)[None, None]
                for instant in near[::6]:
                    truth = in_view(ephemeris, instant[None], place[None], 5.0)
                    assert np.isin(truth, ephemeris.in_reach(instant[None], observer, 5.0)).all()
                    crossings += truth.size
        if one.norad_id == 8195:
            assert crossings  # a Molniya orbit rises for some observer


def test_a_satellite_at_the_zenith_is_found_just_below_ninety_degrees() -> None:
    ephemeris = Ephemeris([one_set(LINES)])
    times = window("2026-06-13T12:00:11", 1)
    latitude, longitude, _ = itrs_to_geodetic(ephemeris.states(times, [44714]).position_km[0, 0])
    observer = geodetic_to_itrs(latitude, longitude, 0.0)[None, None]
    assert ephemeris.in_reach(times, observer, 89.999).tolist() == [44714]
    assert ephemeris.in_reach(times, -observer, 0.0).tolist() == []


def test_moving_observers_are_followed() -> None:
    ephemeris = Ephemeris([one_set(LINES)])
    times = window("2026-06-13T12:00:00", 60, 10.0)
    position = ephemeris.states(times, [44714]).position_km[:, 0]
    latitude, longitude, _ = itrs_to_geodetic(position)
    below = geodetic_to_itrs(latitude, longitude, 0.0)[:, None, :]  # moves with the satellite, 7 km/s
    assert ephemeris.in_reach(times, below, 89.9).tolist() == [44714]
    assert ephemeris.in_reach(times, below[-1:], 89.9).tolist() == [44714]
    assert ephemeris.in_reach(times[:10], below[-1:], 89.9).tolist() == []


def test_a_new_set_in_the_middle_of_a_minute_is_screened_as_well_as_the_old() -> None:
    early = with_epoch(LINES, "26165.00000000")
    late = with_epoch(LINES, "26165.00013000")  # 11.2 s past midnight: the same elements, 85 km further back
    ephemeris = Ephemeris([early, late])
    times = window("2026-06-14T00:00:00", 30)
    states = ephemeris.states(times, [44714])
    latitude, longitude, _ = itrs_to_geodetic(states.position_km[:, 0])
    jump = np.abs(np.diff(states.position_km[:, 0], axis=0)).max()
    assert jump > 30.0
    for epoch in range(30):
        observer = geodetic_to_itrs(latitude[epoch], longitude[epoch], 0.0)[None, None]
        assert ephemeris.in_reach(times[epoch : epoch + 1], observer, 89.9).tolist() == [44714]


@needs_data
def test_a_satellite_that_decays_within_the_window_is_found_until_then_and_masked_after() -> None:
    # the last set of a decaying stage in SGP4-VER; SGP4 reports an error some hours after its epoch
    one = next(one for one in read_sets("sgp4_verification/SGP4-VER.TLE") if one.norad_id == 28872)
    ephemeris = Ephemeris([one])
    minutes = one.epoch.astype("datetime64[m]").astype("datetime64[ns]") + np.arange(0, 600) * np.timedelta64(10, "s")
    usable = ephemeris.states(minutes, [one.norad_id]).usable[:, 0]
    assert usable.any()
    assert not usable.all()
    fresh = Ephemeris([one])
    for instant in minutes[usable]:
        place = itrs_to_geodetic(fresh.states(instant[None], [one.norad_id]).position_km[0, 0])
        observer = geodetic_to_itrs(place[0], place[1], 0.0)[None, None]
        assert fresh.in_reach(instant[None], observer, 45.0).tolist() == [one.norad_id]
    fresh.in_reach(minutes, geodetic_to_itrs(0.0, 0.0, 0.0)[None, None], 45.0)
    assert [masked.norad_id for masked in fresh.masked] == [one.norad_id]


@needs_data
def test_masked_satellites_do_not_depend_on_the_windows() -> None:
    sets = read_sets("tle/starlink_2022-01-08_LF.tle")
    times = window("2022-01-12T23:58:00", 2000, 1.0)
    observer = geodetic_to_itrs(30.0, 10.0, 0.0)[None, None]
    found = []
    for size in (64, 500, 2000):
        ephemeris = Ephemeris(sets)
        for first in range(0, len(times), size):
            ephemeris.in_reach(times[first : first + size], observer, 25.0)
        found.append(ephemeris.masked)
    assert found[0]
    assert found[0] == found[1] == found[2]
