"""Rows equal those recorded in `tests/goldens`: bit for bit where libraries and processor are alike."""

import json
from pathlib import Path
from typing import Any

import pytest

from tests.goldens.digest import digests
from tests.goldens.machine import fingerprint
from tests.goldens.run import cut, whole
from tests.goldens.scenes import FEATURES, SHIPPED, STARLINK, feature, shipped

RECORDED = json.loads((Path(__file__).parent / "goldens" / "digests.json").read_text())
ALIKE = RECORDED["machine"] == fingerprint()
ELSEWHERE = 1e-8
"""Of a column's sum of absolute values: rates were seen 4e-9 apart under other BLAS kernels."""


def check(found: dict[str, Any], name: str) -> None:
    recorded = RECORDED["scenes"][name]
    assert found.keys() == recorded.keys()
    for table, expected in recorded.items():
        assert found[table]["rows"] == expected["rows"], table
        assert list(found[table]["columns"]) == list(expected["columns"])
        for column, was in expected["columns"].items():
            now = found[table]["columns"][column]
            if ALIKE or len(was) == 1:
                assert now[0] == was[0], (table, column, now, was)
            else:
                assert now[1:] == pytest.approx(was[1:], abs=ELSEWHERE * was[3]), (table, column)


@pytest.mark.parametrize("name", sorted(FEATURES))
def test_rows_of_a_feature_are_those_recorded_even_where_the_run_is_cut_within_a_block(name, tmp_path):
    tree = feature(name)
    check(digests(cut(tree, tmp_path / "trace", 13 if name == "time-division" else 37)), name)


@pytest.mark.parametrize("name", sorted(SHIPPED))
def test_rows_of_a_shipped_scenario_are_those_recorded(name, tmp_path):
    if "constellation.source" in SHIPPED[name][1] and not STARLINK.exists():
        pytest.skip("the reference data are not beside this checkout")
    check(digests(whole(shipped(name), tmp_path / "trace")), name)
