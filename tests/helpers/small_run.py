"""Small runs for the tests of the loop: a scenario from a few keys, and its rows bit by bit."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from typing import Any

import numpy as np

from twin.geometry.prediction import Forecast
from twin.geometry.snapshot import VisibilityWindows
from twin.results import ListColumn, Trace
from twin.scenario import Scenario, from_mapping
from twin.simulation import loop as loop_module
from twin.simulation import rows
from twin.simulation.checkpoint import restored, saved
from twin.simulation.epoch import EpochChannels, Segment
from twin.simulation.loop import EpochReport, Loop
from twin.simulation.state import LoopState
from twin.world.network import Network

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


class StoppedError(Exception):
    """Raised to stop a run from outside."""


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


def anew(network: Network) -> Network:
    """The same network as another process would see it: nothing of the sky worked out yet."""
    sky = VisibilityWindows(
        ephemeris=network.sky.ephemeris,
        terminals=network.terminals,
        timeline=network.timeline,
        min_elevation_deg=network.scenario.association.min_elevation_deg,
    )
    forecast = Forecast(network.catalogue.sets, min_elevation_deg=network.scenario.association.min_elevation_deg)
    if network.believed_sky is not network.sky:
        return Network.of(network.scenario)
    return replace(network, sky=sky, believed_sky=sky, forecast=forecast)


def begun(network: Network) -> LoopState:
    """The state before the first epoch."""
    return LoopState.fresh(network.terminals.count, int(network.scenario.precoding.csi_age))


def reports(network: Network, each: Callable[[Loop], None] | None = None) -> list[EpochReport]:
    """All epochs of a run that nobody disturbs."""
    found: list[EpochReport] = []
    loop = Loop(network, begun(network))

    def closed(report: EpochReport) -> None:
        found.append(report)
        if each is not None:
            each(loop)

    loop.run(closed)
    return found


def reports_with_stops(network: Network, stops: Iterable[int]) -> list[EpochReport]:
    """All epochs of a run that is stopped after so many epochs each time and taken up from what was saved."""
    found: list[EpochReport] = []
    state = begun(network)
    for stop in [*stops, network.timeline.epochs]:
        state = _until(anew(network), state, stop, found)
    return found


def _until(network: Network, state: LoopState, stop: int, found: list[EpochReport]) -> LoopState:
    loop = Loop(network, state)
    kept: list[LoopState] = []

    def closed(report: EpochReport) -> None:
        found.append(report)
        kept.append(loop.state.snapshot())
        if loop.state.next_epoch == stop:
            raise StoppedError

    with suppress(StoppedError):
        loop.run(closed)
    return restored(through_a_file(saved(kept[-1])), network.channel.satellite_array) if kept else state


def through_a_file(arrays: Mapping[str, Any]) -> dict[str, Any]:
    """What is left of arrays after they have been written and read."""
    stream = io.BytesIO()
    np.savez(stream, **arrays)
    stream.seek(0)
    with np.load(stream, allow_pickle=False) as archive:
        return dict(archive)


def rows_of(network: Network, found: Iterable[EpochReport], *, links: bool = False) -> list[Any]:
    """The rows that a trace would hold, in a form whose equality is that of bits."""
    tables = [rows.terminal_rows, rows.satellite_rows, rows.epoch_rows, rows.handover_rows]
    tables += [rows.attempt_rows, rows.candidate_rows]
    if links:
        tables.append(rows.link_rows)
    return [[_bits(table(network, report)) for table in tables] for report in found]


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


def with_segments(network: Network, monkeypatch: Any) -> list[tuple[EpochReport, list[Segment]]]:
    """All epochs of a run, each with what was on the air."""
    stretches: list[list[Segment]] = []
    scored = loop_module.scored

    def kept(air: EpochChannels, segments: Sequence[Segment]) -> Any:
        stretches.append(list(segments))
        return scored(air, segments)

    with monkeypatch.context() as patched:
        patched.setattr(loop_module, "scored", kept)
        found = reports(network)
    return list(zip(found, stretches, strict=True))
