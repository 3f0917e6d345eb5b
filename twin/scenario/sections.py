"""The sections of a scenario other than the terminals; every key with its unit, default and meaning."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated, ClassVar, Literal, Self

from annotated_types import Ge, Gt, Le
from pydantic import field_validator, model_validator

from twin.scenario.section import Count, ModelSection, NotNegative, PathList, Positive, SatelliteList, Section, WordList
from twin.scenario.terminals import ArraySection
from twin.units import Duration

Span = tuple[float, float]


class TimeSection(Section):
    """When the run starts, how long it lasts and how finely it looks."""

    start: datetime = datetime(2026, 1, 1, tzinfo=UTC)
    """UTC unless it says otherwise."""
    duration: Duration = Duration.parse("10min")
    epoch: Duration = Duration.parse("1s")
    """Cadence of geometry, statistical CSI, precompensation and rates."""

    @field_validator("start")
    @classmethod
    def _in_utc(cls, start: datetime) -> datetime:
        aware = start if start.tzinfo else start.replace(tzinfo=UTC)
        if not 1960 <= aware.year <= 2100:
            raise ValueError(f"{aware.isoformat()} is outside 1960 to 2100, where element sets and time scales hold")
        return aware.astimezone(UTC)

    @model_validator(mode="after")
    def _whole_epochs(self) -> Self:
        if self.epoch <= 0:
            raise ValueError(f'epoch = "{self.epoch}" must be longer than zero')
        if self.duration <= 0 or self.duration % self.epoch:
            raise ValueError(
                f'duration = "{self.duration}" must be a whole multiple of epoch = "{self.epoch}", at least one'
            )
        return self

    @property
    def epochs(self) -> int:
        """How many epochs the run has."""
        return int(self.duration) // int(self.epoch)


class WalkerSection(Section):
    """A generated constellation: Walker delta (full circle of nodes) or star (half circle)."""

    kind: Literal["delta", "star"] = "delta"
    planes: Count = 28
    per_plane: Count = 60
    altitude_km: Annotated[float, Ge(150.0), Le(36_000.0)] = 600.0
    inclination_deg: Annotated[float, Ge(0.0), Le(180.0)] = 53.0
    phasing: Annotated[int, Ge(0)] = 1

    @model_validator(mode="after")
    def _phasing_fits(self) -> Self:
        if self.phasing >= self.planes:
            raise ValueError(f"phasing = {self.phasing} must be below planes = {self.planes}")
        return self


class ConstellationSection(Section):
    """Which satellites there are: element sets from files or, without ``source``, a generated constellation."""

    source: PathList = ()
    """A TLE or OMM file, or several dated ones, of which the newest set before each instant is used."""
    walker: WalkerSection = WalkerSection()
    """Used when there is no source. The default is the papers' constellation."""
    names: WordList = ()
    """Name patterns to keep (``STARLINK-1*``); none keeps all."""
    exclude_names: WordList = ()
    norad_ids: tuple[int, ...] = ()
    """Catalogue numbers to keep; none keeps all."""
    perigee_km: Span | None = None
    """Keep orbits with a perigee height in [from, to]."""
    apogee_km: Span | None = None
    inclination_deg: Span | None = None
    stale_after: Duration = Duration.parse("14d")
    """Elements older than this are used and warned of."""
    max_element_age: Duration | None = None
    """Satellites whose elements are older than this are masked; none masks nobody for age."""

    @field_validator("perigee_km", "apogee_km", "inclination_deg")
    @classmethod
    def _from_to(cls, span: Span | None) -> Span | None:
        if span is not None and span[0] > span[1]:
            raise ValueError(f"[{span[0]:g}, {span[1]:g}] must be [from, to] with from <= to")
        return span


class SatellitesSection(Section):
    """What each satellite transmits with."""

    power_per_subcarrier_dbm: Annotated[float, Ge(-100.0), Le(100.0)] = 35.0
    """Radiated power budget on one subcarrier (P_s of the papers)."""
    array: ArraySection = ArraySection(rows=16, columns=16, element_gain_dbi=6.0)
    """Planar array that faces nadir; its columns run along the velocity."""


class PathLossSection(ModelSection):
    """Large-scale loss of a link."""

    kind: ClassVar[str] = "path loss"
    name: str = "free_space"


class FadingSection(ModelSection):
    """Rician factor of a link."""

    kind: ClassVar[str] = "fading"
    name: str = "fixed_k"


