"""Orbit mean-elements messages: every form yields the same satellite."""

import csv
import io
import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from sgp4.api import Satrec
from sgp4.exporter import export_omm

from tests.helpers.folders import SHARED
from twin.catalogue import read_catalogue, tle_text
from twin.errors import InputError

needs_shared = pytest.mark.skipif(not SHARED.is_dir(), reason="the shared reference data are not here")

# every field differs from zero, so that a wrong unit is detected
MARIO = {
    "OBJECT_NAME": "MARIO",
    "OBJECT_ID": "1998-067UQ",
    "EPOCH": "2023-04-25T10:45:30.642912",
    "MEAN_MOTION": "15.99081912",
    "ECCENTRICITY": ".0014649",
    "INCLINATION": "51.6242",
    "RA_OF_ASC_NODE": "216.2930",
    "ARG_OF_PERICENTER": "331.8976",
    "MEAN_ANOMALY": "28.1241",
    "EPHEMERIS_TYPE": "0",
    "CLASSIFICATION_TYPE": "U",
    "NORAD_CAT_ID": "55123",
    "ELEMENT_SET_NO": "999",
    "REV_AT_EPOCH": "1839",
    "BSTAR": ".1568E-2",
    "MEAN_MOTION_DOT": ".787702E-2",
    "MEAN_MOTION_DDOT": ".29408E-3",
}
MARIO_TLE = (
    "1 55123U 98067UQ  23115.44827133  .00787702  29408-3  15680-2 0  9999",
    "2 55123  51.6242 216.2930 0014649 331.8976  28.1241 15.99081912 18396",
)


def as_csv(*records: dict[str, str]) -> str:
    text = io.StringIO()
    writer = csv.DictWriter(text, list(records[0]))
    writer.writeheader()
    writer.writerows(records)
    return text.getvalue()


def as_json(*records: dict[str, str]) -> str:
    return json.dumps(records)


def as_xml(*records: dict[str, str]) -> str:
    segments = "".join(
        "<omm><body><segment><metadata/><data><meanElements>"
        + "".join(f"<{key}>{value}</{key}>" for key, value in record.items())
        + "</meanElements></data></segment></body></omm>"
        for record in records
    )
    return f'<?xml version="1.0" encoding="UTF-8"?><ndm xmlns="urn:ccsds:schema:ndmxml">{segments}</ndm>'


def read(folder: Path, text: str):
    path = folder / "elements"
    path.write_text(text, newline="")
    return read_catalogue([path])


def position_km(satrec: Satrec, minutes: float) -> np.ndarray:
    error, found_km, _ = satrec.sgp4_tsince(minutes)
    assert error == 0
    return np.array(found_km)


@pytest.mark.parametrize("write", [as_csv, as_json, as_xml])
def test_every_form_has_the_positions_of_its_tle(tmp_path: Path, write: Callable[..., str]) -> None:
    (one,) = read(tmp_path, write(MARIO)).sets
    tle = Satrec.twoline2rv(*MARIO_TLE)
    assert (one.norad_id, one.name, one.designator) == (55123, "MARIO", "1998-067UQ")
    assert one.epoch == np.datetime64("2023-04-25T10:45:30.642912")
    assert (one.satrec.jdsatepoch, one.satrec.jdsatepochF) == (tle.jdsatepoch, tle.jdsatepochF)
    for minutes in (0.0, 90.0, 1440.0):
        # the values and units are equal; only the last bit of a product may differ
        assert position_km(one.satrec, minutes) == pytest.approx(position_km(tle, minutes), abs=1e-6)
    assert tle_text([one]).splitlines()[1:] == list(MARIO_TLE)


@needs_shared
def test_a_real_tle_catalogue_written_as_omm_has_the_same_positions(tmp_path: Path) -> None:
    catalogue = read_catalogue([SHARED / "tle" / "oneweb_2026-06-13_CRLF.tle"])
    records = [export_omm(one.satrec, one.name) for one in catalogue.sets]
    again = read(tmp_path, json.dumps(records))
    at = np.datetime64("2026-06-14T00:00", "ns")
    for one, other in zip(catalogue.sets, again.sets, strict=True):
        # the exporter truncates the epoch to a microsecond: 7.3 km/s x 1 µs
        assert abs(one.epoch - other.epoch) <= np.timedelta64(1, "us")
        ahead = [(at - item.epoch) / np.timedelta64(60, "s") for item in (one, other)]
        difference_km = position_km(one.satrec, ahead[0]) - position_km(other.satrec, ahead[1])
        assert np.linalg.norm(difference_km) < 1e-5


