"""A scenario that stands on another one, and what another choice of model leaves behind."""

from __future__ import annotations

from pathlib import Path

import pytest

from twin import load_scenario
from twin.errors import InputError

BASE = """
name = "below"
seed = 3
[time]
duration = "20s"
[constellation]
source = "sub/some.tle"
[[terminals]]
kind = "disc"
latitude_deg = 45.0
longitude_deg = 10.0
radius_km = 800.0
count = 4
[association]
name = "nearest_cluster"
every = "5s"
cluster_size = 3
min_elevation_deg = 20.0
[channel]
fading = { name = "fixed_k", k_db = 7.0 }
"""

DISC = ("latitude_deg", "longitude_deg", "radius_km")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "deep" / "sub").mkdir(parents=True)
    (tmp_path / "deep" / "sub" / "some.tle").write_text("", encoding="utf-8")
    (tmp_path / "deep" / "base.toml").write_text(BASE, encoding="utf-8")
    return tmp_path


def above(folder: Path, text: str) -> Path:
    file = folder / "above.toml"
    file.write_text(text, encoding="utf-8")
    return file


def test_what_is_not_said_is_taken_from_the_base(folder: Path) -> None:
    scenario = load_scenario(above(folder, 'base = "deep/base.toml"\nname = "above"\n[time]\nepoch = "5s"\n'))
    assert (scenario.name, scenario.seed, scenario.time.epochs) == ("above", 3, 4)
    assert scenario.association.model_dump()["cluster_size"] == 3


def test_paths_of_the_base_are_relative_to_its_own_folder(folder: Path) -> None:
    scenario = load_scenario(above(folder, 'base = "deep/base.toml"\n'))
    assert scenario.constellation.source == (folder / "deep" / "sub" / "some.tle",)


@pytest.mark.parametrize("said", ['[association]\nname = "a3"\n', 'association = "a3"\n'])
def test_another_model_leaves_the_options_of_the_bases_behind(folder: Path, said: str) -> None:
    scenario = load_scenario(above(folder, f'base = "deep/base.toml"\n{said}'))
    assert scenario.association.name == "a3"
    assert "cluster_size" not in scenario.association.model_dump()
    assert scenario.association.min_elevation_deg == 20.0


def test_the_same_model_keeps_them(folder: Path) -> None:
    text = 'base = "deep/base.toml"\n[association]\nname = "nearest_cluster"\nhysteresis_km = 5.0\n'
    options = load_scenario(above(folder, text)).association.options()
    assert (options.cluster_size, options.hysteresis_km) == (3, 5.0)


def test_lists_are_replaced_as_a_whole(folder: Path) -> None:
    place = "latitude_deg = 1.0\nlongitude_deg = 2.0\nradius_km = 9.0\ncount = 2\n"
    text = f'base = "deep/base.toml"\n[terminals]\nkind = "disc"\n{place}'
    assert [group.model_dump()["count"] for group in load_scenario(above(folder, text)).terminals] == [2]


def test_a_setting_of_the_name_leaves_options_behind_as_well(folder: Path) -> None:
    settings = ["association.name=a3", "channel.fading.name=none"]
    scenario = load_scenario(folder / "deep" / "base.toml", settings)
    assert (scenario.association.name, scenario.channel.fading.name) == ("a3", "none")
    assert int(scenario.association.every) == 5_000_000_000


def test_a_setting_of_the_same_name_keeps_them(folder: Path) -> None:
    scenario = load_scenario(folder / "deep" / "base.toml", ["association.name=nearest_cluster"])
    assert scenario.association.options().cluster_size == 3


def test_bases_may_stand_on_bases(folder: Path) -> None:
    (folder / "deep" / "middle.toml").write_text('base = "base.toml"\nseed = 9\n', encoding="utf-8")
    assert load_scenario(above(folder, 'base = "deep/middle.toml"\n')).seed == 9


