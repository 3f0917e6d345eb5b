"""Phase error of the open loop: compensation by prediction only, without feedback."""

from __future__ import annotations

from typing import Annotated

import numpy as np
from annotated_types import Ge, Le

from twin.radio.synchronisation.alignment import Alignment, LinkView
from twin.radio.synchronisation.compensation import Residual
from twin.radio.synchronisation.demodulation import demodulate
from twin.radio.synchronisation.phase_error import phase_errors
from twin.registry import dataclass_options


@dataclass_options
class OpenLoopOptions:
    """Assumed accuracy of the prediction, and windows of the receivers."""

    assumed_phase_variance_rad2: Annotated[float, Ge(0.0)] = 0.0
    """ζ² in rad² that the network assumes; 0 assumes a perfect prediction."""
    elapsed_ms: Annotated[float, Ge(0.0), Le(1e6)] = 10.0
    """t: time since delay and phase were set, over which a Doppler error rotates the phase."""
    window_advance: Annotated[float, Ge(0.0), Le(1.0)] = 0.5
    """Advance of the receiver's windows as a fraction of the cyclic prefix."""


@phase_errors.register("open_loop", source="P3, eq. 8 and 10, for prediction errors", options=OpenLoopOptions)
def open_loop(path: LinkView, *, options: OpenLoopOptions) -> Alignment:
    """Phase error, ICI and ISI of compensation by prediction only, from errors of predicted geometry and clocks.

    The prediction errors τ̄ and ν̄ of each link give its phase ϱ = 2π (f_0 τ̄ + ν̄ t). It is a deterministic phase of the
    true channel, unknown to the network. What the satellites that serve a terminal have in common in τ̄ and ν̄, such as
    the error of the terminal's own clock, the terminal's synchronisation removes (`LinkView.beyond_common`): it neither
    varies over the band nor causes ICI or ISI, and its phase is common to all satellites. The remainder of τ̄ varies the
    phase by 2π nΔf τ̄ over the band, which is counted as a variance. Without prediction errors the phase is perfect.
    """
    waveform, shape = path.waveform, path.range_km.shape
    zero = np.zeros(shape)
    if path.prediction_error is None:
        assumed = np.full(shape, options.assumed_phase_variance_rad2)
        return Alignment(
            variance_rad2=assumed, disturbance_fraction=zero, delay_deviation_s=zero, doppler_deviation_hz=zero
        )
    error = path.prediction_error
    cycles = waveform.carrier_hz * error.delay_s + 1e-3 * options.elapsed_ms * error.doppler_hz
    early_s, shift_hz = path.beyond_common(error.delay_s), path.beyond_common(error.doppler_hz)
    remainder = Residual(delay_s=early_s, doppler_hz=shift_hz)
    advance_s = options.window_advance * waveform.prefix_s
    return Alignment(
        variance_rad2=(2.0 * np.pi) ** 2 * waveform.squared_offset_hz2 * early_s**2,
        disturbance_fraction=demodulate(remainder, waveform, advance_s=advance_s).disturbance,
        delay_deviation_s=np.abs(early_s),
        doppler_deviation_hz=np.abs(shift_hz),
        phase_rad=2.0 * np.pi * np.mod(cycles, 1.0),
    )
