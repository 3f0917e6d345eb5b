"""The summary of a run as lines of text."""

from __future__ import annotations

from typing import TYPE_CHECKING

from twin.text import counted, number, rate, span
from twin.vocabulary import EventKind

if TYPE_CHECKING:
    from twin.results.summary import Summary


def summary_lines(summary: Summary, *, computed: int, wall_s: float) -> list[str]:
    """Format the summary of a run.

    Parameters
    ----------
    summary
        Summary of the whole trace.
    computed
        Number of epochs that this command computed; a resumed trace holds more.
    wall_s
        Wall-clock time of these epochs.
    """
    return [
        f"simulated      {_simulated(summary, computed, wall_s)}",
        f"rate           mean {rate(summary.mean_rate_bps)} per terminal, 5th percentile {rate(summary.low_rate_bps)}"
        f" ({counted(len(summary.terminals), 'terminal')}, without service: 0)",
        f"in service     {_percent(summary.in_service)} of the time, {_percent(summary.interrupted)} lost to handovers",
        f"handovers      per terminal and hour: {_handovers(summary)}",
        f"sum SE         {number(summary.sum_spectral_efficiency_bps_hz)} bit/s/Hz over all terminals",
        f"masked         {_masked(summary)}",
        f"cost           {_cost(summary)}",
    ]


def _simulated(summary: Summary, computed: int, wall_s: float) -> str:
    speed = f"{number(computed * summary.epoch_s / wall_s)} x real time"
    epochs = f"{span(summary.simulated_s)} in {counted(summary.epochs, 'epoch')}"
    if computed == summary.epochs:
        return f"{epochs}, in {span(wall_s)} of wall time: {speed}"
    return f"{epochs}; {computed:,} of them computed now, in {span(wall_s)} of wall time: {speed}"


def _handovers(summary: Summary) -> str:
    others = [kind for kind in EventKind if kind != EventKind.HARD and summary.handovers[kind]]
    return ", ".join(f"{kind} {number(summary.handover_rate(kind))}" for kind in (EventKind.HARD, *others))


def _masked(summary: Summary) -> str:
    found = summary.masked
    if not found:
        return "no satellite"
    first = found[0]
    more = f", and {len(found) - 1:,} more (listed in run.json)" if len(found) > 1 else ""
    return f"{counted(len(found), 'satellite')}: {first['norad_id']} ({first['reason']}){more}"


def _cost(summary: Summary) -> str:
    stages = sorted(summary.stage_s.items(), key=lambda item: -item[1])
    parts = ", ".join(f"{stage} {number(wall_s * 1e3)}" for stage, wall_s in stages)
    return f"{number(summary.epoch_wall_s * 1e3)} ms per epoch: {parts}"


def _percent(value: float) -> str:
    """A fraction in percent; exactly 0 and 1 alone are shown as 0 % and 100 %."""
    percent = f"{100.0 * value:.2f}"
    if value < 1.0 and percent == "100.00":
        return "over 99.99 %"
    if value > 0.0 and percent == "0.00":
        return "under 0.01 %"
    return f"{percent} %" if 0.0 < value < 1.0 else f"{100.0 * value:.0f} %"
