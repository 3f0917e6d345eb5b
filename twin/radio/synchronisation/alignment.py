"""Alignment of satellites at a terminal: input and output of a phase-error model."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Protocol, Self

import numpy as np

from twin.arrays import BoolArray, FloatArray
from twin.radio.channel.path import Path
from twin.radio.synchronisation.compensation import Motion, Residual
from twin.radio.waveform import Waveform
from twin.records import documented

_LARGEST_VARIANCE_RAD2 = 150.0


class MovingPath(Path, Motion, Protocol):
    """Links with range, elevation and derivatives of the range; `twin.geometry.links.LinkStates` is one."""


@documented
@dataclass(frozen=True, slots=True, kw_only=True)
class LinkView:
    """Input of a phase-error model: links as arrays of one shape, (S,K) in a run; a `Path` and a `Motion`."""

    range_km: FloatArray
    """Slant range in km."""
    elevation_deg: FloatArray
    """Elevation of the satellite at the terminal in degrees."""
    range_rate_km_s: FloatArray
    """ṙ: derivative of the range."""
    range_acceleration_km_s2: FloatArray
    """r̈: derivative of the range rate."""
    pilot_snr: FloatArray
    """SNR of one pilot of the satellite at the terminal, linear; 0 where there is no link."""
    waveform: Waveform
    """Carrier and OFDM parameters."""
    prediction_error: Residual | None = None
    """Delay and Doppler errors τ̄, ν̄ of compensation by prediction only. None means that they are unknown, as to the
    network, or zero."""
    serving: BoolArray | None = None
    """Links whose satellite serves the terminal, which the terminal synchronises to. None means all links."""

    @classmethod
    def of(
        cls,
        links: MovingPath,
        *,
        pilot_snr: FloatArray,
        waveform: Waveform,
        prediction_error: Residual | None = None,
        serving: BoolArray | None = None,
    ) -> Self:
        """The view of links with the SNR of their pilots, the errors of their prediction and the serving ones."""
        return cls(
            range_km=links.range_km,
            elevation_deg=links.elevation_deg,
            range_rate_km_s=links.range_rate_km_s,
            range_acceleration_km_s2=links.range_acceleration_km_s2,
            pilot_snr=pilot_snr,
            waveform=waveform,
            prediction_error=prediction_error,
            serving=serving,
        )

    def beyond_common(self, error: FloatArray) -> FloatArray:
        """Errors less what the satellites of a terminal have in common, which its synchronisation removes.

        The common part is the mean over the satellites that serve the terminal (first axis), weighted by pilot SNR. A
        link in reach that does not serve has no part in that mean; its error counts from the same mean, because the
        terminal receives it with the timing and frequency of the links that serve. A terminal without any serving link
        keeps its errors.
        """
        weight = self.pilot_snr if self.serving is None else np.where(self.serving, self.pilot_snr, 0.0)
        total = weight.sum(axis=0)
        mean = (weight * error).sum(axis=0) / np.where(total > 0.0, total, 1.0)
        return np.asarray(error - mean)

    def select(self, chosen: BoolArray) -> Self:
        """The chosen links, as arrays (links,)."""
        return replace(
            self,
            range_km=self.range_km[chosen],
            elevation_deg=self.elevation_deg[chosen],
            range_rate_km_s=self.range_rate_km_s[chosen],
            range_acceleration_km_s2=self.range_acceleration_km_s2[chosen],
            pilot_snr=self.pilot_snr[chosen],
            prediction_error=None
            if self.prediction_error is None
            else Residual(
                delay_s=self.prediction_error.delay_s[chosen], doppler_hz=self.prediction_error.doppler_hz[chosen]
            ),
            serving=None if self.serving is None else self.serving[chosen],
        )


@documented
@dataclass(frozen=True, slots=True, kw_only=True)
class Alignment:
    """Residual errors after precompensation, as averages over these errors; arrays of one shape, (S,K) in a run."""

    variance_rad2: FloatArray
    """ζ² in rad²: variance of the Gaussian phase with the same mean E e^{jϱ}; infinite for a uniform phase."""
    disturbance_fraction: FloatArray
    """Fraction of a terminal's own power that arrives as ICI and ISI, averaged over delay and Doppler errors."""
    delay_deviation_s: FloatArray
    """Root mean square of τ̄ in s; 0 if a model gives only the phase, infinite where no pilot is received."""
    doppler_deviation_hz: FloatArray
    """Root mean square of ν̄ in Hz; 0 or infinite likewise."""
    phase_rad: FloatArray | None = None
    """Deterministic phase of the true channel, about which ϱ varies; None means 0."""

    @classmethod
    def of_variance(cls, variance_rad2: FloatArray) -> Self:
        """Alignment with a phase error only."""
        zero = np.zeros_like(variance_rad2)
        return cls(
            variance_rad2=variance_rad2, disturbance_fraction=zero, delay_deviation_s=zero, doppler_deviation_hz=zero
        )

    @property
    def mean_phase(self) -> FloatArray:
        """φ̄ = |E e^{jϱ}|."""
        return mean_phase(self.variance_rad2)

    @property
    def amplitude(self) -> FloatArray:
        """Root mean square factor of the desired amplitude: its square is one minus the ICI and ISI fraction."""
        return np.sqrt(1.0 - self.disturbance_fraction)


def aligned(result: FloatArray | Alignment) -> Alignment:
    """Convert the result of a phase-error model; an array is ζ²."""
    return result if isinstance(result, Alignment) else Alignment.of_variance(result)


def mean_phase(variance_rad2: FloatArray) -> FloatArray:
    """φ̄ = E e^{jϱ} = e^{-ζ²/2} of ϱ ~ N(0, ζ²) (P3, Section IV-D); zero where it is below 1e-32.

    Smaller means have no effect, and their powers would underflow.

    >>> mean_phase(np.array([0.0, 0.5, np.inf])).round(4).tolist()
    [1.0, 0.7788, 0.0]
    """
    return np.where(variance_rad2 < _LARGEST_VARIANCE_RAD2, np.exp(-0.5 * variance_rad2), 0.0)
