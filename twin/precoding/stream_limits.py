"""How many streams a terminal can receive, in a scenario and in one problem."""

from __future__ import annotations

import numpy as np

from twin.arrays import IntArray
from twin.precoding.problem import PrecodingProblem
from twin.registry import Facts


def check_streams(streams: int, facts: Facts) -> None:
    """Refuse more streams than a terminal can separate or a cluster can send.

    Raises
    ------
    ValueError
        If ``streams`` exceeds the elements of the smallest terminal or the satellites of a cluster.
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


def stream_counts(problem: PrecodingProblem, most: int) -> IntArray:
    """(K,) M_k: streams of each terminal, at most its elements and its serving satellites (P2, Remark 1)."""
    serving = (problem.serving & (problem.csi.gain > 0.0)).sum(axis=0)
    return np.asarray(np.minimum(np.minimum(most, problem.csi.terminal_elements), serving), dtype=np.int64)
