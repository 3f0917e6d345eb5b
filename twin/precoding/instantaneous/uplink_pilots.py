"""Cell-free massive MIMO with channels estimated from uplink pilots (P5, Section V)."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Annotated

import numpy as np
from annotated_types import Ge

from twin import randomness
from twin.arrays import BoolArray, ComplexArray, FloatArray, IntArray
from twin.precoding.matched import pointed
from twin.precoding.problem import Precoding, PrecodingProblem, precoders
from twin.precoding.rule import InstantaneousRule, Weights
from twin.radio.channel import ChannelDraws, StatisticalCsi
from twin.records import documented
from twin.registry import dataclass_options
from twin.units import from_db, watts_from_dbm


@dataclass_options
class PilotOptions:
    """Pilots and noise of the channel estimation."""

    pilot_length: Annotated[int, Ge(1)] = 4
    """τ_p: length and number of the orthogonal pilots, which terminals use cyclically (P5: 4)."""
    pilot_power_dbm: float = 23.0
    """η: energy of a terminal's pilot sequence, as the power that spends it within one symbol on a subcarrier."""
    uplink_noise_db: float = 0.0
    """Noise power at a satellite's receiver, relative to the mean of that of the terminals."""


@precoders.register("imrt", source="P5, eq. 38 to 46", options=PilotOptions)
def imrt(problem: PrecodingProblem, *, options: PilotOptions) -> Precoding:
    """Maximum-ratio transmission on instantaneous channels estimated from uplink pilots (CF-mMIMO).

    Each satellite estimates its channels from the pilots, which are contaminated where terminals share one, and
    transmits along the conjugate estimate. Powers are the problem's power fractions, or equal; they hold as means over
    the estimates.
    """
    power_w = problem.beam_power_w()
    rule = PilotRule(
        norad_id=problem.csi.norad_id,
        beam_power_w=power_w,
        pilot_length=options.pilot_length,
        pilot_power_w=float(watts_from_dbm(options.pilot_power_dbm)),
        uplink_noise_w=float(problem.csi.noise_w.mean() * from_db(options.uplink_noise_db)),
    )
    weights = replace(pointed(problem.csi, np.sqrt(power_w)), rule=rule)
    return Precoding(weights=weights, iterations=0, converged=True)


@documented
@dataclass(frozen=True, slots=True, kw_only=True)
class PilotRule(InstantaneousRule):
    """Weights along estimated channels."""

    norad_id: IntArray
    """(S,) catalogue numbers of the satellites, ascending."""
    beam_power_w: FloatArray
    """(S,K) mean power of each pair's beam in W."""
    pilot_length: int
    """τ_p."""
    pilot_power_w: float
    """η in W."""
    uplink_noise_w: float
    """σ² at a satellite, in W."""

    def realised(
        self,
        weights: Weights,
        truth: StatisticalCsi,
        draws: ChannelDraws,
        transmitting: BoolArray,
        *,
        seed: int,
        epoch: int,
    ) -> tuple[Weights, ...]:
        """The weights for each draw."""
        estimates = Estimates.of(self, truth)
        along = self.amplitude(truth, transmitting)
        contaminated = estimates.drawn(draws.receive[..., 0], seed=seed, epoch=epoch)
        reach = truth.reach
        return tuple(pointed(truth, reach.scatter(along * estimate.conj())) for estimate in contaminated)

    def amplitude(self, truth: StatisticalCsi, transmitting: BoolArray) -> FloatArray:
        """(S,B) amplitude of each beam over that of its estimate."""
        rows = np.searchsorted(self.norad_id, truth.norad_id)
        power_w = truth.reach.gather(np.where(transmitting, self.beam_power_w[rows], 0.0))
        known = Estimates.of(self, truth).power
        return np.asarray(np.sqrt(np.divide(power_w, known, where=known > 0.0, out=np.zeros_like(known))))


