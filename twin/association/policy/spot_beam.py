"""Beam-centric association: a terminal belongs to the beam that it receives best, or to an earth-fixed cell."""

from __future__ import annotations

from dataclasses import replace
from typing import Annotated, Literal

import numpy as np
from annotated_types import Ge, Le

from twin.arrays import FloatArray, IntArray
from twin.association.problem import Assignment, AssociationView, policies
from twin.association.toolkit.earth_fixed import earth_fixed
from twin.association.toolkit.memory import master_id
from twin.association.toolkit.ranking import clustered
from twin.radio.channel import PlanarArray
from twin.registry import dataclass_options
from twin.units import to_db


@dataclass_options
class SpotBeamOptions:
    """Cells and hysteresis."""

    cells: Literal["moving", "earth_fixed"] = "moving"
    """Beams with fixed directions at the satellite, whose footprints move over the ground, or beams steered at
    earth-fixed cells."""
    cell_diameter_km: Annotated[float, Ge(1.0), Le(20_000.0)] | None = None
    """Height and width of the cells of `CellGrid`, which tile the globe; with cells = "earth_fixed".

    None means that the earth-fixed cells are the scenario's groups of terminals: one disc for each cell."""
    hysteresis_db: Annotated[float, Ge(0.0)] = 0.0
    """A terminal changes only to a satellite that it receives better by more than this."""
    beam_hysteresis_db: Annotated[float, Ge(0.0)] = 0.0
    """A terminal changes only to a moving beam of the same satellite that it receives better by more than this."""

    def __post_init__(self) -> None:
        if self.cell_diameter_km is not None and self.cells == "moving":
            raise ValueError(
                f'cell_diameter_km = {self.cell_diameter_km:g} belongs to cells = "earth_fixed", found cells = "moving"'
            )


@policies.register(
    "spot_beam", source="P5, Section III-A1 and Section VI, benchmark 4", options=SpotBeamOptions, largest_cluster=1
)
def spot_beam(view: AssociationView, *, options: SpotBeamOptions) -> Assignment:
    """Each terminal is served by the one satellite and spot beam that it receives best.

    A satellite has one moving beam per array element; the beams point in the directions of `spot_directions` and are
    numbered in that order. An earth-fixed cell is served by one satellite at a time, the one that the cell as a whole
    receives best, with one beam steered at the cell; the beam's number is `twin.radio.channel.beam_numbers.FIRST_CELL`
    plus the cell's number; see `earth_fixed`. The precoder ``spot_beam`` transmits with both.
    """
    if options.cells == "moving":
        return _moving(view, options)
    return earth_fixed(view, diameter_km=options.cell_diameter_km, hysteresis_db=options.hysteresis_db)


def _moving(view: AssociationView, options: SpotBeamOptions) -> Assignment:
    """Assign terminals to moving beams; a beam within the hysteresis of the best one is kept."""
    csi = view.statistics()
    full_db = to_db(np.maximum(view.power_w * csi.gain / view.noise_w, np.finfo(float).tiny))
    beam = nearest_beam(csi.array, csi.departure)
    score = full_db + beam_loss_db(csi.array, csi.departure, beam)
    used = view.memory.get("beam", np.full(view.master.shape, -1))
    known = (view.master >= 0) & (view.memory.get("satellite", used) == master_id(view)) & (used >= 0)
    pairs = view.master[known], np.flatnonzero(known)
    kept_db = full_db[pairs] + beam_loss_db(csi.array, csi.departure[pairs], used[known])
    stays = score[pairs] - kept_db <= options.beam_hysteresis_db
    score[pairs] = np.where(stays, kept_db, score[pairs])
    beam[pairs] = np.where(stays, used[known], beam[pairs])
    decision = clustered(view, score, size=1, hysteresis=options.hysteresis_db)
    chosen = np.where(decision.serving, beam, -1).max(axis=0, initial=-1)
    memory = {"satellite": np.append(view.norad_id, -1)[decision.master], "beam": chosen}
    return replace(decision, beam=chosen, memory=memory)


def nearest_beam(array: PlanarArray, departure: FloatArray) -> IntArray:
    """Return the beam (...) of P5's spot directions that is strongest in each direction (..., 2).

    See the precoder ``spot_beam`` for the directions. The beams of an axis are evenly spaced over one period of its
    response, so that the strongest is the nearest.
    """
    column, row = (
        np.floor((2.0 * array.spacing_wavelengths * departure[..., axis] + 1.0) * 0.5 * count).astype(np.int64) % count
        for axis, count in ((0, array.columns), (1, array.rows))
    )
    return np.asarray(row * array.columns + column)


def beam_loss_db(array: PlanarArray, departure: FloatArray, beam: IntArray) -> FloatArray:
    """Return the gain (...) of beams in directions (..., 2) relative to a beam steered there, in dB, at least -300.

    The gain is the product of the squared Dirichlet kernels of both axes.
    """
    response = np.ones(beam.shape)
    for axis, count, number in ((0, array.columns, beam % array.columns), (1, array.rows, beam // array.columns)):
        centre = -1.0 + (2.0 * number + 1.0) / count
        offset = 2.0 * array.spacing_wavelengths * departure[..., axis] - centre
        offset -= 2.0 * np.round(0.5 * offset)
        response = response * (np.sinc(0.5 * count * offset) / np.sinc(0.5 * offset))
    return np.asarray(to_db(np.maximum(response**2, 1e-30)))
