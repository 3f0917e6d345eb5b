"""Metrics of a run: the one place where it is said what a handover rate, an outage or a load is.

Frames of a trace go in, frames come out::

    metrics = evaluate(Run.of(twin.read_trace("traces/quickstart")))
    metrics.totals["hard"], metrics.terminals["mean_rate_bps"]

Every mean is over all terminals of the trace while they are there: one without events has no handovers and is out of
service for the whole run, one without service has the rate 0. The time of an absence is no time: figures per hour are
by the hours in which a terminal is there, and one that never is has missing values and is left out of means.
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
