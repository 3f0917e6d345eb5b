"""Moments in closed form of what arrives from beams along estimated channels (P5, Theorem 2)."""

from __future__ import annotations

import numpy as np

from twin.arrays import BoolArray, ComplexArray, FloatArray
from twin.precoding.instantaneous.uplink_pilots import Estimates, PilotRule
from twin.radio.channel import StatisticalCsi
from twin.radio.waveform import Waveform
from twin.rates.interference import disturbance
from twin.rates.moments import ReceivedMoments
from twin.rates.streams import Streams


def estimated_moments(
    rule: PilotRule,
    truth: StatisticalCsi,
    transmitting: BoolArray,
    *,
    interference: str,
    waveform: Waveform | None = None,
) -> ReceivedMoments:
    """Moments over channels and pilots of beams along estimates, for terminals with one antenna.

    Interference by delay needs the waveform. With coherent interference `mean_only_rate` of them is P5's (51), with the
    numerators that its (69) and (79) derive.

    Raises
    ------
    ValueError
        If phases are not perfect, own power is lost to ICI and ISI or terminals have several antennas: the closed
        form holds for none of these.
    """
    perfect = truth.disturbance_fraction is None and (truth.mean_phase[truth.gain > 0.0] == 1.0).all()
    if truth.receive_steering.shape[-1] != 1 or not perfect:
        raise ValueError("the closed form takes perfect phases and terminals with one antenna")
    mean, variance = _of_pairs(rule, truth, transmitting)
    streams = Streams.of_responses(mean[..., None], truth, waveform=waveform)
    reach = truth.reach
    own_variance = np.einsum("skk->sk", variance)
    unwanted = variance.sum(axis=2) - own_variance
    arriving = disturbance(streams, np.ones((1, *mean.shape[:2], 1)), interference=interference)
    rest = reach.sum_by_terminal(unwanted) + arriving[0, :, 0, 0].real
    return ReceivedMoments(
        mean=reach.sum_by_terminal(streams.own)[:, None, :],
        spread=reach.sum_by_terminal(own_variance)[:, None, None],
        disturbance=np.asarray(rest + truth.noise_w)[:, None, None],
    )


def _of_pairs(rule: PilotRule, truth: StatisticalCsi, transmitting: BoolArray) -> tuple[ComplexArray, FloatArray]:
    """(S,B,B) mean and variance of what terminal k hears, from each satellite, of the stream for terminal j."""
    estimates = Estimates.of(rule, truth)
    m, ν = estimates.mean, estimates.variance
    beam = truth.gram * rule.amplitude(truth, transmitting)[:, None, :]
    # what a terminal's pilot leaves in another's estimate has its own carrier phase, not the other's
    turned = estimates.turn[:, :, None].conj() * estimates.turn[:, None, :]
    common = ν[:, :, None] * ν[:, None, :] * (estimates.meeting @ estimates.filters) * turned
    learnt = estimates.power - m**2
    mean = beam * (m[:, :, None] * m[:, None, :] + common)
    bracket = (m**2 + ν)[:, :, None] * learnt[:, None, :] + ν[:, :, None] * (m**2)[:, None, :]
    return mean, beam**2 * bracket
