"""What an OFDM receiver makes of a signal whose delay and Doppler are not quite compensated."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from twin.arrays import ComplexArray, FloatArray
from twin.radio.synchronisation.compensation import Compensation, Residual
from twin.radio.waveform import Waveform


@dataclass(frozen=True, slots=True, kw_only=True)
class Demodulated:
    """Where the power of a signal goes, for data of unit power on all subcarriers; shapes are those of the errors.

    |response|² + carriers + symbols = 1: errors scatter power, none is lost. Subcarriers nearer to the edge of
    the band than the Doppler error hear less from their neighbours.
    """

    response: ComplexArray
    """What the subcarrier holds of the data sent on it, in phase with the start of the window (`phase_error_rad`).

    The phase by which an early window turns each subcarrier, the same for all satellites, is taken off.
    """
    ici_power: FloatArray
    """Power from the same symbol's other subcarriers: inter-carrier interference (ICI)."""
    isi_power: FloatArray
    """Power from the neighbouring symbols: inter-symbol interference (ISI)."""

    @property
    def disturbance(self) -> FloatArray:
        """All power but the response's."""
        return self.ici_power + self.isi_power


def demodulate(error: Residual, waveform: Waveform, *, advance_s: float = 0.0) -> Demodulated:
    """Demodulate signals with a delay and a Doppler error, be they residuals or offsets of interfering beams.

    A window of length T that begins ``advance_s`` before the symbol's data lies inside the symbol as long as
    the signal is late by -advance to T_cp - advance. Beyond, e seconds of it belong to a neighbour: their power
    e/T is ISI. Of the symbol a part λ = 1 - e/T is left. On its own subcarrier it adds up to
    λ sinc(λν/Δf) / sinc(ν/(NΔf)), P3's ψ(ν, 0) over fewer samples; the rest of λ is ICI, by Parseval.
    Shares of a sample are counted as such, which a sampled receiver rounds: power within 2/N.

    Parameters
    ----------
    error
        τ̄ (positive: the signal comes too early) and ν̄ of each signal, any one shape.
    waveform
        The OFDM numbers.
    advance_s
        By how much the receiver's windows are early. 0 as in P3 leaves no room for signals that come early.
    """
    late_s = advance_s - error.delay_s
    excess_s = np.maximum(late_s - waveform.prefix_s, -late_s)
    excess = np.clip(excess_s * waveform.subcarrier_hz, 0.0, 1.0)
    left = 1.0 - excess
    count = waveform.subcarriers
    cycles = _wrapped(error.doppler_hz / waveform.subcarrier_hz, count)
    amplitude = left * _dirichlet(left * cycles, cycles, count)
    first = np.where(late_s > 0.0, excess * count, 0.0)
    middle = first + 0.5 * np.maximum(left * count - 1.0, 0.0)
    return Demodulated(
        response=amplitude * np.exp(2j * np.pi / count * cycles * middle),
        ici_power=np.maximum(left - amplitude**2, 0.0),
        isi_power=excess,
    )


def carrier_leakage(doppler_hz: ArrayLike, carriers_away: ArrayLike, waveform: Waveform) -> ComplexArray:
    """ψ: what a subcarrier hears of the one that lies so many subcarriers above it (n' - n), broadcast together.

    ψ = (1/N) Σ_i e^{j2πi(ν̄/Δf + n' - n)/N} (P3, after eq. 10, where the sign of n' - n is the other one: that
    is what its eq. 4 hears from the subcarrier as far below). Its squares over all n' sum to one.
    """
    count = waveform.subcarriers
    cycles = np.asarray(doppler_hz, dtype=np.float64) / waveform.subcarrier_hz
    turns = _wrapped(cycles + np.asarray(carriers_away, dtype=np.float64), count)
    kernel = _dirichlet(turns, turns, count) * np.exp(1j * np.pi * turns * (count - 1) / count)
    return np.asarray(kernel)


def phase_error_rad(
    error: Residual, applied: Compensation, waveform: Waveform, *, subcarrier: float = 0.0, elapsed_s: float = 0.0
) -> FloatArray:
    """ϱ: phase with which a signal arrives, in the shape of the errors, not reduced to one turn.

    2π (f_0 + nΔf - ν^cps) τ̄ (P3, eq. 10) and the 2π ν̄ t by which the Doppler error has turned it since delay and
    phase were set; eq. 10 leaves the latter out.

    Parameters
    ----------
    error, applied
        τ̄, ν̄ and ν^cps.
    waveform
        The OFDM numbers.
    subcarrier
        n, counted from the carrier.
    elapsed_s
        t, to the start of the receiver's window.
    """
    frequency_hz = waveform.carrier_hz + subcarrier * waveform.subcarrier_hz - applied.doppler_hz
    return np.asarray(2.0 * np.pi * (frequency_hz * error.delay_s + error.doppler_hz * elapsed_s))


def _wrapped(cycles: FloatArray, count: int) -> FloatArray:
    """Frequencies in subcarriers, by samples at N of them not to be told from these within half the band."""
    return np.asarray(cycles - count * np.round(cycles / count))


def _dirichlet(part: FloatArray, whole: FloatArray, count: int) -> FloatArray:
    """sinc(part) / sinc(whole/N), sinc(x) = sin(πx)/(πx), for at most half the band."""
    return np.asarray(np.sinc(part) / np.sinc(whole / count))
