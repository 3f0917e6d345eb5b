"""Peak memory of runs of different lengths, each in a separate process."""

from __future__ import annotations

import multiprocessing
import resource
from pathlib import Path
from tempfile import TemporaryDirectory

import twin

ROOT = Path(__file__).resolve().parents[1]
CHEAP = ("receiver.draws=4", "precoding.name=smrt", "terminals.count=48")


def peak_mib(epochs: int) -> float:
    """Peak resident memory of a quickstart with a given number of epochs, in MiB."""
    scenario = twin.load_scenario(ROOT / "scenarios" / "quickstart.toml", [f"time.duration={epochs}s", *CHEAP])
    with TemporaryDirectory() as folder:
        twin.run(scenario, Path(folder) / "trace")
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024.0


def main() -> None:
    """Print one row per length."""
    context = multiprocessing.get_context("spawn")
    print("| epochs | peak memory, MiB |")
    print("|---|---|")
    for epochs in (300, 3_000, 30_000):
        with context.Pool(1) as pool:
            print(f"| {epochs} | {pool.apply(peak_mib, (epochs,)):.0f} |", flush=True)


if __name__ == "__main__":
    main()
