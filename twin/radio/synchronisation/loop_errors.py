"""Error contributions of the stages of the closed compensation loop, for each link."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from twin.arrays import FloatArray
from twin.constants import LIGHT_SPEED_M_S
from twin.errors import InputError
from twin.radio.synchronisation.alignment import LinkView
from twin.radio.synchronisation.compensation import Motion, Residual, delay_s, doppler_hz
from twin.radio.synchronisation.loop_options import ClosedLoopOptions
from twin.radio.synchronisation.pilot_bounds import PilotGrid, pilot_bounds
from twin.radio.waveform import Waveform
from twin.records import documented


@documented
@dataclass(frozen=True, slots=True, kw_only=True)
class LoopErrors:
    """Errors of compensation by origin; arrays of one shape, (S,K) in a run."""

    age_s: FloatArray
    """a in s: time from the middle of the pilots to the compensated signal, both at the terminal."""
    estimate_rad2: FloatArray
    """Phase variance at the carrier of the delay estimate, or of the carrier-phase estimate."""
    slope_rad2: FloatArray
    """Phase variance of the delay estimate relative to the carrier, averaged over the band."""
    drift_rad2: FloatArray
    """(2πa)² σ_ν²: phase variance of the Doppler estimate, accumulated over the age."""
    prediction_rad2: FloatArray
    """Squared phase error of the predicted motion."""
    delay_step_cycles: FloatArray
    """Quantisation step of the delay in carrier cycles."""
    doppler_step_cycles: FloatArray
    """Quantisation step of the Doppler shift times the age, in cycles."""
    delay_deviation_s: FloatArray
    """Root mean square of τ̄ in s over all stages."""
    doppler_deviation_hz: FloatArray
    """Root mean square of ν̄ in Hz over all stages."""

    @property
    def gaussian_rad2(self) -> FloatArray:
        """Phase variance of the estimation errors."""
        return self.estimate_rad2 + self.slope_rad2 + self.drift_rad2

    @property
    def variance_rad2(self) -> FloatArray:
        """Mean square of ϱ over all stages; a step of c cycles adds (2πc)²/12."""
        steps = self.delay_step_cycles**2 + self.doppler_step_cycles**2
        return self.gaussian_rad2 + self.prediction_rad2 + np.pi**2 / 3.0 * steps


def loop_errors(view: LinkView, options: ClosedLoopOptions) -> LoopErrors:
    """Errors of all stages of the loop, for each link.

    The applied delay is τ̂ - ν̂a/f_0 + r̈a²/(2c): the estimate, extrapolated over the age a by the measured Doppler shift
    and, as an option, by the acceleration. Its error is the sum of the estimation error, of a/f_0 times the error of
    the Doppler estimate, of the next term of the motion and of quantisation. The phase error is 2πf_0 times the delay
    error. At other subcarriers the error of the envelope delay is added. The stages are independent.

    Parameters
    ----------
    view
        The links with the SNR of their pilots.
    options
        Options of the loop.

    Raises
    ------
    InputError
        If fewer than two pilots fit into the band.
    """
    waveform = view.waveform
    grid = pilot_grid(waveform, options)
    bounds = pilot_bounds(view.pilot_snr, grid)
    age_s = grid.half_length_s + 1e-3 * options.processing_ms + 2.0 * delay_s(view.range_km)
    predicted = prediction_error(
        view, age_s, carrier_hz=waveform.carrier_hz, acceleration_known=options.foresee_acceleration
    )
    carrier_hz, delay_step_s = waveform.carrier_hz, options.delay_step_ps * 1e-12
    at_carrier_rad2 = (2.0 * np.pi * carrier_hz) ** 2 * bounds.delay_s2
    drift_s2 = (age_s / carrier_hz) ** 2 * (bounds.doppler_hz2 + options.doppler_step_hz**2 / 12.0)
    return LoopErrors(
        age_s=age_s,
        estimate_rad2=bounds.phase_rad2 if options.carrier_phase else at_carrier_rad2,
        slope_rad2=(2.0 * np.pi) ** 2 * waveform.squared_offset_hz2 * bounds.delay_s2,
        drift_rad2=(2.0 * np.pi * age_s) ** 2 * bounds.doppler_hz2,
        prediction_rad2=(2.0 * np.pi * carrier_hz * predicted.delay_s) ** 2,
        delay_step_cycles=np.full_like(age_s, carrier_hz * delay_step_s),
        doppler_step_cycles=age_s * options.doppler_step_hz,
        delay_deviation_s=np.sqrt(bounds.delay_s2 + drift_s2 + predicted.delay_s**2 + delay_step_s**2 / 12.0),
        doppler_deviation_hz=np.sqrt(bounds.doppler_hz2 + predicted.doppler_hz**2 + options.doppler_step_hz**2 / 12.0),
    )


def pilot_grid(waveform: Waveform, options: ClosedLoopOptions) -> PilotGrid:
    """Pilot grid of the loop.

    Raises
    ------
    InputError
        If fewer than two pilots fit into the band.
    """
    count = 1 + (waveform.subcarriers - 1) // options.pilot_spacing
    if count < 2:
        raise InputError(
            f"precompensation.pilot_spacing: found {options.pilot_spacing}, must be below the number of subcarriers,"
            f" {waveform.subcarriers}: a delay estimate needs at least two pilots"
        )
    return PilotGrid(
        subcarriers=count,
        subcarrier_step_hz=options.pilot_spacing * waveform.subcarrier_hz,
        symbols=options.pilot_symbols,
        symbol_step_s=options.pilot_interval_symbols * waveform.symbol_s,
    )


def prediction_error(motion: Motion, age_s: FloatArray, *, carrier_hz: float, acceleration_known: bool) -> Residual:
    """Errors τ̄ and ν̄ of a prediction of a given age (P3, eq. 8), from the first neglected term of the motion.

    That term is the acceleration or, if the acceleration is known, the jerk -3 ṙ r̈/r. The jerk is exact for straight
    relative motion, where r² is a parabola in time. An orbit of angular rate ω adds -ω² ṙ, which is a hundredth of
    the largest jerk of a low pass.
    """
    acceleration = motion.range_acceleration_km_s2
    jerk = -3.0 * motion.range_rate_km_s * acceleration / motion.range_km
    range_error_km, rate_error_km_s = jerk * age_s**3 / 6.0, jerk * age_s**2 / 2.0
    if not acceleration_known:
        range_error_km = range_error_km + acceleration * age_s**2 / 2.0
        rate_error_km_s = rate_error_km_s + acceleration * age_s
    return Residual(
        delay_s=np.asarray(-range_error_km * (1e3 / LIGHT_SPEED_M_S)),
        doppler_hz=doppler_hz(rate_error_km_s, carrier_hz),
    )
