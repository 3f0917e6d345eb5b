"""``run.json``: the inputs, versions and progress of the run that wrote a trace."""

from __future__ import annotations

import dataclasses
import hashlib
import importlib.metadata
import json
import platform
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any, Final

import numpy as np

from twin.errors import InputError
from twin.records import documented
from twin.results.durable import write_whole
from twin.results.tables import TABLES
from twin.units import Duration
from twin.version import VERSION
from twin.vocabulary import EventKind

RUN_FILE: Final = "run.json"
LAYOUT: Final = 2
"""Number of the layout of a trace; each incompatible layout increases it."""

_LIBRARIES: Final = ("numpy", "scipy", "pandas", "pyarrow", "sgp4", "skyfield", "simpy")
_CHANGES_NO_ROW: Final = frozenset({"trace.flush"})
_ABSENT: Final = object()
_RENAMED_KINDS: Final = ", ".join(
    f"{old} -> {new}"
    for old, new in (
        ("attach", EventKind.SERVICE_START),
        ("detach", EventKind.SERVICE_END),
        ("satellite", EventKind.HARD),
    )
)
"""Event kinds of layout 1 that have other names in layout 2."""
_NEEDED: Final[dict[str, type]] = {
    "layout": int,
    "status": str,
    "last_durable_epoch": int,
    "tables": list,
    "scenario": dict,
    "scenario_sha256": str,
    "inputs": dict,
    "seed": int,
    "versions": dict,
    "notes": dict,
}


