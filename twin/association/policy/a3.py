"""Handover of terrestrial NR: a neighbour that stays better than the serving cell is reported and becomes serving."""

from __future__ import annotations

from dataclasses import replace
from typing import Annotated

import numpy as np
from annotated_types import Ge, Le

from twin.arrays import BoolArray, FloatArray
from twin.association.problem import Assignment, AssociationView, policies
from twin.association.toolkit.measurement import NEVER, filtered, held_since, lasted
from twin.association.toolkit.memory import SATELLITES, master_id, recalled, same_master
from twin.association.toolkit.ranking import leads, one_satellite, received_db
from twin.association.toolkit.reasons import reasons, served_before
from twin.registry import dataclass_options
from twin.units import Duration


@dataclass_options
class A3Options:
    """Measurement configuration of event A3."""

    offset_db: Annotated[float, Ge(-30.0), Le(30.0)] = 3.0
    """Off: a neighbour must be better than the serving satellite by this offset."""
    hysteresis_db: Annotated[float, Ge(0.0), Le(30.0)] = 1.0
    """Hys: added to the offset in the entering condition, subtracted from it in the leaving condition."""
    time_to_trigger: Annotated[Duration, Ge(0)] = Duration.parse("640ms")
    """Time for which a condition must hold at every decision."""
    filter_coefficient: Annotated[int, Ge(0), Le(19)] = 4
    """k of the layer 3 filter for one measurement per 200 ms; 0 means no filter."""


@policies.register("a3", source="TS 38.331, 5.5.3.2 and 5.5.4.4 (event A3)", options=A3Options, largest_cluster=1)
def a3(view: AssociationView, *, options: A3Options) -> Assignment:
    """Event A3: a terminal changes to a neighbour that was better by an offset during the time-to-trigger.

    The mean received power of every visible satellite is measured at each decision and filtered in dB. A neighbour is
    reported when the entering condition has held for the time-to-trigger, and stays reported until the leaving
    condition has held for the same time; the terminal changes to the best reported one that has capacity left. A
    handover resets all reports, but not the filters. A terminal that has lost its satellite takes the best at once
    (re-establishment). The scenario's handover preparation and execution follow the report.
    Simplified: no cell or frequency offsets, no periodic reports, no measurement error; one cell per satellite.
    """
    power_db = received_db(view)
    level_db = filtered(
        power_db,
        recalled(view, "filtered_db", 0.0),
        recalled(view, "measured", False),
        coefficient=options.filter_coefficient,
        every_ns=view.every_ns,
    )
    entering, leaving = _conditions(view, level_db, options)
    same, now_ns, wait_ns = same_master(view), view.instant_ns, int(options.time_to_trigger)
    entered_ns = held_since(entering, np.where(same, recalled(view, "entered_ns", NEVER), NEVER), now_ns)
    reported = recalled(view, "reported", False) & same
    left_ns = held_since(reported & leaving, np.where(same, recalled(view, "left_ns", NEVER), NEVER), now_ns)
    reported = (reported & ~lasted(left_ns, now_ns, wait_ns)) | lasted(entered_ns, now_ns, wait_ns)
    memory = {
        SATELLITES: view.norad_id,
        "master": master_id(view),
        "filtered_db": level_db,
        "measured": view.visible,
        "entered_ns": entered_ns,
        "left_ns": left_ns,
        "reported": reported,
        **served_before(view),
    }
    return replace(one_satellite(view, level_db, reported & view.visible), reason=reasons(view, "A3"), memory=memory)


def _conditions(view: AssociationView, level_db: FloatArray, options: A3Options) -> tuple[BoolArray, BoolArray]:
    """Return (V,K) inequalities A3-1 (entering) and A3-2 (leaving); satellites that are not visible leave."""
    masters = leads(view)
    serving_db = np.where(masters, level_db, 0.0).sum(axis=0) + options.offset_db
    neighbour = view.visible & ~masters & masters.any(axis=0)
    entering = neighbour & (level_db - options.hysteresis_db > serving_db)
    return entering, ~neighbour | (level_db + options.hysteresis_db < serving_db)
