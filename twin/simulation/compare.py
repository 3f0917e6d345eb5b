"""Comparison of precoders on the same satellites, clusters and draws."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import threadpoolctl

from twin.arrays import FloatArray
from twin.records import documented
from twin.results.record import EpochRecord
from twin.scenario import Scenario, as_scenario
from twin.simulation.engine import Engine
from twin.simulation.state import RunState
from twin.world.setup import Setup

if TYPE_CHECKING:
    import pandas as pd


@documented
@dataclass(frozen=True, slots=True, kw_only=True)
class PrecoderScore:
    """Result of one precoder over a run; every mean is over all epochs, those without service included.

    A terminal's own mean is over the time in which it is there; one that never is has none.
    """

    precoder: str
    """Name of the precoder."""
    sum_se_bps_hz: float
    """Spectral efficiency summed over the terminals that are present, mean over the epochs."""
    sum_ap1_bps_hz: float
    """The same of AP1, the surrogate by mean covariances."""
    sum_ap2_bps_hz: float
    """The same of AP2, the rate of use-and-forget receivers."""
    low_se_bps_hz: float
    """5th percentile of the terminals' means."""
    least_se_bps_hz: float
    """The least of the terminals' means."""
    jain_index: float
    """(Σ x)² / (n Σ x²) of the n terminals' means x; 1 if all are equal, 0 if all are zero."""
    power_share: float
    """Power spent over the budgets of the satellites that serve a terminal."""
    fronthaul_streams: float
    """Streams that the fronthaul carries to a serving satellite: one for each terminal that it transmits to."""
    fronthaul_bps: float
    """Rate of these streams together, over the whole bandwidth."""
    solve_ms: float
    """Wall-clock time of a run of the precoder."""


def compare(
    scenario: Scenario | Mapping[str, Any] | str | Path,
    precoders: Sequence[str],
    *,
    overrides: Iterable[str] | Mapping[str, Any] = (),
    progress: Callable[[str, int, int], None] | None = None,
) -> list[PrecoderScore]:
    """Run a scenario once with each precoder; `as_frame` makes a table of the result.

    Association does not depend on the precoder and draws are keyed, so that all meet the same clusters and channels.

    Parameters
    ----------
    scenario
        A scenario, the path of a scenario file, or a mapping of the same form. Its own precoder keeps its options if it
        is among the compared; others have their defaults.
    precoders
        Names.
    overrides
        Keys to change in a file or mapping, as ``{"time.duration": "1h"}`` or ``["time.duration=1h"]``.
    progress
        Called with the precoder, the number of finished epochs and the number of all epochs.

    Raises
    ------
    InputError
        If an input is wrong, a name is unknown, or a precoder's options ask for what the scenario does not give.
    TypeError
        If overrides are given for a `Scenario`, which is checked and frozen.
    """
    return compare_setup(Setup.of(as_scenario(scenario, overrides)), precoders, progress=progress)


def compare_setup(
    setup: Setup, precoders: Sequence[str], *, progress: Callable[[str, int, int], None] | None = None
) -> list[PrecoderScore]:
    """Compare precoders on a setup; see `compare`."""
    chosen = [setup.with_precoder(name) for name in precoders]
    scores = []
    for each in chosen:
        tally = _Tally(each)
        tally.run(progress)
        scores.append(tally.score())
    return scores


def as_frame(scores: Sequence[PrecoderScore]) -> pd.DataFrame:
    """One row for each precoder."""
    import pandas as pd

    names = [each.name for each in fields(PrecoderScore)]
    return pd.DataFrame([[getattr(score, name) for name in names] for score in scores], columns=names)


@dataclass(slots=True)
class _Tally:
    """Sums over the epochs of one run."""

    setup: Setup
    rate: FloatArray = field(init=False)
    """(K,) sum of spectral efficiencies."""
    present: FloatArray = field(init=False)
    """(K,) time in which each terminal is present, in epochs."""
    surrogate: float = 0.0
    """Sum of AP1 over terminals and epochs."""
    mean_only: float = 0.0
    """Sum of AP2."""
    spent_w: float = 0.0
    budget_w: float = 0.0
    streams: float = 0.0
    fed_bps: float = 0.0
    serving: int = 0
    """Satellites that served, summed over epochs."""
    solves: int = 0
    solved_s: float = 0.0

    def __post_init__(self) -> None:
        self.rate, self.present = np.zeros((2, self.setup.terminals.count))

    def run(self, progress: Callable[[str, int, int], None] | None) -> None:
        """Run all epochs."""
        scenario, epochs = self.setup.scenario, self.setup.timeline.epochs
        state = RunState.initial(self.setup.terminals.count, int(scenario.precoding.csi_age))
        with threadpoolctl.threadpool_limits(1):
            for record in Engine(self.setup, state).records():
                self.add(record)
                if progress is not None:
                    progress(scenario.precoding.name, record.epoch + 1, epochs)

    def add(self, record: EpochRecord) -> None:
        """Count one epoch."""
        score = record.score
        bandwidth_hz = record.frame.bandwidth_hz
        self.rate += score.spectral_efficiency_bps_hz
        self.present += record.present_fraction
        self.surrogate += float(score.surrogate_bps_hz.sum())
        self.mean_only += float(score.mean_only_bps_hz.sum())
        fed = (score.beam_power_w > 0.0) & score.serving
        sending = fed.any(axis=1)
        self.serving += int(sending.sum())
        self.spent_w += float(score.power_w[sending].sum())
        self.budget_w += float(sending.sum()) * self.setup.power_w
        self.streams += float(fed.sum())
        self.fed_bps += float((fed @ score.spectral_efficiency_bps_hz).sum()) * bandwidth_hz
        if "precoding" in record.wall_s:
            self.solves += 1
            self.solved_s += record.wall_s["precoding"]

    def score(self) -> PrecoderScore:
        """Means of what was counted."""
        epochs, there = self.setup.timeline.epochs, self.present > 0.0
        mean = self.rate[there] / self.present[there] if there.any() else np.zeros(1)
        square = float((mean**2).sum())
        return PrecoderScore(
            precoder=self.setup.scenario.precoding.name,
            sum_se_bps_hz=float(self.rate.sum()) / epochs,
            sum_ap1_bps_hz=self.surrogate / epochs,
            sum_ap2_bps_hz=self.mean_only / epochs,
            low_se_bps_hz=float(np.percentile(mean, 5.0)),
            least_se_bps_hz=float(mean.min()),
            jain_index=float(mean.sum()) ** 2 / (len(mean) * square) if square > 0.0 else 0.0,
            power_share=self.spent_w / self.budget_w if self.budget_w > 0.0 else 0.0,
            fronthaul_streams=self.streams / max(self.serving, 1),
            fronthaul_bps=self.fed_bps / max(self.serving, 1),
            solve_ms=self.solved_s / max(self.solves, 1) * 1e3,
        )
