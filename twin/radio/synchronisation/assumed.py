"""Phase error from an assumed distribution of delay and Doppler errors."""

from typing import Annotated

import numpy as np
from annotated_types import Ge, Le

from twin.radio.synchronisation.alignment import Alignment, LinkView
from twin.radio.synchronisation.disturbance import mean_disturbance
from twin.radio.synchronisation.phase_error import phase_errors
from twin.registry import dataclass_options


@dataclass_options
class ResidualOptions:
    """One distribution of residual errors for all links."""

    delay_deviation_ps: Annotated[float, Ge(0.0), Le(1e12)] = 50.0
    """Standard deviation of the residual delay τ̄. One cycle of 2 GHz is 500 ps."""
    doppler_deviation_hz: Annotated[float, Ge(0.0), Le(1e9)] = 1.0
    """Standard deviation of the residual Doppler ν̄."""
    elapsed_ms: Annotated[float, Ge(0.0), Le(1e6)] = 10.0
    """t: time since delay and phase were set, over which the residual Doppler rotates the phase."""
    window_advance: Annotated[float, Ge(0.0), Le(1.0)] = 0.5
    """Advance of the receiver's windows as a fraction of the cyclic prefix; 0 as in P3 tolerates no early signals."""


@phase_errors.register("residual", source="P3, eq. 8 and 10", options=ResidualOptions)
def residual_phase(path: LinkView, *, options: ResidualOptions) -> Alignment:
    """Phase error, ICI and ISI of Gaussian residual delay and Doppler, the same for all links.

    ϱ = 2π (f_0 + nΔf) τ̄ + 2π ν̄ t gives ζ² = (2π)² (E(f_0 + nΔf)² σ_τ² + t² σ_ν²) with the mean over the band.
    """
    delay_s, doppler_hz = options.delay_deviation_ps * 1e-12, options.doppler_deviation_hz
    waveform = path.waveform
    squared_hz2 = waveform.carrier_hz**2 + waveform.squared_offset_hz2
    variance_rad2 = (2.0 * np.pi) ** 2 * (squared_hz2 * delay_s**2 + (1e-3 * options.elapsed_ms * doppler_hz) ** 2)
    advance_s = options.window_advance * waveform.prefix_s
    disturbance = float(mean_disturbance(delay_s, doppler_hz, waveform, advance_s=advance_s))
    shape = path.range_km.shape
    return Alignment(
        variance_rad2=np.full(shape, variance_rad2),
        disturbance_fraction=np.full(shape, disturbance),
        delay_deviation_s=np.full(shape, delay_s),
        doppler_deviation_hz=np.full(shape, doppler_hz),
    )
