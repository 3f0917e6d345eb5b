"""The network of one scenario: all that is fixed over a run, resolved before the clock starts."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

import numpy as np
from numpy.typing import NDArray

from twin.association import Assignment, AssociationView, ServingTable
from twin.association.policy import Memory
from twin.catalogue import Catalogue, Walker, read_catalogue, walker_catalogue
from twin.channel import ChannelModel, StatisticalCsi
from twin.channel.path_loss import Path
from twin.ephemeris import Ephemeris
from twin.errors import InputError
from twin.links import LinkStates
from twin.precoding import Precoding, PrecodingProblem, Weights
from twin.precompensation import mean_phase
from twin.sky import Moment, Sky
from twin.terminals import Terminals
from twin.timeline import Timeline
from twin.units import instant, watts_from_dbm

if TYPE_CHECKING:
    from twin.scenario import Scenario

Real = NDArray[np.float64]


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
class Network:
    """Satellites, terminals and the selected models."""

    scenario: Scenario
    catalogue: Catalogue
    timeline: Timeline
    sky: Sky
    terminals: Terminals
    channel: ChannelModel
    phase_variance: Callable[[Path], Real]
    """The selected `PhaseErrorModel`, its options filled in."""
    policy: Callable[[AssociationView], Assignment]
    """The selected `Policy`, its options filled in."""
    precoder: Callable[[PrecodingProblem], Precoding]
    """The selected `Precoder`, its options filled in."""
    power_w: float
    """Budget of each satellite on one subcarrier."""

    @classmethod
    def of(cls, scenario: Scenario) -> Self:
        """Read the inputs and bind the models of a scenario.

        Raises
        ------
        InputError
            If an input is wrong.
        """
        catalogue = constellation(scenario)
        terminals = Terminals.place(scenario.terminals, seed=scenario.seed)
        time, association = scenario.time, scenario.association
        timeline = Timeline(start=instant(time.start), epoch_ns=int(time.epoch), epochs=time.epochs)
        max_age = scenario.constellation.max_element_age
        ephemeris = Ephemeris(catalogue.sets, max_element_age_ns=None if max_age is None else int(max_age))
        return cls(
            scenario=scenario,
            catalogue=catalogue,
            timeline=timeline,
            sky=Sky(
                ephemeris=ephemeris,
                terminals=terminals,
                timeline=timeline,
                min_elevation_deg=association.min_elevation_deg,
            ),
            terminals=terminals,
            channel=ChannelModel.from_scenario(scenario, terminals),
            phase_variance=scenario.precompensation.bound(),
            policy=association.bound(),
            precoder=scenario.precoding.bound(),
            power_w=watts_from_dbm(scenario.satellites.power_per_subcarrier_dbm),
        )

    def csi(self, links: LinkStates) -> StatisticalCsi:
        """Statistical CSI of links, phase alignment included."""
        return self.channel.csi(links, mean_phase(self.phase_variance(links)))

    def csi_now(self, moment: Moment, norad_id: NDArray[np.int64]) -> StatisticalCsi:
        """Statistical CSI of some satellites at the start of an epoch; the last answer is kept."""
        links = moment.links(norad_id)
        if moment.kept.get("csi of") is not links:
            moment.kept.update({"csi of": links, "csi": self.csi(links)})
        kept: StatisticalCsi = moment.kept["csi"]
        return kept

    def view(self, moment: Moment, table: ServingTable, memory: Memory) -> AssociationView:
        """What the policy may know at the start of an epoch."""
        norad_id = moment.norad_id
        path: Path = moment
        serving = np.zeros(moment.visible.shape, dtype=np.bool_)
        known, rows = _places(norad_id, table.norad_id)
        serving[rows] = table.member[known]
        place = np.full(len(table.norad_id) + 1, -1, dtype=np.int64)
        place[known] = rows
        return AssociationView(
            norad_id=norad_id,
            elevation_deg=moment.elevation_deg,
            range_km=moment.range_km,
            visible=moment.visible,
            mean_gain=lambda: self.channel.power_gain(path),
            serving=serving,
            master=place[table.master],
            region=self.terminals.group,
            instant_ns=self.timeline.begin_ns(moment.epoch),
            memory=memory,
        )

    def precode(self, csi: StatisticalCsi, table: ServingTable, start: Weights | None) -> Precoding:
        """Run the precoder for the clusters as they are.

        Raises
        ------
        InputError
            If the precoder, perhaps one of the user's own, gives weights that are not finite.
        """
        precoding = self.precoder(
            PrecodingProblem(
                csi=csi,
                serving=table.member,
                master=table.master,
                power_w=np.full(len(table.norad_id), self.power_w),
                weight=self.terminals.weight,
                start=start,
            )
        )
        if not np.isfinite(precoding.weights.power_w()).all():
            raise InputError(
                f'precoding.name: the precoder "{self.scenario.precoding.name}" gave weights that are not finite'
            )
        return precoding


def _places(within: NDArray[np.int64], wanted: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Indices of the wanted that stand in a rising list, and where."""
    if not len(within):
        return np.empty(0, dtype=np.int64), np.empty(0, dtype=np.int64)
    places = np.minimum(np.searchsorted(within, wanted), len(within) - 1)
    known = np.flatnonzero(within[places] == wanted)
    return known, places[known]
