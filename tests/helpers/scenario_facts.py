"""Facts of a scenario for the checks of options."""

from typing import Any

from twin.registry import Facts


def facts_of(**changes: Any) -> Facts:
    """Facts of a scenario with satellites of one element, but for the fields given."""
    known: dict[str, Any] = {
        "carrier_hz": 2e9,
        "path_loss": None,
        "satellite_rows": 1,
        "satellite_columns": 1,
        "terminal_elements": 1,
        "largest_cluster": None,
    }
    return Facts(**known | changes)
