"""Admission control: which changes that begin at one instant a satellite of limited capacity admits."""

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
    """The members of each changed cluster after admission, for changes that begin at one instant.

    Members that stay keep their place, and members that leave free theirs in the same instant. If more terminals want
    to join a satellite than it has free places, the lowest in rank are admitted. A change that no satellite admits does
    not take place, and frees no place either.

    Parameters
    ----------
    clusters
        (K,) clusters of all terminals before the changes.
    wanted
        NORAD ids of the new cluster, by terminal.
    capacity
        Most terminals that one satellite serves.
    rank
        Rank of a terminal at a satellite; the lowest is admitted first.

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
