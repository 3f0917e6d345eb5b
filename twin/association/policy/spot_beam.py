"""Beam-centric service: a terminal belongs to the beam that it receives best, or to a cell fixed on the Earth."""

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
    """What beams cover, and when to leave one."""

    cells: Literal["moving", "earth_fixed"] = "moving"
    """Beams fixed to the satellite, whose spots sweep over the ground, or steered at cells that stay where they are."""
    cell_diameter_km: Annotated[float, Ge(1.0), Le(20_000.0)] | None = None
    """Height and width of the cells of `CellGrid`, even over the globe; with cells = "earth_fixed".

    Without it cells on the Earth are the scenario's groups of terminals: one disc for each cell."""
    hysteresis_db: Annotated[float, Ge(0.0)] = 0.0
    """A satellite is left only for one received better by more than this."""
    beam_hysteresis_db: Annotated[float, Ge(0.0)] = 0.0
    """A moving beam is left only for another of the same satellite received better by more than this."""

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

    The moving beams are as many as a satellite has elements, in the directions of `spot_directions`, and have the
    numbers of those. Cells on the Earth are served by one satellite at a time, the one that the cell as a whole
    receives best, with one beam steered at the cell, whose number is the cell's added to
    `twin.radio.channel.beam_numbers.FIRST_CELL`; see `earth_fixed`. The precoder ``spot_beam`` sends with either.
    """
    if options.cells == "moving":
        return _moving(view, options)
    return earth_fixed(view, diameter_km=options.cell_diameter_km, hysteresis_db=options.hysteresis_db)


def _moving(view: AssociationView, options: SpotBeamOptions) -> Assignment:
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
    made = clustered(view, score, size=1, hysteresis=options.hysteresis_db)
    chosen = np.where(made.serving, beam, -1).max(axis=0, initial=-1)
    return _told(view, made, chosen)


def _told(view: AssociationView, made: Assignment, beam: IntArray) -> Assignment:
    return replace(made, beam=beam, memory={"satellite": np.append(view.norad_id, -1)[made.master], "beam": beam})


def nearest_beam(array: PlanarArray, departure: FloatArray) -> IntArray:
    """The beam (...) of P5's spot directions (see the precoder ``spot_beam``) strongest in each direction (..., 2).

    The beams of an axis stand evenly over one period of its response, so that the strongest is the nearest.
    """
    column, row = (
        np.floor((2.0 * array.spacing_wavelengths * departure[..., axis] + 1.0) * 0.5 * count).astype(np.int64) % count
        for axis, count in ((0, array.columns), (1, array.rows))
    )
    return np.asarray(row * array.columns + column)


def beam_loss_db(array: PlanarArray, departure: FloatArray, beam: IntArray) -> FloatArray:
    """Gain (...) of beams in directions (..., 2) relative to a beam steered there, in dB, at least -300.

    It is the square of one Dirichlet kernel for each axis.
    """
    response = np.ones(beam.shape)
    for axis, count, number in ((0, array.columns, beam % array.columns), (1, array.rows, beam // array.columns)):
        centre = -1.0 + (2.0 * number + 1.0) / count
        off = 2.0 * array.spacing_wavelengths * departure[..., axis] - centre
        off -= 2.0 * np.round(0.5 * off)
        response = response * (np.sinc(0.5 * count * off) / np.sinc(0.5 * off))
    return np.asarray(to_db(np.maximum(response**2, 1e-30)))
