"""States from SGP4: agreement with Skyfield, history of element sets, and no NaN."""

import logging

import numpy as np
import pytest
from skyfield.api import EarthSatellite
from skyfield.framelib import itrs

from tests.helpers.element_sets import LINES, OTHER, OneSet, needs_data, one_set, read_sets, window, with_epoch
from twin.errors import InputError
from twin.geometry.ephemeris import UNUSABLE_POSITION_KM, Ephemeris
from twin.geometry.ephemeris.time_scales import skyfield_time, timescale


@needs_data
def test_states_agree_with_skyfield() -> None:
    sets = [
        *read_sets("tle/starlink_2026-05-30_CRLF.tle")[700::1500],
        *read_sets("tle/iridium-next_2026-06-13_CRLF.tle")[20:22],
        *read_sets("geometry/skyfield_reference_tles.tle"),
    ]
    times = window("2026-06-13T12:00", 5, 1234.567)
    states = Ephemeris(sets).states(times, [one.norad_id for one in sets])
    time = skyfield_time(times)
    for column, one in enumerate(sets):
        at = EarthSatellite(*one.lines, ts=timescale()).at(time)
        position, velocity = at.frame_xyz_and_velocity(itrs)
        # Skyfield converts through GCRS and astronomical units: 1 mm is rounding; it has eight digits of the
        # Earth's rotation, an error of 1.5e-12 rad/s times up to 26,600 km (GPS)
        assert np.abs(states.position_km[:, column] - position.km.T).max() < 1e-6
        assert np.abs(states.velocity_km_s[:, column] - velocity.km_per_s.T).max() < 1e-7
    assert states.usable.all()


def test_a_row_does_not_depend_on_other_satellites_or_windows() -> None:
    rng = np.random.default_rng(3)
    sets = [one_set(LINES), one_set(OTHER)]
    for number in range(40):
        anomaly = f"{rng.uniform(0, 360):8.4f}"
        one = one_set((LINES[0], LINES[1][:43] + anomaly + LINES[1][51:]))
        sets.append(OneSet(90_000 + number, "", one.epoch, one.satrec, one.lines))
    ephemeris = Ephemeris(sets)
    times = window("2026-06-13T12:00", 13)
    whole = ephemeris.states(times, ephemeris.norad_ids)
    for column in (0, 7, 41):
        alone = Ephemeris(sets).states(times[5:8], ephemeris.norad_ids[[column]])
        assert np.array_equal(alone.position_km[:, 0], whole.position_km[5:8, column])
        assert np.array_equal(alone.velocity_km_s[:, 0], whole.velocity_km_s[5:8, column])


def test_the_newest_set_before_each_instant_is_used_within_one_window() -> None:
    early, late = with_epoch(LINES, "26164.50000000"), with_epoch(LINES, "26165.00000000")
    ephemeris = Ephemeris([late, one_set(OTHER), early])
    times = window("2026-06-13T23:59:58", 5)
    states = ephemeris.states(times, [44714])
    by_early = Ephemeris([early]).states(times, [44714]).position_km[:, 0]
    by_late = Ephemeris([late]).states(times, [44714]).position_km[:, 0]
    assert np.abs(by_early - by_late).max() > 100.0  # otherwise the test could not distinguish them
    # the epoch itself belongs to the new set: midnight is the third instant
    assert np.array_equal(states.position_km[:, 0], np.concatenate([by_early[:2], by_late[2:]]))
    before = window("2026-06-10T00:00", 1)
    assert np.array_equal(
        ephemeris.states(before, [44714]).position_km, Ephemeris([early]).states(before, [44714]).position_km
    )


def test_an_age_limit_masks_with_a_reason(caplog: pytest.LogCaptureFixture) -> None:
    ephemeris = Ephemeris([one_set(LINES, "STARLINK-1008"), one_set(OTHER)], max_element_age_ns=3 * 86_400 * 10**9)
    with caplog.at_level(logging.WARNING):
        states = ephemeris.states(window("2026-06-16T12:05", 600, 10.0), [44057, 44714])
        ephemeris.states(window("2026-06-17T12:05", 6), [44714])
    age_d = (states.instant - one_set(LINES).epoch) / np.timedelta64(1, "D")
    assert np.array_equal(states.usable[:, 1], age_d <= 3.0)
    assert states.usable[:, 1].any()
    assert not states.usable[:, 1].all()
    assert states.usable[0, 0]
    assert np.array_equal(states.position_km[~states.usable[:, 1], 1][0], UNUSABLE_POSITION_KM)
    first = next(one for one in ephemeris.masked if one.norad_id == 44714)
    assert first.instant == states.instant[~states.usable[:, 1]][0]
    assert "3.0 d old, more than the 3 d allowed" in first.reason
    assert len([record for record in caplog.records if "44714 (STARLINK-1008)" in record.message]) == 1


