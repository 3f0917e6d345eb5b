"""From a TOML file and ``--set`` overrides to a checked scenario; every fault is reported at once."""

from __future__ import annotations

import copy
import re
import tomllib
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any, Final

import pydantic

from twin.errors import InputError
from twin.registry import Facts, check
from twin.scenario import faults, inherit, overrides
from twin.scenario.experiment import Scenario
from twin.scenario.faults import Fault
from twin.scenario.inherit import Layer
from twin.scenario.plugins import import_plugins
from twin.scenario.section import Named, selected
from twin.scenario.sections import (
    Association,
    Channel,
    Constellation,
    Fading,
    PathLoss,
    Precoding,
    Precompensation,
    Time,
)
from twin.units import Duration

Tree = dict[str, Any]

_NAMED: Final = ("precompensation", "association", "precoding")
_MOST_REPORTS: Final = 20_000
_LAST_YEAR: Final = 2100
_TLE_YEARS: Final = range(1957, 2057)
_MOST_GENERATED: Final = 250_000
"""Catalogue numbers of generated satellites count from 90000 to 339999, the last that a TLE can hold."""
_PLACE = re.compile(r" \(at (?:line (\d+), column (\d+)|end of document)\)$")


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
    tree, layers = inherit.inherited(_read(file), file, _read)
    return _checked(tree, folder=file.parent, layers=layers, settings=tuple(overrides))


def from_mapping(mapping: Mapping[str, Any], *, folder: str | Path = ".", origin: str = "scenario") -> Scenario:
    """Check a scenario given as plain data, paths relative to ``folder``.

    Raises
    ------
    InputError
        As `load_scenario`.
    """
    tree = copy.deepcopy(dict(mapping))
    return _checked(tree, folder=Path(folder), layers=[(origin, tree)])


def _checked(tree: Tree, *, folder: Path, layers: Sequence[Layer], settings: Sequence[str] = ()) -> Scenario:
    said_by = partial(inherit.said_by, layers, tree)
    tree = {key: overrides.resolved(key, value, folder) for key, value in tree.items()}
    keys_set = overrides.apply(tree, settings)
    _import_plugins(tree, folder, said_by("plugins"))
    _write_out(tree)
    found: list[Fault] = []
    model = _scenario_model(tree, found)
    found += faults.misfits(tree, model)
    known = [fault.key for fault in found]
    scenario = None
    try:
        scenario = model.model_validate(tree)
    except pydantic.ValidationError as error:
        more = faults.described(error, model, tree)
        found += [fault for fault in more if not _stands_at(fault, known)]
    if scenario is not None and not found:
        found += _late_faults(scenario)
    if scenario is None or found:
        raise InputError("\n".join(_attributed(fault, said_by, keys_set) for fault in found))
    return scenario


def _attributed(fault: Fault, said_by: Callable[[str], str], keys_set: Sequence[str]) -> str:
    """A fault with where it was written: in a file, or in a setting."""
    return f"--set {fault}" if _stands_at(fault, keys_set) else f"{said_by(fault.key)}: {fault}"


def _stands_at(fault: Fault, keys: Iterable[str]) -> bool:
    """Whether a fault is at or below one of some keys."""
    return any(fault.key == key or fault.key.startswith((f"{key}.", f"{key}[")) for key in keys)


def _read(file: Path) -> Tree:
    """What a scenario file says, relative paths taken from its folder."""
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
    return {key: overrides.resolved(key, value, file.parent) for key, value in tree.items()}


def _toml_fault(file: Path, message: str) -> str:
    """The parser's message, with the line where others have it."""
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


def _write_out(tree: Tree) -> None:
    """Write out what may be left short: a model as its name alone, and the cadence of one epoch."""
    for key in _NAMED:
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
    """The epoch as it is written; where it is wrong, that is told of once, and anything will do here."""
    time = tree.get("time")
    default: Duration = Time.model_fields["epoch"].default
    written = time.get("epoch", default) if isinstance(time, dict) else default
    try:
        return Duration.parse(written) if isinstance(written, str) else default
    except ValueError:
        return default


def _scenario_model(tree: Tree, found: list[Fault]) -> type[Scenario]:
    """The scenario class whose named sections have the keys of the models that the tree selects."""
    channel = tree["channel"] if isinstance(tree["channel"], dict) else {}
    inner = {
        key: _field(_choice(base, channel, key, f"channel.{key}", found))
        for key, base in (("path_loss", PathLoss), ("fading", Fading))
    }
    bases: tuple[type[Named], ...] = (Precompensation, Association, Precoding)
    fields: dict[str, Any] = {"channel": _field(pydantic.create_model("Channel", __base__=Channel, **inner))}
    fields |= {key: _field(_choice(base, tree, key, key, found)) for key, base in zip(_NAMED, bases, strict=True)}
    made: type[Scenario] = pydantic.create_model("Scenario", __base__=Scenario, **fields)
    return made


def _field(model: type[pydantic.BaseModel]) -> Any:
    """A section that may be left out: its own defaults then hold, and are checked as if written."""
    return (model, pydantic.Field(default_factory=lambda: model.model_validate({})))


def _choice(base: type[Named], tree: Tree, key: str, place: str, found: list[Fault]) -> type[Named]:
    """The section class for the name that the tree gives, or the default one if that name is wrong."""
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
        # what else stands there cannot be judged without the model
        tree[key] = {"every": section["every"]} if "every" in base.model_fields else {}
        return selected(base, default)


def _late_faults(scenario: Scenario) -> list[Fault]:
    """What shows only in a scenario whose every key is right by itself."""
    found = []
    named = {f"channel.{key}": getattr(scenario.channel, key) for key in ("path_loss", "fading")}
    named |= {key: getattr(scenario, key) for key in _NAMED}
    for key, section in named.items():
        try:
            section.options()
        except (ValueError, TypeError) as error:
            found.append(Fault(key=key, text=str(error)))
    found += _channel_faults(scenario) if not found else []
    return found + _report_faults(scenario) + _time_faults(scenario) + _constellation_faults(scenario.constellation)


def _channel_faults(scenario: Scenario) -> list[Fault]:
    """Faults of the options of path loss and fading, given the carrier and each other."""
    section, array = scenario.channel, scenario.satellites.array
    path_loss = section.path_loss.options()
    facts = Facts(
        carrier_hz=section.carrier_ghz * 1e9,
        path_loss=path_loss,
        satellite_rows=array.rows,
        satellite_columns=array.columns,
        terminal_elements=min(each.antenna.rows * each.antenna.columns for each in scenario.terminals),
        largest_cluster=None,
    )
    for key, options in (("path_loss", path_loss), ("fading", section.fading.options())):
        try:
            check(options, facts)
        except (ValueError, TypeError) as error:
            return [Fault(key=f"channel.{key}", text=str(error))]
    return []


def _report_faults(scenario: Scenario) -> list[Fault]:
    """Reports of CSI are sent at every epoch: so many can be on their way at a time."""
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
        text = f'found "{time.duration}", which leads beyond {_LAST_YEAR}, where element sets and time scales end'
        return [Fault(key="time.duration", text=text)]
    return []


def _constellation_faults(section: Constellation) -> list[Fault]:
    walker = section.walker
    if not section.source and (count := walker.planes * walker.per_plane) > _MOST_GENERATED:
        text = f"planes x per_plane makes {count:,} satellites, must be at most {_MOST_GENERATED:,}"
        return [Fault(key="constellation.walker", text=text)]
    lost = [file for file in section.source if not faults.is_there(file)]
    return [Fault(key="constellation.source", text=f"{file}: no such file{faults.nearest_file(file)}") for file in lost]
