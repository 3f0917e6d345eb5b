"""Convex power constraints of each satellite: Σ_k Tr W_kᴴ A_x W_k ≤ ρ_x (P1, eq. 5b)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Any, Literal

import numpy as np
from annotated_types import Ge

from twin.arrays import ComplexArray, FloatArray, NumberArray
from twin.errors import InputError
from twin.records import documented

ROUNDING = 1e-9
"""Fraction of a matrix's largest entry or eigenvalue by which it may fail to be Hermitian or positive semidefinite."""


@documented
@dataclass(frozen=True, slots=True, kw_only=True)
class PowerConstraints:
    """The constraints of one satellite with N antennas."""

    forms: FloatArray | ComplexArray
    """(X,N) diagonals of A_x, or (X,N,N) the Hermitian positive semidefinite matrices."""
    cap_w: FloatArray
    """(X,) ρ_x in W, not negative."""

    @property
    def antennas(self) -> int:
        """N."""
        return int(self.forms.shape[1])

    def total_w(self) -> float | None:
        """The equivalent cap on the total power in W; None if the constraints are not equivalent to one."""
        forms = self.forms
        if not len(forms):
            return None
        if forms.ndim == 2:
            level, even = forms[:, 0].real, bool((forms == forms[:, :1]).all())
        else:
            level = forms[:, 0, 0].real
            even = bool((forms == level[:, None, None] * np.eye(self.antennas)).all())
        if not even or not (level > 0.0).all():
            return None
        return float((self.cap_w / level).min())


def total_power(power_w: FloatArray, antennas: int) -> tuple[PowerConstraints, ...]:
    """One cap (S,) in W on the total power of each satellite."""
    return tuple(PowerConstraints(forms=np.ones((1, antennas)), cap_w=np.array([cap])) for cap in power_w)


def per_antenna(power_w: FloatArray, antennas: int) -> tuple[PowerConstraints, ...]:
    """An equal fraction of each satellite's power (S,) in W as the cap of each of its antennas."""
    each = np.eye(antennas)
    return tuple(PowerConstraints(forms=each, cap_w=np.full(antennas, cap / antennas)) for cap in power_w)


def check_constraints(constraints: Sequence[PowerConstraints], satellites: int, antennas: int) -> None:
    """Refuse constraints that do not fit the satellites.

    Raises
    ------
    InputError
        If there is not one set for each satellite, shapes differ, or a cap is negative or not finite.
    """
    if len(constraints) != satellites:
        raise InputError(f"constraints: found {len(constraints)} sets, must be one for each of {satellites} satellites")
    for row, one in enumerate(constraints):
        count, shape = len(one.cap_w), one.forms.shape
        if shape not in ((count, antennas), (count, antennas, antennas)):
            raise InputError(
                f"constraints of satellite {row}: forms of shape {shape} with {count} caps,"
                f" must be ({count}, {antennas}) or ({count}, {antennas}, {antennas})"
            )
        if not np.isfinite(one.forms).all() or not np.isfinite(one.cap_w).all() or (one.cap_w < 0.0).any():
            raise InputError(f"constraints of satellite {row}: caps must not be negative, and all numbers finite")


@documented
@dataclass(frozen=True, slots=True, kw_only=True)
class PowerCap:
    """A cap on part of a satellite's power; exactly one of ``matrix``, ``antennas`` and ``file`` gives the part."""

    share: Annotated[float, Ge(0.0)]
    """ρ as a fraction of the satellite's power."""
    matrix: tuple[tuple[float, ...], ...] | None = None
    """N rows of N numbers: A, or its real part."""
    imaginary: tuple[tuple[float, ...], ...] | None = None
    """The imaginary part of A, with ``matrix``."""
    antennas: tuple[int, ...] | None = None
    """Antennas, numbered from 0 row by row, whose powers add up."""
    file: str | None = None
    """A .npy file with A (N,N)."""


def constraints_of_options(
    constraint: Literal["total", "per_antenna"], caps: Sequence[PowerCap], power_w: FloatArray, antennas: int
) -> tuple[PowerConstraints, ...]:
    """The constraints of satellites with powers (S,) in W that options ask for.

    Caps replace ``constraint``; the total power of each satellite remains a limit.

    Raises
    ------
    InputError
        If a cap's matrix cannot be read or is not valid.
    """
    if not caps:
        return (total_power if constraint == "total" else per_antenna)(power_w, antennas)
    try:
        found = [form(cap, f"caps[{place}]", antennas) for place, cap in enumerate(caps)]
    except ValueError as error:
        raise InputError(str(error)) from None
    forms: Any
    if all(one.ndim == 1 for one in found):
        forms = np.stack([*found, np.ones(antennas)])
    else:
        forms = np.stack([np.diag(one) if one.ndim == 1 else one for one in [*found, np.ones(antennas)]])
    fractions = np.array([*(cap.share for cap in caps), 1.0])
    return tuple(PowerConstraints(forms=forms, cap_w=fractions * one) for one in power_w)


