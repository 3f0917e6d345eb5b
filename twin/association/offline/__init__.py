"""The optimum for one terminal: its handovers with the whole horizon known in advance.

Terminals are independent: satellites serve any number of terminals, and a change takes no time. Every policy that
serves the terminal whenever a satellite is visible needs at least as many handovers; one that leaves gaps may need
fewer. Instants are those of decisions: a satellite that is visible at an instant may serve at it.
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
