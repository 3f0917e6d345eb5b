"""Matched filters: each satellite points a beam at each terminal it serves."""

from __future__ import annotations

import numpy as np

from twin.arrays import BoolArray, FloatArray, NumberArray
from twin.precoding.problem import Precoding, PrecodingProblem, precoders
from twin.precoding.weights import SpannedWeights
from twin.radio.channel import StatisticalCsi
from twin.registry import NoOptions


def known_amplitude(csi: StatisticalCsi, serving: BoolArray) -> FloatArray:
    """(S,K) amplitude of the mean channel of serving pairs, zero elsewhere.

    A terminal whose mean channel vanishes on every serving satellite (no line of sight or no phase alignment)
    is represented by √γ instead, so that it is served and not forgotten.
    """
    mean = np.where(serving, csi.mean_amplitude, 0.0)
    return np.where(mean.any(axis=0), mean, np.where(serving, np.sqrt(csi.gain), 0.0))


def pointed(csi: StatisticalCsi, amplitude: NumberArray) -> SpannedWeights:
    """Weights w_sk = amplitude_sk v_sk* (S,K): one beam for each pair in reach, in phase with the mean channel."""
    near = csi.reach.gather(amplitude)
    coefficients = np.zeros((*near.shape, near.shape[1], 1), dtype=near.dtype)
    diagonal = np.arange(near.shape[1])
    coefficients[:, diagonal, diagonal, 0] = near
    return SpannedWeights.over(csi, coefficients)


@precoders.register("smrt", source="P5, eq. 9")
def smrt(problem: PrecodingProblem, *, options: NoOptions) -> Precoding:
    """Statistical maximum-ratio transmission: a beam at each terminal, powers given or equal."""
    return Precoding(weights=pointed(problem.csi, np.sqrt(problem.beam_power_w())), iterations=0, converged=True)


@precoders.register("ss_smrt", source="P5, Section VI, benchmark 3")
def ss_smrt(problem: PrecodingProblem, *, options: NoOptions) -> Precoding:
    """Statistical maximum-ratio transmission by the master of each cluster alone, powers equal."""
    return smrt(problem.alone(), options=options)
