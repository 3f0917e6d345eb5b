"""Wall-clock time by stage."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from time import perf_counter


class Stopwatch:
    """Adds up the wall-clock time of named stages."""

    def __init__(self) -> None:
        self.wall_s: dict[str, float] = {}

    @contextmanager
    def timed(self, stage: str) -> Iterator[None]:
        """Add the time that the body takes to a stage."""
        begun = perf_counter()
        yield
        self.wall_s[stage] = self.wall_s.get(stage, 0.0) + perf_counter() - begun
