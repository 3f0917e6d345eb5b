"""``twin validate``."""

from __future__ import annotations

from collections.abc import Iterator
from time import perf_counter
from typing import TYPE_CHECKING

from twin.arrays import FloatArray
from twin.cli import output, scenario_warnings
from twin.cli.inputs import ScenarioFile, Settings, named, resolved
from twin.cli.link_budget import budget_lines
from twin.cli.plausibility import plausibility_warnings
from twin.text import counted, number, size, span

if TYPE_CHECKING:
    import numpy as np

    from twin.cli.trial import TrialRun
    from twin.geometry.snapshot import Snapshot
    from twin.geometry.terminals import Terminals
    from twin.world.setup import Setup


def validate(scenario: ScenarioFile, settings: Settings = None) -> None:
    """Check a scenario and estimate its run, without running it."""
    from twin.cli.trial import trial_run

    begun = perf_counter()
    setup = resolved(scenario, settings or [])
    with named(scenario):
        snapshot = setup.truth.windows.at(0)
    set_up_s = perf_counter() - begun
    texts = [*scenario_warnings.warnings(setup), *plausibility_warnings(setup, snapshot)]
    for text in [*texts, *_without_satellite(setup.terminals, snapshot)]:
        output.warn(text)
    with named(scenario):
        trial = trial_run(setup)
    output.say(f'scenario "{setup.scenario.name}" is valid', *_satellites(setup, snapshot))
    output.say(*_terminals(setup), *budget_lines(setup, snapshot), *_cadences(setup))
    output.say(*_tables(setup, trial), *_cost(setup, trial, set_up_s))


def _satellites(setup: Setup, snapshot: Snapshot) -> Iterator[str]:
    import numpy as np

    account = setup.catalogue.health
    yield "catalogue"
    yield from (f"  {line}" for line in account.summary(setup.timeline.start) if not line.startswith("warning:"))
    ephemeris = setup.truth.windows.ephemeris
    states = ephemeris.states(np.array([setup.timeline.start]), ephemeris.norad_ids)
    minimum_deg = setup.scenario.association.min_elevation_deg
    yield (
        f"  at the start: {int(states.usable.sum()):,} of {counted(account.satellites, 'satellite')} usable,"
        f" {len(snapshot.rows):,} at {minimum_deg:g} degrees or more above a terminal"
    )
    yield from _belief(setup)


def _belief(setup: Setup) -> Iterator[str]:
    """Errors of the belief at the start, for each quantity that may be erroneous."""
    import numpy as np

    belief, at = setup.scenario.belief, np.array([setup.timeline.start])
    numbers = setup.belief.windows.ephemeris.norad_ids
    if belief.source:
        total = len(setup.catalogue.sets) and len(np.unique([each.norad_id for each in setup.catalogue.sets]))
        others = f"; {total - len(numbers):,} of the constellation are not in its catalogue and are not used"
        yield f"belief: elements of {counted(len(numbers), 'satellite')}{others if total > len(numbers) else ''}"
    if belief.source or belief.element_lag or belief.orbit != type(belief.orbit)():
        true, believed = (each.ephemeris.states(at, numbers) for each in (setup.truth.windows, setup.belief.windows))
        both = true.usable[0] & believed.usable[0]
        error_km = np.sqrt(((true.position_km - believed.position_km)[0, both] ** 2).sum(axis=-1))
        yield f"belief: orbits of {_errors(error_km)}"
    if belief.position != type(belief.position)():
        place = [sky.terminals.states(at, setup.timeline.start) for sky in (setup.truth.windows, setup.belief.windows)]
        error_km = np.sqrt(((place[0].position_km - place[1].position_km)[0] ** 2).sum(axis=-1))
        yield f"belief: positions of {_errors(error_km, 'terminal')}"
    for key in ("attitude", "clock"):
        section = getattr(belief, key)
        if section != type(section)():
            set_keys = section.model_dump(exclude_defaults=True, exclude={"law", "every"})
            yield f"belief: {key} " + ", ".join(f"{name} = {value:g}" for name, value in set_keys.items())


def _errors(error_km: FloatArray, what: str = "usable satellite") -> str:
    """The number of errors and their percentiles."""
    import numpy as np

    if not len(error_km):
        return f"no {what}"
    low, high = (number(float(np.percentile(error_km, percent))) for percent in (50.0, 95.0))
    return f"{counted(len(error_km), what)} with errors of {low} km (median), {high} km (95th percentile)"


def _terminals(setup: Setup) -> Iterator[str]:
    terminals = setup.terminals
    yield f"terminals: {terminals.count:,} in {counted(len(setup.scenario.terminals), 'group')}"
    latitude, longitude, altitude = (
        getattr(terminals.fixed, name)[0] for name in ("latitude_deg", "longitude_deg", "altitude_km")
    )
    for index, group in enumerate(setup.scenario.terminals):
        own = terminals.group == index
        yield (
            f"  {group.name} ({group.kind}): {int(own.sum()):,}, latitude {_extent(latitude[own])} deg,"
            f" longitude {_extent(longitude[own])} deg, altitude {_extent(altitude[own])} km"
        )


def _extent(values: FloatArray) -> str:
    low, high = f"{values.min():.4g}", f"{values.max():.4g}"
    return low if low == high else f"{low} to {high}"


def _cadences(setup: Setup) -> Iterator[str]:
    scenario, timeline = setup.scenario, setup.timeline
    association, precoding = scenario.association, scenario.precoding
    end = timeline.instant(timeline.begin_ns(timeline.epochs))
    yield f"time: {counted(timeline.epochs, 'epoch')} of {scenario.time.epoch}, {_utc(timeline.start)} to {_utc(end)}"
    yield f"  policy {association.name} every {association.every}, precoder {precoding.name} every {precoding.every}"


def _utc(instant: np.datetime64) -> str:
    whole = instant.astype("M8[s]")
    return f"{whole if whole == instant else instant}Z"


def _tables(setup: Setup, trial: TrialRun) -> Iterator[str]:
    from twin.cli.trial import BYTES_PER_ROW

    yield f"trace (estimated from the first {counted(trial.epochs, 'epoch')})"
    total = 0.0
    for table, rows in trial.rows.items():
        rows *= setup.timeline.epochs
        total += rows * BYTES_PER_ROW[table]
        yield f"  {table}: about {counted(round(rows), 'row')}, {size(rows * BYTES_PER_ROW[table])}"
    per_event = " and ".join(f"{BYTES_PER_ROW[table]} bytes" for table in ("handovers", "attempts"))
    yield f"  handovers and attempts: depend on the run, {per_event} each"
    yield f"  total about {size(total)}"


def _cost(setup: Setup, trial: TrialRun, set_up_s: float) -> Iterator[str]:
    run_s = trial.epoch_s * setup.timeline.epochs
    speed = number(setup.scenario.time.epoch.seconds / trial.epoch_s)
    yield (
        f"cost: {span(set_up_s)} to set up, then about {number(trial.epoch_s * 1e3)} ms per epoch:"
        f" {span(run_s)} for the run, {speed} x real time"
    )


def _without_satellite(terminals: Terminals, snapshot: Snapshot) -> list[str]:
    """A warning about terminals without a visible satellite at the start."""
    names = [name for name, visible in zip(terminals.names, snapshot.visible.T, strict=True) if not visible.any()]
    if not names:
        return []
    shown = ", ".join(names[:3]) + (", ..." if len(names) > 3 else "")
    return [f"{len(names):,} of {counted(terminals.count, 'terminal')} see no satellite at the start: {shown}"]
