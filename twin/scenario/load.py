"""From a TOML file and ``--set`` overrides to a checked scenario; every fault is reported at once."""

from __future__ import annotations

import copy
import importlib
import importlib.util
import sys
import tomllib
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import pydantic

from twin.errors import InputError
from twin.scenario import faults
from twin.scenario.experiment import Scenario
from twin.scenario.section import Named, selected
from twin.scenario.sections import Association, Channel, Fading, PathLoss, Precoding, Precompensation

Tree = dict[str, Any]


def load_scenario(path: str | Path, overrides: Iterable[str] = ()) -> Scenario:
    """Read and check a scenario file.

    Parameters
    ----------
    path
        A TOML file; paths inside it are relative to its folder.
    overrides
        ``key.path=value`` settings, values in TOML; paths among them are relative to the current folder.

    Raises
    ------
    InputError
        Naming every fault: the key, what was found and what is allowed.
    """
    file = Path(path)
    tree = _read(file)
    for override in overrides:
        _apply(tree, override)
    return from_mapping(tree, folder=file.parent, origin=file.name)


def from_mapping(mapping: Mapping[str, Any], *, folder: str | Path = ".", origin: str = "scenario") -> Scenario:
    """Check a scenario given as plain data, paths relative to ``folder``.

    Raises
    ------
    InputError
        As `load_scenario`.
    """
    tree = copy.deepcopy(dict(mapping))
    _import_plugins(tree.get("plugins", ()), Path(folder), origin)
    _resolve_paths(tree, Path(folder))
    _default_cadences(tree)
    found: list[str] = []
    model = _scenario_model(tree, found)
    try:
        scenario = model.model_validate(tree)
    except pydantic.ValidationError as error:
        found += faults.described(error, tree, model)
    if found:
        raise InputError("\n".join(f"{origin}: {fault}" for fault in found))
    return scenario


def _read(file: Path) -> Tree:
    try:
        return tomllib.loads(file.read_text(encoding="utf-8-sig"))
    except FileNotFoundError:
        raise InputError(f"{file}: no such scenario file{faults.nearest_file(file)}") from None
    except IsADirectoryError:
        raise InputError(f"{file}: is a folder; a scenario is a TOML file") from None
    except OSError as error:
        raise InputError(f"{file}: cannot be read: {error.strerror}") from None
    except UnicodeDecodeError:
        raise InputError(f"{file}: is not UTF-8 text; a scenario is a TOML file") from None
    except tomllib.TOMLDecodeError as error:
        raise InputError(f"{file}: is not valid TOML: {error}") from None


def _apply(tree: Tree, override: str) -> None:
    """Put one ``key.path=value`` into the tree."""
    key, equals, text = override.partition("=")
    steps = [step.strip() for step in key.split(".")]
    if not equals or not all(steps):
        raise InputError(f'--set {override}: write key.path=value, as in --set time.duration="1h"')
    if steps[-1] in ("source", "path", "plugins"):
        value = _against(_value(text), Path.cwd())
    else:
        value = _value(text)
    place: Any = tree
    for depth, step in enumerate(steps[:-1]):
        place = _descend(place, step, override, ".".join(steps[: depth + 1]))
    if isinstance(place, list):
        place[_index(place, steps[-1], override)] = value
    elif isinstance(place, dict):
        place[steps[-1]] = value
    else:
        raise InputError(f"--set {override}: {'.'.join(steps[:-1])} holds a value, not keys")


def _descend(place: Any, step: str, override: str, so_far: str) -> Any:
    if isinstance(place, list):
        return place[_index(place, step, override)]
    if not isinstance(place, dict):
        raise InputError(f"--set {override}: {so_far.rpartition('.')[0]} holds a value, not keys")
    inner = place.setdefault(step, {})
    if isinstance(inner, str) and step in ("path_loss", "fading"):
        inner = place[step] = {"name": inner}
    return inner


def _index(place: list[Any], step: str, override: str) -> int:
    if not step.isdigit() or int(step) >= len(place):
        raise InputError(f'--set {override}: "{step}" must be the number of one of {len(place)} entries, from 0')
    return int(step)


