"""The sections that select a model by name, and what another choice does away with."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

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
    "precompensation": PrecompensationSection,
    "association": AssociationSection,
    "precoding": PrecodingSection,
    "channel.path_loss": PathLossSection,
    "channel.fading": FadingSection,
}
"""Sections that select a model by name, by their place."""


def without_options(section: Tree, name: str, place: str) -> Tree:
    """A section that selects a model, as it is under another model: without the options of the one before."""
    fields = MODELS[place].model_fields
    if section.get("name", fields["name"].default) == name:
        return section
    return {key: value for key, value in section.items() if key in fields and key != "name"}
