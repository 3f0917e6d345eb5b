"""What a user of the library finds without reading its code."""

import dataclasses
import importlib
import inspect
import pkgutil
import subprocess
import sys

import pytest

import twin
from tests.helpers.small_run import small_tree
from twin.errors import InputError

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


def exported_records():
    for module in pkgutil.walk_packages(twin.__path__, "twin."):
        if module.ispkg:
            room = importlib.import_module(module.name)
            for name in getattr(room, "__all__", ()):
                found = getattr(room, name)
                if inspect.isclass(found) and dataclasses.is_dataclass(found):
                    yield found


@pytest.mark.parametrize("record", sorted(set(exported_records()), key=lambda one: one.__qualname__), ids=str)
def test_help_of_a_record_says_what_it_is(record):
    assert record.__doc__
    assert not record.__doc__.startswith(f"{record.__name__}(")
