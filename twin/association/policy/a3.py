"""The handover of terrestrial NR: a neighbour that stays better than the serving cell is reported, then taken."""

from __future__ import annotations

from dataclasses import replace
from typing import Annotated

import numpy as np
from annotated_types import Ge, Le

from twin.arrays import BoolArray, FloatArray
from twin.association.problem import Assignment, AssociationView, policies
from twin.association.toolkit.measurement import NEVER, filtered, held_since, lasted
from twin.association.toolkit.memory import SATELLITES, master_id, recalled, same_master
from twin.association.toolkit.ranking import leads, placed, received_db
from twin.association.toolkit.reasons import met, reasons
from twin.registry import dataclass_options
from twin.units import Duration


@dataclass_options
class A3Options:
    """The measurement configuration."""

    offset_db: Annotated[float, Ge(-30.0), Le(30.0)] = 3.0
    """Off: a neighbour is reported when better by this."""
    hysteresis_db: Annotated[float, Ge(0.0), Le(30.0)] = 1.0
    """Hys: so much more to begin with, so much less to end."""
    time_to_trigger: Annotated[Duration, Ge(0)] = Duration.parse("640ms")
    """For so long the condition must hold at every decision."""
    filter_coefficient: Annotated[int, Ge(0), Le(19)] = 4
    """k of the layer 3 filter, as for a measurement every 200 ms; 0 is no filter."""


@policies.register("a3", source="TS 38.331, 5.5.3.2 and 5.5.4.4 (event A3)", options=A3Options, largest_cluster=1)
def a3(view: AssociationView, *, options: A3Options) -> Assignment:
    """Event A3: a terminal goes to a neighbour that has been better by an offset for a time-to-trigger.

    The mean received power of every visible satellite is measured at each decision and filtered in dB. A neighbour is
    reported when the entering condition has held for the time-to-trigger, and stays reported until the leaving
    condition has held for as long; the terminal goes to the best of those reported that has room. After a handover
    all reports begin anew, and the filters go on. A terminal that has lost its satellite takes the best at once
    (re-establishment). The scenario's preparation and execution of handovers follow the report.
    Simplified: no offsets of cells or frequencies, no periodic reports, no measurement error; a satellite is one cell.
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
        **met(view),
    }
    return replace(placed(view, level_db, reported & view.visible), reason=reasons(view, "A3"), memory=memory)


def _conditions(view: AssociationView, level_db: FloatArray, options: A3Options) -> tuple[BoolArray, BoolArray]:
    """(V,K) inequalities A3-1 (entering) and A3-2 (leaving) of each neighbour; those out of sight leave."""
    lead = leads(view)
    serving_db = np.where(lead, level_db, 0.0).sum(axis=0) + options.offset_db
    neighbour = view.visible & ~lead & lead.any(axis=0)
    entering = neighbour & (level_db - options.hysteresis_db > serving_db)
    return entering, ~neighbour | (level_db + options.hysteresis_db < serving_db)
