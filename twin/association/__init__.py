"""Satellite-terminal association: policies by name, serving clusters and handover events."""

from twin.association.problem import Assignment, AssociationView, Policy, policies
from twin.association.service import EMPTY_CLUSTER, Cluster, Handover, ServingTable, transition

__all__ = [
    "EMPTY_CLUSTER",
    "Assignment",
    "AssociationView",
    "Cluster",
    "Handover",
    "Policy",
    "ServingTable",
    "policies",
    "transition",
]
