"""Time of a quickstart epoch with the most detailed channel and precompensation, relative to the default ones."""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory
from time import perf_counter

import pandas as pd

import twin
from twin.simulation.run import run_setup
from twin.world.setup import Setup

Timing = tuple[float, float, pd.Series]

ROOT = Path(__file__).resolve().parents[1]
DETAILED = (
    'channel.path_loss={name="tr38811",environment="urban",atmosphere=true,scintillation=true}',
    'channel.fading={name="tr38811",environment="urban"}',
    'precompensation={name="closed_loop"}',
)
"""LOS state, clutter, shadowing, gases, scintillation, elevation-dependent Rician factors, closed-loop errors."""
EQUAL_WORK = ("precoding.change_iterations=1",)
"""A precoder with the same number of iterations whether or not LOS states have changed."""


def timed(*overrides: str, epochs: int = 200) -> Timing:
    """Milliseconds per epoch, precoder iterations per epoch, and milliseconds by stage, of a quickstart."""
    scenario = twin.load_scenario(ROOT / "scenarios" / "quickstart.toml", [f"time.duration={epochs}s", *overrides])
    setup = Setup.of(scenario)
    with TemporaryDirectory() as folder:
        initial = perf_counter()
        trace = run_setup(setup, Path(folder) / "trace")
        wall_ms = (perf_counter() - initial) / epochs * 1e3
        stages = trace.timings.groupby("stage").wall_s.sum() / epochs * 1e3
        iterations = float(trace.epochs.precoder_iterations.mean())
    return wall_ms, iterations, stages


def compare(title: str, plain: tuple[str, ...], detailed: tuple[str, ...], turns: int = 7) -> None:
    """Print both times and their ratio; each turn measures both in succession, under the same system load."""
    ratios: list[float] = []
    first: list[Timing] = []
    second: list[Timing] = []
    for turn in range(turns):
        # the order alternates
        order = [(plain, first), (detailed, second)]
        for overrides, kept in order if turn % 2 == 0 else order[::-1]:
            kept.append(timed(*overrides))
        ratios.append(second[-1][0] / first[-1][0])
    middle = turns // 2
    plain_ms, detailed_ms = (sorted(each[0] for each in kept)[middle] for kept in (first, second))
    print(
        f"{title}: plain {plain_ms:.2f} ms, detailed {detailed_ms:.2f} ms per epoch, ratio {sorted(ratios)[middle]:.2f}"
    )
    print(f"   ratios {', '.join(f'{ratio:.2f}' for ratio in sorted(ratios))}")
    print(f"   precoder iterations per epoch: {first[0][1]:.2f} and {second[0][1]:.2f}")
    more = pd.DataFrame([after[2] - before[2] for before, after in zip(first, second, strict=True)]).median()
    print("   ", more.round(2).to_dict(), "ms more", flush=True)


def main() -> None:
    """Print the comparisons."""
    timed(epochs=20)
    compare("quickstart", (), DETAILED)
    compare("precoder with equal work", EQUAL_WORK, (*DETAILED, *EQUAL_WORK))


if __name__ == "__main__":
    main()
