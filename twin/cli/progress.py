"""Progress of a run: a bar on a terminal, plain lines otherwise."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from time import monotonic

from twin.cli.output import note
from twin.text import number, span

Progress = Callable[[int, int], None]
"""Called with the number of completed epochs and of all epochs."""

_LINE_FRACTION = 0.1
_LINE_S = 60.0
_BAR_S = 0.05


class Pace:
    """Simulated time, speed and remaining time, from the number of completed epochs."""

    def __init__(self, epoch_s: float, clock: Callable[[], float] = monotonic) -> None:
        self._epoch_s, self._clock = epoch_s, clock
        self._first: int | None = None
        self._begun_s = 0.0

    def elapsed_s(self) -> float:
        """Wall-clock time since the first report."""
        return self._clock() - self._begun_s

    def at(self, done: int, total: int) -> tuple[str, str, str]:
        """Simulated time, speed and remaining time; the latter two are empty until they are known."""
        if self._first is None:
            self._first, self._begun_s = done, self._clock()
        simulated = f"{span(done * self._epoch_s)} of {span(total * self._epoch_s)}"
        ran, elapsed_s = done - self._first, self.elapsed_s()
        if ran == 0 or elapsed_s <= 0.0:
            return simulated, "", ""
        speed = f"{number(ran * self._epoch_s / elapsed_s)} x real time"
        return simulated, speed, span(elapsed_s / ran * (total - done))


class Lines:
    """One line per tenth of the run, and at least one per minute."""

    def __init__(
        self, epoch_s: float, write: Callable[[str], None] = note, clock: Callable[[], float] = monotonic
    ) -> None:
        self._pace = Pace(epoch_s, clock)
        self._write = write
        self._next_fraction = 0.0
        self._last_s = 0.0

    def __call__(self, done: int, total: int) -> None:
        """Write a line if one is due."""
        simulated, speed, left = self._pace.at(done, total)
        fraction, now_s = done / total, self._pace.elapsed_s()
        if not speed:
            self._next_fraction = fraction + _LINE_FRACTION
            return
        if done < total and fraction < self._next_fraction - 1e-9 and now_s < self._last_s + _LINE_S:
            return
        self._last_s = now_s
        while self._next_fraction <= fraction + 1e-9:
            self._next_fraction += _LINE_FRACTION
        rest = f", {left} left" if done < total else ""
        self._write(f"{fraction:4.0%}  simulated {simulated}, {speed}{rest}")


@contextmanager
def on_screen(epoch_s: float) -> Iterator[Progress]:
    """Show progress as a bar on a terminal, otherwise as lines."""
    if sys.stderr.isatty():
        with _bar(epoch_s) as progress:
            yield progress
    else:
        yield Lines(epoch_s)


@contextmanager
def _bar(epoch_s: float) -> Iterator[Progress]:
    from rich.console import Console
    from rich.progress import BarColumn, TaskProgressColumn, TextColumn
    from rich.progress import Progress as ProgressBar

    fields = [TextColumn(f"{{task.fields[{name}]}}") for name in ("simulated", "speed", "left")]
    columns = (fields[0], BarColumn(), TaskProgressColumn(), *fields[1:])
    pace, console = Pace(epoch_s), Console(stderr=True)
    last_s = -_BAR_S
    with ProgressBar(*columns, console=console, redirect_stdout=False) as bar:
        task = bar.add_task("", total=None, simulated="", speed="", left="")

        def progress(done: int, total: int) -> None:
            nonlocal last_s
            simulated, speed, left = pace.at(done, total)
            now_s = pace.elapsed_s()
            if done < total and now_s < last_s + _BAR_S:
                return
            last_s = now_s
            rest = f"{left} left" if left and done < total else ""
            bar.update(task, completed=done, total=total, simulated=simulated, speed=speed, left=rest)

        yield progress
