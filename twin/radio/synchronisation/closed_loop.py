"""Phase error of a loop that is closed: pilots, feedback, prediction, compensation."""

from __future__ import annotations

from typing import Annotated, Any

import numpy as np
from annotated_types import Ge, Le

from twin.arrays import BoolArray, FloatArray
from twin.radio.synchronisation.alignment import Alignment, LinkView
from twin.radio.synchronisation.disturbance import mean_disturbance
from twin.radio.synchronisation.loop_errors import LoopErrors, loop_errors
from twin.radio.synchronisation.phase_error import phase_errors
from twin.registry import dataclass_options


@dataclass_options
class ClosedLoopOptions:
    """The loop from the pilots of a satellite to the compensation at it."""

    pilot_spacing: Annotated[int, Ge(1)] = 4
    """One subcarrier in so many holds a pilot."""
    pilot_symbols: Annotated[int, Ge(2)] = 4
    """Symbols with pilots from which one estimate is made."""
    pilot_interval_symbols: Annotated[int, Ge(1)] = 14
    """Symbols from one with pilots to the next; a slot of 5G NR has 14."""
    processing_ms: Annotated[float, Ge(0.0), Le(1e5)] = 5.0
    """From the last pilot at the terminal to the compensated signal at the satellite, propagation not counted."""
    foresee_acceleration: bool = True
    """Whether prediction uses the range acceleration, which the ephemeris gives, beside the measured rate."""
    carrier_phase: bool = False
    """Whether the terminal measures the pilots' carrier phase, and thereby the delay to a fraction of a cycle."""
    delay_step_ps: Annotated[float, Ge(0.0), Le(1e12)] = 0.0
    """Step to which the delay is rounded; 0 does not round."""
    doppler_step_hz: Annotated[float, Ge(0.0), Le(1e9)] = 0.0
    """Step to which the Doppler shift is rounded; 0 does not round."""
    window_advance: Annotated[float, Ge(0.0), Le(1.0)] = 0.5
    """Share of the cyclic prefix by which the receiver's windows are early."""


@phase_errors.register("closed_loop", source="P3, Section III-B: the chain, worked out", options=ClosedLoopOptions)
def followed_loop(path: LinkView, *, options: Any) -> Alignment:
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
