"""The sections of a scenario other than terminals, belief and events: each key with unit, default and meaning."""

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
    """Start, duration and epoch of the run."""

    start: datetime = datetime(2026, 1, 1, tzinfo=UTC)
    """Start of the first epoch; UTC unless another offset is written."""
    duration: Duration = Duration.parse("10min")
    """Simulated time; a whole multiple of the epoch."""
    epoch: Duration = Duration.parse("1s")
    """Cadence of geometry, statistical CSI, precompensation and rates."""

    @field_validator("start")
    @classmethod
    def _in_utc(cls, start: datetime) -> datetime:
        aware = start if start.tzinfo else start.replace(tzinfo=UTC)
        if not 1960 <= aware.year <= 2100:
            raise ValueError(f"{aware.isoformat()} is outside 1960 to 2100, the years of the time scales")
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
        """Number of epochs of the run."""
        return int(self.duration) // int(self.epoch)


class WalkerSection(Section):
    """A generated constellation: Walker delta (nodes over 360 degrees) or Walker star (nodes over 180 degrees)."""

    kind: Literal["delta", "star"] = "delta"
    """Nodes of the planes over 360 degrees (delta) or 180 degrees (star)."""
    planes: Count = 28
    """Number of orbital planes."""
    per_plane: Count = 60
    """Satellites in each plane."""
    altitude_km: Annotated[float, Ge(150.0), Le(36_000.0)] = 600.0
    """Altitude of the circular orbits."""
    inclination_deg: Annotated[float, Ge(0.0), Le(180.0)] = 53.0
    """Inclination of all planes."""
    phasing: Annotated[int, Ge(0)] = 1
    """Walker's phasing factor F; below the number of planes."""

    @model_validator(mode="after")
    def _phasing_fits(self) -> Self:
        if self.phasing >= self.planes:
            raise ValueError(f"phasing = {self.phasing} must be below planes = {self.planes}")
        return self


class ConstellationSection(Section):
    """The satellites: element sets from files or, without ``source``, a generated constellation."""

    source: PathList = ()
    """A TLE or OMM file, or several dated files; at each instant, the newest set before it is used."""
    walker: WalkerSection = WalkerSection()
    """The generated constellation, used without a source. The default is the constellation of the papers."""
    names: WordList = ()
    """Name patterns of the satellites to keep (``STARLINK-1*``); empty keeps all."""
    exclude_names: WordList = ()
    """Name patterns of the satellites to leave out."""
    norad_ids: tuple[int, ...] = ()
    """Catalogue numbers of the satellites to keep; empty keeps all."""
    perigee_km: Span | None = None
    """Keep orbits with a perigee altitude in [from, to]; None keeps all."""
    apogee_km: Span | None = None
    """Keep orbits with an apogee altitude in [from, to]; None keeps all."""
    inclination_deg: Span | None = None
    """Keep orbits with an inclination in [from, to]; None keeps all."""
    stale_after: Duration = Duration.parse("14d")
    """Age of elements above which a warning is given; they are used."""
    max_element_age: Duration | None = None
    """Age of elements above which a satellite is not used; None means no limit."""

    @field_validator("perigee_km", "apogee_km", "inclination_deg")
    @classmethod
    def _from_to(cls, span: Span | None) -> Span | None:
        if span is not None and span[0] > span[1]:
            raise ValueError(f"[{span[0]:g}, {span[1]:g}] must be [from, to] with from <= to")
        return span


class SatellitesSection(Section):
    """Power and antenna array of each satellite."""

    power_per_subcarrier_dbm: Annotated[float, Ge(-100.0), Le(100.0)] = 35.0
    """Radiated power budget of a satellite on one subcarrier (P_s of the papers)."""
    array: ArraySection = ArraySection(rows=16, columns=16, element_gain_dbi=6.0)
    """Planar array that faces nadir, with its columns along the velocity. A key that is not given keeps its value from
    the default, an array of 16 x 16 elements of 6 dBi."""


class PathLossSection(ModelSection):
    """Large-scale loss of a link, by the selected model."""

    kind: ClassVar[str] = "path loss"
    name: str = "free_space"
    """Name of the path loss model."""


class FadingSection(ModelSection):
    """Rician factor of a link, by the selected model."""

    kind: ClassVar[str] = "fading"
    name: str = "fixed_k"
    """Name of the fading model."""


