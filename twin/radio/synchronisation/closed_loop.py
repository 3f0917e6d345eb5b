"""Phase error of the closed loop: pilots, feedback, prediction, compensation."""

from __future__ import annotations

import numpy as np

from twin.arrays import BoolArray, FloatArray
from twin.radio.synchronisation.alignment import Alignment, LinkView
from twin.radio.synchronisation.disturbance import mean_disturbance
from twin.radio.synchronisation.loop_errors import LoopErrors, loop_errors
from twin.radio.synchronisation.loop_options import ClosedLoopOptions
from twin.radio.synchronisation.phase_error import phase_errors


@phase_errors.register("closed_loop", source="P3, Section III-B, each stage modelled", options=ClosedLoopOptions)
def closed_loop(path: LinkView, *, options: ClosedLoopOptions) -> Alignment:
    """Phase error, ICI and ISI of pilot estimates that are fed back and predicted over the loop delay, for each link.

    Where no pilot is received, the phase is uniform and all power is ICI and ISI.
    """
    received = path.pilot_snr > 0.0
    errors = loop_errors(path if received.all() else path.select(received), options)
    waveform = path.waveform
    disturbance = mean_disturbance(
        errors.delay_deviation_s,
        errors.doppler_deviation_hz,
        waveform,
        advance_s=options.window_advance * waveform.prefix_s,
    )
    return Alignment(
        variance_rad2=_scattered(effective_variance_rad2(errors), received, np.inf),
        disturbance_fraction=_scattered(disturbance, received, 1.0),
        delay_deviation_s=_scattered(errors.delay_deviation_s, received, np.inf),
        doppler_deviation_hz=_scattered(errors.doppler_deviation_hz, received, np.inf),
    )


def _scattered(values: FloatArray, received: BoolArray, fill: float) -> FloatArray:
    """Values of the links with received pilots in an array of all links, with ``fill`` for the others."""
    if values.shape == received.shape:
        return values
    scattered = np.full(received.shape, fill)
    scattered[received] = values
    return scattered


def effective_variance_rad2(errors: LoopErrors) -> FloatArray:
    """ζ² = -2 ln |E e^{jϱ}| in rad², from the exact mean over Gaussian and quantisation errors.

    Quantisation with a step of c cycles gives a uniform phase error of width 2πc: E e^{jϱ} = sinc(c). For c ≥ 1 the
    phase is assumed uniform.
    """
    variance_rad2 = errors.gaussian_rad2 + errors.prediction_rad2
    for cycles in (errors.delay_step_cycles, errors.doppler_step_cycles):
        if not cycles.any():
            continue
        with np.errstate(divide="ignore"):
            variance_rad2 = variance_rad2 - 2.0 * np.log(np.where(cycles < 1.0, np.sinc(cycles), 0.0))
    return np.asarray(variance_rad2)