def file_sha256(path: Path) -> str:
    """SHA-256 of a file, in hexadecimal."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def versions() -> dict[str, str]:
    """Versions of Python, of this package and of the libraries that its results depend on."""
    found = {"python": platform.python_version(), "twin": VERSION}
    return found | {name: importlib.metadata.version(name) for name in _LIBRARIES}


@documented
@dataclass(frozen=True, slots=True, kw_only=True)
class Manifest:
    """Everything that a run depends on: enough to repeat it."""

    name: str
    """Name of the scenario."""
    scenario: Mapping[str, Any]
    """The scenario with all defaults resolved."""
    scenario_sha256: str
    """Hash of the scenario; runs with different hashes are different runs."""
    inputs: Mapping[str, str]
    """SHA-256 of each input file, by file name."""
    seed: int
    """Seed of all random streams."""
    versions: Mapping[str, str] = field(default_factory=versions)
    """Versions of Python, twin and the libraries."""
    epochs: int | None = None
    """Number of epochs of the whole run; None means unknown."""
    notes: Mapping[str, Any] = field(default_factory=dict)
    """Further information, such as satellites that were masked."""

    def plain(self) -> dict[str, Any]:
        """The manifest as JSON types."""
        members = dataclasses.fields(self)
        return {member.name: plain(getattr(self, member.name)) for member in members}


def plain(value: Any) -> Any:
    """Convert a value to JSON types.

    >>> plain({"every": Duration.parse("15s"), "ids": np.array([1, 2])})
    {'every': '15s', 'ids': [1, 2]}

    Raises
    ------
    ValueError
        If its type has no JSON form.
    """
    if value is None or isinstance(value, bool | str):
        return value
    if isinstance(value, Duration | Path):
        return str(value)
    if isinstance(value, int | float):
        return value
    if isinstance(value, np.datetime64):
        return str(value)
    if isinstance(value, np.generic):
        return plain(value.item())
    if isinstance(value, np.ndarray):
        return plain(list(value.flat) if value.ndim < 2 else list(value))
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, Mapping):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [plain(item) for item in value]
    raise ValueError(f"{type(value).__name__} cannot be written to {RUN_FILE}")


def initial_record(manifest: Manifest, tables: list[str]) -> dict[str, Any]:
    """The content of ``run.json`` at the start of a run."""
    now = _now()
    progress = {"status": "running", "last_durable_epoch": -1, "created": now, "updated": now}
    return {"layout": LAYOUT, **progress, "tables": tables, "resumed": [], **manifest.plain()}


def write_run(directory: Path, run: dict[str, Any]) -> None:
    """Write ``run.json`` atomically, with the current time as ``updated``."""
    run["updated"] = _now()
    text = json.dumps(run, indent=2, allow_nan=False) + "\n"
    write_whole(directory / RUN_FILE, lambda stream: stream.write(text.encode()))


def read_run(directory: Path) -> dict[str, Any]:
    """Read ``run.json``.

    Raises
    ------
    InputError
        If there is none, another version wrote it in another layout, or it is damaged.
    """
    path = directory / RUN_FILE
    if not path.is_file():
        above = directory.parent
        hint = f'; did you mean "{above}"?' if (above / RUN_FILE).is_file() else ""
        raise InputError(f"{directory}: no trace here ({RUN_FILE} is missing){hint}")
    try:
        run = json.loads(path.read_bytes())
    except ValueError as error:
        run, fault = None, str(error)
    else:
        _check_layout(directory, run)
        fault = _fault(run)
    if fault:
        raise InputError(
            f"{path}: damaged ({fault}); restore it from a copy, or start a new run in another directory"
            " (pandas can still read the tables)"
        )
    return dict(run)


def check_same(directory: Path, run: Mapping[str, Any], manifest: Manifest) -> None:
    """Refuse to resume a trace that another scenario, input, seed or version of twin began.

    Raises
    ------
    InputError
        If anything differs that rows may depend on; the message has one line per difference.
    """
    lines = list(_differences(run, manifest.plain()))
    if lines:
        raise InputError(
            f"{directory}: cannot be resumed, because it was begun by a different run:\n"
            + "".join(f"  {line}\n" for line in lines)
            + "Restore the previous values, or start a new run in another directory."
        )


def _differences(old: Mapping[str, Any], new: Mapping[str, Any]) -> Iterator[str]:
    named = set()
    if old["scenario_sha256"] != new["scenario_sha256"]:
        for path, before, after in _changes(old["scenario"], new["scenario"]):
            if path not in _CHANGES_NO_ROW:
                named.add(path)
                yield f"{path}: {_shown(before)} -> {_shown(after)}"
        if not named:
            yield f"scenario_sha256: {_shown(old['scenario_sha256'])} -> {_shown(new['scenario_sha256'])}"
    if old["seed"] != new["seed"] and "seed" not in named:
        yield f"seed: {old['seed']} -> {new['seed']}"
    for path, before, after in _changes(old["inputs"], new["inputs"]):
        yield f"input {path}: sha256 {_shown(before)} -> {_shown(after)}"
    before, after = (run["versions"].get("twin", _ABSENT) for run in (old, new))
    if before != after:
        yield f"version of twin: {_shown(before)} -> {_shown(after)}"


def _changes(old: Any, new: Any, path: str = "") -> Iterator[tuple[str, Any, Any]]:
    """Values that differ between two trees, as (path, old, new)."""
    if isinstance(old, dict) and isinstance(new, dict):
        for key in [*old, *(key for key in new if key not in old)]:
            inner = f"{path}.{key}" if path else key
            yield from _changes(old.get(key, _ABSENT), new.get(key, _ABSENT), inner)
    elif isinstance(old, list) and isinstance(new, list) and len(old) == len(new):
        for place, (before, after) in enumerate(zip(old, new, strict=True)):
            yield from _changes(before, after, f"{path}[{place}]")
    elif old != new or type(old) is not type(new):
        yield path, old, new


def _shown(value: Any) -> str:
    return "(absent)" if value is _ABSENT else json.dumps(value, ensure_ascii=False)


def _check_layout(directory: Path, run: Any) -> None:
    """Refuse a trace that another version of twin wrote in another layout."""
    layout = run.get("layout") if isinstance(run, dict) else None
    if not isinstance(layout, int) or layout == LAYOUT:
        return
    if layout > LAYOUT:
        raise InputError(
            f"{directory}: written by a later version of twin (layout {layout}; this version reads {LAYOUT});"
            " update twin to use it"
        )
    raise InputError(
        f"{directory}: written by an earlier version of twin (layout {layout}; this version reads {LAYOUT})\n"
        f"event kinds have changed: {_RENAMED_KINDS}\n"
        "the unit of times has changed: nanoseconds -> microseconds\n"
        "pandas still reads the tables; this version needs a new run, in a new directory"
    )


def _fault(run: Any) -> str:
    if not isinstance(run, dict):
        return "it is not a JSON object"
    for key, kind in _NEEDED.items():
        if not isinstance(run.get(key), kind):
            return f'"{key}" is missing or not of type {kind.__name__}'
    if unknown := sorted(set(map(str, run["tables"])) - set(TABLES)):
        return f"unknown tables {unknown}"
    return ""


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")
