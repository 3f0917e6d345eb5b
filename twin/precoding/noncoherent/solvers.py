"""The satellites' convex problems within P1's iteration, in the span of steering vectors or over all antennas."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Self

import numpy as np

from twin.arrays import ComplexArray, FloatArray
from twin.precoding.budget import within_budget
from twin.precoding.noncoherent.capped import FeasibleSubspace, solve
from twin.precoding.noncoherent.constraints import PowerConstraints
from twin.precoding.noncoherent.effective import SatelliteRows
from twin.precoding.weights import AntennaWeights, SpannedWeights
from twin.radio.channel import StatisticalCsi
from twin.records import documented
from twin.solvers.span import Span

Search = Callable[[FloatArray, FloatArray, FloatArray], FloatArray]

EPSILON = float(np.finfo(np.float64).eps)


@documented
@dataclass(kw_only=True)
class SpannedSolver:
    """Satellites with one cap each, on their total power."""

    csi: StatisticalCsi
    """Statistical CSI of S satellites and K terminals."""
    span: Span
    """Span of the steering vectors of each satellite."""
    cap_w: FloatArray
    """(S,) in W."""
    search: Search
    """Search for the multiplier of a constraint."""
    found: dict[str, ComplexArray] = field(default_factory=dict)
    """Last solution of each search, its next start."""

    def solve(self, rows: SatelliteRows, load: FloatArray, target: ComplexArray) -> ComplexArray:
        """W = Z (T + μ)⁻¹ z in coordinates of the span, with T = F Fᴴ and z = F c."""
        coordinates, cap_w = self.span.coordinates[rows], self.cap_w[rows]
        root = np.sqrt(load)
        scaled = target / np.where(root > 0.0, root, np.inf)[:, :, None, None]
        left, values, right = np.linalg.svd(coordinates * root[:, None, :])
        values = np.where(values > values[:, :1] * (EPSILON * values.shape[1]), values, 0.0)
        # real matrices act on real and imaginary parts separately
        satellites, width, _, streams = target.shape
        flat = np.ascontiguousarray(scaled).view(np.float64).reshape(satellites, width, 2 * width * streams)
        rotated = right @ flat
        squares = values**2
        loads = squares * np.einsum("grj,grj->gr", rotated, rotated)
        used = cap_w > 0.0
        mu = self.search(squares, loads, np.where(used, cap_w, 1.0))
        damped = squares + mu[:, None]
        filtered = values / np.where(values > 0.0, damped, 1.0) * used[:, None]
        found = left @ (filtered[:, :, None] * rotated)
        responses: FloatArray = coordinates.swapaxes(1, 2) @ found
        self._keep(rows, found.view(np.complex128).reshape(target.shape))
        return np.asarray(responses.view(np.complex128).reshape(target.shape))

    def _keep(self, rows: SatelliteRows, coordinates: ComplexArray) -> None:
        """Store solutions."""
        if "coordinates" not in self.found:
            shape = (len(self.cap_w), *coordinates.shape[1:])
            self.found["coordinates"] = np.zeros(shape, dtype=np.complex128)
        self.found["coordinates"][rows] = coordinates

    def weights(self) -> SpannedWeights:
        """Coefficients over the conjugate steering vectors."""
        coordinates = self.found["coordinates"]
        satellites, width, _, streams = coordinates.shape
        flat = self.span.basis @ coordinates.reshape(satellites, width, width * streams)
        coefficients = within_budget(flat.reshape(coordinates.shape), self.csi.gram, self.cap_w)
        return SpannedWeights.over(self.csi, coefficients)


@documented
@dataclass(kw_only=True)
class AntennaSolver:
    """Satellites with caps of any kind."""

    csi: StatisticalCsi
    """Statistical CSI of S satellites and K terminals."""
    steering: ComplexArray
    """(S,N,B) v* of the terminals in reach."""
    subspaces: list[FeasibleSubspace]
    """Feasible subspace of each satellite."""
    method: str
    """Name of the numerical method."""
    multipliers: list[FloatArray | None]
    """Multipliers (X,) of each satellite, from which its next problem starts; None before the first."""
    found: dict[str, ComplexArray] = field(default_factory=dict)
    """Last solution of each search, its next start."""

    @classmethod
    def of(cls, csi: StatisticalCsi, constraints: Sequence[PowerConstraints], method: str) -> Self:
        """Prepare the satellites of given statistics."""
        steering = csi.array.steering(csi.reached_departure).conj().swapaxes(1, 2)
        steering = steering * csi.reach.gather(csi.gain > 0.0)[:, None, :]
        subspaces = [FeasibleSubspace.of(one, own) for one, own in zip(constraints, steering, strict=True)]
        return cls(csi=csi, steering=steering, subspaces=subspaces, method=method, multipliers=[None] * len(subspaces))

    def solve(self, rows: SatelliteRows, load: FloatArray, target: ComplexArray) -> ComplexArray:
        """Solve one satellite after the other."""
        if "weights" not in self.found:
            satellites, antennas, width = self.steering.shape
            self.found["weights"] = np.zeros((satellites, antennas, width, target.shape[3]), dtype=np.complex128)
        responses = np.zeros_like(target)
        for place, row in enumerate(np.arange(len(self.subspaces))[rows]):
            responses[place] = self._solve_one(int(row), load[place], target[place])
        return responses

    def _solve_one(self, row: int, load: FloatArray, target: ComplexArray) -> ComplexArray:
        """v_iᵀ W_k (B,B,L) of one satellite for T of weights (B,) and z (B,B,L)."""
        own, root = self.steering[row], np.sqrt(load)
        scaled = target / np.where(root > 0.0, root, np.inf)[:, None, None]
        sent = scaled.any(axis=0)
        solved = solve(self.subspaces[row], own * root, scaled[:, sent], self.method, self.multipliers[row])
        self.multipliers[row] = solved.mu
        self.found["weights"][row] = 0.0
        self.found["weights"][row][:, sent] = solved.weights
        responses = np.zeros_like(target)
        responses[:, sent] = own.conj().T @ solved.weights
        return responses

    def weights(self) -> AntennaWeights:
        """W of all antennas."""
        wide = self.csi.reach.scatter(self.found["weights"].transpose(0, 2, 1, 3))
        return AntennaWeights(norad_id=self.csi.norad_id, array=self.csi.array, weights=wide)
