"""Runs the epochs of a setup in one process: decide, then solve, then score, epoch by epoch."""

from __future__ import annotations

from collections.abc import Iterator

from twin.results.record import EpochRecord, RunFrame
from twin.simulation.decisions import EpochDecisions
from twin.simulation.loop import Loop
from twin.simulation.observation import observed_links
from twin.simulation.scoring import score_epoch
from twin.simulation.solving import solve
from twin.simulation.state import RunState
from twin.simulation.stopwatch import Stopwatch
from twin.world.setup import Setup


def run_frame(setup: Setup) -> RunFrame:
    """What all records of a run have in common."""
    return RunFrame(
        timeline=setup.timeline,
        names=setup.terminals.names,
        bandwidth_hz=setup.scenario.channel.bandwidth_mhz * 1e6,
    )


class Engine:
    """Takes decisions from the loop, computes their precodings and scores them.

    Decisions do not depend on what is solved or scored: `solved` and `scored` are functions of decisions, setup and
    earlier precodings alone, so that they could be evaluated elsewhere.
    """

    def __init__(self, setup: Setup, state: RunState) -> None:
        self.setup = setup
        self._loop = Loop(setup, state.loop)
        self._solutions = dict(state.solutions)
        self._frame = run_frame(setup)

    @property
    def state(self) -> RunState:
        """The state at the end of the last finished epoch."""
        return RunState(loop=self._loop.state, solutions=self._solutions)

    def records(self) -> Iterator[EpochRecord]:
        """Run all epochs that are left."""
        for decisions in self._loop.epochs():
            stopwatch = Stopwatch()
            stopwatch.wall_s.update(decisions.wall_s)
            iterations = self._solve(decisions, stopwatch)
            yield self._scored(decisions, iterations, stopwatch)
            live = self._loop.state.live
            self._solutions = {number: found for number, found in self._solutions.items() if number in live}

    def _solve(self, decisions: EpochDecisions, stopwatch: Stopwatch) -> int:
        """Compute the precodings of an epoch; the iterations of the last one."""
        iterations = 0
        for task in decisions.tasks:
            with stopwatch.timed("precoding"):
                self._solutions[task.number] = solve(self.setup, task, self._solutions)
            iterations = self._solutions[task.number].iterations
        return iterations

    def _scored(self, decisions: EpochDecisions, iterations: int, stopwatch: Stopwatch) -> EpochRecord:
        setup, epoch = self.setup, decisions.epoch
        with stopwatch.timed("geometry"):
            snapshot = setup.truth.snapshot(epoch)
        score = score_epoch(setup, decisions, self._solutions, stopwatch)
        begin_ns, end_ns = (setup.timeline.begin_ns(epoch + step) for step in (0, 1))
        states, on_air = snapshot.terminals, decisions.segments[-1].precoding
        return EpochRecord(
            frame=self._frame,
            epoch=epoch,
            score=score,
            latitude_deg=states.latitude_deg[snapshot.index],
            longitude_deg=states.longitude_deg[snapshot.index],
            altitude_km=states.altitude_km[snapshot.index],
            present=~setup.outages.absent(end_ns - 1),
            present_fraction=setup.outages.present_fraction(begin_ns, end_ns),
            visible_satellites=len(snapshot.rows),
            visible_pairs=int(snapshot.visible.sum()),
            events=decisions.events,
            attempts=decisions.attempts,
            candidates=decisions.candidates,
            links=observed_links(setup, snapshot, score) if setup.scenario.trace.links else None,
            iterations=iterations,
            converged=on_air is not None and self._solutions[on_air].converged,
            wall_s=stopwatch.wall_s,
        )
