"""What `load_scenario` accepts, how partly given tables are completed, and which models fit a scenario."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from types import MappingProxyType
from typing import Any, get_args, get_origin

import pytest

from twin import load_scenario
from twin.errors import InputError
from twin.precoding import Precoding, PrecodingProblem, precoders
from twin.registry import Entry, Facts, dataclass_options
from twin.scenario import Scenario, from_mapping, with_precoder
from twin.scenario.allowed import is_section, is_union, stripped
from twin.scenario.feasibility import facts_of
from twin.scenario.section import Section, selected
from twin.scenario.terminals import ArraySection, PatternSection

DISC = {"kind": "disc", "latitude_deg": 0, "longitude_deg": 0, "radius_km": 1, "count": 1}
GOOD: dict[str, Any] = {"name": "x", "terminals": DISC}
WIDE = GOOD | {"terminals": DISC | {"antenna": {"rows": 2, "columns": 2}}}
TOML = """
name = "x"
[terminals]
kind = "disc"
latitude_deg = 0
longitude_deg = 0
radius_km = 1
count = 1
"""


# --------------------------------------------------------------------------------------------- tables given in part


def sections(annotation: Any) -> Iterator[type[Section]]:
    """Every section class that an annotation leads to."""
    plain, _ = stripped(annotation)
    if is_section(plain):
        yield plain
        for field in plain.model_fields.values():
            yield from sections(field.annotation)
    elif is_union(plain) or get_origin(plain) is tuple:
        for inner in get_args(plain):
            yield from sections(inner)


def nested() -> list[tuple[type[Section], str, Section]]:
    """Every table inside a section that has a default: the owner, the key, the default."""
    return [
        (owner, field.alias or name, field.default)
        for owner in dict.fromkeys(sections(Scenario))
        for name, field in owner.model_fields.items()
        if isinstance(field.default, Section)
    ]


def completed(owner: type[Section], key: str, given: dict[str, Any]) -> dict[str, Any]:
    """The table as the owner reads it, before its values are checked."""
    return owner._complete_tables({key: given})[key]


def test_the_schema_has_tables_with_defaults_of_their_own():
    owned = [(owner.__name__, key) for owner, key, default in nested() if default != type(default)()]
    assert ("SatellitesSection", "array") in owned
    assert len(nested()) > 10


@pytest.mark.parametrize(("owner", "key", "default"), nested(), ids=lambda value: getattr(value, "__name__", ""))
def test_keys_that_a_table_does_not_give_have_the_owners_default(owner, key, default):
    for name in type(default).model_fields:
        read = type(default).model_validate(completed(owner, key, {name: getattr(default, name)}))
        assert read == default, name


class Owner(Section):
    """A section whose tables have defaults of their own, two deep."""

    array: ArraySection = ArraySection(rows=3, columns=5, pattern=PatternSection(name="cosine", exponent=2.0))


class Outer(Section):
    """A section that changes a default of its owner."""

    owner: Owner = Owner(array=ArraySection(rows=9))


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({}, {}),
        ({"rows": 4}, {"rows": 4}),
        ({"pattern": {}}, {}),
        ({"pattern": {"exponent": 3.0}}, {"pattern": PatternSection(name="cosine", exponent=3.0)}),
        ({"pattern": {"name": "cosine"}}, {}),
        ({"pattern": {"name": "isotropic"}}, {"pattern": PatternSection()}),
        ({"pattern": {"name": "reflector", "aperture_wavelengths": 4.0}},
         {"pattern": PatternSection(name="reflector", aperture_wavelengths=4.0)}),
    ],
)  # fmt: skip
def test_tables_within_tables_are_completed_too(given, expected):
    assert Owner.model_validate({"array": given}).array == Owner().array.model_copy(update=expected)


def test_the_outer_default_comes_first():
    array = Outer.model_validate({"owner": {"array": {"spacing_wavelengths": 0.7}}}).owner.array
    assert (array.rows, array.columns, array.spacing_wavelengths) == (9, 5, 0.7)


def array_of(scenario: Scenario) -> tuple[int, int, float, float]:
    array = scenario.satellites.array
    return array.rows, array.columns, array.spacing_wavelengths, array.element_gain_dbi


def test_the_satellites_array_keeps_its_defaults(tmp_path: Path):
    assert array_of(load_scenario(GOOD | {"satellites": {"array": {"spacing_wavelengths": 0.6}}})) == (16, 16, 0.6, 6.0)
    assert array_of(load_scenario(GOOD, ["satellites.array.rows=8"])) == (8, 16, 0.5, 6.0)
    (tmp_path / "base.toml").write_text(f"{TOML}\n[satellites.array]\ncolumns = 4\n")
    (tmp_path / "top.toml").write_text('base = "base.toml"\n[satellites.array]\nrows = 2\n')
    assert array_of(load_scenario(tmp_path / "top.toml")) == (2, 4, 0.5, 6.0)
    assert load_scenario(GOOD | {"terminals": DISC | {"antenna": {"rows": 2}}}).terminals[0].antenna.columns == 1


# ------------------------------------------------------------------------------------------------------- arguments


def test_a_scenario_is_a_path_a_text_or_a_mapping(tmp_path: Path):
    file = tmp_path / "x.toml"
    file.write_text(TOML)
    frozen = MappingProxyType({"name": "x", "terminals": MappingProxyType(DISC)})
    found = [load_scenario(each) for each in (file, str(file), GOOD, frozen)]
    assert {scenario.digest() for scenario in found} == {from_mapping(GOOD).digest()}


def test_overrides_are_texts_or_a_mapping():
    texts = ["time.duration=10s", "satellites.array.rows=8", "terminals.count=3"]
    values = {"time.duration": "10s", "satellites.array.rows": 8, "terminals.count": 3}
    one, other = load_scenario(GOOD, iter(texts)), load_scenario(GOOD, values)
    assert one.resolved() == other.resolved()
    assert (other.time.epochs, other.satellites.array.rows, other.terminals[0].count) == (10, 8, 3)
    given = {"association": {"name": "a3"}, "constellation.norad_ids": (7, 9)}
    assert load_scenario(GOOD, given).constellation.norad_ids == (7, 9)
    assert given == {"association": {"name": "a3"}, "constellation.norad_ids": (7, 9)}
    assert GOOD == {"name": "x", "terminals": DISC}


def test_a_mapping_may_have_a_base(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    (tmp_path / "base.toml").write_text(TOML)
    monkeypatch.chdir(tmp_path)
    assert load_scenario({"base": "base.toml", "seed": 4}).seed == 4
    with pytest.raises(InputError, match=r"^scenario: seed: found -1, must be at least 0$"):
        load_scenario({"base": "base.toml", "seed": -1})
    (tmp_path / "base.toml").write_text(TOML.replace("count = 1", "count = 0"))
    with pytest.raises(InputError, match=r"^base.toml: terminals.count: found 0"):
        load_scenario({"base": "base.toml", "seed": 1})


def test_paths_in_a_mapping_are_relative_to_the_current_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    (tmp_path / "a.tle").touch()
    monkeypatch.chdir(tmp_path)
    for source in ("a.tle", Path("a.tle")):
        assert load_scenario(GOOD | {"constellation": {"source": source}}).constellation.source == (tmp_path / "a.tle",)
        assert load_scenario(GOOD, {"constellation.source": source}).constellation.source == (tmp_path / "a.tle",)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((3,), "scenario must be a path or a mapping, found int"),
        ((GOOD, "seed=4"), r'overrides must be a list of "key.path=value" texts or a mapping, found str'),
        ((GOOD, 4), "or a mapping, found int"),
        ((GOOD, [("seed", 4)]), r"overrides must have text keys or entries, found \('seed', 4\)"),
        ((GOOD, {1: 4}), "overrides must have text keys or entries, found 1"),
    ],
)
def test_arguments_of_a_wrong_type_are_type_errors(arguments, message):
    with pytest.raises(TypeError, match=message):
        load_scenario(*arguments)


@pytest.mark.parametrize(
    ("scenario", "overrides", "message"),
    [
        (GOOD | {"seed": "x"}, (), 'scenario: seed: found "x", must be a whole number, at least 0'),
        (GOOD | {3: 4}, (), "scenario: found the key 3, keys must be text"),
        (GOOD | {"time": {3: 4}}, (), "scenario: found the key 3, keys must be text"),
        (GOOD, {"seed": -1}, "override seed: found -1, must be at least 0"),
        (GOOD, {"name.x": 1}, "override name.x: name holds a value, not keys"),
        (GOOD, {"time..x": 1}, 'override time..x: write a key, as "time.duration"'),
        (GOOD, {"time": {3: 1}}, "override time: found the key 3, keys must be text"),
        (GOOD, ["seed=-1"], "--set seed: found -1, must be at least 0"),
    ],
)
def test_wrong_content_is_an_input_error(scenario, overrides, message):
    with pytest.raises(InputError) as refused:
        load_scenario(scenario, overrides)
    assert str(refused.value) == message


# -------------------------------------------------------------------------------------------- former names of keys

BOTH = (
    "both cyclic_prefix_ratio and prefix_share are given; prefix_share is the former name of cyclic_prefix_ratio,"
    " give cyclic_prefix_ratio alone"
)


def test_a_former_key_is_read_wherever_a_key_may_stand(tmp_path: Path):
    (tmp_path / "old.toml").write_text(f"{TOML}[channel]\nprefix_share = 0.1\n")
    (tmp_path / "top.toml").write_text('base = "old.toml"\n')
    (tmp_path / "new.toml").write_text('base = "old.toml"\n[channel]\ncyclic_prefix_ratio = 0.2\n')
    found = [
        load_scenario(tmp_path / "old.toml"),
        load_scenario(tmp_path / "top.toml"),
        load_scenario(tmp_path / "new.toml"),
        load_scenario(GOOD | {"channel": {"prefix_share": 0.3}}),
        load_scenario(GOOD, ["channel.prefix_share=0.4"]),
        load_scenario(GOOD, {"channel": {"prefix_share": 0.5}}),
        load_scenario(GOOD | {"channel": {"cyclic_prefix_ratio": 0.1}}, {"channel.prefix_share": 0.6}),
    ]
    assert [scenario.channel.cyclic_prefix_ratio for scenario in found] == [0.1, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6]
    assert "prefix_share" not in found[0].resolved()["channel"]
    assert found[0].resolved()["channel"]["cyclic_prefix_ratio"] == 0.1


def test_both_names_of_a_key_are_refused(tmp_path: Path):
    file = tmp_path / "x.toml"
    file.write_text(f"{TOML}[channel]\nprefix_share = 0.1\ncyclic_prefix_ratio = 0.1\n")
    both = {"prefix_share": 0.1, "cyclic_prefix_ratio": 0.1}
    for arguments, start in (
        ((file,), str(file)),
        ((GOOD | {"channel": both},), "scenario"),
        ((GOOD, {"channel": both}), "override channel"),
    ):
        with pytest.raises(InputError) as refused:
            load_scenario(*arguments)
        assert str(refused.value) == f"{start}: channel: {BOTH}"
    with pytest.raises(InputError, match=r"^--set channel.prefix_share=1: channel.cyclic_prefix_ratio is set too"):
        load_scenario(GOOD, ["channel.prefix_share=1", "channel.cyclic_prefix_ratio=1"])


# ------------------------------------------------------------------------------------------------ models that fit

STREAMS = "precoding: streams = 4 must be at most 2, the satellites of a cluster, each of which carries one stream"


@pytest.mark.parametrize(
    "association",
    [{"name": "nearest_cluster", "cluster_size": 2}, {"name": "competition", "satellites_per_terminal": 2}],
    ids=["nearest_cluster", "competition"],
)
def test_more_streams_than_the_satellites_of_a_cluster_are_refused(association):
    with pytest.raises(InputError, match=STREAMS):
        load_scenario(WIDE | {"association": association, "precoding": {"name": "ms2_cdm", "streams": 4}})
    fitting = WIDE | {"association": association, "precoding": {"name": "ms2_cdm", "streams": 2}}
    assert facts_of(load_scenario(fitting)).largest_cluster == 2


def test_streams_are_compared_with_the_smallest_terminal():
    groups = [DISC | {"name": "a", "antenna": {"rows": 2, "columns": 2}}, DISC | {"name": "b", "antenna": {"rows": 3}}]
    with pytest.raises(InputError, match="streams = 4 must be at most 3, the elements of the smallest terminal"):
        load_scenario(GOOD | {"terminals": groups, "precoding": {"name": "ms2_cdm", "streams": 4}})


@dataclass_options
class DemandingOptions:
    """Options that no scenario can meet."""

    streams: int = 9

    def check(self, facts: Facts) -> None:
        raise ValueError(f"streams = {self.streams} must be at most {facts.terminal_elements}")


@dataclass_options
class RequiredOptions:
    """An option without a default."""

    size: int


def some_precoder(problem: PrecodingProblem, *, options: Any) -> Precoding:
    raise NotImplementedError


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (DemandingOptions, "precoding.streams = 9 must be at most 1 (some)"),
        (RequiredOptions, "precoding.size: is missing and has no default; it must be a whole number (some)"),
    ],
)
def test_another_precoder_must_fit_as_well(monkeypatch: pytest.MonkeyPatch, options: type, message: str):
    scenario = load_scenario(GOOD)
    entry = Entry(name="some", model=some_precoder, options=options, summary="", source="")
    monkeypatch.setitem(precoders._entries, "some", entry)
    selected.cache_clear()
    with pytest.raises(InputError) as refused:
        with_precoder(scenario, "some")
    selected.cache_clear()
    assert str(refused.value) == message
    assert with_precoder(scenario, "ms2_cdwm").precoding.name == "ms2_cdwm"


@pytest.mark.parametrize(
    ("channel", "key"),
    [
        ({"carrier_ghz": 60.0, "path_loss": "atmospheric"}, "channel.path_loss: "),
        (
            {"path_loss": {"name": "tr38811", "environment": "urban"}, "fading": "tr38811"},
            "channel.fading: environment",
        ),
    ],
)
def test_models_of_the_channel_must_fit_the_carrier_and_each_other(channel, key):
    with pytest.raises(InputError, match=f"^scenario: {key}"):
        load_scenario(GOOD | {"channel": channel})


def test_facts_are_those_of_the_scenario():
    facts = facts_of(load_scenario(WIDE, {"satellites.array": {"rows": 3}, "channel.carrier_ghz": 20.0}))
    assert (facts.satellite_rows, facts.satellite_columns, facts.terminal_elements) == (3, 16, 4)
    assert facts.carrier_hz == 20e9


# ------------------------------------------------------------------------------------------------------ as text


def test_a_scenario_fits_a_screen_as_text():
    groups = [DISC | {"name": "a"}, {"kind": "csv", "name": "b", "path": "b.csv"}]
    for scenario in (load_scenario(GOOD), load_scenario(GOOD | {"terminals": groups, "precoding": "smrt"})):
        text = repr(scenario)
        assert text == str(scenario)
        assert len(text.splitlines()) <= 12
        assert max(map(len, text.splitlines())) <= 100
        for word in ("x", "600", "10min", "nearest_cluster", scenario.precoding.name, "delta"):
            assert word in text
