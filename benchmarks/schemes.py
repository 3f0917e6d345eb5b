"""Cold-start time of every precoder at the sizes of the papers on one core, and of the literal implementations."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from statistics import median
from time import perf_counter
from typing import Any

import numpy as np
import threadpoolctl

from benchmarks.literal import LITERAL, seconds_per_iteration
from benchmarks.precoder import problem as papers_problem
from twin.precoding import Precoding, PrecodingProblem
from twin.radio.channel import PlanarArray, draw_channels
from twin.radio.synchronisation import draw_phase_errors
from twin.registry import of_kind

REPEATS = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """One row of the table."""

    precoder: str
    size: str
    problem: Callable[[], PrecodingProblem]
    options: dict[str, Any] = field(default_factory=dict)
    literal: dict[str, Any] | None = field(default_factory=dict)
    """Arguments of the literal implementation; None means that there is none or that it would take days."""


def cooperative() -> PrecodingProblem:
    """K = 48, S = 5, N = 256, one antenna."""
    return papers_problem(16)


def several_antennas() -> PrecodingProblem:
    """K = 48, S = 5, N = 256, with 2 x 2 elements at the terminals."""
    scene = papers_problem(16)
    rng = np.random.default_rng(1)
    arrival = rng.uniform(-0.7, 0.7, (*scene.serving.shape, 2))
    csi = replace(
        scene.csi,
        receive_steering=PlanarArray(rows=2, columns=2).steering(arrival),
        terminal_elements=np.full(scene.serving.shape[1], 4),
        gain=scene.csi.gain * 4.0,
    )
    return replace(scene, csi=csi)


def incoherent() -> PrecodingProblem:
    """P1: L = 8, K = 6, linear array of N = 64, M = 4."""
    rng = np.random.default_rng(2)
    shape = (8, 6)
    scene = papers_problem(16)
    departure, arrival = (np.stack([rng.uniform(-0.9, 0.9, shape), np.zeros(shape)], axis=-1) for _ in range(2))
    csi = replace(
        scene.csi,
        norad_id=np.arange(8),
        array=PlanarArray(rows=1, columns=64),
        departure=departure,
        gain=64 * 4 * 10.0 ** rng.uniform(-15.5, -14.5, shape),
        rician=np.full(shape, 10.0**1.2),
        mean_phase=np.zeros(shape),
        receive_steering=PlanarArray(rows=1, columns=4).steering(arrival),
        terminal_elements=np.full(6, 4),
        noise_w=np.full(6, 1e-13),
    )
    return PrecodingProblem(
        csi=csi,
        serving=np.ones(shape, dtype=np.bool_),
        master=csi.gain.argmax(axis=0),
        power_w=np.full(8, 1.0),
        weight=np.ones(6),
    )


COOPERATIVE, SEVERAL, INCOHERENT = "K=48 S=5 N=256", "K=48 S=5 N=256 M=4 L=2", "K=6 S=8 N=64 M=4 L=3"
PLAIN = (
    "ss_mmse",
    "smrt",
    "szf",
    "slnr",
    "ss_smrt",
    "spot_beam",
    "imrt",
    "cdwmmse_exact_power",
    "genie",
    "ergodic_wmmse",
)
CASES = [
    *[
        Case(precoder=name, size=COOPERATIVE, problem=cooperative)
        for name in ("ms_jo_cdwmmse", "ms_jo_wmmse", "ms_sep_wmmse", "ss_wmmse")
    ],
    *[Case(precoder=name, size=COOPERATIVE, problem=cooperative, literal=None) for name in PLAIN],
    Case(
        precoder="ms2_cdwm",
        size=SEVERAL + ", 48 beams",
        problem=several_antennas,
        options={"streams": 2, "beam_selection": "lcms", "beams": 48},
        literal={"streams": 2, "beams": 48},
    ),
    Case(precoder="ms2_cdwm", size=SEVERAL, problem=several_antennas, options={"streams": 2}, literal=None),
    Case(
        precoder="ms2_cdwm",
        size=SEVERAL + ", 48 beams near_opt",
        problem=several_antennas,
        options={"streams": 2, "beam_selection": "near_opt", "beams": 48},
        literal=None,
    ),
    *[
        Case(precoder=name, size=SEVERAL, problem=several_antennas, options={"streams": 2}, literal=None)
        for name in ("ms2_cdm", "lib", "ms2_dft")
    ],
    Case(precoder="joint_ncjt", size=INCOHERENT, problem=incoherent, options={"streams": 3}, literal={"streams": 3}),
    Case(
        precoder="joint_ncjt",
        size=INCOHERENT + ", per-antenna constraint",
        problem=incoherent,
        options={"streams": 3, "constraint": "per_antenna"},
        literal=None,
    ),
    Case(precoder="streamwise", size=INCOHERENT, problem=incoherent, options={"streams": 3}, literal={"streams": 3}),
    *[
        Case(precoder=name, size=INCOHERENT, problem=incoherent, options={"streams": 3}, literal=None)
        for name in ("mmse", "zf")
    ],
    Case(precoder="mrt_tdma", size=INCOHERENT, problem=incoherent, literal=None),
]


def main() -> None:
    """Print one row per case."""
    print("| precoder | size | iterations | cold, ms | literal, s | ratio |")
    print("|---|---|---|---|---|---|")
    with threadpoolctl.threadpool_limits(1):
        for case in CASES:
            print(_row(case), flush=True)


def _row(case: Case) -> str:
    times, found = zip(*[_timed(case) for _ in range(REPEATS)], strict=True)
    structured_s, iterations = median(times), found[0].iterations
    start = f"| `{case.precoder}` | {case.size} | {iterations} | {structured_s * 1e3:.1f} |"
    if case.literal is None or case.precoder not in LITERAL:
        return start + " | |"
    printed_s = seconds_per_iteration(case.precoder, case.problem(), **case.literal) * iterations
    return start + f" {printed_s:.1f} | {printed_s / structured_s:.0f} |"


def _timed(case: Case) -> tuple[float, Precoding]:
    """Wall-clock time of one solution, including realisations, from a problem without cached values."""
    scene, entry = case.problem(), of_kind("precoder")[case.precoder]
    csi = scene.csi
    phases = draw_phase_errors(np.full(csi.gain.shape, 0.5), csi.norad_id, draws=32, seed=1, epoch=0, reach=csi.reach)
    draws = draw_channels(csi, phases, seed=1, epoch=0)
    scene = replace(scene, csi=replace(csi))  # without cached values
    options = entry.options(**case.options)
    begun = perf_counter()
    found: Precoding = entry.model(scene, options=options)
    if found.weights.rule is not None:
        found.weights.rule.realised(found.weights, scene.csi, draws, scene.serving, seed=1, epoch=0)
    return perf_counter() - begun, found


if __name__ == "__main__":
    main()
