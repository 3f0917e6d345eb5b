"""Joint precoding of several satellites for several streams, on the decomposed channel covariance (P2).

P2's receivers D_k and weights C_k have (S M + 1) L columns, from a factor of the covariance of the scattered part. No
factor is needed, because the transmitter depends on covariances only: D C Dᴴ = R_oth⁻¹ - R_tot⁻¹ and
D C = R_oth⁻¹ R_half, with R_half R_halfᴴ = R_sig and R_tot = R_sig + R_oth of the size of the terminal's array.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Self

import numpy as np
from annotated_types import Ge, Le

from twin.arrays import BoolArray, FloatArray, IntArray, NumberArray, Reach
from twin.precoding.beamspace.codebook import Subspace
from twin.precoding.beamspace.selection import BeamOptions, BeamSelection, active_beams, check_beams
from twin.precoding.beamspace.transmitter import ClusterIndex, EffectiveGains, RankOneWeights, transmit
from twin.precoding.joint import JointOptions
from twin.precoding.matched import known_amplitude
from twin.precoding.problem import Precoding, PrecodingProblem, precoders
from twin.precoding.stream_limits import stream_counts
from twin.precoding.warm_start import warm_iterations
from twin.precoding.weights import SpannedWeights
from twin.records import documented
from twin.registry import Facts, dataclass_options


@dataclass_options
class MultiStreamOptions(JointOptions):
    """Number of streams, active beams, and when the iteration ends."""

    streams: Annotated[int, Ge(1)] = 1
    """M_k at most: no terminal gets more streams than it has elements or serving satellites."""
    beam_selection: BeamSelection = "full"
    """Active beams: all of space, by captured power, or by the sum rate of zero forcing."""
    beams: Annotated[int, Ge(1)] = 48
    """B_s: active beams of each satellite, if beams are selected (P2: 48)."""
    oversampling: Annotated[int, Ge(1), Le(8)] = 1
    """Codewords per element of an axis (P2: 1)."""

    def check(self, facts: Facts) -> None:
        """Refuse options that the scenario cannot meet.

        Raises
        ------
        ValueError
            Of `check_beams`; the message begins with the key.
        """
        check_beams(self, facts)


@precoders.register("ms2_cdwm", source="P2, Algorithm 1 (MS2-CDWM)", options=MultiStreamOptions)
def ms2_cdwm(problem: PrecodingProblem, *, options: MultiStreamOptions) -> Precoding:
    """Joint multi-satellite WMMSE for several streams over selected beams, on the decomposed channel covariance."""
    space = Subspace.of(problem.csi, active_beams(problem, options))
    return optimise(problem, options, space, stream_counts(problem, options.streams))


@precoders.register("ms2_cdm", source="P2, eq. 45 to 48 (MS2-CDM)", options=BeamOptions)
def ms2_cdm(problem: PrecodingProblem, *, options: BeamOptions) -> Precoding:
    """Joint multi-satellite precoding for several streams over selected beams in closed form."""
    space = Subspace.of(problem.csi, active_beams(problem, options))
    return at_once(problem, space, stream_counts(problem, options.streams))


def optimise(problem: PrecodingProblem, options: JointOptions, space: Subspace, streams: IntArray) -> Precoding:
    """P2's Algorithm 1 for given streams M_k (K,).

    The loop is that of P3 (`joint.optimise`): the errors before the first iteration are infinite, and P_k is the
    terminal's fraction of its satellites' budgets. The stop criterion is on the weighted sum rate (line 25).
    """
    streams_problem = MultiStreamProblem.of(problem, space, streams)
    gains, most = _start(problem, streams_problem, options)
    sent = RankOneWeights(
        directions=space.coordinates,
        amplitudes=np.zeros((*streams_problem.clusters.shape, streams_problem.max_streams)),
    )
    last = np.full(streams_problem.served.sum(), -np.inf)
    iterations, converged = 0, not streams_problem.served.any()
    while iterations < most and not converged:
        iterations += 1
        found = receivers(streams_problem, gains)
        sent = _transmitted(streams_problem, found)
        gains = EffectiveGains.of(space.coordinates, streams_problem.clusters, sent)
        rate = found.rate_bit[streams_problem.served]
        converged = bool((rate - last) @ streams_problem.weight[streams_problem.served] < options.tolerance_bit)
        last = rate
    weights = space.weights(problem.csi, sent.directions, sent.amplitudes, problem.power_w)
    return Precoding(weights=weights, iterations=iterations, converged=converged)


def at_once(problem: PrecodingProblem, space: Subspace, streams: IntArray) -> Precoding:
    """P2's eq. 45 to 48 for given streams M_k (K,): one transmitter step for receivers D = C = I.

    A terminal without a mean channel gets no power.
    """
    streams_problem = MultiStreamProblem.of(problem, space, streams)
    csi, reach, mean = (
        problem.csi,
        streams_problem.reach,
        streams_problem.mean * np.sqrt(streams_problem.noise_w)[:, None, None],
    )
    weight = problem.weight  # interference to unserved terminals counts too
    sent = transmit(
        space.coordinates,
        reach,
        streams_problem.clusters,
        load=reach.gather(weight) * reach.gather(csi.gain),
        ridge=streams_problem.ridge(weight * csi.noise_w * csi.terminal_elements),
        coupling=np.sqrt(weight)[:, None, None] * mean.swapaxes(1, 2),
        target=streams_problem.own_streams(mean[..., : streams_problem.max_streams].conj()),
        power_w=streams_problem.power_w,
    )
    weights = space.weights(csi, sent.directions, sent.amplitudes, problem.power_w)
    return Precoding(weights=weights, iterations=0, converged=True)


@documented
@dataclass(frozen=True, slots=True, kw_only=True)
class MultiStreamProblem:
    """The constants of the iteration; powers at the terminals are in units of their noise."""

    reach: Reach
    """Pairs of a satellite and a terminal within reach."""
    clusters: ClusterIndex
    """Serving pairs, by terminal and by satellite."""
    space: Subspace
    """Subspace in which the weights lie."""
    mean: NumberArray
    """(K,C,M) φ̄ √ρ u of the serving satellites."""
    covariance: NumberArray
    """(K,C,M,M) (1 - φ̄²) ρ u uᴴ + ρ̃ Σ: covariance of the channel's receive side."""
    second_moment: NumberArray
    """(S,B,M,M) ρ u uᴴ + ρ̃ Σ: its second moment, for all pairs in reach."""
    noise_w: FloatArray
    """(K,) σ² in W."""
    weight: FloatArray
    """(K,) β."""
    power_w: FloatArray
    """(K,) P_k in W, zero for terminals that take no part."""
    streams: IntArray
    """(K,) M_k."""
    served: BoolArray
    """(K,) terminals that take part: with weight, power, a stream, and a satellite whose beams reach them."""
    usable: BoolArray
    """(S,B) serving pairs of these terminals with gain over the active beams."""
    max_streams: int
    """L: the largest M_k, at least 1."""

    @classmethod
    def of(cls, problem: PrecodingProblem, space: Subspace, streams: IntArray) -> Self:
        """Gather the constants."""
        csi, reach = problem.csi, problem.csi.reach
        serving, power_w = reach.gather(problem.serving), problem.terminal_power_w()
        clusters = ClusterIndex.of(reach, serving)
        gain, mean = csi.gain / csi.noise_w, csi.mean_amplitude / np.sqrt(csi.noise_w)
        sight, scattered = gain * csi.los_fraction, gain * (1.0 - csi.los_fraction)
        unknown = csi.reached_covariance(np.maximum(sight - mean**2, 0.0), scattered)
        steering = reach.gather(csi.receive_steering) * reach.gather(mean)[..., None]
        usable = serving & (reach.gather(csi.gain) > 0.0) & space.coordinates.any(axis=1)
        served = (
            (power_w > 0.0)
            & (problem.weight > 0.0)
            & (streams > 0)
            & (reach.sum_by_terminal(usable.astype(float)) > 0.0)
        )
        usable = usable & np.asarray(reach.gather(served))
        return cls(
            reach=reach,
            clusters=clusters,
            space=space,
            mean=real_if_real(clusters.gather(steering)),
            covariance=real_if_real(clusters.gather(unknown)),
            second_moment=real_if_real(csi.reached_covariance(sight, scattered)),
            noise_w=csi.noise_w,
            weight=problem.weight,
            power_w=np.where(served, power_w, 0.0),
            streams=streams,
            served=served,
            usable=usable,
            max_streams=max(1, int(streams.max(initial=0))),
        )

    def ridge(self, noise: FloatArray) -> FloatArray:
        """(K,) λ_k: a weighted noise power over P_k."""
        return np.divide(noise, self.power_w, where=self.power_w > 0.0, out=np.zeros_like(noise))

    def own_streams(self, values: NumberArray) -> NumberArray:
        """Values (K,...,L) padded to L columns, with zeros in the columns beyond each terminal's M_k."""
        missing = self.max_streams - values.shape[-1]
        wide = np.pad(values, [(0, 0)] * (values.ndim - 1) + [(0, missing)]) if missing else values
        own = np.arange(self.max_streams) < self.streams[:, None]
        return np.asarray(wide * own.reshape(len(own), *(1,) * (values.ndim - 2), self.max_streams))


