"""The ``[belief]``: in what the world that the network acts on differs from the one that answers."""

from __future__ import annotations

from typing import Annotated, Literal

from annotated_types import Ge, Gt, Le

from twin.scenario.section import PathList, Section
from twin.units import Duration

Kilometres = Annotated[float, Ge(0.0), Le(1e5)]
Degrees = Annotated[float, Ge(0.0), Le(180.0)]
Nanoseconds = Annotated[float, Ge(0.0), Le(1e9)]
Billionths = Annotated[float, Ge(0.0), Le(1e6)]


class ErrorSection(Section):
    """Errors that are drawn anew with every update."""

    law: Literal["normal", "uniform", "constant"] = "normal"
    """Of each component: Gaussian, uniform with the same standard deviation, or that deviation itself for all."""
    every: Annotated[Duration, Gt(0)] | None = None
    """From one update to the next, counted from 1970; none draws once for the whole run."""


class OrbitErrorSection(ErrorSection):
    """Standard deviations of where the network takes a satellite to be, each satellite by itself."""

    along_track_km: Kilometres = 0.0
    cross_track_km: Kilometres = 0.0
    radial_km: Kilometres = 0.0


class AttitudeErrorSection(ErrorSection):
    """Standard deviations of how a satellite's array is turned from where it is steered by, each by itself."""

    roll_deg: Degrees = 0.0
    """About the velocity."""
    pitch_deg: Degrees = 0.0
    """Across it."""
    yaw_deg: Degrees = 0.0
    """About nadir."""


class PositionErrorSection(ErrorSection):
    """Standard deviations of where the network takes a terminal to be."""

    horizontal_km: Kilometres = 0.0
    """Of each of east and north."""
    vertical_km: Kilometres = 0.0
    latency: Duration = Duration(0)
    """Age of a reported position when it arrives; at each update the terminal reports where it was then."""


class ClockErrorSection(ErrorSection):
    """Standard deviations of clocks at an update; between two of them a clock runs away by its frequency error."""

    satellite_ns: Nanoseconds = 0.0
    terminal_ns: Nanoseconds = 0.0
    satellite_ppb: Billionths = 0.0
    """Of the satellites' oscillators, in parts of 1e9; it also shifts the carrier."""
    terminal_ppb: Billionths = 0.0


class BeliefSection(Section):
    """What the network takes for true. Without any key it is the truth.

    Association, statistical CSI, steering and compensation come from the belief; channels and rates from the truth.
    """

    source: PathList = ()
    """Element sets that the network predicts with, of any age; none: those of the constellation. Satellites that are
    in one of them alone take no part."""
    element_lag: Annotated[Duration, Gt(0)] | None = None
    """Elements are known to the network only so long after their epochs; a satellite's earliest are used before."""
    orbit: OrbitErrorSection = OrbitErrorSection()
    attitude: AttitudeErrorSection = AttitudeErrorSection()
    position: PositionErrorSection = PositionErrorSection()
    clock: ClockErrorSection = ClockErrorSection()

    @property
    def is_truth(self) -> bool:
        """Whether satellites and terminals are believed to be where they are, and to point where they do."""
        return self.model_copy(update={"clock": ClockErrorSection()}) == BeliefSection()
