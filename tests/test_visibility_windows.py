"""Satellites in view at each epoch: independence of the windows, and agreement with Skyfield."""

import numpy as np
import pytest
from skyfield.api import EarthSatellite, load, wgs84

from tests.helpers.small_run import fresh, small
from twin.catalogue import Walker, walker_text
from twin.geometry import windows as room
from twin.geometry.links import link_states
from twin.geometry.snapshot import Snapshot
from twin.world.setup import Setup


def same(one: Snapshot, other: Snapshot) -> bool:
    fields = ("norad_id", "elevation_deg", "range_km", "visible")
    return all(np.array_equal(getattr(one, name), getattr(other, name)) for name in fields)


@pytest.fixture(scope="module")
def setup() -> Setup:
    return Setup.of(small({"time.duration": "200s"}))


def test_an_epoch_does_not_depend_on_the_order_of_requests(setup: Setup):
    in_turn = [setup.truth.windows.at(epoch) for epoch in range(20)]
    for epoch in (19, 7, 0, 6, 12):
        assert same(fresh(setup).truth.windows.at(epoch), in_turn[epoch])


def test_chunks_change_nothing(setup: Setup, monkeypatch: pytest.MonkeyPatch):
    whole = [setup.truth.windows.at(epoch) for epoch in range(20)]
    monkeypatch.setattr(room, "CHUNK_PAIRS", 1)
    one_by_one = fresh(setup)
    assert all(same(one_by_one.truth.windows.at(epoch), whole[epoch]) for epoch in range(20))
    monkeypatch.setattr(room, "CHUNK_PAIRS", 4 * len(whole[0].satellites.norad_id) * 4)
    some = fresh(setup)
    assert all(same(some.truth.windows.at(epoch), whole[epoch]) for epoch in range(20))


@pytest.mark.parametrize("window_ns", [10_000_000_000, 30_000_000_000, 10**15])
def test_the_length_of_a_window_changes_nothing(setup: Setup, monkeypatch: pytest.MonkeyPatch, window_ns: int):
    usual = [setup.truth.windows.at(epoch) for epoch in range(20)]
    monkeypatch.setattr(room, "WINDOW_NS", window_ns)
    other = fresh(setup)
    for epoch in range(20):
        snapshot = other.truth.windows.at(epoch)
        assert same(snapshot, usual[epoch])
        links, expected = snapshot.links(snapshot.norad_id), usual[epoch].links(snapshot.norad_id)
        assert np.array_equal(links.range_rate_km_s, expected.range_rate_km_s)
        assert np.array_equal(links.departure, expected.departure)


def test_exactly_the_satellites_in_view_are_found(setup: Setup):
    all_ids = setup.truth.windows.ephemeris.norad_ids
    for epoch in (0, 5, 19):
        snapshot = setup.truth.windows.at(epoch)
        links = setup.truth.windows.links_at(setup.timeline.begin_ns(epoch), all_ids)
        in_view = links.elevation_deg >= 20.0
        assert np.array_equal(snapshot.norad_id, all_ids[in_view.any(axis=1)])
        assert np.array_equal(snapshot.visible, in_view[in_view.any(axis=1)])


def test_links_at_any_time_are_those_of_the_epoch(setup: Setup):
    snapshot = setup.truth.windows.at(3)
    now, before = (
        setup.truth.windows.links_at(time_ns, snapshot.norad_id) for time_ns in (30_000_000_000, -5_500_000_000)
    )
    kept = snapshot.links(snapshot.norad_id)
    for name in ("elevation_deg", "azimuth_deg", "range_km", "range_rate_km_s", "departure", "arrival"):
        assert np.array_equal(getattr(now, name), getattr(kept, name)), name
    assert before.instant == np.datetime64("2025-12-31T23:59:54.5", "ns")


def test_elevation_and_links_agree(setup: Setup):
    snapshot = setup.truth.windows.at(4)
    links = snapshot.links(snapshot.norad_id)
    # arcsine and arctangent of one angle in double precision; near 90° the arcsine is less accurate
    assert np.allclose(snapshot.elevation_deg, links.elevation_deg, rtol=0.0, atol=1e-6)
    assert np.array_equal(snapshot.range_km, links.range_km)


