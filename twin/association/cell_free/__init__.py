"""Joint clustering and power allocation of P5 for cell-free massive non-terrestrial networks."""

from twin.association.cell_free.algorithm import Allocation, CellFreeOptions, MaxMinOptions, allocate, clusters
from twin.association.cell_free.coefficients import Beams, Interference, coefficients_of
from twin.solvers.max_min.coefficients import Coefficients

__all__ = [
    "Allocation",
    "Beams",
    "CellFreeOptions",
    "Coefficients",
    "Interference",
    "MaxMinOptions",
    "allocate",
    "clusters",
    "coefficients_of",
]
