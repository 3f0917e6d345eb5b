"""The literal algorithms of the tests in double precision with the LAPACK solver, for a fair comparison of speed.

The tests run them in extended precision with textbook elimination, which is several hundred times slower.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from time import perf_counter
from types import ModuleType
from typing import Any

import numpy as np

from tests.helpers.p1_problem import effective
from tests.literal import p1_joint, p1_streamwise, p2_cdwm, p2_channel, p2_linear, p3_cdwmmse, p3_matrices, p3_wmmse
from twin.precoding import PrecodingProblem
from twin.precoding.beamspace.codebook import ActiveBeams, Codebook
from twin.precoding.beamspace.selection import BeamOptions, active_beams

MODULES = (p2_cdwm, p2_channel, p2_linear, p3_cdwmmse, p3_matrices, p3_wmmse)


class _DoublePrecision:
    """NumPy with its extended types replaced by double precision."""

    longdouble, clongdouble = np.float64, np.complex128

    def __getattr__(self, name: str) -> Any:
        return getattr(np, name)


@contextmanager
def _double_precision() -> Iterator[None]:
    """Switch the literal modules to double precision within the context."""
    kept = [(module, dict(vars(module))) for module in MODULES]
    for module in MODULES:
        module.np = _DoublePrecision()  # type: ignore[attr-defined]
        if hasattr(module, "solve"):
            module.solve = _solve  # type: ignore[attr-defined]
    try:
        yield
    finally:
        for module, names in kept:
            _restore(module, names)


def _restore(module: ModuleType, names: dict[str, Any]) -> None:
    module.np = names["np"]  # type: ignore[attr-defined]
    if "solve" in names:
        module.solve = names["solve"]  # type: ignore[attr-defined]


def _solve(matrix: Any, right: Any) -> Any:
    right = np.asarray(right)
    return np.linalg.solve(matrix, right[:, None])[:, 0] if right.ndim == 1 else np.linalg.solve(matrix, right)


def seconds_per_iteration(name: str, problem: PrecodingProblem, **options: Any) -> float:
    """Wall-clock seconds of the first iteration of a literal algorithm, including its set-up."""
    solve = LITERAL[name]
    with _double_precision():
        begun = perf_counter()
        solve(problem, **options)
        return perf_counter() - begun


def _family(algorithm: Callable[..., Any]) -> Callable[..., Any]:
    def solve(problem: PrecodingProblem) -> Any:
        csi = problem.csi
        return algorithm(
            csi.gain,
            csi.rician,
            csi.steering(),
            csi.mean_phase,
            problem.power_w,
            csi.noise_w,
            problem.weight,
            problem.serving,
            I_max=1,
        )

    return solve


def _ss_wmmse(problem: PrecodingProblem) -> Any:
    return _family(p3_wmmse.ms_sep_wmmse)(problem.alone())


def _ms2_cdwm(problem: PrecodingProblem, *, streams: int, beams: int | None = None) -> Any:
    csi = problem.csi
    satellites, terminals = problem.serving.shape
    if beams is None:
        codebook = Codebook(array=csi.array)
        active = ActiveBeams.of(codebook, np.tile(np.arange(codebook.size), (satellites, 1)))
    else:
        chosen = active_beams(problem, BeamOptions(beam_selection="lcms", beams=beams))
        assert chosen is not None
        active = chosen
    matrices = csi.array.steering(active.departure).conj().swapaxes(1, 2)
    u = csi.receive_steering
    return p2_cdwm.ms2_cdwm(
        csi.gain,
        csi.rician,
        u,
        u[..., :, None] * u[..., None, :].conj(),
        csi.mean_phase,
        csi.steering(),
        list(matrices),
        [np.eye(matrices.shape[2])] * satellites,
        problem.power_w,
        csi.noise_w,
        problem.weight,
        problem.serving,
        np.full(terminals, streams),
        I_max=1,
    )


def _joint_ncjt(problem: PrecodingProblem, *, streams: int, antennas: bool = False) -> Any:
    csi = problem.csi
    elements = csi.array.elements
    caps = (
        p1_joint.per_antenna(np.repeat(problem.power_w[:, None] / elements, elements, axis=1))
        if antennas
        else p1_joint.total_power(problem.power_w, elements)
    )
    return p1_joint.joint(effective(problem), csi.noise_w, caps, streams, active=problem.serving, I_max=1)


def _streamwise(problem: PrecodingProblem, *, streams: int) -> Any:
    return p1_streamwise.streamwise(effective(problem), problem.csi.noise_w, problem.power_w, streams, I_max=1)


LITERAL: dict[str, Callable[..., Any]] = {
    "ms_jo_cdwmmse": _family(p3_cdwmmse.ms_jo_cdwmmse),
    "ms_jo_wmmse": _family(p3_wmmse.ms_jo_wmmse),
    "ms_sep_wmmse": _family(p3_wmmse.ms_sep_wmmse),
    "ss_wmmse": _ss_wmmse,
    "ms2_cdwm": _ms2_cdwm,
    "joint_ncjt": _joint_ncjt,
    "streamwise": _streamwise,
}
