"""Reading and checking of a scenario: files, overrides and mappings; all faults are reported at once."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any, Final

import pydantic

from twin.errors import InputError
from twin.scenario import faults, inherit
from twin.scenario import overrides as settings
from twin.scenario.experiment import Scenario
from twin.scenario.faults import Fault
from twin.scenario.feasibility import model_faults
from twin.scenario.former import with_present_names
from twin.scenario.inherit import Layer
from twin.scenario.overrides import Setting
from twin.scenario.plugins import import_plugins
from twin.scenario.section import ModelSection, selected
from twin.scenario.sections import (
    AssociationSection,
    ChannelSection,
    ConstellationSection,
    FadingSection,
    PathLossSection,
    PrecodingSection,
    PrecompensationSection,
    TimeSection,
)
from twin.units import Duration

Tree = dict[str, Any]
Overrides = Iterable[str] | Mapping[str, Any]

_TOP_LEVEL_MODELS: Final = ("precompensation", "association", "precoding")
_MOST_REPORTS: Final = 20_000
"""Most CSI reports of one satellite and terminal that may be under way at a time."""
_LAST_YEAR: Final = 2100
_TLE_YEARS: Final = range(1957, 2057)
_MOST_GENERATED: Final = 250_000
"""Generated satellites have the catalogue numbers 90000 to 339999; 339999 is the largest that a TLE can hold."""
_PLACE = re.compile(r" \(at (?:line (\d+), column (\d+)|end of document)\)$")


def load_scenario(scenario: str | Path | Mapping[str, Any], overrides: Overrides = ()) -> Scenario:
    """Read and check a scenario.

    Parameters
    ----------
    scenario
        The path of a TOML file, whose relative paths are relative to its folder; or the same content as a mapping,
        whose relative paths are relative to the current folder.
    overrides
        Values that replace those of the scenario: strings ``"time.duration=10s"`` with values in TOML, or a mapping
        ``{"time.duration": "10s", "satellites.array.rows": 8}``. Relative paths are relative to the current folder.

    Raises
    ------
    InputError
        With every fault: the key, the value found and the values allowed.
    TypeError
        If an argument has the wrong type.
    """
    chosen = settings.parsed(overrides)
    if isinstance(scenario, Mapping):
        return _from_tree(scenario, folder=Path(), origin="scenario", chosen=chosen)
    if not isinstance(scenario, str | Path):
        raise TypeError(f"scenario must be a path or a mapping, found {type(scenario).__name__}")
    file = Path(scenario)
    tree, layers = inherit.inherited(_read(file), file, _read)
    return _checked(tree, folder=file.parent, layers=layers, chosen=chosen)


def as_scenario(given: Scenario | Mapping[str, Any] | str | Path, overrides: Overrides = ()) -> Scenario:
    """A scenario as it is; anything else as `load_scenario` reads it.

    Raises
    ------
    InputError
        As `load_scenario`.
    TypeError
        If overrides are given for a `Scenario`, which is checked and frozen.
    """
    if not isinstance(given, Scenario):
        return load_scenario(given, overrides)
    if overrides:
        raise TypeError("overrides change a file or a mapping; a Scenario is frozen, so pass them to load_scenario")
    return given


def from_mapping(mapping: Mapping[str, Any], *, folder: str | Path = ".", origin: str = "scenario") -> Scenario:
    """Check a scenario given as a mapping: `load_scenario` with another folder for relative paths.

    Parameters
    ----------
    mapping
        Sections and keys as in a scenario file.
    folder
        Relative paths are relative to it.
    origin
        Beginning of each line of an error message.

    Raises
    ------
    InputError
        With every fault: the key, the value found and the values allowed.
    """
    return _from_tree(mapping, folder=Path(folder), origin=origin, chosen=())


def _from_tree(mapping: Mapping[str, Any], *, folder: Path, origin: str, chosen: Sequence[Setting]) -> Scenario:
    own = with_present_names(settings.plain(mapping, folder, origin), origin)
    tree, layers = inherit.inherited(own, folder / origin, _read)
    return _checked(tree, folder=folder, layers=[(origin, layers[0][1]), *layers[1:]], chosen=chosen)


def _checked(tree: Tree, *, folder: Path, layers: Sequence[Layer], chosen: Sequence[Setting]) -> Scenario:
    given_in = partial(inherit.given_in, layers, tree)
    tree = settings.plain(tree, folder, layers[0][0])  # a copy
    keys_set = settings.apply(tree, chosen)
    _import_plugins(tree, folder, given_in("plugins"))
    _expand(tree)
    found: list[Fault] = []
    model = _scenario_model(tree, found)
    found += faults.misfits(tree, model)
    known = [fault.key for fault in found]
    scenario = None
    try:
        scenario = model.model_validate(tree)
    except pydantic.ValidationError as error:
        more = faults.described(error, model, tree)
        found += [fault for fault in more if not _is_within(fault, known)]
    if scenario is not None and not found:
        found += _late_faults(scenario)
    if scenario is None or found:
        raise InputError("\n".join(_attributed(fault, given_in, keys_set) for fault in found))
    return scenario


def _attributed(fault: Fault, given_in: Callable[[str], str], keys_set: Mapping[str, str]) -> str:
    """A fault after the place where its key is given: a file or a setting."""
    origins = [origin for key, origin in keys_set.items() if _is_within(fault, [key])]
    return f"{origins[-1]} {fault}" if origins else f"{given_in(fault.key)}: {fault}"


def _is_within(fault: Fault, keys: Iterable[str]) -> bool:
    """Whether the key of a fault is one of some keys or lies below one."""
    return any(fault.key == key or fault.key.startswith((f"{key}.", f"{key}[")) for key in keys)


def _read(file: Path) -> Tree:
    """The content of a scenario file; relative paths are made absolute from the file's folder."""
    try:
        tree = tomllib.loads(file.read_text(encoding="utf-8-sig"))
    except FileNotFoundError:
        raise InputError(f"{file}: no such scenario file{faults.nearest_file(file)}") from None
    except IsADirectoryError:
        raise InputError(f"{file}: is a folder; a scenario is a TOML file") from None
    except OSError as error:
        raise InputError(f"{file}: cannot be read: {error.strerror}") from None
    except UnicodeDecodeError:
        raise InputError(f"{file}: is not UTF-8 text; a scenario is a TOML file") from None
    except tomllib.TOMLDecodeError as error:
        raise InputError(_toml_fault(file, str(error))) from None
    except RecursionError:
        raise InputError(f"{file}: is not valid TOML: it is nested too deeply") from None
    except ValueError as error:
        raise InputError(f"{file}: cannot be read: {error}") from None
    return with_present_names(settings.plain(tree, file.parent, str(file)), str(file))