def _value(text: str) -> Any:
    """A TOML value, or the bare text where it is none."""
    try:
        return tomllib.loads(f"value = {text}")["value"]
    except tomllib.TOMLDecodeError:
        return text.strip()


def _against(value: Any, folder: Path) -> Any:
    if isinstance(value, list):
        return [_against(item, folder) for item in value]
    return str((folder / Path(value).expanduser()).absolute()) if isinstance(value, str) else value


def _resolve_paths(tree: Tree, folder: Path) -> None:
    constellation = tree.get("constellation")
    if isinstance(constellation, dict) and "source" in constellation:
        constellation["source"] = _against(constellation["source"], folder)
    groups = tree.get("terminals")
    for group in groups if isinstance(groups, list) else [groups]:
        if isinstance(group, dict) and "path" in group:
            group["path"] = _against(group["path"], folder)


def _default_cadences(tree: Tree) -> None:
    """A cadence that is not given is one epoch."""
    time = tree.get("time", {})
    epoch = time.get("epoch", "1s") if isinstance(time, dict) else "1s"
    for name in ("association", "precoding"):
        section = tree.setdefault(name, {})
        if isinstance(section, dict):
            section.setdefault("every", epoch)


def _import_plugins(plugins: Any, folder: Path, origin: str) -> None:
    """Import modules that register models of their own, by module name or as .py files."""
    for plugin in [plugins] if isinstance(plugins, str) else plugins:
        try:
            if str(plugin).endswith(".py"):
                _import_file((folder / plugin).resolve())
            else:
                importlib.import_module(str(plugin))
        except (ImportError, OSError, SyntaxError) as error:
            raise InputError(f'{origin}: plugins: "{plugin}" cannot be imported: {error}') from error


def _import_file(file: Path) -> None:
    name = f"twin_plugin_{file.stem}"
    if getattr(sys.modules.get(name), "__file__", None) == str(file):
        return
    spec = importlib.util.spec_from_file_location(name, file)
    if spec is None or spec.loader is None:
        raise ImportError(f"{file} is no Python file")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    sys.modules[name] = module


def _scenario_model(tree: Tree, found: list[str]) -> type[Scenario]:
    """The scenario class whose named sections have the keys of the models that the tree selects."""
    channel = _section(tree, "channel")
    inner = {
        key: _choice(base, channel, key, f"channel.{key}", found)
        for key, base in (("path_loss", PathLoss), ("fading", Fading))
    }
    fields: dict[str, Any] = {"channel": _field(pydantic.create_model("Channel", __base__=Channel, **_fields(inner)))}
    for key, base in (
        ("precompensation", Precompensation),
        ("association", Association),
        ("precoding", Precoding),
    ):
        fields[key] = _field(_choice(base, tree, key, key, found))
    made: type[Scenario] = pydantic.create_model("Scenario", __base__=Scenario, **fields)
    return made


def _fields(models: Mapping[str, type[Named]]) -> dict[str, Any]:
    return {key: _field(model) for key, model in models.items()}


def _field(model: type[pydantic.BaseModel]) -> Any:
    """A section that may be left out: its own defaults then hold, and are checked as if written."""
    return (model, pydantic.Field(default_factory=lambda: model.model_validate({})))


def _section(tree: Tree, key: str) -> Tree:
    section = tree.setdefault(key, {})
    return section if isinstance(section, dict) else {}


def _choice(base: type[Named], tree: Tree, key: str, place: str, found: list[str]) -> type[Named]:
    """The section class for the name that the tree gives, or the default one if that name is wrong."""
    section = tree.get(key, {})
    if isinstance(section, str):
        section = tree[key] = {"name": section}
    default = str(base.model_fields["name"].default)
    name = section.get("name", default) if isinstance(section, dict) else default
    try:
        return selected(base, name)
    except (InputError, TypeError) as error:
        reason = error if isinstance(error, InputError) else f"{name!r} is not a name"
        found.append(f"{place}.name: {reason}")
        tree.pop(key)
        if "every" in base.model_fields:
            tree[key] = {"every": section["every"]}
        return selected(base, default)
