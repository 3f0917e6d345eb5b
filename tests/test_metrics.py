"""Metrics of a run: traces with known answers, a replay one step at a time, and a run of the loop."""

from __future__ import annotations

import itertools
import math
import shutil
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest
from scipy import stats

from tests.helpers.small_run import small
from twin.association import EMPTY_CLUSTER, Cluster, transition
from twin.errors import InputError
from twin.metrics import (
    Run,
    churn,
    clusters,
    evaluate,
    handovers_per_hour,
    load_by_epoch,
    load_by_satellite,
    outages,
    over_runs,
    ping_pongs,
    rate_around,
    rates,
    service,
    stays,
)
from twin.metrics.presence import absences
from twin.results import Trace, read_trace
from twin.results.summary import summarise
from twin.simulation.run import run as run_job

START = pd.Timestamp("2026-01-01", tz="UTC")
Event = tuple[float, str, str, int | None, int | None, float]
"""Seconds since the start, terminal, kind, satellite left, satellite taken, interruption."""


def handover_frame(events: Sequence[Event]) -> pd.DataFrame:
    names = ("at_s", "terminal", "kind", "from_satellite", "to_satellite", "interruption_s")
    columns: dict[str, Any] = dict(zip(names, zip(*events, strict=True) if events else [()] * 6, strict=True))
    frame = pd.DataFrame(columns).astype({"from_satellite": "Int64", "to_satellite": "Int64", "at_s": float})
    frame["time"] = START + pd.to_timedelta((frame.pop("at_s") * 1e9).round().astype("int64"), unit="ns")
    return frame.astype({"terminal": object, "kind": object, "interruption_s": float})


def terminal_frame(epochs: int, epoch_s: float, **columns: Any) -> pd.DataFrame:
    """Columns by terminal and then epoch, as lists of K lists of E values; "a", "b", ... are the names."""
    filled = {"rate_bps": 0.0, "se_bps_hz": 0.0, "in_service": False, "interrupted_fraction": 0.0, "serving": []}
    count = next((len(values) for values in columns.values()), 1)
    rows = [
        {
            "epoch": epoch,
            "time": START + pd.Timedelta(round(epoch * epoch_s * 1e9), "ns"),
            "terminal": "abcdefgh"[k],
            **filled,
            **{name: values[k][epoch] for name, values in columns.items()},
        }
        for epoch in range(epochs)
        for k in range(count)
    ]
    return pd.DataFrame(rows)


def satellite_frame(rows: Sequence[tuple[int, int, int]] = ()) -> pd.DataFrame:
    return pd.DataFrame(list(rows), columns=["epoch", "satellite", "served"]).astype("int64")


def run_of(
    events: Sequence[Event] = (),
    *,
    epochs: int = 6,
    epoch_s: float = 10.0,
    satellites: Sequence[tuple[int, int, int]] = (),
    **columns: Any,
) -> Run:
    return Run.of_frames(
        terminal_frame(epochs, epoch_s, **columns),
        handover_frame(events),
        satellite_frame(satellites),
        epoch_s=epoch_s,
        duration_s=epochs * epoch_s,
    )


def two(**columns: Any) -> dict[str, Any]:
    """Two terminals of six epochs, of whom the second is never served."""
    return {"rate_bps": [[4.0, 4.0, 0.0, 8.0, 8.0, 0.0], [0.0] * 6], **columns}


# Traces with known answers

HARD_AND_SOFT: list[Event] = [
    (0.0, "a", "service_start", None, 1, 0.5),
    (0.0, "a", "add", None, 2, 0.0),
    (12.0, "a", "drop", 2, None, 0.0),
    (12.0, "a", "hard", 1, 3, 0.5),
    (17.0, "a", "hard", 3, 1, 0.5),
    (20.0, "a", "add", None, 3, 0.0),
    (22.0, "a", "master", 1, 3, 0.0),
    (25.0, "a", "drop", 1, None, 0.0),
    (40.0, "a", "service_end", 3, None, 0.0),
    (50.0, "a", "service_start", None, 3, 0.5),
]


def test_handovers_are_counted_by_kind_and_for_everyone():
    table = handovers_per_hour(run_of(HARD_AND_SOFT, **two()))
    assert table.index.tolist() == ["a", "b"]
    assert table.loc["a"].to_dict() == {  # a run of a minute
        "service_start": 120.0,
        "service_end": 60.0,
        "hard": 120.0,
        "beam": 0.0,
        "add": 120.0,
        "drop": 120.0,
        "master": 60.0,
        "soft": 300.0,
    }
    assert not table.loc["b"].any()
    totals = evaluate(run_of(HARD_AND_SOFT, **two())).totals
    assert (totals["hard"], totals["soft"]) == (60.0, 150.0)


def test_stays_are_from_joining_to_leaving_and_censored_ones_are_marked():
    table = stays(run_of(HARD_AND_SOFT, **two()))
    rows = [
        ("a", 1, 0.0, 12.0, 12.0, "service_start", "hard", True, False),
        ("a", 1, 17.0, 25.0, 8.0, "hard", "drop", False, False),
        ("a", 2, 0.0, 12.0, 12.0, "add", "drop", True, False),
        ("a", 3, 12.0, 17.0, 5.0, "hard", "hard", False, False),
        ("a", 3, 20.0, 40.0, 20.0, "add", "service_end", False, False),
        ("a", 3, 50.0, 60.0, 10.0, "service_start", "end", False, True),
    ]
    assert list(table.itertuples(index=False, name=None)) == rows
    found = evaluate(run_of(HARD_AND_SOFT, **two()))
    row, totals = found.terminals.loc["a"], found.totals
    assert row[["stays", "complete_stays", "mean_stay_s"]].tolist() == [6, 3, 11.0]
    assert row["stay_per_leave_s"] == totals["stay_per_leave_s"]
    assert totals["mean_stay_s"] == (8.0 + 5.0 + 20.0) / 3
    assert totals["stay_per_leave_s"] == (12.0 + 8.0 + 12.0 + 5.0 + 20.0 + 10.0) / 5


