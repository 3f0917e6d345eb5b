"""Orbit mean-elements messages (CCSDS 502.0-B) in the CSV, JSON and XML forms of CelesTrak and Space-Track."""

import csv
import io
import json
import math
import re
import xml.etree.ElementTree as ET
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, Final

import numpy as np
from sgp4.api import WGS72, Satrec

from twin.catalogue.elements import (
    ALPHA5_LARGEST,
    DAY_NS,
    NORAD_ID_LARGEST,
    SGP4_EPOCH,
    SGP4_EPOCH_JD,
    ElementError,
    ElementSet,
    check_ranges,
    check_satrec,
)
from twin.catalogue.health import Dropped
from twin.errors import InputError

Fields = Mapping[str, object]
"""A record: value by OMM keyword, as text or as a JSON value."""

RAD_PER_DEG: Final = math.pi / 180.0
REV_DAY_PER_RAD_MIN: Final = 1440.0 / (2.0 * math.pi)
"""Revolutions per day in one radian per minute, SGP4's unit of mean motion."""

_EPOCH = re.compile(
    r"([0-9]{4})-(?:([0-9]{2}-[0-9]{2})|([0-9]{3}))[T ]"
    r"([0-9]{2}:[0-9]{2}:[0-9]{2})(?:\.([0-9]*))?(?:Z|\+00:00)?"
)
_NUMBER = re.compile(r"[-+]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][-+]?[0-9]+)?")
_DESIGNATOR = re.compile(r"[0-9]{2}([0-9]{2})-([0-9]{3}[A-Z]{1,3})")
_THEORY: Final = {
    "REF_FRAME": ("TEME",),
    "TIME_SYSTEM": ("UTC",),
    "CENTER_NAME": ("EARTH",),
    "MEAN_ELEMENT_THEORY": ("SGP4", "SGP/SGP4", "SGP"),
}
"""Allowed values of the optional keywords on frame, time system and theory."""


def csv_records(text: str, where: str) -> Iterator[tuple[int, Fields]]:
    """Yield line number and fields of each row; a row whose width differs from the header has no fields."""
    rows = csv.reader(io.StringIO(text, newline=""))
    try:
        header = [key.strip().upper() for key in next(rows)]
        for row in rows:
            if any(value.strip() for value in row):
                fits = len(row) == len(header)
                yield rows.line_num, dict(zip(header, row, strict=True)) if fits else {}
    except csv.Error as fault:
        raise InputError(f"{where}:{rows.line_num}: the CSV cannot be read: {fault}") from None


def json_records(text: str, where: str) -> Iterator[tuple[int, Fields]]:
    """Yield number and fields of each object of a list, or of a single object."""
    try:
        content = json.loads(text)
    except json.JSONDecodeError as fault:
        raise InputError(f"{where}:{fault.lineno}: the JSON cannot be read: {fault.msg}") from None
    except (ValueError, RecursionError) as fault:
        raise InputError(f"{where}: the JSON cannot be read: {fault}") from None
    for number, record in enumerate(content if isinstance(content, list) else [content], start=1):
        yield number, record if isinstance(record, dict) else {}


def xml_records(text: str, where: str) -> Iterator[tuple[int, Fields]]:
    """Yield number and fields of each segment of an NDM or OMM document."""
    try:
        root = ET.fromstring(text)
    except (ET.ParseError, ValueError) as fault:
        raise InputError(f"{where}: the XML cannot be read: {fault}") from None
    segments = (element for element in root.iter() if _keyword(element) == "segment")
    for number, segment in enumerate(segments, start=1):
        yield number, {_keyword(field): field.text for field in segment.iter() if len(field) == 0}


def _keyword(element: ET.Element) -> str:
    # namespaces differ between versions of the schema, keywords do not
    return str(element.tag).rpartition("}")[2]


def parse_omm(
    records: Callable[[str, str], Iterator[tuple[int, Fields]]], text: str, where: str
) -> tuple[list[ElementSet], list[Dropped]]:
    """Read the element sets of a text; a damaged record is dropped, the others are kept.

    Parameters
    ----------
    records
        `csv_records`, `json_records` or `xml_records`.
    text
        Text of the file.
    where
        Path or name for messages; its last part is stored with each set.

    Raises
    ------
    InputError
        If the text cannot be split into records.
    """
    sets: list[ElementSet] = []
    dropped: list[Dropped] = []
    source = Path(where).name
    for line, fields in records(text, where):
        try:
            sets.append(element_set(fields, source, line))
        except ElementError as fault:
            norad_id = _norad_or_none(fields)
            dropped.append(Dropped(source=source, line=line, norad_id=norad_id, name=_name(fields), reason=str(fault)))
    return sets, dropped


