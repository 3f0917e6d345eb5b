"""One finished epoch: everything that the rows of a trace need, as plain values."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from twin.arrays import BoolArray, FloatArray, IntArray
from twin.association import Handover
from twin.records import documented
from twin.timeline import Timeline


@documented
@dataclass(frozen=True, slots=True, kw_only=True)
class LoggedHandover:
    """An event and when it happened."""

    time_ns: int
    """Since the start of the run."""
    handover: Handover
    """Change of satellites or beam."""


@documented
@dataclass(frozen=True, slots=True, kw_only=True)
class LoggedAttempt:
    """A decided change of a terminal's cluster and its outcome."""

    time_ns: int
    """When the outcome was known, since the start of the run."""
    terminal: int
    """Index of the terminal."""
    decided_ns: int
    """When the policy decided."""
    begun_ns: int | None
    """When execution began; None if it never did."""
    before: tuple[int, ...]
    """NORAD ids of the cluster at `time_ns`, before the change."""
    wanted: tuple[int, ...]
    """NORAD ids of the decided cluster."""
    outcome: str
    """An `AttemptOutcome`."""
    reason: str
    """The policy's reason, and how many satellites rejected the terminal."""


@documented
@dataclass(frozen=True, slots=True, kw_only=True)
class Candidates:
    """The P pairs among which a policy could choose at one decision, by terminal."""

    terminal: IntArray
    """(P,) index of the terminal."""
    satellite: IntArray
    """(P,) NORAD id."""
    score: FloatArray
    """(P,) what the policy ranks by; NaN where it gave none."""
    elevation_deg: FloatArray
    """(P,)"""
    chosen: BoolArray
    """(P,) whether the policy wants the satellite to serve the terminal."""


@documented
@dataclass(frozen=True, slots=True, kw_only=True)
class LinkRecord:
    """The P pairs of satellite and terminal in view of each other at the start of an epoch, in the true world."""

    satellite: IntArray
    """(P,) NORAD id."""
    terminal: IntArray
    """(P,) index of the terminal."""
    elevation_deg: FloatArray
    """(P,)"""
    azimuth_deg: FloatArray
    """(P,) of the satellite, clockwise from north."""
    range_km: FloatArray
    """(P,)"""
    delay_s: FloatArray
    """(P,) propagation delay."""
    doppler_hz: FloatArray
    """(P,) Doppler shift, positive in approach."""
    path_gain_db: FloatArray
    """(P,) large-scale gain without arrays."""
    rician: FloatArray
    """(P,) Rician factor κ, linear."""
    residual_delay_s: FloatArray
    """(P,) τ̄ of compensation by prediction alone."""
    residual_doppler_hz: FloatArray
    """(P,) ν̄ of compensation by prediction alone."""
    phase_variance_rad2: FloatArray
    """(P,) ζ²; infinite for a uniform phase."""
    phase_error_rad: FloatArray
    """(P,) the first draw of ϱ."""
    predicted: BoolArray
    """(P,) whether the network has a prediction of the satellite."""
    serving: BoolArray
    """(P,) whether the satellite serves the terminal at the end of the epoch."""


@documented
@dataclass(frozen=True, slots=True, kw_only=True)
class EpochScore:
    """Rates and service of one epoch: K terminals, A satellites that belong to a cluster."""

    spectral_efficiency_bps_hz: FloatArray
    """(K,) mean over the epoch."""
    surrogate_bps_hz: FloatArray
    """(K,) AP1, mean over the epoch."""
    mean_only_bps_hz: FloatArray
    """(K,) AP2, the rate of a use-and-forget receiver, mean over the epoch."""
    sinr: FloatArray
    """(K,) at the end of the epoch; 0 without service."""
    interrupted: FloatArray
    """(K,) fraction of the epoch in which the execution of a handover leaves the terminal without service."""
    norad_id: IntArray
    """(A,) satellites."""
    serving: BoolArray
    """(A,K) which satellite serves which terminal at the end of the epoch."""
    synchronised: BoolArray
    """(A,K) pairs that serve at any time of the epoch: what the terminals synchronise to."""
    master: IntArray
    """(K,) row of each cluster's master, -1 without one."""
    power_w: FloatArray
    """(A,) power on one subcarrier at the end of the epoch."""
    beam_power_w: FloatArray
    """(A,K) the same for each terminal."""


@documented
@dataclass(frozen=True, slots=True, kw_only=True)
class RunFrame:
    """What all records of a run have in common."""

    timeline: Timeline
    """Epochs of the run."""
    names: tuple[str, ...]
    """(K,) names of the terminals."""
    bandwidth_hz: float
    """Bandwidth over all subcarriers."""


@documented
@dataclass(frozen=True, slots=True, kw_only=True)
class EpochRecord:
    """One finished epoch of a run with K terminals."""

    frame: RunFrame
    """What all epochs of the run share."""
    epoch: int
    """Number of the epoch."""
    score: EpochScore
    """Rates and powers of the epoch."""
    latitude_deg: FloatArray
    """(K,) true geodetic latitude at the start of the epoch."""
    longitude_deg: FloatArray
    """(K,) longitude, likewise."""
    altitude_km: FloatArray
    """(K,) height above the ellipsoid, likewise."""
    present: BoolArray
    """(K,) whether each terminal is present at the end of the epoch."""
    present_fraction: FloatArray
    """(K,) fraction of the epoch in which it is present."""
    visible_satellites: int
    """Satellites in view of at least one terminal."""
    visible_pairs: int
    """Pairs of satellite and terminal in view of each other."""
    events: tuple[LoggedHandover, ...]
    """Changes of service within the epoch."""
    attempts: tuple[LoggedAttempt, ...]
    """Attempted changes whose outcome became known within the epoch."""
    candidates: Candidates | None
    """None without a decision in the epoch, or where the trace does not hold candidates."""
    links: LinkRecord | None
    """None where the trace does not hold links."""
    iterations: int
    """Iterations of the last precoding in the epoch; 0 without one."""
    converged: bool
    """Of the weights on the air at the end of the epoch."""
    wall_s: dict[str, float]
    """Wall-clock time of each stage."""

    @property
    def start(self) -> np.datetime64:
        """UTC instant at which the epoch begins."""
        return self.frame.timeline.instant(self.frame.timeline.begin_ns(self.epoch))
