"""The scenarios whose rows are recorded: those that are shipped, and one for each feature of the loop."""

from __future__ import annotations

import copy
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
STARLINK = ROOT.parent / "shared" / "data" / "tle" / "starlink_2026-05-30_CRLF.tle"
OLDER = STARLINK.with_name("starlink_2026-05-23_CRLF.tle")

_SMALL: dict[str, Any] = {
    "seed": 11,
    "time": {"start": "2026-01-01T00:00:00Z", "duration": "120s", "epoch": "1s"},
    "constellation": {"walker": {"planes": 24, "per_plane": 30}},
    "satellites": {"array": {"rows": 6, "columns": 6, "element_gain_dbi": 6.0}},
    "terminals": {"kind": "disc", "latitude_deg": 45.0, "longitude_deg": 10.0, "radius_km": 500.0, "count": 12},
    "association": {"name": "nearest_cluster", "cluster_size": 3, "min_elevation_deg": 20.0, "every": "5s"},
    "precoding": {"name": "ms_jo_cdwmmse"},
    "receiver": {"draws": 6},
    "trace": {"links": True, "candidates": True},
}
_ABSENCE = [
    {"kind": "absence", "terminals": ["ut-03", "ut-04"], "until": "33500ms"},
    {"kind": "absence", "terminals": ["ut-05"], "from": "40s", "until": "81s"},
    {"kind": "outage", "satellites": ["WALKER*"], "from": "70s", "until": "75500ms"},
]
_BELIEF = {
    "orbit": {"along_track_km": 1.0, "cross_track_km": 0.1, "radial_km": 0.1, "every": "1h"},
    "attitude": {"roll_deg": 0.2, "pitch_deg": 0.1, "yaw_deg": 0.1},
    "position": {"horizontal_km": 0.05, "every": "30s", "latency": "2s"},
    "clock": {"satellite_ns": 20.0, "terminal_ns": 5.0, "satellite_ppb": 0.01, "every": "1h"},
}

