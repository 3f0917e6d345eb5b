"""What each stage of the compensation loop contributes to the errors of a link."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from twin.arrays import FloatArray
from twin.constants import LIGHT_SPEED_M_S
from twin.errors import InputError
from twin.radio.synchronisation.alignment import LinkView
from twin.radio.synchronisation.compensation import Motion, delay_s, doppler_hz
from twin.radio.synchronisation.loop_options import ClosedLoopOptions
from twin.radio.synchronisation.pilot_bounds import PilotGrid, pilot_bounds
from twin.radio.waveform import Waveform


@dataclass(frozen=True, slots=True, kw_only=True)
class LoopErrors:
    """Errors of compensation, by where they come from; arrays of one shape, (S,K) in a run."""

    age_s: FloatArray
    """a: from the middle of the pilots to the compensated signal, both at the terminal."""
    estimate_rad2: FloatArray
    """Phase variance of the delay, or carrier-phase, estimate at the carrier."""
    slope_rad2: FloatArray
    """Phase variance of the delay estimate at the other subcarriers, from the carrier; mean over the band."""
    drift_rad2: FloatArray
    """Phase variance (2πa)² σ_ν² that the Doppler estimate's error gathers over the age."""
    prediction_rad2: FloatArray
    """Square of the phase by which the true motion leaves the predicted one."""
    delay_step_cycles: FloatArray
    """Carrier cycles in one step of the delay."""
    doppler_step_cycles: FloatArray
    """Cycles that one step of the Doppler shift makes over the age."""
    delay_deviation_s: FloatArray
    """Root mean square of τ̄, all stages together."""
    doppler_deviation_hz: FloatArray
    """Root mean square of ν̄, all stages together."""

    @property
    def gaussian_rad2(self) -> FloatArray:
        """Phase variance of what pilots cannot tell."""
        return self.estimate_rad2 + self.slope_rad2 + self.drift_rad2

    @property
    def variance_rad2(self) -> FloatArray:
        """Mean square of ϱ: all stages together, a step of c cycles adding (2πc)²/12."""
        steps = self.delay_step_cycles**2 + self.doppler_step_cycles**2
        return self.gaussian_rad2 + self.prediction_rad2 + np.pi**2 / 3.0 * steps


def loop_errors(view: LinkView, options: ClosedLoopOptions) -> LoopErrors:
    """Follow the loop around, for each link.

    The delay applied is τ̂ - ν̂a/f_0 + r̈a²/(2c): the estimate, carried over the age a by the measured Doppler shift
    and, if foreseen, by the acceleration. Against the true delay it misses the estimate's error, a/f_0 times that
    of Doppler, the next term of the motion and the rounding; the phase is 2πf_0 times as much, and for a
    subcarrier away from the carrier the error of the envelope's delay comes on top. Stages are independent.

    Parameters
    ----------
    view
        The links, with their pilots' SNR.
    options
        The loop.

    Raises
    ------
    InputError
        If the pilots' spacing leaves fewer than two of them in the band.
    """
    waveform = view.waveform
    grid = pilot_grid(waveform, options)
    bounds = pilot_bounds(view.pilot_snr, grid)
    age_s = grid.half_length_s + 1e-3 * options.processing_ms + 2.0 * delay_s(view.range_km)
    missed_delay_s, missed_doppler_hz = prediction_error(
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
        prediction_rad2=(2.0 * np.pi * carrier_hz * missed_delay_s) ** 2,
        delay_step_cycles=np.full_like(age_s, carrier_hz * delay_step_s),
        doppler_step_cycles=age_s * options.doppler_step_hz,
        delay_deviation_s=np.sqrt(bounds.delay_s2 + drift_s2 + missed_delay_s**2 + delay_step_s**2 / 12.0),
        doppler_deviation_hz=np.sqrt(bounds.doppler_hz2 + missed_doppler_hz**2 + options.doppler_step_hz**2 / 12.0),
    )


def pilot_grid(waveform: Waveform, options: ClosedLoopOptions) -> PilotGrid:
    """Where the loop's pilots are.

    Raises
    ------
    InputError
        If fewer than two fit into the band.
    """
    count = 1 + (waveform.subcarriers - 1) // options.pilot_spacing
    if count < 2:
        raise InputError(
            f"precompensation.pilot_spacing: found {options.pilot_spacing}, must be below the number of subcarriers,"
            f" {waveform.subcarriers}: a delay shows in two pilots or more"
        )
    return PilotGrid(
        subcarriers=count,
        subcarrier_step_hz=options.pilot_spacing * waveform.subcarrier_hz,
        symbols=options.pilot_symbols,
        symbol_step_s=options.pilot_interval_symbols * waveform.symbol_s,
    )


def prediction_error(
    motion: Motion, age_s: FloatArray, *, carrier_hz: float, acceleration_known: bool
) -> tuple[FloatArray, FloatArray]:
    """Delay in s and Doppler in Hz, τ̄ and ν̄ of P3 (8), by which motion leaves a prediction of a given age.

    The next term is the acceleration, or the jerk where that is known: -3 ṙ r̈/r, exact for straight relative motion
    (r² is then a parabola). An orbit of angular rate ω adds -ω² ṙ, a hundredth of the greatest jerk of a low pass.
    """
    acceleration = motion.range_acceleration_km_s2
    jerk = -3.0 * motion.range_rate_km_s * acceleration / motion.range_km
    missed_km, missed_km_s = jerk * age_s**3 / 6.0, jerk * age_s**2 / 2.0
    if not acceleration_known:
        missed_km, missed_km_s = missed_km + acceleration * age_s**2 / 2.0, missed_km_s + acceleration * age_s
    return np.asarray(-missed_km * (1e3 / LIGHT_SPEED_M_S)), doppler_hz(missed_km_s, carrier_hz)
