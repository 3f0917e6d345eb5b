"""Selection of satellites, and the report on those that are excluded."""

from pathlib import Path

import numpy as np
import pytest

from twin.catalogue import Catalogue, Walker, read_catalogue, walker_text
from twin.errors import InputError

EPOCH = np.datetime64("2026-01-01")


@pytest.fixture
def catalogue(tmp_path: Path) -> Catalogue:
    """Twelve satellites LOW at 550 km and 53 degrees, six HIGH at 1200 km and 88 degrees."""
    low = Walker(
        pattern="delta",
        planes=3,
        per_plane=4,
        altitude_km=550.0,
        inclination_deg=53.0,
        phasing=1,
        epoch=EPOCH,
        first_norad_id=100,
        name_prefix="LOW",
    )
    high = Walker(
        pattern="star",
        planes=2,
        per_plane=3,
        altitude_km=1200.0,
        inclination_deg=88.0,
        phasing=0,
        epoch=EPOCH + np.timedelta64(1, "D"),
        first_norad_id=200,
        name_prefix="HIGH",
    )
    path = tmp_path / "both.tle"
    path.write_text(walker_text(low) + walker_text(high))
    return read_catalogue([path])


@pytest.mark.parametrize(
    ("criteria", "kept"),
    [
        ({"names": ["low-01-*"]}, {100, 101, 102, 103}),
        ({"names": ["LOW-01-01", "high-02-*"]}, {100, 203, 204, 205}),
        ({"names": "high-02-*"}, {203, 204, 205}),
        ({"names": ["LOW-*"], "exclude_names": ["*-01", "*-02"]}, {102, 103, 106, 107, 110, 111}),
        ({"norad_ids": [100, 205]}, {100, 205}),
        ({"exclude_norad_ids": range(100, 211)[1:]}, {100}),
        ({"perigee_km": (1100.0, 1300.0)}, set(range(200, 206))),
        ({"apogee_km": (0.0, 600.0)}, set(range(100, 112))),
        ({"inclination_deg": (80.0, 100.0)}, set(range(200, 206))),
        ({"inclination_deg": (80.0, 100.0), "names": ["*-01-*"]}, {200, 201, 202}),
    ],
)
def test_every_satellite_is_either_kept_or_dropped(catalogue: Catalogue, criteria: dict, kept: set[int]) -> None:
    chosen = catalogue.select(**criteria)
    assert set(chosen.norad_ids.tolist()) == kept
    health = chosen.health
    assert health.used == len(chosen.sets) == len(kept)
    assert health.read == health.used + len(health.dropped) + health.duplicates == 18
    assert len(health.ages_days(EPOCH)) == len(kept)


def test_the_reason_is_stored_and_reported(catalogue: Catalogue) -> None:
    health = catalogue.select(perigee_km=(1100.0, 1300.0)).health
    assert {fault.reason for fault in health.dropped} == {"perigee outside 1100 to 1300 km"}
    assert "dropped 12: perigee outside 1100 to 1300 km" in health.summary(EPOCH)


def test_selections_can_be_chained(catalogue: Catalogue) -> None:
    twice = catalogue.select(names=["LOW-*"]).select(exclude_names=["LOW-01-*"])
    assert (twice.health.used, len(twice.health.dropped), twice.health.read) == (8, 10, 18)


def test_no_criterion_keeps_everything(catalogue: Catalogue) -> None:
    assert catalogue.select().sets == catalogue.sets


def test_unknown_names_and_numbers_are_reported(catalogue: Catalogue) -> None:
    chosen = catalogue.select(norad_ids=[100, 999], names=["LOW-*"])
    assert chosen.health.unmatched == ("999 is not in the catalogue",)
    assert "warning: 999 is not in the catalogue" in chosen.health.summary(EPOCH)


def test_an_empty_selection_is_rejected_with_the_reason(catalogue: Catalogue) -> None:
    with pytest.raises(InputError) as fault:
        catalogue.select(names=["LOW-01-1"])
    assert str(fault.value) == (
        'the selection leaves none of 18 satellites: name matches none of "LOW-01-1";'
        ' no satellite is named "LOW-01-1"; did you mean "LOW-01-01"?'
    )


@pytest.mark.parametrize("limits", [(600.0, 500.0), (float("nan"), 1.0), (0.0, float("inf"))])
def test_an_invalid_range_is_rejected(catalogue: Catalogue, limits: tuple[float, float]) -> None:
    with pytest.raises(InputError, match="apogee_km: found"):
        catalogue.select(apogee_km=limits)


def test_the_newest_set_decides_and_the_history_is_kept(tmp_path: Path) -> None:
    paths = []
    for day, altitude_km in enumerate((400.0, 550.0)):
        walker = Walker(
            pattern="delta",
            planes=1,
            per_plane=2,
            altitude_km=altitude_km,
            inclination_deg=53.0,
            phasing=0,
            epoch=EPOCH + np.timedelta64(day, "D"),
        )
        paths.append(tmp_path / f"{day}.tle")
        paths[-1].write_text(walker_text(walker))
    catalogue = read_catalogue(paths)
    assert len(catalogue.select(perigee_km=(500.0, 600.0)).sets) == 4
    with pytest.raises(InputError, match="leaves none of 2 satellites"):
        catalogue.select(perigee_km=(350.0, 450.0))