def test_ping_pongs_are_returns_by_handover_within_the_window():
    table = stays(run_of(HARD_AND_SOFT, **two()))
    found = ping_pongs(table)
    assert list(found.itertuples(index=False, name=None)) == [
        ("a", 1, 12.0, 17.0, 5.0, "hard"),
        ("a", 3, 17.0, 20.0, 3.0, "soft"),
    ]
    assert ping_pongs(table, window_s=5.0)["kind"].tolist() == ["hard", "soft"]  # the limit is included
    assert ping_pongs(table, window_s=4.999)["kind"].tolist() == ["soft"]
    assert ping_pongs(table, window_s=1e9)["kind"].tolist() == ["hard", "soft"]  # a start of service is no handover
    totals = evaluate(run_of(HARD_AND_SOFT, **two())).totals
    assert (totals["hard_ping_pongs_per_hour"], totals["soft_ping_pongs_per_hour"]) == (30.0, 30.0)
    # 0.3 - 0.1 is more than 0.2 in binary
    short = [(0.0, "a", "service_start", None, 1, 0.0), (0.1, "a", "hard", 1, 2, 0.0), (0.3, "a", "hard", 2, 1, 0.0)]
    assert len(ping_pongs(stays(run_of(short, epochs=1)), window_s=0.2)) == 1
    with pytest.raises(InputError, match="window_s: found -1"):
        ping_pongs(table, window_s=-1.0)


def test_outages_are_times_without_members_or_under_execution():
    served = [[True, True, True, False, True, True], [False] * 6]
    interrupted = [[0.05, 0.1, 0.0, 0.0, 0.0, 0.05], [0.0] * 6]
    run = run_of(HARD_AND_SOFT, **two(in_service=served, interrupted_fraction=interrupted))
    table = outages(run)
    assert list(table.itertuples(index=False, name=None)) == [
        ("a", 0.0, 0.5, 0.5, True, False),
        ("a", 12.0, 12.5, 0.5, False, False),
        ("a", 17.0, 17.5, 0.5, False, False),
        ("a", 40.0, 50.5, 10.5, False, False),
        ("b", 0.0, 60.0, 60.0, True, True),
    ]
    by = service(run, table)
    assert by.loc["a", ["outages", "outage_s", "longest_outage_s", "announced_s"]].tolist() == [4, 12.0, 10.5, 2.0]
    assert by["availability"].tolist() == [0.8, 0.0]
    assert by["interrupted_s"].tolist() == [2.0, 0.0]
    assert by["served_epochs"].tolist() == [5 / 6, 0.0]
    assert by["longest_unserved_epochs"].tolist() == [1, 6]
    assert evaluate(run).totals["availability"] == 0.4
    assert evaluate(run).totals["longest_outage_s"] == 60.0


def test_interruptions_that_overlap_or_outlast_the_run_count_once():
    events = [
        (1.0, "a", "service_start", None, 1, 4.0),
        (3.0, "a", "hard", 1, 2, 4.0),
        (58.0, "a", "hard", 2, 3, 4.0),
    ]
    table = outages(run_of(events))
    assert table["begin_s"].tolist() == [0.0, 58.0]
    assert table["end_s"].tolist() == [7.0, 60.0]
    assert table["to_end"].tolist() == [False, True]
    assert service(run_of(events), table)["announced_s"].tolist() == [12.0]


def test_churn_is_the_jaccard_distance_of_neighbouring_sets():
    serving = [[[1, 2], [2, 1], [2, 3], [], [], [3]], [[]] * 6]
    run = run_of(**two(serving=serving))
    # {1,2} and {2,3} share one of three
    assert np.allclose(churn(run), [[0.0, 2 / 3, 1.0, 0.0, 1.0], [0.0] * 5], rtol=0.0, atol=1e-15)  # a division
    table = clusters(run)
    assert table["mean_cluster_size"].tolist() == [7 / 6, 0.0]
    assert table["least_cluster_size"].tolist() == [0, 0]
    assert table["most_cluster_size"].tolist() == [2, 0]
    with pytest.raises(InputError, match='serving: "b" has a satellite twice at epoch 1'):
        churn(run_of(epochs=2, serving=[[[], []], [[1], [4, 4]]]))


def test_the_last_set_of_one_terminal_is_no_neighbour_of_the_next_ones_first():
    run = run_of(epochs=2, serving=[[[], [1]], [[1], []]])
    assert churn(run).tolist() == [[1.0], [1.0]]


def test_load_is_over_active_satellites_and_all_epochs():
    run = run_of(epochs=4, satellites=[(0, 7, 3), (0, 8, 1), (1, 7, 2), (3, 9, 0)])
    by = load_by_satellite(run)
    assert by.index.tolist() == [7, 8, 9]
    assert by["active_epochs"].tolist() == [2, 1, 1]
    assert by["mean_served"].tolist() == [5 / 4, 1 / 4, 0.0]
    assert by["mean_served_active"].tolist() == [2.5, 1.0, 0.0]
    assert by["most_served"].tolist() == [3, 1, 0]
    load = load_by_epoch(run)
    assert load["active"].tolist() == [2, 1, 0, 1]
    assert load["served"].tolist() == [4, 2, 0, 0]
    assert load["most_served"].tolist() == [3, 2, 0, 0]
    assert load["jain"].tolist()[:2] == [16 / 20, 1.0]
    assert load["mean_served"].tolist()[:2] == [2.0, 2.0]
    assert load.loc[2:, ["jain", "mean_served"]].isna().all(axis=None)
    totals = evaluate(run).totals
    assert (totals["jain"], totals["mean_served"], totals["most_served"]) == (0.9, 2.0, 3.0)


def test_rates_are_over_everyone():
    run = run_of(**two(se_bps_hz=[[2.0] * 6, [0.0] * 6]))
    table = rates(run)
    assert table["mean_rate_bps"].tolist() == [4.0, 0.0]
    assert table["mean_se_bps_hz"].tolist() == [2.0, 0.0]
    assert table["low_rate_bps"].tolist() == [0.0, 0.0]
    totals = evaluate(run).totals
    assert totals["mean_rate_bps"] == 2.0
    assert totals["low_rate_bps"] == pytest.approx(0.05 * 4.0, rel=1e-15)  # between 0 and 4, one product
    assert totals["low_epoch_rate_bps"] == 0.0


