"""The score of one epoch in the true world: channels drawn, weights on the air, rates.

Nothing here is known to a decision. `score_epoch` is a pure function of the decisions and their precodings.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Self

import numpy as np

from twin.arrays import BoolArray, FloatArray, IntArray
from twin.association import ServingTable
from twin.errors import plugin_errors
from twin.precoding import Precoding, SpannedWeights, Weights
from twin.radio.channel import ChannelDraws, StatisticalCsi, draw_channels
from twin.radio.synchronisation import Compensation, draw_phase_errors
from twin.rates import Rates, Streams, score, score_each
from twin.records import documented
from twin.results.record import EpochScore
from twin.simulation.decisions import EpochDecisions, ready
from twin.simulation.stopwatch import Stopwatch
from twin.world.setup import Setup


@documented
@dataclass(frozen=True, slots=True, kw_only=True)
class OnAirSegment:
    """A part of an epoch with the weights that are on the air."""

    begin_ns: int
    """Since the start of the run."""
    end_ns: int
    """End of the segment, in ns since the start of the run."""
    table: ServingTable
    """The clusters."""
    weights: Weights | None
    """None before the first weights are in force."""
    each: tuple[Weights, ...] = ()
    """The weights of each draw, where an instantaneous-CSI rule makes them."""

    def ready(self) -> BoolArray:
        """(A,K) members that serve: those whose execution is over."""
        return ready(self.begin_ns, self.table)


def score_epoch(
    setup: Setup, decisions: EpochDecisions, solutions: Mapping[int, Precoding], stopwatch: Stopwatch
) -> EpochScore:
    """Draw the channels of an epoch and score what was on the air.

    Parameters
    ----------
    solutions
        The precodings that the segments name, by number.
    stopwatch
        Takes the time of the stages ``rates`` and, where weights follow the channel, ``precoding``.
    """
    segments = [
        OnAirSegment(
            begin_ns=segment.begin_ns,
            end_ns=segment.end_ns,
            table=segment.table,
            weights=None if segment.precoding is None else solutions[segment.precoding].weights,
        )
        for segment in decisions.segments
    ]
    with stopwatch.timed("rates"):
        channels = EpochChannels.over(setup, decisions.epoch, segments)
    if any(segment.weights is not None and segment.weights.rule is not None for segment in segments):
        with stopwatch.timed("precoding"):
            segments = [channels.followed(segment) for segment in segments]
    with stopwatch.timed("rates"):
        return scored(channels, segments)


def scored(channels: EpochChannels, segments: Sequence[OnAirSegment]) -> EpochScore:
    """Score an epoch in the true world.

    Parameters
    ----------
    channels
        The true channels of the epoch.
    segments
        From the start of the epoch to its end without a gap.
    """
    epoch_ns = segments[-1].end_ns - segments[0].begin_ns
    shares = [(segment.end_ns - segment.begin_ns) / epoch_ns for segment in segments]
    parts = [channels.during(segment) for segment in segments]
    last, table = segments[-1], segments[-1].table
    beam_power_w = np.zeros(table.member.shape)
    rows = np.searchsorted(table.norad_id, parts[-1].norad_id)
    beam_power_w[rows] = parts[-1].beam_power_w
    idle = [np.asarray(segment.table.member.any(axis=0) & ~segment.ready().any(axis=0)) for segment in segments]
    return EpochScore(
        spectral_efficiency_bps_hz=_mean(shares, [part.rates.spectral_efficiency_bps_hz for part in parts]),
        surrogate_bps_hz=_mean(shares, [part.rates.surrogate_bps_hz for part in parts]),
        mean_only_bps_hz=_mean(shares, [part.rates.mean_only_bps_hz for part in parts]),
        sinr=parts[-1].rates.sinr,
        interrupted=np.minimum(_mean(shares, idle), 1.0),
        norad_id=table.norad_id,
        serving=last.ready(),
        synchronised=served(segments, table.norad_id),
        master=table.master,
        power_w=beam_power_w.sum(axis=1),
        beam_power_w=beam_power_w,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Part:
    """The score of one segment."""

    rates: Rates
    norad_id: IntArray
    """Satellites on the air."""
    beam_power_w: FloatArray
    """What each of them spends on each terminal."""


@documented
@dataclass(frozen=True, slots=True, kw_only=True)
class EpochChannels:
    """The true channels of every satellite that is on the air during an epoch."""

    setup: Setup
    """Inputs of the run."""
    epoch: int
    """Number of the epoch, from 0."""
    truth: StatisticalCsi
    """True statistics of the satellites on the air."""
    draws: ChannelDraws
    """Draws of channels and phase errors."""

    @classmethod
    def over(cls, setup: Setup, epoch: int, segments: Sequence[OnAirSegment]) -> Self:
        """Draw the channels of every satellite that any segment has on the air."""
        sending = [segment for segment in segments if segment.weights is not None]
        on_air = [
            _common(segment.weights.norad_id, segment.table.norad_id)[0]
            for segment in sending
            if segment.weights is not None
        ]
        norad_id = on_air[0] if len(on_air) == 1 else np.unique(np.concatenate([np.empty(0, dtype=np.int64), *on_air]))
        serving = served(segments, norad_id)
        true = setup.truth.csi(setup.truth.snapshot(epoch), norad_id, applied(setup, epoch, norad_id), serving=serving)
        receiver, seed = setup.scenario.receiver, setup.scenario.seed
        followed = any(segment.weights.rule is not None for segment in sending if segment.weights is not None)
        draws = receiver.draws if receiver.knowledge == "instantaneous" or followed else 1
        phases = draw_phase_errors(
            true.alignment.variance_rad2, norad_id, draws=draws, reach=true.csi.reach, seed=seed, epoch=epoch
        )
        drawn = draw_channels(true.csi, phases, seed=seed, epoch=epoch)
        return cls(setup=setup, epoch=epoch, truth=true.csi, draws=drawn)

    def followed(self, segment: OnAirSegment) -> OnAirSegment:
        """The segment with the weights of each draw, where an instantaneous-CSI rule makes them."""
        if segment.weights is None or segment.weights.rule is None:
            return segment
        weights, ready, truth, draws = self._on_air(segment, segment.weights)
        if not isinstance(weights, SpannedWeights) or weights.rule is None:
            return segment
        seed = self.setup.scenario.seed
        where = f'precoding.name: the rule of the precoder "{self.setup.scenario.precoding.name}"'
        with plugin_errors(type(weights.rule), where):
            each = weights.rule.realised(weights, truth, draws, ready, seed=seed, epoch=self.epoch)
        return replace(segment, each=each)

    def during(self, segment: OnAirSegment) -> _Part:
        """Score one segment."""
        if segment.weights is None:
            silent = np.zeros(self.setup.terminals.count)
            rates = Rates(
                spectral_efficiency_bps_hz=silent, surrogate_bps_hz=silent, mean_only_bps_hz=silent, sinr=silent
            )
            return _Part(rates=rates, norad_id=np.empty(0, dtype=np.int64), beam_power_w=np.empty((0, len(silent))))
        weights, ready, truth, draws = self._on_air(segment, segment.weights)
        receiver = self.setup.scenario.receiver
        how = {"interference": receiver.interference, "knowledge": receiver.knowledge}
        waveform = self.setup.waveform if receiver.interference == "by_delay" else None
        if segment.each:
            streams = [Streams.of(each, truth, ready, waveform=waveform) for each in segment.each]
            rates = score_each(streams, truth, draws, **how)
        else:
            rates = score(Streams.of(weights, truth, ready, waveform=waveform), truth, draws, **how)
        return _Part(rates=rates, norad_id=weights.norad_id, beam_power_w=weights.power_w() * ready)

    def _on_air(
        self, segment: OnAirSegment, weights: Weights
    ) -> tuple[Weights, BoolArray, StatisticalCsi, ChannelDraws]:
        """Weights, pairs on the air, statistics and draws of the satellites that transmit and serve."""
        norad_id, sending, placed = _common(weights.norad_id, segment.table.norad_id)
        rows = np.searchsorted(self.truth.norad_id, norad_id)
        return weights.of(sending), segment.ready()[placed], self.truth.of(rows), self.draws.of(rows)


def served(segments: Sequence[OnAirSegment], norad_id: IntArray) -> BoolArray:
    """(S,K) whether some satellites, in ascending order, serve each terminal in any of the segments."""
    terminals = segments[0].table.member.shape[1]
    found = np.zeros((len(norad_id), terminals), dtype=np.bool_)
    for segment in segments:
        _, rows, places = _common(norad_id, segment.table.norad_id)
        found[rows] |= segment.ready()[places]
    return found


def applied(setup: Setup, epoch: int, norad_id: IntArray) -> Compensation | None:
    """Compensation that some satellites apply at the start of an epoch; None where the network errs in nothing."""
    return setup.belief.compensation(epoch, norad_id) if setup.errs else None


def _common(one: IntArray, other: IntArray) -> tuple[IntArray, IntArray, IntArray]:
    """The satellites of two ascending lists, and their places in either."""
    if np.array_equal(one, other):
        places = np.arange(len(one))
        return one, places, places
    return np.intersect1d(one, other, assume_unique=True, return_indices=True)


def _mean(shares: Sequence[float], values: Sequence[FloatArray | BoolArray]) -> FloatArray:
    """Mean over segments by their length; a single segment keeps its bits."""
    if len(values) == 1:
        return np.asarray(values[0], dtype=np.float64)
    return np.asarray(sum(share * value for share, value in zip(shares, values, strict=True)))
