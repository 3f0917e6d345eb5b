"""A constellation digital twin: real orbits, statistical CSI, handover and multi-satellite precoding in one loop.

``run`` a scenario, ``read_trace`` what it wrote; or use the rooms alone:

- ``twin.catalogue`` reads element sets, ``twin.geometry`` propagates them and computes links and visibility;
- ``twin.radio`` derives statistical CSI, draws channels and phase errors;
- ``twin.association`` holds the policies, ``twin.precoding`` the precoders, ``twin.rates`` scores weights;
- ``twin.simulation`` is the loop, ``twin.results`` the trace, ``twin.metrics`` what a run means.

Names are imported when they are first used, so that the command line answers at once.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from twin.version import VERSION

if TYPE_CHECKING:
    from twin.results import Trace, read_trace
    from twin.scenario import Scenario, load_scenario
    from twin.simulation.compare import PrecoderScore, compare
    from twin.simulation.run import run

__version__ = VERSION

_NAMES = {
    "PrecoderScore": "twin.simulation.compare",
    "Scenario": "twin.scenario",
    "Trace": "twin.results",
    "compare": "twin.simulation.compare",
    "load_scenario": "twin.scenario",
    "read_trace": "twin.results",
    "run": "twin.simulation.run",
}
_ROOMS = (
    "association",
    "catalogue",
    "geometry",
    "metrics",
    "precoding",
    "radio",
    "rates",
    "report",
    "results",
    "scenario",
    "simulation",
    "solvers",
    "uncertainty",
    "world",
)

__all__ = [
    "PrecoderScore",
    "Scenario",
    "Trace",
    "__version__",
    "compare",
    "load_scenario",
    "read_trace",
    "run",
]


def __getattr__(name: str) -> Any:
    """Import a name or a room when it is first used."""
    if name in _NAMES:
        return getattr(import_module(_NAMES[name]), name)
    if name in _ROOMS:
        return import_module(f"twin.{name}")
    from twin.errors import did_you_mean

    hint = "" if name.startswith("_") else did_you_mean(name, [*_NAMES, *_ROOMS])
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}{hint}")


def __dir__() -> list[str]:
    """Everything that is there, imported or not."""
    return sorted({*globals(), *__all__, *_ROOMS} - {"Any", "TYPE_CHECKING", "import_module", "VERSION"})