def test_rate_around_handovers_is_by_the_distance_in_time():
    rate = [[1.0, 2.0, 4.0, 8.0, 16.0, 32.0], [0.0, 0.0, 0.0, 0.0, 64.0, 0.0]]
    events: list[Event] = [
        (0.0, "a", "service_start", None, 1, 0.0),
        (21.0, "a", "hard", 1, 2, 0.0),
        (29.0, "a", "hard", 2, 3, 0.0),  # the same epoch: once
        (0.0, "b", "service_start", None, 1, 0.0),
        (50.0, "b", "hard", 1, 2, 0.0),
    ]
    table = rate_around(run_of(events, rate_bps=rate), window_s=29.9)
    assert table.index.tolist() == [-20.0, -10.0, 0.0, 10.0, 20.0]
    assert table["samples"].tolist() == [2, 2, 2, 1, 1]  # the run ends
    assert table["mean_rate_bps"].tolist() == [(1 + 0) / 2, (2 + 64) / 2, (4 + 0) / 2, 8.0, 16.0]
    assert table.loc[-10.0, "low_rate_bps"] == pytest.approx(2 + 0.05 * 62, rel=1e-15)  # interpolation: one product
    start = rate_around(run_of(events, rate_bps=rate), kinds=["service_start"], window_s=10.0)
    assert start["samples"].tolist() == [0, 2, 2]
    assert math.isnan(start.loc[-10.0, "mean_rate_bps"])
    assert start.loc[10.0, "mean_rate_bps"] == 1.0
    with pytest.raises(InputError, match='kinds: found "handover", allowed "service_start"'):
        rate_around(run_of(events, rate_bps=rate), kinds=["handover"])
    with pytest.raises(InputError, match="window_s: found nan"):
        rate_around(run_of(events, rate_bps=rate), window_s=math.nan)


# Edges


def test_a_run_without_events_has_no_handovers_and_no_service():
    found = evaluate(run_of(**two()))
    assert not found.terminals[["hard", "soft", "service_start", "stays", "hard_ping_pongs_per_hour"]].any(axis=None)
    assert found.totals["availability"] == 0.0
    assert found.outages["outage_s"].tolist() == [60.0, 60.0]
    assert found.totals[["mean_stay_s", "stay_per_leave_s", "jain", "mean_served"]].isna().all()
    assert not found.around["samples"].any()
    assert len(found.stays) == len(found.ping_pongs) == len(found.satellites) == 0


def test_one_epoch_is_a_run():
    events = [(0.0, "a", "service_start", None, 1, 1.0)]
    found = evaluate(run_of(events, epochs=1, rate_bps=[[5.0]], serving=[[[1]]], satellites=[(0, 1, 1)]))
    assert found.totals["mean_rate_bps"] == found.totals["low_rate_bps"] == 5.0
    assert found.totals["availability"] == 0.9
    assert math.isnan(found.totals["churn"])
    assert found.around.loc[0.0, "samples"] == 0
    stay = found.stays.iloc[0]
    assert (stay["from_start"], stay["to_end"], stay["stay_s"]) == (True, True, 10.0)
    assert found.terminals.loc["a", ["stays", "complete_stays"]].tolist() == [1, 0]


ONE: list[Event] = [(0.0, "a", "service_start", None, 1, 0.0)]


@pytest.mark.parametrize(
    ("events", "message"),
    [
        (
            [*ONE, (5.0, "a", "add", None, 1, 0.0)],
            'already in, terminal "a", 5.0 s after',
        ),
        ([*ONE, (5.0, "a", "drop", 2, None, 0.0)], "satellite 2 leaves a cluster that it is not in"),
        ([*ONE, (5.0, "a", "hard", 1, None, 0.0)], 'an event "hard" of terminal "a", 5.0 s .* names no'),
    ],
)
def test_events_that_do_not_replay_are_refused(events: list[Event], message: str):
    with pytest.raises(InputError, match=message):
        stays(run_of(events))


def test_frames_that_do_not_fit_together_are_refused():
    terminals, handovers, satellites = terminal_frame(2, 10.0), handover_frame(ONE), satellite_frame()

    def refused(message: str, **changes: Any) -> None:
        frames = {"terminals": terminals, "handovers": handovers, "satellites": satellites} | changes
        lengths = {"epoch_s": frames.pop("epoch_s", 10.0), "duration_s": frames.pop("duration_s", 20.0)}
        with pytest.raises(InputError, match=message):
            Run.of_frames(**frames, **lengths)

    refused('terminals: no column "rate_bps"', terminals=terminals.drop(columns="rate_bps"))
    refused('"a" has 0 rows at epoch 1', terminals=terminals[:1])
    refused('"a" has 2 rows at epoch 0', terminals=pd.concat([terminals, terminals[:1]]))
    refused("found no rows", terminals=terminals[:0])
    refused("terminals: epoch: found 1, allowed 0 to 0", duration_s=10.0)
    refused("rate_bps: found nan", terminals=terminals.assign(rate_bps=math.nan))
    refused("in epochs of 10.0 s, allowed one whole epoch or more", duration_s=25.0)
    refused("in epochs of 0.0 s", epoch_s=0.0)
    refused('kind: found "jump", allowed "service_start"', handovers=handovers.assign(kind="jump"))
    refused('terminal: found "z", not in terminals', handovers=handovers.assign(terminal="z"))
    refused("since the start of the run: found -", handovers=handovers.assign(time=START - pd.Timedelta("1s")))
    refused("interruption_s: found -1.0", handovers=handovers.assign(interruption_s=-1.0))
    refused("satellites: epoch: found 2", satellites=satellite_frame([(2, 1, 1)]))
    with pytest.raises(InputError, match="satellite 1 has two rows at epoch 0"):
        load_by_epoch(run_of(satellites=[(0, 1, 1), (0, 1, 2)]))
    with pytest.raises(InputError, match="served: found -2"):
        load_by_epoch(run_of(satellites=[(0, 1, -2)]))


def test_a_trace_without_a_finished_epoch_or_the_length_of_one_is_refused(tmp_path: Path):
    with pytest.raises(InputError, match="no epoch is complete yet"):
        Run.of(Trace(tmp_path, {"last_durable_epoch": -1}))
    with pytest.raises(InputError, match=r"does not hold a valid time\.epoch"):
        Run.of(Trace(tmp_path, {"last_durable_epoch": 3, "scenario": {}}))


# A replay, one step of time at a time


@dataclass
class Replayed:
    """What a terminal's events come to, with sets and dictionaries."""

    stays: list[tuple[int, float, float, bool]] = field(default_factory=list)
    hard: int = 0
    soft: int = 0
    idle: list[bool] = field(default_factory=list)
    counts: dict[str, int] = field(default_factory=dict)


