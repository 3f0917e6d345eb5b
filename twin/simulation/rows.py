"""From a closed epoch to the rows of the trace."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from twin.arrays import FloatArray
from twin.geometry.links import doppler_hz
from twin.radio.synchronisation import draw_phase_errors
from twin.results import ListColumn
from twin.simulation.loop import EpochReport
from twin.units import to_db
from twin.world.network import Network, found

Columns = Mapping[str, object]


def terminal_rows(network: Network, report: EpochReport) -> Columns:
    """One row for each terminal."""
    outcome, snapshot = report.outcome, report.snapshot
    served = outcome.serving.any(axis=0)
    satellites = np.where(outcome.serving.T, outcome.norad_id, 0)
    lengths = outcome.serving.sum(axis=0)
    heard = served & (outcome.sinr > 0.0)
    sinr_db = to_db(np.where(heard, outcome.sinr, 1.0))
    leads = np.append(outcome.norad_id, 0)[outcome.master]
    states = snapshot.terminals
    begin_ns, end_ns = (network.timeline.begin_ns(report.epoch + step) for step in (0, 1))
    return {
        **_when(network, report, network.terminals.count),
        "terminal": network.terminals.names,
        "latitude_deg": states.latitude_deg[snapshot.index],
        "longitude_deg": states.longitude_deg[snapshot.index],
        "altitude_km": states.altitude_km[snapshot.index],
        "se_bps_hz": outcome.spectral_efficiency_bps_hz,
        "se_ap1_bps_hz": outcome.surrogate_bps_hz,
        "rate_bps": outcome.spectral_efficiency_bps_hz * (network.scenario.channel.bandwidth_mhz * 1e6),
        "sinr_db": np.ma.masked_array(sinr_db, ~heard),
        "in_service": served,
        "present": ~network.outages.absent(end_ns - 1),
        "present_fraction": network.outages.present_fraction(begin_ns, end_ns),
        "interrupted_fraction": outcome.interrupted,
        "serving": ListColumn(values=satellites[outcome.serving.T], lengths=lengths),
        "master": np.ma.masked_array(leads, ~served),
    }


def handover_rows(network: Network, report: EpochReport) -> Columns:
    """One row for each event, at the instant when it happened."""
    events = [logged.handover for logged in report.events]
    instants = [network.timeline.instant(logged.time_ns) for logged in report.events]
    return {
        "epoch": np.full(len(events), report.epoch),
        "time": np.array(instants, dtype="datetime64[ns]"),
        "terminal": [network.terminals.names[event.terminal] for event in events],
        "kind": [event.kind for event in events],
        "from_satellite": _or_null([event.from_satellite for event in events]),
        "to_satellite": _or_null([event.to_satellite for event in events]),
        "from_beam": _or_null([event.from_beam for event in events]),
        "to_beam": _or_null([event.to_beam for event in events]),
        "reason": [event.reason for event in events],
        "interruption_s": np.array([event.interruption_ns / 1e9 for event in events]),
    }


def attempt_rows(network: Network, report: EpochReport) -> Columns:
    """One row for each decided change, when it was known what became of it."""
    attempts, instant = report.attempts, network.timeline.instant
    begun = [attempt.begun_ns for attempt in attempts]
    return {
        "epoch": np.full(len(attempts), report.epoch),
        "time": np.array([instant(attempt.time_ns) for attempt in attempts], dtype="datetime64[ns]"),
        "terminal": [network.terminals.names[attempt.terminal] for attempt in attempts],
        "decided": np.array([instant(attempt.decided_ns) for attempt in attempts], dtype="datetime64[ns]"),
        "begun": np.ma.masked_array(
            np.array([instant(at_ns or 0) for at_ns in begun], dtype="datetime64[ns]"),
            [at_ns is None for at_ns in begun],
        ),
        "from_satellites": _lists([attempt.before for attempt in attempts]),
        "to_satellites": _lists([attempt.wanted for attempt in attempts]),
        "outcome": [attempt.outcome for attempt in attempts],
        "reason": [attempt.reason for attempt in attempts],
    }


def candidate_rows(network: Network, report: EpochReport) -> Columns:
    """One row for each satellite that a terminal could choose from, if there was a decision."""
    if report.decision is None:
        pairs = np.empty((2, 0), dtype=np.int64)
        score, elevation_deg, chosen = np.empty(0), np.empty(0), np.empty(0, dtype=np.bool_)
        satellites = np.empty(0, dtype=np.int64)
    else:
        view, wanted = report.decision.view, report.decision.wanted
        pairs = np.array(np.nonzero(view.visible.T))
        score = np.full(pairs.shape[1], np.nan) if wanted.score is None else np.asarray(wanted.score).T[tuple(pairs)]
        elevation_deg, chosen = view.elevation_deg.T[tuple(pairs)], wanted.serving.T[tuple(pairs)]
        satellites = view.norad_id[pairs[1]]
    return {
        **_when(network, report, pairs.shape[1]),
        "terminal": np.array(network.terminals.names)[pairs[0]].tolist(),
        "satellite": satellites,
        "score": _finite(score.astype(np.float64)),
        "elevation_deg": elevation_deg,
        "chosen": chosen,
    }


def satellite_rows(network: Network, report: EpochReport) -> Columns:
    """One row for each satellite with somebody to serve."""
    outcome = report.outcome
    return {
        **_when(network, report, len(outcome.norad_id)),
        "satellite": outcome.norad_id,
        "served": outcome.serving.sum(axis=1),
        "power_w": outcome.power_w,
    }


def epoch_rows(network: Network, report: EpochReport) -> Columns:
    """One row."""
    outcome = report.outcome
    return {
        **_when(network, report, 1),
        "visible_satellites": np.array([len(report.snapshot.rows)]),
        "active_satellites": np.array([int(outcome.serving.any(axis=1).sum())]),
        "in_service_terminals": np.array([int(outcome.serving.any(axis=0).sum())]),
        "sum_se_bps_hz": np.array([outcome.spectral_efficiency_bps_hz.sum()]),
        "precoder_iterations": np.array([report.iterations]),
        "converged": np.array([report.converged]),
    }


def link_rows(network: Network, report: EpochReport) -> Columns:
    """One row for each satellite and terminal that see each other, serving or not."""
    snapshot, scenario = report.snapshot, network.scenario
    norad_id = snapshot.norad_id
    links = snapshot.links(norad_id)
    pairs = np.nonzero(snapshot.visible)
    alignment = network.true_csi_now(snapshot, norad_id)[1]
    variance = alignment.variance_rad2
    phase = draw_phase_errors(variance, norad_id, draws=1, seed=scenario.seed, epoch=report.epoch)[0]
    if alignment.phase_rad is not None:
        phase = phase + alignment.phase_rad
    missed = network.precompensation(report.epoch, links)
    predicted = network.predictable(report.epoch, norad_id)[pairs[0]]
    carrier_hz = network.channel.carrier_hz
    rician = network.channel.realised_rician(links)
    serving = np.zeros(snapshot.visible.shape, dtype=np.bool_)
    known, places = found(norad_id, report.outcome.norad_id)
    serving[places] = report.outcome.serving[known]
    names = np.array(network.terminals.names)
    return {
        **_when(network, report, len(pairs[0])),
        "satellite": norad_id[pairs[0]],
        "terminal": names[pairs[1]].tolist(),
        "elevation_deg": links.elevation_deg[pairs],
        "azimuth_deg": links.azimuth_deg[pairs],
        "range_km": links.range_km[pairs],
        "delay_s": links.delay_s[pairs],
        "doppler_hz": doppler_hz(links, carrier_hz)[pairs],
        "path_gain_db": -network.channel.realised_loss_db(links)[pairs],
        "rician_k_db": _finite(to_db(rician[pairs])),
        "residual_delay_s": np.ma.masked_array(missed.delay_s[pairs], ~predicted),
        "residual_doppler_hz": np.ma.masked_array(missed.doppler_hz[pairs], ~predicted),
        "phase_variance_rad2": _finite(variance[pairs]),
        "phase_error_rad": np.ma.masked_array(phase[pairs], ~predicted),
        "serving": serving[pairs],
    }


def timing_rows(report: EpochReport) -> Columns:
    """One row for each stage."""
    return {
        "epoch": np.full(len(report.wall_s), report.epoch),
        "stage": list(report.wall_s),
        "wall_s": np.array(list(report.wall_s.values())),
    }


def _when(network: Network, report: EpochReport, rows: int) -> dict[str, object]:
    instant = network.timeline.instant(network.timeline.begin_ns(report.epoch))
    return {"epoch": np.full(rows, report.epoch), "time": np.full(rows, instant)}


def _lists(sets: Sequence[tuple[int, ...]]) -> ListColumn:
    values = np.array([satellite for each in sets for satellite in each], dtype=np.int64)
    return ListColumn(values=values, lengths=np.array([len(each) for each in sets], dtype=np.int64))


def _or_null(ids: list[int | None]) -> np.ma.MaskedArray[tuple[int], np.dtype[np.int64]]:
    return np.ma.masked_array([id_ or 0 for id_ in ids], [id_ is None for id_ in ids], dtype=np.int64)


def _finite(values: FloatArray) -> np.ma.MaskedArray[tuple[int], np.dtype[np.float64]]:
    lost = ~np.isfinite(values)
    return np.ma.masked_array(np.where(lost, 0.0, values), lost)