def test_what_one_base_leaves_behind_does_not_come_back(folder: Path) -> None:
    middle = 'base = "base.toml"\n[association]\nname = "strongest"\n[[terminals]]\nkind = "list"\npositions = []\n'
    (folder / "deep" / "middle.toml").write_text(middle, encoding="utf-8")
    disc = "latitude_deg = 1.0\nlongitude_deg = 2.0\nradius_km = 9.0\ncount = 2\n"
    own = 'base = "deep/middle.toml"\n[association]\nname = "nearest_cluster"\n[terminals]\nkind = "disc"\n'
    scenario = load_scenario(above(folder, own + disc))
    assert scenario.association.options().cluster_size == 5  # its default, not the lowest file's 3
    assert scenario.association.min_elevation_deg == 20.0
    with pytest.raises(InputError, match="latitude_deg"):
        load_scenario(above(folder, own))


def test_another_element_pattern_takes_nothing_from_the_bases(folder: Path) -> None:
    pattern = (
        '[satellites.array]\nrows = 4\ncolumns = 4\npattern = { name = "reflector", aperture_wavelengths = 9.0 }\n'
    )
    (folder / "deep" / "middle.toml").write_text(f'base = "base.toml"\n{pattern}', encoding="utf-8")
    text = 'base = "deep/middle.toml"\n[satellites.array.pattern]\nname = "cosine"\n'
    assert load_scenario(above(folder, text)).satellites.array.pattern.name == "cosine"


def test_text_in_a_setting_stands_for_the_models_name(folder: Path) -> None:
    scenario = load_scenario(folder / "deep" / "base.toml", ["association=a3"])
    assert (scenario.association.name, scenario.association.min_elevation_deg) == ("a3", 20.0)


def test_a_base_cannot_be_set(folder: Path) -> None:
    with pytest.raises(InputError, match="a base stands in a scenario file"):
        load_scenario(folder / "deep" / "base.toml", ["base=other.toml"])


@pytest.mark.parametrize(
    ("said", "message"),
    [
        ('base = "above.toml"', "circle"),
        ('base = "deep/bose.toml"', "base.toml"),
        ("base = 3", "must be the path of another scenario"),
        ('base = ""', "must be the path of another scenario"),
        ('base = "a\\u0000b"', "cannot be read"),
    ],
)
def test_a_base_that_cannot_be_is_told_of(folder: Path, said: str, message: str) -> None:
    with pytest.raises(InputError, match=message):
        load_scenario(above(folder, said))


@pytest.mark.parametrize(
    ("said", "messages"),
    [
        ("[time]\nepoch = 3\n", ["above.toml: time.epoch: ", "deep/base.toml: terminals[0].count: "]),
        ('association = "a4"\n', ["above.toml: association.name: ", "deep/base.toml: terminals[0].count: "]),
        ('[terminals]\nkind = "disc"\ncount = 4\n', [f"above.toml: terminals.{key}: is missing" for key in DISC]),
        ("[precoding]\nname = 3\n", ["above.toml: precoding.name: ", "deep/base.toml: terminals[0].count: "]),
    ],
)
def test_faults_are_told_of_under_the_file_that_says_them(
    folder: Path, monkeypatch: pytest.MonkeyPatch, said: str, messages: list[str]
) -> None:
    base = folder / "deep" / "base.toml"
    base.write_text(BASE.replace("count = 4", "count = 0"), encoding="utf-8")
    monkeypatch.chdir(folder)
    with pytest.raises(InputError) as refused:
        load_scenario(above(folder, f'base = "deep/base.toml"\n{said}').relative_to(folder))
    lines = str(refused.value).splitlines()
    assert len(lines) == len(messages), lines
    for line, message in zip(sorted(lines), sorted(messages), strict=True):
        assert line.startswith(message)


def test_files_are_named_as_the_scenario_was(folder: Path) -> None:
    (folder / "deep" / "base.toml").write_text(BASE.replace("count = 4", "count = 0"), encoding="utf-8")
    with pytest.raises(InputError, match=f"^{folder}/deep/base.toml: terminals"):
        load_scenario(above(folder, 'base = "deep/base.toml"\n'))