def replayed(events: list[Event], steps: int, step_s: float, window_s: float) -> Replayed:
    """Go through a run in steps; events and interruptions last whole steps."""
    found, since, left, blocked = Replayed(), {}, {}, 0
    for step in range(steps):
        for at_s, _, kind, leaves, joins, gap_s in events:
            if round(at_s / step_s) != step:
                continue
            found.counts[kind] = found.counts.get(kind, 0) + 1
            if kind in ("drop", "service_end", "hard"):
                found.stays.append((leaves, since.pop(leaves) * step_s, step * step_s, False))
                left[leaves] = step
            if kind in ("add", "service_start", "hard"):
                if joins in left and step - left[joins] <= round(window_s / step_s):
                    found.hard += kind == "hard"
                    found.soft += kind == "add"
                since[joins] = step
            blocked = max(blocked, step + round(gap_s / step_s))
        found.idle.append(not since or step < blocked)
    found.stays += [(satellite, begin * step_s, steps * step_s, True) for satellite, begin in since.items()]
    return found


def spells(flags: list[bool]) -> list[tuple[int, int]]:
    """Begin and end of each stretch of flags."""
    edges = [i for i in range(len(flags) + 1) if (i > 0 and flags[i - 1]) != (i < len(flags) and flags[i])]
    return list(zip(edges[::2], edges[1::2], strict=True))


def random_events(seed: int, terminal: str, steps: int, step_s: float) -> list[Event]:
    """A terminal whose cluster changes at random, as the loop would log it."""
    rng = np.random.default_rng([30, seed, ord(terminal)])
    if rng.random() < 0.15:
        return []
    events: list[Event] = []
    old = EMPTY_CLUSTER
    for step in np.flatnonzero(rng.random(steps) < rng.choice([0.02, 0.1, 0.3])).tolist():
        wanted = sorted(rng.choice(7, size=rng.integers(0, 4), replace=False).tolist())
        master = int(rng.choice(wanted)) if wanted else None
        new = Cluster(ready_ns=dict.fromkeys(wanted, 0), master=master)
        gap_ns = round(int(rng.integers(0, 5)) * step_s * 1e9)
        for each in transition(0, old, new, reason="chance", execution_ns=gap_ns):
            sides = each.from_satellite, each.to_satellite
            events.append((step * step_s, terminal, each.kind, *sides, each.interruption_ns / 1e9))
        old = new
    return events


