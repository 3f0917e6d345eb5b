"""Read catalogue files: detect the format of each, and join them into one catalogue."""

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Final

from twin.catalogue.catalogue import Catalogue
from twin.catalogue.elements import ElementSet
from twin.catalogue.files import read_bytes
from twin.catalogue.health import CatalogueHealth, Dropped, FileHealth, health_fields
from twin.catalogue.omm import csv_records, json_records, parse_omm, xml_records
from twin.catalogue.tle import looks_like_tle, parse_tle
from twin.errors import InputError
from twin.records import documented

Parser = Callable[[str, str], tuple[list[ElementSet], list[Dropped]]]
"""Parses a text, given the path or name of its file, into usable sets and dropped records."""

FORMATS: Final[dict[str, Parser]] = {
    "TLE": parse_tle,
    "OMM CSV": partial(parse_omm, csv_records),
    "OMM JSON": partial(parse_omm, json_records),
    "OMM XML": partial(parse_omm, xml_records),
}
"""Parser of each format."""


@documented
@dataclass(frozen=True, slots=True, kw_only=True)
class Contents:
    """Content of one file."""

    file: FileHealth
    """Properties of the file."""
    sets: tuple[ElementSet, ...]
    """Usable element sets, in file order."""
    dropped: tuple[Dropped, ...]
    """Unusable records."""


def read_catalogue(paths: Sequence[Path]) -> Catalogue:
    """Read one or several files of element sets, each TLE or OMM (CSV, JSON, XML), into one catalogue.

    Sets of one satellite at different epochs are its history. Of several sets at one epoch the last is used: the one
    in the file with the newest elements, and within a file the last one.

    Parameters
    ----------
    paths
        The files; the format of each is detected from its content.

    Raises
    ------
    InputError
        If a file cannot be read, has another format or contains no usable element set.
    """
    if isinstance(paths, str | Path):
        paths = [paths]
    if not paths:
        raise InputError("no catalogue file given; name at least one file of element sets (TLE or OMM)")
    return assemble([read_contents(read_bytes(Path(path)), str(path)) for path in paths])


def read_contents(content: bytes, where: str) -> Contents:
    """Parse the bytes of a file.

    Parameters
    ----------
    content
        The bytes.
    where
        Path or name for messages; its last part is stored as the source of each set.

    Raises
    ------
    InputError
        If the file is not one of element sets, or contains no usable one.
    """
    text = _decode(content, where)
    format_name = _sniff(text, where)
    sets, dropped = FORMATS[format_name](text, where)
    if not sets:
        first = f"; first fault: line or record {dropped[0].line}: {dropped[0].reason}" if dropped else ""
        raise InputError(
            f"{where}: none of {len(dropped)} records ({format_name}) is a usable element set{first}"
            if dropped
            else f"{where}: no element set in it ({format_name})"
        )
    file = FileHealth(
        source=Path(where).name,
        format=format_name,
        sha256=hashlib.sha256(content).hexdigest(),
        read=len(sets) + len(dropped),
    )
    return Contents(file=file, sets=tuple(sets), dropped=tuple(dropped))


def assemble(contents: Sequence[Contents]) -> Catalogue:
    """Join files into one catalogue; of several sets of one satellite and epoch the last is used."""
    latest: dict[tuple[int, int], ElementSet] = {}
    for item in sorted(contents, key=_newest_epoch):
        for one in item.sets:
            latest[one.norad_id, int(one.epoch.astype("i8"))] = one
    sets = tuple(latest[key] for key in sorted(latest))
    health = CatalogueHealth(
        files=tuple(item.file for item in contents),
        read=sum(item.file.read for item in contents),
        dropped=tuple(fault for item in contents for fault in item.dropped),
        duplicates=sum(len(item.sets) for item in contents) - len(sets),
        **health_fields(sets),
    )
    return Catalogue(sets=sets, health=health)


def _newest_epoch(contents: Contents) -> int:
    return max(int(one.epoch.astype("i8")) for one in contents.sets)


def _decode(content: bytes, where: str) -> str:
    if content.startswith((b"\x1f\x8b", b"PK\x03\x04")):
        raise InputError(f"{where}: is a compressed file; unpack it first")
    wide = content.startswith((b"\xff\xfe", b"\xfe\xff"))
    if b"\0" in content and not wide:
        raise InputError(f"{where}: is a binary file, expected element sets as text (TLE or OMM)")
    try:
        text = content.decode("utf-16" if wide else "utf-8-sig")
    except UnicodeDecodeError:
        # only names can contain such bytes: every column of elements is checked to be ASCII
        text = content.decode("latin-1")
    return text.replace("\r\n", "\n").replace("\r", "\n")


def _sniff(text: str, where: str) -> str:
    start = text.lstrip()[:2000]
    if not start:
        raise InputError(f"{where}: is empty, expected element sets (TLE or OMM)")
    first_line = start.splitlines()[0]
    if start.startswith("<") and "html" in start.lower():
        raise InputError(f"{where}: is a web page, possibly a server's error page; expected TLE or OMM")
    if looks_like_tle(text):
        return "TLE"
    if start.startswith("<"):
        return "OMM XML"
    if start.startswith(("[", "{")):
        return "OMM JSON"
    if "," in first_line and "NORAD_CAT_ID" in first_line.upper():
        return "OMM CSV"
    known = "OMM in KVN form is not read" if "CCSDS_OMM_VERS" in start else f'it begins "{_shown(first_line)}"'
    raise InputError(f"{where}: holds no element sets; {known}; expected TLE lines, or OMM as CSV, JSON or XML")


def _shown(line: str) -> str:
    return "".join(letter if letter.isprintable() else "?" for letter in line[:60])
