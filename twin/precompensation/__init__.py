"""Delay and Doppler precompensation and the phase error that it leaves."""

from twin.precompensation.alignment import Alignment, LinkView, aligned, mean_phase
from twin.precompensation.compensation import Compensation, Residual, predict, residual
from twin.precompensation.demodulation import Demodulated, carrier_leakage, demodulate, phase_error_rad
from twin.precompensation.independence import (
    DelayDifferences,
    delay_differences,
    independent_share,
    stream_correlation,
)
from twin.precompensation.model import PhaseErrorModel, draw_phase_errors, phase_errors
from twin.precompensation.offsets import offsets
from twin.precompensation.spread import delay_disturbance, doppler_disturbance, mean_disturbance
from twin.precompensation.waveform import Waveform

__all__ = [
    "Alignment",
    "Compensation",
    "DelayDifferences",
    "Demodulated",
    "LinkView",
    "PhaseErrorModel",
    "Residual",
    "Waveform",
    "aligned",
    "carrier_leakage",
    "delay_differences",
    "delay_disturbance",
    "demodulate",
    "doppler_disturbance",
    "draw_phase_errors",
    "independent_share",
    "mean_disturbance",
    "mean_phase",
    "offsets",
    "phase_error_rad",
    "phase_errors",
    "predict",
    "residual",
    "stream_correlation",
]
