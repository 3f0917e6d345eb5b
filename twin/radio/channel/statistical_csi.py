"""Statistical CSI: the channel statistics that a transmitter may know."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from twin.arrays import ComplexArray, FloatArray, IntArray, Reach
from twin.radio.channel.array import PlanarArray
from twin.records import documented


@documented
@dataclass(frozen=True, kw_only=True)
class StatisticalCsi:
    """Second-order statistics of the channels between S satellites and K terminals at one instant.

    The channel of a pair is H = √γ (√(κ/(κ+1)) u e^{jψ} + √(1/(κ+1)) ũ) vᵀ with ũ ~ CN(0, Σ), times the phase error
    e^{jϱ} that precompensation leaves (P1 to P5 in one notation).
    """

    norad_id: IntArray
    """(S,) NORAD ids of the satellites."""
    array: PlanarArray
    """Antenna array, the same for all satellites."""
    departure: FloatArray
    """(S,K,2) direction cosines of the terminal along the satellite's array; they give v."""
    gain: FloatArray
    """(S,K) γ: mean channel power E‖H‖², linear, gains of both arrays included; 0 where there is no link."""
    rician: FloatArray
    """(S,K) κ: Rician factor, linear; infinite without fading."""
    mean_phase: FloatArray
    """(S,K) φ̄ = E e^{jϱ}: mean of the phase error."""
    receive_steering: ComplexArray
    """(S,K,M) u: unit-norm response of the terminal's array; zero beyond the terminal's own elements."""
    isotropic_scattering: bool
    """True: Σ is white over the terminal's elements. False: Σ = u uᴴ. Ignored where ``scattering`` is given."""
    terminal_elements: IntArray
    """(K,) number of elements of each terminal's array."""
    noise_w: FloatArray
    """(K,) σ²: noise power on one subcarrier in W."""
    scattering: ComplexArray | None = None
    """(S,K,M,M) Σ with trace 1, zero beyond a terminal's own elements; None means white or u uᴴ."""
    carrier_phase_rad: FloatArray | None = None
    """(S,K) ψ in rad: carrier phase over the path, which the satellite compensates for the terminal it serves.

    Another terminal receives that stream with the difference of two such phases. Only interference of kind "coherent"
    or "by_delay" depends on it. None means that all phases are equal.
    """
    delay_s: FloatArray | None = None
    """(S,K) propagation delay in s, by which the satellite advances its signal for the terminal it serves.

    Only interference of kind "by_delay" depends on it. None means unknown.
    """
    disturbance_fraction: FloatArray | None = None
    """(S,K) mean fraction of a terminal's own power that arrives as ICI and ISI; None means 0 everywhere."""

    @cached_property
    def los_fraction(self) -> FloatArray:
        """(S,K) κ/(κ+1): fraction of the power in the line of sight."""
        with np.errstate(invalid="ignore"):
            return np.asarray(np.where(np.isinf(self.rician), 1.0, self.rician / (self.rician + 1.0)))

    @cached_property
    def mean_amplitude(self) -> FloatArray:
        """(S,K) |ρ| = √(γ κ/(κ+1)) φ̄: amplitude of the mean channel (P3, eq. 20, without its unit phase)."""
        return np.asarray(np.sqrt(self.gain * self.los_fraction) * self.mean_phase)

    def of(self, rows: IntArray) -> StatisticalCsi:
        """Statistics of the satellites of some rows. All rows in ascending order give the same record."""
        if np.array_equal(rows, np.arange(len(self.norad_id))):
            return self
        some = replace(
            self,
            norad_id=self.norad_id[rows],
            departure=self.departure[rows],
            gain=self.gain[rows],
            rician=self.rician[rows],
            mean_phase=self.mean_phase[rows],
            receive_steering=self.receive_steering[rows],
            scattering=None if self.scattering is None else self.scattering[rows],
            carrier_phase_rad=None if self.carrier_phase_rad is None else self.carrier_phase_rad[rows],
            delay_s=None if self.delay_s is None else self.delay_s[rows],
            disturbance_fraction=None if self.disturbance_fraction is None else self.disturbance_fraction[rows],
        )
        some.__dict__["reach"] = self.reach.rows(rows)  # the columns stay those of draws made for all satellites
        return some

    @cached_property
    def reach(self) -> Reach:
        """The terminals that each satellite has a link to, at most B."""
        return Reach.of(self.gain > 0.0)

    @cached_property
    def reached_departure(self) -> FloatArray:
        """(S,B,2) `departure` of the pairs in reach."""
        return self.reach.gather(self.departure)

    @cached_property
    def gram(self) -> FloatArray:
        """(S,B,B) inner products v_iᵀ v_j* of each satellite's steering vectors; zero without a link."""
        gram, linked = self.array.gram(self.reached_departure), self.reach.gather(self.gain > 0.0)
        return gram if linked.all() else np.asarray(gram * (linked[:, :, None] & linked[:, None, :]))

    def reached_covariance(self, los: FloatArray, scattered: FloatArray) -> ComplexArray:
        """(S,B,M,M) receive covariance ``los`` u uᴴ + ``scattered`` Σ of the pairs in reach, for powers (S,K)."""
        reach = self.reach
        steering = reach.gather(self.receive_steering)
        outer = steering[..., :, None] * steering[..., None, :].conj()
        if self.scattering is not None:
            covariance = reach.gather(self.scattering) * reach.gather(scattered)[..., None, None]
            return np.asarray(outer * reach.gather(los)[..., None, None] + covariance)
        if not self.isotropic_scattering:
            return np.asarray(outer * reach.gather(los + scattered)[..., None, None])
        white = reach.gather(scattered[..., None] * self.white_scattering)
        identity = np.eye(steering.shape[-1])
        return np.asarray(outer * reach.gather(los)[..., None, None] + white[..., None] * identity)

    @property
    def white_scattering(self) -> FloatArray:
        """(K,M) diagonal of a white Σ over each terminal's own elements."""
        own = np.arange(self.receive_steering.shape[-1]) < self.terminal_elements[:, None]
        return np.asarray(own / self.terminal_elements[:, None])

    def steering(self) -> ComplexArray:
        """(S,K,N) unit-norm steering vectors v."""
        return self.array.steering(self.departure)
