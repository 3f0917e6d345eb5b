"""The experiment: a TOML file, checked and frozen."""

from twin.scenario.choice import with_precoder
from twin.scenario.experiment import Scenario
from twin.scenario.load import as_scenario, from_mapping, load_scenario

__all__ = ["Scenario", "as_scenario", "from_mapping", "load_scenario", "with_precoder"]