@pytest.mark.parametrize("seed", range(30))
def test_a_replay_step_by_step_finds_the_same(seed: int):
    rng = np.random.default_rng([31, seed])
    names, epochs, per_epoch, step_s = "abcde", int(rng.integers(1, 12)), 5, 0.2
    steps, window_s = epochs * per_epoch, float(rng.choice([0.0, 0.6, 2.0]))
    events = {name: random_events(seed, name, steps, step_s) for name in names}
    mixed = sorted((event for some in events.values() for event in some), key=lambda event: event[0])
    rate = rng.random((len(names), epochs)).tolist()
    serving = [[rng.choice(9, rng.integers(0, 5), replace=False).tolist() for _ in range(epochs)] for _ in names]
    run = run_of(mixed, epochs=epochs, epoch_s=per_epoch * step_s, rate_bps=rate, serving=serving)
    found = evaluate(run, ping_pong_window_s=window_s, around_kinds=("hard", "add"), around_window_s=3.0)
    hours = steps * step_s / 3600.0
    around: dict[int, list[float]] = {offset: [] for offset in range(-3, 4)}
    for k, name in enumerate(names):
        expected = replayed(events[name], steps, step_s, window_s)
        row, own = found.terminals.loc[name], found.stays[found.stays["terminal"] == name]
        pairs = own[["satellite", "begin_s", "end_s", "to_end"]].itertuples(index=False, name=None)
        for one, other in zip(sorted(pairs), sorted(expected.stays), strict=True):
            assert one == pytest.approx(other, rel=1e-12)  # seconds against steps: one rounding each
        # the same counts over the same time, in another order of operations
        assert row["hard_ping_pongs_per_hour"] == pytest.approx(expected.hard / hours, rel=1e-12)
        assert row["soft_ping_pongs_per_hour"] == pytest.approx(expected.soft / hours, rel=1e-12)
        for kind in ("service_start", "service_end", "hard", "add", "drop", "master"):
            assert row[kind] == pytest.approx(expected.counts.get(kind, 0) / hours, rel=1e-12)
        out = found.outages[found.outages["terminal"] == name]
        gaps = [(begin * step_s, end * step_s) for begin, end in spells(expected.idle)]
        ours = list(out[["begin_s", "end_s"]].itertuples(index=False, name=None))
        assert [*map(list, ours)] == [pytest.approx(list(gap), rel=1e-12) for gap in gaps]
        assert row["availability"] == pytest.approx(1.0 - sum(expected.idle) / steps, abs=1e-12)
        assert row["longest_outage_s"] == pytest.approx(max((b - a for a, b in gaps), default=0.0), abs=1e-12)
        assert row["outages"] == len(gaps)
        sets = [set(each) for each in serving[k]]
        apart = [len(a ^ b) / len(a | b) if a | b else 0.0 for a, b in itertools.pairwise(sets)]
        if apart:
            assert row["churn"] == pytest.approx(sum(apart) / len(apart), abs=1e-12)
        moments = {round(event[0] / step_s) // per_epoch for event in events[name] if event[2] in ("hard", "add")}
        for snapshot in moments:
            for offset, values in around.items():
                if 0 <= snapshot + offset < epochs:
                    values.append(rate[k][snapshot + offset])
    assert found.around["samples"].tolist() == [len(values) for values in around.values()]
    for (_, row), values in zip(found.around.iterrows(), around.values(), strict=True):
        if values:
            assert row["mean_rate_bps"] == pytest.approx(sum(values) / len(values), rel=1e-12)


def test_the_order_of_terminals_and_the_names_of_satellites_change_nothing():
    events = [event for name in "abc" for event in random_events(4, name, 60, 1.0)]
    rng = np.random.default_rng(8)
    serving = [[rng.choice(9, 3, replace=False).tolist() for _ in range(6)] for _ in range(3)]
    rate = rng.random((3, 6)).tolist()
    one = evaluate(run_of(events, rate_bps=rate, serving=serving))
    renamed = [
        (t, n, kind, None if a is None else 900 - a, None if b is None else 900 - b, g)
        for t, n, kind, a, b, g in events
    ]
    swapped = [[[900 - s for s in each] for each in some] for some in serving]
    frame = terminal_frame(6, 10.0, rate_bps=rate, serving=swapped).sort_values(
        "terminal", ascending=False, kind="stable"
    )
    other = evaluate(Run.of_frames(frame, handover_frame(renamed), satellite_frame(), epoch_s=10.0, duration_s=60.0))
    assert other.terminals.index.tolist() == ["c", "b", "a"]
    # sums over a terminal's satellites go by their numbers
    pd.testing.assert_frame_equal(one.terminals, other.terminals.loc[["a", "b", "c"]], check_exact=False, rtol=1e-12)
    pd.testing.assert_series_equal(one.totals, other.totals, check_exact=False, rtol=1e-12)
    again = evaluate(run_of(events, rate_bps=rate, serving=serving))
    pd.testing.assert_frame_equal(one.terminals, again.terminals, check_exact=True)


# Several runs


def test_the_interval_is_students():
    values = np.random.default_rng(3).normal(5.0, 2.0, 7)
    table = over_runs([{"rate": value, "same": 1.0} for value in values], level=0.9)
    expected = stats.t.interval(0.9, df=6, loc=values.mean(), scale=stats.sem(values))
    # two implementations of the quantile
    assert table.loc["rate", ["low", "high"]].tolist() == pytest.approx(expected, rel=1e-9)
    assert table.loc["rate", "mean"] == pytest.approx(values.mean(), rel=1e-14)  # order of seven additions
    assert table.loc["same"].tolist() == [1.0, 1.0, 1.0, 0.0, 7]


def test_the_interval_holds_the_truth_as_often_as_it_says():
    draws = np.random.default_rng(4).normal(size=(2000, 4))
    table = over_runs([dict(zip(range(2000), column, strict=True)) for column in draws.T], level=0.8)
    held = ((table["low"] < 0.0) & (table["high"] > 0.0)).mean()
    # 2,000 trials of probability 0.8 have a standard error of 0.009; four of them (the normal quantile would give 0.71)
    assert abs(held - 0.8) < 0.036


def test_runs_without_a_figure_are_left_out_of_it_and_counted():
    table = over_runs([pd.Series({"stay": 4.0, "rate": 1.0}), {"rate": 3.0, "stay": math.nan}])
    assert table.loc["rate", ["mean", "count"]].tolist() == [2.0, 2]
    assert table.loc["stay", ["mean", "count"]].tolist() == [4.0, 1]
    assert table.loc["stay", ["low", "high", "std"]].isna().all()
    for runs, message in (
        ([], "runs: found none"),
        ([{"a": 1.0}, {"b": 1.0}], 'only one of run 0 and run 1 has "a"'),
        ([{"a": math.inf}], '"a" is infinite'),
    ):
        with pytest.raises(InputError, match=message):
            over_runs(runs)
    with pytest.raises(InputError, match="level: found 1"):
        over_runs([{"a": 1.0}], level=1.0)


# A run of the loop


@pytest.fixture(scope="module", params=["nearest_cluster", "max_elevation"])
def trace(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Trace:
    association = {"name": request.param, "min_elevation_deg": 38.0, "execution": "4s", "preparation": "3s"}
    scenario = small({"time.duration": "600s", "time.epoch": "5s"}, association=association)
    directory: Path = tmp_path_factory.mktemp("runs") / "trace"
    return run_job(scenario, directory)


def empty_s(trace: Trace, terminal: str) -> float:
    """Time without a member, event by event."""
    members, since_s, total_s = set(), 0.0, 0.0
    own = trace.handovers[trace.handovers["terminal"] == terminal]
    for event in own.itertuples():
        at_s = (event.time - START).total_seconds()
        total_s += 0.0 if members else at_s - since_s
        members -= {event.from_satellite} if event.kind in ("drop", "service_end", "hard") else set()
        members |= {event.to_satellite} if event.kind in ("add", "service_start", "hard") else set()
        since_s = at_s
    return total_s + (0.0 if members else 600.0 - since_s)


def test_events_and_epochs_of_a_run_tell_one_story(trace: Trace):
    run = Run.of(trace)
    found = evaluate(run)
    assert run.epochs == 120
    assert found.terminals.index.tolist() == [f"ut-{k:02}" for k in range(4)]
    assert len(found.stays) > 20
    for k, name in enumerate(run.names):
        own = found.outages[found.outages["terminal"] == name]
        ends_s = 5.0 * np.arange(1, 121)
        idle = [((own["begin_s"] < end_s) & (own["end_s"] >= end_s)).any() for end_s in ends_s]
        assert idle == (~run.in_service[k]).tolist()
    # who serves at the end of the last epoch has a stay that outlasts the run
    last = trace.terminals[trace.terminals["epoch"] == 119].set_index("terminal")["serving"]
    open_ = found.stays[found.stays["to_end"]].groupby("terminal")["satellite"].apply(set)
    for name, serving in last.items():
        assert set(serving) <= open_.get(name, set())
    # outages are time under execution, as the loop measured it, and time without a member
    for name, row in found.terminals.iterrows():
        assert row["outage_s"] == pytest.approx(row["interrupted_s"] + empty_s(trace, name), abs=1e-9)  # sums of shares
    assert (found.terminals["outage_s"] > found.terminals["interrupted_s"] + 1.0).any()
    counts = trace.handovers.groupby(["terminal", "kind"]).size().unstack(fill_value=0) / run.hours
    for kind in counts:
        assert np.allclose(found.terminals.loc[counts.index, kind], counts[kind], rtol=1e-12, atol=0.0)  # one division


def test_a_run_that_was_read_by_itself_agrees_with_its_summary(trace: Trace):
    summary, totals = summarise(trace.directory), evaluate(Run.of(trace)).totals
    # the same sums in another order
    assert totals["mean_rate_bps"] == pytest.approx(summary.mean_rate_bps, rel=1e-12)
    assert totals["low_rate_bps"] == pytest.approx(summary.low_rate_bps, rel=1e-12)
    assert totals["served_epochs"] == pytest.approx(summary.in_service, rel=1e-12)
    assert totals["interrupted_s"] / 600.0 == pytest.approx(summary.interrupted, rel=1e-12)
    for kind in summary.handovers:
        assert totals[kind] == pytest.approx(summary.handover_rate(kind), rel=1e-12)


# Terminals that come and go


AWAY: list[Event] = [
    (0.0, "a", "service_start", None, 1, 0.5),
    (12.0, "a", "hard", 1, 2, 0.5),
    (22.0, "a", "add", None, 3, 0.0),
    (25.0, "a", "drop", 3, None, 0.0),
    (25.0, "a", "service_end", 2, None, 0.0),
    (45.0, "a", "service_start", None, 1, 0.5),
    (50.0, "a", "add", None, 3, 0.0),
]


def three(**changes: Any) -> dict[str, Any]:
    """Of three terminals, the first is away from 25 s to 40 s, the second never there, the third never served."""
    return {
        "rate_bps": [[4.0, 4.0, 1.0, 0.0, 8.0, 0.0], [0.0] * 6, [0.0] * 6],
        "se_bps_hz": [[2.0] * 2 + [1.0, 0.0, 2.0, 2.0], [0.0] * 6, [0.0] * 6],
        "serving": [[[1], [2], [], [], [], [1, 3]], [[]] * 6, [[]] * 6],
        "in_service": [[True, True, False, False, False, True], [False] * 6, [False] * 6],
        "present": [[True, True, False, False, True, True], [False] * 6, [True] * 6],
        "present_fraction": [[1.0, 1.0, 0.5, 0.0, 1.0, 1.0], [0.0] * 6, [1.0] * 6],
        **changes,
    }


def test_all_figures_are_over_the_time_in_which_a_terminal_is_there():
    found = evaluate(run_of(AWAY, **three()))
    table, totals, there_s = found.terminals, found.totals, 45.0
    assert list(found.outages.drop(columns="outage_s").itertuples(index=False, name=None)) == [
        ("a", 0.0, 0.5, True, False),
        ("a", 12.0, 12.5, False, False),
        ("a", 40.0, 45.5, False, False),  # from its arrival on
        ("c", 0.0, 60.0, True, True),
    ]
    row = table.loc["a"]
    # one division each
    assert row["hard"] == pytest.approx(1 / (there_s / 3600.0), rel=1e-15)
    assert row["availability"] == pytest.approx(1.0 - 6.5 / there_s, rel=1e-15)
    assert row["mean_rate_bps"] == pytest.approx(17.0 / 4.5, rel=1e-15)
    assert row["mean_se_bps_hz"] == pytest.approx(9.0 / 4.5, rel=1e-15)
    assert row["low_rate_bps"] == pytest.approx(0.05 * 4 * 2.0, rel=1e-15)  # a fifth of the way from 0 to 2
    assert row[["served_epochs", "longest_unserved_epochs"]].tolist() == [3 / 4, 1]
    assert row[["mean_cluster_size", "least_cluster_size", "most_cluster_size"]].tolist() == [1.0, 0, 2]
    assert row["churn"] == 1.0  # {1} to {2} and {} to {1, 3}; the others have an end without the terminal
    assert row[["outages", "outage_s", "longest_outage_s"]].tolist() == [3, 6.5, 5.5]
    assert totals["hard"] == pytest.approx(1 / (105.0 / 3600.0), rel=1e-15)
    assert totals["availability"] == pytest.approx(38.5 / 105.0, rel=1e-15)
    assert totals["served_epochs"] == pytest.approx(3 / 10, rel=1e-15)
    assert totals["mean_rate_bps"] == pytest.approx(17.0 / 4.5 / 2, rel=1e-15)
    assert totals["outages"] == 2.0
    assert totals["low_rate_bps"] == pytest.approx(0.05 * 17.0 / 4.5, rel=1e-14)
    rates_there = [4.0, 4.0, 2.0, 8.0, 0.0, *[0.0] * 6]
    assert totals["low_epoch_rate_bps"] == np.percentile(rates_there, 5.0) == 0.0
    assert found.around["samples"].tolist() == [1, 1, 1]
    wide = rate_around(run_of(AWAY, **three()), window_s=30.0)
    assert wide["samples"].tolist() == [0, 0, 1, 1, 1, 0, 1]  # two epochs on, the terminal is not there
    assert wide.loc[10.0, "mean_rate_bps"] == 2.0


def test_who_is_never_there_has_no_figures_and_dilutes_none():
    with_it, without_it = three(), {name: [rows[0], rows[2]] for name, rows in three().items()}
    events = [(*event[:1], "a", *event[2:]) for event in AWAY]
    some, others = evaluate(run_of(events, **with_it)), evaluate(run_of(events, **without_it))
    assert some.terminals.loc["b"].isna().all()
    assert some.terminals.loc["c"].drop(["mean_stay_s", "stay_per_leave_s"]).notna().all()
    pd.testing.assert_series_equal(some.totals, others.totals)
    nobody = {name: [rows[1]] for name, rows in three().items()}
    totals = evaluate(run_of(**nobody)).totals
    assert totals.drop("most_served").isna().all()
    # a run without a figure says nothing about it
    over = over_runs([some.totals, totals])
    assert over.loc["hard", ["mean", "count"]].tolist() == [some.totals["hard"], 1]
    assert over_runs([totals, totals]).loc["hard", "count"] == 0
    assert over_runs([totals, totals]).loc["hard", ["mean", "low", "high", "std"]].isna().all()


def test_whole_numbers_stay_whole_where_all_are_there():
    table = evaluate(run_of(HARD_AND_SOFT, **two())).terminals
    for name in ("stays", "complete_stays", "outages", "least_cluster_size", "most_cluster_size"):
        assert table[name].dtype == np.int64


def test_a_departure_cuts_stays_and_an_arrival_makes_no_ping_pong():
    run = run_of(AWAY, **three())
    table = stays(run)
    assert table[["satellite", "end_s", "closed_by"]].to_numpy().tolist() == [
        [1, 12.0, "hard"],
        [1, 60.0, "end"],
        [2, 25.0, "terminal_left"],
        [3, 25.0, "terminal_left"],
        [3, 60.0, "end"],
    ]
    assert len(ping_pongs(table, window_s=100.0)) == 0
    found = evaluate(run)
    assert found.terminals.loc["a", ["stays", "complete_stays"]].tolist() == [5, 0]
    assert math.isnan(found.totals["mean_stay_s"])
    assert found.totals["stay_per_leave_s"] == 12.0 + 13.0 + 3.0 + 15.0 + 10.0


def test_frames_without_presence_are_of_terminals_that_are_always_there():
    given = three(serving=[[[]] * 6] * 3, rate_bps=[[1.0] * 6] * 3, in_service=[[False] * 6] * 3)
    here = given | {"present": [[True] * 6] * 3, "present_fraction": [[1.0] * 6] * 3}
    bare = {name: rows for name, rows in given.items() if not name.startswith("present")}
    nulls = bare | {"present": [[None] * 6] * 3, "present_fraction": [[None] * 6] * 3}
    one, two_, three_ = (evaluate(run_of(AWAY, **each)) for each in (here, bare, nulls))
    for other in (two_, three_):
        pd.testing.assert_frame_equal(one.terminals, other.terminals, check_exact=True)
        pd.testing.assert_series_equal(one.totals, other.totals, check_exact=True)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"present": [[None, *[True] * 5], [False] * 6, [True] * 6]}, "present: found a missing value"),
        (
            {"present_fraction": [[1.2, *[1.0] * 5], [0.0] * 6, [1.0] * 6]},
            "present_fraction: found 1.2, allowed 0 to 1",
        ),
        ({"present_fraction": [[0.0, *[1.0] * 5], [0.0] * 6, [1.0] * 6]}, "present_fraction: found 0.0"),
        ({"in_service": [[False] * 6, [True, *[False] * 5], [False] * 6]}, '"b" is served at epoch 0, but absent'),
        ({"rate_bps": [[0.0] * 6, [0.0, 1.0, *[0.0] * 4], [0.0] * 6]}, '"b" is served at epoch 1, but absent'),
        (
            {"present_fraction": [[1.0, 1.0, 0.4, 0.0, 1.0, 1.0], [0.0] * 6, [1.0] * 6]},
            '"a" is absent in epoch 2, but served according to the handovers',
        ),
    ],
)
def test_who_is_not_there_cannot_be_served(changes: dict[str, Any], message: str):
    with pytest.raises(InputError, match=message):
        evaluate(run_of(AWAY, **three(**changes)))
    bare = terminal_frame(6, 10.0, **three()).drop(columns="present_fraction")
    with pytest.raises(InputError, match='no column "present_fraction"'):
        Run.of_frames(bare, handover_frame(AWAY), satellite_frame(), epoch_s=10.0, duration_s=60.0)


