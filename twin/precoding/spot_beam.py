"""Fixed beams: a grid of spots that moves with the satellite."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from twin.channel import PlanarArray
from twin.precoding.codebook import within_budget
from twin.precoding.problem import Precoding, PrecodingProblem, precoders
from twin.precoding.weights import SpannedWeights

Real = NDArray[np.float64]
Ids = NDArray[np.int64]


def spot_directions(array: PlanarArray) -> Real:
    """(Q,2) cosines of as many orthogonal beams as the array has elements, symmetric about its boresight.

    P5 speaks of 64 regional spot beams of a satellite with 64 elements and no more; this is one reading.
    """
    x, y = (
        (-1.0 + (2.0 * np.arange(count) + 1.0) / count) / (2.0 * array.spacing_wavelengths)
        for count in (array.columns, array.rows)
    )
    return np.stack([np.tile(x, len(y)), np.repeat(y, len(x))], axis=-1)


@precoders.register("spot_beam", source="P5, Section VI, benchmark 4")
def spot_beam(problem: PrecodingProblem, *, options: Any) -> Precoding:
    """Fixed spot beams, as many as elements: each terminal is served by its strongest one alone, powers given or equal.

    Terminals of one beam share it as they are, without time division. Where the policy says which beam of the master
    covers a terminal, that one is used.
    """
    csi, reach = problem.csi, problem.csi.reach
    directions = spot_directions(csi.array)
    beams = np.broadcast_to(np.arange(len(directions)), (len(csi.norad_id), len(directions)))
    departure = np.broadcast_to(directions, (*beams.shape, 2))
    chosen, beam = _strongest(problem, departure) if problem.beam is None else _told(problem, problem.beam)
    power_w = reach.gathered(replace(problem, serving=chosen).beam_power_w())
    coefficients = np.zeros((*beams.shape, power_w.shape[1], 1))
    row, column = np.nonzero(power_w > 0.0)
    coefficients[row, reach.gathered(beam)[row, column], column, 0] = np.sqrt(power_w[row, column])
    weights = SpannedWeights.over_beams(csi, beams=beams, departure=departure, coefficients=coefficients)
    return Precoding(weights=within_budget(weights, problem.power_w), iterations=0, converged=True)


def _strongest(problem: PrecodingProblem, departure: Real) -> tuple[NDArray[np.bool_], Ids]:
    """(S,K) the one satellite of each terminal and its beam: those of the largest received power."""
    csi, reach = problem.csi, problem.csi.reach
    response = csi.array.gram(csi.near_departure, departure)
    received = reach.spread((response**2).max(axis=2)) * csi.gain * problem.power_w[:, None]
    received = np.where(problem.serving, received, 0.0)
    first = np.cumsum(received == received.max(axis=0, initial=0.0), axis=0) == 1
    chosen = (received > 0.0) & (received == received.max(axis=0, initial=0.0)) & first
    return chosen, reach.spread((response**2).argmax(axis=2))


def _told(problem: PrecodingProblem, beam: Ids) -> tuple[NDArray[np.bool_], Ids]:
    """(S,K) the master of each terminal and the beam that the policy names."""
    chosen = problem.alone().serving & (beam >= 0)
    return chosen, np.broadcast_to(np.maximum(beam, 0), chosen.shape)