def _toml_fault(file: Path, message: str) -> str:
    """The parser's message with the line number after the file name."""
    place = _PLACE.search(message)
    if place is None:
        return f"{file}: is not valid TOML: {message}"
    words = message[: place.start()]
    if place[1] is None:
        return f"{file}: is not valid TOML: {words} (at the end of the file)"
    return f"{file}:{place[1]}: is not valid TOML: {words} (column {place[2]})"


def _import_plugins(tree: Tree, folder: Path, origin: str) -> None:
    plugins = tree.get("plugins", ())
    wanted = [plugins] if isinstance(plugins, str) else plugins
    if isinstance(wanted, list | tuple) and all(isinstance(plugin, str) for plugin in wanted):
        import_plugins(wanted, folder, f"{origin}: plugins")


def _expand(tree: Tree) -> None:
    """Expand short forms in place: a model given by its name alone, and a cadence that is not given (one epoch)."""
    for key in _TOP_LEVEL_MODELS:
        if isinstance(tree.setdefault(key, {}), str):
            tree[key] = {"name": tree[key]}
    channel = tree.setdefault("channel", {})
    for key in ("path_loss", "fading"):
        if isinstance(channel, dict) and isinstance(channel.get(key), str):
            channel[key] = {"name": channel[key]}
    for key in ("association", "precoding"):
        if isinstance(tree[key], dict):
            tree[key].setdefault("every", _epoch(tree))


def _epoch(tree: Tree) -> Duration:
    """The epoch as given; the default if it is invalid, which is reported elsewhere."""
    time = tree.get("time")
    default: Duration = TimeSection.model_fields["epoch"].default
    given = time.get("epoch", default) if isinstance(time, dict) else default
    if isinstance(given, Duration):
        return given
    try:
        return Duration.parse(given) if isinstance(given, str) else default
    except ValueError:
        return default


