"""The cluster that results from the execution of a handover, and the service that is lost meanwhile."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np

from twin.association import Cluster
from twin.geometry.snapshot import Snapshot
from twin.scenario.sections import Association
from twin.simulation.handover.state import PlannedHandover


def executed(
    planned: PlannedHandover,
    old: Cluster,
    satellites: set[int],
    section: Association,
    range_km: Mapping[int, float],
    now_ns: int,
) -> Cluster:
    """The cluster of a terminal from the beginning of a handover's execution on.

    Satellites that join serve from the end of the execution. A new master leads at once only if no old member stays.

    Parameters
    ----------
    old
        The cluster before.
    satellites
        NORAD ids of the planned cluster that are available and admitted the terminal.
    range_km
        Distance of each old or new member in view, by NORAD id.
    """
    ready_ns, master = now_ns + int(section.execution), planned.master
    stays = satellites & old.ready_ns.keys()
    if stays and master not in stays and ready_ns > now_ns:
        master = old.without(old.ready_ns.keys() - stays, range_km).master  # a joining master does not serve yet
    new = old.kept(satellites, master, joining_ready_ns=ready_ns, now_ns=now_ns)
    if master not in satellites:
        new = new.without(() if master is None else {master}, range_km)
    if new.master is not None and new.master == planned.master:
        new = replace(new, beam=planned.beam)
    beam_ns = int(section.beam_execution)
    if beam_ns and new.master is not None and new.master == old.master and new.beam != old.beam:
        new = replace(new, ready_ns=new.ready_ns | {new.master: now_ns + beam_ns})
    if planned.power_fraction is not None:
        fractions = {one: fraction for one, fraction in planned.power_fraction if one in satellites}
        new = replace(new, power_fraction=fractions or None)
    return new


def waiting_ns(old: Cluster, new: Cluster, now_ns: int) -> int:
    """How long a cluster that lost all ready members waits for members that have joined and are not ready yet."""
    served = any(ready_ns <= now_ns for ready_ns in old.ready_ns.values())
    if not served or old.ready_ns.keys().isdisjoint(new.ready_ns):
        return 0
    return max(0, min(new.ready_ns.values()) - now_ns)


def ranges_km(snapshot: Snapshot, terminal: int, satellites: set[int]) -> Mapping[int, float]:
    """Distance from a terminal of each of some satellites, if any terminal sees it, by NORAD id."""
    wanted = np.array(sorted(satellites), dtype=np.int64)
    found, _, rows = np.intersect1d(wanted, snapshot.norad_id, assume_unique=True, return_indices=True)
    return dict(zip(found.tolist(), snapshot.range_km[rows, terminal].tolist(), strict=True))
