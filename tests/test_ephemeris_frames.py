"""Frames and time scales compared with Skyfield."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from skyfield.api import wgs84
from skyfield.framelib import itrs
from skyfield.sgp4lib import TEME

from twin.geometry.ephemeris.frames import (
    geodetic_to_itrs,
    itrs_to_geodetic,
    local_axes,
    position_along,
    teme_to_itrs,
    up_of,
)
from twin.geometry.ephemeris.time_scales import julian_date, sidereal_angle_rad, skyfield_time, timescale

INSTANTS = np.array(
    ["1999-12-31T23:59:59.999999999", "2016-12-31T23:59:59.5", "2022-01-09T00:00", "2026-05-30T12:34:56.789"],
    dtype="datetime64[ns]",
)


def test_instants_mean_the_same_utc_as_in_skyfield() -> None:
    time = skyfield_time(INSTANTS)
    expected = timescale().utc(
        [1999, 2016, 2022, 2026], [12, 12, 1, 5], [31, 31, 9, 30], [23, 23, 0, 12], [59, 59, 0, 34],
        [59.999999999, 59.5, 0.0, 56.789],
    )  # fmt: skip
    # 1e-9 s is a hundred times the resolution of a day's fraction in double precision
    assert np.abs(time - expected).max() * 86_400 < 1e-9
    jd, fraction = julian_date(INSTANTS)
    skyfield_utc = time.whole - jd + (time.tai_fraction - time._leap_seconds() / 86_400.0 - fraction)
    assert np.abs(skyfield_utc).max() * 86_400 < 1e-9


def test_teme_to_itrs_is_the_rotation_that_skyfield_makes_with_nutation_and_precession() -> None:
    time = skyfield_time(INSTANTS)
    teme_gcrs, itrs_gcrs = TEME.rotation_at(time), itrs.rotation_at(time)
    expected = np.einsum("ijt,kjt->tik", itrs_gcrs, teme_gcrs)
    axes = np.broadcast_to(np.eye(3), (len(INSTANTS), 3, 3))
    turned, _ = teme_to_itrs(axes, np.zeros_like(axes), sidereal_angle_rad(INSTANTS)[:, None])
    # rounding of an angle of up to 2 pi that is reduced from some 1e4 turns: below 1e-11 rad, 0.1 mm in orbit
    assert np.abs(turned.transpose(0, 2, 1) - expected).max() < 1e-11


def test_velocity_is_the_derivative_of_the_rotated_position() -> None:
    step_s = 0.5
    times = INSTANTS[3] + np.array([-1, 0, 1]) * np.timedelta64(500, "ms")
    velocity = np.array([1.0, -7.0, 2.0])
    position = np.array([6800.0, 500.0, -900.0]) + np.array([[-1.0], [0.0], [1.0]]) * step_s * velocity
    place, rate = teme_to_itrs(position, np.tile(velocity, (3, 1)), sidereal_angle_rad(times))
    slope = (place[2] - place[0]) / (2 * step_s)
    # angle resolution 1e-11 rad on 7,000 km over 1 s, and the rate of GMST differs from the Earth's rotation
    # by precession, 7e-12 rad/s: together below 2e-7 km/s
    assert np.abs(slope - rate[1]).max() < 2e-7


@given(st.floats(-90, 90), st.floats(-180, 180), st.floats(-0.5, 40_000))
def test_geodetic_coordinates_survive_a_round_trip(lat: float, lon: float, alt: float) -> None:
    position = geodetic_to_itrs(lat, lon, alt)
    latitude, longitude, altitude = itrs_to_geodetic(position)
    # 1e-10 deg is 10 µm; the longitude is undefined as cos(latitude) approaches zero
    assert abs(float(latitude) - lat) < 1e-10
    assert abs((float(longitude) - lon + 180) % 360 - 180) * np.cos(np.radians(lat)) < 1e-10
    assert abs(float(altitude) - alt) < 1e-8


@given(st.floats(-90, 90), st.floats(-180, 180), st.floats(-0.5, 2_000))
def test_geodetic_positions_agree_with_skyfield(lat: float, lon: float, alt: float) -> None:
    expected = wgs84.latlon(lat, lon, elevation_m=alt * 1e3).itrs_xyz.km
    assert np.abs(geodetic_to_itrs(lat, lon, alt) - expected).max() < 1e-8  # double precision at 8,000 km


@given(st.floats(-90, 90), st.floats(-180, 360))
def test_local_axes_are_right_handed_and_up_is_the_gradient_of_altitude(lat: float, lon: float) -> None:
    up, east, north = local_axes(lat, lon)
    assert np.allclose(np.array([east, north, up]) @ np.array([east, north, up]).T, np.eye(3), atol=1e-14)
    assert np.allclose(np.cross(east, north), up, atol=1e-14)
    assert np.allclose(geodetic_to_itrs(lat, lon, 1.0) - geodetic_to_itrs(lat, lon, 0.0), up, atol=1e-11)
    assert np.allclose(position_along(up, 3.0), geodetic_to_itrs(lat, lon, 3.0), atol=1e-11)


def test_the_vertical_points_north_at_the_pole_and_frames_are_defined_there() -> None:
    up, east, north = local_axes(90.0, 30.0)
    assert up == pytest.approx([0, 0, 1], abs=1e-15)
    assert np.isfinite([east, north]).all()
    assert up_of(np.array([0.0, 90.0]), 0.0).shape == (2, 3)
