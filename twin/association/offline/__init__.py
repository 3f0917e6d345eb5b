"""The best that one terminal could have had: its handovers with the whole horizon known in advance.

Each terminal stands alone: satellites carry any number of terminals, and a change takes no time. A policy that decides
as it goes, for all terminals, cannot do with fewer handovers as long as it serves the terminal whenever anyone is
visible; one that leaves it without service now and then can. Instants are those of decisions: who is visible at one may
serve at it.
"""

from twin.association.offline.cluster_changes import ClusterPlan, fewest_membership_changes
from twin.association.offline.contacts import ContactPlan
from twin.association.offline.fewest_handovers import Frontier, best_at_price, fewest_handovers, frontier
from twin.association.offline.search import OfflinePlan

__all__ = [
    "ClusterPlan",
    "ContactPlan",
    "Frontier",
    "OfflinePlan",
    "best_at_price",
    "fewest_handovers",
    "fewest_membership_changes",
    "frontier",
]