def real_if_real(values: NumberArray) -> NumberArray:
    """The real part if all imaginary parts are zero: with terminals of one element the whole iteration is real."""
    return values if np.iscomplexobj(values) and values.imag.any() else values.real


@documented
@dataclass(frozen=True, slots=True, kw_only=True)
class MultiStreamReceivers:
    """What the transmitter needs of the optimal receivers D_k and weights C_k."""

    rate_bit: FloatArray
    """(K,) log2 det C_k."""
    root: NumberArray
    """(K,M,M) X_k with D_k C_k D_kᴴ = X_kᴴ X_k."""
    target: NumberArray
    """(K,C,L) T_k (P2, eq. 40 and 41)."""


def receivers(streams_problem: MultiStreamProblem, gains: EffectiveGains) -> MultiStreamReceivers:
    """Lines 13 to 18 and 22 of P2's Algorithm 1.

    R_oth in units of the noise has no eigenvalue below 1. With R_oth⁻¹ = E Eᴴ and Eᴴ R_sig E = diag(Λ), D C Dᴴ is
    E diag(Λ/(1+Λ)) Eᴴ, which stays positive semidefinite if interference is far above the noise.
    """
    mean, own = streams_problem.mean, gains.own
    coherent = mean.swapaxes(1, 2) @ own
    own_power = (np.abs(own) ** 2).sum(axis=2)
    signal = coherent @ _adjoint(coherent) + np.einsum("kc,kcmn->kmn", own_power, streams_problem.covariance)
    others = streams_problem.reach.sum_by_terminal(streams_problem.second_moment * gains.leaked[..., None, None])
    values, vectors = np.linalg.eigh(others)
    white = vectors / np.sqrt(1.0 + np.maximum(values, 0.0))[:, None, :]
    ratio, turn = np.linalg.eigh(_adjoint(white) @ signal @ white)
    ratio, whitening = np.maximum(ratio, 0.0), _adjoint(white @ turn)
    inverse = _adjoint(whitening) @ whitening
    scattered = np.einsum("kcmn,knm->kc", streams_problem.covariance, inverse).real
    return MultiStreamReceivers(
        rate_bit=np.log1p(ratio).sum(axis=1) / np.log(2.0),
        root=np.sqrt(ratio / (1.0 + ratio))[:, :, None] * whitening,
        target=streams_problem.own_streams(mean.conj() @ (inverse @ coherent) + scattered[..., None] * own),
    )


