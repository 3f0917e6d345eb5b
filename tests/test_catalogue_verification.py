"""The published SGP4 test cases (AIAA 2006-6753), read by the catalogue."""

import re

import numpy as np
import pytest
from sgp4.api import SGP4_ERRORS
from sgp4.io import fix_checksum

from tests.helpers.folders import SHARED
from twin.catalogue import Catalogue, read_catalogue

CASES = SHARED / "sgp4_verification"

pytestmark = pytest.mark.skipif(not CASES.is_dir(), reason="the SGP4 verification files are not here")

DELIBERATE_CHECKSUMS = {33333, 33334, 33335}
"""Sets that were edited by hand to provoke errors, with incorrect checksums."""


@pytest.fixture(scope="module")
def repaired(tmp_path_factory: pytest.TempPathFactory) -> Catalogue:
    """All published sets, with the three incorrect checksums corrected."""
    lines = (CASES / "SGP4-VER.TLE").read_text().splitlines()
    mended = [fix_checksum(line[:69]) + line[69:] if re.match(r"[12] 3333[345]", line) else line for line in lines]
    path = tmp_path_factory.mktemp("verification") / "SGP4-VER.TLE"
    path.write_text("\r\n".join(mended))
    return read_catalogue([path])


def published_rows() -> dict[int, np.ndarray]:
    """Rows (n, 7) of minutes, km and km/s, by satellite."""
    rows: dict[int, list[list[float]]] = {}
    for line in (CASES / "tcppver.out").read_text().splitlines():
        if line.endswith("xx"):
            norad_id = int(line.split()[0])
        else:
            rows.setdefault(norad_id, []).append([float(word) for word in line.split()[:7]])
    return {norad_id: np.array(found) for norad_id, found in rows.items()}


def test_every_published_row_is_reproduced(repaired: Catalogue) -> None:
    published = published_rows()
    # this set has no state at its epoch; the file repeats the previous row
    del published[33334]
    assert sum(map(len, published.values())) == 666

    worst_km = worst_km_s = 0.0
    satrecs = {one.norad_id: one.satrec for one in repaired.sets}
    for norad_id, rows in published.items():
        for minutes, *state in rows:
            error, position_km, velocity_km_s = satrecs[norad_id].sgp4_tsince(minutes)
            assert error == 0
            worst_km = max(worst_km, np.abs(np.subtract(position_km, state[:3])).max())
            worst_km_s = max(worst_km_s, np.abs(np.subtract(velocity_km_s, state[3:])).max())
    # printed to 1e-8 km and 1e-9 km/s; compilers differ by some 1e-7 km after many revolutions
    assert worst_km < 1e-6
    assert worst_km_s < 1e-8


def test_the_set_in_error_is_dropped_with_the_message_of_sgp4(repaired: Catalogue) -> None:
    (fault,) = repaired.health.dropped
    assert (fault.norad_id, fault.reason) == (33334, f"SGP4 at the epoch: {SGP4_ERRORS[3]}")
    # 20413 occurs twice in the file, with different time intervals
    assert (repaired.health.read, repaired.health.used, repaired.health.duplicates) == (33, 31, 1)


def test_as_published_only_the_incorrect_checksums_are_dropped() -> None:
    catalogue = read_catalogue([CASES / "SGP4-VER.TLE"])
    assert {fault.norad_id for fault in catalogue.health.dropped} == DELIBERATE_CHECKSUMS
    assert [fault.reason for fault in catalogue.health.dropped] == [
        "line 1: checksum 4, expected 2",
        "line 1: checksum 9, expected 6",
        "line 1: checksum 0, expected 3",
    ]
    assert catalogue.health.used == 29


def test_times_are_those_of_the_element_sets(repaired: Catalogue) -> None:
    # the last columns of tcppver.out give the calendar date of t = 360 min: 2000-06-28 0:50:19.733571
    (vanguard,) = (one for one in repaired.sets if one.norad_id == 5)
    at = vanguard.epoch + np.timedelta64(360, "m")
    # printed from one double of Julian date, which resolves 40 µs
    assert abs(at - np.datetime64("2000-06-28T00:50:19.733571")) < np.timedelta64(50, "us")
