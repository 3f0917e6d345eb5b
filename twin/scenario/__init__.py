"""The experiment: a TOML file, checked and frozen."""

from twin.scenario.choice import with_precoder
from twin.scenario.experiment import Scenario
from twin.scenario.load import from_mapping, load_scenario

__all__ = ["Scenario", "from_mapping", "load_scenario", "with_precoder"]
