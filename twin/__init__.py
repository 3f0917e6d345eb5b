"""A constellation digital twin: real orbits, statistical CSI, handover and multi-satellite precoding in one loop."""

from twin.run import run
from twin.scenario import Scenario, load_scenario
from twin.trace import Trace, read_trace

__version__ = "0.1.0"

__all__ = ["Scenario", "Trace", "__version__", "load_scenario", "read_trace", "run"]
