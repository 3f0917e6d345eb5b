# ---
# jupyter:
#   jupytext:
#     text_representation:
#       extension: .py
#       format_name: percent
# ---

# %% [markdown]
# # Handovers against rate
#
# Every policy of `scenarios/handover-study` on two constellations, evaluated from the traces alone: rates of satellite
# changes, data rates, and the bounds with complete knowledge of the ephemeris.
#
# Usage: python analysis/handover_study.py TRACES [--out DIR]
#
# `TRACES` is the folder that `scenarios/handover-study/run.py` fills, with one trace for each constellation, policy and
# seed (`walker-a3-1`). The output is `handover-study.csv` and the figure `handover-study`.

# %%
from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

import pandas as pd

import twin
from twin.metrics import Run, evaluate, over_runs
from twin.vocabulary import EventKind

BOUNDS = ("offline_optimal", "offline_trade", "max_elevation")
"""Policies of single-satellite service from the fewest handovers, over a trade-off with elevation, to the most."""
REFERENCE = "max_elevation"
"""Policy whose rates are the reference for the same seed; seeds change the terminals' places and so all rates."""
LOWEST_RATE = 0.5
"""Position of a change rate of zero on the logarithmic axis."""
FIGURES = {
    "changes_per_hour": "changes of all satellites",
    "joins_per_hour": "satellites that join",
    "hard_per_hour": "hard handovers",
    "availability": "availability",
    "mean_rate_mbps": "mean rate",
    "low_rate_mbps": "5th percentile over terminals",
    "low_epoch_rate_mbps": "5th percentile over terminals and epochs",
    "cluster_size": "satellites per terminal",
    "active_satellites": "active satellites",
    "mean_rate_ratio": "mean rate relative to max_elevation",
    "low_rate_ratio": "5th percentile over terminals relative to max_elevation",
}

# %% [markdown]
# ## Definitions
#
# A *change of all satellites* leaves no serving satellite in place: a hard handover, or service that returns after a
# gap (every `service_start` but the first). Counting hard handovers alone would flatter a policy that lets a satellite
# set before it selects another. A *satellite that joins* is every satellite that a terminal must be prepared for: those
# of changes, and those that join a cluster. Rates are `rate_bps` over all terminals and epochs; time without service
# counts as zero.


# %%
def figures(trace: twin.Trace) -> pd.Series[float]:
    """The figures of one run."""
    run = Run.of(trace)
    totals = evaluate(run).totals
    first = float((trace.table("handovers", columns=["terminal"]).terminal.nunique()) / len(run.names)) / run.hours
    changes = totals[EventKind.HARD] + totals[EventKind.SERVICE_START] - first
    return pd.Series(
        {
            "changes_per_hour": changes,
            "joins_per_hour": changes + totals[EventKind.ADD],
            "hard_per_hour": totals[EventKind.HARD],
            "availability": totals["availability"],
            "mean_rate_mbps": totals["mean_rate_bps"] / 1e6,
            "low_rate_mbps": totals["low_rate_bps"] / 1e6,
            "low_epoch_rate_mbps": totals["low_epoch_rate_bps"] / 1e6,
            "cluster_size": totals["mean_cluster_size"],
            "active_satellites": trace.table("epochs", columns=["active_satellites"]).active_satellites.mean(),
        }
    )


def collected(folder: Path) -> pd.DataFrame:
    """One row per complete run: constellation, policy, seed and figures."""
    rows = []
    for directory in sorted(folder.iterdir()):
        parts = directory.name.rsplit("-", 1)
        if not (directory / "run.json").is_file() or len(parts) != 2 or not parts[1].isdecimal():
            continue
        trace = twin.read_trace(directory)
        if trace.run["status"] != "complete":
            continue
        constellation, _, policy = parts[0].partition("-")
        rows.append({"constellation": constellation, "policy": policy, "seed": int(parts[1]), **figures(trace)})
    if not rows:
        raise SystemExit(f"{folder}: no complete trace named CONSTELLATION-POLICY-SEED")
    return compared(pd.DataFrame(rows))


def compared(runs: pd.DataFrame) -> pd.DataFrame:
    """Runs with their rates relative to the reference of the same constellation and seed; missing without one."""
    keys, rates = ["constellation", "seed"], ["mean_rate_mbps", "low_rate_mbps"]
    reference = runs[runs["policy"] == REFERENCE].set_index(keys)[rates]
    paired = runs[keys].join(reference, on=keys)
    return runs.assign(**{name.replace("_mbps", "_ratio"): runs[name] / paired[name] for name in rates})


def intervals(runs: pd.DataFrame) -> pd.DataFrame:
    """Mean and 95 % confidence interval over seeds of each figure, by constellation and policy."""
    parts = {}
    for key, own in runs.groupby(["constellation", "policy"], sort=False):
        parts[key] = over_runs([row for _, row in own[list(FIGURES)].iterrows()])
    return pd.concat(parts, names=["constellation", "policy", "figure"])


