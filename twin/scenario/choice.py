"""The same experiment with another model."""

from __future__ import annotations

import pydantic

from twin.errors import InputError
from twin.scenario.experiment import Scenario
from twin.scenario.faults import described
from twin.scenario.feasibility import facts_of, refusal
from twin.scenario.section import selected
from twin.scenario.sections import PrecodingSection


def with_precoder(scenario: Scenario, name: str) -> Scenario:
    """The scenario with another precoder at its default options, or the scenario itself if it selects that one.

    Raises
    ------
    InputError
        If no precoder has that name, if one of its options has no default, or if its options do not fit the arrays
        or clusters of the scenario.
    """
    if name == scenario.precoding.name:
        return scenario
    kept = {key: getattr(scenario.precoding, key) for key in PrecodingSection.model_fields if key != "name"}
    model = selected(PrecodingSection, name)
    try:
        section = model.model_validate(kept)
    except pydantic.ValidationError as error:
        raise InputError("\n".join(f"precoding.{fault} ({name})" for fault in described(error, model, kept))) from None
    if (message := refusal(section, facts_of(scenario))) is not None:
        raise InputError(f"precoding.{message} ({name})")
    return scenario.model_copy(update={"precoding": section})
