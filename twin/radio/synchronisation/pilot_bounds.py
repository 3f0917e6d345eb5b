"""Cramér-Rao bounds of delay, Doppler and phase estimates from pilots."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from twin.arrays import FloatArray
from twin.records import documented

NO_LINK_SNR = 1e-30
"""Replaces an SNR of zero, so that the bounds are finite, though far beyond 2π."""


@documented
@dataclass(frozen=True, slots=True, kw_only=True)
class PilotGrid:
    """A rectangular grid of pilots, equally spaced in frequency and time."""

    subcarriers: int
    """N_p: number of pilots in a symbol."""
    subcarrier_step_hz: float
    """Spacing of the pilots in frequency."""
    symbols: int
    """M_p: number of symbols with pilots."""
    symbol_step_s: float
    """Spacing of these symbols in time."""

    @property
    def half_length_s(self) -> float:
        """Time from the middle of the grid, the reference time of an estimate, to its end."""
        return 0.5 * (self.symbols - 1) * self.symbol_step_s


@documented
@dataclass(frozen=True, slots=True, kw_only=True)
class PilotBounds:
    """Minimum variances of unbiased estimates, uncorrelated at the middle of the grid; in the shape of the SNR."""

    delay_s2: FloatArray
    """Variance of the delay, the slope of the phase over frequency."""
    doppler_hz2: FloatArray
    """Variance of the Doppler shift, the slope of the phase over time."""
    phase_rad2: FloatArray
    """Variance of the phase at the middle of the grid."""


def pilot_bounds(snr: FloatArray, grid: PilotGrid) -> PilotBounds:
    """Cramér-Rao bounds for one path of unknown amplitude, phase, delay and Doppler shift in white noise.

    A pilot at frequency f and time t, both relative to the middle of the grid, is A e^{j(θ - 2πfτ + 2πνt)} plus noise.
    The Fisher information of (θ, τ, ν) is 2ρ Σ g gᵀ with g = (1, -2πf, 2πt), diagonal on a rectangular grid:
    var θ ≥ 1/(2ρN_pM_p), var τ ≥ 1/(8π²ρ Σf²), var ν ≥ 1/(8π²ρ Σt²), with Σf² = M_p N_p(N_p² - 1)Δf_p²/12 and
    Σt² by the same formula. For one symbol or one subcarrier this is the bound of a single tone (Rife and Boorstyn,
    IEEE Trans. Inf. Theory 20(5), 1974). Below about 10 dB of total pilot energy over noise, no estimator attains
    the bounds.

    Parameters
    ----------
    snr
        ρ: SNR of one pilot, linear, any shape; 0 gives variances far beyond (2π)².
    grid
        The grid of pilots.
    """
    energy = np.maximum(snr, NO_LINK_SNR) * (grid.subcarriers * grid.symbols)
    return PilotBounds(
        delay_s2=1.0 / (8.0 * np.pi**2 * energy * _mean_square(grid.subcarriers, grid.subcarrier_step_hz)),
        doppler_hz2=1.0 / (8.0 * np.pi**2 * energy * _mean_square(grid.symbols, grid.symbol_step_s)),
        phase_rad2=0.5 / energy,
    )


def _mean_square(count: int, step: float) -> float:
    """Mean square distance of equally spaced points from their centre."""
    if count < 2:
        raise ValueError(f"the slope of a phase needs at least 2 pilots along each axis of the grid, found {count}")
    return step**2 * (count**2 - 1) / 12.0