class ChannelSection(Section):
    """Carrier, bandwidth and propagation."""

    carrier_ghz: Positive = 2.0
    subcarrier_khz: Positive = 30.0
    bandwidth_mhz: Positive = 20.0
    """Over all subcarriers: a terminal's rate is its spectral efficiency times this."""
    cyclic_prefix_ratio: Annotated[float, Ge(0.0), Le(1.0)] = 144 / 2048
    """Cyclic prefix over the symbol's data part, the normal one of 5G NR; it tells what delay errors cost."""
    scattering: Literal["along_los", "isotropic"] = "along_los"
    """Covariance of the scattered part at a terminal's array: along the line of sight (P1) or white."""
    path_loss: PathLossSection
    fading: FadingSection

    @model_validator(mode="after")
    def _holds_a_subcarrier(self) -> Self:
        if self.bandwidth_mhz * 1e6 < self.subcarrier_khz * 1e3:
            raise ValueError(
                f"bandwidth_mhz = {self.bandwidth_mhz:g} must hold at least one subcarrier,"
                f" subcarrier_khz = {self.subcarrier_khz:g}"
            )
        return self


class PrecompensationSection(ModelSection):
    """Delay and Doppler compensation at the satellites, and the phase error it leaves."""

    kind: ClassVar[str] = "phase error"
    name: str = "gaussian_phase"
    prediction_age: Duration = Duration(0)
    """Age of the geometry from which the compensation values are predicted."""


class AssociationSection(ModelSection):
    """Who serves whom, decided at its own cadence, and what a handover costs."""

    kind: ClassVar[str] = "policy"
    name: str = "nearest_cluster"
    every: Duration
    """Cadence of decisions; a whole multiple of the epoch, one epoch if not given."""
    min_elevation_deg: Annotated[float, Ge(0.0), Le(90.0)] = 10.0
    capacity: Count | None = None
    """Most terminals that one satellite serves; none is no limit."""
    min_dwell: Duration = Duration(0)
    """A cluster that the policy has changed is left as it is for so long, unless it loses a member."""
    exclude: SatelliteList = ()
    """NORAD ids or name patterns of satellites that serve nobody."""
    preparation: Duration = Duration(0)
    """From a decision to the start of its execution."""
    execution: Duration = Duration.parse("100ms")
    """For so long a joining satellite does not serve yet: an interruption where no other one does."""
    beam_execution: Duration = Duration(0)
    """For so long a master does not serve a terminal that it takes into another beam."""
    timeout: Duration | None = None
    """A change that has not begun so long after its decision is given up; none waits for ever."""

    @model_validator(mode="after")
    def _begins_in_time(self) -> Self:
        if self.timeout is not None and self.timeout < self.preparation:
            raise ValueError(
                f'timeout = "{self.timeout}" must be at least preparation = "{self.preparation}";'
                " no change would ever begin"
            )
        return self


class PrecodingSection(ModelSection):
    """How the serving satellites transmit."""

    kind: ClassVar[str] = "precoder"
    name: str = "ms_jo_cdwmmse"
    every: Duration
    """Cadence of the precoder; a whole multiple of the epoch, one epoch if not given."""
    on_handover: bool = True
    """Compute weights also between cadences where a serving set has changed."""
    csi_age: Duration = Duration(0)
    """Age of the statistical CSI when the precoder gets it, the least that a report takes."""
    csi_jitter: Duration = Duration(0)
    """What a report takes beyond that: the mean of an exponential law, or the greatest of a uniform one."""
    csi_jitter_law: Literal["exponential", "uniform"] = "exponential"
    """How that is distributed; a report that another one has overtaken is not looked at."""
    latency: Duration = Duration(0)
    """From the start of the computation until the weights are in force."""
    restart_epochs: Count = 60
    """Warm starts are cut at every multiple of so many epochs, whatever was computed before."""


class ReceiverSection(Section):
    """Noise, and how a rate is scored."""

    noise_figure_db: NotNegative = 7.0
    antenna_temperature_k: Positive = 290.0
    interference: Literal["independent", "coherent", "by_delay"] = "independent"
    """Whether interference from different satellites adds in power, as one symbol's amplitudes, or between the two, as
    far as the delays of each pair of satellites bring it to a terminal in the same symbol (P3, Remark 1)."""
    knowledge: Literal["instantaneous", "mean_only"] = "instantaneous"
    """Whether the receiver knows its channel or the mean only (use-and-forget bound)."""
    draws: Annotated[int, Ge(1), Le(100_000)] = 64
    """Draws of phase error and fading that an epoch's expected rate is the mean of."""


class TraceSection(Section):
    """What is written beside the four tables that are always there."""

    links: bool = False
    """Write a row for each satellite and terminal in view of each other."""
    candidates: bool = False
    """Write a row for each satellite that a decision could choose from, terminal by terminal."""
    flush: Annotated[Duration, Gt(0)] = Duration.parse("10s")
    """Wall-clock time after which finished epochs are made durable."""