def test_links_of_some_satellites_equal_those_of_all(setup: Setup):
    snapshot = setup.truth.windows.at(2)
    everyone = snapshot.links(snapshot.norad_id)
    some = snapshot.links(snapshot.norad_id[1::2])
    assert np.array_equal(some.range_km, everyone.range_km[1::2])
    assert np.array_equal(some.departure, everyone.departure[1::2])
    assert np.array_equal(snapshot.links(snapshot.norad_id).departure, everyone.departure)
    assert snapshot.links(snapshot.norad_id[:0]).range_km.shape == (0, 4)


def test_links_agree_with_skyfield(setup: Setup):
    walker = setup.scenario.constellation.walker
    text = walker_text(
        Walker(
            pattern=walker.kind,
            planes=walker.planes,
            per_plane=walker.per_plane,
            altitude_km=walker.altitude_km,
            inclination_deg=walker.inclination_deg,
            phasing=walker.phasing,
            epoch=np.datetime64("2026-01-01", "ns"),
        )
    ).splitlines()
    scale = load.timescale(builtin=True)
    by_number = {90_000 + index: text[3 * index : 3 * index + 3] for index in range(len(text) // 3)}
    snapshot = setup.truth.windows.at(11)
    links = snapshot.links(snapshot.norad_id)
    states = snapshot.terminals
    for terminal in (0, 3):
        place = wgs84.latlon(
            states.latitude_deg[snapshot.index, terminal],
            states.longitude_deg[snapshot.index, terminal],
            1e3 * states.altitude_km[snapshot.index, terminal],
        )
        for row, number in enumerate(snapshot.norad_id):
            name, one, two = by_number[int(number)]
            topocentric = (EarthSatellite(one, two, name, scale) - place).at(scale.utc(2026, 1, 1, 0, 1, 50))
            altitude, azimuth, distance, _, _, rate = topocentric.frame_latlon_and_rates(place)
            # Skyfield includes UT1 - UTC (below 0.1 s: 46 m at the equator; the satellite moves with UTC); both neglect
            # polar motion; 50 m at 600 km are 5e-3 degrees
            assert links.elevation_deg[row, terminal] == pytest.approx(altitude.degrees, abs=5e-3)
            difference_deg = (links.azimuth_deg[row, terminal] - azimuth.degrees + 180.0) % 360.0 - 180.0
            assert abs(difference_deg) * np.cos(altitude.radians) < 5e-3
            assert links.range_km[row, terminal] == pytest.approx(distance.km, abs=0.05)
            assert links.range_rate_km_s[row, terminal] == pytest.approx(rate.km_per_s, abs=1e-3)


@pytest.mark.parametrize(("minimum_deg", "most"), [(0.0, 400), (90.0, 0)])
def test_the_limits_of_the_minimum_elevation(setup: Setup, minimum_deg: float, most: int):
    sky = room.VisibilityWindows(
        ephemeris=setup.truth.windows.ephemeris,
        terminals=setup.terminals,
        timeline=setup.timeline,
        min_elevation_deg=minimum_deg,
    )
    snapshot = sky.at(0)
    assert len(snapshot.norad_id) <= most
    assert (snapshot.elevation_deg[snapshot.visible] >= minimum_deg).all()


def test_epochs_longer_than_a_window_and_shorter_than_a_second():
    long = Setup.of(small({"time.epoch": "1h", "time.duration": "3h"}))
    assert long.truth.windows.at(2).satellites.instant.tolist() == [np.datetime64("2026-01-01T02:00", "ns").astype(int)]
    short = Setup.of(small({"time.epoch": "1ms", "time.duration": "1s"}))
    snapshot = short.truth.windows.at(999)
    assert snapshot.satellites.instant[snapshot.index] == np.datetime64("2026-01-01T00:00:00.999", "ns")


def test_links_of_moving_terminals_use_their_current_positions():
    flight = {"name": "air", "kind": "great_circle", "start": [45.0, 8.0], "end": [48.0, 14.0], "speed_km_h": 9000.0}
    setup = Setup.of(small(terminals=[flight]))
    snapshot = setup.truth.windows.at(11)
    instants = setup.timeline.instants(11, 12)
    place = setup.terminals.states(instants, setup.timeline.start)
    alone = link_states(setup.truth.windows.ephemeris.states(instants, snapshot.norad_id), place, 0)
    assert np.array_equal(alone.range_km, snapshot.links(snapshot.norad_id).range_km)
    assert snapshot.terminals.latitude_deg[snapshot.index, 0] > setup.truth.windows.at(0).terminals.latitude_deg[0, 0]
