"""One satellite's convex problem under any power constraints: W for given multipliers (P1, eq. 19 and 20)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.linalg import lapack

from twin.arrays import ComplexArray, FloatArray, IntArray
from twin.precoding.noncoherent.constraints import PowerConstraints
from twin.precoding.noncoherent.multipliers import ellipsoid, newton
from twin.records import documented

Number = FloatArray | ComplexArray

EVEN = 1e-5
"""Least over largest entry of Σ_x μ_x A_x from which a matrix of the size of the span is inverted instead.

Below it, few entries are far smaller than the others, and the small matrix would lose them to rounding.
"""


@documented
@dataclass(frozen=True, slots=True, kw_only=True)
class CappedSolution:
    """W of one satellite."""

    weights: ComplexArray
    """(N,J) W, one column for each stream of each terminal."""
    mu: FloatArray
    """(X,) multipliers of the constraints; infinite if the cap is zero."""
    evaluations: int
    """Number of trial multipliers."""


@documented
@dataclass(frozen=True, slots=True, kw_only=True)
class FeasibleSubspace:
    """The subspace that can contain a satellite's W, and the constraints in it.

    Caps of zero leave the null space of their matrices. If the other constraints are multiples of the total power
    except in a few directions, W lies in the span of these directions and the steering vectors.
    """

    basis: ComplexArray | None
    """(N,n) orthonormal basis; None means the antennas themselves."""
    antennas: IntArray | None
    """(n,) antennas that may be used, if all constraints are on antennas; otherwise None."""
    forms: Number
    """(d,n) diagonals or (d,n,n) matrices A_x / ρ_x, for positive caps only."""
    capped: IntArray
    """(d,) indices of these constraints."""
    constraints: PowerConstraints
    """Power constraints of one satellite."""

    @classmethod
    def of(cls, constraints: PowerConstraints, steering: ComplexArray) -> FeasibleSubspace:
        """The subspace for given conjugate steering vectors (N,B)."""
        capped = np.flatnonzero(constraints.cap_w > 0.0)
        forms, cap_w = constraints.forms[capped], constraints.cap_w[capped]
        blocked = constraints.forms[constraints.cap_w <= 0.0]
        scaled = forms / cap_w.reshape(-1, *(1,) * (forms.ndim - 1))
        if forms.ndim == 2:
            allowed = np.flatnonzero(~(blocked > 0.0).any(axis=0))
            scaled = scaled[:, allowed].real
            if scaled.size and scaled.any(axis=0).all() and not (scaled == scaled[:, :1]).all():
                return cls(basis=None, antennas=allowed, forms=scaled, capped=capped, constraints=constraints)
        basis = _basis(constraints, forms, blocked, steering)
        if forms.ndim == 2:
            rotated = np.einsum("na,xn,nb->xab", basis.conj(), forms / cap_w[:, None], basis, optimize=True)
        else:
            rotated = basis.conj().T @ scaled @ basis
        return cls(basis=basis, antennas=None, forms=rotated, capped=capped, constraints=constraints)

    def inner(self, factor: ComplexArray) -> ComplexArray:
        """Coordinates (n,B) of vectors (N,B)."""
        if self.basis is not None:
            return np.asarray(self.basis.conj().T @ factor)
        return np.asarray(factor[self.antennas])

    def outer(self, weights: ComplexArray, antennas: int) -> ComplexArray:
        """Vectors over all antennas from coordinates."""
        if self.basis is not None:
            return np.asarray(self.basis @ weights)
        out = np.zeros((antennas, weights.shape[1]), dtype=np.complex128)
        out[self.antennas] = weights
        return out


def _basis(constraints: PowerConstraints, forms: Number, blocked: Number, steering: ComplexArray) -> ComplexArray:
    """Orthonormal basis of all directions that W may need."""
    antennas = constraints.antennas
    dense = np.concatenate([_matrices(forms), _matrices(blocked)])
    directional = [form for form in dense if not np.array_equal(form, form[0, 0] * np.eye(antennas))]
    stacked = np.concatenate([steering, *(form / (np.linalg.norm(form) or 1.0) for form in directional)], axis=1)
    basis = _range(stacked)
    if not len(blocked):
        return basis
    forbidden = basis.conj().T @ _matrices(blocked).sum(axis=0) @ basis
    values, vectors = np.linalg.eigh(forbidden)
    return np.asarray(basis @ vectors[:, values <= 1e-12 * max(values.max(initial=0.0), 1e-300)])


def _matrices(forms: Number) -> ComplexArray:
    """(d,N,N) the forms as matrices."""
    if forms.ndim == 3:
        return np.asarray(forms, dtype=np.complex128)
    return np.asarray(forms[:, :, None] * np.eye(forms.shape[1]), dtype=np.complex128)


def _range(vectors: ComplexArray) -> ComplexArray:
    """Orthonormal basis of the range (N,n)."""
    left, values, _ = np.linalg.svd(vectors, full_matrices=False)
    return np.asarray(left[:, values > 1e-13 * values.max(initial=0.0)])


def solve(
    subspace: FeasibleSubspace, factor: ComplexArray, target: ComplexArray, method: str, start: FloatArray | None = None
) -> CappedSolution:
    """Minimise over W with T = F Fᴴ and z = F c.

    Parameters
    ----------
    subspace
        Subspace of W, and the caps.
    factor
        (N,B) F.
    target
        (B,J) c.
    method
        "newton", or "ellipsoid", which is bisection for one constraint.
    start
        (X,) multipliers of a similar problem; None means a cold start.
    """
    mu = np.where(subspace.constraints.cap_w > 0.0, 0.0, np.inf)
    inside = subspace.inner(factor)
    nothing = CappedSolution(weights=np.zeros((len(factor), target.shape[1]), dtype=complex), mu=mu, evaluations=0)
    if not inside.size or not target.size:
        return nothing
    left, values, right = np.linalg.svd(inside, full_matrices=False)
    kept = values > values.max() * np.finfo(float).eps * max(inside.shape)
    if not kept.any() or not target.any():
        return nothing
    left, values, rotated = left[:, kept], values[kept], right[kept] @ target
    free = left @ (rotated / values[:, None])
    spent = _power(subspace.forms, free)
    if not (spent > 1.0).any():
        return CappedSolution(weights=subspace.outer(free, len(factor)), mu=mu, evaluations=1)
    unit = float(values[0])
    problem = CappedProblem(
        factor=left * (values / unit),
        target=rotated / unit,
        forms=subspace.forms,
        count=len(subspace.forms),
        gain=float((np.abs(rotated / unit) ** 2).sum()),
    )
    if method == "newton":
        given = (
            None
            if start is None
            else _usable(start[subspace.capped] * subspace.constraints.cap_w[subspace.capped] / unit**2)
        )
        found = newton(problem, given)
    else:
        found = ellipsoid(problem)
    weights = found.evaluation.weights
    over = _power(subspace.forms, weights).max(initial=0.0)
    mu[subspace.capped] = found.mu * unit**2 / subspace.constraints.cap_w[subspace.capped]
    weights = subspace.outer(weights / np.sqrt(max(over, 1.0)), len(factor))
    return CappedSolution(weights=weights, mu=mu, evaluations=found.evaluations)


def _usable(start: FloatArray) -> FloatArray | None:
    """Multipliers to start from; None if they are not finite or all zero."""
    return start if np.isfinite(start).all() and (start > 0.0).any() else None


def _power(forms: Number, weights: ComplexArray) -> FloatArray:
    """(d,) Σ_k Tr W_kᴴ A_x W_k."""
    if forms.ndim == 2:
        return np.asarray(forms.real @ (np.abs(weights) ** 2).sum(axis=1))
    return np.asarray((weights.conj() * (forms @ weights)).real.sum(axis=(1, 2)))


@documented
@dataclass(frozen=True, slots=True, kw_only=True)
class CappedProblem:
    """The problem with caps of 1, in units of T's largest eigenvalue."""

    factor: ComplexArray
    """(n,B) F."""
    target: ComplexArray
    """(B,J) c."""
    forms: Number
    """(d,n) diagonals or (d,n,n) matrices A_x / ρ_x."""
    count: int
    """d."""
    gain: float
    """Tr zᴴ T⁺ z: most that the objective can fall below its value at W = 0."""

    def at(self, mu: FloatArray) -> CappedEvaluation:
        """W = (F Fᴴ + Σ_x μ_x A_x)⁻¹ F c, and its powers."""
        total: Number = np.tensordot(mu, self.forms, axes=1)
        if self.forms.ndim == 2 and total.min() > EVEN * total.max():
            damped = self.factor / total[:, None]
            small = np.eye(self.factor.shape[1]) + self.factor.conj().T @ damped
            inverse = _inverse(small)
            weights = damped @ (inverse @ self.target)
            return self._evaluation(mu, weights, None, (total.real, damped, inverse))
        matrix = self.factor @ self.factor.conj().T + (np.diag(total) if self.forms.ndim == 2 else total)
        lower = _cholesky(matrix)
        weights = _cholesky_solve(lower, self.factor @ self.target)
        return self._evaluation(mu, weights, lower, None)

    def _evaluation(
        self,
        mu: FloatArray,
        weights: ComplexArray,
        lower: ComplexArray | None,
        small: tuple[FloatArray, ComplexArray, ComplexArray] | None,
    ) -> CappedEvaluation:
        alignment = float((self.target.conj() * (self.factor.conj().T @ weights)).real.sum())
        power = _power(self.forms, weights)
        dual = -alignment - float(mu.sum())
        return CappedEvaluation(forms=self.forms, weights=weights, power=power, dual=dual, lower=lower, small=small)


