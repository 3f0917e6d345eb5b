"""The geometry and synchronisation of all links in view, for the trace."""

from __future__ import annotations

import numpy as np

from twin.arrays import BoolArray, IntArray
from twin.geometry.links import doppler_hz
from twin.geometry.snapshot import Snapshot
from twin.radio.synchronisation import draw_phase_errors
from twin.results.record import EpochScore, LinkRecord
from twin.simulation.scoring import applied
from twin.world.setup import Setup


def observed_links(setup: Setup, snapshot: Snapshot, score: EpochScore) -> LinkRecord:
    """All pairs in view of each other at the start of an epoch, serving or not.

    Phase errors are keyed draws: those of serving pairs are the first draws that rates were scored with.
    """
    norad_id, pairs = snapshot.norad_id, np.nonzero(snapshot.visible)
    links, epoch = snapshot.links(norad_id), snapshot.epoch
    synchronised = _placed(score.synchronised, norad_id, snapshot.visible.shape, score)
    true = setup.truth.csi(snapshot, norad_id, applied(setup, epoch, norad_id), serving=synchronised)
    alignment = true.alignment
    variance, seed = alignment.variance_rad2, setup.scenario.seed
    phase = draw_phase_errors(variance, norad_id, draws=1, seed=seed, epoch=epoch)[0]
    if alignment.phase_rad is not None:
        phase = phase + alignment.phase_rad
    error = setup.truth.prediction_error(links, setup.belief.compensation(epoch, norad_id))
    channel = setup.channel
    return LinkRecord(
        satellite=norad_id[pairs[0]],
        terminal=pairs[1],
        elevation_deg=links.elevation_deg[pairs],
        azimuth_deg=links.azimuth_deg[pairs],
        range_km=links.range_km[pairs],
        delay_s=links.delay_s[pairs],
        doppler_hz=doppler_hz(links, channel.carrier_hz)[pairs],
        path_gain_db=-channel.realised_loss_db(links)[pairs],
        rician=channel.realised_rician(links)[pairs],
        residual_delay_s=error.delay_s[pairs],
        residual_doppler_hz=error.doppler_hz[pairs],
        phase_variance_rad2=variance[pairs],
        phase_error_rad=phase[pairs],
        predicted=setup.belief.predictable(epoch, norad_id)[pairs[0]],
        serving=_placed(score.serving, norad_id, snapshot.visible.shape, score)[pairs],
    )


def _placed(pairs: BoolArray, norad_id: IntArray, shape: tuple[int, ...], score: EpochScore) -> BoolArray:
    """Pairs (A,K) of a score's satellites, in the rows of other satellites."""
    placed = np.zeros(shape, dtype=np.bool_)
    _, rows, places = np.intersect1d(norad_id, score.norad_id, assume_unique=True, return_indices=True)
    placed[rows] = pairs[places]
    return placed