# %%
def drawn(table: pd.DataFrame, file: Path) -> None:
    """Draw mean and 5th-percentile rates over the rate of joining satellites.

    Error bars of rates are those of the ratio to the reference, so that they exclude the effect of terminal locations.
    """
    import matplotlib.pyplot as plt

    plt.rcParams["svg.hashsalt"] = "twin"
    constellations = table.index.get_level_values("constellation").unique()
    rows = len(constellations)
    figure, axes = plt.subplots(rows, 2, figsize=(12.0, 4.0 * rows), layout="constrained", squeeze=False)
    for row, constellation in zip(axes, constellations, strict=True):
        for place, name in zip(row, ("mean_rate_mbps", "low_rate_mbps"), strict=True):
            _panel(place, table.loc[constellation], name)
            place.set_title(f"{constellation}: {FIGURES[name]}")
    handles = {
        label: each for place in axes.flat for each, label in zip(*place.get_legend_handles_labels(), strict=True)
    }
    figure.legend(handles.values(), handles.keys(), loc="outside right center", fontsize="small")
    for kind in (".svg", ".png"):
        figure.savefig(file.with_suffix(kind), metadata={"Date": None} if kind == ".svg" else None)
    plt.close(figure)


def _panel(place, table: pd.DataFrame, name: str) -> None:
    import matplotlib.pyplot as plt

    policies = sorted(table.index.get_level_values("policy").unique())
    for policy in policies:
        own, colour = table.loc[policy], plt.colormaps["tab20"](_number(policy) % 20)
        across, up, together = own.loc["joins_per_hour"], own.loc[name], own.loc["cluster_size"]["mean"] > 1.05
        rate_interval = (
            own.loc[name.replace("_mbps", "_ratio")] * up["mean"] / own.loc[name.replace("_mbps", "_ratio"), "mean"]
        )
        error_bars = {
            key: [[_half(line)]] * 2
            for key, line in (("xerr", across), ("yerr", rate_interval))
            if not pd.isna(line["low"])
        }
        shape = "s" if together else "o"
        place.errorbar(across["mean"], up["mean"], fmt=shape, markersize=5, color=colour, label=policy, **error_bars)
        if together:  # the rate at which the whole cluster is replaced
            at = max(own.loc["changes_per_hour"]["mean"], LOWEST_RATE)
            place.plot([at, across["mean"]], [up["mean"]] * 2, ":", color=colour, linewidth=1.0)
    bound = [policy for policy in BOUNDS if policy in policies]
    points = [table.loc[policy].loc[["joins_per_hour", name], "mean"].tolist() for policy in bound]
    place.plot(*zip(*points, strict=True), "k--", linewidth=0.8, label="one satellite, known ephemeris")
    place.set(xlabel="joining satellites per terminal and hour", ylabel="Mbit/s per terminal", xscale="log")
    place.set(xlim=(LOWEST_RATE, 400.0), ylim=(0.0, 1.08 * place.get_ylim()[1]))
    place.set_xticks([1, 3, 10, 30, 100, 300], ["1", "3", "10", "30", "100", "300"])
    place.minorticks_off()


def _half(line: pd.Series[float]) -> float:
    """Half-width of an interval."""
    return float(line["high"] - line["low"]) / 2.0


def _number(policy: str) -> int:
    """Colour index of a policy, independent of the other policies."""
    known = ("max_elevation", "offline_optimal", "offline_trade", "a3", "d2", "longest_visibility", "scheduled")
    known += ("load_balanced", "nearest_cluster", "competition", "longest_cluster", "cf_mntn")
    return known.index(policy) if policy in known else len(known) + sum(policy.encode())


# %%
def main(words: Sequence[str] | None = None) -> None:
    """Read the command line and the traces, write table and figure."""
    parser = argparse.ArgumentParser(description="Handovers against rate, from the traces of the handover study.")
    parser.add_argument("traces", type=Path)
    parser.add_argument("--out", type=Path, default=Path())
    asked = parser.parse_args(words)
    runs = collected(asked.traces)
    asked.out.mkdir(parents=True, exist_ok=True)
    runs.to_csv(asked.out / "handover-study.csv", index=False)
    table = intervals(runs)
    drawn(table, asked.out / "handover-study")
    wide = table["mean"].unstack("figure")[list(FIGURES)].round(3)
    half = ((table["high"] - table["low"]) / 2.0).unstack("figure")[list(FIGURES)].round(3)
    seeds = runs.groupby(["constellation", "policy"]).size().rename("seeds")
    sys.stdout.write(
        f"{wide.join(seeds).to_string()}\n\nhalf-width of the 95 % interval over seeds\n{half.to_string()}\n"
    )


if __name__ == "__main__":
    main()
