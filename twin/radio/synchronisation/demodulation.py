"""OFDM demodulation of a signal with residual delay and Doppler errors."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from twin.arrays import ComplexArray, FloatArray
from twin.radio.synchronisation.compensation import Compensation, Residual
from twin.radio.waveform import Waveform
from twin.records import documented


@documented
@dataclass(frozen=True, slots=True, kw_only=True)
class Demodulated:
    """Demodulated power for data of unit power on all subcarriers; arrays in the shape of the errors.

    |response|² + ici_power + isi_power = 1: errors move power, none is lost. Subcarriers closer to the band edge than
    the Doppler error receive less ICI.
    """

    response: ComplexArray
    """Response of the subcarrier to its own data, with the phase at the start of the window (`phase_error_rad`).

    The phase rotation that an early window causes on each subcarrier is equal for all satellites and removed.
    """
    ici_power: FloatArray
    """Power of the other subcarriers of the same symbol: inter-carrier interference (ICI)."""
    isi_power: FloatArray
    """Power of the adjacent symbols: inter-symbol interference (ISI)."""

    @property
    def disturbance(self) -> FloatArray:
        """ICI and ISI power together."""
        return self.ici_power + self.isi_power


def demodulate(error: Residual, waveform: Waveform, *, advance_s: float = 0.0) -> Demodulated:
    """Demodulate signals with delay and Doppler errors: residual errors, or offsets of interfering beams.

    The window has length T and begins ``advance_s`` before the data part of the symbol. It lies inside the symbol if
    the signal is late by -advance to T_cp - advance. Otherwise it contains e seconds of an adjacent symbol, whose power
    e/T is ISI. The fraction λ = 1 - e/T of the symbol remains. Its response on its own subcarrier is
    λ sinc(λν/Δf) / sinc(ν/(NΔf)), which is P3's ψ(ν, 0) over fewer samples. By Parseval, the rest of λ is ICI.
    Fractions of a sample are kept; a sampled receiver rounds them, which changes powers by at most 2/N.

    Parameters
    ----------
    error
        τ̄ (positive: the signal is early) and ν̄ of each signal, in one shape.
    waveform
        The OFDM parameters.
    advance_s
        Advance of the receiver's windows in s. 0 as in P3 tolerates no early signals.
    """
    late_s = advance_s - error.delay_s
    excess_s = np.maximum(late_s - waveform.prefix_s, -late_s)
    excess = np.clip(excess_s * waveform.subcarrier_hz, 0.0, 1.0)
    remaining = 1.0 - excess
    count = waveform.subcarriers
    cycles = _wrapped(error.doppler_hz / waveform.subcarrier_hz, count)
    amplitude = remaining * _dirichlet(remaining * cycles, cycles, count)
    first = np.where(late_s > 0.0, excess * count, 0.0)
    middle = first + 0.5 * np.maximum(remaining * count - 1.0, 0.0)
    return Demodulated(
        response=amplitude * np.exp(2j * np.pi / count * cycles * middle),
        ici_power=np.maximum(remaining - amplitude**2, 0.0),
        isi_power=excess,
    )


def carrier_leakage(doppler_hz: ArrayLike, carriers_away: ArrayLike, waveform: Waveform) -> ComplexArray:
    """ψ: leakage into a subcarrier n from the subcarrier n' at a distance n' - n; the arguments are broadcast.

    ψ = (1/N) Σ_i e^{j2πi(ν̄/Δf + n' - n)/N} (P3, after eq. 10). P3 has the opposite sign of n' - n: with its eq. 4,
    that is the leakage from the subcarrier at the same distance below. |ψ|² sums to one over all n'.
    """
    count = waveform.subcarriers
    cycles = np.asarray(doppler_hz, dtype=np.float64) / waveform.subcarrier_hz
    frequency = _wrapped(cycles + np.asarray(carriers_away, dtype=np.float64), count)
    kernel = _dirichlet(frequency, frequency, count) * np.exp(1j * np.pi * frequency * (count - 1) / count)
    return np.asarray(kernel)


def phase_error_rad(
    error: Residual, applied: Compensation, waveform: Waveform, *, subcarrier: float = 0.0, elapsed_s: float = 0.0
) -> FloatArray:
    """ϱ in rad: phase error of an arriving signal, in the shape of the errors, not reduced modulo 2π.

    It is the sum of 2π (f_0 + nΔf - ν^cps) τ̄ (P3, eq. 10) and of the rotation 2π ν̄ t by the Doppler error since delay
    and phase were set, which eq. 10 omits.

    Parameters
    ----------
    error, applied
        τ̄, ν̄ and ν^cps.
    waveform
        The OFDM parameters.
    subcarrier
        n, relative to the carrier.
    elapsed_s
        t: time from the setting of delay and phase to the start of the receiver's window.
    """
    frequency_hz = waveform.carrier_hz + subcarrier * waveform.subcarrier_hz - applied.doppler_hz
    return np.asarray(2.0 * np.pi * (frequency_hz * error.delay_s + error.doppler_hz * elapsed_s))


def _wrapped(cycles: FloatArray, count: int) -> FloatArray:
    """Alias frequencies in subcarriers into the band of N subcarriers around 0."""
    return np.asarray(cycles - count * np.round(cycles / count))


def _dirichlet(numerator: FloatArray, denominator: FloatArray, count: int) -> FloatArray:
    """sinc(numerator) / sinc(denominator/N) with sinc(x) = sin(πx)/(πx), for |denominator| ≤ N/2."""
    return np.asarray(np.sinc(numerator) / np.sinc(denominator / count))
