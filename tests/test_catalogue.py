"""Reading catalogues: TLE, several files, history, and the report on every record."""

import io
import pickle
from pathlib import Path

import numpy as np
import pytest
from sgp4.api import Satrec
from sgp4.io import compute_checksum

from tests.helpers.folders import SHARED
from twin.catalogue import read_catalogue, tle_text, write_tle
from twin.catalogue.tle import checksum
from twin.errors import InputError

needs_shared = pytest.mark.skipif(not SHARED.is_dir(), reason="the shared reference data are not here")

VANGUARD = (
    "1 00005U 58002B   00179.78495062  .00000023  00000-0  28098-4 0  4753",
    "2 00005  34.2682 348.7242 1859667 331.7664  19.3264 10.82419157413667",
)
SARAMAGO = (
    "1 A0000U 26067CY  26195.90649229  .00004770  00000+0  22159-3 0  9994",
    "2 A0000  97.4593 154.0970 0005590 270.5113  89.5482 15.20467281 15911",
)
ISS = (
    "1 25544U 98067A   26164.83523427  .00008738  00000+0  16534-3 0  9990",
    "2 25544  51.6333 316.6832 0004955 182.4672 177.6293 15.49214103571238",
)


def signed(line: str) -> str:
    """The line with a correct checksum."""
    return f"{line[:68]}{compute_checksum(line)}"


def write(folder: Path, text: str | bytes, name: str = "elements.txt") -> Path:
    path = folder / name
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    return path


def read(folder: Path, text: str | bytes):
    return read_catalogue([write(folder, text)])


@needs_shared
@pytest.mark.parametrize(
    ("name", "count"),
    [
        ("starlink_2026-05-23_CRLF.tle", 10_356),
        ("starlink_2026-05-30_CRLF.tle", 10_395),
        ("starlink_2022-01-08_LF.tle", 1_806),
        ("oneweb_2026-06-13_CRLF.tle", 651),
        ("iridium-next_2026-06-13_CRLF.tle", 80),
    ],
)
def test_all_records_of_a_real_catalogue_are_used(name: str, count: int) -> None:
    catalogue = read_catalogue([SHARED / "tle" / name])
    health = catalogue.health
    assert (health.read, health.used, len(health.dropped), health.duplicates) == (count, count, 0, 0)
    assert len(catalogue.norad_ids) == len(catalogue.names) == health.satellites == count
    assert np.all(np.diff(catalogue.norad_ids) > 0)


@needs_shared
def test_catalogues_a_week_apart_are_a_history() -> None:
    names = ["starlink_2026-05-23_CRLF.tle", "starlink_2026-05-30_CRLF.tle"]
    both = read_catalogue([SHARED / "tle" / name for name in names])
    old, new = (read_catalogue([SHARED / "tle" / name]) for name in names)
    either = np.union1d(old.norad_ids, new.norad_ids)
    assert np.array_equal(both.norad_ids, either)
    assert both.health.used + both.health.duplicates == 10_356 + 10_395
    keys = [(one.norad_id, one.epoch) for one in both.sets]
    assert keys == sorted(keys)

    noon = np.datetime64("2026-05-27T12:00")
    chosen = both.sets_at(noon)
    ages = both.health.ages_days(noon)
    assert [one.norad_id for one in chosen] == either.tolist()
    for one, age_days in zip(chosen, ages, strict=True):
        assert (noon - one.epoch) / np.timedelta64(1, "s") == pytest.approx(age_days * 86_400.0, abs=1e-3)
    held_before = np.isin(either, old.norad_ids)
    assert np.all(ages[held_before] > 0.0)
    assert np.all(ages[~held_before] < 0.0)


@needs_shared
def test_awkward_alpha_5() -> None:
    two_lines = read_catalogue([SHARED / "awkward" / "alpha5_2le_A0000_2026-07-14.txt"])
    assert two_lines.names == {100_000: "100000"}
    three_lines = read_catalogue([SHARED / "awkward" / "alpha5_spacetrack_3le_leading0name.txt"])
    assert three_lines.names == {5: "VANGUARD 1", 100_000: "SARAMAGO"}
    assert [one.designator for one in three_lines.sets] == ["1958-002B", "2026-067CY"]


