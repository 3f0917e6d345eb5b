"""The delay of reports of statistical CSI on their way to the precoder."""

from __future__ import annotations

from math import log
from typing import TYPE_CHECKING, Final

from twin import randomness

if TYPE_CHECKING:
    from twin.scenario import Scenario

_MOST_MEANS: Final = 20
"""Multiple of its mean at which an exponential jitter is cut off; one report in 5e8 would exceed it."""


def report_age_ns(scenario: Scenario, sent_ns: int) -> int:
    """Delay of the report sent at a time of the run: a keyed draw that depends on that time alone."""
    precoding = scenario.precoding
    base_ns, jitter_ns = int(precoding.csi_age), int(precoding.csi_jitter)
    if not jitter_ns:
        return base_ns
    number = sent_ns // int(scenario.time.epoch)
    uniform = randomness.stream(scenario.seed, "csi report", number % (1 << 63)).random()
    units = uniform if precoding.csi_jitter_law == "uniform" else min(-log(1.0 - uniform), _MOST_MEANS)
    return base_ns + round(units * jitter_ns)


def greatest_age_ns(scenario: Scenario) -> int:
    """Upper bound of the delay of any report."""
    precoding = scenario.precoding
    most = 1 if precoding.csi_jitter_law == "uniform" else _MOST_MEANS
    return int(precoding.csi_age) + most * int(precoding.csi_jitter)
