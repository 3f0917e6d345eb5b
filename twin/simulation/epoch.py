"""One epoch, as a function of what holds during it: the only place that knows the order of the physics."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Self

import numpy as np

from twin.arrays import BoolArray, FloatArray, IntArray
from twin.association import ServingTable
from twin.geometry.snapshot import Snapshot
from twin.precoding import SpannedWeights, Weights
from twin.radio.channel import ChannelDraws, StatisticalCsi, draw_channels
from twin.radio.synchronisation import draw_phase_errors
from twin.rates import Rates, Streams, score, score_each
from twin.world.network import Network


@dataclass(frozen=True, slots=True, kw_only=True)
class Segment:
    """A stretch of an epoch in which nothing changes but the sky."""

    begin_ns: int
    end_ns: int
    table: ServingTable
    weights: Weights | None
    """What is on the air; none before the first weights are in force."""
    each: tuple[Weights, ...] = ()
    """The weights of each draw, where they follow the channels."""

    def ready(self) -> BoolArray:
        """(A,K) members that serve: those whose execution is over."""
        return self.table.member & (self.table.ready_ns <= self.begin_ns)


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What an epoch came to."""

    spectral_efficiency_bps_hz: FloatArray
    """(K,) mean over the epoch."""
    surrogate_bps_hz: FloatArray
    """(K,) AP1, mean over the epoch."""
    mean_only_bps_hz: FloatArray
    """(K,) AP2, mean over the epoch."""
    sinr: FloatArray
    """(K,) at the end of the epoch; 0 without service."""
    interrupted: FloatArray
    """(K,) share of the epoch in which a handover under way left the terminal without service."""
    norad_id: IntArray
    """(A,) satellites with somebody to serve."""
    serving: BoolArray
    """(A,K) who serves whom at the end of the epoch."""
    master: IntArray
    """(K,) row of each cluster's master, -1 for none."""
    power_w: FloatArray
    """(A,) power on one subcarrier at the end of the epoch."""
    beam_power_w: FloatArray
    """(A,K) the same for each terminal."""


def settle(network: Network, snapshot: Snapshot, segments: Sequence[Segment]) -> Outcome:
    """Draw the channels of an epoch, let weights follow them where they do, and score."""
    air = EpochChannels.over(network, snapshot, segments)
    return scored(air, [air.followed(segment) for segment in segments])