@needs_shared
def test_the_samples_are_read() -> None:
    for suffix in ("csv", "xml"):
        (one,) = read_catalogue([SHARED / "omm" / f"pythonsgp4_sample_omm.{suffix}"]).sets
        tle = Satrec.twoline2rv(
            "1 00005U 58002B   20287.20333880 -.00000016  00000-0 -22483-4 0  9998",
            "2 00005  34.2443 225.5254 1845686 162.2516 205.2356 10.84869164218149",
        )
        assert position_km(one.satrec, 720.0) == pytest.approx(position_km(tle, 720.0), abs=1e-6)
    catalogue = read_catalogue([SHARED / "omm" / "pythonsgp4_sample_omm.json"])
    assert catalogue.names == {5: "VANGUARD 1"}
    assert read_catalogue([SHARED / "omm" / "stations_2025-06-28.json"]).health.used == 13


@needs_shared
def test_six_digit_numbers_and_a_history() -> None:
    catalogue = read_catalogue([SHARED / "omm" / "celestrak_2026-09_selected_12_incl_NORAD100000.json"])
    assert (catalogue.health.used, catalogue.health.satellites) == (12, 10)
    assert catalogue.names[100_000] == "SARAMAGO"
    history = [one.epoch for one in catalogue.sets if one.norad_id == 25544]
    assert [str(epoch)[:4] for epoch in history] == ["2008", "2014", "2026"]


def test_nine_digits_have_no_tle_form(tmp_path: Path) -> None:
    (one,) = read(tmp_path, as_json(MARIO | {"NORAD_CAT_ID": 799_123_456})).sets
    (five,) = read(tmp_path, as_json(MARIO)).sets
    assert one.norad_id == 799_123_456
    assert position_km(one.satrec, 60.0).tolist() == position_km(five.satrec, 60.0).tolist()
    with pytest.raises(InputError, match="799123456 has no TLE form"):
        tle_text([one])


@pytest.mark.parametrize(
    ("written", "epoch"),
    [
        ("2026-06-13T20:02:44.240928", "2026-06-13T20:02:44.240928"),
        ("2026-06-13T20:02:44.240928Z", "2026-06-13T20:02:44.240928"),
        ("2026-06-13T20:02:44.240928123", "2026-06-13T20:02:44.240928123"),
        ("2026-06-13T20:02:44.5", "2026-06-13T20:02:44.500"),
        ("2026-06-13T20:02:44", "2026-06-13T20:02:44"),
        ("2026-06-13T20:02:44+00:00", "2026-06-13T20:02:44"),
        ("2026-06-13 20:02:44.", "2026-06-13T20:02:44"),
        ("2026-164T20:02:44.25", "2026-06-13T20:02:44.250"),
    ],
)
def test_epochs_are_exact(tmp_path: Path, written: str, epoch: str) -> None:
    (one,) = read(tmp_path, as_csv(MARIO | {"EPOCH": written})).sets
    assert one.epoch == np.datetime64(epoch)
    julian = (one.satrec.jdsatepoch - 2_440_587.5) + one.satrec.jdsatepochF
    seconds = (one.epoch - np.datetime64("1970-01-01")) / np.timedelta64(1, "s")
    # one double of days since 1970 resolves 0.3 µs
    assert julian * 86_400.0 == pytest.approx(seconds, abs=1e-6)


def test_optional_fields_may_be_missing(tmp_path: Path) -> None:
    optional = ["BSTAR", "MEAN_MOTION_DOT", "MEAN_MOTION_DDOT", "OBJECT_NAME", "OBJECT_ID"]
    optional += ["EPHEMERIS_TYPE", "ELEMENT_SET_NO", "REV_AT_EPOCH", "CLASSIFICATION_TYPE"]
    less = {key: value for key, value in MARIO.items() if key not in optional}
    for record in (less, less | dict.fromkeys(optional), less | dict.fromkeys(optional, "")):
        (one,) = read(tmp_path, json.dumps(record)).sets
        assert (one.name, one.satrec.bstar, one.satrec.ndot, one.satrec.nddot) == ("55123", 0.0, 0.0, 0.0)


REQUIRED = [
    *("NORAD_CAT_ID", "EPOCH", "MEAN_MOTION", "ECCENTRICITY"),
    *("INCLINATION", "RA_OF_ASC_NODE", "ARG_OF_PERICENTER", "MEAN_ANOMALY"),
]


