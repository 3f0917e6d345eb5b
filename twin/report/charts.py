"""The figures of a report with captions; drawn by matplotlib without a display."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from io import BytesIO
from typing import Any, Final

import matplotlib
import numpy as np
from matplotlib import dates
from matplotlib.figure import Figure
from numpy.typing import NDArray

from twin.metrics.events import KINDS
from twin.metrics.stays import complete
from twin.records import documented
from twin.report.findings import Findings
from twin.vocabulary import EventKind

Real = NDArray[np.float64]

MAX_BINS: Final = 400
"""Maximum number of points of a line over time."""
MAX_BARS: Final = 60
MAX_QUANTILES: Final = 1000
WIDE, NARROW, HIGH = 9.0, 4.4, 2.8
COLOURS: Final = ("#1b6ca8", "#d1495b", "#3a9e6f", "#edae49", "#7a5195", "#8d99ae", "#003d5b")
FEW: Final = 20
"""Lines with fewer points have markers, because a line through a single point is invisible."""
STYLE: Final[Any] = {
    "svg.fonttype": "none",  # text is stored as text, in the font of the reader
    "svg.hashsalt": "twin",  # equal runs give equal bytes
    "font.size": 9.0,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "grid.color": "#e6e6e6",
    "axes.axisbelow": True,
}


@documented
@dataclass(frozen=True, slots=True)
class Chart:
    """One figure."""

    title: str
    """Title above the chart."""
    caption: str
    """Text below the chart."""
    width: float
    """Inches."""
    svg: bytes
    """Picture as an SVG document."""


Draw = Callable[[Findings, Any], str | None]
"""Draws into axes and returns the caption; None means that there is nothing to show."""


def charts(findings: Findings) -> list[Chart]:
    """All figures that have data."""
    drawn = (_chart(findings, *chart) for chart in CHARTS)
    return [chart for chart in drawn if chart is not None]


def _chart(findings: Findings, title: str, width: float, draw: Draw) -> Chart | None:
    with matplotlib.rc_context(STYLE):
        figure = Figure(figsize=(width, HIGH), layout="constrained")
        caption = draw(findings, figure.add_subplot())
        if caption is None:
            return None
        out = BytesIO()
        figure.savefig(out, format="svg", metadata={"Date": None})
    svg = out.getvalue()
    return Chart(title, caption, width, svg[svg.index(b"<svg") :])  # without the document type, which holds an address


def _rates(findings: Findings, axes: Any) -> str | None:
    begins, rate = findings.binned_mbps(MAX_BINS)
    any_present = ~np.isnan(rate).all(axis=0)
    if not any_present.any():
        return None
    at = findings.times(begins)[any_present]
    low, middle, high = np.nanpercentile(rate[:, any_present], [5.0, 50.0, 95.0], axis=0)
    axes.fill_between(
        at, low, high, color=COLOURS[0], alpha=0.18, linewidth=0.0, label="5th to 95th percentile of the terminals"
    )
    mark = "." if len(at) < FEW else ""
    axes.plot(at, np.nanmean(rate[:, any_present], axis=0), color=COLOURS[0], linewidth=1.3, marker=mark, label="mean")
    axes.plot(at, middle, color=COLOURS[0], linewidth=0.8, linestyle=":", label="median")
    _over_time(findings, axes, "Mbit/s")
    per_bin = int(begins[1] - begins[0]) if len(begins) > 1 else findings.run.epochs
    return f"Rate of the terminals, mean over {_epochs(per_bin)}; a rate without service is zero."


def _distribution(findings: Findings, axes: Any) -> str | None:
    every = findings.epoch_mbps()
    means = np.sort(findings.metrics.terminals["mean_rate_bps"].dropna().to_numpy()) / 1e6
    if not len(every):
        return None
    for values, colour, label in ((means, COLOURS[1], "means of terminals"), (every, COLOURS[0], "all epochs")):
        fraction = np.linspace(0.0, 1.0, min(len(values), MAX_QUANTILES)) if len(values) > 1 else np.ones(1)
        axes.step(np.quantile(values, fraction), fraction, where="post", color=colour, linewidth=1.3, label=label)
    axes.set(xlabel="Mbit/s", ylabel="cumulative fraction", ylim=(0.0, 1.0))
    axes.legend(loc="lower right", frameon=False)
    return "Distributions of the mean rates of the terminals and of the rates of all terminals in all epochs."


def _handovers(findings: Findings, axes: Any) -> str | None:
    run = findings.run
    if not len(run.events.kind):
        return None
    edges = np.linspace(0, run.duration_ns, min(run.epochs, MAX_BARS) + 1).astype(np.int64)
    at = findings.begin + (edges[:-1] + edges[1:]) // 2 * np.timedelta64(1, "ns")
    width = np.timedelta64(int(edges[1] - edges[0]) * 9 // 10, "ns")
    base = np.zeros(len(at))
    for number, kind in enumerate(KINDS):
        count = np.histogram(run.events.time_ns[run.events.kind == number], edges)[0]
        if count.any():
            axes.bar(at, count, width=width, bottom=base, color=COLOURS[number], label=kind)
            base = base + count
    _over_time(findings, axes, "events")
    return f"Events of all terminals by kind, in bins of {(edges[1] - edges[0]) / 6e10:.3g} minutes."


def _locations(findings: Findings, axes: Any) -> str | None:
    locations, rate = findings.locations, findings.metrics.terminals["mean_rate_bps"] / 1e6
    shown = axes.scatter(locations["longitude_deg"], locations["latitude_deg"], c=rate, s=16.0, cmap="viridis")
    axes.figure.colorbar(shown, ax=axes, label="Mbit/s")
    axes.set(xlabel="longitude, degrees", ylabel="latitude, degrees")
    axes.margins(0.1)
    return "Mean rate of each terminal at its initial location."


def _three(findings: Findings, axes: Any) -> str | None:
    order = findings.metrics.terminals["mean_rate_bps"].dropna().sort_values().index
    if not len(order):
        return None
    begins, rate = findings.binned_mbps(MAX_BINS)
    at, events = findings.times(begins), findings.run.events
    chosen = dict.fromkeys([order[0], order[(len(order) - 1) // 2], order[-1]])
    for number, (name, colour) in enumerate(zip(chosen, (COLOURS[1], COLOURS[0], COLOURS[2]), strict=False)):
        index = findings.run.names.index(name)
        axes.plot(at, rate[index], color=colour, linewidth=1.1, marker="." if len(at) < FEW else "", label=name)
        hard = (events.terminal == index) & events.of_kind(EventKind.HARD)
        when = findings.begin + events.time_ns[hard] * np.timedelta64(1, "ns")
        level, transform = 0.02 + 0.04 * number, axes.get_xaxis_transform()
        axes.plot(when, np.full(len(when), level), "|", color=colour, markersize=5.0, transform=transform)
    _over_time(findings, axes, "Mbit/s")
    return "Terminals with the lowest, median and highest mean rate; each tick marks a hard handover."


def _satellites(findings: Findings, axes: Any) -> str | None:
    begins = findings.binned_mbps(MAX_BINS)[0]
    length = np.diff(np.append(begins, findings.run.epochs))
    for column, colour, label in (
        ("visible_satellites", COLOURS[5], "in view"),
        ("active_satellites", COLOURS[0], "serving"),
    ):
        mean = np.add.reduceat(findings.epochs[column].to_numpy(np.float64), begins) / length
        mark = "." if len(mean) < FEW else ""
        axes.plot(findings.times(begins), mean, color=colour, linewidth=1.2, marker=mark, label=label)
    _over_time(findings, axes, "satellites")
    return "Satellites in view of at least one terminal, and satellites that serve at least one."


def _load(findings: Findings, axes: Any) -> str | None:
    count = np.bincount(findings.run.load_served)
    count[:1] = 0  # satellites that are still joining a cluster serve no terminal yet
    if not count.any():
        return None
    axes.bar(np.arange(len(count)), count / count.sum(), color=COLOURS[0])
    axes.set(xlabel="terminals served by a satellite", ylabel="fraction", xlim=(0.4, len(count) - 0.4))
    return "Number of terminals that a serving satellite serves, over all epochs."


def _stays(findings: Findings, axes: Any) -> str | None:
    stays = findings.metrics.stays
    whole = stays.loc[complete(stays), "stay_s"].to_numpy() / 60.0
    if not len(whole):
        return None
    axes.hist(whole, bins=min(40, max(5, int(np.sqrt(len(whole))))), color=COLOURS[2])
    axes.set(xlabel="duration in minutes", ylabel="stays")
    return f"{len(whole):,} stays that begin and end within the run, mean duration {whole.mean():.3g} minutes."


def _around(findings: Findings, axes: Any) -> str | None:
    around = findings.metrics.around
    if len(around) < 3 or not around["samples"].any():
        return None
    for column, colour, label in (
        ("mean_rate_bps", COLOURS[0], "mean"),
        ("low_rate_bps", COLOURS[1], "5th percentile"),
    ):
        axes.plot(around.index, around[column] / 1e6, "o-", color=colour, markersize=3.0, label=label)
    axes.set(xlabel="time after the epoch of a hard handover, s", ylabel="Mbit/s")
    axes.set_ylim(bottom=0.0)
    axes.legend(frameon=False)
    return "Rate before and after hard handovers."


def _stages(findings: Findings, axes: Any) -> str | None:
    stages = findings.stage_ms
    if not len(stages):
        return None
    axes.barh(list(stages.index[::-1]), stages.to_numpy()[::-1], color=COLOURS[5])
    axes.set(xlabel="ms per epoch")
    total = float(stages.sum())
    speed = findings.run.epoch_s / total * 1e3 if total > 0.0 else np.inf
    return f"Wall-clock time per epoch by stage, {total:.3g} ms in total: {speed:,.0f} times real time."


def _over_time(findings: Findings, axes: Any, label: str) -> None:
    untyped: Any = dates
    locator = untyped.AutoDateLocator(maxticks=9)
    axes.xaxis.set_major_locator(locator)
    axes.xaxis.set_major_formatter(untyped.ConciseDateFormatter(locator))
    axes.set(ylabel=label, xlabel="UTC", xlim=findings.times(np.array([0, findings.run.epochs])))
    axes.set_ylim(bottom=0.0)
    axes.legend(loc="lower center", bbox_to_anchor=(0.5, 1.0), ncols=len(KINDS), frameon=False, fontsize=8.0)


def _epochs(count: int) -> str:
    return "one epoch" if count == 1 else f"{count:,} epochs"


CHARTS: Final[tuple[tuple[str, float, Draw], ...]] = (
    ("Rate over time", WIDE, _rates),
    ("Three terminals over time", WIDE, _three),
    ("Handovers and other events over time", WIDE, _handovers),
    ("Satellites over time", WIDE, _satellites),
    ("Distribution of rates", NARROW, _distribution),
    ("Locations", NARROW, _locations),
    ("Stay durations", NARROW, _stays),
    ("Rate around hard handovers", NARROW, _around),
    ("Satellite load", NARROW, _load),
    ("Wall-clock time", NARROW, _stages),
)
