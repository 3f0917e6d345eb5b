"""Time of an epoch: quickstart relative to real time, and a catalogue of thousands of satellites relative to 1,680."""

from __future__ import annotations

import sys
from pathlib import Path
from tempfile import TemporaryDirectory
from time import perf_counter

import pandas as pd

import twin
from twin.simulation.run import run_setup
from twin.world.setup import Setup

ROOT = Path(__file__).resolve().parents[1]
STARLINK = ROOT.parent / "shared" / "data" / "tle" / "starlink_2026-05-30_CRLF.tle"


def timed(*overrides: str, epochs: int = 600) -> tuple[float, pd.Series]:
    """Total wall-clock seconds per epoch, and milliseconds by stage, of a quickstart with overrides."""
    scenario = twin.load_scenario(ROOT / "scenarios" / "quickstart.toml", [f"time.duration={epochs}s", *overrides])
    setup = Setup.of(scenario)
    with TemporaryDirectory() as folder:
        initial = perf_counter()
        trace = run_setup(setup, Path(folder) / "trace")
        wall_s = (perf_counter() - initial) / epochs
        stages = trace.timings.groupby("stage").wall_s.sum() / epochs * 1e3
    return wall_s, stages


def main() -> None:
    """Print the tables."""
    catalogue = Path(sys.argv[1]) if len(sys.argv) > 1 else STARLINK
    wall_s, stages = timed()
    print(f"quickstart: {wall_s * 1e3:.2f} ms per epoch of 1 s, {1.0 / wall_s:.0f} times real time")
    print(", ".join(f"{stage} {ms:.2f}" for stage, ms in stages.items()), "ms", flush=True)
    if not catalogue.is_file():
        print(f"{catalogue.name}: not found; give a large catalogue as argument")
        return
    start = "time.start=2026-05-30T12:00:00Z"
    ratios = []
    for turn in range(3):
        few, few_stages = timed(start, epochs=300)
        many, many_stages = timed(start, f"constellation.source={catalogue}", epochs=300)
        ratios.append(many / few)
        print(f"turn {turn}: 1,680 generated {few * 1e3:.2f} ms, real {many * 1e3:.2f} ms, ratio {many / few:.2f}")
        print("  ", (many_stages - few_stages).round(2).to_dict(), "ms more", flush=True)
    print(f"median ratio {sorted(ratios)[1]:.2f}")


if __name__ == "__main__":
    main()