@documented
@dataclass(frozen=True, slots=True, kw_only=True)
class Estimates:
    """Linear MMSE estimates of the channels' receive sides, for the pairs in reach (P5, eq. 42).

    An estimate needs only the projections v_jᴴ y of the signal y that a satellite receives on the pilot of terminal j.
    """

    rule: PilotRule
    """Rule that forms weights from the estimates."""
    norad_id: IntArray
    """(S,) catalogue numbers of the satellites."""
    mean: FloatArray
    """(S,B) m: mean of the channel."""
    variance: FloatArray
    """(S,B) ν: variance of the channel."""
    meeting: FloatArray
    """(S,B,B) v_iᵀ v_j* if i and j share a pilot, otherwise zero."""
    filters: FloatArray
    """(S,B,B) column k: weights of the projections in the estimate of terminal k, without the factor ν_k."""
    power: FloatArray
    """(S,B) E |estimate|²."""
    pilot: IntArray
    """(S,B) number of each terminal's pilot."""
    steering: ComplexArray
    """(S,B,N) v."""
    turn: ComplexArray
    """(S,B) e^{jψ}: carrier phase with which one terminal's channel enters the estimate of another's."""

    @classmethod
    def of(cls, rule: PilotRule, truth: StatisticalCsi) -> Estimates:
        """Derive the estimators from statistics."""
        reach = truth.reach
        mean = reach.gather(truth.mean_amplitude)
        variance = reach.gather(truth.gain * np.maximum(1.0 - truth.los_fraction * truth.mean_phase**2, 0.0))
        pilot, phase = reach.terminal % rule.pilot_length, truth.carrier_phase_rad
        meeting = truth.gram * (pilot[:, :, None] == pilot[:, None, :])
        noise = rule.uplink_noise_w / rule.pilot_power_w
        identity = np.eye(mean.shape[1])
        # V⁻¹ v_k = Σ_j filters_jk v_j for V = noise I + Σ_j ν_j v_j v_jᴴ over the terminals of one pilot
        filters = np.linalg.solve(
            noise * identity + variance[:, :, None] * meeting, np.broadcast_to(identity, meeting.shape)
        )
        learnt = variance**2 * np.einsum("sjk,sjk->sk", filters, meeting)
        return cls(
            rule=rule,
            norad_id=truth.norad_id,
            mean=mean,
            variance=variance,
            meeting=meeting,
            filters=np.asarray(filters),
            power=mean**2 + np.clip(learnt, 0.0, variance),
            pilot=pilot,
            steering=truth.array.steering(truth.reached_departure),
            turn=np.ones(mean.shape, dtype=np.complex128) if phase is None else np.exp(1j * reach.gather(phase)),
        )

    def drawn(self, receive: ComplexArray, *, seed: int, epoch: int) -> ComplexArray:
        """(D,S,B) estimates of drawn receive sides (D,S,B)."""
        projected = np.einsum("sjk,dsk->dsj", self.meeting, (receive - self.mean) * self.turn)
        return self.from_projections(projected + self._noise(len(receive), seed=seed, epoch=epoch))

    def from_projections(self, projected: ComplexArray) -> ComplexArray:
        """(D,S,B) estimates from v_jᴴ (y - E y) (D,S,B), where y is received on the pilot of terminal j."""
        learnt = self.variance * np.einsum("sjk,dsj->dsk", self.filters, projected)
        return np.asarray(self.mean + learnt * self.turn.conj())

    def _noise(self, draws: int, *, seed: int, epoch: int) -> ComplexArray:
        """(D,S,B) v_jᴴ n for the noise n at a satellite's antennas during the pilot of terminal j."""
        size = np.sqrt(self.rule.uplink_noise_w / self.rule.pilot_power_w / 2.0)
        projected = np.zeros((draws, *self.mean.shape), dtype=np.complex128)
        for row, norad_id in enumerate(self.norad_id):
            rng = randomness.stream(seed, "pilots", epoch, int(norad_id))
            shape = (self.rule.pilot_length, draws, self.steering.shape[2], 2)
            noise = rng.standard_normal(shape).view(np.complex128)[..., 0]
            for pilot in np.unique(self.pilot[row]):
                sharing = self.pilot[row] == pilot
                projected[:, row, sharing] = noise[pilot] @ self.steering[row, sharing].conj().T
        return np.asarray(size * projected)
