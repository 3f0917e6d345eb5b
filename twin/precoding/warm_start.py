"""Warm starts: what an iteration carries over from the last weights, and how many iterations it may then do.

Clusters change little between two computations, so that a few iterations from the last weights reach what many reach
from a cold start. In each module below, a function ``_start`` returns the values to start from and the largest number
of iterations (in `exact.exact_power` the precoder itself does). The numerics differ on purpose: each module carries
over the variable that its first step needs.

`joint`
    Real coefficients over steering vectors. New pairs start from the matched filter of P_k.
`beamspace.multistream`
    Effective gains of the coefficients: over steering vectors, which follow the terminals, or over beams, as they were
    sent. New pairs start from the matched filter. Over beams, the start is cold if that promises a higher rate.
`noncoherent.alternating`
    Responses v_iᵀ W_k of weights over any basis. New streams start from the first guess of the algorithm.
`exact.exact_power`
    Real coefficients, if they serve the same pairs; otherwise the result of `ms_jo_cdwmmse`, which starts warm itself.
`exact.ergodic`
    Coefficients, if they serve the same pairs; otherwise the result of a surrogate from a cold start.

Multipliers of power constraints are not carried over.
"""

from __future__ import annotations

from typing import Protocol

import numpy as np

from twin.arrays import ComplexArray, NumberArray, Reach
from twin.precoding.rule import Weights
from twin.precoding.weights import SpannedWeights
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
        """Most iterations from the last weights if some pairs or streams have changed since."""


def warm_iterations(limits: IterationLimits, *, unchanged: bool) -> int:
    """Most iterations from the last weights; ``unchanged`` says whether they serve the same pairs or streams."""
    return limits.warm_iterations if unchanged else limits.change_iterations


def steering_coefficients(start: Weights | None, reach: Reach) -> NumberArray | None:
    """(S,B,B,L) coefficients of the last weights over the current steering vectors of the terminals in reach.

    None means that there are no weights, or that they are not over the terminals' steering vectors.
    """
    if not isinstance(start, SpannedWeights) or start.beams is not None:
        return None
    return start.on_reach(reach)


def carried_responses(start: Weights | None, csi: StatisticalCsi) -> ComplexArray | None:
    """v_iᵀ W_k (S,B,B,L) of the last weights at the terminals in reach.

    Coefficients over steering vectors follow the terminals; all other weights stay as they were sent. None means that
    there are no weights, or that they serve terminals in time slots.
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