FEATURES: dict[str, dict[str, Any]] = {
    "plain": {},
    "latency": {"precoding.latency": "300ms"},
    "latency-across-a-block": {"precoding.latency": "2500ms", "precoding.restart_epochs": 20},
    "csi-age": {"precoding.csi_age": "2s", "precoding.csi_jitter": "1s"},
    "cadence": {"precoding.every": "7s", "association.every": "7s"},
    "cadence-without-handovers": {"precoding.every": "45s", "precoding.on_handover": False, "time.duration": "135s"},
    "imrt": {"precoding.name": "imrt"},
    "genie": {"precoding.name": "genie", "time.duration": "70s", "terminals.count": 5},
    "belief": {"belief": _BELIEF, "precompensation.name": "open_loop"},
    "closed-loop": {"precompensation.name": "closed_loop"},
    "prediction-age": {
        "precompensation": {"name": "residual", "prediction_age": "100ms"},
        "belief": {"clock": _BELIEF["clock"]},
    },
    "events": {
        "events": _ABSENCE,
        "association": {
            "name": "strongest",
            "every": "2s",
            "min_elevation_deg": 20.0,
            "preparation": "1200ms",
            "execution": "700ms",
            "timeout": "4s",
            "capacity": 4,
        },
    },
    "attempts": {
        "events": [{"kind": "outage", "satellites": ["WALKER-0[0-9]-*"], "from": "61s", "until": "62s"}],
        "association": {
            "name": "competition",
            "satellites_per_terminal": 3,
            "every": "1s",
            "min_elevation_deg": 25.0,
            "preparation": "1700ms",
            "execution": "2500ms",
            "timeout": "3s",
            "capacity": 1,
        },
    },
    "a3": {"association": {"name": "a3", "every": "1s", "min_elevation_deg": 15.0, "min_dwell": "8s"}},
    "beams": {
        "association": {"name": "spot_beam", "every": "2s", "beam_execution": "300ms", "min_elevation_deg": 15.0},
        "precoding.name": "spot_beam",
    },
    "competition": {"association": {"name": "competition", "every": "5s", "satellites_per_terminal": 2, "capacity": 5}},
    "cell-free": {
        "association": {"name": "cf_mntn", "every": "20s", "min_elevation_deg": 30.0},
        "precoding.name": "szf",
        "terminals.count": 5,
        "time.duration": "45s",
    },
    "longest": {"association": {"name": "longest_visibility", "every": "5s", "cluster_size": 2}},
    "tr38811": {
        "channel": {
            "path_loss": {"name": "tr38811", "environment": "urban"},
            "fading": {"name": "tr38811", "environment": "urban"},
        },
        "precompensation.name": "closed_loop",
        "time.duration": "70s",
    },
    "twenty": {"terminals.count": 20},
    "fifty": {"terminals.count": 50, "time.duration": "65s"},
    "partial-reach": {
        "terminals": {
            "kind": "grid",
            "latitude_deg": [0.0, 40.0],
            "longitude_deg": [0.0, 60.0],
            "step_deg": 10.0,
        },
        "time.duration": "65s",
        "association.scope": "terminal",
    },
    "coherent": {"receiver.interference": "coherent", "time.duration": "65s"},
    "by-delay": {"receiver.interference": "by_delay", "receiver.knowledge": "mean_only", "time.duration": "65s"},
    "several-antennas": {
        "terminals.antenna": {"rows": 2, "columns": 2},
        "precoding": {"name": "ms2_cdwm", "streams": 2},
        "time.duration": "65s",
    },
    "noncoherent": {
        "terminals.antenna": {"rows": 1, "columns": 2},
        "precoding": {"name": "joint_ncjt", "streams": 2},
        "time.duration": "65s",
        "terminals.count": 6,
    },
    "time-division": {"precoding.name": "mrt_tdma", "time.duration": "20s"},
    "exact-power": {"precoding.name": "cdwmmse_exact_power", "time.duration": "65s"},
}
"""What differs from the small scenario: sections, or single ``section.key`` entries."""

SHIPPED = {
    "quickstart": ("quickstart.toml", {}),
    "moving": ("moving.toml", {}),
    "starlink-hour": ("starlink-hour.toml", {"time.duration": "90s", "constellation.source": STARLINK}),
    "study-walker": ("handover-study/walker.toml", {"time.duration": "90s"}),
    "study-starlink": ("handover-study/starlink.toml", {"time.duration": "30s", "constellation.source": STARLINK}),
    "old-elements": (
        "starlink-hour.toml",
        {"time.duration": "20s", "constellation.source": STARLINK, "belief": {"source": str(OLDER)}},
    ),
}
"""File, and what differs from it: shorter runs, and catalogues that stand beside the project."""


def feature(name: str) -> dict[str, Any]:
    """The scenario of one feature, as plain data."""
    tree = copy.deepcopy(_SMALL)
    tree["name"] = name
    return _changed(tree, FEATURES[name])


def shipped(name: str) -> dict[str, Any]:
    """A shipped scenario, as plain data with every path absolute."""
    file, changes = SHIPPED[name]
    path = ROOT / "scenarios" / file
    tree = tomllib.loads(path.read_text())
    if "base" in tree:
        base = tomllib.loads((path.parent / tree.pop("base")).read_text())
        tree = base | tree
    tree.get("constellation", {}).pop("source", None)
    return _changed(tree, {key: str(value) if isinstance(value, Path) else value for key, value in changes.items()})


def _changed(tree: dict[str, Any], changes: Mapping[str, Any]) -> dict[str, Any]:
    for path, value in changes.items():
        *folders, key = path.split(".")
        place = tree
        for folder in folders:
            place = place.setdefault(folder, {})
        place[key] = copy.deepcopy(value)
    if "walker" in tree.get("constellation", {}) and tree["constellation"].get("source"):
        del tree["constellation"]["walker"]
    return tree
