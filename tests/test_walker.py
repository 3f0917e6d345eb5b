"""Walker constellations: positions of the satellites, and equality after writing and reading a file."""

from pathlib import Path

import numpy as np
import pytest
from sgp4.io import compute_checksum

from twin.catalogue import (
    Walker,
    read_catalogue,
    tle_text,
    walker_catalogue,
    walker_delta,
    walker_star,
    walker_text,
    write_tle,
)
from twin.errors import InputError

TLE = Path(__file__).resolve().parents[1] / "tle"
EPOCH = np.datetime64("2026-01-01T00:00:00")

KEYS = ("planes", "per_plane", "altitude_km", "inclination_deg", "phasing", "epoch")
DELTA = dict(zip(KEYS, (28, 60, 600.0, 53.0, 1, EPOCH), strict=True))
STAR = dict(zip(KEYS, (6, 11, 780.0, 86.4, 2, EPOCH), strict=True))
SMALL = dict(zip(KEYS, (4, 3, 550.0, 53.0, 3, EPOCH), strict=True))


@pytest.mark.parametrize(
    ("name", "make", "parameters"),
    [
        ("walker-delta-28x60-600km-53deg.tle", walker_delta, DELTA),
        ("walker-star-6x11-780km-86.4deg.tle", walker_star, STAR),
    ],
)
def test_the_shipped_files_are_the_output_of_their_commands(tmp_path: Path, name, make, parameters) -> None:
    write_tle(tmp_path / name, make(**parameters))
    assert (tmp_path / name).read_bytes() == (TLE / name).read_bytes()
    assert name in (TLE / "README.md").read_text()


def test_a_file_read_back_is_the_same_constellation_bit_for_bit(tmp_path: Path) -> None:
    walker = Walker(pattern="delta", **SMALL)
    made = walker_catalogue(walker)
    write_tle(tmp_path / "small.tle", made.sets)
    assert (tmp_path / "small.tle").read_text() == walker_text(walker)
    for one, other in zip(made.sets, read_catalogue([tmp_path / "small.tle"]).sets, strict=True):
        assert (one.norad_id, one.name, one.epoch) == (other.norad_id, other.name, other.epoch)
        for key in ("jdsatepoch", "jdsatepochF", "no_kozai", "nodeo", "mo", "inclo", "ecco", "a"):
            assert getattr(one.satrec, key) == getattr(other.satrec, key)
        assert one.satrec.sgp4_tsince(1440.0) == other.satrec.sgp4_tsince(1440.0)


@pytest.mark.parametrize(("make", "node_range_deg"), [(walker_delta, 360.0), (walker_star, 180.0)])
def test_planes_and_positions(make, node_range_deg: float) -> None:
    sets = make(**SMALL)
    assert [one.norad_id for one in sets] == list(range(90_000, 90_012))
    assert [one.name for one in sets][:4] == ["WALKER-01-01", "WALKER-01-02", "WALKER-01-03", "WALKER-02-01"]
    nodes_deg = np.degrees([one.satrec.nodeo for one in sets]).reshape(4, 3)
    along_deg = np.degrees([one.satrec.mo for one in sets]).reshape(4, 3)
    # a TLE resolves angles to 1e-4 degrees
    assert nodes_deg == pytest.approx(np.repeat([[0], [1], [2], [3]], 3, axis=1) * node_range_deg / 4, abs=5.1e-5)
    expected_deg = np.add.outer(3 * 360.0 / 12 * np.arange(4), 120.0 * np.arange(3))
    assert np.angle(np.exp(1j * np.radians(along_deg - expected_deg))) == pytest.approx(0.0, abs=1e-6)
    assert all(one.epoch == EPOCH for one in sets)


