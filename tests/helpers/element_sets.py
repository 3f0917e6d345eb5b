"""Element sets for tests of orbits: two written out, those of the reference files, and instants."""

from dataclasses import dataclass

import numpy as np
import pytest
from sgp4.api import Satrec

from tests.helpers.folders import SHARED

needs_data = pytest.mark.skipif(not SHARED.is_dir(), reason="the folder of reference data is absent")

LINES = (
    "1 44714U 19074B   26164.50664332  .00069989  00000+0  12401-2 0  9999",
    "2 44714  53.1526  86.3448 0002931 112.5370 247.5950 15.49651313363643",
)
OTHER = (
    "1 44057U 19010A   26164.68132066 -.00000053  00000+0 -17099-3 0  9990",
    "2 44057  87.9097 229.4816 0002038  85.7813 274.3550 13.16594534351106",
)


@dataclass(frozen=True)
class OneSet:
    norad_id: int
    name: str
    epoch: np.datetime64
    satrec: Satrec
    lines: tuple[str, str]


def one_set(lines: tuple[str, str], name: str = "") -> OneSet:
    satrec = Satrec.twoline2rv(*lines)
    days_ns = round((satrec.jdsatepoch - 2_440_587.5) * 86_400e9) + round(satrec.jdsatepochF * 86_400e9)
    return OneSet(satrec.satnum, name, np.datetime64(days_ns, "ns"), satrec, lines)


def read_sets(name: str) -> list[OneSet]:
    """Element sets of a file; text after column 69 (as in SGP4-VER) is ignored."""
    lines = (SHARED / name).read_text().splitlines()
    return [
        one_set((line[:69], lines[number + 1][:69]), lines[number - 1].strip())
        for number, line in enumerate(lines)
        if line.startswith("1 ")
    ]


def window(start: str, count: int, step_s: float = 1.0) -> np.ndarray:
    steps = np.round(np.arange(count) * step_s * 1e9).astype("timedelta64[ns]")
    return np.datetime64(start, "ns") + steps


def with_epoch(lines: tuple[str, str], epoch: str) -> OneSet:
    return one_set((lines[0][:18] + epoch + lines[0][32:], lines[1]))