@documented
@dataclass(frozen=True, slots=True, kw_only=True)
class CappedEvaluation:
    """W at given multipliers."""

    forms: Number
    """Values of the quadratic forms of the constraints."""
    weights: ComplexArray
    """(n,J)"""
    power: FloatArray
    """(d,) powers over their caps."""
    dual: float
    """Value of the dual function."""
    lower: ComplexArray | None
    """(n,n) Cholesky factor of the inverted matrix; None if ``small`` was used."""
    small: tuple[FloatArray, ComplexArray, ComplexArray] | None
    """Diagonal part D (n,), D⁻¹F (n,B) and (I + Fᴴ D⁻¹ F)⁻¹ (B,B); None if ``lower`` was used."""

    def curvature(self) -> FloatArray:
        """(d,d) 2 Re Tr Wᴴ A_x (T + Σ μ A)⁻¹ A_y W."""
        if self.forms.ndim == 2:
            product = 2.0 * (self._inverted() * (self.weights @ self.weights.conj().T).T).real
            forms = self.forms.real
            same = forms.shape[0] == forms.shape[1] and np.count_nonzero(forms) == np.count_nonzero(np.diagonal(forms))
            if same:
                diagonal = np.diagonal(forms)
                return np.asarray(product * diagonal[:, None] * diagonal)
            return np.asarray(forms @ product @ forms.T)
        assert self.lower is not None
        applied = self.forms @ self.weights
        count, size, columns = applied.shape
        flat = applied.transpose(1, 0, 2).reshape(size, count * columns)
        half = _triangular_solve(self.lower, flat).reshape(size, count, columns).transpose(1, 0, 2).reshape(count, -1)
        return np.asarray(2.0 * (half @ half.conj().T).real)

    def curvature_along(self, direction: FloatArray) -> float:
        """The curvature along one direction (d,)."""
        total = np.tensordot(direction, self.forms, axes=1)
        applied = total[:, None] * self.weights if self.forms.ndim == 2 else total @ self.weights
        if self.lower is not None:
            return float(2.0 * (np.abs(_triangular_solve(self.lower, applied)) ** 2).sum())
        assert self.small is not None
        diagonal, damped, inverse = self.small
        straight = (np.abs(applied) ** 2 / diagonal[:, None]).sum()
        directional = damped.conj().T @ applied
        return float(2.0 * (straight - (directional.conj() * (inverse @ directional)).real.sum()))

    def _inverted(self) -> ComplexArray:
        """(n,n) (T + Σ μ A)⁻¹."""
        if self.lower is not None:
            inverse, _ = lapack.zpotri(self.lower, lower=1)
            full = np.tril(inverse) + np.tril(inverse, -1).conj().T
            return np.asarray(full)
        assert self.small is not None
        diagonal, damped, inverse = self.small
        return np.asarray(np.diag(1.0 / diagonal) - damped @ inverse @ damped.conj().T)


def _inverse(matrix: ComplexArray) -> ComplexArray:
    """Inverse of a Hermitian matrix that is at least the identity."""
    lower = _cholesky(matrix)
    return _cholesky_solve(lower, np.eye(len(matrix), dtype=np.complex128))


def _cholesky(matrix: ComplexArray) -> ComplexArray:
    """Lower factor; a matrix that is indefinite by rounding gets a diagonal of the size of that rounding added."""
    lower, failed = lapack.zpotrf(matrix, lower=1, clean=1)
    lift = len(matrix) * np.finfo(float).eps * float(np.trace(matrix).real)
    while failed:
        lower, failed = lapack.zpotrf(matrix + lift * np.eye(len(matrix)), lower=1, clean=1)
        lift *= 10.0
    return np.asarray(lower)


def _cholesky_solve(lower: ComplexArray, right: ComplexArray) -> ComplexArray:
    found, _ = lapack.zpotrs(lower, right, lower=1)
    return np.asarray(found)


def _triangular_solve(lower: ComplexArray, right: ComplexArray) -> ComplexArray:
    found, _ = lapack.ztrtrs(lower, right, lower=1)
    return np.asarray(found)