def test_who_is_away_for_whole_epochs_cannot_be_served_in_them():
    flags = {"present": [[True, False, True]], "present_fraction": [[1.0, 0.0, 1.0]]}
    with pytest.raises(InputError, match='"a" is absent in epoch 1, but served'):
        evaluate(run_of([(0.0, "a", "service_start", None, 1, 0.0)], epochs=3, **flags))


def test_times_of_leaving_and_arriving_are_exact():
    # 65,000 ns over a second, times a second, are less than 65,000 ns in binary
    events = [(0.0, "a", "service_start", None, 1, 0.0), (65e-6, "a", "service_end", 1, None, 0.0)]
    run = run_of(events, epochs=2, epoch_s=1.0, present=[[False, False]], present_fraction=[[65_000 / 1e9, 0.0]])
    assert len(outages(run)) == 0
    assert stays(run)["closed_by"].tolist() == ["terminal_left"]
    assert service(run, outages(run))["availability"].tolist() == [1.0]


@pytest.mark.parametrize(
    ("present", "events", "out"),
    [
        # there from 12 s to 17 s, served from 14 s on
        ((False, False), [(14.0, "service_start", 1), (17.0, "service_end", 1)], [[12.0, 14.0]]),
        # away from 13 s to 16 s, served again from 18 s on, and out for a second before
        (
            (True, True),
            [
                (0.0, "service_start", 1),
                (11.0, "service_end", 1),
                (12.0, "service_start", 1),
                (13.0, "service_end", 1),
                (18.0, "service_start", 1),
            ],
            [[11.0, 12.0], [16.0, 18.0]],
        ),
    ],
)
def test_within_one_epoch_an_absence_is_where_service_ends(
    present: tuple[bool, bool], events: list[tuple[float, str, int]], out: list[list[float]]
):
    rows: list[Event] = [
        (at_s, "a", kind, *((None, one) if kind == "service_start" else (one, None)), 0.0) for at_s, kind, one in events
    ]
    away_s = 5.0 if present == (False, False) else 3.0
    shares = [float(present[0]), 1.0 - away_s / 10.0, float(present[1])]
    run = run_of(rows, epochs=3, present=[[present[0], present[0], present[1]]], present_fraction=[shares])
    assert outages(run)[["begin_s", "end_s"]].to_numpy().tolist() == out