def _transmitted(streams_problem: MultiStreamProblem, found: MultiStreamReceivers) -> RankOneWeights:
    """Lines 19 to 24: the transmitter's step."""
    reach, weight = streams_problem.reach, np.where(streams_problem.served, streams_problem.weight, 0.0)
    root = np.sqrt(weight)[:, None, None] * found.root
    weighted = _adjoint(root) @ root
    at_pairs = weighted[None] if reach.whole else np.pad(weighted, ((0, 1), (0, 0), (0, 0)))[reach.terminal]
    return transmit(
        streams_problem.space.coordinates,
        reach,
        streams_problem.clusters,
        load=np.maximum((at_pairs * streams_problem.second_moment.conj()).sum(axis=(2, 3)).real, 0.0),
        ridge=streams_problem.ridge(np.einsum("kmm->k", weighted).real),
        coupling=root @ streams_problem.mean.swapaxes(1, 2),
        target=found.target,
        power_w=streams_problem.power_w,
    )


def _adjoint(matrices: NumberArray) -> NumberArray:
    return matrices.conj().swapaxes(-1, -2)


def _start(
    problem: PrecodingProblem, streams_problem: MultiStreamProblem, options: JointOptions
) -> tuple[EffectiveGains, int]:
    """Effective gains to start from, and the largest number of iterations.

    Pairs without given weights start from the matched filter, as all pairs do without a warm start. Given weights over
    beams act as they were sent, whichever beams are active now, and do not follow the terminals as coefficients over
    steering vectors do: once the matched filters promise a higher rate, the start is cold.
    """
    csi, start, space, matched = problem.csi, problem.start, streams_problem.space, _matched(problem, streams_problem)
    cold = EffectiveGains.of(space.coordinates, streams_problem.clusters, matched)
    if not isinstance(start, SpannedWeights) or (start.beams is None) is not (space.active is None):
        return cold, options.iterations
    given = _given_coefficients(start, streams_problem)
    known, wanted = np.asarray(given.any(axis=(1, 3))), matched.amplitudes.any(axis=2)
    gram = csi.gram if start.beams is None else csi.array.gram(csi.reached_departure, start.departure)
    response = np.einsum("sbq,sqjl->sbjl", gram, given, optimize=True) * streams_problem.usable[:, None, :, None]
    unchanged = not (wanted & ~known).any() and not (known & ~streams_problem.usable).any()
    if not unchanged:
        filtered = (space.coordinates.swapaxes(1, 2) @ matched.directions)[..., None] * matched.amplitudes[:, None]
        response = np.where(known[:, None, :, None], response, filtered)
    warm = EffectiveGains.of_responses(streams_problem.clusters, response)
    if start.beams is not None and _expected_rate_bit(streams_problem, warm) < _expected_rate_bit(
        streams_problem, cold
    ):
        return cold, options.iterations
    return warm, warm_iterations(options, unchanged=unchanged)


