"""Weighted-MMSE precoders: on the decomposed covariance or the mean channel, jointly or satellite by satellite."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from twin.arrays import BoolArray, FloatArray
from twin.precoding.budget import within_budget
from twin.precoding.joint import JointOptions, PairStatistics, SingleStreamReceivers, optimise
from twin.precoding.problem import Precoding, PrecodingProblem, precoders
from twin.precoding.weights import SpannedWeights


@precoders.register("ms_jo_cdwmmse", source="P3, Algorithm 1; P4 MS-JoCDWM", options=JointOptions)
def ms_jo_cdwmmse(problem: PrecodingProblem, *, options: JointOptions) -> Precoding:
    """Joint multi-satellite WMMSE on the decomposed channel covariance, which maximises AP1."""
    return optimise(problem, options, decomposed_receivers)


@precoders.register("ms_jo_wmmse", source="P3, Section IV-A; P4 MS-JoWM", options=JointOptions)
def ms_jo_wmmse(problem: PrecodingProblem, *, options: JointOptions) -> Precoding:
    """Joint multi-satellite WMMSE on the mean channel, which maximises AP2.

    The receiver is that of P3's (39); power is treated as in Algorithm 1.
    """
    return optimise(problem, options, mean_receivers)


@precoders.register("ms_sep_wmmse", source="P3, Section V (MS-SepWMMSE)", options=JointOptions)
def ms_sep_wmmse(problem: PrecodingProblem, *, options: JointOptions) -> Precoding:
    """WMMSE on the mean channel at each satellite separately, without regard to the others."""
    return _separately(problem, problem.serving, options)


@precoders.register("ss_wmmse", source="P3, Section V (SS-WMMSE)", options=JointOptions)
def ss_wmmse(problem: PrecodingProblem, *, options: JointOptions) -> Precoding:
    """WMMSE on the mean channel, each terminal served by the master of its cluster alone."""
    return _separately(problem, problem.alone().serving, options)


def decomposed_receivers(pairs: PairStatistics, response: FloatArray) -> SingleStreamReceivers:
    """Optimal virtual receivers from responses v_iᵀ w_k (S,B,B) (P3's Algorithm 1, steps 7 and 8)."""
    own = np.einsum("skk->sk", response)
    coherent = pairs.reach.sum_by_terminal(pairs.mean * own)
    signal = coherent**2 + pairs.reach.sum_by_terminal(pairs.variance * own**2)
    error, gradient, receiver_gain = _gradient(pairs, signal, _disturbance(pairs, response, own))
    scattered_target = pairs.reach.gather(gradient) * (pairs.variance * own)
    return SingleStreamReceivers(
        error=error, receiver_gain=receiver_gain, coherent_target=gradient * coherent, scattered_target=scattered_target
    )


def mean_receivers(pairs: PairStatistics, response: FloatArray) -> SingleStreamReceivers:
    """Receivers that minimise the true mean square error, from responses v_iᵀ w_k (S,B,B) (P3, eq. 23 and 39)."""
    own = np.einsum("skk->sk", response)
    coherent = pairs.reach.sum_by_terminal(pairs.mean * own)
    unknown = pairs.reach.sum_by_terminal(pairs.variance * own**2)
    error, gradient, receiver_gain = _gradient(pairs, coherent**2, unknown + _disturbance(pairs, response, own))
    return SingleStreamReceivers(
        error=error,
        receiver_gain=receiver_gain,
        coherent_target=gradient * coherent,
        scattered_target=np.zeros_like(own),
    )


def _disturbance(pairs: PairStatistics, response: FloatArray, own: FloatArray) -> FloatArray:
    """(K,) power in W of the interference of all satellites and the noise."""
    leaked = np.maximum(np.einsum("ski,ski->sk", response, response) - own**2, 0.0)
    return np.asarray(pairs.reach.sum_by_terminal(pairs.gain * leaked) + pairs.noise_w)


def _gradient(
    pairs: PairStatistics, signal: FloatArray, disturbance: FloatArray
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """(K,) e_k, β_k u_k over the received power, and α_k = β_k u_k ‖a_k‖²."""
    total = signal + disturbance
    error = disturbance / total
    gradient = np.where(pairs.served, pairs.weight / (error * total), 0.0)
    return error, gradient, gradient * signal / total


def _separately(problem: PrecodingProblem, serving: BoolArray, options: JointOptions) -> Precoding:
    """Solve the problem of each satellite alone, for serving pairs (S,K)."""
    csi = problem.csi
    coefficients = np.zeros(csi.gram.shape)
    iterations, converged = 0, True
    for row in np.flatnonzero(serving.any(axis=1)):
        one = np.array([row])
        single = replace(
            problem,
            csi=csi.of(one),
            serving=serving[one],
            master=np.where(serving[row], 0, -1),
            power_w=problem.power_w[one],
            start=None if problem.start is None else problem.start.of(one),
        )
        solved = optimise(single, options, mean_receivers)
        if isinstance(solved.weights, SpannedWeights):
            coefficients[row] = solved.weights.on_reach(csi.reach.rows(one))[0, ..., 0].real
        iterations, converged = max(iterations, solved.iterations), converged and solved.converged
    coefficients = within_budget(coefficients, csi.gram, problem.power_w)
    weights = SpannedWeights.over(csi, coefficients[..., None])
    return Precoding(weights=weights, iterations=iterations, converged=converged)