def form(cap: PowerCap, where: str, antennas: int) -> NumberArray:
    """A as its diagonal (N,) if it is diagonal, otherwise (N,N).

    Parameters
    ----------
    cap
        The cap.
    where
        Key for messages.
    antennas
        N.

    Raises
    ------
    ValueError
        If it is not given exactly once, or is no Hermitian positive semidefinite matrix of N rows.
    """
    given = [key for key in ("matrix", "antennas", "file") if getattr(cap, key) is not None]
    if len(given) != 1:
        found = " and ".join(given) or "none"
        raise ValueError(f"{where}: give exactly one of matrix, antennas and file, found {found}")
    if cap.imaginary is not None and cap.matrix is None:
        raise ValueError(f"{where}.imaginary: needs matrix as well")
    if cap.antennas is not None:
        return _selection(cap.antennas, f"{where}.antennas", antennas)
    matrix = _read(cap.file, f"{where}.file") if cap.file is not None else _written(cap, where)
    return _semidefinite(matrix, f"{where}.{given[0]}", antennas)


def _selection(chosen: tuple[int, ...], where: str, antennas: int) -> FloatArray:
    """Ones at the chosen antennas."""
    outside = [index for index in chosen if not 0 <= index < antennas]
    if outside:
        raise ValueError(f"{where}: found antenna {outside[0]}, must be from 0 to {antennas - 1}")
    diagonal = np.zeros(antennas)
    diagonal[list(chosen)] = 1.0
    return diagonal


def _written(cap: PowerCap, where: str) -> ComplexArray:
    """The matrix of the options."""
    parts = []
    for key, rows in (("matrix", cap.matrix), ("imaginary", cap.imaginary)):
        if rows is not None and any(len(row) != len(rows) for row in rows):
            raise ValueError(f"{where}.{key}: rows of {sorted({len(row) for row in rows})} numbers, must be square")
        parts.append(np.zeros((0, 0)) if rows is None else np.array(rows, dtype=np.float64).reshape(len(rows), -1))
    if cap.imaginary is None:
        return np.asarray(parts[0] + 0j)
    if parts[0].shape != parts[1].shape:
        raise ValueError(f"{where}.imaginary: {len(parts[1])} rows, must be {len(parts[0])} as matrix has")
    return np.asarray(parts[0] + 1j * parts[1])


def _read(path: str, where: str) -> ComplexArray:
    """The matrix of a file."""
    try:
        read = np.load(path, allow_pickle=False)
    except (OSError, ValueError, EOFError) as error:
        raise ValueError(f"{where}: cannot read {path} as a .npy array ({error})") from None
    if not isinstance(read, np.ndarray) or not np.issubdtype(read.dtype, np.number):
        raise ValueError(f"{where}: {path} holds no array of numbers")
    return np.asarray(read, dtype=np.complex128)


def _semidefinite(matrix: ComplexArray, where: str, antennas: int) -> NumberArray:
    if matrix.shape != (antennas, antennas):
        raise ValueError(f"{where}: found shape {matrix.shape}, must be ({antennas}, {antennas}) as the array has")
    if not np.isfinite(matrix).all():
        raise ValueError(f"{where}: all numbers must be finite")
    size = float(np.abs(matrix).max(initial=0.0))
    asymmetry = float(np.abs(matrix - matrix.conj().T).max(initial=0.0))
    if asymmetry > ROUNDING * size:
        raise ValueError(
            f"{where}: must be Hermitian, found entries that differ by {asymmetry:.3g} across the diagonal"
        )
    matrix = 0.5 * (matrix + matrix.conj().T)
    least = float(np.linalg.eigvalsh(matrix).min(initial=0.0))
    if least < -ROUNDING * size:
        raise ValueError(f"{where}: must be positive semidefinite, its least eigenvalue is {least:.3g}")
    diagonal = np.diagonal(matrix)
    return np.asarray(diagonal.real.copy() if np.array_equal(matrix, np.diag(diagonal)) else matrix)
