"""Metrics of a run; the definitions of handover rate, outage, stay, load and so on are here and nowhere else.

Metrics are computed from the frames of a trace and returned as frames::

    metrics = evaluate(Run.of(twin.read_trace("traces/quickstart")))
    metrics.totals["hard"], metrics.terminals["mean_rate_bps"]

Every mean is over all terminals of the trace while they are present. A terminal without events has no handovers and is
out of service for the whole run; a terminal without service has the rate 0. Absences do not count: figures per hour are
divided by the hours in which a terminal is present. A terminal that is never present has missing values and is excluded
from means.
"""

from twin.metrics.events import Events
from twin.metrics.handover_rates import HARD, SOFT, handovers_per_hour
from twin.metrics.load import load_by_epoch, load_by_satellite
from twin.metrics.rates import rate_around, rates
from twin.metrics.run import Run
from twin.metrics.seeds import over_runs
from twin.metrics.service import outages, service
from twin.metrics.serving_sets import churn, clusters
from twin.metrics.stays import ping_pongs, stays
from twin.metrics.totals import Metrics, evaluate

__all__ = [
    "HARD",
    "SOFT",
    "Events",
    "Metrics",
    "Run",
    "churn",
    "clusters",
    "evaluate",
    "handovers_per_hour",
    "load_by_epoch",
    "load_by_satellite",
    "outages",
    "over_runs",
    "ping_pongs",
    "rate_around",
    "rates",
    "service",
    "stays",
]
