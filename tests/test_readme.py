"""What the README says is so."""

import re
from pathlib import Path

import pytest

import twin
from twin.results import TABLES
from twin.scenario import from_mapping

README = Path(__file__).resolve().parents[1] / "README.md"
BLOCKS = re.findall(r"```python\n(.*?)```", README.read_text(), flags=re.DOTALL)


@pytest.fixture(scope="session")
def trace(tmp_path_factory):
    scenario = from_mapping(
        {
            "name": "readme",
            "time": {"duration": "5s"},
            "terminals": {"kind": "disc", "latitude_deg": 45, "longitude_deg": 10, "radius_km": 300, "count": 3},
            "receiver": {"draws": 2},
        }
    )
    directory = tmp_path_factory.mktemp("readme") / "trace"
    twin.run(scenario, directory)
    return directory


@pytest.mark.parametrize("code", BLOCKS, ids=[str(number) for number in range(len(BLOCKS))])
def test_examples_run(code, trace):
    exec(compile(code, "README.md", "exec"), {"trace": trace, "__name__": "readme"})


def columns() -> str:
    """The table of columns as the README shows it."""
    lines = ["| table | one row | column | unit | meaning |", "|---|---|---|---|---|"]
    for table in TABLES.values():
        for number, column in enumerate(table.columns):
            head = f"`{table.name}/`" if number == 0 else ""
            row = table.description if number == 0 else ""
            lines.append(f"| {head} | {row} | `{column.name}` | {column.unit} | {column.description} |")
    return "\n".join(lines)


def test_columns_are_those_of_the_schema():
    text = README.read_text()
    begin = text.index("schema -->\n") + len("schema -->\n")
    assert text[begin : text.index("\n<!-- end of columns")] == columns()
