"""What is known of all problems of a run before it starts, by which options are checked."""

from __future__ import annotations

from dataclasses import dataclass

from twin.radio.channel import PlanarArray


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """What options may ask for in their ``check(facts)``, which raises ValueError, the message led by the key."""

    satellite_array: PlanarArray
    """The array of every satellite."""
    terminal_elements: int
    """Elements of the smallest terminal."""
    terminals: int
    """K."""
    cluster_size: int | None
    """Satellites that serve a terminal at most, if the policy says."""


def check_streams(streams: int, facts: Facts) -> None:
    """Refuse more streams than a terminal can tell apart or a cluster can send.

    Raises
    ------
    ValueError
        If there are more than elements of the smallest terminal, or satellites of a cluster.
    """
    if streams > facts.terminal_elements:
        raise ValueError(
            f"streams = {streams} must be at most {facts.terminal_elements}, the elements of the smallest terminal"
        )
    if facts.cluster_size is not None and streams > facts.cluster_size:
        raise ValueError(
            f"streams = {streams} must be at most {facts.cluster_size}, the satellites of a cluster,"
            " each of which carries one stream"
        )