def scored(air: EpochChannels, segments: Sequence[Segment]) -> Outcome:
    """Score an epoch in the world as it is.

    Parameters
    ----------
    air
        The channels of the epoch.
    segments
        What was on the air, from the start of the epoch to its end without a gap.
    """
    epoch_ns = segments[-1].end_ns - segments[0].begin_ns
    shares = [(segment.end_ns - segment.begin_ns) / epoch_ns for segment in segments]
    parts = [air.during(segment) for segment in segments]
    last, table = segments[-1], segments[-1].table
    beam_power_w = np.zeros(table.member.shape)
    rows = np.searchsorted(table.norad_id, parts[-1].norad_id)
    beam_power_w[rows] = parts[-1].beam_power_w
    idle = [np.asarray(segment.table.member.any(axis=0) & ~segment.ready().any(axis=0)) for segment in segments]
    return Outcome(
        spectral_efficiency_bps_hz=_mean(shares, [part.rates.spectral_efficiency_bps_hz for part in parts]),
        surrogate_bps_hz=_mean(shares, [part.rates.surrogate_bps_hz for part in parts]),
        mean_only_bps_hz=_mean(shares, [part.rates.mean_only_bps_hz for part in parts]),
        sinr=parts[-1].rates.sinr,
        interrupted=np.minimum(_mean(shares, idle), 1.0),
        norad_id=table.norad_id,
        serving=last.ready(),
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


@dataclass(frozen=True, slots=True, kw_only=True)
class EpochChannels:
    """The channels, as they are, of every satellite that is on the air during an epoch."""

    network: Network
    epoch: int
    truth: StatisticalCsi
    draws: ChannelDraws

    @classmethod
    def over(cls, network: Network, snapshot: Snapshot, segments: Sequence[Segment]) -> Self:
        """Draw the channels of all that any segment has on the air."""
        sending = [segment for segment in segments if segment.weights is not None]
        heard = [
            _common(segment.weights.norad_id, segment.table.norad_id)[0]
            for segment in sending
            if segment.weights is not None
        ]
        norad_id = heard[0] if len(heard) == 1 else np.unique(np.concatenate([np.empty(0, dtype=np.int64), *heard]))
        truth, alignment = network.true_csi_now(snapshot, norad_id)
        receiver = network.scenario.receiver
        followed = any(segment.weights.rule is not None for segment in sending if segment.weights is not None)
        draws = receiver.draws if receiver.knowledge == "instantaneous" or followed else 1
        seed, epoch = network.scenario.seed, snapshot.epoch
        phases = draw_phase_errors(
            alignment.variance_rad2, norad_id, draws=draws, reach=truth.reach, seed=seed, epoch=epoch
        )
        drawn = draw_channels(truth, phases, seed=seed, epoch=epoch)
        return cls(network=network, epoch=epoch, truth=truth, draws=drawn)

    def followed(self, segment: Segment) -> Segment:
        """The segment with the weights of each draw, where they follow the channels."""
        if segment.weights is None or segment.weights.rule is None:
            return segment
        weights, ready, truth, draws = self._met(segment, segment.weights)
        if not isinstance(weights, SpannedWeights) or weights.rule is None:
            return segment
        seed = self.network.scenario.seed
        each = weights.rule.realised(weights, truth, draws, ready, seed=seed, epoch=self.epoch)
        return replace(segment, each=each)

    def during(self, segment: Segment) -> _Part:
        """Score one segment."""
        if segment.weights is None:
            silent = np.zeros(self.network.terminals.count)
            rates = Rates(
                spectral_efficiency_bps_hz=silent, surrogate_bps_hz=silent, mean_only_bps_hz=silent, sinr=silent
            )
            return _Part(rates=rates, norad_id=np.empty(0, dtype=np.int64), beam_power_w=np.empty((0, len(silent))))
        weights, ready, truth, draws = self._met(segment, segment.weights)
        receiver = self.network.scenario.receiver
        how = {"interference": receiver.interference, "knowledge": receiver.knowledge}
        waveform = self.network.waveform if receiver.interference == "by_delay" else None
        if segment.each:
            streams = [Streams.of(each, truth, ready, waveform=waveform) for each in segment.each]
            rates = score_each(streams, truth, draws, **how)
        else:
            rates = score(Streams.of(weights, truth, ready, waveform=waveform), truth, draws, **how)
        return _Part(rates=rates, norad_id=weights.norad_id, beam_power_w=weights.power_w() * ready)

    def _met(self, segment: Segment, weights: Weights) -> tuple[Weights, BoolArray, StatisticalCsi, ChannelDraws]:
        """Weights, pairs on the air, statistics and draws of the satellites that send and serve."""
        norad_id, sending, placed = _common(weights.norad_id, segment.table.norad_id)
        rows = np.searchsorted(self.truth.norad_id, norad_id)
        return weights.of(sending), segment.ready()[placed], self.truth.of(rows), self.draws.of(rows)


def _common(one: IntArray, other: IntArray) -> tuple[IntArray, IntArray, IntArray]:
    """The satellites of two rising lists, and their places in either."""
    if np.array_equal(one, other):
        places = np.arange(len(one))
        return one, places, places
    return np.intersect1d(one, other, assume_unique=True, return_indices=True)


def _mean(shares: Sequence[float], values: Sequence[FloatArray | BoolArray]) -> FloatArray:
    """Mean over segments by their length; one segment is passed on bit by bit."""
    if len(values) == 1:
        return np.asarray(values[0], dtype=np.float64)
    return np.asarray(sum(share * value for share, value in zip(shares, values, strict=True)))
