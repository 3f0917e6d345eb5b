"""Warnings about the catalogue, the belief and settings without effect of a scenario, before its run."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from twin.text import counted, number

if TYPE_CHECKING:
    from twin.catalogue import CatalogueHealth
    from twin.world.setup import Setup

_DAY_NS: Final = 86_400e9


def catalogue_line(health: CatalogueHealth) -> str:
    """One line on the records of a catalogue."""
    replaced = f", {health.duplicates:,} replaced by later ones" if health.duplicates else ""
    return (
        f"catalogue: {counted(health.read, 'record')} read, {health.used:,} used for"
        f" {counted(health.satellites, 'satellite')}, {len(health.dropped):,} dropped{replaced}"
    )


def warnings(setup: Setup) -> list[str]:
    """Warnings about elements that are stale or far from the time of the run, selections without a match, and settings
    without effect."""
    return [*_catalogue_warnings(setup), *_belief_warnings(setup), *_effect_warnings(setup)]


def _effect_warnings(setup: Setup) -> list[str]:
    """Settings of the prediction under a phase-error model that does not use the prediction."""
    scenario = setup.scenario
    given = {
        "belief.clock": not setup.truth.clocks.perfect,
        "precompensation.prediction_age": int(scenario.precompensation.prediction_age) > 0,
    }
    keys = [key for key, there in given.items() if there]
    if not keys or setup.truth.statistics.follows_prediction():
        return []
    model = f'precompensation.name = "{scenario.precompensation.name}"'
    return [
        f'{key} has no effect on rates: {model} does not depend on errors of the prediction, as "open_loop" does'
        for key in keys
    ]


def _belief_warnings(setup: Setup) -> list[str]:
    if not setup.without_history:
        return []
    lag = setup.scenario.belief.element_lag
    return [
        f'belief.element_lag = "{lag}": {counted(setup.without_history, "satellite")} without elements of'
        " this age at the start; their earliest elements are used"
    ]


def _catalogue_warnings(setup: Setup) -> list[str]:
    import numpy as np

    section, health, timeline = setup.scenario.constellation, setup.catalogue.health, setup.timeline
    if not section.source:
        return list(health.unmatched)
    limit_days = int(section.stale_after) / _DAY_NS
    begin, end = timeline.start, timeline.instant(timeline.begin_ns(timeline.epochs))
    found = []
    if begin < health.oldest_epoch:
        ahead = (health.oldest_epoch - begin).astype("m8[ns]").astype(np.int64) / _DAY_NS
        found.append(f"the run starts {number(ahead)} days before the epoch of the first elements")
    if begin > health.newest_epoch:
        behind = (begin - health.newest_epoch).astype("m8[ns]").astype(np.int64) / _DAY_NS
        if behind > limit_days:
            found.append(f"the run starts {number(behind)} days after the epoch of the newest elements")
    for when, instant in (("start", begin), ("end", end)):
        ages = np.abs(health.ages_days(instant))
        if stale := int((ages > limit_days).sum()):
            found.append(
                f"elements of {stale:,} of {counted(len(ages), 'satellite')} are more than"
                f" {section.stale_after} old at the {when} of the run, at most {number(ages.max())} days"
            )
            break
    return found + list(health.unmatched)
