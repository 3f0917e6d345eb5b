"""Error models as plain values: standard deviations, their law, and the update interval."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypeAlias

from twin.records import documented

Law: TypeAlias = Literal["normal", "uniform", "constant"]
"""Of each component: Gaussian; uniform with the same standard deviation; or equal to the standard deviation."""


@documented
@dataclass(frozen=True, slots=True, kw_only=True)
class UpdatedError:
    """An error that is drawn at every update and constant between two updates."""

    law: Law = "normal"
    """Distribution of the error."""
    every_ns: int | None = None
    """Update interval, counted from 1970. None means one draw for the whole run."""


@documented
@dataclass(frozen=True, slots=True, kw_only=True)
class OrbitError(UpdatedError):
    """Standard deviations of a satellite's believed position; satellites are independent."""

    along_track_km: float = 0.0
    """Scale of the error along the velocity, in km."""
    cross_track_km: float = 0.0
    """Scale of the error along the orbit's normal, in km."""
    radial_km: float = 0.0
    """Scale of the error away from the Earth, in km."""


@documented
@dataclass(frozen=True, slots=True, kw_only=True)
class AttitudeError(UpdatedError):
    """Standard deviations of a satellite's believed attitude; satellites are independent."""

    roll_deg: float = 0.0
    """About the velocity (x)."""
    pitch_deg: float = 0.0
    """About y, across the velocity."""
    yaw_deg: float = 0.0
    """About nadir (z)."""


@documented
@dataclass(frozen=True, slots=True, kw_only=True)
class PositionError(UpdatedError):
    """Standard deviations of a terminal's reported position."""

    horizontal_km: float = 0.0
    """Of each of east and north."""
    vertical_km: float = 0.0
    """Scale of the error of the height, in km."""
    latency_ns: int = 0
    """Age of a report when it arrives."""


@documented
@dataclass(frozen=True, slots=True, kw_only=True)
class ClockError(UpdatedError):
    """Standard deviations of clocks at an update; between updates a clock drifts by its frequency error."""

    satellite_ns: float = 0.0
    """Time error of the satellites' clocks."""
    terminal_ns: float = 0.0
    """Time error of the terminals' clocks."""
    satellite_ppb: float = 0.0
    """Relative frequency error of the satellites' oscillators, in parts per billion; it also shifts the carrier."""
    terminal_ppb: float = 0.0
    """Relative frequency error of the terminals' oscillators, in parts per billion."""
