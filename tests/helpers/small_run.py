"""Small runs for the tests of the loop: a scenario from a few keys, and its rows bit by bit."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from twin.radio.synchronisation import LinkView
from twin.results import TABLES, ListColumn, Trace
from twin.results.record import EpochRecord
from twin.scenario import Scenario, from_mapping
from twin.simulation import scoring
from twin.simulation.checkpoint import restored, saved
from twin.simulation.engine import Engine
from twin.simulation.observation import observed_links
from twin.simulation.scoring import EpochChannels, OnAirSegment
from twin.simulation.state import RunState
from twin.world.setup import Setup
from twin.world.statistics import LinkStatistics

SMALL: dict[str, Any] = {
    "name": "small",
    "seed": 5,
    "time": {"start": "2026-01-01T00:00:00Z", "duration": "120s", "epoch": "10s"},
    "constellation": {"walker": {"planes": 20, "per_plane": 20}},
    "satellites": {"array": {"rows": 4, "columns": 4, "element_gain_dbi": 6.0}},
    "terminals": {"kind": "disc", "latitude_deg": 45.0, "longitude_deg": 10.0, "radius_km": 400.0, "count": 4},
    "association": {"name": "nearest_cluster", "cluster_size": 3, "min_elevation_deg": 20.0},
    "receiver": {"draws": 4},
}
"""Twelve epochs, four terminals, satellites that rise and set."""


def small(changes: Mapping[str, Any] | None = None, **sections: Any) -> Scenario:
    """The small scenario, with sections or single ``section.key`` entries of it changed."""
    return from_mapping(small_tree(changes, **sections))


def small_tree(changes: Mapping[str, Any] | None = None, **sections: Any) -> dict[str, Any]:
    """The same as plain data."""
    tree: dict[str, Any] = {key: dict(value) if isinstance(value, dict) else value for key, value in SMALL.items()}
    tree |= sections
    for path, value in (changes or {}).items():
        *folders, key = path.split(".")
        place = tree
        for folder in folders:
            place[folder] = dict(place.get(folder, {}))
            place = place[folder]
        place[key] = value
    return tree


def fresh(setup: Setup) -> Setup:
    """The same setup as another process would see it: no geometry computed yet."""
    again = Setup.of(setup.scenario)
    return replace(again, policy=setup.policy, precoder=setup.precoder)


def with_phase_error(setup: Setup, model: Callable[[LinkView], Any]) -> Setup:
    """The same setup with another phase-error model."""
    now = setup.truth.statistics
    other = LinkStatistics(channel=now.channel, phase_error=model, waveform=now.waveform, power_w=now.power_w)
    truth, belief = replace(setup.truth, statistics=other), replace(setup.belief, statistics=other)
    return replace(setup, truth=truth, belief=belief)


class StoppedError(Exception):
    """Raised to stop a run from outside."""


def initial(setup: Setup) -> RunState:
    """The state before the first epoch."""
    return RunState.initial(setup.terminals.count, int(setup.scenario.precoding.csi_age))


def records(setup: Setup, each: Callable[[RunState], None] | None = None) -> list[EpochRecord]:
    """All epochs of an undisturbed run; ``each`` is given the state after every epoch."""
    engine, found = Engine(setup, initial(setup)), []
    for record in engine.records():
        found.append(record)
        if each is not None:
            each(engine.state)
    return found


def records_with_stops(setup: Setup, stops: Iterable[int]) -> list[EpochRecord]:
    """All epochs of a run that is stopped after some epochs, each time resumed from what was saved."""
    found: list[EpochRecord] = []
    state = initial(setup)
    for stop in [*stops, setup.timeline.epochs]:
        state = _until(fresh(setup), state, stop, found)
    return found


def _until(setup: Setup, state: RunState, stop: int, found: list[EpochRecord]) -> RunState:
    engine, kept = Engine(setup, state), None
    for record in engine.records():
        found.append(record)
        kept = engine.state.copy()
        if kept.loop.next_epoch == stop:
            break
    return state if kept is None else restored(through_a_file(saved(kept)), setup.channel.satellite_array)


def through_a_file(arrays: Mapping[str, Any]) -> dict[str, Any]:
    """What is left of arrays after they have been written and read."""
    stream = io.BytesIO()
    np.savez(stream, **arrays)
    stream.seek(0)
    with np.load(stream, allow_pickle=False) as archive:
        return dict(archive)


def link_rows(setup: Setup, record: EpochRecord) -> Mapping[str, Any]:
    """The rows of ``links/``, whether the trace holds them or not."""
    links = record.links or observed_links(setup, setup.truth.snapshot(record.epoch), record.score)
    return TABLES["links"].rows(replace(record, links=links))


def rows_of(setup: Setup, found: Iterable[EpochRecord], *, links: bool = False) -> list[Any]:
    """The rows that a trace would hold, in a form whose equality is that of bits."""
    names = ("terminals", "satellites", "epochs", "handovers", "attempts")
    made = []
    for record in found:
        tables = [TABLES[name].rows(record) for name in names]
        tables += [TABLES["candidates"].rows(record)] if record.candidates else []
        tables += [link_rows(setup, record)] if links else []
        made.append([_bits(table) for table in tables])
    return made


def _bits(columns: Mapping[str, object]) -> dict[str, object]:
    return {name: _column_bits(column) for name, column in columns.items()}


def _column_bits(column: Any) -> object:
    if isinstance(column, ListColumn):
        return column.values.tolist(), column.lengths.tolist()
    if isinstance(column, np.ma.MaskedArray):
        return np.ma.getmaskarray(column).tolist(), column.filled(0).tobytes()
    return column.tobytes() if isinstance(column, np.ndarray) else list(column)


def trace_bits(trace: Trace, leave_out: Iterable[str] = ("timings",)) -> dict[str, dict[str, object]]:
    """All tables of a trace, column by column, in a form whose equality is that of bits."""
    names = [name for name in trace.run["tables"] if name not in set(leave_out)]
    return {name: {column: _frame_bits(trace.table(name)[column]) for column in trace.table(name)} for name in names}


def _frame_bits(column: Any) -> object:
    if column.dtype == np.float64:
        return column.to_numpy().tobytes()
    if column.dtype == object:
        return [list(item) if isinstance(item, np.ndarray) else item for item in column]
    return column.astype(str).tolist()


def with_segments(setup: Setup, monkeypatch: Any) -> list[tuple[EpochRecord, list[OnAirSegment]]]:
    """All epochs of a run, each with what was on the air."""
    stretches: list[list[OnAirSegment]] = []
    scored = scoring.scored

    def kept(channels: EpochChannels, segments: Sequence[OnAirSegment]) -> Any:
        stretches.append(list(segments))
        return scored(channels, segments)

    with monkeypatch.context() as patched:
        patched.setattr(scoring, "scored", kept)
        found = records(setup)
    return list(zip(found, stretches, strict=True))
