"""Positions, names and antenna orientations of terminals."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.helpers.small_run import small
from twin.errors import InputError
from twin.geometry.terminals import Terminals, TerminalStates
from twin.geometry.terminals.groups import (
    Disc,
    GreatCircle,
    Grid,
    Layout,
    Orientation,
    Place,
    PlaceFile,
    PlaceList,
    Route,
    TerminalGroup,
    TimedPlace,
)
from twin.geometry.terminals.tracks import MEAN_EARTH_RADIUS_KM
from twin.world.plain import terminal_groups

START = np.datetime64("2026-06-13T12:00:00", "ns")


def group(layout: Layout, name: str = "ut") -> TerminalGroup:
    return TerminalGroup(name=name, layout=layout)


def at(layout: Layout, *seconds: float, seed: int = 1) -> TerminalStates:
    steps = np.round(np.array(seconds or (0.0,)) * 1e9).astype("timedelta64[ns]")
    return Terminals.place([group(layout)], seed=seed).states(START + steps, START)


def sphere(states: TerminalStates) -> np.ndarray:
    """Unit vectors of geodetic latitude and longitude, (T, K, 3)."""
    lat, lon = np.radians(states.latitude_deg), np.radians(states.longitude_deg)
    return np.stack([np.cos(lat) * np.cos(lon), np.cos(lat) * np.sin(lon), np.sin(lat)], axis=-1)


def disc(count: int, radius_km: float = 400.0, latitude_deg: float = 45.0) -> Disc:
    return Disc(latitude_deg=latitude_deg, longitude_deg=9.0, radius_km=radius_km, count=count)


def test_names_are_given_numbered_or_those_of_the_group() -> None:
    places = (
        Place(latitude_deg=1, longitude_deg=2, name="Rome"),
        Place(latitude_deg=3, longitude_deg=4),
    )
    groups = [
        TerminalGroup(name="site", layout=PlaceList(places=places)),
        TerminalGroup(name="ship", layout=PlaceList(places=places[1:]), weight=2.0),
        group(disc(101)),
    ]
    terminals = Terminals.place(groups, seed=1)
    assert terminals.names[:6] == ("Rome", "site-01", "ship", "ut-000", "ut-001", "ut-002")
    assert terminals.names[-1] == "ut-100"
    assert Terminals.place([group(disc(3))], seed=1).names == ("ut-00", "ut-01", "ut-02")
    assert terminals.count == 104
    assert terminals.weight[:4].tolist() == [1.0, 1.0, 2.0, 1.0]
    assert terminals.group[:4].tolist() == [0, 0, 1, 2]
    with pytest.raises(InputError, match='"Rome" occurs twice, in groups "site" and "Rome"'):
        Terminals.place([groups[0], group(PlaceList(places=places[1:]), "Rome")], seed=1)


def test_a_listed_altitude_overrides_that_of_the_group_and_longitudes_are_wrapped() -> None:
    positions = [
        {"latitude_deg": 1, "longitude_deg": 350, "altitude_km": 0.5},
        {"latitude_deg": 1, "longitude_deg": -180},
    ]
    section = {"kind": "list", "name": "ut", "altitude_km": 10.0, "positions": positions}
    groups = terminal_groups(small(terminals=[section]).terminals)
    states = Terminals.place(groups, seed=1).states(np.array([START]), START)
    assert states.altitude_km.tolist() == [[0.5, 10.0]]
    assert states.longitude_deg.tolist() == [[-10.0, -180.0]]


@given(st.floats(-90, 90), st.floats(0.001, 20_000), st.integers(0, 1000))
@settings(max_examples=30)
def test_a_disc_contains_its_terminals_and_a_larger_count_moves_none(
    latitude_deg: float, radius_km: float, seed: int
) -> None:
    few, many = (
        at(disc(5, radius_km, latitude_deg), seed=seed),
        at(disc(50, radius_km, latitude_deg), seed=seed),
    )
    assert np.array_equal(few.position_km, many.position_km[:, :5])
    lat, lon = np.radians(latitude_deg), np.radians(9.0)
    centre = np.array([np.cos(lat) * np.cos(lon), np.cos(lat) * np.sin(lon), np.sin(lat)])
    points = sphere(many)[0]
    chord = np.linalg.norm(points - centre, axis=-1)
    distance = 2 * np.arctan2(chord, np.linalg.norm(points + centre, axis=-1)) * MEAN_EARTH_RADIUS_KM
    assert distance.max() <= radius_km + 1e-6  # rounding of degrees: 1e-14 of the Earth's circumference


def test_a_disc_is_uniform_over_its_area() -> None:
    count, radius_km = 20_000, 5_000.0
    points = sphere(at(disc(count, radius_km)))[0]
    lat, lon = np.radians(45.0), np.radians(9.0)
    centre = np.array([np.cos(lat) * np.cos(lon), np.cos(lat) * np.sin(lon), np.sin(lat)])
    # on a sphere the height of a cap is proportional to its area
    height = (1 - points @ centre) / (1 - np.cos(radius_km / MEAN_EARTH_RADIUS_KM))
    rank = np.abs(np.sort(height) - (np.arange(count) + 0.5) / count).max()
    assert rank < 1.95 / np.sqrt(count)  # Kolmogorov-Smirnov at 0.1 %
    east = np.array([-np.sin(lon), np.cos(lon), 0.0])
    bearing = np.arctan2(points @ east, points @ np.cross(centre, east))
    # the mean of a uniform direction has components of variance 1/(2n): 4 sigma
    assert np.abs(np.exp(1j * bearing).mean()) < 4 * np.sqrt(1 / count)


def grid(lat: tuple[float, float], lon: tuple[float, float], step: float) -> list[tuple[float, float]]:
    states = at(Grid(latitude_deg=lat, longitude_deg=lon, step_deg=step))
    return list(zip(states.latitude_deg[0].tolist(), states.longitude_deg[0].tolist(), strict=True))


def test_a_grid_has_both_ends_and_each_meridian_and_pole_once() -> None:
    assert grid((0, 10), (0, 10), 10) == [(0, 0), (0, 10), (10, 0), (10, 10)]
    assert grid((0, 9.9), (5, 5), 5) == [(0, 5), (5, 5)]
    assert grid((0, 0), (-180, 180), 90) == [(0, -180), (0, -90), (0, 0), (0, 90)]
    assert grid((0, 0), (0, 360), 90) == [(0, 0), (0, 90), (0, 180), (0, -90)]
    assert len(grid((-90, 90), (-180, 180), 45)) == 2 + 3 * 8
    assert len(grid((0, 0.3), (0, 0), 0.1)) == 4  # 3 * 0.1 is slightly more than 0.3


def test_fixed_terminals_need_no_memory_per_instant_and_do_not_move() -> None:
    states = at(disc(3), *range(100))
    assert states.position_km.shape == (100, 3, 3)
    assert states.antenna.shape == (100, 3, 3, 3)
    assert states.position_km.strides[0] == states.antenna.strides[0] == 0
    assert not states.velocity_km_s.any()
    with pytest.raises(ValueError, match="read-only"):
        states.position_km[0, 0, 0] = 1.0


@given(st.floats(-90, 90), st.floats(-180, 180), st.floats(0, 180), st.floats(-360, 360))
def test_antenna_axes_are_right_handed_and_follow_the_angles(
    lat: float, lon: float, tilt: float, azimuth: float
) -> None:
    tilted = TerminalGroup(
        name="ut",
        layout=PlaceList(places=(Place(latitude_deg=lat, longitude_deg=lon),)),
        orientation=Orientation(tilt_deg=tilt, azimuth_deg=azimuth),
    )
    states = Terminals.place([tilted], seed=1).states(np.array([START]), START)
    axes, up = states.antenna[0, 0], states.up[0, 0]
    assert np.allclose(axes @ axes.T, np.eye(3), atol=1e-13)
    assert np.linalg.det(axes) == pytest.approx(1.0, abs=1e-12)
    z = axes[2]
    assert z @ up == pytest.approx(np.cos(np.radians(tilt)), abs=1e-12)
    assert z @ states.east[0, 0] == pytest.approx(np.sin(np.radians(tilt)) * np.sin(np.radians(azimuth)), abs=1e-12)
    assert z @ states.north[0, 0] == pytest.approx(np.sin(np.radians(tilt)) * np.cos(np.radians(azimuth)), abs=1e-12)


def test_an_untilted_antenna_points_up_with_x_to_the_north() -> None:
    states = at(disc(4))
    assert np.array_equal(states.antenna[..., 2, :], states.up)
    assert np.array_equal(states.antenna[..., 0, :], states.north)


def csv_file(folder: Path, text: str) -> PlaceFile:
    path = folder / "sites.csv"
    path.write_text(text, encoding="utf-8")
    return PlaceFile(path=path, altitude_km=1.0)


def test_a_csv_file_is_read_with_its_names_blank_lines_and_byte_order_mark(tmp_path: Path) -> None:
    file = csv_file(tmp_path, "\ufefflongitude_deg, latitude_deg,name,altitude_km\n10,20,a,\n\n350,-5,,0.2\n")
    terminals = Terminals.place([group(file)], seed=1)
    assert terminals.names == ("a", "ut-01")
    states = terminals.states(np.array([START]), START)
    assert states.latitude_deg.tolist() == [[20.0, -5.0]]
    assert states.longitude_deg.tolist() == [[10.0, -10.0]]
    assert states.altitude_km.tolist() == [[1.0, 0.2]]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "sites.csv: is empty"),
        ("latitude_deg,longitude_deg\n", "has a header but no terminals"),
        ("lat,longitude_deg\n1,2\n", 'sites.csv:1: the column "latitude_deg" is missing'),
        ("lattitude_deg,longitude_deg\n1,2\n", 'did you mean "lattitude_deg"'),
        (
            "latitude_deg,longitude_deg,altitude_m\n1,2,3\n",
            'unknown column "altitude_m".*did you mean "altitude_km"',
        ),
        ("latitude_deg,longitude_deg,name,name\n1,2,a,b\n", "a column occurs twice"),
        ("latitude_deg,longitude_deg\n1,2\n\nx,2\n", 'sites.csv:4: latitude_deg = "x" is not a number'),
        ("latitude_deg,longitude_deg\n1,2\n91,2\n", "sites.csv:3: latitude_deg = 91 must lie from -90 to 90"),
        ("latitude_deg,longitude_deg\nnan,2\n", "sites.csv:2: latitude_deg = nan must lie"),
        ("latitude_deg,longitude_deg\n1,361\n", "longitude_deg = 361 must lie from -180 to 360"),
        ("latitude_deg,longitude_deg,altitude_km\n1,2,101\n", "altitude_km = 101 must lie"),
        ("latitude_deg,longitude_deg\n1\n", "sites.csv:2: 1 values for 2 columns"),
        ("latitude_deg,longitude_deg,name\n1,2,a\n3,4,a\n", 'sites.csv:3: the name "a" is already used on line 2'),
        ('latitude_deg,longitude_deg\n1,"2\n', "is not a CSV file"),
    ],
)
def test_an_invalid_csv_file_is_rejected_with_file_and_line(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(InputError, match=message):
        Terminals.place([group(csv_file(tmp_path, text))], seed=1)


def test_a_missing_csv_file_and_a_binary_one_are_rejected(tmp_path: Path) -> None:
    csv_file(tmp_path, "")
    with pytest.raises(InputError, match=r'site\.csv: no such file of terminals; did you mean "sites\.csv"'):
        Terminals.place([group(PlaceFile(path=tmp_path / "site.csv"))], seed=1)
    with pytest.raises(InputError, match="cannot be read"):
        Terminals.place([group(PlaceFile(path=tmp_path))], seed=1)
    (tmp_path / "sites.csv").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(InputError, match="is not a CSV file in UTF-8"):
        Terminals.place([group(PlaceFile(path=tmp_path / "sites.csv"))], seed=1)


def flight(start: tuple[float, float], end: tuple[float, float], delay_ns: int = 0) -> GreatCircle:
    return GreatCircle(start_deg=start, end_deg=end, speed_km_h=900.0, altitude_km=11.0, delay_ns=delay_ns)


def test_a_flight_starts_after_its_delay_keeps_speed_and_altitude_and_stops_at_the_end() -> None:
    quarter_s = np.pi / 2 * MEAN_EARTH_RADIUS_KM / 900.0 * 3600.0
    states = at(
        flight((0, 0), (0, 90), 600_000_000_000), 0, 600, 600 + quarter_s / 3, 600 + quarter_s, 600 + 2 * quarter_s
    )
    assert states.longitude_deg[:, 0] == pytest.approx([0, 0, 30, 90, 90], abs=1e-9)
    assert states.altitude_km.tolist() == [[11.0]] * 5
    speed = np.linalg.norm(states.velocity_km_s[:, 0], axis=-1)
    # on the equator at 11 km, the radius of the ellipsoid replaces the mean radius
    expected = 0.25 * (6378.137 + 11.0) / MEAN_EARTH_RADIUS_KM
    assert speed == pytest.approx([0, expected, expected, 0, 0], rel=1e-12)
    assert states.antenna[:, 0, 0] == pytest.approx(states.east[:, 0], abs=1e-12)  # x along the heading


def test_a_flight_over_the_pole_needs_no_special_case() -> None:
    states = at(flight((80, 0), (80, 180)), *np.linspace(0, 8800, 200))
    assert states.latitude_deg.max() > 89.9
    assert np.isfinite(states.velocity_km_s).all()
    steps = np.linalg.norm(np.diff(states.position_km[:, 0], axis=0), axis=-1)
    # the radius of curvature of the meridian varies by 6e-4 between 80 degrees and the pole
    assert steps.max() / steps.min() < 1.001


def test_a_flight_of_zero_length_rests_and_one_to_the_antipode_is_rejected() -> None:
    states = at(flight((10, 20), (10, 20)), 0, 5)
    assert not states.velocity_km_s.any()
    assert states.latitude_deg == pytest.approx(np.full((2, 1), 10.0), abs=1e-12)
    for end in ((-10, -160), (-10, 200)):
        with pytest.raises(InputError, match="are antipodes"):
            Terminals.place([group(flight((10, 20), end))], seed=1)


def route(*points: tuple[float, float, float], altitude_km: float = 0.0) -> Route:
    return Route(
        places=tuple(TimedPlace(latitude_deg=a, longitude_deg=b, time_ns=int(t * 1e9)) for a, b, t in points),
        altitude_km=altitude_km,
    )


def test_waypoints_are_passed_on_time_and_the_ends_are_kept() -> None:
    states = at(route((0, 0, 100), (0, 1, 200), (0, 1, 300), (1, 1, 500)), 0, 100, 150, 200, 250, 400, 500, 900)
    assert states.longitude_deg[:, 0] == pytest.approx([0, 0, 0.5, 1, 1, 1, 1, 1], abs=1e-12)
    assert states.latitude_deg[:, 0] == pytest.approx([0, 0, 0, 0, 0, 0.5, 1, 1], abs=1e-12)
    moving = np.linalg.norm(states.velocity_km_s[:, 0], axis=-1) > 0
    assert moving.tolist() == [False, True, True, False, False, True, False, False]
    # heading: east until the departure to the north at 300 s, also during the wait
    eastward = np.einsum("ti,ti->t", states.antenna[:, 0, 0], states.east[:, 0])
    assert eastward == pytest.approx([1, 1, 1, 1, 1, 0, 0, 0], abs=1e-12)


@given(
    st.tuples(st.floats(-89, 89), st.floats(-179, 179)),
    st.tuples(st.floats(-89, 89), st.floats(-179, 179)),
    st.floats(0.05, 0.95),
    st.floats(-0.5, 20),
)
def test_velocity_is_the_derivative_of_position(
    start: tuple[float, float], end: tuple[float, float], part: float, altitude_km: float
) -> None:
    path = route((*start, 0), (*end, 20_000), altitude_km=altitude_km)
    try:
        states = at(path, *(20_000 * part + np.array([-0.5, 0.0, 0.5])))
    except InputError:
        return  # antipodes
    slope = states.position_km[2, 0] - states.position_km[0, 0]
    # over 1 s at up to 1 km/s: third derivative v³/R²/24 = 1e-9 km/s, rounding of 6,400 km 2e-12
    assert np.abs(slope - states.velocity_km_s[1, 0]).max() < 5e-9
    axes = states.antenna[1, 0]
    assert np.allclose(axes @ axes.T, np.eye(3), atol=1e-12)
    assert np.allclose(states.up[1, 0] @ states.velocity_km_s[1, 0], 0.0, atol=1e-12)


def test_moving_and_fixed_terminals_coexist_and_windows_change_nothing() -> None:
    groups = [
        group(disc(3)),
        group(flight((40, 0), (50, 10)), "jet"),
        group(route((0, 0, 0), (1, 1, 50)), "car"),
    ]
    terminals = Terminals.place(groups, seed=4)
    assert terminals.names == ("ut-00", "ut-01", "ut-02", "jet", "car")
    times = START + np.arange(60) * np.timedelta64(1, "s")
    whole, part = terminals.states(times, START), terminals.states(times[17:23], START)
    for name in ("latitude_deg", "position_km", "velocity_km_s", "up", "east", "north", "antenna"):
        assert np.array_equal(getattr(whole, name)[17:23], getattr(part, name)), name
    alone = Terminals.place(groups[:1], seed=4).states(times, START)
    assert np.array_equal(whole.position_km[:, :3], alone.position_km)
