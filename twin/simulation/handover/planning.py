"""From an assignment to planned handovers: which changes a decision asks for, and which of them are followed."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from twin.arrays import BoolArray
from twin.association import Assignment, AssociationView, Cluster, ServingTable
from twin.scenario.sections import Association
from twin.simulation.handover.state import PlannedHandover


def changed_terminals(view: AssociationView, wanted: Assignment, table: ServingTable) -> BoolArray:
    """(K,) terminals whose members, master or beam an assignment changes."""
    changed = (wanted.serving != view.serving).any(axis=0) | (wanted.master != view.master)
    if wanted.beam is not None or (table.beam >= 0).any():
        changed |= table.beam != (-1 if wanted.beam is None else wanted.beam)
    return np.asarray(changed)


def planned_handover(
    view: AssociationView, wanted: Assignment, terminal: int, *, policy: str, now_ns: int
) -> PlannedHandover:
    """The change of one terminal that an assignment asks for, not yet prepared.

    Parameters
    ----------
    policy
        Name of the policy, which is the reason where the assignment gives none.
    """
    rows = np.flatnonzero(wanted.serving[:, terminal])
    ids, master = view.norad_id[rows].tolist(), int(wanted.master[terminal])
    beam = -1 if wanted.beam is None else int(wanted.beam[terminal])
    fractions = None if wanted.power_fraction is None else wanted.power_fraction[rows, terminal].tolist()
    reason = "" if wanted.reason is None else str(wanted.reason[terminal])
    return PlannedHandover(
        terminal=terminal,
        satellites=tuple(ids),
        master=int(view.norad_id[master]) if master >= 0 else None,
        beam=beam if beam >= 0 else None,
        power_fraction=None if fractions is None else tuple(zip(ids, fractions, strict=True)),
        decided_ns=now_ns,
        begin_ns=None,
        advance_ns=now_ns,
        reason=reason or policy,
    )


def advanced(
    planned: PlannedHandover, section: Association, *, executing_until_ns: int | None, now_ns: int
) -> PlannedHandover:
    """A planned handover with its next step: it waits until an execution ends, then preparation begins."""
    begin_ns = planned.begin_ns
    if begin_ns is None and executing_until_ns is None:
        begin_ns = now_ns + int(section.preparation)
    advance_ns = begin_ns if begin_ns is not None else executing_until_ns if executing_until_ns is not None else now_ns
    if section.timeout is not None:
        advance_ns = min(advance_ns, planned.decided_ns + int(section.timeout))
    return replace(planned, begin_ns=begin_ns, advance_ns=advance_ns)


def is_followed(
    planned: PlannedHandover,
    under_way: PlannedHandover | None,
    cluster: Cluster,
    still_serving: list[int],
    *,
    held: bool,
    now_ns: int,
) -> bool:
    """Whether a wish of the policy is followed.

    A handover in preparation goes on; one that only waits gives way to another aim.

    Parameters
    ----------
    under_way
        The terminal's handover that waits or is prepared.
    cluster
        The terminal's cluster.
    still_serving
        NORAD ids of its members that are still available.
    held
        Whether ``association.min_dwell`` holds the cluster.
    """
    aim = planned.satellites, planned.master, planned.beam
    if under_way is not None and (under_way.begin_ns is not None or under_way.aims_at(*aim)):
        return False
    loses = len(still_serving) < len(cluster.ready_ns)
    if loses and planned.begin_ns != now_ns:
        left = cluster.without(cluster.ready_ns.keys() - set(still_serving))
        return not planned.aims_at(tuple(sorted(left.ready_ns)), left.master, left.beam)
    only_beam = (planned.satellites, planned.master) == (tuple(sorted(cluster.ready_ns)), cluster.master)
    return loses or not held or not cluster.ready_ns or only_beam
