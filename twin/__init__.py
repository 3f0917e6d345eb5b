"""A constellation digital twin: real orbits, statistical CSI, handover and multi-satellite precoding in one loop."""

from twin.run import run
from twin.scenario import Scenario, load_scenario
from twin.trace import Trace, read_trace
from twin.version import VERSION

__version__ = VERSION

__all__ = ["Scenario", "Trace", "__version__", "load_scenario", "read_trace", "run"]
