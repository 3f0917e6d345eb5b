"""Damaged files: the intact records are used, or one message gives the reason."""

import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from twin.catalogue import Walker, read_catalogue, walker_text
from twin.catalogue.read import Contents, read_contents
from twin.errors import InputError

SATELLITES = 6
TEXT = walker_text(
    Walker(
        pattern="delta",
        planes=2,
        per_plane=3,
        altitude_km=550.0,
        inclination_deg=53.0,
        phasing=1,
        epoch=np.datetime64("2026-01-01"),
        first_norad_id=44_713,
    )
)
LINES = TEXT.splitlines()
ELEMENT_LINES = [index for index in range(3 * SATELLITES) if index % 3]
RECORD = {
    "OBJECT_NAME": "ISS",
    "OBJECT_ID": "1998-067A",
    "EPOCH": "2026-06-13T20:02:44.240928",
    "MEAN_MOTION": 15.49,
    "ECCENTRICITY": 0.0005,
    "INCLINATION": 51.6,
    "RA_OF_ASC_NODE": 316.7,
    "ARG_OF_PERICENTER": 182.5,
    "MEAN_ANOMALY": 177.6,
    "NORAD_CAT_ID": 25544,
    "BSTAR": 0.0001,
    "MEAN_MOTION_DOT": 0.0,
    "MEAN_MOTION_DDOT": 0.0,
    "REV_AT_EPOCH": 1,
}


def read(lines: list[str]) -> Contents:
    return read_contents("\n".join(lines).encode(), "damaged.tle")


def read_or_explain(content: bytes) -> Contents | None:
    """The contents, or None if the file is rejected with one message that names it."""
    try:
        return read_contents(content, "any")
    except InputError as fault:
        if not str(fault).startswith("any:"):
            raise
        return None


def assert_others_used(contents: Contents, satellite: int) -> None:
    """All satellites but one are used; dropped records are lines of that one only."""
    used = [one.norad_id for one in contents.sets]
    assert used == [44_713 + index for index in range(SATELLITES) if index != satellite]
    assert contents.dropped
    for fault in contents.dropped:
        assert (fault.line - 1) // 3 == satellite
        assert fault.reason


@given(
    index=st.sampled_from(ELEMENT_LINES),
    column=st.integers(min_value=2, max_value=68),
    turn=st.integers(min_value=1, max_value=9),
)
def test_one_wrong_digit_drops_one_satellite(index: int, column: int, turn: int) -> None:
    line = LINES[index]
    if not line[column].isdigit():
        return
    wrong = str((int(line[column]) + turn) % 10)
    damaged = [*LINES[:index], line[:column] + wrong + line[column + 1 :], *LINES[index + 1 :]]
    contents = read(damaged)
    assert_others_used(contents, index // 3)
    assert len(contents.dropped) == 1


@given(index=st.sampled_from(ELEMENT_LINES), width=st.integers(min_value=0, max_value=68))
def test_a_truncated_line_drops_one_satellite(index: int, width: int) -> None:
    damaged = [*LINES[:index], LINES[index][:width], *LINES[index + 1 :]]
    contents = read(damaged)
    assert_others_used(contents, index // 3)
    assert len(contents.dropped) == 1


# a NUL makes the file binary, which is rejected with another message
LETTERS = st.characters(codec="utf-8", exclude_characters="\0")


@given(index=st.sampled_from(ELEMENT_LINES), column=st.integers(0, 68), letter=LETTERS)
def test_one_wrong_character_never_changes_an_orbit(index: int, column: int, letter: str) -> None:
    line = LINES[index]
    damaged = [*LINES[:index], line[:column] + letter + line[column + 1 :], *LINES[index + 1 :]]
    contents = read(damaged)
    intact = {one.norad_id: one.satrec.sgp4_tsince(60.0) for one in read(LINES).sets}
    for one in contents.sets:
        assert one.satrec.sgp4_tsince(60.0) == intact[one.norad_id]
    assert len(contents.sets) >= SATELLITES - 1


@given(index=st.sampled_from(range(3 * SATELLITES)))
def test_a_missing_line_drops_at_most_one_satellite(index: int) -> None:
    contents = read([*LINES[:index], *LINES[index + 1 :]])
    if index % 3:
        assert len(contents.sets) == SATELLITES - 1
        (fault,) = contents.dropped
        assert fault.norad_id == 44_713 + index // 3
    else:
        assert len(contents.sets) == SATELLITES
        assert contents.sets[index // 3].name == str(44_713 + index // 3)


@settings(max_examples=300)
@given(st.binary(max_size=400))
def test_any_bytes_are_read_or_rejected_with_a_reason(content: bytes) -> None:
    contents = read_or_explain(content)
    assert contents is None or contents.sets


@settings(max_examples=300)
@given(data=st.data())
def test_any_damage_is_read_or_rejected_with_a_reason(data: st.DataObject) -> None:
    text = data.draw(st.sampled_from([TEXT, json.dumps([RECORD, RECORD]), csv_of(RECORD), xml_of(RECORD)]))
    content = bytearray(text.encode())
    for _ in range(data.draw(st.integers(1, 5))):
        start = data.draw(st.integers(0, len(content)))
        end = data.draw(st.integers(start, min(len(content), start + 80)))
        content[start:end] = data.draw(st.binary(max_size=12))
    contents = read_or_explain(bytes(content))
    if contents is not None:
        assert contents.file.read == len(contents.sets) + len(contents.dropped)
        for one in contents.sets:
            assert np.all(np.isfinite(one.satrec.sgp4_tsince(0.0)[1]))


JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=30),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=4,
)


@settings(max_examples=300)
@given(key=st.sampled_from(sorted(RECORD)), value=JSON_VALUES)
def test_any_value_of_a_field_is_used_or_rejected_with_a_reason(key: str, value: object) -> None:
    other = RECORD | {"NORAD_CAT_ID": 7}
    contents = read_contents(json.dumps([RECORD | {key: value}, other]).encode(), "any")
    assert len(contents.sets) + len(contents.dropped) == 2
    for one in contents.sets:
        error, position_km, _ = one.satrec.sgp4_tsince(0.0)
        assert error == 0
        assert np.all(np.isfinite(position_km))


def csv_of(record: dict[str, object]) -> str:
    return ",".join(record) + "\n" + ",".join(map(str, record.values())) + "\n"


def xml_of(record: dict[str, object]) -> str:
    fields = "".join(f"<{key}>{value}</{key}>" for key, value in record.items())
    return f"<ndm><omm><body><segment><data>{fields}</data></segment></body></omm></ndm>"


def test_the_forms_damaged_above_are_valid_before() -> None:
    for text in (TEXT, json.dumps([RECORD]), csv_of(RECORD), xml_of(RECORD)):
        assert not read_contents(text.encode(), "any").dropped


def test_one_bad_file_among_several_is_named(tmp_path: Path) -> None:
    (tmp_path / "good.tle").write_text(TEXT)
    (tmp_path / "bad.tle").write_text("<html>")
    with pytest.raises(InputError, match=r"bad\.tle: is a web page"):
        read_catalogue([tmp_path / "good.tle", tmp_path / "bad.tle"])