@needs_shared
def test_awkward_damaged_digit_and_missing_name() -> None:
    catalogue = read_catalogue([SHARED / "awkward" / "stations_corrupted_digit_and_missing_name_derived.tle"])
    (fault,) = catalogue.health.dropped
    assert (fault.line, fault.norad_id, fault.name) == (2, 25544, "ISS (ZARYA)")
    assert fault.reason == "line 1: checksum 0, expected 6"
    assert catalogue.health.used == 24
    assert catalogue.names[48274] == "48274"


@needs_shared
def test_awkward_line_ends_blanks_and_byte_order_mark() -> None:
    catalogue = read_catalogue([SHARED / "awkward" / "stations_mixed_endings_blank_lines_BOM_derived.tle"])
    assert (catalogue.health.used, catalogue.health.dropped) == (25, ())
    assert catalogue.names[25544] == "ISS (ZARYA)"


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r", "\n\r\n", "  \n"])
def test_line_ends_do_not_matter(tmp_path: Path, end: str) -> None:
    catalogue = read(tmp_path, end.join(["# by hand", "0 VANGUARD  1 ", *VANGUARD, "ISS", *ISS]))
    assert catalogue.names == {5: "VANGUARD 1", 25544: "ISS"}
    assert catalogue.health.dropped == ()


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16"])
def test_marked_encodings_are_read(tmp_path: Path, encoding: str) -> None:
    assert read(tmp_path, "\n".join(["SATÉLITE", *ISS]).encode(encoding)).names == {25544: "SATÉLITE"}


def test_small_letters_are_read_as_capitals(tmp_path: Path) -> None:
    (one,) = read(tmp_path, "\n".join(SARAMAGO).lower()).sets
    assert (one.norad_id, one.designator) == (100_000, "2026-067CY")


def test_the_satrec_is_that_of_the_library(tmp_path: Path) -> None:
    (one,) = read(tmp_path, "\n".join(ISS)).sets
    own = Satrec.twoline2rv(*ISS)
    for minutes in (0.0, 1440.0):
        assert one.satrec.sgp4_tsince(minutes) == own.sgp4_tsince(minutes)
    assert (one.satrec.jdsatepoch, one.satrec.jdsatepochF) == (own.jdsatepoch, own.jdsatepochF)
    # day 164.83523427 of 2026; epochs are multiples of 864 µs
    assert one.epoch == np.datetime64("2026-06-13T20:02:44.240928")


@pytest.mark.parametrize(
    ("lines", "line", "reason"),
    [
        ([ISS[0][:-1] + "4", ISS[1]], 1, "line 1: checksum 4, expected 0"),
        ([ISS[0], ISS[1].replace("51.6333", "51.6433")], 2, "line 2: checksum 8, expected 9"),
        ([ISS[0], ISS[1][:60]], 2, "line 2 has 60 columns, expected 69"),
        ([ISS[0][:20], ISS[1]], 1, "line 1 has 20 columns, expected 69"),
        ([ISS[0] + "7", ISS[1]], 1, "line 1 continues after column 69 without a space"),
        ([ISS[0], VANGUARD[1]], 2, 'catalogue number "00005" on line 2, "25544" on line 1'),
        ([ISS[0]], 1, "line 1 without a line 2 after it"),
        ([ISS[1]], 1, "line 2 without a line 1 before it"),
        (["7" + ISS[0][1:], ISS[1]], 1, 'line 1: line number (columns 1 to 2) is "7 "'),
        (
            [ISS[0], ISS[1].replace("0004955", "000x955")],
            2,
            'line 2: eccentricity (columns 27 to 34) is "000X955 "',
        ),
        ([ISS[0], signed(ISS[1].replace(" 51.6333", "181.6333"))], 1, "inclination 181.633 is outside"),
        ([ISS[0], signed(ISS[1].replace("15.49214103", " 0.00000000"))], 1, "mean motion 0 is not above 0"),
        ([signed(ISS[0].replace("26164.", "26000.")), ISS[1]], 1, "epoch day 0 is outside 1 to 366"),
        ([signed(ISS[0][:62] + "4" + ISS[0][63:]), ISS[1]], 1, "ephemeris type 4 (SGP4-XP) is not SGP4"),
        (["A NAME"], 1, "a name without elements"),
    ],
)
def test_a_damaged_set_is_dropped_with_the_reason(tmp_path: Path, lines: list[str], line: int, reason: str) -> None:
    catalogue = read(tmp_path, "\n".join([*lines, "VANGUARD 1", *VANGUARD]))
    assert catalogue.names == {5: "VANGUARD 1"}
    (fault,) = catalogue.health.dropped
    assert fault.line == line
    assert fault.reason.startswith(reason)
    assert catalogue.health.read == 2