def test_an_empty_constellation_and_an_unknown_satellite_are_input_errors() -> None:
    with pytest.raises(InputError, match="the constellation is empty"):
        Ephemeris([])
    with pytest.raises(InputError, match="satellite 5 has no element set"):
        Ephemeris([one_set(LINES)]).states(window("2026-06-13", 1), [5])


def test_an_empty_request_gives_an_empty_result() -> None:
    ephemeris = Ephemeris([one_set(LINES)])
    assert ephemeris.states(window("2026-06-13", 4), []).position_km.shape == (4, 0, 3)
    assert ephemeris.in_reach(window("2026-06-13", 4), np.zeros((1, 0, 3)), 10.0).size == 0


@needs_data
def test_decayed_satellites_are_masked_without_nan_at_any_age() -> None:
    sets = read_sets("tle/starlink_2022-01-08_LF.tle")
    ephemeris = Ephemeris(sets)
    day = ephemeris.states(window("2022-01-09T00:00", 3, 43_200.0), ephemeris.norad_ids)
    assert np.isfinite(day.position_km).all()
    assert np.isfinite(day.velocity_km_s).all()
    assert day.usable.mean() > 0.99
    errors = np.array([one.satrec.sgp4(2_459_589.5, 0.0)[0] for one in sets])
    # SGP4 reports an error for at least one of them within two days of the file: it must be masked
    failed = {one.norad_id for one, error in zip(sets, errors, strict=True) if error}
    assert failed <= {one.norad_id for one in ephemeris.masked}
    for start in ("2022-03-01", "2023-01-01", "2027-01-01", "2060-01-01", "2010-01-01"):
        states = ephemeris.states(window(start, 2, 3600.0), ephemeris.norad_ids)
        assert np.isfinite(states.position_km).all()
        assert np.isfinite(states.velocity_km_s).all()
        radius = np.linalg.norm(states.position_km, axis=-1)[states.usable]
        assert radius.size
        # every Starlink satellite of the file orbits below 600 km; the margin for orbit raising is 200 km and 2 %
        assert radius.min() >= 6458.0
        assert radius.max() < 1.02 * 6978 + 200


@needs_data
def test_a_decayed_set_stays_masked_although_its_sgp4_orbit_grows_again() -> None:
    sets = read_sets("tle/starlink_2022-01-08_LF.tle")
    times = window("2022-01-09T00:00", 400, 86_400.0)
    ephemeris = Ephemeris(sets)
    regrown = 0
    for one in sets:
        error, position, _ = one.satrec.sgp4_array(2_459_588.5 + np.arange(400.0), np.zeros(400))
        radius = np.linalg.norm(position, axis=1)
        bad = np.flatnonzero((error > 0) | ~(radius > 6458.137))
        if not bad.size or error[-1]:
            continue
        usable = ephemeris.states(times, [one.norad_id]).usable[:, 0]
        apogee = (1 + one.satrec.alta) * 6378.135 * 1.02 + 200
        plausible = (error == 0) & (radius > 6458.137) & (radius < apogee)
        # sets are tested at ages in steps of 10 %
        over = int(bad[0] * 1.11) + 2
        regrown += int(plausible[over:].any())
        assert not usable[over:].any()
    assert regrown  # otherwise the file has no such case and the test could not fail


@needs_data
def test_verification_orbits_are_used_while_they_are_valid() -> None:
    sets = [one for one in read_sets("sgp4_verification/SGP4-VER.TLE") if one.norad_id in (5, 8195, 26900, 28057)]
    for one in sets:
        times = one.epoch + np.arange(0, 48) * np.timedelta64(30, "m")
        states = Ephemeris([one]).states(times, [one.norad_id])
        assert states.usable.all(), one.norad_id
