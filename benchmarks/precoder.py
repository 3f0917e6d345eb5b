"""The structured precoder relative to the printed one: K = 48 terminals, S = 5 satellites, ten iterations, same W."""

from __future__ import annotations

from statistics import median
from time import perf_counter

import numpy as np
import threadpoolctl

from benchmarks.printed import printed_cdwmmse
from twin.precoding import PrecodingProblem
from twin.precoding.joint import JointOptions
from twin.precoding.wmmse import ms_jo_cdwmmse
from twin.radio.channel import PlanarArray, StatisticalCsi

OPTIONS = JointOptions(iterations=10, tolerance_bit=0.0)


def problem(side: int, *, seed: int = 0) -> PrecodingProblem:
    """A scene of the size in the papers: satellites at 600 km, terminals within 800 km of the centre."""
    rng = np.random.default_rng(seed)
    satellites, terminals = 5, 48
    ground = 800.0 * np.sqrt(rng.random(terminals)) * np.exp(2j * np.pi * rng.random(terminals))
    above = 500.0 * np.sqrt(rng.random(satellites)) * np.exp(2j * np.pi * rng.random(satellites))
    away = ground - above[:, None]
    range_km = np.hypot(600.0, np.abs(away))
    gain_db = 6.0 + 10.0 * np.log10(side * side) - 32.45 - 20.0 * np.log10(range_km * 2000.0)
    csi = StatisticalCsi(
        norad_id=np.arange(satellites),
        array=PlanarArray(rows=side, columns=side),
        departure=np.stack([away.real, away.imag], axis=-1) / range_km[..., None],
        gain=10.0 ** (gain_db / 10.0),
        rician=np.full((satellites, terminals), 10.0**2.5),
        mean_phase=np.full((satellites, terminals), np.exp(-0.25)),
        receive_steering=np.ones((satellites, terminals, 1), dtype=np.complex128),
        isotropic_scattering=False,
        terminal_elements=np.ones(terminals, dtype=np.int64),
        noise_w=np.full(terminals, 6.02e-16),
    )
    return PrecodingProblem(
        csi=csi,
        serving=np.ones((satellites, terminals), dtype=np.bool_),
        master=np.zeros(terminals, dtype=np.int64),
        power_w=np.full(satellites, 10.0**0.5),
        weight=np.ones(terminals),
    )


def main() -> None:
    """Print one row per array size."""
    print("| N | printed, s | structured, ms | ratio | largest relative difference of w_k |")
    print("|---|---|---|---|---|")
    for side in (10, 16):
        scene = problem(side)
        begun = perf_counter()
        expected = printed_cdwmmse(scene, OPTIONS.iterations)
        printed_s = perf_counter() - begun
        with threadpoolctl.threadpool_limits(1):
            structured_s = median(_timed(scene) for _ in range(15))
            found = ms_jo_cdwmmse(scene, options=OPTIONS).weights.antenna()[..., 0]
        difference = np.linalg.norm(found - expected, axis=(0, 2)) / np.linalg.norm(expected, axis=(0, 2))
        print(
            f"| {side * side} | {printed_s:.1f} | {structured_s * 1e3:.1f} | {printed_s / structured_s:.0f}"
            f" | {difference.max():.0e} |",
            flush=True,
        )


def _timed(scene: PrecodingProblem) -> float:
    """Wall-clock time of one solution, from a problem without cached values."""
    fresh = problem(scene.csi.array.rows)
    begun = perf_counter()
    ms_jo_cdwmmse(fresh, options=OPTIONS)
    return perf_counter() - begun


if __name__ == "__main__":
    main()
