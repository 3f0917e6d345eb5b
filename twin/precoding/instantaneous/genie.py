"""The upper reference: every channel and phase known at the time of transmission."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import partial
from typing import Annotated

import numpy as np
from annotated_types import Ge

from twin.arrays import BoolArray, ComplexArray, FloatArray, IntArray
from twin.precoding.beamspace.codebook import Subspace
from twin.precoding.beamspace.multistream import optimise as several_streams
from twin.precoding.joint import JointOptions, optimise
from twin.precoding.problem import Precoding, PrecodingProblem, precoders
from twin.precoding.rule import InstantaneousRule, Weights
from twin.precoding.stream_limits import check_streams, stream_counts
from twin.precoding.weights import SpannedWeights
from twin.precoding.wmmse import mean_receivers, ms_jo_cdwmmse
from twin.radio.channel import ChannelDraws, StatisticalCsi
from twin.records import documented
from twin.registry import Facts, dataclass_options


@dataclass_options
class GenieOptions(JointOptions):
    """How far each realisation is optimised, and the number of realisations."""

    realisations: Annotated[int, Ge(1)] = 4
    """Draws of an epoch that the precoder runs for; rates are means over these draws."""
    streams: Annotated[int, Ge(1)] = 1
    """Largest number of streams of a terminal: at most its elements and its serving satellites."""

    def check(self, facts: Facts) -> None:
        """Refuse more streams than the scenario allows.

        Raises
        ------
        ValueError
            Of `check_streams`; the message begins with the key.
        """
        check_streams(self.streams, facts)


@precoders.register("genie", source="ours; upper reference", options=GenieOptions)
def genie(problem: PrecodingProblem, *, options: GenieOptions) -> Precoding:
    """Joint WMMSE with instantaneous CSI and phases known to all satellites, for each draw of the channels.

    Algorithm and treatment of power are those of `ms_jo_wmmse`, on the channels themselves instead of their means; for
    terminals with several elements those of `ms2_cdwm`.
    """
    found = ms_jo_cdwmmse(problem, options=options)
    if not isinstance(found.weights, SpannedWeights):
        return found
    rule = GenieRule(
        norad_id=problem.csi.norad_id,
        power_w=problem.power_w,
        weight=problem.weight,
        iterations=options.iterations,
        tolerance_bit=options.tolerance_bit,
        realisations=options.realisations,
        streams=options.streams,
    )
    return replace(found, weights=replace(found.weights, rule=rule))


@documented
@dataclass(frozen=True, slots=True, kw_only=True)
class GenieRule(InstantaneousRule):
    """Weights for known channels."""

    norad_id: IntArray
    """(S,) catalogue numbers of the satellites, ascending."""
    power_w: FloatArray
    """(S,) their power budgets in W."""
    weight: FloatArray
    """(K,) β."""
    iterations: int
    """Most iterations for each realisation."""
    tolerance_bit: float
    """Change of the sum rate, in bit/s/Hz, below which the iteration stops."""
    realisations: int
    """Realisations for which weights are computed."""
    streams: int
    """Streams of each terminal."""

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
        """The weights for each of the first ``realisations`` draws."""
        options = JointOptions(iterations=self.iterations, tolerance_bit=self.tolerance_bit)
        rows = np.searchsorted(self.norad_id, truth.norad_id)
        problem = PrecodingProblem(
            csi=truth,
            serving=transmitting,
            master=np.full(len(self.weight), -1),
            power_w=self.power_w[rows],
            weight=self.weight,
        )
        solve = (
            _single_antenna_weights
            if truth.receive_steering.shape[-1] == 1
            else partial(_array_weights, streams=self.streams)
        )
        return tuple(solve(problem, receive, options) for receive in draws.receive[: self.realisations])


def _single_antenna_weights(problem: PrecodingProblem, receive: ComplexArray, options: JointOptions) -> Weights:
    """Weights for channels with known receive sides (S,B,1).

    The weights of their absolute values, turned by the conjugate phase of each channel.
    """
    size = np.abs(receive[..., 0])
    found = optimise(_with_known_channels(problem, size), options, mean_receivers).weights
    assert isinstance(found, SpannedWeights)
    rotation = np.divide(receive[..., 0].conj(), size, where=size > 0.0, out=np.ones_like(receive[..., 0]))
    return replace(found, coefficients=found.coefficients * rotation[:, None, :, None])


def _array_weights(problem: PrecodingProblem, receive: ComplexArray, options: JointOptions, *, streams: int) -> Weights:
    """Weights for channels with known receive sides (S,B,M)."""
    size = np.linalg.norm(receive, axis=-1)
    known_problem = _with_known_channels(problem, size)
    shape = np.divide(receive, size[..., None], where=size[..., None] > 0.0, out=np.zeros_like(receive))
    steering = problem.csi.reach.scatter(shape)
    known = _with_cached_geometry(problem.csi, replace(known_problem.csi, receive_steering=steering, scattering=None))
    known_problem = replace(known_problem, csi=known)
    space = Subspace.of(known, None)
    return several_streams(known_problem, options, space, stream_counts(known_problem, streams)).weights


def _with_known_channels(problem: PrecodingProblem, size: FloatArray) -> PrecodingProblem:
    """The problem for channels of known amplitudes (S,B) and phases."""
    truth = problem.csi
    known = replace(
        truth,
        gain=truth.reach.scatter(size**2),
        rician=np.full_like(truth.rician, np.inf),
        mean_phase=np.ones_like(truth.mean_phase),
    )
    return replace(problem, csi=_with_cached_geometry(truth, known))


def _with_cached_geometry(truth: StatisticalCsi, known: StatisticalCsi) -> StatisticalCsi:
    """The CSI with the cached reach and directions of the truth, so that its columns stay those of the draws."""
    known.__dict__.update(reach=truth.reach, reached_departure=truth.reached_departure, gram=truth.gram)
    return known
