"""Delay and Doppler precompensation and the phase error that it leaves."""

from twin.precompensation.compensation import Compensation, Residual, predict, residual
from twin.precompensation.model import PhaseErrorModel, draw_phase_errors, mean_phase, phase_errors

__all__ = [
    "Compensation",
    "PhaseErrorModel",
    "Residual",
    "draw_phase_errors",
    "mean_phase",
    "phase_errors",
    "predict",
    "residual",
]
