"""The fewest changes of a cluster of satellites around one terminal."""

from __future__ import annotations

from dataclasses import dataclass
from heapq import heappop, heappush

import numpy as np

from twin.arrays import IntArray
from twin.association.offline.contacts import ContactPlan
from twin.errors import InputError
from twin.records import documented


@documented
@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class ClusterPlan:
    """Who serves one terminal together: J stays, in the order in which they begin."""

    satellite: IntArray
    """(J,) row of the satellite."""
    first: IntArray
    """(J,) instant at which it joins."""
    stop: IntArray
    """(J,) first instant after its membership; the number of instants if it stays to the end."""
    replacements: int
    """Joins that replace a member that left; the other joins enlarge the cluster."""

    @property
    def joins(self) -> int:
        """J, all joins, those of the first instant included."""
        return len(self.satellite)


def fewest_membership_changes(contacts: ContactPlan, *, members: int) -> ClusterPlan:
    """Keep min(k, visible) members at every instant with as few changes as possible.

    A member stays until it sets and is replaced by the visible satellite that sets last. The number of joins is the
    smallest possible. Proof:

    1. Bound: widen every stay of any plan to its whole contact. At every instant min(k, visible) are still covered, so
       no plan has fewer joins than the smallest set of contacts that covers every instant min(k, visible) times.
    2. Attained: from such a set a plan follows with one stay a contact: members stay until they set, and others of the
       set wait their turn. It always has min(k, covered) members; where fewer than k cover, all that are visible do.
    3. The choice of the contact that sets last gives a smallest set, by exchange: at the first instant where a
       smallest set chooses another, the later one serves as well at every later instant.

    The size of the cluster being given at every instant, joins, leaves and replacements differ by constants alone: all
    of them are the fewest. With k = 1 replacements are handovers. The score is not looked at.

    Raises
    ------
    InputError
        If ``members`` is below 1.
    """
    if members < 1:
        raise InputError(f"members: found {members}, allowed 1 or more")
    order = contacts.first.tolist(), contacts.stop.tolist(), contacts.satellite.tolist()
    arriving = list(zip(*order, strict=True))[::-1]
    instants = np.unique(np.concatenate([contacts.first, contacts.stop]))
    present: list[int] = []
    waiting: list[tuple[int, int]] = []
    stays: list[tuple[int, int, int]] = []
    for instant in instants.tolist():
        while arriving and arriving[-1][0] == instant:
            _, stop, satellite = arriving.pop()
            heappush(waiting, (-stop, satellite))
        while present and present[0] <= instant:
            heappop(present)
        while len(present) < members and waiting and -waiting[0][0] > instant:
            late, satellite = heappop(waiting)
            heappush(present, -late)
            stays.append((satellite, instant, -late))
    size = np.minimum(contacts.visible_count(), members)
    satellite, first, stop = np.array(stays, dtype=np.int64).reshape(-1, 3).T
    growth = int(np.maximum(np.diff(size, prepend=0), 0).sum())
    return ClusterPlan(satellite=satellite, first=first, stop=stop, replacements=len(stays) - growth)