class ChannelSection(Section):
    """Carrier, bandwidth and propagation."""

    carrier_ghz: Positive = 2.0
    """Carrier frequency."""
    subcarrier_khz: Positive = 30.0
    """Subcarrier spacing."""
    bandwidth_mhz: Positive = 20.0
    """Bandwidth of all subcarriers together; a terminal's rate is its spectral efficiency times this."""
    cyclic_prefix_ratio: Annotated[float, Ge(0.0), Le(1.0)] = 144 / 2048
    """Length of the cyclic prefix over that of the symbol without it; the default is the normal prefix of 5G NR.
    Delay errors beyond the prefix cause ISI and ICI. Formerly ``prefix_share``, which is still read."""
    scattering: Literal["along_los", "isotropic"] = "along_los"
    """Covariance of the scattered component at a terminal's array: along the line of sight (P1), or white."""
    path_loss: PathLossSection
    """Model of the large-scale loss, with its options."""
    fading: FadingSection
    """Model of the Rician factor, with its options."""

    @model_validator(mode="after")
    def _holds_a_subcarrier(self) -> Self:
        if self.bandwidth_mhz * 1e6 < self.subcarrier_khz * 1e3:
            raise ValueError(
                f"bandwidth_mhz = {self.bandwidth_mhz:g} must hold at least one subcarrier,"
                f" subcarrier_khz = {self.subcarrier_khz:g}"
            )
        return self


class PrecompensationSection(ModelSection):
    """Delay and Doppler precompensation at the satellites, and the phase error that remains, by the selected model."""

    kind: ClassVar[str] = "phase error"
    name: str = "gaussian_phase"
    """Name of the phase-error model."""
    prediction_age: Duration = Duration(0)
    """Age of the geometry from which the delays and Doppler shifts to compensate are predicted."""


class AssociationSection(ModelSection):
    """Serving satellites of each terminal, decided by the selected policy at its own cadence, and handover times."""

    kind: ClassVar[str] = "policy"
    name: str = "nearest_cluster"
    """Name of the policy."""
    every: Duration
    """Time between decisions; a whole multiple of the epoch, one epoch if not given."""
    min_elevation_deg: Annotated[float, Ge(0.0), Le(90.0)] = 10.0
    """Lowest elevation at which a satellite may serve a terminal."""
    capacity: Count | None = None
    """Most terminals that one satellite serves; None means no limit."""
    min_dwell: Duration = Duration(0)
    """Shortest time between two changes of a cluster by the policy; the loss of a member ends it."""
    exclude: SatelliteList = ()
    """NORAD ids or name patterns of satellites that serve no terminal."""
    preparation: Duration = Duration(0)
    """Time from a decision to the start of its execution."""
    execution: Duration = Duration.parse("100ms")
    """Time for which a joining satellite does not serve yet; the terminal is interrupted if no other satellite serves
    it."""
    beam_execution: Duration = Duration(0)
    """Time for which a master does not serve a terminal that changes to another of its beams."""
    timeout: Duration | None = None
    """Time after its decision at which a change that has not started is abandoned; None means never."""

    @model_validator(mode="after")
    def _begins_in_time(self) -> Self:
        if self.timeout is not None and self.timeout < self.preparation:
            raise ValueError(
                f'timeout = "{self.timeout}" must be at least preparation = "{self.preparation}";'
                " otherwise no change can start"
            )
        return self


class PrecodingSection(ModelSection):
    """Precoding weights of the serving satellites, by the selected precoder."""

    kind: ClassVar[str] = "precoder"
    name: str = "ms_jo_cdwmmse"
    """Name of the precoder."""
    every: Duration
    """Time between computations of weights; a whole multiple of the epoch, one epoch if not given."""
    on_handover: bool = True
    """Whether weights are also computed when a serving set has changed in between."""
    csi_age: Duration = Duration(0)
    """Shortest delay of a report of statistical CSI to the precoder."""
    csi_jitter: Duration = Duration(0)
    """Further random delay of a report: the mean of an exponential law, or the maximum of a uniform one."""
    csi_jitter_law: Literal["exponential", "uniform"] = "exponential"
    """Distribution of the random delay; a report that arrives after a later one is ignored."""
    latency: Duration = Duration(0)
    """Time from the start of a computation until its weights are applied."""
    restart_epochs: Count = 60
    """Period of cold starts, in epochs; in between, an iterative precoder starts from its previous weights."""


class ReceiverSection(Section):
    """Receiver noise, and how rates are computed."""

    noise_figure_db: NotNegative = 7.0
    """Noise figure, defined at 290 K."""
    antenna_temperature_k: Positive = 290.0
    """Noise temperature of the terminal antenna."""
    interference: Literal["independent", "coherent", "by_delay"] = "independent"
    """How interference from different satellites adds: in power (independent), in amplitude (coherent), or in
    amplitude as far as the delays of each pair of satellites place it in the same symbol (by_delay; P3, Remark 1)."""
    knowledge: Literal["instantaneous", "mean_only"] = "instantaneous"
    """Whether the receiver knows its channel, or its mean only (use-and-forget bound)."""
    draws: Annotated[int, Ge(1), Le(100_000)] = 64
    """Draws of phase error and fading over which the rate of an epoch is averaged."""


class TraceSection(Section):
    """Optional tables of the trace, and how often it is written."""

    links: bool = False
    """Write ``links/``: one row for each satellite and terminal in view of each other."""
    candidates: bool = False
    """Write ``candidates/``: one row for each satellite from which a decision could choose, for each terminal."""
    flush: Annotated[Duration, Gt(0)] = Duration.parse("10s")
    """Wall-clock time after which finished epochs are written durably."""
