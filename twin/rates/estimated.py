"""Moments of the received signal in closed form, for beams along estimated channels (P5, Theorem 2)."""

from __future__ import annotations

import numpy as np

from twin.arrays import BoolArray, ComplexArray, FloatArray
from twin.precoding.instantaneous.uplink_pilots import Estimates, PilotRule
from twin.radio.channel import StatisticalCsi
from twin.radio.waveform import Waveform
from twin.rates.interference import interference_covariance
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
    """Moments over channels and pilots for beams along estimates, at terminals with one antenna.

    Interference by delay needs the waveform. For coherent interference, `mean_only_rate` of these moments is P5's
    (51), with the numerators derived in its (69) and (79).

    Raises
    ------
    ValueError
        If there are phase errors, ICI or ISI, or terminals with several antennas, which the closed form excludes.
    """
    perfect = truth.disturbance_fraction is None and (truth.mean_phase[truth.gain > 0.0] == 1.0).all()
    if truth.receive_steering.shape[-1] != 1 or not perfect:
        raise ValueError("the closed form assumes perfect phases and terminals with one antenna")
    mean, variance = _pair_moments(rule, truth, transmitting)
    streams = Streams.of_effective_gain(mean[..., None], truth, waveform=waveform)
    reach = truth.reach
    own_variance = np.einsum("skk->sk", variance)
    other_variance = variance.sum(axis=2) - own_variance
    other_mean = interference_covariance(streams, np.ones((1, *mean.shape[:2], 1)), interference=interference)
    interference_w = reach.sum_by_terminal(other_variance) + other_mean[0, :, 0, 0].real
    return ReceivedMoments(
        mean=reach.sum_by_terminal(streams.own)[:, None, :],
        covariance=reach.sum_by_terminal(own_variance)[:, None, None],
        interference_plus_noise=np.asarray(interference_w + truth.noise_w)[:, None, None],
    )


def _pair_moments(rule: PilotRule, truth: StatisticalCsi, transmitting: BoolArray) -> tuple[ComplexArray, FloatArray]:
    """(S,B,B) mean and variance of the gain from each satellite to terminal k, of the stream for terminal j."""
    estimates = Estimates.of(rule, truth)
    m, ν = estimates.mean, estimates.variance
    beam = truth.gram * rule.amplitude(truth, transmitting)[:, None, :]
    # pilot contamination of an estimate has the carrier phase of the contaminating terminal
    rotation = estimates.turn[:, :, None].conj() * estimates.turn[:, None, :]
    common = ν[:, :, None] * ν[:, None, :] * (estimates.meeting @ estimates.filters) * rotation
    estimated = estimates.power - m**2
    mean = beam * (m[:, :, None] * m[:, None, :] + common)
    bracket = (m**2 + ν)[:, :, None] * estimated[:, None, :] + ν[:, :, None] * (m**2)[:, None, :]
    return mean, beam**2 * bracket