def _expected_rate_bit(streams_problem: MultiStreamProblem, gains: EffectiveGains) -> float:
    """Weighted sum rate in bit that the statistics predict."""
    return float(
        receivers(streams_problem, gains).rate_bit[streams_problem.served]
        @ streams_problem.weight[streams_problem.served]
    )


def _given_coefficients(start: SpannedWeights, streams_problem: MultiStreamProblem) -> NumberArray:
    """(S,Q,B,L) coefficients of a start for the terminals now in reach, with their current numbers of streams."""
    held = start.on_reach(streams_problem.reach)
    own = np.arange(streams_problem.max_streams) < streams_problem.reach.gather(streams_problem.streams)[..., None]
    common = min(held.shape[3], streams_problem.max_streams)
    given = np.zeros((*held.shape[:3], streams_problem.max_streams), dtype=held.dtype)
    given[..., :common] = held[..., :common]
    return given * own[:, None]


def _matched(problem: PrecodingProblem, streams_problem: MultiStreamProblem) -> RankOneWeights:
    """Filters of power P_k matched to the mean channel at the first M_k elements of each terminal.

    P2 leaves the start open; for one element this is that of P3. For a terminal without a mean channel √γ stands in.
    """
    csi, reach, space = problem.csi, streams_problem.reach, streams_problem.space
    amplitude = reach.gather(known_amplitude(csi, reach.scatter(streams_problem.usable)))
    steering = real_if_real(reach.gather(csi.receive_steering)).conj()
    amplitudes = streams_problem.own_streams(
        streams_problem.clusters.gather(amplitude[..., None] * steering)[..., : streams_problem.max_streams]
    )
    size = streams_problem.clusters.gather(np.einsum("srb,srb->sb", space.coordinates, space.coordinates))
    norm = np.sqrt(((np.abs(amplitudes) ** 2).sum(axis=2) * size).sum(axis=1))
    scale = np.divide(np.sqrt(streams_problem.power_w), norm, where=norm > 0.0, out=np.zeros_like(norm))
    return RankOneWeights(
        directions=space.coordinates, amplitudes=streams_problem.clusters.scatter(amplitudes * scale[:, None, None])
    )
