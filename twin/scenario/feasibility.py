"""Checks of the selected models against the arrays, the carrier and the other models of a scenario."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol, cast

from twin.errors import is_plugin, plugin_fault
from twin.registry import Facts, check, of_kind
from twin.scenario.experiment import Scenario
from twin.scenario.faults import Fault
from twin.scenario.models import sections_of
from twin.scenario.section import ModelSection


class _ClusterSizes(Protocol):
    """The part of the registry of policies that knows how large a cluster can become."""

    def largest_cluster(self, name: str, options: Any) -> int | None:
        """Largest number of satellites that serve one terminal; None if the policy does not declare it."""


def facts_of(scenario: Scenario) -> Facts:
    """The properties of a scenario on which the options of a model may depend."""
    association, array = scenario.association, scenario.satellites.array
    policies = cast(_ClusterSizes, of_kind(association.kind))
    return Facts(
        carrier_hz=scenario.channel.carrier_ghz * 1e9,
        path_loss=scenario.channel.path_loss.options(),
        satellite_rows=array.rows,
        satellite_columns=array.columns,
        terminal_elements=min(group.antenna.rows * group.antenna.columns for group in scenario.terminals),
        largest_cluster=policies.largest_cluster(association.name, association.options()),
    )


def model_faults(scenario: Scenario) -> list[Fault]:
    """Options of the selected models that are inconsistent among themselves or with the rest of the scenario."""
    sections = sections_of(scenario)
    found = {key: _raised(section, section.options) for key, section in sections.items()}
    if not any(found.values()):
        found["association"] = _raised(scenario.association, lambda: facts_of(scenario))
    if not any(found.values()):
        facts = facts_of(scenario)
        found = {key: refusal(section, facts) for key, section in sections.items()}
        if found["channel.path_loss"]:
            del found["channel.fading"]  # it depends on the path loss
    return [Fault(key=key, text=text) for key, text in found.items() if text is not None]


def refusal(section: ModelSection, facts: Facts) -> str | None:
    """Why the options of a model do not fit a scenario; None if they do."""
    return _raised(section, lambda: check(section.options(), facts))


def _raised(section: ModelSection, step: Callable[[], object]) -> str | None:
    """The message of the exception that a step raises in the options of a model; None if it raises none."""
    try:
        step()
    except (ValueError, TypeError) as error:
        return str(error)
    except Exception as error:
        model = of_kind(section.kind)[section.name].model
        if not is_plugin(model):
            raise
        return plugin_fault(model, error)
    return None
