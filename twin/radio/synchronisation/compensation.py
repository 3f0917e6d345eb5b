"""Delay and Doppler compensation: applied values and residual errors."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from twin.arrays import FloatArray
from twin.constants import LIGHT_SPEED_M_S
from twin.records import documented


class Motion(Protocol):
    """Motion of links: range and its derivatives, (S,K) each."""

    @property
    def range_km(self) -> FloatArray:
        """r: slant range."""

    @property
    def range_rate_km_s(self) -> FloatArray:
        """ṙ: range rate."""

    @property
    def range_acceleration_km_s2(self) -> FloatArray:
        """r̈: range acceleration."""


@documented
@dataclass(frozen=True, slots=True, kw_only=True)
class Compensation:
    """Compensation that each satellite applies to the signal of each terminal."""

    delay_s: FloatArray
    """(S,K) τ^cps in s: time by which the signal is advanced."""
    doppler_hz: FloatArray
    """(S,K) ν^cps in Hz: frequency that is subtracted."""


@documented
@dataclass(frozen=True, slots=True, kw_only=True)
class Residual:
    """Residual delay and Doppler after compensation (P3, eq. 8)."""

    delay_s: FloatArray
    """(S,K) τ̄ = τ^cps - τ in s; positive if the signal arrives early."""
    doppler_hz: FloatArray
    """(S,K) ν̄ = ν - ν^cps in Hz."""


def predict(known: Motion, *, age_s: float, carrier_hz: float) -> Compensation:
    """Predict the present compensation from geometry of age ``age_s``, extrapolated to second order."""
    rate = known.range_rate_km_s + known.range_acceleration_km_s2 * age_s
    range_km = known.range_km + (known.range_rate_km_s + rate) * (0.5 * age_s)
    return Compensation(delay_s=delay_s(range_km), doppler_hz=doppler_hz(rate, carrier_hz))


def residual(applied: Compensation, truth: Motion, *, carrier_hz: float) -> Residual:
    """Residual errors of the applied compensation against the true motion."""
    return Residual(
        delay_s=applied.delay_s - delay_s(truth.range_km),
        doppler_hz=doppler_hz(truth.range_rate_km_s, carrier_hz) - applied.doppler_hz,
    )


def delay_s(range_km: FloatArray) -> FloatArray:
    """Propagation delay in s of a range."""
    return range_km * (1e3 / LIGHT_SPEED_M_S)


def doppler_hz(range_rate_km_s: FloatArray, carrier_hz: float) -> FloatArray:
    """Doppler shift in Hz of a range rate; positive for an approaching satellite."""
    return range_rate_km_s * (-1e3 * carrier_hz / LIGHT_SPEED_M_S)
