"""Who gets the places that are left: changes that begin at one instant, and satellites that are full."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Mapping, Sequence
from functools import partial

from twin.association import Cluster


def admitted(
    clusters: Sequence[Cluster],
    wanted: Mapping[int, set[int]],
    capacity: int,
    rank: Callable[[int, int], tuple[float, ...]],
) -> dict[int, set[int]]:
    """The members that changes which begin at one instant end up with.

    Members that stay need no new place, and those that leave make room in the same instant. Where more terminals
    would join a satellite than it has places, the first in rank are taken. A change of which nobody is left does not
    take place, and makes no room either.

    Parameters
    ----------
    clusters
        (K,) of all terminals, before.
    wanted
        NORAD ids of the new cluster, by terminal.
    capacity
        Most terminals that one satellite serves.
    rank
        Of a satellite and a terminal: the lowest come first.

    Returns
    -------
    NORAD ids by terminal; a terminal whose change does not take place is missing.
    """
    batch = dict(wanted)
    while True:
        load = Counter(
            satellite
            for terminal, cluster in enumerate(clusters)
            for satellite in cluster.ready_ns
            if terminal not in batch or satellite in batch[terminal]
        )
        got = {terminal: satellites & clusters[terminal].ready_ns.keys() for terminal, satellites in batch.items()}
        joining: dict[int, list[int]] = defaultdict(list)
        for terminal, satellites in batch.items():
            for satellite in satellites - got[terminal]:
                joining[satellite].append(terminal)
        for satellite, terminals in joining.items():
            first = sorted(terminals, key=partial(rank, satellite))
            for terminal in first[: max(0, capacity - load[satellite])]:
                got[terminal].add(satellite)
        failed = [terminal for terminal in batch if batch[terminal] and not got[terminal]]
        if not failed:
            return got
        for terminal in failed:
            del batch[terminal]
