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
        str | None, typer.Option("--at", metavar="INSTANT", help="Instant for the ages of elements; now by default.")
    ] = None,
) -> None:
    """Report what files of element sets hold, what is not usable in them, and how old they are."""
    import numpy as np

    from twin.catalogue import read_catalogue
    from twin.units import instant

    when = instant(datetime.now(UTC) if at is None else _instant("--at", at))
    catalogue = read_catalogue([_existing(file) for file in files])
    say(*catalogue.health.summary(when))
    in_use = catalogue.sets_at(when)
    for words, name, unit in (
        ("perigee", "perigee_km", "km"),
        ("apogee", "apogee_km", "km"),
        ("inclination", "inclination_deg", "deg"),
    ):
        values = np.array([getattr(one, name) for one in in_use], dtype=np.float64)
        say(f"{words} {values.min():.1f} to {values.max():.1f} {unit}, median {np.median(values):.1f}")


@app.command()
def walker(
    pattern: Annotated[str, typer.Argument(metavar="delta|star", help="Planes over 360 degrees, or over 180.")],
    planes: Annotated[int, typer.Option(parser=whole_number("--planes"), metavar="N", help="Orbital planes.")],
    per_plane: Annotated[
        int, typer.Option(parser=whole_number("--per-plane"), metavar="N", help="Satellites in each plane.")
    ],
    altitude_km: Annotated[
        float, typer.Option(parser=real_number("--altitude-km"), metavar="KM", help="Height over 6378.135 km.")
    ],
    inclination_deg: Annotated[
        float, typer.Option(parser=real_number("--inclination-deg"), metavar="DEG", help="Inclination.")
    ],
    epoch: Annotated[str, typer.Option(metavar="INSTANT", help="Epoch of all elements, as 2026-01-01T00:00:00Z.")],
    out: Annotated[Path, typer.Option(metavar="FILE", help="File to write; one that is there is replaced.")],
    phasing: Annotated[
        int, typer.Option(parser=whole_number("--phasing"), metavar="N", help="From plane to plane, N x 360/T degrees.")
    ] = 0,
    first_norad_id: Annotated[
        int, typer.Option(parser=whole_number("--first-norad-id"), metavar="ID", help="Catalogue number to count from.")
    ] = 90_000,
    name_prefix: Annotated[str, typer.Option(metavar="TEXT", help="Beginning of the names.")] = "WALKER",
) -> None:
    """Write a Walker constellation as a TLE file."""
    from twin.catalogue import Walker, walker_text
    from twin.catalogue.files import write_whole
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
    try:
        made = Walker(**parameters)
    except InputError as error:
        key, _, rest = str(error).partition(":")
        option = "the pattern" if key == "pattern" else f"--{key.replace('_', '-')}"
        raise InputError(f"{option}:{rest}") from None
    write_whole(out, walker_text(made).encode())
    say(f"{counted(made.satellites, 'satellite')} in {counted(made.planes, 'plane')}", str(out))


@app.command()
def fetch(
    group: Annotated[str, typer.Argument(metavar="GROUP", help="As CelesTrak names it: starlink, oneweb, stations.")],
    out: Annotated[Path, typer.Option("--out", metavar="DIR", help="Folder for GROUP.csv.")] = Path("catalogues"),
    url: Annotated[
        str | None, typer.Option("--url", metavar="ADDRESS", help="Another server, with {group} in its address.")
    ] = None,
) -> None:
    """Get a group's current elements, asking the server no more often than every two hours."""
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
