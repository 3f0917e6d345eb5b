"""Select satellites of a catalogue."""

import math
from collections.abc import Callable, Mapping, Sequence
from fnmatch import fnmatchcase
from typing import NamedTuple

from twin.catalogue.elements import ElementSet
from twin.errors import InputError, did_you_mean, listed

Range = tuple[float, float]
"""Lowest and highest value, inclusive."""


class Criterion(NamedTuple):
    """A condition that a satellite must meet."""

    reason: str
    """Reason reported for a satellite that does not meet it."""
    accepts: Callable[[ElementSet], bool]
    """The condition on the newest element set."""


def criteria(
    *,
    names: Sequence[str],
    exclude_names: Sequence[str],
    norad_ids: Sequence[int],
    exclude_norad_ids: Sequence[int],
    ranges: Mapping[str, Range | None],
) -> list[Criterion]:
    """Make the criteria of a selection, in the order of their application.

    Parameters
    ----------
    names, exclude_names, norad_ids, exclude_norad_ids
        See `Catalogue.select`; an empty sequence means no criterion.
    ranges
        Lowest and highest value by property of `ElementSet`. None means no criterion.

    Raises
    ------
    InputError
        If a range is not a valid interval.
    """
    wanted, unwanted = frozenset(norad_ids), frozenset(exclude_norad_ids)
    found = []
    if norad_ids:
        found.append(Criterion("not in norad_ids", lambda one: one.norad_id in wanted))
    if exclude_norad_ids:
        found.append(Criterion("in exclude_norad_ids", lambda one: one.norad_id not in unwanted))
    if names:
        reason = f"name matches none of {listed(_patterns(names))}"
        found.append(Criterion(reason, lambda one: _matches(one.name, names)))
    if exclude_names:
        reason = f"name matches one of the excluded {listed(_patterns(exclude_names))}"
        found.append(Criterion(reason, lambda one: not _matches(one.name, exclude_names)))
    return found + [_within(key, limits) for key, limits in ranges.items() if limits is not None]


def _patterns(names: Sequence[str]) -> Sequence[str]:
    return [names] if isinstance(names, str) else names


def _matches(name: str, patterns: Sequence[str]) -> bool:
    return any(fnmatchcase(name.upper(), pattern.upper()) for pattern in _patterns(patterns))


def _within(key: str, limits: Range) -> Criterion:
    low, high = limits
    if not -math.inf < low <= high < math.inf:
        raise InputError(f"{key}: found {low:g} to {high:g}, expected the lowest and the highest value")
    quantity, unit = key.rsplit("_", 1)
    return Criterion(
        f"{quantity} outside {low:g} to {high:g} {unit}",
        lambda one: low <= float(getattr(one, key)) <= high,
    )


def rejections(chosen: Sequence[Criterion], newest: Mapping[int, ElementSet]) -> dict[int, str]:
    """Reason for each satellite that fails a criterion (the first that fails), by catalogue number."""
    found = {}
    for norad_id, one in newest.items():
        reason = next((criterion.reason for criterion in chosen if not criterion.accepts(one)), None)
        if reason is not None:
            found[norad_id] = reason
    return found


def unmatched(names: Sequence[str], norad_ids: Sequence[int], held: Mapping[int, str]) -> tuple[str, ...]:
    """Messages about names and catalogue numbers that the catalogue does not contain."""
    absent = [f"{number} is not in the catalogue" for number in norad_ids if number not in held]
    for pattern in _patterns(names):
        if not any(_matches(name, [pattern]) for name in held.values()):
            hint = did_you_mean(pattern.upper(), sorted(set(held.values())))
            absent.append(f'no satellite is named "{pattern}"{hint}')
    return tuple(absent)
