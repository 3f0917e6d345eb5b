"""Matched filters: each satellite forms one beam towards each terminal that it serves."""

from __future__ import annotations

import numpy as np

from twin.arrays import BoolArray, FloatArray, NumberArray
from twin.precoding.problem import Precoding, PrecodingProblem, precoders
from twin.precoding.weights import SpannedWeights
from twin.radio.channel import StatisticalCsi
from twin.registry import NoOptions


def known_amplitude(csi: StatisticalCsi, serving: BoolArray) -> FloatArray:
    """(S,K) amplitude of the mean channel of serving pairs, zero elsewhere.

    If a terminal's mean channel is zero on every serving satellite (no line of sight, or no phase alignment), √γ stands
    in for it, so that the terminal still gets power.
    """
    mean = np.where(serving, csi.mean_amplitude, 0.0)
    return np.where(mean.any(axis=0), mean, np.where(serving, np.sqrt(csi.gain), 0.0))


def pointed(csi: StatisticalCsi, amplitude: NumberArray) -> SpannedWeights:
    """Weights w_sk = amplitude_sk v_sk*: one beam for each pair in reach, in phase with the mean channel.

    Parameters
    ----------
    csi
        Statistics of S satellites and K terminals.
    amplitude
        (S,K) amplitude of each beam, whose square is its power in W.
    """
    at_pairs = csi.reach.gather(amplitude)
    coefficients = np.zeros((*at_pairs.shape, at_pairs.shape[1], 1), dtype=at_pairs.dtype)
    diagonal = np.arange(at_pairs.shape[1])
    coefficients[:, diagonal, diagonal, 0] = at_pairs
    return SpannedWeights.over(csi, coefficients)


@precoders.register("smrt", source="P5, eq. 9")
def smrt(problem: PrecodingProblem, *, options: NoOptions) -> Precoding:
    """Statistical maximum-ratio transmission: one beam at each terminal.

    Powers are the problem's power fractions, or equal.
    """
    return Precoding(weights=pointed(problem.csi, np.sqrt(problem.beam_power_w())), iterations=0, converged=True)


@precoders.register("ss_smrt", source="P5, Section VI, benchmark 3")
def ss_smrt(problem: PrecodingProblem, *, options: NoOptions) -> Precoding:
    """Statistical maximum-ratio transmission by the master of each cluster alone, with equal powers."""
    return smrt(problem.alone(), options=options)
