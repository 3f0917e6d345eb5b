"""Report on a catalogue: records used and dropped, and the age of the elements."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from twin.arrays import FloatArray, IntArray, TimeArray
from twin.catalogue.elements import DAY_NS, ElementSet
from twin.records import documented

OLD_DAYS: Final = 14.0
"""Age above which the summary warns: elements of low orbits are accurate for one to two weeks."""

SHOWN: Final = 10
"""Largest number of dropped records that the summary lists one by one."""


@documented
@dataclass(frozen=True, slots=True, kw_only=True)
class Dropped:
    """A record that is not used, and the reason."""

    source: str
    """Name of the file."""
    line: int
    """Line of the file (TLE, CSV) or number of the record (JSON, XML), from 1."""
    norad_id: int | None
    """Catalogue number. None means that it could not be read."""
    name: str
    """Name, or an empty string."""
    reason: str
    """Cause, as text."""


@documented
@dataclass(frozen=True, slots=True, kw_only=True)
class FileHealth:
    """Properties of one file."""

    source: str
    """Name of the file."""
    format: str
    """"TLE", "OMM CSV", "OMM JSON" or "OMM XML"."""
    sha256: str
    """Hexadecimal digest of its bytes."""
    read: int
    """Number of records, usable or not."""


@documented
@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class CatalogueHealth:
    """Report on a catalogue; read = used + dropped + duplicates."""

    files: tuple[FileHealth, ...]
    """The files, in the given order."""
    read: int
    """Number of records in all files."""
    used: int
    """Number of element sets in use; several sets of one satellite are its history."""
    dropped: tuple[Dropped, ...] = field(repr=False)
    """Records that are damaged or excluded by a selection."""
    duplicates: int
    """Number of element sets replaced by a later one of the same satellite and epoch."""
    unmatched: tuple[str, ...] = ()
    """Messages about names and catalogue numbers of a selection that the catalogue does not contain."""
    norad_ids: IntArray = field(repr=False)
    """(N,) catalogue number of each element set, ascending."""
    epochs: TimeArray = field(repr=False)
    """(N,) epoch of each element set (UTC, ns), ascending within a satellite."""

    @property
    def satellites(self) -> int:
        """Number of satellites."""
        return len(np.unique(self.norad_ids))

    @property
    def oldest_epoch(self) -> np.datetime64:
        """Epoch of the oldest element set (UTC, ns)."""
        return np.datetime64(self.epochs.min())

    @property
    def newest_epoch(self) -> np.datetime64:
        """Epoch of the newest element set (UTC, ns)."""
        return np.datetime64(self.epochs.max())

    def ages_days(self, at: np.datetime64) -> FloatArray:
        """Age of the element set of each satellite in use at an instant.

        Returns
        -------
        (S,) days, in ascending order of catalogue number; negative if all sets are later than `at`.
        """
        epochs = self.epochs[in_use(self.norad_ids, self.epochs, at)]
        return np.asarray((at.astype("M8[ns]") - epochs) / np.timedelta64(DAY_NS, "ns"), dtype=np.float64)

    def summary(self, at: np.datetime64) -> list[str]:
        """Lines of text: what was read, and how old the elements are at a UTC instant."""
        lines = [f"{file.source}: {file.format}, {file.read:,} records" for file in self.files]
        lines.append(
            f"read {self.read:,}, used {self.used:,} of {self.satellites:,} satellites,"
            f" dropped {len(self.dropped):,}, duplicates {self.duplicates:,}"
        )
        lines.append(f"epochs {_minute(self.oldest_epoch)} to {_minute(self.newest_epoch)}")
        ages = self.ages_days(at)
        span = f"{ages.min():.1f} to {ages.max():.1f} days"
        lines.append(f"age at {_minute(at)}: median {np.median(ages):.1f} days, {span}")
        if old := int((np.abs(ages) > OLD_DAYS).sum()):
            lines.append(f"warning: {old:,} satellites have elements more than {OLD_DAYS:.0f} days from this instant")
        lines += [f"warning: {words}" for words in self.unmatched]
        return lines + _dropped_lines(self.dropped)


def in_use(norad_ids: IntArray, epochs: TimeArray, at: np.datetime64) -> NDArray[np.intp]:
    """Choose the element set of each satellite at an instant: the newest before it, otherwise the first.

    Parameters
    ----------
    norad_ids
        (N,) ascending.
    epochs
        (N,) ascending within a satellite.
    at
        UTC.

    Returns
    -------
    (S,) indices in the N sets, in ascending order of catalogue number.

    >>> ids, days = np.array([5, 5, 9]), np.array(["2026-05-01", "2026-05-08", "2026-05-08"], "M8[ns]")
    >>> in_use(ids, days, np.datetime64("2026-05-07")).tolist()
    [0, 2]
    """
    _, first = np.unique(norad_ids, return_index=True)
    before = np.add.reduceat((epochs <= at.astype("M8[ns]")).astype(np.intp), first)
    return np.asarray(first + np.maximum(before - 1, 0), dtype=np.intp)


def health_fields(sets: Sequence[ElementSet]) -> dict[str, Any]:
    """Fields of `CatalogueHealth` that depend on the sets in use only; the sets are sorted as in a catalogue."""
    norad_ids = np.array([item.norad_id for item in sets], dtype=np.int64)
    epochs = np.array([item.epoch for item in sets], dtype="M8[ns]")
    norad_ids.flags.writeable = epochs.flags.writeable = False
    return {"used": len(sets), "norad_ids": norad_ids, "epochs": epochs}


def _minute(instant: np.datetime64) -> str:
    return f"{instant.astype('M8[m]')}Z"


def _dropped_lines(dropped: Sequence[Dropped]) -> list[str]:
    """List reasons of few records one by one; count the records of the others."""
    counts = Counter(item.reason for item in dropped)
    frequent = [(count, reason) for reason, count in counts.items() if count > 3]
    lines = [f"dropped {count:,}: {reason}" for count, reason in sorted(frequent, reverse=True)]
    single = [item for item in dropped if counts[item.reason] <= 3]
    for item in single[:SHOWN]:
        label = item.name or (str(item.norad_id) if item.norad_id is not None else "a record")
        lines.append(f"dropped {label} ({item.source}:{item.line}): {item.reason}")
    if len(single) > SHOWN:
        lines.append(f"dropped {len(single) - SHOWN:,} more, for various reasons")
    return lines
