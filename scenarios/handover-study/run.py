"""Run the handover study: every policy of policies.toml on every constellation with every seed.

Usage: python scenarios/handover-study/run.py [--workers N] [--source CATALOGUE] [--out DIR]

Complete runs are kept, incomplete runs are resumed.
"""

from __future__ import annotations

import argparse
import itertools
import json
import sys
import tomllib
from concurrent.futures import ProcessPoolExecutor, as_completed
from pathlib import Path
from typing import Any

import twin

HERE = Path(__file__).parent
CONSTELLATIONS = ("walker", "starlink")
SEEDS = (1, 2, 3)


def one(constellation: str, policy: str, section: dict[str, Any], seed: int, source: str | None, out: Path) -> str:
    """Run or resume one scenario; returns a line on its state."""
    directory = out / f"{constellation}-{policy}-{seed}"
    if (directory / "run.json").is_file() and twin.read_trace(directory).run["status"] == "complete":
        return f"{directory.name}: was complete"
    keys = [("seed", seed), *((f"association.{key}", value) for key, value in section.items())]
    if source is not None and constellation != "walker":
        keys.append(("constellation.source", source))
    settings = [f"{key}={json.dumps(value)}" for key, value in keys]
    scenario = twin.load_scenario(HERE / f"{constellation}.toml", settings)
    twin.run(scenario, out=directory, resume=directory.exists())
    return f"{directory.name}: done"


def main() -> None:
    """Read the command line and do all runs that are not complete."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--workers", type=int, default=1, help="number of parallel runs, one core each")
    parser.add_argument("--source", help="catalogue of the real satellites, replaces the one in starlink.toml")
    parser.add_argument("--out", type=Path, default=Path("traces/handover-study"))
    asked = parser.parse_args()
    policies = tomllib.loads((HERE / "policies.toml").read_text(encoding="utf-8"))
    limited = {policy: section.pop("only", None) for policy, section in policies.items()}
    pending = [
        (constellation, policy, policies[policy], seed)
        for seed, constellation, policy in itertools.product(SEEDS, CONSTELLATIONS, policies)
        if limited[policy] in (None, constellation)
    ]
    pending.sort(key=lambda run: limited[run[1]] is not None)  # policies with a limited set of constellations are slow
    with ProcessPoolExecutor(asked.workers, max_tasks_per_child=1) as pool:
        runs = [pool.submit(one, *run, asked.source, asked.out) for run in pending]
        for run in as_completed(runs):
            sys.stdout.write(f"{run.result()}\n")
            sys.stdout.flush()


if __name__ == "__main__":
    main()
