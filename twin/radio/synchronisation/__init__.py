"""Delay and Doppler precompensation, and the phase error that it leaves.

`compensation` computes applied values and residual errors, `demodulation` and `disturbance` their effect on OFDM.
A phase-error model turns a `LinkView` into an `Alignment`: `gaussian` (given variance), `assumed` (given residual
errors), `closed_loop` (pilots, feedback and prediction) and `open_loop` (prediction only). `phase_error` draws the
phase error ϱ, in `draw_phase_errors`.
"""

from twin.radio.synchronisation.alignment import Alignment, LinkView, aligned, mean_phase
from twin.radio.synchronisation.compensation import Compensation, Residual, predict, residual
from twin.radio.synchronisation.demodulation import Demodulated, carrier_leakage, demodulate, phase_error_rad
from twin.radio.synchronisation.disturbance import delay_disturbance, doppler_disturbance, mean_disturbance
from twin.radio.synchronisation.offsets import offsets
from twin.radio.synchronisation.phase_error import PhaseErrorModel, draw_phase_errors, phase_errors

__all__ = [
    "Alignment",
    "Compensation",
    "Demodulated",
    "LinkView",
    "PhaseErrorModel",
    "Residual",
    "aligned",
    "carrier_leakage",
    "delay_disturbance",
    "demodulate",
    "doppler_disturbance",
    "draw_phase_errors",
    "mean_disturbance",
    "mean_phase",
    "offsets",
    "phase_error_rad",
    "phase_errors",
    "predict",
    "residual",
]