def _scenario_model(tree: Tree, found: list[Fault]) -> type[Scenario]:
    """The scenario class whose sections have the options of the models that the tree selects."""
    channel = tree["channel"] if isinstance(tree["channel"], dict) else {}
    inner = {
        key: _field(_choice(base, channel, key, f"channel.{key}", found))
        for key, base in (("path_loss", PathLossSection), ("fading", FadingSection))
    }
    bases: tuple[type[ModelSection], ...] = (PrecompensationSection, AssociationSection, PrecodingSection)
    channel_model = pydantic.create_model("ChannelSection", __base__=ChannelSection, **inner)
    fields: dict[str, Any] = {"channel": _field(channel_model)}
    fields |= {
        key: _field(_choice(base, tree, key, key, found)) for key, base in zip(_TOP_LEVEL_MODELS, bases, strict=True)
    }
    made: type[Scenario] = pydantic.create_model("Scenario", __base__=Scenario, **fields)
    return made


def _field(model: type[pydantic.BaseModel]) -> Any:
    """A section that may be omitted; its defaults are then validated like given values."""
    return (model, pydantic.Field(default_factory=lambda: model.model_validate({})))


def _choice(base: type[ModelSection], tree: Tree, key: str, place: str, found: list[Fault]) -> type[ModelSection]:
    """The section class of the model that the tree selects; that of the default model if the name is invalid."""
    default = str(base.model_fields["name"].default)
    section = tree.get(key, {})
    name = section.get("name", default) if isinstance(section, dict) else default
    try:
        if not isinstance(name, str):
            raise InputError(f"found {faults.shown(name)}, must be text")
        return selected(base, name)
    except (InputError, TypeError, NameError) as error:
        reason = error if isinstance(error, InputError) else f'the options of "{name}" cannot be read: {error}'
        found.append(Fault(key=f"{place}.name", text=str(reason)))
        # without the model, its other keys cannot be checked
        tree[key] = {"every": section["every"]} if "every" in base.model_fields else {}
        return selected(base, default)


def _late_faults(scenario: Scenario) -> list[Fault]:
    """Faults of a scenario whose keys are valid one by one."""
    return [
        *model_faults(scenario),
        *_report_faults(scenario),
        *_time_faults(scenario),
        *_constellation_faults(scenario.constellation),
    ]


def _report_faults(scenario: Scenario) -> list[Fault]:
    """Ages of CSI with too many reports under way: one report is sent at each epoch."""
    section, epoch = scenario.precoding, int(scenario.time.epoch)
    for key, means in (("csi_age", 1), ("csi_jitter", 20)):
        length: Duration = getattr(section, key)
        if int(length) * means > _MOST_REPORTS * epoch:
            most = Duration(_MOST_REPORTS // means * epoch)
            text = f'found "{length}", must be at most "{most}", {_MOST_REPORTS // means:,} epochs'
            return [Fault(key=f"precoding.{key}", text=text)]
    return []


def _time_faults(scenario: Scenario) -> list[Fault]:
    time = scenario.time
    if not scenario.constellation.source and time.start.year not in _TLE_YEARS:
        text = f"found {faults.shown(time.start)}, must be from 1957 to 2056 for a generated constellation"
        return [Fault(key="time.start", text=text)]
    if time.start.year + time.duration.seconds / 31_557_600.0 > _LAST_YEAR + 1:
        text = f'found "{time.duration}", must end by {_LAST_YEAR}, the last year of the time scales'
        return [Fault(key="time.duration", text=text)]
    return []


def _constellation_faults(section: ConstellationSection) -> list[Fault]:
    walker = section.walker
    if not section.source and (count := walker.planes * walker.per_plane) > _MOST_GENERATED:
        text = f"planes x per_plane = {count:,} satellites, must be at most {_MOST_GENERATED:,}"
        return [Fault(key="constellation.walker", text=text)]
    lost = [file for file in section.source if not faults.is_there(file)]
    return [Fault(key="constellation.source", text=f"{file}: no such file{faults.nearest_file(file)}") for file in lost]