@pytest.mark.parametrize("write", [as_csv, as_json, as_xml])
@pytest.mark.parametrize("key", REQUIRED)
def test_a_record_without_a_required_field_is_dropped(tmp_path: Path, key: str, write: Callable[..., str]) -> None:
    other = MARIO | {"NORAD_CAT_ID": "7", "OBJECT_NAME": "OTHER"}
    catalogue = read(tmp_path, write(MARIO | {key: ""}, other))
    assert catalogue.names == {7: "OTHER"}
    (fault,) = catalogue.health.dropped
    assert (fault.reason, fault.name) == (f"{key} is missing", "MARIO")
    assert fault.norad_id == (None if key == "NORAD_CAT_ID" else 55123)


@pytest.mark.parametrize(
    ("key", "value", "reason"),
    [
        ("ECCENTRICITY", "1.0", "eccentricity 1 is outside 0 <= e < 1"),
        ("ECCENTRICITY", "-0.1", "eccentricity -0.1 is outside 0 <= e < 1"),
        ("MEAN_MOTION", "0", "mean motion 0 is not above 0"),
        ("MEAN_MOTION", "-15", "mean motion -15 is not above 0"),
        ("MEAN_MOTION", "1000", "SGP4 at the epoch: "),
        ("INCLINATION", "180.1", "inclination 180.1 is outside 0 to 180"),
        ("BSTAR", "nan", 'BSTAR is "nan", expected a finite number'),
        ("BSTAR", float("nan"), 'BSTAR is "nan", expected a finite number'),
        ("BSTAR", "1e300", "SGP4 at the epoch: "),
        ("MEAN_ANOMALY", "1e999", 'MEAN_ANOMALY is "1e999", expected a finite number'),
        ("MEAN_ANOMALY", True, 'MEAN_ANOMALY is "True", expected a finite number'),
        ("MEAN_ANOMALY", [1], 'MEAN_ANOMALY is "[1]", expected a finite number'),
        ("MEAN_ANOMALY", "1_0", 'MEAN_ANOMALY is "1_0", expected a finite number'),
        ("NORAD_CAT_ID", "1000000000", "NORAD_CAT_ID is 1e+09, expected a whole number from 0 to 999999999"),
        ("NORAD_CAT_ID", "5.5", "NORAD_CAT_ID is 5.5, expected a whole number"),
        ("NORAD_CAT_ID", "0", "NORAD_CAT_ID is 0, expected 1 to 999999999"),
        ("EPOCH", "2026-02-30T00:00:00", 'EPOCH is "2026-02-30T00:00:00", expected a UTC instant'),
        ("EPOCH", "yesterday", 'EPOCH is "yesterday", expected a UTC instant'),
        ("EPOCH", "1926-01-01T00:00:00", 'EPOCH is "1926-01-01T00:00:00", expected a UTC instant'),
        ("EPHEMERIS_TYPE", "4", "ephemeris type 4 (SGP4-XP) is not SGP4"),
        ("MEAN_ELEMENT_THEORY", "DSST", "MEAN_ELEMENT_THEORY is DSST, expected SGP4"),
        ("REF_FRAME", "EME2000", "REF_FRAME is EME2000, expected TEME"),
    ],
)
def test_a_record_out_of_range_is_dropped(tmp_path: Path, key: str, value: object, reason: str) -> None:
    other = MARIO | {"NORAD_CAT_ID": "7"}
    catalogue = read(tmp_path, json.dumps([MARIO | {key: value}, other]))
    assert list(catalogue.names) == [7]
    (fault,) = catalogue.health.dropped
    assert fault.reason.startswith(reason)


def test_a_truncated_row_is_dropped(tmp_path: Path) -> None:
    whole = as_csv(MARIO, MARIO | {"NORAD_CAT_ID": "7"})
    catalogue = read(tmp_path, whole[:-20])
    (fault,) = catalogue.health.dropped
    assert (fault.line, fault.reason) == (3, "is not a complete record")
    assert list(catalogue.names) == [55123]


def test_large_set_and_revolution_numbers_fit_a_tle(tmp_path: Path) -> None:
    record = MARIO | {"REV_AT_EPOCH": "123456", "ELEMENT_SET_NO": "12345"}
    (one,) = read(tmp_path, as_json(record)).sets
    _, first, second = tle_text([one]).splitlines()
    assert (first[64:68], second[63:68]) == ("2345", "23456")