def comings_and_goings(seed: int, terminal: str, steps: int, rate: float) -> tuple[list[Event], list[bool]]:
    """Events of a terminal that comes and goes at random, in steps of 0.2 s, and whether it is there in each step."""
    rng = np.random.default_rng([32, seed, ord(terminal)])
    there = np.logical_xor.accumulate(np.append(rng.random() < 0.3, rng.random(steps - 1) < rate))
    events: list[Event] = []
    old = EMPTY_CLUSTER
    for step in range(steps):
        leaves = step > 0 and there[step - 1] and not there[step]
        if not leaves and (not there[step] or rng.random() > 0.2):
            continue
        wanted = [] if leaves else sorted(rng.choice(5, size=rng.integers(0, 3), replace=False).tolist())
        new = Cluster(ready_ns=dict.fromkeys(wanted, 0), master=wanted[0] if wanted else None)
        gap_ns = int(rng.integers(0, 4)) * 200_000_000
        for each in transition(0, old, new, reason="chance", execution_ns=gap_ns):
            sides = each.from_satellite, each.to_satellite
            events.append((step * 0.2, terminal, each.kind, *sides, each.interruption_ns / 1e9))
        old = new
    return events, there.tolist()


@pytest.mark.parametrize("often", [False, True])
@pytest.mark.parametrize("seed", range(25))
def test_a_replay_of_terminals_that_come_and_go_finds_the_same(seed: int, often: bool):
    names, epochs, per_epoch, step_s = "abcd", 12, 5, 0.2
    steps = epochs * per_epoch
    given = {name: comings_and_goings(seed, name, steps, 0.3 if often else 0.06) for name in names}
    there = np.array([given[name][1] for name in names]).reshape(len(names), epochs, per_epoch)
    mixed = sorted((event for events, _ in given.values() for event in events), key=lambda event: event[0])
    shares = {"present": there[:, :, -1].tolist(), "present_fraction": there.mean(axis=2).tolist()}
    run = run_of(mixed, epochs=epochs, epoch_s=per_epoch * step_s, **shares)
    found = evaluate(run)
    for k, name in enumerate(names):
        row, hours = found.terminals.loc[name], there[k].sum() * step_s / 3600.0
        if not there[k].any():
            assert row.isna().all()
            continue
        expected = replayed(given[name][0], steps, step_s, 10.0)
        idle = np.array(expected.idle) & there[k].ravel()
        # seconds against steps: a few roundings
        assert row["availability"] == pytest.approx(1.0 - idle.sum() / there[k].sum(), abs=1e-12)
        assert row["outage_s"] == pytest.approx(idle.sum() * step_s, abs=1e-9)
        assert row["hard"] == pytest.approx(expected.counts.get("hard", 0) / hours, rel=1e-12)
        turns = np.diff(np.append(True, there[k].ravel())) != 0
        if turns.reshape(epochs, per_epoch).sum(axis=1).max() <= 1:  # when it comes and goes is then known
            own = found.outages[found.outages["terminal"] == name]
            gaps = [pytest.approx([begin * step_s, end * step_s], abs=1e-9) for begin, end in spells(idle.tolist())]
            assert own[["begin_s", "end_s"]].to_numpy().tolist() == gaps
            left = {round(event[0] / step_s) for event in given[name][0]} & set(np.flatnonzero(turns).tolist())
            cut = found.stays[(found.stays["terminal"] == name) & (found.stays["closed_by"] == "terminal_left")]
            assert {round(end_s / step_s) for end_s in cut["end_s"]} <= left
            assert all(turns[at] and not there[k].ravel()[at] for at in (cut["end_s"] / step_s).round().astype(int))


