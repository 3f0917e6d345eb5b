"""Spot beams: a grid that is fixed to the satellite, or beams steered at cells on the Earth."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from twin.arrays import BoolArray, FloatArray, IntArray
from twin.errors import InputError
from twin.precoding.budget import weights_within_budget
from twin.precoding.problem import Precoding, PrecodingProblem, precoders
from twin.precoding.weights import SpannedWeights
from twin.radio.channel import PlanarArray
from twin.radio.channel.beam_numbers import FIRST_CELL
from twin.registry import NoOptions


def spot_directions(array: PlanarArray) -> FloatArray:
    """(Q,2) direction cosines of as many orthogonal beams as the array has elements, symmetric about its boresight.

    P5 mentions 64 regional spot beams of a satellite with 64 elements, without directions; this is one reading.
    """
    x, y = (
        (-1.0 + (2.0 * np.arange(count) + 1.0) / count) / (2.0 * array.spacing_wavelengths)
        for count in (array.columns, array.rows)
    )
    return np.stack([np.tile(x, len(y)), np.repeat(y, len(x))], axis=-1)


@precoders.register("spot_beam", source="P5, Section VI, benchmark 4")
def spot_beam(problem: PrecodingProblem, *, options: NoOptions) -> Precoding:
    """Fixed spot beams, as many as elements: each terminal is served by its strongest beam alone.

    Powers are the problem's power fractions, or equal. Terminals of one beam share it without time division. If the
    policy names the beam of the master that covers a terminal, that beam is used. Numbers from `FIRST_CELL` on name
    cells on the Earth: the master then steers one beam at all terminals that it serves in this cell, at the mean of
    their direction cosines, weighted by their powers.

    Raises
    ------
    InputError
        If the policy names a number that is neither a beam nor a cell.
    """
    csi, reach = problem.csi, problem.csi.reach
    directions = spot_directions(csi.array)
    beams = np.broadcast_to(np.arange(len(directions)), (len(csi.norad_id), len(directions)))
    departure = np.broadcast_to(directions, (*beams.shape, 2))
    if problem.beam is None:
        chosen, beam = _strongest(problem, departure)
    else:
        chosen, beam = _assigned_by_policy(problem, problem.beam, len(directions))
    power_w = reach.gather(replace(problem, serving=chosen).beam_power_w())
    place = reach.gather(beam)
    if (beam >= FIRST_CELL).any():
        beams, departure, place = _steered_beams(csi.reached_departure, power_w, place, directions)
    coefficients = np.zeros((*beams.shape, power_w.shape[1], 1))
    row, column = np.nonzero(power_w > 0.0)
    coefficients[row, place[row, column], column, 0] = np.sqrt(power_w[row, column])
    weights = SpannedWeights.over_beams(csi, beams=beams, departure=departure, coefficients=coefficients)
    return Precoding(weights=weights_within_budget(weights, problem.power_w), iterations=0, converged=True)


def _strongest(problem: PrecodingProblem, departure: FloatArray) -> tuple[BoolArray, IntArray]:
    """(S,K) the one satellite of each terminal, and its beam: those of the highest received power."""
    csi, reach = problem.csi, problem.csi.reach
    response = csi.array.gram(csi.reached_departure, departure)
    received = reach.scatter((response**2).max(axis=2)) * csi.gain * problem.power_w[:, None]
    received = np.where(problem.serving, received, 0.0)
    first = np.cumsum(received == received.max(axis=0, initial=0.0), axis=0) == 1
    chosen = (received > 0.0) & (received == received.max(axis=0, initial=0.0)) & first
    return chosen, reach.scatter((response**2).argmax(axis=2))


def _assigned_by_policy(problem: PrecodingProblem, beam: IntArray, beams: int) -> tuple[BoolArray, IntArray]:
    """(S,K) the master of each terminal, and the beam that the policy names."""
    unknown = beam[(beam >= beams) & (beam < FIRST_CELL)]
    if len(unknown):
        raise InputError(
            f'precoding.name: "spot_beam" has beams 0 to {beams - 1}, one for each element, and'
            f" beams for cells on the Earth from {FIRST_CELL} on; the policy names beam {unknown[0]}"
        )
    chosen = problem.alone().serving & (beam >= 0)
    return chosen, np.broadcast_to(np.maximum(beam, 0), chosen.shape)


def _steered_beams(
    departure: FloatArray, power_w: FloatArray, beam: IntArray, directions: FloatArray
) -> tuple[IntArray, FloatArray, IntArray]:
    """The beams in use: their numbers (S,Q), -1 for none, their directions (S,Q,2), and the beam of each pair (S,B).

    Parameters
    ----------
    departure
        (S,B,2) direction cosines of the terminals in reach.
    power_w
        (S,B) power of each pair in W.
    beam
        (S,B) beam of each pair; numbers below `FIRST_CELL` are indices into ``directions``.
    directions
        (Q,2) direction cosines of the grid.
    """
    row, column = np.nonzero(power_w > 0.0)
    used, which = np.unique(np.stack([row, beam[row, column]]), axis=1, return_inverse=True)
    which = which.ravel()  # its shape differs between releases of numpy
    satellite, number = used
    slot = np.arange(len(satellite)) - np.searchsorted(satellite, satellite)
    fraction = power_w[row, column] / np.bincount(which, power_w[row, column])[which]
    cosines = departure[row, column]
    centre = np.stack([np.bincount(which, fraction * cosines[:, axis], len(satellite)) for axis in (0, 1)], axis=-1)
    fixed = number < FIRST_CELL
    centre[fixed] = directions[number[fixed]]
    shape = len(power_w), int(slot.max(initial=0)) + 1
    numbers, directions_, place = np.full(shape, -1), np.zeros((*shape, 2)), np.zeros_like(beam)
    numbers[satellite, slot], directions_[satellite, slot] = number, centre
    place[row, column] = slot[which]
    return numbers, directions_, place
