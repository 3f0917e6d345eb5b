"""The world as it is, and as the network takes it to be."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Self

import numpy as np

from twin.catalogue import Catalogue, ElementSet, Walker, read_catalogue, walker_catalogue
from twin.errors import InputError
from twin.geometry.ephemeris import Ephemeris
from twin.geometry.prediction import Forecast
from twin.geometry.snapshot import VisibilityWindows
from twin.geometry.terminals import Terminals
from twin.timeline import Timeline
from twin.uncertainty import Attitude, BelievedEphemeris, BelievedTerminals, Clocks
from twin.units import instant
from twin.world.plain import attitude_error, clock_error, orbit_error, position_error

if TYPE_CHECKING:
    from twin.scenario import Scenario


def constellation(scenario: Scenario) -> Catalogue:
    """The satellites that a scenario asks for: from its files, or generated at the start of the run.

    Raises
    ------
    InputError
        If a file is wrong or nothing is left.
    """
    section = scenario.constellation
    if section.source:
        read = read_catalogue(section.source)
    else:
        walker = section.walker
        read = walker_catalogue(
            Walker(
                pattern=walker.kind,
                planes=walker.planes,
                per_plane=walker.per_plane,
                altitude_km=walker.altitude_km,
                inclination_deg=walker.inclination_deg,
                phasing=walker.phasing,
                epoch=instant(scenario.time.start),
            )
        )
    try:
        return read.select(
            names=section.names,
            exclude_names=section.exclude_names,
            norad_ids=section.norad_ids,
            perigee_km=section.perigee_km,
            apogee_km=section.apogee_km,
            inclination_deg=section.inclination_deg,
        )
    except InputError as error:
        raise InputError(f"constellation: {error}") from None


@dataclass(frozen=True, slots=True, kw_only=True)
class Worlds:
    """Two skies over the same terminals: what happens, and what is predicted."""

    catalogue: Catalogue
    """All satellites of the scenario."""
    sky: VisibilityWindows
    """The world as it is."""
    believed_sky: VisibilityWindows
    """The world as the network takes it to be; the same object where it takes it for what it is."""
    ahead: Callable[[], VisibilityWindows]
    """Makes another believed sky, for a look ahead of which nobody is to be told."""
    forecast: Forecast
    """For how long the network takes pairs to last."""
    without_history: int
    """Satellites of which no elements are as old at the start as the belief's lag asks for."""
    clocks: Clocks
    """Of satellites and terminals."""

    @classmethod
    def of(cls, scenario: Scenario, timeline: Timeline, terminals: Terminals) -> Self:
        """Read the element sets of both.

        Raises
        ------
        InputError
            If a file is wrong, or nothing is left of the constellation.
        """
        catalogue, belief = constellation(scenario), scenario.belief
        known = _known_sets(scenario, catalogue)
        unheard = without_history(known, scenario)
        if len(unheard) == len({each.norad_id for each in known}):
            raise InputError(
                f'belief.element_lag = "{belief.element_lag}": no satellite has elements that are so old at the start;'
                " it takes catalogues of several dates, as constellation.source or belief.source"
            )
        numbers = {each.norad_id for each in known}
        sets = [each for each in catalogue.sets if each.norad_id in numbers]
        true = partial(_true_sky, scenario, timeline, sets, terminals)
        believed = true if belief.is_truth else partial(_believed_sky, scenario, timeline, known, terminals)
        sky = true()
        return cls(
            catalogue=catalogue,
            sky=sky,
            believed_sky=sky if belief.is_truth else believed(),
            ahead=believed,
            forecast=Forecast(
                known,
                min_elevation_deg=scenario.association.min_elevation_deg,
                lag_ns=int(belief.element_lag or 0),
            ),
            without_history=len(unheard),
            clocks=Clocks(error=clock_error(belief.clock), seed=scenario.seed, start=timeline.start),
        )


def without_history(known: Sequence[ElementSet], scenario: Scenario) -> set[int]:
    """Satellites of which no element set is as old at the start as the belief's lag asks for."""
    lag = scenario.belief.element_lag
    if lag is None:
        return set()
    latest = instant(scenario.time.start) - np.timedelta64(int(lag), "ns")
    return {each.norad_id for each in known} - {each.norad_id for each in known if each.epoch <= latest}


def _known_sets(scenario: Scenario, catalogue: Catalogue) -> Sequence[ElementSet]:
    """The element sets that the network predicts with, of satellites that there are."""
    belief = scenario.belief
    if not belief.source:
        return catalogue.sets
    there = {each.norad_id for each in catalogue.sets}
    known = [each for each in read_catalogue(belief.source).sets if each.norad_id in there]
    if not known:
        raise InputError("belief.source: none of the constellation's satellites is in it")
    return known


def _true_sky(
    scenario: Scenario, timeline: Timeline, sets: Sequence[ElementSet], terminals: Terminals
) -> VisibilityWindows:
    max_age = scenario.constellation.max_element_age
    return VisibilityWindows(
        ephemeris=Ephemeris(sets, max_element_age_ns=None if max_age is None else int(max_age)),
        terminals=terminals,
        timeline=timeline,
        min_elevation_deg=scenario.association.min_elevation_deg,
    )


def _believed_sky(
    scenario: Scenario, timeline: Timeline, known: Sequence[ElementSet], terminals: Terminals
) -> VisibilityWindows:
    belief, seed = scenario.belief, scenario.seed
    max_age = None if belief.source else scenario.constellation.max_element_age
    ephemeris = Ephemeris(
        known,
        max_element_age_ns=None if max_age is None else int(max_age) + int(belief.element_lag or 0),
        lag_ns=int(belief.element_lag or 0),
    )
    return VisibilityWindows(
        ephemeris=BelievedEphemeris(ephemeris, orbit_error(belief.orbit), seed=seed),
        terminals=BelievedTerminals(terminals, position_error(belief.position), seed=seed),
        timeline=timeline,
        min_elevation_deg=scenario.association.min_elevation_deg,
        seen=Attitude(error=attitude_error(belief.attitude), seed=seed).mistaken,
    )
