"""Phase error of a loop that is closed: pilots, feedback, prediction, compensation."""

from __future__ import annotations

import numpy as np

from twin.arrays import BoolArray, FloatArray
from twin.radio.synchronisation.alignment import Alignment, LinkView
from twin.radio.synchronisation.disturbance import mean_disturbance
from twin.radio.synchronisation.loop_errors import LoopErrors, loop_errors
from twin.radio.synchronisation.loop_options import ClosedLoopOptions
from twin.radio.synchronisation.phase_error import phase_errors


@phase_errors.register("closed_loop", source="P3, Section III-B: the chain, worked out", options=ClosedLoopOptions)
def followed_loop(path: LinkView, *, options: ClosedLoopOptions) -> Alignment:
    """Phase error, ICI and ISI of pilot estimates, fed back and predicted over the delay, for each link.

    Where no pilot is heard the phase is uniform and no power stays where it should.
    """
    heard = path.pilot_snr > 0.0
    errors = loop_errors(path if heard.all() else path.where(heard), options)
    waveform = path.waveform
    share = mean_disturbance(
        errors.delay_deviation_s,
        errors.doppler_deviation_hz,
        waveform,
        advance_s=options.window_advance * waveform.prefix_s,
    )
    return Alignment(
        variance_rad2=_spread(effective_variance_rad2(errors), heard, np.inf),
        disturbance_fraction=_spread(share, heard, 1.0),
        delay_deviation_s=_spread(errors.delay_deviation_s, heard, np.inf),
        doppler_deviation_hz=_spread(errors.doppler_deviation_hz, heard, np.inf),
    )


def _spread(values: FloatArray, heard: BoolArray, otherwise: float) -> FloatArray:
    """Values of the links whose pilots are heard, among all."""
    if values.shape == heard.shape:
        return values
    everywhere = np.full(heard.shape, otherwise)
    everywhere[heard] = values
    return everywhere


def effective_variance_rad2(errors: LoopErrors) -> FloatArray:
    """ζ² = -2 ln |E e^{jϱ}|, from the exact mean of Gaussian errors and of rounding.

    Rounding to a step that spans c cycles turns the phase uniformly over 2πc: E e^{jϱ} = sinc(c). From c = 1 on,
    where the step is no less than a cycle, the phase is taken for uniform.
    """
    variance_rad2 = errors.gaussian_rad2 + errors.prediction_rad2
    for cycles in (errors.delay_step_cycles, errors.doppler_step_cycles):
        if not cycles.any():
            continue
        with np.errstate(divide="ignore"):
            variance_rad2 = variance_rad2 - 2.0 * np.log(np.where(cycles < 1.0, np.sinc(cycles), 0.0))
    return np.asarray(variance_rad2)
