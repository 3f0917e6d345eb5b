"""Who serves whom: policies by name, clusters and the events by which they change."""

from twin.association.problem import Assignment, AssociationView, Policy, policies
from twin.association.service import NOBODY, Cluster, Handover, ServingTable, transition

__all__ = [
    "NOBODY",
    "Assignment",
    "AssociationView",
    "Cluster",
    "Handover",
    "Policy",
    "ServingTable",
    "policies",
    "transition",
]
