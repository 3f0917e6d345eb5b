"""The same experiment with another choice of model."""

from twin.scenario.experiment import Scenario
from twin.scenario.section import selected
from twin.scenario.sections import PrecodingSection


def with_precoder(scenario: Scenario, name: str) -> Scenario:
    """The scenario with another precoder at its default options, or itself if it selects that one already.

    Raises
    ------
    InputError
        If no precoder has that name.
    """
    if name == scenario.precoding.name:
        return scenario
    kept = {key: getattr(scenario.precoding, key) for key in PrecodingSection.model_fields if key != "name"}
    section = selected(PrecodingSection, name).model_validate(kept)
    return scenario.model_copy(update={"precoding": section})
