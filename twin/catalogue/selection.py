"""Which satellites of a catalogue take part."""

import math
from collections.abc import Callable, Mapping, Sequence
from fnmatch import fnmatchcase
from typing import NamedTuple

from twin.catalogue.elements import ElementSet
from twin.errors import InputError, did_you_mean, listed

Range = tuple[float, float]
"""Lowest and highest value, both included."""


class Criterion(NamedTuple):
    """A test that a satellite must pass."""

    reason: str
    """Why a satellite that fails it is left out."""
    accepts: Callable[[ElementSet], bool]
    """The test, on the newest element set."""


def criteria(
    *,
    names: Sequence[str],
    exclude_names: Sequence[str],
    norad_ids: Sequence[int],
    exclude_norad_ids: Sequence[int],
    ranges: Mapping[str, Range | None],
) -> list[Criterion]:
    """Make the tests of a selection, in the order in which they are put.

    Parameters
    ----------
    names, exclude_names, norad_ids, exclude_norad_ids
        As `Catalogue.select`; an empty one asks nothing.
    ranges
        Property of `ElementSet` to its lowest and highest value.

    Raises
    ------
    InputError
        If a range is none.
    """
    wanted, unwanted = frozenset(norad_ids), frozenset(exclude_norad_ids)
    found = []
    if norad_ids:
        found.append(Criterion("not among the chosen norad_ids", lambda one: one.norad_id in wanted))
    if exclude_norad_ids:
        found.append(Criterion("in exclude_norad_ids", lambda one: one.norad_id not in unwanted))
    if names:
        reason = f"name fits none of {listed(_patterns(names))}"
        found.append(Criterion(reason, lambda one: _fits(one.name, names)))
    if exclude_names:
        reason = f"name fits one of the excluded {listed(_patterns(exclude_names))}"
        found.append(Criterion(reason, lambda one: not _fits(one.name, exclude_names)))
    return found + [_within(key, limits) for key, limits in ranges.items() if limits is not None]


def _patterns(names: Sequence[str]) -> Sequence[str]:
    return [names] if isinstance(names, str) else names


def _fits(name: str, patterns: Sequence[str]) -> bool:
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


def refusals(chosen: Sequence[Criterion], newest: Mapping[int, ElementSet]) -> dict[int, str]:
    """Give, for each satellite that fails, its catalogue number and the first reason."""
    found = {}
    for norad_id, one in newest.items():
        reason = next((test.reason for test in chosen if not test.accepts(one)), None)
        if reason is not None:
            found[norad_id] = reason
    return found


def unmatched(names: Sequence[str], norad_ids: Sequence[int], held: Mapping[int, str]) -> tuple[str, ...]:
    """Name what was asked for and is not in the catalogue."""
    absent = [f"{number} is not in the catalogue" for number in norad_ids if number not in held]
    for pattern in _patterns(names):
        if not any(_fits(name, [pattern]) for name in held.values()):
            near = did_you_mean(pattern.upper(), sorted(set(held.values())))
            absent.append(f'no satellite is named "{pattern}"{near}')
    return tuple(absent)
