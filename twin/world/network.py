"""The network of one scenario: all that is fixed over a run, resolved before the clock starts."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Self

import numpy as np

from twin.arrays import BoolArray, FloatArray, IntArray
from twin.association import Assignment, AssociationView, ServingTable, policies
from twin.association.check import checked
from twin.catalogue import Catalogue
from twin.errors import InputError
from twin.geometry.links import LinkStates
from twin.geometry.prediction import Forecast
from twin.geometry.snapshot import Snapshot, VisibilityWindows
from twin.geometry.terminals import Terminals
from twin.precoding import AntennaWeights, Precoding, PrecodingProblem, SpannedWeights, Weights
from twin.radio.channel import ChannelModel, StatisticalCsi
from twin.radio.synchronisation import Alignment, LinkView, Residual, aligned, predict, residual
from twin.radio.waveform import Waveform
from twin.registry import Facts, check
from twin.timeline import Timeline
from twin.uncertainty import Clocks
from twin.units import instant, watts_from_dbm
from twin.world.outages import OutageSchedule
from twin.world.setup import Worlds

if TYPE_CHECKING:
    from twin.scenario import Scenario


ROUNDING = 1e-5
"""Share by which weights may seem to exceed a budget: zero forcing of terminals close together takes differences of
numbers a billion times larger."""


def waveform(scenario: Scenario) -> Waveform:
    """The OFDM numbers of a scenario."""
    channel = scenario.channel
    return Waveform.of(
        carrier_hz=channel.carrier_ghz * 1e9,
        subcarrier_hz=channel.subcarrier_khz * 1e3,
        bandwidth_hz=channel.bandwidth_mhz * 1e6,
        prefix_share=channel.prefix_share,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Network:
    """Satellites, terminals and the selected models."""

    scenario: Scenario
    catalogue: Catalogue
    timeline: Timeline
    sky: VisibilityWindows
    """The world as it is."""
    believed_sky: VisibilityWindows
    """The world as the network takes it to be; the same object where it takes it for what it is."""
    ahead: Callable[[], VisibilityWindows]
    """Makes another believed sky, for a look ahead of which nobody is to be told."""
    without_history: int
    """Satellites of which no elements are as old at the start as the belief's lag asks for."""
    clocks: Clocks
    """Of satellites and terminals."""
    outages: OutageSchedule
    """Outages, exclusion windows and absences."""
    forecast: Forecast
    terminals: Terminals
    channel: ChannelModel
    phase_error: Callable[[LinkView], FloatArray | Alignment]
    """The selected `PhaseErrorModel`, its options filled in."""
    waveform: Waveform
    """Carrier and OFDM numbers, by which phase errors go."""
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
        terminals = Terminals.place(scenario.terminals, seed=scenario.seed)
        time, association = scenario.time, scenario.association
        timeline = Timeline(start=instant(time.start), epoch_ns=int(time.epoch), epochs=time.epochs)
        worlds = Worlds.of(scenario, timeline, terminals)
        network = cls(
            scenario=scenario,
            catalogue=worlds.catalogue,
            timeline=timeline,
            sky=worlds.sky,
            believed_sky=worlds.believed_sky,
            ahead=worlds.ahead,
            without_history=worlds.without_history,
            clocks=worlds.clocks,
            outages=OutageSchedule.of(scenario, worlds.catalogue.names, terminals),
            forecast=worlds.forecast,
            terminals=terminals,
            channel=ChannelModel.from_scenario(scenario, terminals),
            phase_error=scenario.precompensation.bound(),
            waveform=waveform(scenario),
            policy=association.bound(),
            precoder=scenario.precoding.bound(),
            power_w=watts_from_dbm(scenario.satellites.power_per_subcarrier_dbm),
        )
        network.check_phase_error()
        return network.with_precoder(scenario)

    def with_precoder(self, scenario: Scenario) -> Self:
        """The same network under a scenario that differs in the precoder alone.

        Raises
        ------
        InputError
            If its options ask for what the arrays or clusters do not give.
        """
        options = scenario.precoding.options()
        association, array = scenario.association, self.channel.satellite_array
        facts = Facts(
            carrier_hz=self.waveform.carrier_hz,
            path_loss=scenario.channel.path_loss.options(),
            satellite_rows=array.rows,
            satellite_columns=array.columns,
            terminal_elements=int(self.channel.terminal_elements.min()),
            largest_cluster=policies.largest_cluster(association.name, association.options()),
        )
        try:
            check(options, facts)
        except ValueError as error:
            raise InputError(f"precoding.{error} ({scenario.precoding.name})") from None
        return replace(self, scenario=scenario, precoder=scenario.precoding.bound())

    def check_phase_error(self) -> None:
        """Ask the phase-error model about no links at all, so that it may refuse what does not fit together.

        Raises
        ------
        InputError
            If its options do not fit the waveform.
        """
        none = np.empty((0, self.terminals.count))
        self.phase_error(
            LinkView(
                range_km=none,
                elevation_deg=none,
                range_rate_km_s=none,
                range_acceleration_km_s2=none,
                pilot_snr=none,
                waveform=self.waveform,
            )
        )

    def csi(self, links: LinkStates) -> StatisticalCsi:
        """Statistical CSI of links as they are believed to be, phase alignment included."""
        return self._aligned_csi(links)[0]

    def csi_now(self, snapshot: Snapshot, norad_id: IntArray) -> StatisticalCsi:
        """What the network has of some satellites at the start of an epoch it believes in; every answer is kept."""
        return self._aligned_csi_now(snapshot, norad_id)[0]

    def true_csi_now(self, snapshot: Snapshot, norad_id: IntArray) -> tuple[StatisticalCsi, Alignment]:
        """Statistics and alignment of some satellites as they are; every answer is kept."""
        return self._aligned_csi_now(snapshot, norad_id, answers=self.errs)

    @property
    def errs(self) -> bool:
        """Whether what compensation is predicted from can differ from what happens."""
        aged = bool(self.scenario.precompensation.prediction_age)
        return aged or self.believed_sky is not self.sky or not self.clocks.perfect

    def expected_csi_now(self, snapshot: Snapshot, norad_id: IntArray) -> StatisticalCsi:
        """What can be expected of the same without a measurement: all that a policy may know."""
        if not self.channel.draws_surroundings:
            return self.csi_now(snapshot, norad_id)
        return self._aligned_csi(snapshot.links(norad_id), expected=True)[0]

    def phase_variance(self, links: LinkStates) -> FloatArray:
        """ζ² (S,K) in rad² that the network reckons with, infinite for a uniform phase."""
        return self._aligned_csi(links)[1].variance_rad2

    def _aligned_csi_now(
        self, snapshot: Snapshot, norad_id: IntArray, *, answers: bool = False
    ) -> tuple[StatisticalCsi, Alignment]:
        key = "true csi" if answers else "csi", norad_id.tobytes()
        if key not in snapshot.kept:
            missed = self.precompensation(snapshot.epoch, snapshot.links(norad_id)) if answers else None
            snapshot.kept[key] = self._aligned_csi(snapshot.links(norad_id), missed=missed)
        kept: tuple[StatisticalCsi, Alignment] = snapshot.kept[key]
        return kept

    def _aligned_csi(
        self, links: LinkStates, *, expected: bool = False, missed: Residual | None = None
    ) -> tuple[StatisticalCsi, Alignment]:
        """Statistical CSI of links, and the alignment that its pilots allow."""
        plain = self.channel.csi(links, np.ones(links.range_km.shape), expected=expected)
        # pilots take a satellite's whole budget
        view = LinkView.of(
            links, pilot_snr=self.power_w * plain.gain / self.channel.noise_w, waveform=self.waveform, missed=missed
        )
        alignment = aligned(self.phase_error(view))
        if alignment.phase_rad is not None:
            turned = plain.receive_steering * np.exp(1j * alignment.phase_rad)[..., None]
            plain = replace(plain, receive_steering=turned)
        fraction = alignment.disturbance_fraction
        return replace(
            plain,
            mean_phase=alignment.mean_phase,
            disturbance_fraction=fraction if fraction.any() else None,
        ), alignment

    def precompensation(self, epoch: int, links: LinkStates) -> Residual:
        """What delay and Doppler compensation from the prediction alone misses at the start of an epoch.

        The values applied are predicted from believed geometry as old as the scenario says; clocks add their errors.
        """
        age = self.scenario.precompensation.prediction_age
        known, carrier_hz = links, self.channel.carrier_hz
        if age or self.believed_sky is not self.sky:
            known = self.believed_sky.links_at(self.timeline.begin_ns(epoch) - int(age), links.norad_id)
        applied = predict(known, age_s=age.seconds, carrier_hz=carrier_hz)
        missed = residual(applied, links, carrier_hz=carrier_hz)
        if self.clocks.perfect:
            return missed
        early_s, high = self.clocks.offsets(links.instant, links.norad_id, self.terminals.count)
        return Residual(delay_s=missed.delay_s + early_s, doppler_hz=missed.doppler_hz + carrier_hz * high)

    def predictable(self, epoch: int, norad_id: IntArray) -> BoolArray:
        """(S,) satellites that the network has a prediction of at the start of an epoch."""
        if self.believed_sky is self.sky:
            return np.ones(len(norad_id), dtype=np.bool_)
        return self.believed_sky.links_at(self.timeline.begin_ns(epoch), norad_id).usable

    def available(self, snapshot: Snapshot, now_ns: int) -> BoolArray:
        """(V,K) pairs that may serve: in view at the start of the epoch, and not barred at an instant within it."""
        allowed = self.outages.allowed(now_ns, snapshot.norad_id)
        return snapshot.visible if allowed is None else snapshot.visible & allowed

    def decide(self, view: AssociationView) -> Assignment:
        """Ask the policy.

        Raises
        ------
        InputError
            If what the policy, perhaps one of the user's own, wants cannot be.
        """
        where = f'association.name: the policy "{self.scenario.association.name}"'
        return checked(self.policy(view), view, where)

    def precode(self, csi: StatisticalCsi, table: ServingTable, start: Weights | None) -> Precoding:
        """Run the precoder for the clusters as they are.

        Raises
        ------
        InputError
            If the precoder, perhaps one of the user's own, breaks a rule.
        """
        precoding = self.precoder(
            PrecodingProblem(
                csi=csi,
                serving=table.member,
                master=table.master,
                power_w=np.full(len(table.norad_id), self.power_w),
                weight=self.terminals.weight,
                power_fraction=table.power_fraction,
                beam=table.beam if (table.beam >= 0).any() else None,
                start=start,
            )
        )
        self._check(precoding.weights, table)
        return precoding

    def _check(self, weights: Weights, table: ServingTable) -> None:
        """Refuse weights that are of another kind or shape, not finite, or above the budget."""
        where = f'precoding.name: the precoder "{self.scenario.precoding.name}"'
        if not isinstance(weights, SpannedWeights | AntennaWeights):
            raise InputError(f"{where} gave {type(weights).__name__}, must be SpannedWeights or AntennaWeights")
        power_w = weights.power_w()
        if power_w.shape != table.member.shape or not np.array_equal(weights.norad_id, table.norad_id):
            raise InputError(
                f"{where} gave weights for {power_w.shape[0]} satellites and {power_w.shape[1]} terminals,"
                f" must be those of the problem: {table.member.shape[0]} and {table.member.shape[1]}"
            )
        if not np.isfinite(power_w).all():
            raise InputError(f"{where} gave weights that are not finite")
        spent_w = float((power_w * table.member).sum(axis=1).max(initial=0.0))
        if spent_w > self.power_w * (1.0 + ROUNDING):
            raise InputError(f"{where} spends {spent_w:g} W at one satellite, the budget is {self.power_w:g} W")


def found(within: IntArray, wanted: IntArray) -> tuple[IntArray, IntArray]:
    """Indices of the wanted that stand in a rising list, and where."""
    if not len(within):
        return np.empty(0, dtype=np.int64), np.empty(0, dtype=np.int64)
    places = np.minimum(np.searchsorted(within, wanted), len(within) - 1)
    known = np.flatnonzero(within[places] == wanted)
    return known, places[known]
