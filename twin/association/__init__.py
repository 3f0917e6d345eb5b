"""Satellite-terminal association: policies by name, serving clusters and handover events."""

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
