"""Predicted setting times: agreement with a fine search, and independence of the start of a run."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from tests.helpers.small_run import fresh, records, small
from twin.association import AssociationView
from twin.geometry.links import visibility
from twin.geometry.prediction import _Sample, _settings
from twin.simulation.state import RunState
from twin.world.setup import Setup

FLIGHT = {"name": "air", "kind": "great_circle", "start": [45.0, 8.0], "end": [48.0, 14.0], "speed_km_h": 900.0}
PLACES = {"name": "ground", "kind": "disc", "latitude_deg": 45.0, "longitude_deg": 10.0, "radius_km": 800.0, "count": 6}


def remaining(setup: Setup, epoch: int) -> Any:
    return setup.belief.remaining_s(setup.truth.windows.at(epoch))


def searched(setup: Setup, epoch: int) -> tuple[Any, Any]:
    """Time for which each pair stays in view, in steps of 0.1 s, and its highest elevation."""
    snapshot = setup.truth.windows.at(epoch)
    times = setup.timeline.instant(setup.timeline.begin_ns(epoch)) + np.arange(12_001) * np.timedelta64(100, "ms")
    ahead = setup.truth.windows.ephemeris.states(times, snapshot.norad_id)
    there = setup.terminals.states(times[:1].repeat(len(times)), setup.timeline.start)
    sine = visibility(ahead, there).sine_elevation
    below = sine < np.sin(np.radians(setup.scenario.association.min_elevation_deg))
    lasts = np.where(below.any(axis=0), below.argmax(axis=0), 12_000) * 0.1
    return lasts, np.degrees(np.arcsin(sine.max(axis=0)))


@pytest.mark.parametrize("minimum_deg", [5.0, 20.0, 45.0])
def test_setting_times_agree_with_a_fine_search(minimum_deg: float):
    changes = {"time.duration": "60s", "association.min_elevation_deg": minimum_deg}
    setup = Setup.of(small(changes, terminals=[PLACES]))
    snapshot = setup.truth.windows.at(3)
    found = remaining(setup, 3)
    expected, highest_deg = searched(setup, 3)
    assert snapshot.visible.sum() >= 8
    assert not found[~snapshot.visible].any()
    grazes = highest_deg < minimum_deg + 1.0
    error_s = np.abs(found - expected)[snapshot.visible & ~grazes]
    # the search resolves 0.1 s; a parabola over 20 s deviates from the sine of the elevation by about 1e-6
    assert error_s.max() < 0.12
    assert np.abs(found - expected)[snapshot.visible].max() < 0.3  # a pass close to the minimum crosses it slowly


@pytest.mark.parametrize("altitude_km", [8_062.0, 20_200.0])
def test_passes_of_hours_are_predicted_to_their_end(altitude_km: float):
    walker = {"planes": 4, "per_plane": 5, "altitude_km": altitude_km}
    setup = Setup.of(small({"constellation.walker": walker}))
    snapshot = setup.truth.windows.at(2)
    times = setup.timeline.instant(setup.timeline.begin_ns(2)) + np.arange(30_000) * np.timedelta64(1, "s")
    ahead = setup.truth.windows.ephemeris.states(times, snapshot.norad_id)
    there = setup.terminals.states(times[:1].repeat(len(times)), setup.timeline.start)
    below = visibility(ahead, there).sine_elevation < np.sin(np.radians(setup.scenario.association.min_elevation_deg))
    assert below.any(axis=0).all()
    expected = np.where(snapshot.visible, below.argmax(axis=0), 0)
    assert expected.max() > 4_000
    # the search resolves 1 s
    np.testing.assert_allclose(remaining(setup, 2), expected, rtol=0.0, atol=1.1)


def test_a_pass_of_more_than_a_day_is_predicted_to_its_end():
    """Equatorial satellites at 30,000 km drift by 91 degrees a day: passes of up to 30 hours, searched to a minute."""
    walker = {"planes": 1, "per_plane": 24, "altitude_km": 30_000.0, "inclination_deg": 0.0, "phasing": 0}
    setup = Setup.of(small({"constellation.walker": walker, "association.min_elevation_deg": 10.0}))
    snapshot = setup.truth.windows.at(0)
    times = setup.timeline.start + np.arange(36 * 60) * np.timedelta64(1, "m")
    ahead = setup.truth.windows.ephemeris.states(times, snapshot.norad_id)
    there = setup.terminals.states(times[:1].repeat(len(times)), setup.timeline.start)
    below = visibility(ahead, there).sine_elevation < np.sin(np.radians(10.0))
    assert below.any(axis=0).all()
    expected = np.where(snapshot.visible, 60.0 * below.argmax(axis=0), 0.0)
    assert expected.max() > 86_400.0
    found = remaining(setup, 0)
    assert ((found <= expected) & (found >= expected - 60.0))[snapshot.visible].all()


@pytest.mark.parametrize("altitude_km", [35_786.0, 35_200.0])
def test_a_satellite_that_is_nearly_synchronous_counts_as_30_days(altitude_km: float):
    walker = {"planes": 1, "per_plane": 12, "altitude_km": altitude_km, "inclination_deg": 0.0, "phasing": 0}
    setup = Setup.of(small({"constellation.walker": walker}))
    snapshot = setup.truth.windows.at(0)
    found = remaining(setup, 0)
    # within a day it drifts by less than 12 degrees: one that is high above the minimum elevation stays
    high = snapshot.visible & (snapshot.elevation_deg > 35.0)
    assert high.any()
    assert (found[high] == 30 * 86_400.0).all()


def test_a_nearly_synchronous_satellite_that_sets_within_a_day_is_predicted_to_its_end():
    """A geosynchronous orbit inclined by 60 degrees: its track goes from 60 degrees north to 60 degrees south."""
    walker = {"planes": 6, "per_plane": 2, "altitude_km": 35_786.0, "inclination_deg": 60.0, "phasing": 0}
    setup = Setup.of(small({"constellation.walker": walker}))
    found = remaining(setup, 0)
    assert ((found > 0.0) & (found < 86_400.0)).any()


def test_a_pass_between_two_steps_of_the_prediction_is_found():
    times_ns, centre_ns, half_ns = np.array([0, 10, 20]) * 10**9, 14.0e9, 3.0e9
    above = 1e-3 * (1.0 - ((times_ns - centre_ns) / half_ns) ** 2)
    samples = [_Sample(time_ns=int(at), above=np.array([[value]])) for at, value in zip(times_ns, above, strict=True)]
    found = _settings(samples, np.array([[True]]))
    assert found.time_ns.tolist() == [17 * 10**9]
    missed = [replace(sample, above=sample.above - 2e-3) for sample in samples]
    assert not len(_settings(missed, np.array([[True]])).time_ns)


def test_predictions_do_not_depend_on_the_start_of_a_run_or_earlier_requests():
    setup = Setup.of(small({"time.duration": "300s", "time.epoch": "5s"}, terminals=[PLACES, FLIGHT]))
    in_turn = [remaining(setup, epoch) for epoch in range(60)]
    for epoch in (59, 0, 13, 26, 12):
        assert np.array_equal(remaining(fresh(setup), epoch), in_turn[epoch])


def test_remaining_time_decreases_with_time():
    """Within a window it decreases by the elapsed time; from window to window, by nearly the elapsed time."""
    setup = Setup.of(small({"time.duration": "200s", "time.epoch": "4s"}, terminals=[PLACES]))
    for epoch in range(49):
        now, then = setup.truth.windows.at(epoch), setup.truth.windows.at(epoch + 1)
        _, here, there = np.intersect1d(now.norad_id, then.norad_id, return_indices=True)
        both = now.visible[here] & then.visible[there]
        elapsed_s = (remaining(setup, epoch)[here] - remaining(setup, epoch + 1)[there])[both]
        # windows of 16 epochs; their steps differ, and with them the error of the interpolation
        assert np.allclose(elapsed_s, 4.0, rtol=0.0, atol=0.05 if epoch % 16 == 15 else 1e-6)


def test_a_moving_terminal_is_assumed_at_rest():
    setup = Setup.of(small({"time.duration": "30s"}, terminals=[FLIGHT]))
    expected, _ = searched(setup, 0)
    visible = setup.truth.windows.at(0).visible
    assert np.abs(remaining(setup, 0) - expected)[visible].max() < 0.12


def test_a_prediction_does_not_mask_satellites():
    setup = Setup.of(small({"constellation.max_element_age": "150s"}))
    assert remaining(setup, 0).max() > 150.0
    assert setup.truth.windows.ephemeris.masked == ()


def test_ground_distances_are_great_circles():
    setup = Setup.of(small(terminals=[PLACES, FLIGHT]))
    snapshot = setup.truth.windows.at(7)
    found = snapshot.ground_distance_km()
    place, above = (
        snapshot.terminals.position_km[snapshot.index],
        snapshot.satellites.position_km[snapshot.index, snapshot.rows],
    )
    for satellite, terminal in np.ndindex(found.shape):
        one, other = above[satellite], place[terminal]
        angle = np.arctan2(np.linalg.norm(np.cross(one, other)), one @ other)
        # rounding of a chord of a few hundredths of a radian
        assert found[satellite, terminal] == pytest.approx(6371.0088 * angle, rel=1e-12)


# The view of a policy


def test_the_view_contains_all_information_for_policies():
    changes = {"association.every": "10s", "association.capacity": 3, "association.preparation": "5s"}
    setup = Setup.of(small({"time.duration": "240s", "association.min_elevation_deg": 45.0, **changes}))
    views: list[AssociationView] = []
    states: list[RunState] = []

    def policy(view: AssociationView) -> Any:
        views.append(view)
        return setup.policy(view)

    found = records(replace(setup, policy=policy), states.append)
    joined: dict[tuple[int, int], int] = {}
    events = [logged for report in found for logged in report.events]
    for view in views:
        while events and events[0].time_ns < view.instant_ns:
            logged = events.pop(0)
            joins = logged.handover.to_satellite if logged.handover.kind != "master" else None
            if joins is not None:
                joined[joins, logged.handover.terminal] = logged.time_ns
        assert (view.every_ns, view.capacity, view.power_w) == (10 * 10**9, 3, setup.power_w)
        assert np.array_equal(view.noise_w, setup.channel.noise_w)
        for satellite, terminal in np.ndindex(view.serving.shape):
            pair = int(view.norad_id[satellite]), terminal
            expected = joined[pair] if view.serving[satellite, terminal] else 0
            assert view.member_since_ns[satellite, terminal] == expected
    assert len(set(joined.values())) > 2
    last = views[-1]
    snapshot = fresh(setup).truth.snapshot(23)
    assert np.array_equal(last.remaining_s(), fresh(setup).belief.remaining_s(snapshot))
    assert np.array_equal(last.ground_distance_km(), snapshot.ground_distance_km())
    csi = last.statistics()
    assert np.array_equal(csi.norad_id, last.norad_id)
    assert last.statistics() is csi
    # the mean power used for ranking is that of the statistics, summed in another order
    assert np.allclose(csi.gain, last.mean_gain(), rtol=1e-9, atol=0.0)
