"""Limits of the number of streams, checked before a run starts."""

from __future__ import annotations

from twin.registry import Facts

__all__ = ["Facts", "check_streams"]


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
    if facts.largest_cluster is not None and streams > facts.largest_cluster:
        raise ValueError(
            f"streams = {streams} must be at most {facts.largest_cluster}, the satellites of a cluster,"
            " each of which carries one stream"
        )
