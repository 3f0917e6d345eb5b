"""Faults of plug-ins: those found when a scenario is loaded name the plug-in, the file and the line."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from twin import load_scenario
from twin.cli.entry import main
from twin.errors import InputError, is_plugin, plugin_fault
from twin.precoding import precoders
from twin.registry import ROOMS, of_kind

GOOD = {"name": "x", "terminals": {"kind": "disc", "latitude_deg": 0, "longitude_deg": 0, "radius_km": 1, "count": 1}}
HEAD = """\
from dataclasses import dataclass, field
from twin.precoding import precoders
from twin.association import policies
from twin.radio.channel.path_loss import path_losses

"""
"""Five lines."""


@pytest.fixture(autouse=True)
def registries() -> Iterator[None]:
    """Models that a test registers are known during that test alone."""
    before = {kind: (of_kind(kind).names(), dict(of_kind(kind)._entries)) for kind in ROOMS}
    yield
    for kind, (_, entries) in before.items():
        of_kind(kind)._entries.clear()
        of_kind(kind)._entries.update(entries)


def plugin(folder: Path, text: str, name: str = "mine.py") -> Path:
    file = folder / name
    file.write_text(HEAD + text)
    return file


def loaded(file: Path, **sections: Any) -> Any:
    return load_scenario(GOOD | {"plugins": [str(file)]} | sections)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            '@precoders.register("one_argument", source="ours")\ndef one_argument(problem):\n    pass\n',
            '{file}:6: the precoder "one_argument" must accept (..., *, options): got an unexpected keyword argument'
            " 'options'",
        ),
        (
            '@precoders.register("more", source="ours")\ndef more(problem, start, *, options):\n    pass\n',
            "{file}:6: the precoder \"more\" must accept (..., *, options): missing a required argument: 'start'",
        ),
        (
            '@path_losses.register("flat", source="ours")\ndef flat(path, *, options):\n    pass\n',
            '{file}:6: the path loss "flat" must accept (..., *, carrier_hz, options): got an unexpected keyword'
            " argument 'carrier_hz'",
        ),
        (
            "@dataclass\nclass Thawed:\n    size: int = 1\n\n"
            '@policies.register("thawed", source="ours", options=Thawed)\ndef thawed(view, *, options):\n    pass\n',
            '{file}:10: the policy "thawed": its options Thawed ({file}:6) must be a frozen dataclass, as made by'
            " @dataclass_options",
        ),
        (
            "class Bare:\n    size: int = 1\n\n"
            '@policies.register("bare", source="ours", options=Bare)\ndef bare(view, *, options):\n    pass\n',
            '{file}:9: the policy "bare": its options Bare ({file}:6) must be a frozen dataclass, as made by'
            " @dataclass_options",
        ),
        (
            '@dataclass(frozen=True)\nclass Taken:\n    every: str = "x"\n\n'
            '@policies.register("taken", source="ours", options=Taken)\ndef taken(view, *, options):\n    pass\n',
            '{file}:10: the policy "taken": its option Taken.every has the name of a key that the section has already',
        ),
    ],
)
def test_a_model_that_cannot_work_is_refused_each_time_the_scenario_is_loaded(tmp_path, text, message):
    file = plugin(tmp_path, text)
    for _ in range(2):
        with pytest.raises(InputError) as refused:
            loaded(file)
        assert str(refused.value) == f'scenario: plugins: "{file}": {message.format(file=file)}'


def test_a_name_registered_twice_is_refused_with_the_line(tmp_path):
    twice = '@precoders.register("twice", source="ours")\ndef {}(problem, *, options):\n    pass\n\n'
    file = plugin(tmp_path, twice.format("first") + twice.format("second"))
    with pytest.raises(InputError, match=r'mine\.py" cannot be imported: line 10: .*"twice" is registered already'):
        loaded(file)


MATCHED = """\
@precoders.register("late_fault", source="ours")
def late_fault(problem, *, options):
    "A precoder."
