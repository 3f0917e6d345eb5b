"""The reference for all surrogates: the exact expected rate, as a mean over drawn samples, maximised directly."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Annotated, Self

import numpy as np
from annotated_types import Ge, Gt

from twin import randomness
from twin.arrays import ComplexArray, FloatArray, NumberArray, Reach
from twin.precoding.beamspace.codebook import Subspace
from twin.precoding.beamspace.multistream import optimise, real_if_real
from twin.precoding.beamspace.transmitter import ClusterIndex
from twin.precoding.budget import weights_within_budget
from twin.precoding.exact.budgeted import MultiStreamDual, TransmitProblem
from twin.precoding.exact.exact_power import ExactPowerOptions, cdwmmse_exact_power
from twin.precoding.joint import JointOptions
from twin.precoding.problem import Precoding, PrecodingProblem, precoders
from twin.precoding.rule import Weights
from twin.precoding.stream_limits import check_streams, stream_counts
from twin.precoding.warm_start import steering_coefficients
from twin.precoding.weights import SpannedWeights
from twin.radio.channel import StatisticalCsi, draw_channels
from twin.records import documented
from twin.registry import Facts, dataclass_options


@dataclass_options
class ErgodicOptions(JointOptions):
    """Number of samples, and when the iteration ends."""

    iterations: Annotated[int, Ge(1)] = 20
    """Iterations from a cold start, after those of the surrogate from which it starts."""
    streams: Annotated[int, Ge(1)] = 1
    """Largest number of streams of a terminal: at most its elements and its serving satellites."""
    samples: Annotated[int, Ge(1)] = 64
    """Samples of fading and phase error, the same at every epoch."""
    sample_seed: Annotated[int, Ge(0)] = 0
    """Seed of the samples, which are independent of the draws that rates are computed from."""
    power_tolerance: Annotated[float, Gt(0.0)] = 1e-9
    """Relative error to which the budgets that bind are met in each iteration."""

    def check(self, facts: Facts) -> None:
        """Refuse more streams than the scenario allows.

        Raises
        ------
        ValueError
            Of `check_streams`; the message begins with the key.
        """
        check_streams(self.streams, facts)


@precoders.register("ergodic_wmmse", source="ours; P2, eq. 12; P3, eq. 12, without a surrogate", options=ErgodicOptions)
def ergodic_wmmse(problem: PrecodingProblem, *, options: ErgodicOptions) -> Precoding:
    """Joint WMMSE on the exact rate, as a mean over drawn samples: the reference for all surrogates.

    Each sample has its own receivers, on which the weights do not depend: the weights solve the sum over all samples,
    with each satellite's power constraint met exactly. No iteration lowers the mean of the samples' rates.
    """
    start, most = _start(problem, options)
    samples = Samples.of(problem, options)
    weights, best = start.weights, start.weights
    highest, converged, iterations = -np.inf, False, 0
    multiplier: FloatArray | None = None
    for iterations in range(most + 1):
        objective = samples.transmit_problem(weights)
        converged = iterations > 0 and objective.rate_bit <= highest + options.tolerance_bit
        if objective.rate_bit > highest:
            best, highest = weights, objective.rate_bit
        if converged or iterations == most or not objective.load.any():
            break
        dual = MultiStreamDual.of(problem, samples.clusters, objective)
        multiplier = dual.maximised(multiplier, options.power_tolerance)
        over = SpannedWeights.over(problem.csi, dual.at(multiplier).coefficients())
        weights = weights_within_budget(over, problem.power_w)
    return Precoding(weights=best, iterations=start.iterations + iterations, converged=converged)


def _start(problem: PrecodingProblem, options: ErgodicOptions) -> tuple[Precoding, int]:
    """Weights to start from, given or of the surrogate, and the largest number of iterations."""
    given = steering_coefficients(problem.start, problem.csi.reach)
    if given is not None and np.array_equal(given.any(axis=(1, 3)), problem.csi.reach.gather(problem.serving)):
        carried = weights_within_budget(SpannedWeights.over(problem.csi, given), problem.power_w)
        return Precoding(weights=carried, iterations=0, converged=False), options.warm_iterations
    cold = replace(problem, start=None)
    if problem.csi.receive_steering.shape[-1] == 1:
        return cdwmmse_exact_power(cold, options=ExactPowerOptions()), options.iterations
    surrogate = JointOptions()
    space = Subspace.of(problem.csi, None)
    return optimise(cold, surrogate, space, stream_counts(problem, options.streams)), options.iterations


@documented
@dataclass(frozen=True, slots=True, kw_only=True)
class Samples:
    """Drawn channels in units of the noise amplitude."""

    reach: Reach
    """Pairs of a satellite and a terminal within reach."""
    clusters: ClusterIndex
    """Serving pairs, by terminal and by satellite."""
    csi: StatisticalCsi
    """Statistical CSI from which the samples are drawn."""
    weight: FloatArray
    """(K,) β, zero for terminals without service."""
    receive: ComplexArray
    """(D,S,B,M) receive sides."""

    @classmethod
    def of(cls, problem: PrecodingProblem, options: ErgodicOptions) -> Self:
        """Draw samples from the statistics, with a Gaussian phase error of the given mean phasor φ̄."""
        csi, reach = problem.csi, problem.csi.reach
        serving = reach.gather(problem.serving & (csi.gain > 0.0) & (problem.power_w > 0.0)[:, None])
        phases = _phases(csi, options.samples, options.sample_seed)
        drawn = draw_channels(csi, phases, seed=options.sample_seed, epoch=0, purpose="samples").receive
        served = reach.sum_by_terminal(serving.astype(np.float64)) > 0.0
        return cls(
            reach=reach,
            clusters=ClusterIndex.of(reach, serving),
            csi=csi,
            weight=np.where(served, problem.weight, 0.0),
            receive=drawn / np.sqrt(reach.gather(csi.noise_w))[..., None] if reach.whole else _scaled(drawn, csi),
        )

    def transmit_problem(self, weights: Weights) -> TransmitProblem:
        """The transmitter's problem, summed over the best receivers of each sample."""
        clusters = self.clusters
        response = weights.effective_gain(self.csi)
        own = clusters.gather(np.einsum("sbbl->sbl", response))
        power = (np.abs(response) ** 2).sum(axis=3)
        power[:, np.arange(power.shape[1]), np.arange(power.shape[1])] = 0.0
        leaked = power.sum(axis=2)
        parts = [self._of_sample(receive, own, leaked) for receive in self.receive]
        rate, load, coupling, target = (sum(values) / len(parts) for values in zip(*parts, strict=True))
        return TransmitProblem(
            rate_bit=float(rate),
            load=np.asarray(load),
            coupling=real_if_real(np.asarray(coupling)),
            target=real_if_real(np.asarray(target)),
        )

    def _of_sample(
        self, receive: ComplexArray, own: NumberArray, leaked: FloatArray
    ) -> tuple[float, FloatArray, NumberArray, NumberArray]:
        """Rate, load, coupling and target of one sample (S,B,M)."""
        reach, clusters = self.reach, self.clusters
        serving_receive = clusters.gather(receive)
        signal = serving_receive.swapaxes(1, 2) @ own
        others = reach.sum_by_terminal(receive[..., :, None] * (receive.conj() * leaked[..., None])[..., None, :])
        others = others + np.eye(receive.shape[-1])
        filtered = np.linalg.solve(others, signal)
        inverse = np.eye(own.shape[2]) + _adjoint(signal) @ filtered
        combined = self.weight[:, None, None] * (filtered @ np.linalg.solve(inverse, _adjoint(filtered)))
        at_pairs = combined[None] if reach.whole else np.pad(combined, ((0, 1), (0, 0), (0, 0)))[reach.terminal]
        load = np.einsum("sbm,sbmn,sbn->sb", receive.conj(), at_pairs + np.zeros((len(receive), 1, 1, 1)), receive).real
        rate = float(self.weight @ np.linalg.slogdet(inverse)[1]) / np.log(2.0)
        target = self.weight[:, None, None] * (serving_receive.conj() @ filtered)
        return rate, np.maximum(load, 0.0), serving_receive.conj() @ combined @ serving_receive.swapaxes(1, 2), target


