"""Phase error without any feedback: satellites trust their prediction of where everybody is."""

from __future__ import annotations

from typing import Annotated

import numpy as np
from annotated_types import Ge, Le

from twin.radio.synchronisation.alignment import Alignment, LinkView
from twin.radio.synchronisation.demodulation import demodulate
from twin.radio.synchronisation.phase_error import phase_errors
from twin.registry import dataclass_options


@dataclass_options
class OpenLoopOptions:
    """What the network takes its own prediction for, and the receivers' windows."""

    assumed_phase_variance_rad2: Annotated[float, Ge(0.0)] = 0.0
    """ζ² with which the network reckons; 0 trusts the prediction to a fraction of a wavelength."""
    elapsed_ms: Annotated[float, Ge(0.0), Le(1e6)] = 10.0
    """t: time since delay and phase were set, over which a mistaken Doppler shift has turned the phase."""
    window_advance: Annotated[float, Ge(0.0), Le(1.0)] = 0.5
    """Share of the cyclic prefix by which the receiver's windows are early."""


@phase_errors.register("open_loop", source="P3, eq. 8 and 10, of a prediction that errs", options=OpenLoopOptions)
def open_loop(path: LinkView, *, options: OpenLoopOptions) -> Alignment:
    """Phase, ICI and ISI of compensation by prediction alone: what the belief and its clocks get wrong.

    The residuals τ̄ and ν̄ of each link are what the belief misses of the truth, and the phase that they make,
    ϱ = 2π (f_0 τ̄ + ν̄ t), is that of the true channel; the network does not know it. What all satellites of a terminal
    have in common, as the error of the terminal's own clock, harms nobody. Over the band the phase differs by
    2π nΔf τ̄, which counts as a variance. Where the belief is the truth, the phase is perfect.
    """
    waveform, shape = path.waveform, path.range_km.shape
    none = np.zeros(shape)
    if path.prediction_error is None:
        assumed = np.full(shape, options.assumed_phase_variance_rad2)
        return Alignment(
            variance_rad2=assumed, disturbance_fraction=none, delay_deviation_s=none, doppler_deviation_hz=none
        )
    early_s, shift_hz = path.prediction_error.delay_s, path.prediction_error.doppler_hz
    cycles = waveform.carrier_hz * early_s + 1e-3 * options.elapsed_ms * shift_hz
    advance_s = options.window_advance * waveform.prefix_s
    return Alignment(
        variance_rad2=(2.0 * np.pi) ** 2 * waveform.squared_offset_hz2 * early_s**2,
        disturbance_fraction=demodulate(path.prediction_error, waveform, advance_s=advance_s).disturbance,
        delay_deviation_s=np.abs(early_s),
        doppler_deviation_hz=np.abs(shift_hz),
        phase_rad=2.0 * np.pi * np.mod(cycles, 1.0),
    )
