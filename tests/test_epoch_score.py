"""One epoch, scored again by hand from the weights of all antennas and the drawn channels."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from tests.helpers.small_run import records, small, with_segments
from twin.radio.channel import StatisticalCsi, draw_channels
from twin.radio.synchronisation import draw_phase_errors
from twin.results.record import EpochScore
from twin.simulation import scoring
from twin.simulation.scoring import EpochChannels, OnAirSegment
from twin.world.setup import Setup

# Gram matrices against sums over antennas: 16 terms a product, and interference some 40 dB below the signal
RELATIVE = 1e-9

WIDE = {
    "terminals": {"kind": "disc", "latitude_deg": 20.0, "longitude_deg": 0.0, "radius_km": 6000.0, "count": 8},
    "association.min_elevation_deg": 10.0,
}
"""Terminals so far apart that no satellite reaches many of them."""

SOFT = {
    "time.duration": "60s",
    "association.execution": "4s",
    "association.preparation": "3s",
    "association.min_elevation_deg": 35.0,
    "precoding.latency": "2s",
}
"""Clusters that change while some of them go on, and weights that are late: several stretches in an epoch."""


def by_hand(setup: Setup, snapshot: Any, segment: OnAirSegment) -> NDArray[np.float64]:
    """Rate (K,) of one stretch, written as a double loop over terminals."""
    scenario, terminals = setup.scenario, setup.terminals.count
    if segment.weights is None:
        return np.zeros(terminals)
    weights = {int(id_): array for id_, array in zip(segment.weights.norad_id, segment.weights.antenna(), strict=True)}
    on_air = [int(id_) for id_ in segment.table.norad_id if int(id_) in weights]
    csi, receive = channels(setup, snapshot, np.array(on_air, dtype=np.int64))
    steering = csi.steering()
    delay_s = snapshot.links(np.array(on_air, dtype=np.int64)).delay_s
    carrier = np.exp(-2j * np.pi * np.mod(scenario.channel.carrier_ghz * 1e9 * delay_s, 1.0))
    rates = np.zeros((scenario.receiver.draws, terminals))
    for terminal in range(terminals):
        own, rest = 0.0, []
        for satellite, id_ in enumerate(on_air):
            row = int(np.searchsorted(segment.table.norad_id, id_))
            for other in range(terminals):
                ready = segment.table.ready_ns[row, other] <= segment.begin_ns
                if not (segment.table.member[row, other] and ready):
                    continue
                carried = steering[satellite, terminal] @ weights[id_][other]
                arriving = receive[:, satellite, terminal, :, None] * carried
                if other == terminal:
                    own = own + arriving
                else:  # turned for the other terminal's path, received over this one's
                    turn = carrier[satellite, terminal] / carrier[satellite, other]
                    rest.append((satellite, other, arriving * turn))
        rates[:, terminal] = _rate(setup, terminal, own, rest, len(on_air))
    return rates.mean(axis=0)


def _rate(setup: Setup, terminal: int, own: Any, rest: list[Any], satellites: int) -> NDArray[np.float64]:
    if isinstance(own, float):
        return np.zeros(setup.scenario.receiver.draws)
    antennas = own.shape[1]
    noise = setup.channel.noise_w[terminal] * np.eye(antennas)
    disturbance = noise + np.zeros((own.shape[0], antennas, antennas), dtype=np.complex128)
    if setup.scenario.receiver.interference == "independent":
        arriving = [item for *_, item in rest]
    else:
        streams = sorted({other for _, other, _ in rest})
        arriving = [sum(item for _, of, item in rest if of == other) for other in streams]
    for item in arriving:
        disturbance += item @ item.conj().swapaxes(1, 2)
    signal = own @ own.conj().swapaxes(1, 2)
    ratio = np.eye(antennas) + np.linalg.solve(disturbance, signal)
    return np.asarray(np.log2(np.linalg.det(ratio).real))


def channels(setup: Setup, snapshot: Any, norad_id: NDArray[np.int64]) -> tuple[StatisticalCsi, NDArray[Any]]:
    """Statistics of some satellites, and the drawn receive sides (D,S,K,M) of their channels."""
    links = snapshot.links(norad_id)
    csi = setup.belief.statistics.of(links).csi
    key = {"seed": setup.scenario.seed, "epoch": snapshot.epoch}
    draws = setup.scenario.receiver.draws
    variance = setup.belief.statistics.of(links).alignment.variance_rad2
    phases = draw_phase_errors(variance, norad_id, draws=draws, reach=csi.reach, **key)
    drawn = draw_channels(csi, phases, **key)
    return csi, np.array([csi.reach.scatter(one) for one in drawn.receive])


def weighted(segments: list[OnAirSegment], values: list[NDArray[np.float64]]) -> NDArray[np.float64]:
    lengths = np.array([segment.end_ns - segment.begin_ns for segment in segments])
    return np.asarray((lengths[:, None] * np.array(values)).sum(axis=0) / lengths.sum())


@pytest.mark.parametrize(
    "changes",
    [
        {},
        WIDE,
        WIDE | {"receiver.interference": "coherent"},
        WIDE | {"association": {"name": "max_elevation", "every": "40s", "execution": "5s"}},
        {"precoding.name": "smrt"},
        {"precoding.name": "ss_mmse"},
        {"receiver.interference": "coherent"},
        {"channel.scattering": "isotropic", "terminals.antenna": {"rows": 2, "columns": 2}},
        {"receiver.interference": "coherent", "terminals.antenna": {"rows": 1, "columns": 2}},
    ],
    ids=str,
)
def test_rates_are_those_of_what_was_on_the_air(changes: dict[str, Any], monkeypatch: pytest.MonkeyPatch):
    setup = Setup.of(small(SOFT | changes))
    stretches = 0
    for report, segments in with_segments(setup, monkeypatch):
        stretches += len(segments)
        assert not report.epoch or report.score.spectral_efficiency_bps_hz.any()
        expected = weighted(
            segments, [by_hand(setup, setup.truth.snapshot(report.epoch), segment) for segment in segments]
        )
        found = report.score.spectral_efficiency_bps_hz
        assert np.allclose(found, expected, rtol=RELATIVE, atol=1e-12)
    assert stretches > 12


def test_stretches_fill_the_epoch(monkeypatch: pytest.MonkeyPatch):
    setup = Setup.of(small(SOFT))
    for report, segments in with_segments(setup, monkeypatch):
        edges = [segment.begin_ns for segment in segments] + [segments[-1].end_ns]
        assert (edges[0], edges[-1]) == (report.epoch * 10**10, (report.epoch + 1) * 10**10)
        assert edges[1:-1] == [segment.end_ns for segment in segments[:-1]]
        assert edges == sorted(set(edges))


def test_power_is_that_of_the_streams_on_the_air(monkeypatch: pytest.MonkeyPatch):
    setup = Setup.of(small(SOFT))
    for report, segments in with_segments(setup, monkeypatch):
        last = segments[-1]
        spent = np.zeros(len(last.table.norad_id))
        if last.weights is not None:
            antenna = last.weights.antenna()
            for row, id_ in enumerate(last.weights.norad_id):
                place = np.flatnonzero(last.table.norad_id == id_)
                streams = (np.abs(antenna[row]) ** 2).sum(axis=(1, 2))
                spent[place] = (streams * last.ready()[place]).sum(axis=1)
        # Gram matrices against sums over antennas
        assert np.allclose(report.score.power_w, spent, rtol=RELATIVE, atol=1e-15)
        assert (report.score.power_w <= setup.power_w * (1.0 + 1e-12)).all()


def one_epoch(monkeypatch: pytest.MonkeyPatch, **changes: Any) -> tuple[Setup, Any, OnAirSegment]:
    setup = Setup.of(small({"time.duration": "10s", "association.execution": "0s", **changes}))
    ((report, (segment,)),) = with_segments(setup, monkeypatch)
    return setup, report, segment


def scored(setup: Setup, snapshot: Any, segments: list[OnAirSegment]) -> EpochScore:
    channels = EpochChannels.over(setup, snapshot.epoch, segments)
    return scoring.scored(channels, [channels.followed(segment) for segment in segments])


def cut(segment: OnAirSegment, *at_ns: int) -> list[OnAirSegment]:
    edges = [segment.begin_ns, *at_ns, segment.end_ns]
    return [
        OnAirSegment(begin_ns=begin, end_ns=end, table=segment.table, weights=segment.weights)
        for begin, end in pairwise(edges)
    ]


def test_cutting_an_epoch_where_nothing_changes_costs_nothing(monkeypatch: pytest.MonkeyPatch):
    setup, report, segment = one_epoch(monkeypatch)
    pieces = scored(setup, setup.truth.snapshot(report.epoch), cut(segment, 1, 3_333_333_333, 9_999_999_999))
    # shares that add up to one, in double precision
    whole = report.score
    assert np.allclose(pieces.spectral_efficiency_bps_hz, whole.spectral_efficiency_bps_hz, rtol=1e-14, atol=0.0)
    assert np.array_equal(pieces.sinr, whole.sinr)
    assert np.array_equal(pieces.power_w, whole.power_w)


def test_silence_before_the_first_weights(monkeypatch: pytest.MonkeyPatch):
    setup, report, segment = one_epoch(monkeypatch)
    before, after = cut(segment, 2_500_000_000)
    silent = OnAirSegment(begin_ns=before.begin_ns, end_ns=before.end_ns, table=before.table, weights=None)
    late = scored(setup, setup.truth.snapshot(report.epoch), [silent, after])
    expected = 0.75 * report.score.spectral_efficiency_bps_hz
    assert np.allclose(late.spectral_efficiency_bps_hz, expected, rtol=1e-14, atol=0.0)  # rounding of one product
    never = scored(setup, setup.truth.snapshot(report.epoch), [silent])
    assert not never.spectral_efficiency_bps_hz.any()
    assert not never.sinr.any()
    assert not never.power_w.any()
    assert not never.interrupted.any()  # no handover is under way: the cluster is ready


def test_weights_of_satellites_that_nobody_has_any_more_are_off_the_air(monkeypatch: pytest.MonkeyPatch):
    setup, report, segment = one_epoch(monkeypatch)
    table = segment.table
    kept = np.flatnonzero(table.member[:, 1:].any(axis=1))
    fewer = replace(
        table,
        norad_id=table.norad_id[kept],
        member=table.member[kept] & (np.arange(4) > 0),
        ready_ns=table.ready_ns[kept],
        master=np.array([-1, *np.searchsorted(kept, table.master[1:])]),
    )
    less = OnAirSegment(begin_ns=0, end_ns=segment.end_ns, table=fewer, weights=segment.weights)
    outcome = scored(setup, setup.truth.snapshot(report.epoch), [less])
    assert outcome.spectral_efficiency_bps_hz[0] == 0.0
    assert outcome.sinr[0] == 0.0
    # less interference can only help the others
    assert (outcome.spectral_efficiency_bps_hz[1:] >= report.score.spectral_efficiency_bps_hz[1:]).all()
    assert np.allclose(
        outcome.spectral_efficiency_bps_hz, by_hand(setup, setup.truth.snapshot(report.epoch), less), rtol=RELATIVE
    )


def test_members_that_are_not_ready_are_interrupted_and_radiate_nothing(monkeypatch: pytest.MonkeyPatch):
    setup, report, segment = one_epoch(monkeypatch)
    table = segment.table
    late_ns = np.full_like(table.ready_ns, 4 * 10**9)
    waiting = replace(table, ready_ns=late_ns)
    pieces = [
        OnAirSegment(begin_ns=begin, end_ns=end, table=waiting, weights=segment.weights)
        for begin, end in ((0, 4 * 10**9), (4 * 10**9, 10**10))
    ]
    outcome = scored(setup, setup.truth.snapshot(report.epoch), pieces)
    assert outcome.interrupted.tolist() == [0.4] * 4
    assert outcome.serving.any(axis=0).all()
    first = scored(setup, setup.truth.snapshot(report.epoch), pieces[:1])
    assert first.interrupted.tolist() == [1.0] * 4
    assert not first.serving.any()
    assert not first.power_w.any()


@pytest.mark.parametrize("interference", ["independent", "coherent"])
@pytest.mark.parametrize("knowledge", ["instantaneous", "mean_only"])
@pytest.mark.parametrize("antenna", [{"rows": 1, "columns": 1}, {"rows": 2, "columns": 2}], ids=["one", "four"])
def test_an_epoch_without_anybody_on_the_air_is_zero(interference: str, knowledge: str, antenna: dict[str, int]):
    setup = Setup.of(
        small(
            {
                "time.duration": "10s",
                "association.min_elevation_deg": 90.0,
                "receiver.interference": interference,
                "receiver.knowledge": knowledge,
                "terminals.antenna": antenna,
            }
        )
    )
    (report,) = records(setup)
    outcome = report.score
    assert outcome.norad_id.size == outcome.power_w.size == 0
    assert not outcome.spectral_efficiency_bps_hz.any()
    assert not outcome.surrogate_bps_hz.any()
    assert (outcome.master == -1).all()


def test_without_any_randomness_every_draw_is_the_mean():
    certain = {
        "precompensation.phase_variance_rad2": 0.0,
        "channel.fading": {"name": "none"},
        "time.duration": "10s",
    }
    setup = Setup.of(small(certain))
    (report,) = records(setup)
    outcome = report.score
    # one antenna and no spread: the drawn rate is the surrogate, over different sums of the same numbers
    assert np.allclose(outcome.spectral_efficiency_bps_hz, outcome.surrogate_bps_hz, rtol=1e-9)
    known = Setup.of(small(certain | {"receiver.knowledge": "mean_only"}))
    (alike,) = records(known)
    assert np.allclose(alike.score.spectral_efficiency_bps_hz, outcome.spectral_efficiency_bps_hz, rtol=1e-9)
