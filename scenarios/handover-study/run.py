"""Run the handover study: every policy of policies.toml on every constellation, once for each seed.

Usage: python scenarios/handover-study/run.py [--workers N] [--source CATALOGUE] [--out DIR]

Runs that are finished are left as they are, others are taken up where they stopped.
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
    """Run, or finish, one scenario; returns what was done."""
    directory = out / f"{constellation}-{policy}-{seed}"
    if (directory / "run.json").is_file() and twin.read_trace(directory).run["status"] == "complete":
        return f"{directory.name}: was there"
    keys = [("seed", seed), *((f"association.{key}", value) for key, value in section.items())]
    if source is not None and constellation != "walker":
        keys.append(("constellation.source", source))
    settings = [f"{key}={json.dumps(value)}" for key, value in keys]
    scenario = twin.load_scenario(HERE / f"{constellation}.toml", settings)
    twin.run(scenario, out=directory, resume=directory.exists())
    return f"{directory.name}: done"


def main() -> None:
    """Read the command line and run what is not there yet."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--workers", type=int, default=1, help="runs at a time, one core each")
    parser.add_argument("--source", help="catalogue of the real satellites, instead of the one in starlink.toml")
    parser.add_argument("--out", type=Path, default=Path("traces/handover-study"))
    asked = parser.parse_args()
    policies = tomllib.loads((HERE / "policies.toml").read_text(encoding="utf-8"))
    limited = {policy: section.pop("only", None) for policy, section in policies.items()}
    wanted = [
        (constellation, policy, policies[policy], seed)
        for seed, constellation, policy in itertools.product(SEEDS, CONSTELLATIONS, policies)
        if limited[policy] in (None, constellation)
    ]
    wanted.sort(key=lambda run: limited[run[1]] is not None)  # what is limited is slow
    with ProcessPoolExecutor(asked.workers, max_tasks_per_child=1) as pool:
        runs = [pool.submit(one, *run, asked.source, asked.out) for run in wanted]
        for run in as_completed(runs):
            sys.stdout.write(f"{run.result()}\n")
            sys.stdout.flush()


if __name__ == "__main__":
    main()
