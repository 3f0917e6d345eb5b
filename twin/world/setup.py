"""Everything that is fixed over a run, read and resolved before the clock starts."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Self

import numpy as np

from twin.arrays import BoolArray
from twin.association import Assignment, AssociationView
from twin.catalogue import Catalogue, ElementSet, Walker, read_catalogue, walker_catalogue
from twin.errors import InputError
from twin.geometry.ephemeris import Ephemeris
from twin.geometry.prediction import VisibilityPrediction
from twin.geometry.snapshot import Snapshot
from twin.geometry.terminals import Terminals
from twin.geometry.windows import VisibilityWindows
from twin.precoding import Precoding, PrecodingProblem
from twin.radio.channel import ChannelModel
from twin.radio.waveform import Waveform
from twin.records import documented
from twin.scenario import Scenario, with_precoder
from twin.timeline import Timeline
from twin.uncertainty import Attitude, BelievedEphemeris, BelievedTerminals, Clocks
from twin.units import instant, watts_from_dbm
from twin.world.belief import Belief
from twin.world.channel import channel_model
from twin.world.outages import OutageSchedule
from twin.world.plain import attitude_error, clock_error, orbit_error, position_error, terminal_groups
from twin.world.statistics import LinkStatistics
from twin.world.truth import Truth


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


@documented
@dataclass(frozen=True, slots=True, kw_only=True)
class Setup:
    """All that is fixed over a run: inputs read, names resolved, truth and belief."""

    scenario: Scenario
    """Scenario of the run."""
    catalogue: Catalogue
    """All satellites of the scenario."""
    timeline: Timeline
    """Epochs of the run."""
    terminals: Terminals
    """Terminals of the run."""
    truth: Truth
    """For scoring alone."""
    belief: Belief
    """For everything that decides."""
    outages: OutageSchedule
    """Outages, exclusion windows and absences."""
    policy: Callable[[AssociationView], Assignment]
    """The selected policy, its options bound."""
    precoder: Callable[[PrecodingProblem], Precoding]
    """The selected precoder, its options bound."""
    without_history: int
    """Satellites without elements as old at the start as the belief's lag asks for."""

    @classmethod
    def of(cls, scenario: Scenario) -> Self:
        """Read the inputs of a scenario and bind its channel and phase-error models.

        Raises
        ------
        InputError
            If an input is wrong, or no satellite of the constellation is left.
        """
        terminals = Terminals.place(terminal_groups(scenario.terminals), seed=scenario.seed)
        time, belief = scenario.time, scenario.belief
        timeline = Timeline(start=instant(time.start), epoch_ns=int(time.epoch), epochs=time.epochs)
        catalogue = constellation(scenario)
        known = _known_sets(scenario, catalogue)
        unheard = without_history(known, scenario)
        if len(unheard) == len({each.norad_id for each in known}):
            raise InputError(
                f'belief.element_lag = "{belief.element_lag}": no satellite has elements of this age at the start;'
                " the lag needs catalogues of several dates in constellation.source or belief.source"
            )
        statistics = link_statistics(scenario, terminals)
        truth, believed = _windows(scenario, timeline, catalogue, known, terminals)
        return cls(
            scenario=scenario,
            catalogue=catalogue,
            timeline=timeline,
            terminals=terminals,
            truth=Truth(
                windows=truth,
                statistics=statistics,
                clocks=Clocks(error=clock_error(belief.clock), seed=scenario.seed, start=timeline.start),
            ),
            belief=Belief(
                windows=truth if belief.is_truth else believed(),
                ahead=believed,
                prediction=VisibilityPrediction(
                    known,
                    min_elevation_deg=scenario.association.min_elevation_deg,
                    lag_ns=int(belief.element_lag or 0),
                ),
                statistics=statistics,
                prediction_age_ns=int(scenario.precompensation.prediction_age),
                exact=belief.is_truth,
            ),
            outages=OutageSchedule.of(scenario, catalogue.names, terminals),
            policy=scenario.association.bound(),
            precoder=scenario.precoding.bound(),
            without_history=len(unheard),
        )

    def with_precoder(self, name: str) -> Self:
        """The same setup with another precoder at its default options.

        Raises
        ------
        InputError
            If no precoder has that name, or its options ask for what arrays or clusters do not have.
        """
        scenario = with_precoder(self.scenario, name)
        return replace(self, scenario=scenario, precoder=scenario.precoding.bound())

    @property
    def errs(self) -> bool:
        """Whether compensation predicted by the network can differ from the true delay and Doppler."""
        return bool(self.belief.prediction_age_ns) or not self.belief.exact or not self.truth.clocks.perfect

    @property
    def power_w(self) -> float:
        """Budget of each satellite on one subcarrier."""
        return self.truth.statistics.power_w

    @property
    def channel(self) -> ChannelModel:
        """Propagation models, arrays and noise, which truth and belief share."""
        return self.truth.statistics.channel

    @property
    def waveform(self) -> Waveform:
        """Carrier and OFDM numbers."""
        return self.truth.statistics.waveform

    def available(self, snapshot: Snapshot, now_ns: int) -> BoolArray:
        """(V,K) pairs that may serve: visible at the start of the epoch, and not restricted at an instant within it."""
        allowed = self.outages.allowed(now_ns, snapshot.norad_id)
        return snapshot.visible if allowed is None else snapshot.visible & allowed


def link_statistics(scenario: Scenario, terminals: Terminals) -> LinkStatistics:
    """The channel and phase-error models of a scenario, bound to its arrays and waveform.

    Raises
    ------
    InputError
        If the phase-error model refuses the waveform.
    """
    channel = scenario.channel
    return LinkStatistics(
        channel=channel_model(scenario, group=terminals.group, names=terminals.names),
        phase_error=scenario.precompensation.bound(),
        waveform=Waveform.of(
            carrier_hz=channel.carrier_ghz * 1e9,
            subcarrier_hz=channel.subcarrier_khz * 1e3,
            bandwidth_hz=channel.bandwidth_mhz * 1e6,
            cyclic_prefix_ratio=channel.cyclic_prefix_ratio,
        ),
        power_w=watts_from_dbm(scenario.satellites.power_per_subcarrier_dbm),
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


def _windows(
    scenario: Scenario, timeline: Timeline, catalogue: Catalogue, known: Sequence[ElementSet], terminals: Terminals
) -> tuple[VisibilityWindows, Callable[[], VisibilityWindows]]:
    """True visibility of the satellites that the network knows, and what makes believed visibility."""
    numbers = {each.norad_id for each in known}
    sets = [each for each in catalogue.sets if each.norad_id in numbers]
    true = partial(_true_windows, scenario, timeline, sets, terminals)
    believed = true if scenario.belief.is_truth else partial(_believed_windows, scenario, timeline, known, terminals)
    return true(), believed


def _true_windows(
    scenario: Scenario, timeline: Timeline, sets: Sequence[ElementSet], terminals: Terminals
) -> VisibilityWindows:
    max_age = scenario.constellation.max_element_age
    return VisibilityWindows(
        ephemeris=Ephemeris(sets, max_element_age_ns=None if max_age is None else int(max_age)),
        terminals=terminals,
        timeline=timeline,
        min_elevation_deg=scenario.association.min_elevation_deg,
    )


def _believed_windows(
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
        distortion=Attitude(error=attitude_error(belief.attitude), seed=seed).mistaken,
    )
