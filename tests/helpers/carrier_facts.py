"""Facts of a scenario for options that depend on its carrier."""

from typing import Any

from twin.registry import Facts


def facts_of(*, carrier_hz: float, path_loss: Any = None) -> Facts:
    return Facts(
        carrier_hz=carrier_hz,
        path_loss=path_loss,
        satellite_rows=4,
        satellite_columns=4,
        terminal_elements=1,
        largest_cluster=None,
    )