def _scaled(drawn: ComplexArray, csi: StatisticalCsi) -> ComplexArray:
    """Receive sides in units of the noise amplitude; entries without a terminal stay zero."""
    noise_w = csi.reach.gather(csi.noise_w)
    root = np.sqrt(np.where(noise_w > 0.0, noise_w, 1.0))
    return np.asarray(drawn / root[..., None])


def _phases(csi: StatisticalCsi, samples: int, seed: int) -> FloatArray:
    """(D,S,B) phase errors in rad: Gaussian with the mean phasor φ̄, uniform if that is zero."""
    mean = csi.reach.gather(csi.mean_phase)
    deviation = np.sqrt(-2.0 * np.log(np.where(mean > 0.0, np.minimum(mean, 1.0), 1.0)))
    phases = np.empty((samples, *mean.shape))
    for row, norad_id in enumerate(csi.norad_id):
        rng = randomness.stream(seed, "sampled phases", 0, int(norad_id))
        shape = (samples, csi.gain.shape[1])
        normal, uniform = rng.standard_normal(shape), rng.uniform(-np.pi, np.pi, shape)
        held = np.minimum(csi.reach.terminal[row], shape[1] - 1)
        phases[:, row] = np.where(mean[row] > 0.0, deviation[row] * normal[:, held], uniform[:, held])
    return phases


def _adjoint(matrices: NumberArray) -> NumberArray:
    return matrices.conj().swapaxes(-1, -2)
