"""Read places from a CSV file with the columns latitude_deg, longitude_deg and, optionally, altitude_km and name."""

import csv
import math
from pathlib import Path
from typing import Final

from twin.errors import InputError, did_you_mean, listed
from twin.geometry.terminals.groups import Place, PlaceFile
from twin.geometry.terminals.places import wrapped_deg

_LIMITS: Final = {
    "latitude_deg": (-90.0, 90.0),
    "longitude_deg": (-180.0, 360.0),
    "altitude_km": (-0.5, 100.0),
}
_REQUIRED: Final = ("latitude_deg", "longitude_deg")
_COLUMNS: Final = (*_LIMITS, "name")


def csv_places(file: PlaceFile) -> list[Place]:
    """Read the places of a file.

    Raises
    ------
    InputError
        If the file is not found or empty, a column is missing or unknown, or a value is not a number or out of range.
        The message names the file and the line.
    """
    lines = _lines(file.path)
    if not lines:
        raise InputError(f"{file.path}: is empty; the first line must name the columns {listed(_REQUIRED)}")
    header_line, header = lines[0]
    columns = [word.strip() for word in header]
    _check_header(f"{file.path}:{header_line}", columns)
    places = []
    for number, cells in lines[1:]:
        where = f"{file.path}:{number}"
        if len(cells) != len(columns):
            raise InputError(f"{where}: {len(cells)} values for {len(columns)} columns ({','.join(columns)})")
        row = {column: cell.strip() for column, cell in zip(columns, cells, strict=True)}
        altitude = row.get("altitude_km")
        places.append(
            Place(
                latitude_deg=_number(where, "latitude_deg", row["latitude_deg"]),
                longitude_deg=wrapped_deg(_number(where, "longitude_deg", row["longitude_deg"])),
                altitude_km=_number(where, "altitude_km", altitude) if altitude else file.altitude_km,
                name=row.get("name") or None,
            )
        )
    if not places:
        raise InputError(f"{file.path}: has a header but no terminals")
    _check_names(file.path, [number for number, _ in lines[1:]], places)
    return places


def _lines(path: Path) -> list[tuple[int, list[str]]]:
    """Line number and cells of every non-blank line."""
    try:
        with path.open(newline="", encoding="utf-8-sig") as file:
            reader = csv.reader(file, strict=True)
            return [(reader.line_num, cells) for cells in reader if any(cell.strip() for cell in cells)]
    except FileNotFoundError:
        folder = path.parent
        hint = did_you_mean(path.name, [entry.name for entry in folder.iterdir()] if folder.is_dir() else [])
        raise InputError(f"{path}: no such file of terminals{hint}") from None
    except (UnicodeDecodeError, csv.Error) as error:
        raise InputError(f"{path}: is not a CSV file in UTF-8 ({error})") from None
    except (OSError, ValueError) as error:
        raise InputError(f"{path}: cannot be read ({getattr(error, 'strerror', None) or error})") from None


def _check_header(where: str, columns: list[str]) -> None:
    unknown = [column for column in columns if column not in _COLUMNS]
    for column in _REQUIRED:
        if column not in columns:
            hint = did_you_mean(column, unknown)
            raise InputError(f'{where}: the column "{column}" is missing (found: {listed(columns)}){hint}')
    if unknown:
        hint = did_you_mean(unknown[0], _COLUMNS)
        raise InputError(f'{where}: unknown column "{unknown[0]}" (known: {listed(_COLUMNS)}){hint}')
    if len(set(columns)) < len(columns):
        raise InputError(f"{where}: a column occurs twice ({listed(columns)})")


def _number(where: str, column: str, text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        raise InputError(f'{where}: {column} = "{text}" is not a number') from None
    low, high = _LIMITS[column]
    if not (math.isfinite(value) and low <= value <= high):
        raise InputError(f"{where}: {column} = {text} must lie from {low:g} to {high:g}")
    return value


def _check_names(path: Path, numbers: list[int], places: list[Place]) -> None:
    line_of: dict[str, int] = {}
    for number, place in zip(numbers, places, strict=True):
        if place.name is None:
            continue
        if place.name in line_of:
            raise InputError(f'{path}:{number}: the name "{place.name}" is already used on line {line_of[place.name]}')
        line_of[place.name] = number
