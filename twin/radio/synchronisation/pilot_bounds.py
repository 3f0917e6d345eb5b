"""What pilots can tell of delay, Doppler and phase: the Cramér-Rao bounds."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from twin.arrays import FloatArray

NO_LINK_SNR = 1e-30
"""Taken for an SNR of zero: the bounds are then beyond any turn and yet finite."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PilotGrid:
    """Pilots at equal distances on subcarriers and symbols."""

    subcarriers: int
    """N_p: pilots in a symbol."""
    subcarrier_step_hz: float
    """Distance between two of them."""
    symbols: int
    """M_p: symbols with pilots."""
    symbol_step_s: float
    """Time between two of them."""

    @property
    def half_length_s(self) -> float:
        """From the middle of the grid, for which an estimate holds best, to its end."""
        return 0.5 * (self.symbols - 1) * self.symbol_step_s


@dataclass(frozen=True, slots=True, kw_only=True)
class PilotBounds:
    """Least variances of unbiased estimates, uncorrelated at the middle of the grid, shapes of the SNR."""

    delay_s2: FloatArray
    """Variance of the delay, from the slope of the phase over frequency."""
    doppler_hz2: FloatArray
    """Variance of the Doppler shift, from its slope over time."""
    phase_rad2: FloatArray
    """Variance of the phase at the middle of the grid."""


def pilot_bounds(snr: FloatArray, grid: PilotGrid) -> PilotBounds:
    """Cramér-Rao bounds for one path of unknown amplitude, phase, delay and Doppler in white noise.

    A pilot at frequency f and time t, both from the middle of the grid, is A e^{j(θ - 2πfτ + 2πνt)} plus noise. The
    Fisher information of (θ, τ, ν) is 2ρ Σ g gᵀ with g = (1, -2πf, 2πt), diagonal on a rectangular grid:
    var θ ≥ 1/(2ρN_pM_p), var τ ≥ 1/(8π²ρ Σf²), var ν ≥ 1/(8π²ρ Σt²), with Σf² = M_p N_p(N_p² - 1)Δf_p²/12 and
    Σt² likewise. For one symbol or one subcarrier this is the bound of a single tone (Rife and Boorstyn, IEEE Trans.
    Inf. Theory 20(5), 1974). Below some 10 dB of pilot energy over noise no estimator reaches it.

    Parameters
    ----------
    snr
        ρ: SNR of one pilot, linear, any shape; zero gives variances beyond any turn.
    grid
        Where the pilots are.
    """
    energy = np.maximum(snr, NO_LINK_SNR) * (grid.subcarriers * grid.symbols)
    return PilotBounds(
        delay_s2=1.0 / (8.0 * np.pi**2 * energy * _mean_square(grid.subcarriers, grid.subcarrier_step_hz)),
        doppler_hz2=1.0 / (8.0 * np.pi**2 * energy * _mean_square(grid.symbols, grid.symbol_step_s)),
        phase_rad2=0.5 / energy,
    )


def _mean_square(count: int, step: float) -> float:
    """Mean square distance of equally spaced points from their middle."""
    if count < 2:
        raise ValueError(f"a slope needs 2 pilots or more along each axis of the grid, found {count}")
    return step**2 * (count**2 - 1) / 12.0
