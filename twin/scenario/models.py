"""The sections that select a model by name, and the change from one model to another."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from twin.scenario.experiment import Scenario
from twin.scenario.section import ModelSection
from twin.scenario.sections import (
    AssociationSection,
    FadingSection,
    PathLossSection,
    PrecodingSection,
    PrecompensationSection,
)

Tree = dict[str, Any]

MODELS: Final[Mapping[str, type[ModelSection]]] = {
    "channel.path_loss": PathLossSection,
    "channel.fading": FadingSection,
    "precompensation": PrecompensationSection,
    "association": AssociationSection,
    "precoding": PrecodingSection,
}
"""Sections that select a model by name, by their key."""


def sections_of(scenario: Scenario) -> dict[str, ModelSection]:
    """The sections that select a model, by their key."""
    return {
        "channel.path_loss": scenario.channel.path_loss,
        "channel.fading": scenario.channel.fading,
        "precompensation": scenario.precompensation,
        "association": scenario.association,
        "precoding": scenario.precoding,
    }


def without_options(section: Tree, name: str, key: str) -> Tree:
    """A section without the options of its model if ``name`` selects another model, otherwise the section itself."""
    fields = MODELS[key].model_fields
    if section.get("name", fields["name"].default) == name:
        return section
    return {key: value for key, value in section.items() if key in fields and key != "name"}
