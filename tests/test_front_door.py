"""What a user of the library finds without reading its code."""

import dataclasses
import importlib
import inspect
import pkgutil
import pydoc
import subprocess
import sys

import pytest

import twin
from tests.helpers.small_run import small_tree
from twin.errors import InputError
from twin.precoding import PrecodingProblem
from twin.records import documented, documented_fields
from twin.scenario.section import Section

SHORT = {"time.duration": "20s"}


def fresh(code: str) -> str:
    return subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True).stdout.strip()


def test_everything_is_listed_and_reached_after_one_import():
    code = "import twin; print(all(getattr(twin, name) is not None for name in dir(twin))); print(len(dir(twin)) > 20)"
    assert fresh(code).split() == ["True", "True"]
    for name in ("run", "load_scenario", "read_trace", "compare", "precoding", "association", "metrics"):
        assert name in dir(twin)


def test_a_registry_is_reached_as_an_attribute():
    assert int(fresh("import twin; print(len(twin.precoding.precoders.names()))")) > 20
    assert int(fresh("import twin; print(len(twin.association.policies.names()))")) > 10


def test_run_takes_a_mapping_a_path_and_overrides(tmp_path):
    tree = small_tree()
    whole = twin.run(tree, tmp_path / "mapping", overrides=SHORT)
    assert len(whole.epochs) == 2
    file = tmp_path / "small.toml"
    walker = "[constellation]\nwalker = { planes = 20, per_plane = 20 }\n"
    terminals = '[terminals]\nkind = "list"\npositions = [{ latitude_deg = 45.0, longitude_deg = 10.0 }]\n'
    file.write_text(f'name = "small"\n{walker}{terminals}')
    for path, out in ((file, "path"), (str(file), "text")):
        assert len(twin.run(path, tmp_path / out, overrides=["time.duration=3s"]).epochs) == 3
    scenario = twin.load_scenario(tree, SHORT)
    assert len(twin.run(scenario, tmp_path / "scenario").epochs) == 2
    with pytest.raises(TypeError, match="load_scenario"):
        twin.run(scenario, tmp_path / "never", overrides=SHORT)
    with pytest.raises(InputError, match="no such scenario file"):
        twin.run("nowhere.toml")


def test_a_scenario_and_a_trace_fit_a_screen(tmp_path):
    scenario = twin.load_scenario(small_tree(), SHORT)
    trace = twin.run(scenario, tmp_path / "trace")
    for shown in (scenario, trace):
        lines = repr(shown).splitlines()
        assert 3 < len(lines) <= 24
        assert max(map(len, lines)) <= 120
        assert "small" in repr(shown)


def test_a_misspelt_name_is_answered_with_the_nearest():
    with pytest.raises(AttributeError, match="load_scenario"):
        twin.load_scenaro  # noqa: B018
    assert not hasattr(twin, "__wrapped__")


def records():
    """Every public dataclass and section of the package."""
    for module in pkgutil.walk_packages(twin.__path__, "twin."):
        if module.name != "twin.__main__":
            for name, found in vars(importlib.import_module(module.name)).items():
                own = inspect.isclass(found) and found.__module__ == module.name and not name.startswith("_")
                if own and (dataclasses.is_dataclass(found) or issubclass(found, Section)):
                    yield found


def fields_of(record):
    names = record.model_fields if issubclass(record, Section) else [field.name for field in dataclasses.fields(record)]
    return [name for name in names if not name.startswith("_")]


@pytest.mark.parametrize("record", sorted(records(), key=lambda one: (one.__module__, one.__qualname__)), ids=str)
def test_help_of_a_record_shows_each_field_with_its_meaning(record):
    shown = pydoc.plain(pydoc.render_doc(record))
    first = record.__doc__.splitlines()[0]
    assert len(first) > 10
    assert first in shown
    for name in fields_of(record):
        declared, meaning = documented_fields(record)[name]
        assert meaning, name
        assert f"{name} : {declared}" in record.__doc__
        assert meaning.splitlines()[0] in shown


def test_help_shows_shape_unit_and_default():
    shown = pydoc.plain(pydoc.render_doc(PrecodingProblem))
    assert "power_w : FloatArray" in shown
    assert "(S,) P_s: power budget of each satellite on one subcarrier, in W." in shown
    assert "start : Weights | None = None" in shown


def test_help_of_a_scenario_starts_with_a_signature_that_fits_a_screen():
    assert len(str(inspect.signature(twin.Scenario))) < 400


def test_a_record_without_source_has_its_own_text_alone():
    made = documented(dataclasses.make_dataclass("Made", [("size", int)], namespace={"__doc__": "Made at run time."}))
    assert made.__doc__ == "Made at run time."