@pytest.mark.parametrize("altitude_km", [160.0, 550.0, 780.0, 1200.0, 8062.0, 23_222.0, 35_786.0])
@pytest.mark.parametrize("inclination_deg", [0.0, 53.0, 97.6])
def test_the_mean_altitude_is_the_given_one(altitude_km: float, inclination_deg: float) -> None:
    (one,) = walker_delta(
        planes=1,
        per_plane=1,
        altitude_km=altitude_km,
        inclination_deg=inclination_deg,
        phasing=0,
        epoch=EPOCH,
    )
    # Brouwer's axis from Kozai's mean motion: Hoots and Roehrich, Spacetrack Report 3 (1980), section 6
    k2 = 1.082616e-3 / 2.0
    shape = 1.5 * k2 * (3.0 * np.cos(np.radians(inclination_deg)) ** 2 - 1.0)
    a1 = (0.0743669161 / one.satrec.no_kozai) ** (2.0 / 3.0)
    d1 = shape / a1**2
    a0 = a1 * (1.0 - d1 / 3.0 - d1**2 - 134.0 / 81.0 * d1**3)
    motion = one.satrec.no_kozai / (1.0 + shape / a0**2)
    found_km = (0.0743669161 / motion) ** (2.0 / 3.0) * 6378.135 - 6378.135
    # the resolution of the mean motion in a TLE, 5e-9 rev/day; the relative error of the axis is 2/3 of it
    resolution_km = (altitude_km + 6378.135) * 2.0 / 3.0 * 5e-9 / (one.satrec.no_kozai * 229.1831)
    # the constants of the report have ten digits
    assert found_km == pytest.approx(altitude_km, abs=resolution_km + 1e-5)
    assert (one.perigee_km, one.apogee_km) == pytest.approx((altitude_km, altitude_km), abs=resolution_km + 1e-9)


def test_over_a_revolution_the_radius_oscillates_about_the_mean_altitude() -> None:
    (one,) = walker_delta(planes=1, per_plane=1, altitude_km=600.0, inclination_deg=53.0, phasing=0, epoch=EPOCH)
    radii_km = [np.linalg.norm(one.satrec.sgp4_tsince(minutes)[1]) for minutes in np.linspace(0.0, 96.69, 400)]
    # J2 shifts the mean radius by some hundred metres and causes an oscillation of 5 km, J3 of 8 km more
    assert np.mean(radii_km) - 6378.135 == pytest.approx(600.0, abs=1.0)
    assert np.ptp(radii_km) < 30.0


def test_numbers_beyond_five_digits_are_alpha_5() -> None:
    sets = walker_star(**STAR, first_norad_id=99_999)
    lines = tle_text(sets).splitlines()
    assert [one.norad_id for one in sets[:2]] == [99_999, 100_000]
    assert lines[4].startswith("1 A0000U")
    assert all(compute_checksum(line) == int(line[68]) for line in lines if line[0] in "12")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"planes": 0}, "planes: found 0, allowed a whole number from 1"),
        ({"planes": 2.5}, "planes: found 2.5"),
        ({"per_plane": -1}, "per_plane: found -1"),
        ({"phasing": 4}, "phasing: found 4, allowed a whole number from 0 to 3"),
        ({"phasing": -1}, "phasing: found -1"),
        ({"altitude_km": 149.0}, "altitude_km: found 149, allowed 150 to 100000"),
        ({"altitude_km": float("nan")}, "altitude_km: found nan"),
        ({"inclination_deg": 181.0}, "inclination_deg: found 181, allowed 0 to 180"),
        ({"first_norad_id": 0}, "first_norad_id: found 0"),
        ({"first_norad_id": 339_990}, "first_norad_id: 12 satellites from 339990 end at 340001"),
        ({"planes": 600, "per_plane": 600}, "first_norad_id: 360000 satellites"),
        ({"epoch": np.datetime64("2057-01-01")}, "epoch: found 2057-01-01, allowed 1957 to 2056"),
        ({"epoch": np.datetime64("NaT")}, "epoch: found NaT"),
        ({"name_prefix": "# no"}, 'name_prefix: found "# no"'),
        ({"pattern": "dela"}, 'pattern: found "dela", allowed "delta", "star"; did you mean "delta"?'),
    ],
)
def test_an_invalid_parameter_is_rejected_by_name(change: dict, message: str) -> None:
    with pytest.raises(InputError) as fault:
        Walker(**({"pattern": "delta"} | SMALL | change))
    assert str(fault.value).startswith(message)
