"""Mean ICI and ISI power over Gaussian delay and Doppler errors."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import erf, ndtr

from twin.arrays import FloatArray
from twin.radio.waveform import Waveform

SMALL_ARGUMENT = 1e-2
"""Below this c a series replaces the closed form, which loses digits; the series is accurate to 1e-11."""

LARGEST_DEVIATION = 1e6
"""Larger delay deviations, in units of T, are replaced by this one: less than 1e-6 of the power remains."""

TAIL_LIMIT = 40.0
"""Tails of N(0, 1) beyond this argument are below the smallest float."""


def mean_disturbance(
    delay_deviation_s: ArrayLike, doppler_deviation_hz: ArrayLike, waveform: Waveform, *, advance_s: float = 0.0
) -> FloatArray:
    """Mean fraction of power in ICI and ISI for τ̄ ~ N(0, σ_τ²) and ν̄ ~ N(0, σ_ν²); the arguments are broadcast.

    It is 1 - E λ² E sinc²(ν̄/Δf), the mean of `demodulate` for many subcarriers. The product assumes that Doppler acts
    on whole symbols, also where delay truncates them. It is too high by at most the product of the two fractions.
    """
    from_delay = delay_disturbance(delay_deviation_s, waveform, advance_s=advance_s)
    from_doppler = doppler_disturbance(doppler_deviation_hz, waveform)
    return np.asarray(from_delay + from_doppler - from_delay * from_doppler)


def doppler_disturbance(doppler_deviation_hz: ArrayLike, waveform: Waveform) -> FloatArray:
    """1 - E sinc²(ν̄/Δf) for ν̄ ~ N(0, σ_ν²): mean ICI power of a Doppler error.

    sinc² is the Fourier transform of a triangle. With c = √2 π σ_ν/Δf, E sinc² = √π erf(c)/c - (1 - e^{-c²})/c². For
    N samples the exact value is smaller, by a relative difference below 1/N².
    """
    c = np.asarray(np.sqrt(2.0) * np.pi / waveform.subcarrier_hz * np.asarray(doppler_deviation_hz, dtype=np.float64))
    small = c < SMALL_ARGUMENT
    wide = np.where(small, 1.0, c)
    with np.errstate(over="ignore", under="ignore"):
        closed = 1.0 - np.sqrt(np.pi) * erf(wide) / wide - np.expm1(-(wide**2)) / wide**2
    series = np.where(small, c, 0.0) ** 2
    return np.asarray(np.where(small, series * (1.0 / 6.0 - series * (1.0 / 30.0 - series / 168.0)), closed))


def delay_disturbance(delay_deviation_s: ArrayLike, waveform: Waveform, *, advance_s: float = 0.0) -> FloatArray:
    """1 - E λ² for τ̄ ~ N(0, σ_τ²): mean ICI and ISI power of a delay error; λ is the remaining fraction of a symbol.

    The lateness in units of T has the distribution N(b, σ²). λ is 1 from 0 to T_cp and decreases to 0 over one T on
    either side.
    """
    deviation = np.asarray(delay_deviation_s, dtype=np.float64) * waveform.subcarrier_hz
    early, late = advance_s * waveform.subcarrier_hz, (waveform.prefix_s - advance_s) * waveform.subcarrier_hz
    before = _one_sided(early, deviation)
    after = before if late == early else _one_sided(late, deviation)
    return np.asarray(np.minimum(np.maximum(before + after, 0.0), 1.0))


def _one_sided(margin: float, deviation: FloatArray) -> FloatArray:
    """Mean of 1 - (1 - e)² over z > margin for z ~ N(0, σ²), with e = min(z - margin, 1)."""
    # well-aligned links have no tail beyond the margin and are skipped
    exceeded = ~np.asarray(deviation * TAIL_LIMIT <= margin)
    mean = np.zeros(deviation.shape)
    if exceeded.any():
        mean[exceeded] = _tail(margin, deviation[exceeded])
    return mean


def _tail(margin: float, deviation: FloatArray) -> FloatArray:
    """`_one_sided` for deviations with a tail beyond the margin."""
    constant = deviation <= 0.0
    σ = np.where(constant, 1.0, np.minimum(deviation, LARGEST_DEVIATION))
    a, b = margin / σ, (margin + 1.0) / σ
    beyond_a, beyond_b = ndtr(-a), ndtr(-b)
    with np.errstate(under="ignore"):
        at_a, at_b = _density(a), _density(b)
    mass = beyond_a - beyond_b
    # first and second moment of e = σz - margin over 0 < e < 1
    first = σ * (at_a - at_b) - margin * mass
    second = σ**2 * (mass + a * at_a - b * at_b) - 2.0 * margin * σ * (at_a - at_b) + margin**2 * mass
    excess = np.clip(-margin, 0.0, 1.0)
    return np.asarray(np.where(constant, 1.0 - (1.0 - excess) ** 2, 2.0 * first - second + beyond_b))


def _density(z: FloatArray) -> FloatArray:
    """Density of N(0, 1)."""
    return np.asarray(np.exp(-0.5 * np.minimum(np.abs(z), TAIL_LIMIT) ** 2) / np.sqrt(2.0 * np.pi))
