"""How well satellites are aligned at a terminal: what a phase-error model is shown, and what it answers."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Protocol, Self

import numpy as np

from twin.arrays import BoolArray, FloatArray
from twin.radio.channel.path import Path
from twin.radio.synchronisation.compensation import Motion, Residual
from twin.radio.waveform import Waveform

_MOST_VARIANCE_RAD2 = 150.0


class MovingPath(Path, Motion, Protocol):
    """Links with their geometry and its rates; `LinkStates` is one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LinkView:
    """What a phase-error model may know of links, arrays of one shape, (S,K) in a run; a `Path` and a `Motion`."""

    range_km: FloatArray
    """Slant range."""
    elevation_deg: FloatArray
    """Elevation of the satellite at the terminal."""
    range_rate_km_s: FloatArray
    """Derivative of the range."""
    range_acceleration_km_s2: FloatArray
    """Derivative of the range rate."""
    pilot_snr: FloatArray
    """SNR of one pilot of the satellite at the terminal, linear; 0 where there is no link."""
    waveform: Waveform
    """Carrier and OFDM numbers."""
    prediction_error: Residual | None = None
    """By what compensation from the prediction alone misses each link; None where that is not to be known: to the
    network, and where nothing is missed."""

    @classmethod
    def of(
        cls, links: MovingPath, *, pilot_snr: FloatArray, waveform: Waveform, prediction_error: Residual | None = None
    ) -> Self:
        """The view of links with their pilots' SNR, and what is missed of them."""
        return cls(
            range_km=links.range_km,
            elevation_deg=links.elevation_deg,
            range_rate_km_s=links.range_rate_km_s,
            range_acceleration_km_s2=links.range_acceleration_km_s2,
            pilot_snr=pilot_snr,
            waveform=waveform,
            prediction_error=prediction_error,
        )

    def where(self, chosen: BoolArray) -> Self:
        """Some of the links, as arrays (links,)."""
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
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Alignment:
    """What precompensation leaves over, on average over its errors; arrays of one shape, (S,K) in a run."""

    variance_rad2: FloatArray
    """ζ²: that of the Gaussian phase with the mean E e^{jϱ}; infinite for a uniform phase."""
    disturbance_fraction: FloatArray
    """Share of a terminal's own power that arrives as ICI and ISI instead, mean over delay and Doppler errors."""
    delay_deviation_s: FloatArray
    """Root mean square of τ̄; 0 where a model gives the phase alone, infinite where pilots are not heard."""
    doppler_deviation_hz: FloatArray
    """Root mean square of ν̄, likewise."""
    phase_rad: FloatArray | None = None
    """A phase that is no accident but what the world has, about which ϱ varies; None for none."""

    @classmethod
    def of_variance(cls, variance_rad2: FloatArray) -> Self:
        """A phase error and nothing else."""
        none = np.zeros_like(variance_rad2)
        return cls(
            variance_rad2=variance_rad2, disturbance_fraction=none, delay_deviation_s=none, doppler_deviation_hz=none
        )

    @property
    def mean_phase(self) -> FloatArray:
        """φ̄ = |E e^{jϱ}|."""
        return mean_phase(self.variance_rad2)

    @property
    def amplitude(self) -> FloatArray:
        """Root mean square factor of the desired amplitude; its square and the disturbance share add up to one."""
        return np.sqrt(1.0 - self.disturbance_fraction)


def aligned(answer: FloatArray | Alignment) -> Alignment:
    """The alignment that a model answered with; a bare array is ζ²."""
    return answer if isinstance(answer, Alignment) else Alignment.of_variance(answer)


def mean_phase(variance_rad2: FloatArray) -> FloatArray:
    """φ̄ = E e^{jϱ} = e^{-ζ²/2} of ϱ ~ N(0, ζ²) (P3, Section IV-D); zero where it is below 1e-32.

    A mean that is smaller still is none to anybody, and its powers would leave the range of numbers.

    >>> mean_phase(np.array([0.0, 0.5, np.inf])).round(4).tolist()
    [1.0, 0.7788, 0.0]
    """
    return np.where(variance_rad2 < _MOST_VARIANCE_RAD2, np.exp(-0.5 * variance_rad2), 0.0)