"""


@pytest.mark.parametrize(
    "fault", ["1 / 0\n", '@precoders.register("other", source="ours")\ndef other(problem):\n    pass\n']
)
def test_a_plug_in_that_is_refused_leaves_no_model_behind(tmp_path, fault):
    file = plugin(tmp_path, MATCHED + fault)
    for _ in range(2):
        with pytest.raises(InputError, match=r"mine\.py"):
            loaded(file)
        assert "late_fault" not in precoders.names()
    file.write_text(HEAD + MATCHED)
    assert loaded(file, precoding={"name": "late_fault"}).precoding.name == "late_fault"


def test_a_model_that_works_is_accepted(tmp_path):
    file = plugin(
        tmp_path,
        "@dataclass(frozen=True)\nclass Listed:\n    sizes: tuple[int, ...] = field(default_factory=lambda: (1, 2))\n\n"
        '@precoders.register("listed", source="ours", options=Listed)\ndef model(problem, *, options):\n    pass\n',
    )
    assert loaded(file, precoding="listed").precoding.options().sizes == (1, 2)
    assert loaded(file, precoding={"name": "listed", "sizes": [3]}).precoding.options().sizes == (3,)


def test_an_exception_in_the_check_of_a_plugins_options_names_the_line(tmp_path):
    file = plugin(
        tmp_path,
        "@dataclass(frozen=True)\nclass Checked:\n    size: int = 1\n\n    def check(self, facts):\n"
        "        return facts.no_such_fact\n\n"
        '@precoders.register("checked", source="ours", options=Checked)\ndef model(problem, *, options):\n    pass\n',
    )
    with pytest.raises(InputError, match=r"precoding: .*mine\.py:11: AttributeError: .*no_such_fact"):
        loaded(file, precoding="checked")


def test_a_fault_is_placed_in_the_file_of_the_model(tmp_path):
    file = plugin(
        tmp_path,
        "def inner(problem):\n    return problem[0]\n\n"
        '@precoders.register("faulty", source="ours")\ndef faulty(problem, *, options):\n    return inner(problem)\n',
    )
    loaded(file)
    model = precoders["faulty"].model
    with pytest.raises(KeyError) as raised:
        model({}, options=None)
    assert plugin_fault(model, raised.value) == f"{file}:7: KeyError: 0"
    assert plugin_fault(partial(model, options=None), raised.value) == f"{file}:7: KeyError: 0"
    with pytest.raises(TypeError) as uncalled:
        model()
    assert plugin_fault(model, uncalled.value).startswith(f"{file}:9: TypeError: faulty() missing")
    assert plugin_fault(model, ValueError()) == f"{file}:9: ValueError"
    assert plugin_fault(len, ValueError("x")) == "ValueError: x"


def test_only_models_of_others_are_plugins(tmp_path):
    assert not is_plugin(precoders["smrt"].model)
    assert not is_plugin(partial(precoders["smrt"].model, options=None))
    assert is_plugin(plugin)


RUN = """\
name = "mine"
plugins = ["mine.py"]
{selection}
[time]
duration = "3s"
[terminals]
kind = "disc"
latitude_deg = 45.0
longitude_deg = 10.0
radius_km = 300.0
count = 3
"""
PRECODER = '[precoding]\nname = "mine"'
POLICY = '[association]\nname = "mine"'
PHASE = '[precompensation]\nname = "mine"'
PATH_LOSS = '[channel]\npath_loss = "mine"'
REGISTERED = '@precoders.register("mine", source="ours")\ndef mine(problem, *, options):\n'
RULE = """\
from dataclasses import replace
from twin.precoding import Precoding
from twin.precoding.matched import smrt

class Rule:
    def realised(self, weights, truth, draws, transmitting, *, seed, epoch):
        return (weights,)

@precoders.register("mine", source="ours")
def mine(problem, *, options):
    found = smrt(problem, options=options)
    return Precoding(weights=replace(found.weights, rule=Rule()), iterations=0, converged=True)
"""
BROKEN_RULE = """\
from dataclasses import dataclass, replace
from twin.precoding import InstantaneousRule, Precoding
from twin.precoding.matched import smrt

@dataclass(frozen=True)
class BrokenRule(InstantaneousRule):
    gain: float

    def realised(self, weights, truth, draws, transmitting, *, seed, epoch):
        return 1 / 0

@precoders.register("mine", source="ours")
def mine(problem, *, options):
    found = smrt(problem, options=options)
    return Precoding(weights=replace(found.weights, rule=BrokenRule(gain=1.0)), iterations=0, converged=True)
"""


@pytest.mark.parametrize(
    ("selection", "text", "message"),
    [
        (
            PRECODER,
            f"{REGISTERED}    return None\n",
            r'precoder "mine" \(.*mine\.py:6\) gave NoneType, must be Precoding',
        ),
        (PRECODER, f"{REGISTERED}    return 1 / 0\n", r"mine\.py:8: ZeroDivisionError"),
        (PRECODER, RULE, r"mine\.py:14\) gave .*Rule"),
        (PRECODER, BROKEN_RULE, r"mine\.py:15: ZeroDivisionError"),
        (
            POLICY,
            '@policies.register("mine", source="ours")\ndef mine(view, *, options):\n    pass\n',
            r'policy "mine" \(.*mine\.py:6\)',
        ),
        (
            POLICY,
            '@policies.register("mine", source="ours")\ndef mine(view, *, options):\n    return {}["no"]\n',
            r"mine\.py:8: KeyError",
        ),
        (
            PHASE,
            "from twin.radio.synchronisation import phase_errors\n"
            '@phase_errors.register("mine", source="ours")\ndef mine(path, *, options):\n    pass\n',
            r"mine\.py:7",
        ),
        (
            PATH_LOSS,
            '@path_losses.register("mine", source="ours")\n'
            "def mine(path, *, carrier_hz, options):\n    raise RuntimeError('no loss')\n",
            r"mine\.py:8: RuntimeError: no loss",
        ),
    ],
)
def test_validate_names_the_line_of_a_plug_in_that_fails(selection, text, message, tmp_path, monkeypatch, capsys):
    plugin(tmp_path, text)
    (tmp_path / "mine.toml").write_text(RUN.format(selection=selection))
    monkeypatch.chdir(tmp_path)
    status = main(["validate", "mine.toml"])
    _, err = capsys.readouterr()
    assert status == 2, err
    assert re.search(message, err), err
    assert "defect" not in err