def element_set(fields: Fields, source: str, line: int) -> ElementSet:
    """Make an element set from one record.

    Raises
    ------
    ElementError
        If a required field is missing, a value is not a number or out of range, or SGP4 rejects the elements.
    """
    if not fields:
        raise ElementError("is not a complete record")
    for key, allowed in _THEORY.items():
        if (found := _text(fields, key).upper()) and found not in allowed:
            raise ElementError(f"{key} is {found}, expected {allowed[0]}")
    norad_id = _norad_id(fields)
    epoch = _epoch(_text(fields, "EPOCH"))
    designator = _text(fields, "OBJECT_ID")
    satrec = _satrec(fields, norad_id if norad_id <= ALPHA5_LARGEST else 0, epoch)
    if (launched := _DESIGNATOR.fullmatch(designator)) is not None:
        satrec.intldesg = launched[1] + launched[2]
    check_satrec(satrec)
    return ElementSet(
        norad_id=norad_id,
        name=_name(fields) or str(norad_id),
        designator=designator,
        epoch=epoch,
        satrec=satrec,
        source=source,
        line=line,
    )


def _satrec(fields: Fields, satnum: int, epoch: np.datetime64) -> Any:
    eccentricity = _number(fields, "ECCENTRICITY")
    inclination_deg = _number(fields, "INCLINATION")
    motion = _number(fields, "MEAN_MOTION")
    check_ranges(eccentricity=eccentricity, inclination_deg=inclination_deg, mean_motion_rev_day=motion)
    days, rest_ns = divmod(int((epoch - SGP4_EPOCH).astype(np.int64)), DAY_NS)
    satrec = Satrec()
    satrec.sgp4init(
        WGS72,
        "i",
        satnum,
        days + rest_ns / DAY_NS,
        _number(fields, "BSTAR", 0.0),
        _number(fields, "MEAN_MOTION_DOT", 0.0) / (REV_DAY_PER_RAD_MIN * 1440.0),
        _number(fields, "MEAN_MOTION_DDOT", 0.0) / (REV_DAY_PER_RAD_MIN * 1440.0 * 1440.0),
        eccentricity,
        _number(fields, "ARG_OF_PERICENTER") * RAD_PER_DEG,
        inclination_deg * RAD_PER_DEG,
        _number(fields, "MEAN_ANOMALY") * RAD_PER_DEG,
        motion / REV_DAY_PER_RAD_MIN,
        _number(fields, "RA_OF_ASC_NODE") * RAD_PER_DEG,
    )
    # a single float of days since 1949 resolves only 0.3 µs
    satrec.jdsatepoch, satrec.jdsatepochF = SGP4_EPOCH_JD + days, rest_ns / DAY_NS
    satrec.ephtype = _whole(fields, "EPHEMERIS_TYPE", 0)
    # a TLE has four columns for the element set number and five for the revolution number
    satrec.elnum = _whole(fields, "ELEMENT_SET_NO", 0) % 10_000
    satrec.revnum = _whole(fields, "REV_AT_EPOCH", 0) % 100_000
    return satrec


def _text(fields: Fields, key: str) -> str:
    value = fields.get(key)
    return "" if value is None else str(value).strip()


def _name(fields: Fields) -> str:
    return " ".join(_text(fields, "OBJECT_NAME").split())


def _number(fields: Fields, key: str, default: float | None = None) -> float:
    text = _text(fields, key)
    if not text:
        if default is None:
            raise ElementError(f"{key} is missing")
        return default
    if _NUMBER.fullmatch(text) is None or not math.isfinite(value := float(text)):
        raise ElementError(f'{key} is "{text[:40]}", expected a finite number')
    return value


def _whole(fields: Fields, key: str, default: int | None = None) -> int:
    value = _number(fields, key, default)
    if value != int(value) or not 0 <= value <= NORAD_ID_LARGEST:
        raise ElementError(f"{key} is {value:g}, expected a whole number from 0 to {NORAD_ID_LARGEST}")
    return int(value)


def _norad_id(fields: Fields) -> int:
    if (norad_id := _whole(fields, "NORAD_CAT_ID")) < 1:
        raise ElementError(f"NORAD_CAT_ID is 0, expected 1 to {NORAD_ID_LARGEST}")
    return norad_id


def _norad_or_none(fields: Fields) -> int | None:
    try:
        return _norad_id(fields)
    except ElementError:
        return None


def _epoch(text: str) -> np.datetime64:
    """Parse an epoch such as 2025-06-28T16:09:47.210976; fraction and Z are optional, a day of the year is allowed.

    >>> str(_epoch("2025-179T16:09:47.21Z"))
    '2025-06-28T16:09:47.210000000'
    """
    if not text:
        raise ElementError("EPOCH is missing")
    wrong = ElementError(f'EPOCH is "{text[:40]}", expected a UTC instant such as 2025-06-28T16:09:47.210976')
    if (found := _EPOCH.fullmatch(text)) is None or not 1957 <= int(found[1]) <= 2156:
        raise wrong
    year, date, day, clock, fraction = found.groups()
    try:
        epoch = np.datetime64(f"{year}-{date or '01-01'}T{clock}.{(fraction or '0')[:9]}", "ns")
    except ValueError:
        raise wrong from None
    if day is not None:
        if not 1 <= int(day) <= 366:
            raise wrong
        epoch = np.datetime64(epoch + np.timedelta64((int(day) - 1) * DAY_NS, "ns"))
    return epoch