def test_a_december_32nd_is_the_1st_of_january(tmp_path: Path) -> None:
    # an ISS set of 2020 that was published with the year 2019
    lines = (
        "1 25544U 98067A   19366.82137887  .00016717  00000-0  10270-3 0  9129",
        "2 25544  51.6392  96.6358 0005156  88.7140 271.4601 15.49497216  6061",
    )
    (one,) = read(tmp_path, "\n".join(lines)).sets
    assert one.epoch == np.datetime64("2020-01-01T19:42:47.134368")


def test_the_last_of_two_sets_with_equal_epochs_is_used(tmp_path: Path) -> None:
    later = signed(ISS[1].replace("51.6333", "51.6400"))
    catalogue = read(tmp_path, "\n".join([*ISS, ISS[0], later]))
    assert catalogue.health.duplicates == 1
    (one,) = catalogue.sets
    assert (one.line, one.inclination_deg) == (3, pytest.approx(51.64))


def test_the_newer_of_two_files_is_used_in_any_order(tmp_path: Path) -> None:
    other = signed(ISS[1].replace("51.6333", "51.6400"))
    old = write(tmp_path, "\n".join(ISS), "old.tle")
    new = write(tmp_path, "\n".join([ISS[0], other, *SARAMAGO]), "new.tle")
    for paths in ([old, new], [new, old]):
        catalogue = read_catalogue(paths)
        assert [one.source for one in catalogue.sets] == ["new.tle", "new.tle"]
        assert catalogue.health.duplicates == 1
        assert [file.source for file in catalogue.health.files] == [path.name for path in paths]


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "is empty"),
        (b" \r\n\n", "is empty"),
        (b"No GP data found", 'it begins "No GP data found"'),
        (b"<!DOCTYPE html><html><body>403 Forbidden</body></html>", "is a web page"),
        (b"<?xml version='1.0'?><!DOCTYPE html><html/>", "is a web page"),
        (b"\x7fELF\x02\x01\x01\x00\x00", "is a binary file"),
        (b"\x1f\x8b\x08", "is a compressed file"),
        (b"\x9f\x03\xfe\x01" * 9, "holds no element sets"),
        (b"CCSDS_OMM_VERS = 2.0\nOBJECT_NAME = ISS\n", "OMM in KVN form is not read"),
        (b"[]", "no element set in it (OMM JSON)"),
        (b"[1, null]", "none of 2 records (OMM JSON) is a usable element set"),
        (b'{"a": 1}', "NORAD_CAT_ID is missing"),
        (b'[{"OBJECT_NAME":', "the JSON cannot be read"),
        (b"[" * 100_000, "the JSON cannot be read"),
        (b"<ndm/>", "no element set in it (OMM XML)"),
        (b"<ndm><omm>", "the XML cannot be read"),
        (b"OBJECT_NAME,NORAD_CAT_ID,EPOCH\r\n", "no element set in it (OMM CSV)"),
        (b"OBJECT_NAME,NORAD_CAT_ID\n" + b"x" * 200_000 + b",5\n", "the CSV cannot be read"),
        (ISS[0].encode(), "first fault: line or record 1: line 1 without a line 2 after it"),
    ],
)
def test_other_files_are_rejected_by_name(tmp_path: Path, content: bytes, words: str) -> None:
    path = write(tmp_path, content)
    with pytest.raises(InputError) as fault:
        read_catalogue([path])
    assert str(fault.value).startswith(str(path))
    assert words in str(fault.value)


