"""Files beside the code: make targets, hooks, licence, citation, the guide for contributors, the glossary."""

import re
import subprocess
import tomllib

import pytest

from tests.helpers.folders import ROOT
from twin.version import VERSION
from twin.vocabulary import AttemptOutcome, EventKind

MAKEFILE = (ROOT / "Makefile").read_text()
GUIDE = (ROOT / "CONTRIBUTING.md").read_text()
GLOSSARY = (ROOT / "docs" / "glossary.md").read_text()


def recipes() -> dict[str, list[str]]:
    """Recipe lines of each target, with variables expanded."""
    variables = dict(re.findall(r"^(\w+) \??:?= (.*)$", MAKEFILE, flags=re.MULTILINE))
    found: dict[str, list[str]] = {}
    target = ""
    for line in MAKEFILE.splitlines():
        if line.startswith("\t"):
            found[target].append(_expanded(line.strip(), variables))
        elif match := re.match(r"([\w./$()-]+):(?!=)", line):
            target = match[1]
            found[target] = []
    return found


def _expanded(line: str, variables: dict[str, str]) -> str:
    before = None
    while before != line:
        before, line = line, re.sub(r"\$\((\w+)\)", lambda match: variables.get(match[1], match[0]), line)
    return line


def phony() -> list[str]:
    return [target for line in re.findall(r"^\.PHONY: (.*)$", MAKEFILE, flags=re.MULTILINE) for target in line.split()]


def test_every_phony_target_has_a_recipe_and_a_description() -> None:
    assert len(phony()) >= 5
    for target in phony():
        assert recipes()[target], target
        assert re.search(rf"^{target}:.*## \w", MAKEFILE, flags=re.MULTILINE), target


def test_make_help_lists_every_phony_target() -> None:
    done = subprocess.run(
        ["make", "--no-print-directory", "help"], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert [line.split()[0] for line in done.stdout.splitlines()] == phony()


def test_hooks_run_the_commands_of_make_check() -> None:
    text = (ROOT / ".pre-commit-config.yaml").read_text()
    entries = re.findall(r"^\s+entry: (.*)$", text, flags=re.MULTILINE)
    assert entries == recipes()["check"]
    for setting in ("language: system", "pass_filenames: false"):
        assert text.count(setting) == len(entries)


def test_the_citation_names_the_version_and_the_licence() -> None:
    pairs = re.findall(r"^([\w-]+): (.+)$", (ROOT / "CITATION.cff").read_text(), flags=re.MULTILINE)
    found = {key: value.strip('"') for key, value in pairs}
    assert found["cff-version"] == "1.2.0"
    assert found["version"] == VERSION
    assert found["license"] == "MIT"


def test_the_licence_is_mit_and_packaged() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    assert (ROOT / "LICENSE").read_text().startswith("MIT License\n\nCopyright (c) 2026 The twin authors\n")
    assert project["license"] == "MIT"
    assert project["license-files"] == ["LICENSE"]


@pytest.mark.parametrize("room", sorted(file.parent.name for file in (ROOT / "twin").glob("*/__init__.py")))
def test_the_guide_names_every_room(room: str) -> None:
    assert f"| `twin/{room}/` |" in GUIDE


def test_the_guide_names_no_room_that_is_gone() -> None:
    rooms = re.findall(r"^\| `(twin/\w+/)` \|", GUIDE, flags=re.MULTILINE)
    assert len(rooms) >= 10
    assert all((ROOT / room / "__init__.py").is_file() for room in rooms)


PATHS = re.findall(r"`((?:twin|tests|docs|benchmarks|scenarios)/[\w./-]*)`", GUIDE)


@pytest.mark.parametrize("path", sorted(set(PATHS)))
def test_the_paths_of_the_guide_exist(path: str) -> None:
    assert (ROOT / path).exists()


def test_the_guide_lists_the_modules_that_every_room_may_import() -> None:
    (listed,) = re.findall(r"Modules directly in `twin/` \(([\w, ]+)\)", GUIDE)
    loose = {file.stem for file in (ROOT / "twin").glob("*.py")} - {"__init__", "__main__", "version"}
    assert set(listed.split(", ")) == loose


def terms() -> list[str]:
    """First cells of the glossary's rows, one for each term."""
    rows = [line.strip("|").split("|") for line in GLOSSARY.splitlines() if line.startswith("| ")]
    assert all(len(row) == 5 for row in rows)
    return [term for row in rows for term in row[0].strip().split(", ") if term != "word"]


def test_each_term_of_the_glossary_has_one_meaning() -> None:
    assert len(terms()) > 100
    assert len(set(terms())) == len(terms())


@pytest.mark.parametrize("word", [*EventKind, *AttemptOutcome])
def test_the_glossary_has_the_words_of_a_trace(word: str) -> None:
    assert word in {term.removesuffix(" (event)") for term in terms()}
