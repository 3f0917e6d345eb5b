"""Delay and Doppler compensation: the values applied, and what they miss."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from twin.arrays import FloatArray
from twin.constants import LIGHT_SPEED_M_S


class Motion(Protocol):
    """What compensation may know of links: range and its derivatives, (S,K) each."""

    @property
    def range_km(self) -> FloatArray:
        """Slant range."""

    @property
    def range_rate_km_s(self) -> FloatArray:
        """Its rate."""

    @property
    def range_acceleration_km_s2(self) -> FloatArray:
        """The rate of its rate."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Compensation:
    """What each satellite applies to the signal of each terminal."""

    delay_s: FloatArray
    """(S,K) τ^cps: time by which the signal is advanced."""
    doppler_hz: FloatArray
    """(S,K) ν^cps: frequency that is taken off."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Residual:
    """What compensation misses (P3, eq. 8)."""

    delay_s: FloatArray
    """(S,K) τ̄ = τ^cps - τ."""
    doppler_hz: FloatArray
    """(S,K) ν̄ = ν - ν^cps."""


def predict(known: Motion, *, age_s: float, carrier_hz: float) -> Compensation:
    """Compensation for now from geometry that is ``age_s`` old, carried forward to second order."""
    rate = known.range_rate_km_s + known.range_acceleration_km_s2 * age_s
    range_km = known.range_km + (known.range_rate_km_s + rate) * (0.5 * age_s)
    return Compensation(delay_s=delay_s(range_km), doppler_hz=doppler_hz(rate, carrier_hz))


def residual(applied: Compensation, truth: Motion, *, carrier_hz: float) -> Residual:
    """Compare what is applied with what happens."""
    return Residual(
        delay_s=applied.delay_s - delay_s(truth.range_km),
        doppler_hz=doppler_hz(truth.range_rate_km_s, carrier_hz) - applied.doppler_hz,
    )


def delay_s(range_km: FloatArray) -> FloatArray:
    """Propagation delay of a range."""
    return range_km * (1e3 / LIGHT_SPEED_M_S)


def doppler_hz(range_rate_km_s: FloatArray, carrier_hz: float) -> FloatArray:
    """Doppler shift of a range rate, positive while the satellite comes nearer."""
    return range_rate_km_s * (-1e3 * carrier_hz / LIGHT_SPEED_M_S)