def test_missing_files_and_folders_are_rejected(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no such file"):
        read_catalogue([tmp_path / "absent.tle"])
    with pytest.raises(InputError, match="is a directory"):
        read_catalogue([tmp_path])
    with pytest.raises(InputError, match="no catalogue file given"):
        read_catalogue([])


def test_ages_and_the_summary(tmp_path: Path) -> None:
    health = read(tmp_path, "\n".join([*ISS, *SARAMAGO, VANGUARD[0]])).health
    at = np.datetime64("2026-07-14T00:00")
    assert health.ages_days(at) == pytest.approx([30.16476573, -0.90649229], abs=1e-8)  # resolution of a TLE
    assert health.oldest_epoch < health.newest_epoch
    assert health.summary(at) == [
        "elements.txt: TLE, 3 records",
        "read 3, used 2 of 2 satellites, dropped 1, duplicates 0",
        "epochs 2026-06-13T20:02Z to 2026-07-14T21:45Z",
        "age at 2026-07-14T00:00Z: median 14.6 days, -0.9 to 30.2 days",
        "warning: 1 satellites have elements more than 14 days from this instant",
        "dropped 5 (elements.txt:5): line 1 without a line 2 after it",
    ]


def test_arrays_are_read_only(tmp_path: Path) -> None:
    catalogue = read(tmp_path, "\n".join(ISS))
    for array in (catalogue.norad_ids, catalogue.health.norad_ids, catalogue.health.epochs):
        assert not array.flags.writeable


@needs_shared
def test_writing_and_reading_change_no_orbit(tmp_path: Path) -> None:
    catalogue = read_catalogue([SHARED / "tle" / "oneweb_2026-06-13_CRLF.tle"])
    write_tle(tmp_path / "out.tle", catalogue.sets)
    again = read_catalogue([tmp_path / "out.tle"])
    assert again.names == catalogue.names
    for one, other in zip(catalogue.sets, again.sets, strict=True):
        assert one.epoch == other.epoch
        assert one.satrec.sgp4_tsince(1440.0) == other.satrec.sgp4_tsince(1440.0)


@needs_shared
@pytest.mark.parametrize("name", ["tle/starlink_2022-01-08_LF.tle", "omm/stations_2025-06-28.json"])
def test_pickled_element_sets_are_equal_bit_for_bit(name: str) -> None:
    catalogue = read_catalogue([SHARED / name])
    again = pickle.load(io.BytesIO(pickle.dumps(catalogue)))
    for one, other in zip(catalogue.sets, again.sets, strict=True):
        for key in ("norad_id", "name", "designator", "epoch", "source", "line"):
            assert getattr(one, key) == getattr(other, key)
        assert one.satrec.sgp4_tsince(600.0) == other.satrec.sgp4_tsince(600.0)
        assert (one.satrec.jdsatepoch, one.satrec.jdsatepochF) == (
            other.satrec.jdsatepoch,
            other.satrec.jdsatepochF,
        )
        assert tle_text([one]) == tle_text([other])


@needs_shared
def test_checksums_agree_with_the_library() -> None:
    lines = (SHARED / "awkward" / "stations_corrupted_digit_and_missing_name_derived.tle").read_text()
    for line in lines.splitlines():
        assert checksum(line.ljust(69)) == compute_checksum(line)


def test_writing_to_a_missing_folder_is_rejected(tmp_path: Path) -> None:
    catalogue = read(tmp_path, "\n".join(ISS))
    with pytest.raises(InputError, match="cannot be written"):
        write_tle(tmp_path / "absent" / "out.tle", catalogue.sets)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["elements.txt"]
