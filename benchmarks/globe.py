"""A global grid of terminals: hundreds of satellites serve simultaneously, each of them few terminals."""

from __future__ import annotations

import multiprocessing
import resource
from pathlib import Path
from tempfile import TemporaryDirectory

import twin
from twin.scenario import from_mapping

EPOCHS = 20
GLOBE = {
    "name": "globe",
    "time": {"duration": f"{EPOCHS}s"},
    "terminals": {
        "kind": "grid",
        "latitude_deg": [-50.0, 50.0],
        "longitude_deg": [-180.0, 180.0],
        "step_deg": 10.0,
    },
    "association": {"cluster_size": 3, "min_elevation_deg": 15.0, "every": "10s"},
    "receiver": {"draws": 16},
}


def measured() -> tuple[int, float, float, float]:
    """Number of terminals, mean number of serving satellites, median seconds per epoch, peak memory in MiB."""
    with TemporaryDirectory() as folder:
        trace = twin.run(from_mapping(GLOBE), Path(folder) / "trace")
        epoch_s = float(trace.timings.groupby("epoch").wall_s.sum().median())
        serving = float(trace.epochs.active_satellites.mean())
        terminals = int(trace.terminals.terminal.nunique())
    return terminals, serving, epoch_s, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024.0


def main() -> None:
    """Print one line."""
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        terminals, serving, epoch_s, peak_mib = pool.apply(measured)
    print(f"{terminals} terminals, {serving:.0f} satellites serving: {epoch_s:.2f} s per epoch, {peak_mib:.0f} MiB")


if __name__ == "__main__":
    main()
