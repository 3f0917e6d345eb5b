"""``twin catalogue``: info, walker, fetch."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any

import typer

from twin.cli.output import say
from twin.cli.usage import Commands, real_number, whole_number
from twin.errors import InputError
from twin.text import counted

app = typer.Typer(
    cls=Commands, help="Read, generate and fetch element sets.", rich_markup_mode=None, add_completion=False
)


@app.command()
def info(
    files: Annotated[list[Path], typer.Argument(metavar="FILE...", help="TLE or OMM (CSV, JSON, XML) files.")],
    at: Annotated[
        str | None,
        typer.Option("--at", metavar="INSTANT", help="Instant at which element ages are computed; now by default."),
    ] = None,
) -> None:
    """Report the content, unusable records and element ages of catalogue files."""
    import numpy as np

    from twin.catalogue import read_catalogue
    from twin.units import instant

    when = instant(datetime.now(UTC) if at is None else _instant("--at", at))
    catalogue = read_catalogue([_existing(file) for file in files])
    say(*catalogue.health.summary(when))
    in_use = catalogue.sets_at(when)
    for label, name, unit in (
        ("perigee", "perigee_km", "km"),
        ("apogee", "apogee_km", "km"),
        ("inclination", "inclination_deg", "deg"),
    ):
        values = np.array([getattr(one, name) for one in in_use], dtype=np.float64)
        say(f"{label} {values.min():.1f} to {values.max():.1f} {unit}, median {np.median(values):.1f}")


@app.command()
def walker(
    pattern: Annotated[str, typer.Argument(metavar="delta|star", help="Planes spread over 360 or over 180 degrees.")],
    planes: Annotated[int, typer.Option(parser=whole_number("--planes"), metavar="N", help="Orbital planes.")],
    per_plane: Annotated[
        int, typer.Option(parser=whole_number("--per-plane"), metavar="N", help="Satellites in each plane.")
    ],
    altitude_km: Annotated[
        float,
        typer.Option(parser=real_number("--altitude-km"), metavar="KM", help="Altitude above a sphere of 6378.135 km."),
    ],
    inclination_deg: Annotated[
        float, typer.Option(parser=real_number("--inclination-deg"), metavar="DEG", help="Inclination.")
    ],
    epoch: Annotated[str, typer.Option(metavar="INSTANT", help="Epoch of all elements, such as 2026-01-01T00:00:00Z.")],
    out: Annotated[Path, typer.Option(metavar="FILE", help="File to write; an existing file is replaced.")],
    phasing: Annotated[
        int,
        typer.Option(
            parser=whole_number("--phasing"),
            metavar="N",
            help="Phase offset between adjacent planes, N x 360/T degrees.",
        ),
    ] = 0,
    first_norad_id: Annotated[
        int,
        typer.Option(
            parser=whole_number("--first-norad-id"), metavar="ID", help="Catalogue number of the first satellite."
        ),
    ] = 90_000,
    name_prefix: Annotated[str, typer.Option(metavar="TEXT", help="Prefix of the satellite names.")] = "WALKER",
) -> None:
    """Write a Walker constellation as a TLE file."""
    from twin.units import instant

    parameters: dict[str, Any] = {
        "pattern": pattern,
        "planes": planes,
        "per_plane": per_plane,
        "altitude_km": altitude_km,
        "inclination_deg": inclination_deg,
        "phasing": phasing,
        "epoch": instant(_instant("--epoch", epoch)),
        "first_norad_id": first_norad_id,
        "name_prefix": name_prefix,
    }
    _write_walker(parameters, out)


def _write_walker(parameters: dict[str, Any], out: Path) -> None:
    from twin.catalogue import Walker, walker_text
    from twin.catalogue.files import write_whole

    try:
        constellation = Walker(**parameters)
    except InputError as error:
        key, _, rest = str(error).partition(":")
        option = "the pattern" if key == "pattern" else f"--{key.replace('_', '-')}"
        raise InputError(f"{option}:{rest}") from None
    write_whole(out, walker_text(constellation).encode())
    say(f"{counted(constellation.satellites, 'satellite')} in {counted(constellation.planes, 'plane')}", str(out))


@app.command()
def fetch(
    group: Annotated[str, typer.Argument(metavar="GROUP", help="CelesTrak group, such as starlink, oneweb, stations.")],
    out: Annotated[Path, typer.Option("--out", metavar="DIR", help="Folder for GROUP.csv.")] = Path("catalogues"),
    url: Annotated[
        str | None, typer.Option("--url", metavar="ADDRESS", help="URL of another server, with {group} in it.")
    ] = None,
) -> None:
    """Download the current elements of a group, at most once in two hours."""
    from twin.catalogue.fetch import CELESTRAK
    from twin.catalogue.fetch import fetch as fetch_group

    result = fetch_group(group, out, template=url or CELESTRAK)
    say(f"{result.status}: {result.detail}", f"{counted(result.satellites, 'satellite')}", str(result.path))


def _existing(file: Path) -> Path:
    from twin.scenario.faults import is_there, nearest_file

    if not is_there(file):
        raise InputError(f"{file}: no such file{nearest_file(file)}")
    return file


def _instant(option: str, text: str) -> datetime:
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        raise InputError(f'{option}: found "{text}", must be a date and time, as 2026-01-01T00:00:00Z') from None
