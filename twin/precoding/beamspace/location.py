"""Precoders that know the terminals' locations only: one stream per satellite and terminal (P2, Algorithm 2)."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from twin.arrays import FloatArray, IntArray
from twin.precoding.beamspace.codebook import ActiveBeams, Codebook, Subspace
from twin.precoding.beamspace.selection import BeamOptions, active_beams
from twin.precoding.budget import weights_within_budget
from twin.precoding.problem import Precoding, PrecodingProblem, precoders
from twin.precoding.stream_limits import stream_counts
from twin.precoding.weights import SpannedWeights

EQUAL_POWER = 1e-9
"""Relative difference below which a terminal receives two beams with equal power; the first is chosen."""


@precoders.register("lib", source="P2, Algorithm 2 (LIB)", options=BeamOptions)
def lib(problem: PrecodingProblem, *, options: BeamOptions) -> Precoding:
    """Location-based beams: each satellite sends each of its terminals one of its streams, at full power."""
    space = Subspace.of(problem.csi, active_beams(problem, options))
    return pointed_at_all(problem, space, stream_counts(problem, options.streams))


@precoders.register("ms2_dft", source="P2, Section VI (MS2-DFT)", options=BeamOptions)
def ms2_dft(problem: PrecodingProblem, *, options: BeamOptions) -> Precoding:
    """One codeword per terminal: each satellite sends one stream on the active beam of the highest received power."""
    codebook = Codebook(array=problem.csi.array, oversampling=options.oversampling)
    active = active_beams(problem, options)
    if active is None:
        all_codewords = np.broadcast_to(np.arange(codebook.size), (len(problem.serving), codebook.size))
        active = ActiveBeams.of(codebook, all_codewords)
    return best_beams(problem, active, stream_counts(problem, options.streams))


def pointed_at_all(problem: PrecodingProblem, space: Subspace, streams: IntArray) -> Precoding:
    """`lib` for a given subspace and given streams M_k (K,).

    W_sk is the part of v_sk* that the active beams can form, so that a terminal off these beams gets little power.
    """
    assigned = assigned_streams(problem, streams)
    weights = space.weights(problem.csi, space.coordinates, assigned, np.full(len(assigned), np.inf))
    return Precoding(weights=at_full_power(weights, problem.power_w), iterations=0, converged=True)


def best_beams(problem: PrecodingProblem, active: ActiveBeams, streams: IntArray) -> Precoding:
    """`ms2_dft` for given active beams and streams M_k (K,); terminals on one beam get equal powers."""
    csi, assigned = problem.csi, assigned_streams(problem, streams)
    power = active.response(csi) ** 2
    power = np.where(active.index[:, :, None] >= 0, power, -1.0)
    best = np.argmax(power >= power.max(axis=1, keepdims=True, initial=0.0) * (1.0 - EQUAL_POWER), axis=1)
    own = np.eye(best.shape[1])[None, :, :, None] * assigned[:, None]
    weights = SpannedWeights.over_beams(
        csi,
        beams=np.take_along_axis(active.index, best, axis=1),
        departure=np.take_along_axis(active.departure, best[..., None], axis=1),
        coefficients=own,
    )
    return Precoding(weights=at_full_power(weights, problem.power_w), iterations=0, converged=True)


def assigned_streams(problem: PrecodingProblem, streams: IntArray) -> FloatArray:
    """(S,B,L) 1 for the stream that a serving satellite sends a terminal, 0 elsewhere.

    A terminal's satellites get its streams in cyclic order, the strongest satellite first. P2 orders them by satellite
    number, on which nothing should depend.
    """
    csi, reach = problem.csi, problem.csi.reach
    serving = problem.serving & (csi.gain > 0.0)
    order = np.argsort(np.where(serving, -csi.gain, np.inf), axis=0, kind="stable")
    rank = np.empty_like(order)
    np.put_along_axis(rank, order, np.arange(len(order))[:, None], axis=0)
    stream = reach.gather(rank % np.maximum(streams, 1))
    stream = np.where(reach.gather(serving), stream, -1)
    return np.asarray(stream[..., None] == np.arange(max(1, int(streams.max(initial=0)))), dtype=np.float64)


def at_full_power(weights: SpannedWeights, power_w: FloatArray) -> SpannedWeights:
    """Weights scaled up or down to the budget (S,) of each satellite; zero weights stay zero."""
    spent_w = weights.power_w().sum(axis=1)
    ratio = np.divide(power_w, spent_w, where=spent_w > 0.0, out=np.zeros_like(spent_w))
    scaled = replace(weights, coefficients=weights.coefficients * np.sqrt(ratio)[:, None, None, None])
    return weights_within_budget(scaled, power_w)
