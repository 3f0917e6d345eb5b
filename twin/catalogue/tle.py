"""Read two-line element sets, with or without names, with all checks, and write them.

Columns as documented by Space-Track and CelesTrak; catalogue numbers above 99999 are in Alpha-5 form.
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final, NamedTuple

import numpy as np
from sgp4.alpha5 import from_alpha5
from sgp4.api import WGS72, Satrec
from sgp4.exporter import export_tle

from twin.catalogue.elements import ALPHA5_LARGEST, ElementError, ElementSet, check_ranges, check_satrec
from twin.catalogue.files import write_whole
from twin.catalogue.health import Dropped
from twin.errors import InputError

WIDTH: Final = 69
"""Number of columns of a line."""

TICK_NS: Final = 864_000
"""Resolution of an epoch, 1e-8 day, in nanoseconds."""


class _Column(NamedTuple):
    """A field of a line: name, first and last column (from 1), and regular expression."""

    name: str
    first: int
    last: int
    pattern: str


_HUNDREDS = "(?:  | [0-9]|[0-9]{2})[0-9]"
_NUMBER = "(?:[0-9A-HJ-NP-Z][0-9]{4}| {1,4}[0-9]{1,4})"
_POWER = "[-+ ][0-9]{5}[-+ ][0-9]"

_LINES: Final = {
    1: (
        _Column("line number", 1, 2, "1 "),
        _Column("catalogue number", 3, 7, f"(?P<number>{_NUMBER})"),
        _Column("classification", 8, 9, "[A-Z ] "),
        _Column("international designator", 10, 18, "(?P<designator>[ -~]{8}) "),
        _Column("epoch year", 19, 20, "(?P<year>[0-9]{2})"),
        _Column("epoch day", 21, 33, rf"(?P<day>{_HUNDREDS})\.(?P<ticks>[0-9]{{8}}) "),
        _Column("first derivative of the mean motion", 34, 44, r"[-+ 0-9]\.[0-9]{8} "),
        _Column("second derivative of the mean motion", 45, 53, f"{_POWER} "),
        _Column("B*", 54, 62, f"{_POWER} "),
        _Column("ephemeris type", 63, 64, "[0-9 ] "),
        _Column("element set number", 65, 68, "[ 0-9]{4}"),
        _Column("checksum", 69, 69, "[0-9]"),
    ),
    2: (
        _Column("line number", 1, 2, "2 "),
        _Column("catalogue number", 3, 8, f"(?P<number>{_NUMBER}) "),
        _Column("inclination", 9, 17, rf"(?P<inclination>{_HUNDREDS}\.[0-9]{{4}}) "),
        _Column("right ascension of the ascending node", 18, 26, rf"{_HUNDREDS}\.[0-9]{{4}} "),
        _Column("eccentricity", 27, 34, "(?P<eccentricity>[0-9]{7}) "),
        _Column("argument of perigee", 35, 43, rf"{_HUNDREDS}\.[0-9]{{4}} "),
        _Column("mean anomaly", 44, 52, rf"{_HUNDREDS}\.[0-9]{{4}} "),
        _Column("mean motion", 53, 63, r"(?P<motion>[ 0-9][0-9]\.[0-9]{8})"),
        _Column("revolution number", 64, 68, "[ 0-9]{5}"),
        _Column("checksum", 69, 69, "[0-9]"),
    ),
}
_TEMPLATES: Final = {
    number: re.compile("".join(column.pattern for column in columns)) for number, columns in _LINES.items()
}

_ELEMENT_LINE = re.compile(r"[12](?:$| [ 0-9A-Za-z](?:[ 0-9]{4}|[0-9]{0,3}$))|[0-9] .{58}")
"""Matches a line of elements, possibly truncated or damaged, but not a name."""

_CHECKSUM_VALUE = bytes(int(chr(code)) if chr(code) in "0123456789" else code == ord("-") for code in range(256))
"""Contribution of each character code to the checksum."""

_NAME_ALONE = "a name without elements"

_DESIGNATOR = re.compile(r"([0-9]{2})([0-9]{3}[A-Z]{1,3})")


@dataclass(frozen=True, slots=True, kw_only=True)
class _Line:
    """A non-blank line and its number."""

    at: int
    text: str

    @property
    def norad_id(self) -> int | None:
        return _catalogue_number(self.text[2:7])


@dataclass(slots=True, kw_only=True)
class _Pending:
    """Lines of an incomplete element set."""

    name: _Line | None = None
    first: _Line | None = None


def looks_like_tle(text: str) -> bool:
    """Whether a text contains a line of elements, damaged or not."""
    return re.search(r"(?m)^[ \t]*[12] [ 0-9A-Za-z][ 0-9]{4}.{12}", text) is not None


def parse_tle(text: str, where: str) -> tuple[list[ElementSet], list[Dropped]]:
    """Read the element sets of a text of two or three lines each.

    Comments (#), blank lines, the leading "0 " of a name, and text after a space in column 70 are ignored. A damaged
    set is dropped, the others are kept.

    Parameters
    ----------
    text
        Text of the file; each line ends with a newline.
    where
        Path or name of the file; its last part is stored with each set.
    """
    sets: list[ElementSet] = []
    dropped: list[Dropped] = []
    for item in _records(text, Path(where).name):
        if isinstance(item, Dropped):
            dropped.append(item)
        else:
            sets.append(item)
    return sets, dropped


def _records(text: str, source: str) -> Iterator[ElementSet | Dropped]:
    pending = _Pending()
    for at, raw in enumerate(text.split("\n"), start=1):
        stripped = raw.strip()
        if not stripped or stripped.startswith("#"):
            continue
        line = _Line(at=at, text=stripped)
        if _ELEMENT_LINE.match(stripped) is None:
            yield from _incomplete(pending, source)
            pending = _Pending(name=line)
        elif pending.first is not None and not stripped.startswith("1"):
            yield _element_set(pending, line, source)
            pending = _Pending()
        elif stripped.startswith("2"):
            yield _dropped(line, pending.name, source, "line 2 without a line 1 before it")
            pending = _Pending()
        else:
            if pending.first is not None:
                yield from _incomplete(pending, source)
                pending.name = None
            pending.first = line
    yield from _incomplete(pending, source)


def _incomplete(pending: _Pending, source: str) -> Iterator[Dropped]:
    if pending.first is not None:
        yield _dropped(pending.first, pending.name, source, "line 1 without a line 2 after it")
    elif pending.name is not None:
        name = _name(pending.name)
        yield Dropped(source=source, line=pending.name.at, norad_id=None, name=name, reason=_NAME_ALONE)


def _dropped(line: _Line, name: _Line | None, source: str, reason: str) -> Dropped:
    return Dropped(source=source, line=line.at, norad_id=line.norad_id, name=_name(name), reason=reason)


def _name(line: _Line | None) -> str:
    if line is None:
        return ""
    text = line.text[2:] if line.text.startswith("0 ") else line.text
    return " ".join(text.split())


def _element_set(pending: _Pending, second: _Line, source: str) -> ElementSet | Dropped:
    first = pending.first
    assert first is not None
    try:
        return _read_pair(first, second, _name(pending.name), source)
    except ElementError as fault:
        at, name = (second.at if fault.line == second.at else first.at), _name(pending.name)
        return Dropped(source=source, line=at, norad_id=first.norad_id, name=name, reason=str(fault))


def _read_pair(first: _Line, second: _Line, name: str, source: str) -> ElementSet:
    one, two = _columns(first, 1), _columns(second, 2)
    norad_id = _catalogue_number(one["number"])
    if norad_id is None or norad_id < 1:
        raise ElementError(f'catalogue number "{one["number"]}" is not above 0', line=first.at)
    if norad_id != _catalogue_number(two["number"]):
        raise ElementError(f'catalogue number "{two["number"]}" on line 2, "{one["number"]}" on line 1', line=second.at)
    check_ranges(
        eccentricity=float(f"0.{two['eccentricity']}"),
        inclination_deg=float(two["inclination"]),
        mean_motion_rev_day=float(two["motion"]),
    )
    epoch = _epoch(int(one["year"]), int(one["day"]), int(one["ticks"]))
    satrec = Satrec.twoline2rv(first.text[:WIDTH].upper(), second.text[:WIDTH].upper(), WGS72)
    check_satrec(satrec)
    return ElementSet(
        norad_id=norad_id,
        name=name or str(norad_id),
        designator=_designator(one["designator"].strip()),
        epoch=epoch,
        satrec=satrec,
        source=source,
        line=first.at,
    )


def _columns(line: _Line, number: int) -> re.Match[str]:
    """Check width, columns and checksum of a line, and match its fields."""
    if len(line.text) < WIDTH:
        raise ElementError(f"line {number} has {len(line.text)} columns, expected {WIDTH}", line=line.at)
    if line.text[WIDTH : WIDTH + 1].strip():
        raise ElementError(f"line {number} continues after column {WIDTH} without a space", line=line.at)
    text = line.text[:WIDTH].upper()
    found = _TEMPLATES[number].fullmatch(text)
    if found is None:
        raise ElementError(f"line {number}: {_first_fault(text, number)}", line=line.at)
    if (expected := checksum(text)) != int(text[-1]):
        raise ElementError(f"line {number}: checksum {text[-1]}, expected {expected}", line=line.at)
    return found


def checksum(line: str) -> int:
    """Sum of the digits of columns 1 to 68, modulo 10; a minus sign counts as 1.

    The function of the sgp4 library gives the same result, but would take half of the reading time.
    """
    return sum(line[: WIDTH - 1].encode("ascii").translate(_CHECKSUM_VALUE)) % 10


def _first_fault(text: str, number: int) -> str:
    for name, first, last, pattern in _LINES[number]:
        if re.fullmatch(pattern, text[first - 1 : last]) is None:
            return f'{name} (columns {first} to {last}) is "{text[first - 1 : last]}"'
    return "the columns do not fit"


def _catalogue_number(text: str) -> int | None:
    return int(from_alpha5(text)) if re.fullmatch(_NUMBER, text) else None


def _designator(text: str) -> str:
    """Convert an international designator to its long form.

    >>> _designator("98067A"), _designator("26067CY"), _designator("")
    ('1998-067A', '2026-067CY', '')
    """
    if (found := _DESIGNATOR.fullmatch(text)) is None:
        return text
    return f"{1900 + int(found[1]) + 100 * (int(found[1]) < 57)}-{found[2]}"


def _epoch(two_digit_year: int, day: int, ticks: int) -> np.datetime64:
    if not 1 <= day <= 366:
        raise ElementError(f"epoch day {day} is outside 1 to 366")
    year = 1900 + two_digit_year + 100 * (two_digit_year < 57)
    start = np.datetime64(f"{year}-01-01T00:00:00", "ns")
    return np.datetime64(start + np.timedelta64(((day - 1) * 10**8 + ticks) * TICK_NS, "ns"))


def tle_text(sets: Iterable[ElementSet]) -> str:
    """Format element sets as text, with name, line 1 and line 2 of each.

    Raises
    ------
    InputError
        If a set has no TLE form: its catalogue number is too large, or an angle is outside 0 to 360 degrees.
    """
    lines: list[str] = []
    for item in sets:
        if item.norad_id > ALPHA5_LARGEST:
            raise InputError(
                f"{item.name}: catalogue number {item.norad_id} has no TLE form; Alpha-5 ends at {ALPHA5_LARGEST}"
            )
        try:
            pair: tuple[str, str] = export_tle(item.satrec)
        except ValueError as fault:
            raise InputError(f"{item.name} ({item.norad_id}) has no TLE form: {fault.args}") from None
        if any(len(line) != WIDTH for line in pair):
            raise InputError(f"{item.name} ({item.norad_id}) has no TLE form: a number does not fit its columns")
        lines += [item.name, *pair]
    return "".join(f"{line}\n" for line in lines)


def write_tle(path: Path, sets: Sequence[ElementSet]) -> None:
    """Write element sets to a file atomically.

    Raises
    ------
    InputError
        See `tle_text`; also if the file cannot be written.
    """
    write_whole(Path(path), tle_text(sets).encode())
