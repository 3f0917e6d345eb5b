"""The ``[belief]`` section: errors of the positions, attitudes and clocks that the network assumes."""

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
    """Errors that are redrawn at each update."""

    law: Literal["normal", "uniform", "constant"] = "normal"
    """Distribution of each component: normal, uniform of the same standard deviation, or constant at that deviation."""
    every: Annotated[Duration, Gt(0)] | None = None
    """Time between updates, counted from 1970; None means one draw for the whole run."""


class OrbitErrorSection(ErrorSection):
    """Standard deviations of the position error of each satellite, independent between satellites."""

    along_track_km: Kilometres = 0.0
    """Component along the velocity."""
    cross_track_km: Kilometres = 0.0
    """Component normal to the orbital plane."""
    radial_km: Kilometres = 0.0
    """Component away from the Earth's centre."""


class AttitudeErrorSection(ErrorSection):
    """Standard deviations of the rotation of each satellite's array from its assumed attitude, independent between
    satellites."""

    roll_deg: Degrees = 0.0
    """Rotation about the velocity."""
    pitch_deg: Degrees = 0.0
    """Rotation about the normal of the orbital plane."""
    yaw_deg: Degrees = 0.0
    """Rotation about nadir."""


class PositionErrorSection(ErrorSection):
    """Standard deviations of the assumed position of each terminal."""

    horizontal_km: Kilometres = 0.0
    """Each of the components east and north."""
    vertical_km: Kilometres = 0.0
    """Component upwards."""
    latency: Duration = Duration(0)
    """Delay of a position report; at each update a terminal reports its position at that instant."""


class ClockErrorSection(ErrorSection):
    """Standard deviations of clock errors at an update; between updates a clock drifts by its frequency error."""

    satellite_ns: Nanoseconds = 0.0
    """Time error of a satellite."""
    terminal_ns: Nanoseconds = 0.0
    """Time error of a terminal; common to its satellites, so that its synchronisation removes it from the rates."""
    satellite_ppb: Billionths = 0.0
    """Relative frequency error of a satellite's oscillator, in parts per 1e9; it also shifts the carrier."""
    terminal_ppb: Billionths = 0.0
    """Relative frequency error of a terminal's oscillator, in parts per 1e9; it also shifts the carrier."""


class BeliefSection(Section):
    """What the network assumes. Without any key it assumes the true state.

    Association, statistical CSI, steering and precompensation use the belief; channels and rates use the truth.
    """

    source: PathList = ()
    """Element sets from which the network predicts orbits; empty means those of the constellation. Satellites that are
    missing in either are not used."""
    element_lag: Annotated[Duration, Gt(0)] | None = None
    """Delay after their epochs with which the network receives elements; None means no delay. Before, the earliest
    elements of a satellite are used."""
    orbit: OrbitErrorSection = OrbitErrorSection()
    """Position errors of satellites."""
    attitude: AttitudeErrorSection = AttitudeErrorSection()
    """Attitude errors of satellites."""
    position: PositionErrorSection = PositionErrorSection()
    """Position errors of terminals."""
    clock: ClockErrorSection = ClockErrorSection()
    """Clock errors of satellites and terminals."""

    @property
    def is_truth(self) -> bool:
        """Whether the assumed positions and attitudes are the true ones; clock errors do not count."""
        return self.model_copy(update={"clock": ClockErrorSection()}) == BeliefSection()
