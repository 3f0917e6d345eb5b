"""Means over Gaussian delay and Doppler errors: how much of the power stays on its subcarrier."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import erf, ndtr

from twin.arrays import FloatArray
from twin.radio.waveform import Waveform

SMALL_SPREAD = 1e-2
"""Below it a series is closer than the closed form, which loses digits: it is good to 1e-11 there."""

WIDEST_SPREAD = 1e6
"""Wider delay errors, in symbols, are taken for this one: the share that is left is below a millionth."""

NO_TAIL = 40.0
"""Normal tails beyond so many deviations are less than the smallest float."""


def mean_disturbance(
    delay_deviation_s: ArrayLike, doppler_deviation_hz: ArrayLike, waveform: Waveform, *, advance_s: float = 0.0
) -> FloatArray:
    """Share of the power that ICI and ISI take on average, for τ̄ ~ N(0, σ_τ²) and ν̄ ~ N(0, σ_ν²), broadcast together.

    1 - E λ² E sinc²(ν̄/Δf), `demodulate` with many subcarriers. The product lets Doppler act on whole symbols even
    where delay has cut them: too high by the product of what delay and Doppler take alone, at most.
    """
    late = delay_disturbance(delay_deviation_s, waveform, advance_s=advance_s)
    off = doppler_disturbance(doppler_deviation_hz, waveform)
    return np.asarray(late + off - late * off)


def doppler_disturbance(doppler_deviation_hz: ArrayLike, waveform: Waveform) -> FloatArray:
    """1 - E sinc²(ν̄/Δf) for ν̄ ~ N(0, σ_ν²): mean ICI of a Doppler error.

    sinc² is the transform of a triangle: with c = √2 π σ_ν/Δf, E sinc² = √π erf(c)/c - (1 - e^{-c²})/c². The sum
    over N samples is larger by less than 1/N² of what is missing from one.
    """
    c = np.asarray(np.sqrt(2.0) * np.pi / waveform.subcarrier_hz * np.asarray(doppler_deviation_hz, dtype=np.float64))
    small = c < SMALL_SPREAD
    wide = np.where(small, 1.0, c)
    with np.errstate(over="ignore", under="ignore"):
        closed = 1.0 - np.sqrt(np.pi) * erf(wide) / wide - np.expm1(-(wide**2)) / wide**2
    series = np.where(small, c, 0.0) ** 2
    return np.asarray(np.where(small, series * (1.0 / 6.0 - series * (1.0 / 30.0 - series / 168.0)), closed))


def delay_disturbance(delay_deviation_s: ArrayLike, waveform: Waveform, *, advance_s: float = 0.0) -> FloatArray:
    """1 - E λ² for τ̄ ~ N(0, σ_τ²): mean ICI and ISI of a delay error, λ being what is left of the symbol.

    Lateness in units of T is N(b, σ²); λ is one from 0 to T_cp and falls to zero over one T on either side.
    """
    deviation = np.asarray(delay_deviation_s, dtype=np.float64) * waveform.subcarrier_hz
    early, late = advance_s * waveform.subcarrier_hz, (waveform.prefix_s - advance_s) * waveform.subcarrier_hz
    before = _taken(early, deviation)
    after = before if late == early else _taken(late, deviation)
    return np.asarray(np.minimum(np.maximum(before + after, 0.0), 1.0))


def _taken(margin: float, deviation: FloatArray) -> FloatArray:
    """E [1 - (1 - e)²] over z > margin of z ~ N(0, σ²), e = min(z - margin, 1)."""
    # a tail beyond NO_TAIL deviations holds nothing, and that is where good links are
    reached = ~np.asarray(deviation * NO_TAIL <= margin)
    taken = np.zeros(deviation.shape)
    if reached.any():
        taken[reached] = _tail(margin, deviation[reached])
    return taken


def _tail(margin: float, deviation: FloatArray) -> FloatArray:
    """The same where there is a tail."""
    certain = deviation <= 0.0
    σ = np.where(certain, 1.0, np.minimum(deviation, WIDEST_SPREAD))
    a, b = margin / σ, (margin + 1.0) / σ
    beyond_a, beyond_b = ndtr(-a), ndtr(-b)
    with np.errstate(under="ignore"):
        at_a, at_b = _density(a), _density(b)
    mass = beyond_a - beyond_b
    # moments of e = σz - margin over the ramp
    first = σ * (at_a - at_b) - margin * mass
    second = σ**2 * (mass + a * at_a - b * at_b) - 2.0 * margin * σ * (at_a - at_b) + margin**2 * mass
    excess = np.clip(-margin, 0.0, 1.0)
    return np.asarray(np.where(certain, 1.0 - (1.0 - excess) ** 2, 2.0 * first - second + beyond_b))


def _density(z: FloatArray) -> FloatArray:
    """Density of N(0, 1)."""
    return np.asarray(np.exp(-0.5 * np.minimum(np.abs(z), NO_TAIL) ** 2) / np.sqrt(2.0 * np.pi))
