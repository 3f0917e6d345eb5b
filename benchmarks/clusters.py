"""Time of one joint decision on clusters and powers (cf_mntn), relative to Algorithm 1 of P5 as printed."""

from __future__ import annotations

import warnings
from time import perf_counter
from typing import Final

import numpy as np
from threadpoolctl import threadpool_limits

from tests.literal import p5_allocation
from twin.association.cell_free import (
    Allocation,
    Beams,
    CellFreeOptions,
    Coefficients,
    Interference,
    clusters,
    coefficients_of,
)
from twin.constants import LIGHT_SPEED_M_S
from twin.radio.channel import PlanarArray, StatisticalCsi

SATELLITES, TERMINALS, LOAD = 20, 10, 8
SCENES: Final = 8
CARRIER_HZ: Final = 5e9
HEIGHT_KM, SPEED_KM_S = 550.0, 7.6
POWER_W: Final = 10.0
KINDS: Final[tuple[tuple[Beams, Interference], ...]] = (
    ("smrt", "coherent"),
    ("smrt", "independent"),
    ("szf", "coherent"),
)
NOISES_DBM: Final = (-140.0, -100.0)
"""Noise power of P5, below the thermal noise, and one that limits the rates."""
ANTENNAS: Final = 8
LATER_S: Final = 5.0


def statistics(seed: int, noise_dbm: float, after_s: float = 0.0) -> StatisticalCsi:
    """Satellites over 700 km by 700 km moving along one side, terminals in a disc of 200 km radius below them."""
    rng = np.random.default_rng([5, seed])
    satellite = np.column_stack([rng.uniform(-350.0, 350.0, (SATELLITES, 2)), np.full(SATELLITES, HEIGHT_KM)])
    satellite[:, 0] += SPEED_KM_S * after_s
    radius, angle = 200.0 * np.sqrt(rng.random(TERMINALS)), 2.0 * np.pi * rng.random(TERMINALS)
    terminal = np.column_stack([radius * np.cos(angle), radius * np.sin(angle), np.zeros(TERMINALS)])
    line = terminal - satellite[:, None]
    range_km = np.linalg.norm(line, axis=-1)
    wave_km = LIGHT_SPEED_M_S / CARRIER_HZ / 1e3
    return StatisticalCsi(
        norad_id=np.arange(1, SATELLITES + 1),
        array=PlanarArray(rows=ANTENNAS, columns=ANTENNAS),
        departure=line[..., :2] / range_km[..., None],
        gain=ANTENNAS**2 * 2.0 * (wave_km / (4.0 * np.pi * range_km)) ** 2,
        rician=10.0 ** rng.uniform(1.5, 2.0, range_km.shape),
        mean_phase=np.ones(range_km.shape),
        receive_steering=np.ones((*range_km.shape, 1), dtype=np.complex128),
        isotropic_scattering=False,
        terminal_elements=np.ones(TERMINALS, dtype=np.int64),
        noise_w=np.full(TERMINALS, 10.0 ** (noise_dbm / 10.0 - 3.0)),
        carrier_phase_rad=-2.0 * np.pi * np.mod(range_km / wave_km, 1.0),
    )


def coefficients(csi: StatisticalCsi, beams: Beams, interference: Interference) -> Coefficients:
    """Coefficients of the power problem."""
    return coefficients_of(csi, np.full(SATELLITES, POWER_W), beams=beams, interference=interference)


def timed(
    csi: StatisticalCsi, beams: Beams, interference: Interference, start: Allocation | None = None
) -> tuple[float, Allocation]:
    """Seconds of one decision, including its coefficients."""
    begun = perf_counter()
    problem = coefficients(csi, beams, interference)
    options = CellFreeOptions(terminals_per_satellite=LOAD, tolerated_loss=0.05)
    found = clusters(problem, np.ones((SATELLITES, TERMINALS), dtype=np.bool_), options=options, start=start)
    return perf_counter() - begun, found


def printed_s(coefficients: Coefficients) -> float:
    """Seconds of the first successive approximation of Algorithm 1 with cvxpy."""
    interference = np.moveaxis(coefficients.spread, 0, -1), np.moveaxis(coefficients.leak, 0, -1)
    everyone = np.ones((SATELLITES, TERMINALS), dtype=np.bool_)
    begun = perf_counter()
    p5_allocation.sca(coefficients.signal.T, *interference, coefficients.noise_w, None, everyone, LOAD, tolerance=1e-2)
    return perf_counter() - begun


def line(noise_dbm: float, beams: Beams, interference: Interference) -> str:
    """Times of the decisions with one kind of beams and interference."""
    cold = [timed(statistics(seed, noise_dbm), beams, interference) for seed in range(SCENES)]
    later = [statistics(seed, noise_dbm, after_s=LATER_S) for seed in range(SCENES)]
    warm = [timed(csi, beams, interference, found) for csi, (_, found) in zip(later, cold, strict=True)]
    cold_ms, warm_ms = (np.array([seconds for seconds, _ in kind]) * 1e3 for kind in (cold, warm))
    kept = sum(found.reason == "kept" for _, found in warm)
    one_s = printed_s(coefficients(statistics(0, noise_dbm), beams, interference))
    passes = max(cold[0][1].iterations - 1, 1)
    return (
        f"{beams}, {interference}, noise {noise_dbm:.0f} dBm: cold {cold_ms.mean():.0f} (worst {cold_ms.max():.0f}),"
        f" {LATER_S:.0f} s later {warm_ms.mean():.0f} (worst {warm_ms.max():.0f}; {kept} clusters kept);"
        f" printed {one_s:.1f} s a pass, {passes} passes: ratio {one_s * passes / cold[0][0]:.0f}"
    )


def main() -> None:
    """Print one line per kind of beams, interference and noise."""
    print(f"{SATELLITES} satellites, {TERMINALS} terminals, at most {LOAD} a satellite, {SCENES} scenes; ms")
    with threadpool_limits(1), warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # cvxpy warns of inaccurate solutions
        timed(statistics(99, NOISES_DBM[0]), *KINDS[0])  # excludes imports and compilation at first use
        for noise_dbm in NOISES_DBM:
            for kind in KINDS:
                print(f"  {line(noise_dbm, *kind)}", flush=True)


if __name__ == "__main__":
    main()
