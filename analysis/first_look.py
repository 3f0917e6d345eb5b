"""A first look at a trace: rates, time in service and events per hour of each terminal.

Usage: python analysis/first_look.py TRACE
"""

import sys

import pandas as pd

import twin


def by_terminal(trace: twin.Trace) -> pd.DataFrame:
    """One row per terminal: mean and 5th-percentile rate, fraction of epochs in service, events per hour by kind."""
    rows = trace.terminals
    hours = rows.epoch.nunique() * (rows.time.max() - rows.time.min()).total_seconds() / 3600.0
    hours /= max(rows.epoch.nunique() - 1, 1)
    grouped = rows.groupby("terminal")
    table = pd.DataFrame(
        {
            "mean_mbps": grouped.rate_bps.mean() / 1e6,
            "low_mbps": grouped.rate_bps.quantile(0.05) / 1e6,
            "in_service": grouped.in_service.mean(),
        }
    )
    events = trace.handovers.groupby(["terminal", "kind"]).size().unstack(fill_value=0)
    return table.join(events / hours if hours else events).fillna(0.0)


if __name__ == "__main__":
    pd.set_option("display.width", 160)
    sys.stdout.write(by_terminal(twin.read_trace(sys.argv[1])).round(2).to_string() + "\n")