ABSENCES: list[dict[str, Any]] = [
    {"kind": "absence", "terminals": "ut-00", "from": "61.234567891s", "until": "163s"},
    {"kind": "absence", "terminals": "ut-00", "from": "251s", "until": "253.5s"},  # within one epoch
    {"kind": "absence", "terminals": "ut-01", "until": "47s"},
    {"kind": "absence", "terminals": "ut-01", "from": "550s"},  # from an epoch on
    {"kind": "absence", "terminals": "ut-02"},
]
AWAY_S = {"ut-00": [(61.234567, 163.0), (251.0, 253.5)], "ut-01": [(0.0, 47.0), (550.0, 600.0)]}
"""As a trace shows them: truncated to microseconds, as the events are."""
BETWEEN_S = {"ut-00": 0.000000891, "ut-01": 0.0}
"""What is truncated of the absences."""


@pytest.fixture(scope="module", params=["nearest_cluster", "max_elevation"])
def absent(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Trace:
    association = {"name": request.param, "min_elevation_deg": 38.0, "execution": "4s", "preparation": "3s"}
    scenario = small({"time.duration": "600s", "time.epoch": "5s"}, association=association, events=ABSENCES)
    directory: Path = tmp_path_factory.mktemp("absent") / "trace"
    return run_job(scenario, directory)


def test_absences_of_a_run_are_those_of_its_scenario(absent: Trace):
    run = Run.of(absent)
    begin, end = absences(run)
    k, begin = np.divmod(begin, run.axis_step_ns)
    found = {name: [] for name in (*AWAY_S, "ut-02")}
    for terminal, a, b in zip(k.tolist(), begin.tolist(), (end - k * run.axis_step_ns).tolist(), strict=True):
        found[run.names[terminal]].append((a / 1e9, b / 1e9))
    assert found == AWAY_S | {"ut-02": [(0.0, 600.0)]}


def test_a_run_with_absences_agrees_with_its_events_and_its_summary(absent: Trace):
    run = Run.of(absent)
    found = evaluate(run)
    summary, totals = summarise(absent.directory), found.totals
    for name, row in found.terminals.iterrows():
        away_s = sum(b - a for a, b in AWAY_S.get(name, [])) if name != "ut-02" else 600.0
        if name == "ut-02":
            assert row.isna().all()
            continue
        out_s = empty_s(absent, name) - away_s + row["interrupted_s"]
        assert row["outage_s"] == pytest.approx(out_s, abs=1e-9)  # sums of shares
        there_s = 600.0 - away_s + BETWEEN_S.get(name, 0.0)  # fractions of epochs are exact
        assert row["availability"] == pytest.approx(1.0 - out_s / there_s, abs=1e-12)
        assert 0.0 < row["availability"] < 1.0
    # the same sums in another order
    assert totals["mean_rate_bps"] == pytest.approx(summary.mean_rate_bps, rel=1e-12)
    assert totals["low_rate_bps"] == pytest.approx(summary.low_rate_bps, rel=1e-12)
    assert totals["served_epochs"] == pytest.approx(summary.in_service, rel=1e-12)
    for kind in summary.handovers:
        assert totals[kind] == pytest.approx(summary.handover_rate(kind), rel=1e-12)
    lost = found.terminals["interrupted_s"].sum() / run.present_s.sum()
    assert lost == pytest.approx(summary.interrupted, rel=1e-12)


def test_an_older_trace_is_one_of_terminals_that_are_always_there(trace: Trace, tmp_path: Path):
    shutil.copytree(trace.directory, tmp_path / "old")
    for path in (tmp_path / "old" / "terminals").glob("*.parquet"):
        table = pq.read_table(path)
        pq.write_table(table.drop_columns(["present", "present_fraction"]), path)
    old = read_trace(tmp_path / "old")
    one, other = evaluate(Run.of(trace)), evaluate(Run.of(old))
    pd.testing.assert_frame_equal(one.terminals, other.terminals, check_exact=True)
    new, before = summarise(trace.directory), summarise(old.directory)
    assert (new.present.tolist(), new.rate_bps.tolist()) == (before.present.tolist(), before.rate_bps.tolist())
    assert (new.in_service, new.interrupted) == (before.in_service, before.interrupted)
