"""A constellation digital twin: real orbits, statistical CSI, handover and multi-satellite precoding in one loop."""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from twin.version import VERSION

if TYPE_CHECKING:
    from twin.results import Trace, read_trace
    from twin.scenario import Scenario, load_scenario
    from twin.simulation.run import run

__version__ = VERSION

__all__ = ["Scenario", "Trace", "__version__", "load_scenario", "read_trace", "run"]

_ROOMS = {
    "run": "twin.simulation.run",
    "Scenario": "twin.scenario",
    "load_scenario": "twin.scenario",
    "Trace": "twin.results",
    "read_trace": "twin.results",
}


def __getattr__(name: str) -> Any:
    """Open a room when it is first asked for, so that ``twin --help`` answers at once."""
    if name not in _ROOMS:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(_ROOMS[name]), name)
