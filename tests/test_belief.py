"""The network decides by believed geometry; rates follow from the true one."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.helpers.small_run import link_rows, records, records_with_stops, rows_of, small
from twin.catalogue import Walker, walker_catalogue
from twin.catalogue.tle import checksum, tle_text
from twin.cli.entry import main
from twin.cli.scenario_warnings import warnings
from twin.errors import InputError
from twin.geometry.ephemeris import Ephemeris, SatelliteStates
from twin.geometry.ephemeris.states import UNUSABLE_POSITION_KM, UNUSABLE_VELOCITY_KM_S
from twin.geometry.terminals import Terminals
from twin.simulation.csi_reports import greatest_age_ns, report_age_ns
from twin.simulation.run import manifest_of
from twin.simulation.scoring import applied
from twin.uncertainty import BelievedEphemeris, BelievedTerminals, ClockError, Clocks, OrbitError, PositionError
from twin.uncertainty.attitude import rotation
from twin.uncertainty.errors import Law
from twin.uncertainty.orbits import displaced
from twin.world.plain import terminal_groups
from twin.world.setup import Setup

START = np.datetime64("2026-01-01T00:00:00", "ns")
SETS = walker_catalogue(
    Walker(pattern="delta", planes=6, per_plane=10, altitude_km=600.0, inclination_deg=53.0, phasing=1, epoch=START)
).sets
MINUTES = START + np.arange(5) * np.timedelta64(60, "s")
SHIFTED = {"belief.orbit": {"along_track_km": 20.0}}


def total_se(changes: dict[str, Any]) -> float:
    found = records(Setup.of(small(changes)))
    return sum(float(report.score.spectral_efficiency_bps_hz.sum()) for report in found)


# Believed positions of satellites


def axes(position: np.ndarray, velocity: np.ndarray) -> np.ndarray:
    """Unit vectors along track, across and radial (3, ..., 3), from positions and inertial velocities."""
    inertial = velocity + np.cross([0.0, 0.0, 7.292115e-5], position)
    radial = position / np.linalg.norm(position, axis=-1, keepdims=True)
    normal = np.cross(position, inertial)
    normal /= np.linalg.norm(normal, axis=-1, keepdims=True)
    return np.array([np.cross(normal, radial), normal, radial])


@pytest.mark.parametrize("component", ["along_track_km", "cross_track_km", "radial_km"])
def test_a_constant_error_moves_every_satellite_along_its_own_axis(component: str) -> None:
    true = Ephemeris(SETS)
    error = replace(OrbitError(law="constant"), **{component: 3.0})
    off = BelievedEphemeris(Ephemeris(SETS), error, seed=1).states(MINUTES, true.norad_ids)
    at = true.states(MINUTES, true.norad_ids)
    difference = off.position_km - at.position_km
    along = (axes(at.position_km, at.velocity_km_s) * difference).sum(axis=-1)
    expected = np.zeros(3)
    expected[["along_track_km", "cross_track_km", "radial_km"].index(component)] = 3.0
    # an arc of 3 km on 7000 km falls 0.6 m below its tangent
    np.testing.assert_allclose(along, np.broadcast_to(expected[:, None, None], along.shape), atol=1e-3)


def test_an_along_track_error_is_an_error_in_time() -> None:
    """A satellite displaced 30 km ahead has the position and velocity that it will have in four seconds."""
    true = Ephemeris(SETS)
    at = true.states(MINUTES, true.norad_ids)
    speed = np.linalg.norm(at.velocity_km_s + np.cross([0.0, 0.0, 7.292115e-5], at.position_km), axis=-1)
    ahead_s = 30.0 / speed.mean()
    position, velocity = displaced(at.position_km, at.velocity_km_s, np.array([30.0, 0.0, 0.0]))
    later = true.states(MINUTES + np.timedelta64(round(ahead_s * 1e9), "ns"), true.norad_ids)
    # in this time the Earth rotates by 1.9 km at the altitude of the satellites, which is not an orbit error; J2 and
    # the small eccentricity cause metres
    turned_km = 7.292115e-5 * ahead_s * np.hypot(at.position_km[..., 0], at.position_km[..., 1])
    assert np.abs(np.linalg.norm(position - later.position_km, axis=-1) - turned_km).max() < 0.1
    assert np.linalg.norm(velocity - later.velocity_km_s, axis=-1).max() < 3e-3


def test_errors_have_the_given_standard_deviation() -> None:
    many = walker_catalogue(
        Walker(
            pattern="delta", planes=40, per_plane=50, altitude_km=600.0, inclination_deg=53.0, phasing=1, epoch=START
        )
    ).sets
    true = Ephemeris(many)
    at = true.states(MINUTES[:1], true.norad_ids)
    laws: tuple[Law, ...] = ("normal", "uniform")
    for law in laws:
        error = OrbitError(law=law, along_track_km=4.0, cross_track_km=2.0, radial_km=1.0)
        off = BelievedEphemeris(Ephemeris(many), error, seed=3).states(MINUTES[:1], true.norad_ids)
        parts = (axes(at.position_km, at.velocity_km_s) * (off.position_km - at.position_km)).sum(axis=-1)
        # relative standard error of the deviation of 2000 draws is 1/sqrt(4000); tolerance five times that
        np.testing.assert_allclose(parts.std(axis=(1, 2)), [4.0, 2.0, 1.0], rtol=0.08)
        assert np.abs(parts.mean(axis=(1, 2))).max() < 5.0 * 4.0 / np.sqrt(2000)


def test_an_error_is_drawn_at_every_update_and_not_between() -> None:
    error = OrbitError(along_track_km=5.0, every_ns=120_000_000_000)
    true, off = Ephemeris(SETS), BelievedEphemeris(Ephemeris(SETS), error, seed=1)
    at, believed = (each.states(MINUTES, true.norad_ids) for each in (true, off))
    distance = np.linalg.norm(believed.position_km - at.position_km, axis=-1)
    np.testing.assert_allclose(distance[0], distance[1], rtol=1e-9)  # 0:00 and 1:00
    assert (np.abs(distance[1] - distance[2]) > 1e-3).mean() > 0.9


def test_a_satellite_whose_believed_position_is_in_view_is_not_missed() -> None:
    error = OrbitError(law="constant", along_track_km=300.0)
    true, off = Ephemeris(SETS), BelievedEphemeris(Ephemeris(SETS), error, seed=1)
    observer = np.array([[[6378.137, 0.0, 0.0]]])
    more = 0
    for minute in range(0, 6000, 60):
        instants = START + np.array([minute]) * np.timedelta64(1, "s")
        reached = set(off.in_reach(instants, observer, 30.0).tolist())
        ray = off.states(instants, true.norad_ids).position_km - observer[0]
        up = (ray[..., 0] / np.linalg.norm(ray, axis=-1) >= 0.5).any(axis=0)
        assert set(true.norad_ids[up].tolist()) <= reached
        more += len(set(true.norad_ids[up].tolist()) - set(true.in_reach(instants, observer, 30.0).tolist()))
    assert more  # screening by true positions would have missed some


# Believed positions of terminals, and clocks


def test_terminals_are_displaced_by_the_deviation_and_keep_their_antennas() -> None:
    scenario = small({"terminals.count": 500})
    terminals = Terminals.place(terminal_groups(scenario.terminals), seed=scenario.seed)
    error = PositionError(horizontal_km=0.5, vertical_km=0.1)
    at = terminals.states(MINUTES[:1], START)
    off = BelievedTerminals(terminals, error, seed=2).states(MINUTES[:1], START)
    difference = off.position_km - at.position_km
    parts = [(difference * axis).sum(axis=-1).std() for axis in (at.east, at.north, at.up)]
    np.testing.assert_allclose(parts, [0.5, 0.5, 0.1], rtol=0.16)  # five times 1/sqrt(1000)
    np.testing.assert_array_equal(off.antenna, at.antenna)
    # 1 degree of latitude is 111 km
    assert np.abs(off.latitude_deg - at.latitude_deg).max() < 5.0 * 0.5 / 111.0


def test_a_report_of_a_moving_terminal_has_the_given_age() -> None:
    flight = {"name": "air", "kind": "great_circle", "start": [45.0, 8.0], "end": [48.0, 14.0], "speed_km_h": 900.0}
    scenario = small({"terminals": [flight]})
    terminals = Terminals.place(terminal_groups(scenario.terminals), seed=1)
    error = PositionError(every_ns=60_000_000_000, latency_ns=5_000_000_000)
    believed = BelievedTerminals(terminals, error, seed=1)
    instants = START + np.array([600, 624, 659, 664, 665]) * np.timedelta64(1, "s")
    made = START + np.array([540, 600, 600, 600, 660]) * np.timedelta64(1, "s")
    np.testing.assert_array_equal(
        believed.states(instants, START).position_km, terminals.states(made, START).position_km
    )


def test_clocks_drift_between_updates() -> None:
    error = ClockError(law="constant", satellite_ns=100.0, satellite_ppb=2.0, every_ns=3_600_000_000_000)
    clocks = Clocks(error=error, seed=1, start=START)
    advance_s, offset = clocks.offsets(START + np.timedelta64(3600 + 50, "s"), np.array([7, 9]), 3)
    np.testing.assert_allclose(advance_s, np.full((2, 3), 100e-9 + 50.0 * 2e-9), rtol=1e-12)
    np.testing.assert_allclose(offset, np.full((2, 3), 2e-9), rtol=1e-12)
    both = ClockError(law="constant", satellite_ns=100.0, terminal_ns=100.0)
    assert not Clocks(error=both, seed=1, start=START).offsets(START, np.array([7]), 3)[0].any()


# Attitudes of satellites


def test_small_rotations_move_directions_by_their_angles() -> None:
    """A ray to nadir moves along y by a roll and along x by a pitch, and not at all by a yaw."""
    small_rad = 1e-4
    down = np.array([0.0, 0.0, 1.0])
    roll, pitch, yaw = (rotation(small_rad * np.eye(3)[[axis]])[0] @ down for axis in range(3))
    # the error is the square of the angle
    np.testing.assert_allclose(roll, [0.0, -small_rad, 1.0], atol=2e-8)
    np.testing.assert_allclose(pitch, [small_rad, 0.0, 1.0], atol=2e-8)
    np.testing.assert_array_equal(yaw, down)


def test_attitude_errors_change_departures_only() -> None:
    setup = Setup.of(small({"belief.attitude": {"law": "constant", "roll_deg": 2.0, "pitch_deg": 1.0}}))
    snapshot, believed = setup.truth.windows.at(2), setup.belief.windows.at(2)
    at, off = (each.links(each.norad_id) for each in (snapshot, believed))
    np.testing.assert_array_equal(off.range_km, at.range_km)
    rays = [np.concatenate([one.departure, one.departure_nadir_cos[..., None]], axis=-1) for one in (at, off)]
    np.testing.assert_allclose(np.linalg.norm(rays[1], axis=-1), 1.0, rtol=1e-12)
    angle_deg = np.degrees(np.arccos(np.clip((rays[0] * rays[1]).sum(axis=-1), -1.0, 1.0)))
    # both rotations combined, except the component along the rotation axis
    assert (angle_deg < np.hypot(2.0, 1.0) + 0.01).all()
    assert angle_deg.max() > 1.5
    again = setup.belief.windows.links_at(setup.timeline.begin_ns(2), believed.norad_id)
    np.testing.assert_array_equal(again.departure, off.departure)


def test_attitude_errors_reduce_the_rate() -> None:
    wide = {"satellites.array": {"rows": 16, "columns": 16}}
    found = [total_se(wide | {"belief.attitude": {"roll_deg": deg, "pitch_deg": deg}}) for deg in (0.0, 1.0, 5.0)]
    assert found == sorted(found, reverse=True)
    assert found[2] < 0.7 * found[0]


# Effect on a run


def test_a_belief_without_error_reproduces_the_truth_bit_for_bit() -> None:
    plain = Setup.of(small())
    other = Setup.of(small({"belief.orbit": {"every": "1h"}, "belief.position": {"horizontal_km": 0.0}}))
    assert other.belief.windows is not other.truth.windows
    assert rows_of(other, records(other), links=True) == rows_of(plain, records(plain), links=True)


def test_the_precoder_uses_believed_geometry_and_rates_use_the_true_one() -> None:
    exact, off = Setup.of(small()), Setup.of(small(SHIFTED))
    snapshot, believed = off.truth.windows.at(3), off.belief.windows.at(3)
    norad_id = np.intersect1d(snapshot.norad_id, believed.norad_id)
    assert not np.allclose(believed.links(norad_id).departure, snapshot.links(norad_id).departure, atol=1e-3)
    answered = off.truth.csi(snapshot, norad_id, applied(off, 3, norad_id)).csi
    np.testing.assert_array_equal(answered.gain, exact.belief.csi(snapshot, norad_id).gain)
    # 20 km at 700 km are 1.6 degrees: an eighth of the beam width of four elements; 16 have a quarter of it
    assert total_se(SHIFTED) < total_se({})
    wide = {"satellites.array": {"rows": 16, "columns": 16}}
    assert total_se(SHIFTED | wide) / total_se(wide) < total_se(SHIFTED) / total_se({})


def test_larger_errors_reduce_the_rate_more() -> None:
    wide = {"satellites.array": {"rows": 16, "columns": 16}}
    found = [total_se(wide | {"belief.orbit": {"law": "constant", "along_track_km": km}}) for km in (0, 10, 30, 100)]
    assert found == sorted(found, reverse=True)
    assert found[-1] < 0.5 * found[0]


@pytest.mark.parametrize(
    "changes",
    [
        {"belief.orbit": {"along_track_km": 20.0, "every": "25s"}},
        {"belief.attitude": {"roll_deg": 1.0, "yaw_deg": 3.0, "every": "40s"}},
        {"belief.position": {"horizontal_km": 2.0, "every": "30s", "latency": "7s"}},
        {"belief.clock": {"satellite_ns": 50.0, "terminal_ppb": 1.0}, "precompensation": {"name": "open_loop"}},
        {"precoding.csi_age": "4s", "precoding.csi_jitter": "9s"},
        {"precoding.csi_jitter": "25s", "precoding.csi_jitter_law": "uniform"},
    ],
    ids=str,
)
def test_stops_change_no_row(changes: dict[str, Any]) -> None:
    setup = Setup.of(small(changes))
    whole = rows_of(setup, records(setup), links=True)
    assert rows_of(setup, records_with_stops(setup, [1, 3, 4, 9]), links=True) == whole


def test_satellites_that_are_visible_only_by_belief_serve_without_being_received() -> None:
    """With an error of half an orbit along the track, the serving satellites are on the other side of the Earth."""
    changes = {"belief.orbit": {"law": "constant", "along_track_km": 21_900.0}, "association.name": "nearest_cluster"}
    found = records(Setup.of(small(changes)))
    assert any(report.score.serving.any() for report in found)
    assert all((report.score.spectral_efficiency_bps_hz == 0.0).all() for report in found)


def test_the_network_predicts_from_a_separate_file_of_older_elements(tmp_path: Path) -> None:
    old = walker_catalogue(
        Walker(
            pattern="delta", planes=20, per_plane=20, altitude_km=602.0, inclination_deg=53.0, phasing=1, epoch=START
        )
    )
    file = tmp_path / "old.tle"
    file.write_text(tle_text(old.sets[:300]), encoding="utf-8")
    setup = Setup.of(small({"belief.source": str(file)}))
    assert len(setup.truth.windows.ephemeris.norad_ids) == len(setup.belief.windows.ephemeris.norad_ids) == 300
    assert "old.tle" in manifest_of(setup).inputs
    snapshot, believed = setup.truth.windows.at(0), setup.belief.windows.at(0)
    both = np.intersect1d(snapshot.norad_id, believed.norad_id)
    height = [np.linalg.norm(each.satellites.position_km[0], axis=-1).mean() for each in (snapshot, believed)]
    assert len(both)
    assert height[1] - height[0] == pytest.approx(2.0, abs=0.5)  # J2 changes the radius by kilometres, equally in both


def dated(path: Path, days: int, height_km: float) -> Path:
    start = START - np.timedelta64(days, "D")
    walker = Walker(
        pattern="delta", planes=20, per_plane=20, altitude_km=height_km, inclination_deg=53.0, phasing=1, epoch=start
    )
    path.parent.mkdir(exist_ok=True)
    path.write_text(tle_text(walker_catalogue(walker).sets), encoding="utf-8")
    return path


def test_a_lag_selects_the_elements_that_are_old_enough(tmp_path: Path) -> None:
    files = [dated(tmp_path / str(days) / "set.tle", days, 600.0 + days) for days in (1, 4)]
    both = {"constellation.source": [str(file) for file in files]}
    lagging = Setup.of(small(both | {"belief.element_lag": "2d"}))
    direct = Setup.of(small({"constellation.source": str(files[0]), "belief.source": str(files[1])}))
    norad_id = lagging.belief.windows.ephemeris.norad_ids
    at = np.array([START])
    for side in ("truth", "belief"):
        one, other = (getattr(each, side).windows.ephemeris.states(at, norad_id) for each in (lagging, direct))
        np.testing.assert_array_equal(one.position_km, other.position_km)
    # the files have the same name, and both are listed
    assert len(manifest_of(lagging).inputs) == len(manifest_of(direct).inputs) == 2


def test_validate_reports_the_errors_of_the_belief(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    older, _ = (dated(tmp_path / str(days) / "set.tle", days, 600.0) for days in (4, 1))
    some = older.read_text(encoding="utf-8").splitlines(keepends=True)
    older.write_text("".join(some[: 3 * 300]), encoding="utf-8")
    file = tmp_path / "scenario.toml"
    file.write_text(
        """
        name = "reported"
        time = { duration = "10s" }
        constellation = { source = ["4/set.tle", "1/set.tle"] }
        terminals = { kind = "disc", latitude_deg = 45.0, longitude_deg = 10.0, radius_km = 99.0, count = 3 }
        [belief]
        element_lag = "2d"
        position = { horizontal_km = 1.0 }
        attitude = { roll_deg = 0.5 }
        clock = { satellite_ns = 20.0 }
        """,
        encoding="utf-8",
    )
    assert main(["validate", str(file)]) == 0
    out, err = capsys.readouterr()
    assert 'belief.element_lag = "2d": 100 satellites without elements of this age' in err
    for words in (
        "belief: orbits of 400 usable satellites with errors of",
        "belief: positions of 3 terminals with errors of",
    ):
        assert words in out
    assert "belief: attitude roll_deg = 0.5" in out
    assert "belief: clock satellite_ns = 20" in out


@pytest.mark.parametrize(("key", "value"), [("csi_age", "10d"), ("csi_jitter", "1h"), ("csi_age", "20001s")])
def test_reports_older_than_the_history_are_rejected(key: str, value: str) -> None:
    with pytest.raises(InputError, match=f"precoding.{key}: found"):
        small({f"precoding.{key}": value, "time.epoch": "1s"})


def test_a_lag_longer_than_the_history_is_rejected(tmp_path: Path) -> None:
    file = dated(tmp_path / "a" / "set.tle", 1, 600.0)
    with pytest.raises(InputError, match="no satellite has elements of this age"):
        Setup.of(small({"constellation.source": str(file), "belief.element_lag": "2d"}))


def test_a_belief_without_a_separate_file_has_the_age_limit_of_the_constellation(tmp_path: Path) -> None:
    file = dated(tmp_path / "a" / "set.tle", 1, 600.0)
    changes = {"constellation.source": str(file), "constellation.max_element_age": "6h"}
    setup = Setup.of(small(changes | {"belief.attitude": {"roll_deg": 1.0}}))
    assert not setup.belief.windows.at(0).visible.any()


def test_a_satellite_without_a_prediction_has_no_residual(monkeypatch: pytest.MonkeyPatch) -> None:
    lost = int(Setup.of(small()).truth.windows.at(0).norad_id[0])
    plain = BelievedEphemeris.states

    def without_one(self: BelievedEphemeris, instants: np.ndarray, norad_ids: np.ndarray) -> SatelliteStates:
        states = plain(self, instants, norad_ids)
        gone = states.norad_id == lost
        position = np.where(gone[:, None], UNUSABLE_POSITION_KM, states.position_km)
        velocity = np.where(gone[:, None], UNUSABLE_VELOCITY_KM_S, states.velocity_km_s)
        return replace(states, usable=states.usable & ~gone, position_km=position, velocity_km_s=velocity)

    monkeypatch.setattr(BelievedEphemeris, "states", without_one)
    setup = Setup.of(small(SHIFTED))
    written = link_rows(setup, records(setup)[0])
    own = written["satellite"] == lost
    assert own.any()
    for name in ("residual_delay_s", "residual_doppler_hz", "phase_error_rad"):
        np.testing.assert_array_equal(np.ma.getmaskarray(written[name]), own)


def test_a_belief_file_with_other_satellites_is_rejected(tmp_path: Path) -> None:
    file = tmp_path / "other.tle"
    lines = (
        "1 25544U 98067A   26001.00000000  .00000000  00000-0  00000-0 0  999",
        "2 25544  51.6400 100.0000 0001000   0.0000   0.0000 15.50000000    1",
    )
    file.write_text("".join(f"{line}{checksum(line + '0')}\n" for line in lines), encoding="utf-8")
    with pytest.raises(InputError, match="none of the constellation's satellites"):
        Setup.of(small({"belief.source": str(file)}))


# Compensation by prediction alone


def test_an_open_loop_is_perfect_without_prediction_errors() -> None:
    perfect = {"precompensation": {"name": "gaussian_phase", "phase_variance_rad2": 0.0}}
    setup, other = (Setup.of(small(each)) for each in ({"precompensation": {"name": "open_loop"}}, perfect))
    assert rows_of(setup, records(setup)) == rows_of(other, records(other))


@pytest.fixture(scope="module")
def open_se():
    """Sum rate with open loops, over six seeds: the phase of each satellite is one draw per run."""

    def se(**clock: Any) -> float:
        changes = {"precompensation": {"name": "open_loop"}, "belief.clock": clock, "time.duration": "60s"}
        return sum(total_se(changes | {"seed": seed}) for seed in range(6))

    return se


def test_satellite_clock_errors_reduce_the_rate_of_an_open_loop(open_se) -> None:
    uniform = {"precompensation": {"name": "uniform_phase"}, "time.duration": "60s"}
    worst = sum(total_se(uniform | {"seed": seed}) for seed in range(6))
    found = [open_se(satellite_ns=nanoseconds) for nanoseconds in (0.0, 0.02, 0.1, 10.0)]
    assert found == sorted(found, reverse=True)
    # ten nanoseconds are twenty cycles, equivalent to a random phase; with about 20 satellites the sum varies by 10 %
    assert found[-1] == pytest.approx(worst, rel=0.15)
    # larger offsets also exceed the cyclic prefix of 2.3 µs on either side
    assert open_se(satellite_ns=5000.0) < 0.7 * found[-1]


def test_a_common_offset_of_all_satellites_does_not_affect_an_open_loop(open_se) -> None:
    perfect = open_se(satellite_ns=0.0)
    # over the band one nanosecond is 0.01 cycle, whose square is negligible; the draws of the phases differ
    for common in ({"terminal_ns": 1.0}, {"satellite_ns": 1.0, "law": "constant"}):
        assert open_se(**common) == pytest.approx(perfect, rel=2e-3)


def test_the_phase_of_an_open_loop_is_that_of_the_prediction_error() -> None:
    changes = {
        "precompensation": {"name": "open_loop", "elapsed_ms": 10.0},
        "belief.clock": {"law": "constant", "satellite_ns": 0.05, "satellite_ppb": 2.0},
    }
    setup = Setup.of(small(changes))
    snapshot = setup.truth.windows.at(1)
    norad_id = snapshot.norad_id
    alignment = setup.truth.csi(snapshot, norad_id, applied(setup, 1, norad_id)).alignment
    # at 2 GHz and 10 s after the start: 0.05 ns + 10 s of 2e-9, and 4 Hz for 10 ms
    cycles = 2e9 * (0.05e-9 + 10.0 * 2e-9) + 4.0 * 0.01
    np.testing.assert_allclose(alignment.phase_rad, 2.0 * np.pi * (cycles % 1.0), rtol=1e-9)
    assert not setup.belief.statistics.of(snapshot.links(snapshot.norad_id)).alignment.variance_rad2.any()
    written = link_rows(setup, records(setup)[1])["phase_error_rad"]
    # over the band of 20 MHz, 20 ns vary by 0.1 cycle; tolerance five times that
    assert np.abs(np.asarray(written) - 2.0 * np.pi * (cycles % 1.0)).max() < 5.0 * 0.75


@pytest.mark.parametrize("name", ["gaussian_phase", "uniform_phase", "residual", "closed_loop", "open_loop"])
def test_settings_of_the_prediction_are_reported_where_the_model_does_not_use_it(name: str) -> None:
    changes = {
        "precompensation": {"name": name, "prediction_age": "20ms"},
        "belief.clock": {"satellite_ns": 20.0},
    }
    found = warnings(Setup.of(small(changes)))
    keys = [text.partition(" ")[0] for text in found if "has no effect" in text]
    assert keys == ([] if name == "open_loop" else ["belief.clock", "precompensation.prediction_age"])
    assert not warnings(Setup.of(small({"precompensation": {"name": name}})))


# Reports of CSI


@pytest.mark.parametrize("law", ["uniform", "exponential"])
def test_ages_of_reports_follow_their_law(law: str) -> None:
    scenario = small({"precoding.csi_age": "2s", "precoding.csi_jitter": "3s", "precoding.csi_jitter_law": law})
    ages = np.array([report_age_ns(scenario, 10_000_000_000 * number) for number in range(-500, 1500)]) / 1e9 - 2.0
    mean, deviation = {"uniform": (1.5, 3.0 / 12**0.5), "exponential": (3.0, 3.0)}[law]
    assert ages.mean() == pytest.approx(mean, abs=5.0 * deviation / 2000**0.5)
    assert ages.min() >= 0.0
    assert (ages + 2.0).max() * 1e9 <= greatest_age_ns(scenario)


def test_a_report_that_arrives_after_a_newer_one_is_ignored() -> None:
    scenario = small({"precoding.csi_jitter": "30s", "time.duration": "600s"})
    known: list[int] = []
    setup = Setup.of(scenario)
    records(setup, lambda state: known.append(state.loop.known_ns))
    assert known == sorted(known)
    assert len(set(known)) < len(known)
