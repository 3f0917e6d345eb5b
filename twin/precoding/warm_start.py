"""Warm starts: what an iteration carries over from the last weights, and how many iterations it is allowed then.

Clusters change little between two computations, so that few iterations from the last weights reach what many reach from
a cold start. Each iterative precoder has a function ``_start``, which returns the values to start from and the largest
number of iterations:

===================== ================================================= ===========================================
precoder              carried over                                      pairs or streams without a last weight
===================== ================================================= ===========================================
`joint`               real coefficients over steering vectors           matched filter of P_k
`multistream`         effective gains of the coefficients, with the     matched filter of P_k; a cold start where
                      steering vectors or the beams as they were sent   that promises a higher rate over beams
`alternating`         responses v_iᵀ W_k of weights over any basis      cold value of the algorithm's first guess
`exact_power`         real coefficients; no multipliers                 result of `ms_jo_cdwmmse`
`ergodic`             coefficients; no multipliers                      result of the surrogate, for all pairs
===================== ================================================= ===========================================

The numerics differ on purpose: each carries over the variable that its own first step takes.
"""

from __future__ import annotations

from typing import Protocol

import numpy as np

from twin.arrays import ComplexArray, NumberArray, Reach
from twin.precoding.weights import SpannedWeights, Weights
from twin.radio.channel import StatisticalCsi


class IterationLimits(Protocol):
    """Options that bound an iteration."""

    @property
    def iterations(self) -> int:
        """Most iterations from a cold start."""

    @property
    def warm_iterations(self) -> int:
        """Most iterations from the last weights of the same pairs or streams."""

    @property
    def change_iterations(self) -> int:
        """Most iterations from the last weights where some pairs or streams have changed since."""


def warm_iterations(limits: IterationLimits, *, unchanged: bool) -> int:
    """Most iterations from the last weights, which served the same pairs or streams or not."""
    return limits.warm_iterations if unchanged else limits.change_iterations


def steering_coefficients(start: Weights | None, reach: Reach) -> NumberArray | None:
    """(S,B,B,L) coefficients of the last weights over the current steering vectors of the terminals in reach.

    None means that there are no weights, or that they are not over the terminals' steering vectors.
    """
    if not isinstance(start, SpannedWeights) or start.beams is not None:
        return None
    return start.on_reach(reach)


def responses(start: Weights | None, csi: StatisticalCsi) -> ComplexArray | None:
    """v_iᵀ W_k (S,B,B,L) of the last weights at the terminals in reach.

    Coefficients over steering vectors follow the terminals; all other weights are taken as they were sent. None means
    that there are no weights, or that terminals are served in turn.
    """
    if start is None or start.slot is not None:
        return None
    given = steering_coefficients(start, csi.reach)
    if given is not None:
        satellites, width, _, streams = given.shape
        flat = csi.gram @ given.reshape(satellites, width, width * streams)
        return np.asarray(flat.reshape(given.shape) + 0j)
    place = csi.reach.positions(start.reach)
    received = start.effective_gain(csi)
    found = np.take_along_axis(received, np.maximum(place, 0)[:, None, :, None], axis=2)
    return np.asarray(found * (place >= 0)[:, None, :, None] + 0j)
