"""Wrong input: one message, word for word, exit status 2, never a traceback.

A message says where, what was found, what is allowed and, for a misspelt name, the nearest valid one.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from tests.helpers.folders import ROOT
from twin.catalogue import Walker, walker_text
from twin.cli.entry import main
from twin.errors import InputError, listed
from twin.registry import ROOMS, of_kind
from twin.scenario import Scenario, from_mapping, sections, terminals

TIME = """\
[time]
start = 2026-01-01T00:00:00Z
duration = "20s"
epoch = "2s"
"""
WALKER = """\
[constellation.walker]
planes = 6
per_plane = 10
"""
DISC = """\
kind = "disc"
latitude_deg = 45.0
longitude_deg = 10.0
radius_km = 200.0
count = 3
"""
TINY = f"""\
name = "tiny"
seed = 3

{TIME}
{WALKER}
[satellites]
array = {{ rows = 2, columns = 2 }}

[terminals]
{DISC}
[association]
name = "nearest_cluster"
every = "4s"

[precoding]
name = "smrt"

[receiver]
draws = 2
"""

KINDS = '"list", "csv", "disc", "grid", "great_circle", "waypoints"'
DURATION = (
    'is not a duration; write a number and a unit, as "15s", "1.5h" or "1h 30min" (units: ns, us, ms, s, min, h, d)'
)


def keys(section: type) -> str:
    """The keys of a section, as messages list them."""
    return listed(section.model_fields)


def options(kind: str, name: str, base: type) -> str:
    """The keys of a section for a model."""
    return listed([*base.model_fields, *of_kind(kind)[name].options.__dataclass_fields__])


def known(kind: str) -> str:
    """A placeholder for the models of a kind, as other tests may register some before the comparison."""
    return f"{{models:{kind}}}"


def filled(message: str, folder: Path) -> str:
    """A message with its placeholders filled in."""
    for kind in ROOMS:
        message = message.replace(known(kind), listed(of_kind(kind).names()))
    return message.replace("{folder}", str(folder))


POINT = "latitude_deg = 0, longitude_deg ="

SCENARIOS = [
    # Names of sections and keys
    ("section", "[time]", "[tmie]", f'tmie: unknown key; did you mean "time"? (known: {keys(Scenario)})'),
    ("key on top", "seed =", "sead =", f'sead: unknown key; did you mean "seed"? (known: {keys(Scenario)})'),
    (
        "key",
        "duration",
        "duraton",
        f'time.duraton: unknown key; did you mean "duration"? (known: {keys(sections.TimeSection)})',
    ),
    (
        "key of a table in a table",
        "columns",
        "colums",
        f'satellites.array.colums: unknown key; did you mean "columns"? (known: {keys(terminals.ArraySection)})',
    ),
    (
        "key of terminals",
        "radius_km = 200.0",
        "radius_m = 2e5",
        "terminals.radius_km: is missing and has no default; it must be a number, more than 0 and at most 20,000\n"
        'tiny.toml: terminals.radius_m: unknown key; did you mean "radius_km"?'
        f" (known: {keys(terminals.DiscGroupSection)})",
    ),
    (
        "option that this precoder has not",
        '"smrt"',
        '"smrt"\niterations = 5',
        'precoding.iterations: unknown key for "smrt"'
        f" (known: {options('precoder', 'smrt', sections.PrecodingSection)})",
    ),
    ("no name", 'name = "tiny"\n', "", 'name: is missing; write name = "..." at the top of the file'),
    (
        "name that no folder can have",
        '"tiny"',
        '"a/b"',
        'name: found "a/b", allowed are letters, digits, dots, dashes and underscores, a letter or digit first',
    ),
    # Kinds of values
    ("text for a whole number", "seed = 3", 'seed = "3"', 'seed: found "3", must be a whole number, at least 0'),
    ("fraction", "seed = 3", "seed = 3.5", "seed: found 3.5, must be a whole number, at least 0"),
    ("negative seed", "seed = 3", "seed = -3", "seed: found -3, must be at least 0"),
    (
        "truth for a number",
        "draws = 2",
        "draws = true",
        "receiver.draws: found true, must be a whole number, from 1 to 100,000",
    ),
    ("too many", "draws = 2", "draws = 100001", "receiver.draws: found 100001, must be from 1 to 100,000"),
    ("number for text", '"tiny"', "7", "name: found 7, must be text"),
    (
        "text for truth",
        "[receiver]",
        '[trace]\nlinks = "yes"\n[receiver]',
        'trace.links: found "yes", must be true or false',
    ),
    ("number for truth", "[receiver]", "[trace]\nlinks = 1\n[receiver]", "trace.links: found 1, must be true or false"),
    (
        "value for a table",
        "array = { rows = 2, columns = 2 }",
        "array = 4",
        "satellites.array: found 4, must be a table",
    ),
    (
        "nan",
        "[receiver]",
        "[channel]\ncarrier_ghz = nan\n[receiver]",
        "channel.carrier_ghz: found nan, must be a finite number",
    ),
    ("infinity", "radius_km = 200.0", "radius_km = inf", "terminals.radius_km: found inf, must be a finite number"),
    (
        "unit in the value",
        "[receiver]",
        '[channel]\ncarrier_ghz = "2 GHz"\n[receiver]',
        'channel.carrier_ghz: found "2 GHz", must be a number, more than 0',
    ),
    (
        "word that is none of a few",
        "draws = 2",
        'interference = "coherrent"',
        'receiver.interference: found "coherrent", allowed is one of "independent", "coherent", "by_delay"'
        '; did you mean "coherent"?',
    ),
    # Time
    ("duration without a unit", '"2s"', "2", 'time.epoch: found 2, must be a duration, as "15s"'),
    ("duration without a unit, as text", '"2s"', '"2"', f'time.epoch: "2" {DURATION}'),
    ("negative duration", '"2s"', '"-2s"', f'time.epoch: "-2s" {DURATION}'),
    ("no epoch at all", '"2s"', '"0s"', 'time: epoch = "0s" must be longer than zero'),
    (
        "duration not of whole epochs",
        '"20s"',
        '"21s"',
        'time: duration = "21s" must be a whole multiple of epoch = "2s", at least one',
    ),
    (
        "cadence not of whole epochs",
        '"4s"',
        '"5s"',
        'association.every = "5s" must be a whole multiple of time.epoch = "2s", at least one',
    ),
    ("cadence without a unit", '"4s"', "4", 'association.every: found 4, must be a duration, as "15s"'),
    ("endless", '"20s"', '"1000000d"', 'time.duration: found "1000000d", must be at most "36525d", a hundred years'),
    (
        "beyond the time scales",
        '"20s"',
        '"36500d"',
        'time.duration: found "36500d", must end by 2100, the last year of the time scales',
    ),
    (
        "date out of range",
        "2026-01-01T",
        "1926-01-01T",
        "time.start: 1926-01-01T00:00:00+00:00 is outside 1960 to 2100, the years of the time scales",
    ),
    (
        "date that no generated element set can have",
        "2026-01-01T",
        "2070-01-01T",
        "time.start: found 2070-01-01T00:00:00+00:00, must be from 1957 to 2056 for a generated constellation",
    ),
    (
        "seconds for a date",
        "2026-01-01T00:00:00Z",
        "1767225600",
        "time.start: found 1767225600, must be a date and time, as 2026-01-01T00:00:00Z",
    ),
    (
        "digits for a date",
        "2026-01-01T00:00:00Z",
        '"1767225600"',
        'time.start: found "1767225600", must be a date and time, as 2026-01-01T00:00:00Z',
    ),
    (
        "thirteenth month",
        "2026-01-01T00:00:00Z",
        '"2026-13-01"',
        'time.start: found "2026-13-01", must be a date and time, as 2026-01-01T00:00:00Z',
    ),
    # Models
    (
        "precoder",
        '"smrt"',
        '"smtr"',
        f'precoding.name: "smtr" is no precoder; did you mean "smrt"? (known: {known("precoder")})',
    ),
    ("precoder by number", '"smrt"', "1", "precoding.name: found 1, must be text"),
    (
        "policy",
        '"nearest_cluster"',
        '"max_elevaton"',
        f'association.name: "max_elevaton" is no policy; did you mean "max_elevation"? (known: {known("policy")})',
    ),
    (
        "fading",
        "[receiver]",
        '[channel]\nfading = "fixd_k"\n[receiver]',
        f'channel.fading.name: "fixd_k" is no fading; did you mean "fixed_k"? (known: {known("fading")})',
    ),
    (
        "path loss",
        "[receiver]",
        '[channel]\npath_loss = "freespace"\n[receiver]',
        'channel.path_loss.name: "freespace" is no path loss; did you mean "free_space"?'
        f" (known: {known('path loss')})",
    ),
    (
        "phase error",
        "[receiver]",
        '[precompensation]\nname = "gausian_phase"\n[receiver]',
        'precompensation.name: "gausian_phase" is no phase error; did you mean "gaussian_phase"?'
        f" (known: {known('phase error')})",
    ),
    (
        "option out of range",
        '"nearest_cluster"',
        '"nearest_cluster"\ncluster_size = 0',
        "association.cluster_size: found 0, must be at least 1",
    ),
    (
        "options that do not fit each other",
        "[receiver]",
        '[channel]\nfading = { name = "k_by_elevation", k_db = [1.0, 2.0] }\n[receiver]',
        "channel.fading: elevation_deg must be ascending and have as many values as k_db",
    ),
    (
        "elevation",
        '"nearest_cluster"',
        '"nearest_cluster"\nmin_elevation_deg = 91',
        "association.min_elevation_deg: found 91, must be from 0 to 90",
    ),
    # Terminals
    (
        "no terminals",
        f"[terminals]\n{DISC}",
        "",
        "terminals: is missing; write a [terminals] section, or several [[terminals]]",
    ),
    ("empty terminals", DISC, "", f'terminals: is missing its key "kind" (known kinds: {KINDS})'),
    (
        "kind of terminals",
        '"disc"',
        '"disk"',
        f'terminals.kind: unknown kind "disk"; did you mean "disc"? (known: {KINDS})',
    ),
    ("nobody", "count = 3", "count = 0", "terminals.count: found 0, must be from 1 to 1,000,000"),
    ("latitude", "= 45.0", "= 145.0", "terminals.latitude_deg: found 145.0, must be from -90 to 90"),
    (
        "group twice",
        f"[terminals]\n{DISC}",
        f"[[terminals]]\n{DISC}\n[[terminals]]\n{DISC}",
        'terminals: 2 groups have the name "ut"; give each group its own name',
    ),
    (
        "second group",
        f"[terminals]\n{DISC}",
        f'[[terminals]]\n{DISC}\n[[terminals]]\nname = "b"\n{DISC}weight = 0',
        "terminals[1].weight: found 0, must be more than 0 and at most 1,000,000",
    ),
    ("empty list", DISC, 'kind = "list"\npositions = []', "terminals.positions: found [], must have at least 1 entry"),
    (
        "place without a longitude",
        DISC,
        'kind = "list"\npositions = [{ latitude_deg = 1.0 }]',
        "terminals.positions[0].longitude_deg: is missing and has no default; it must be a number, from -180 to 360",
    ),
    (
        "grid from north to south",
        DISC,
        'kind = "grid"\nlatitude_deg = [50, 40]\nlongitude_deg = [0, 5]\nstep_deg = 1',
        "terminals: latitude_deg = [50, 40] must be [from, to] with from <= to",
    ),
    (
        "grid of one latitude",
        DISC,
        'kind = "grid"\nlatitude_deg = 50\nlongitude_deg = [0, 5]\nstep_deg = 1',
        "terminals.latitude_deg: found 50, must be a list of 2 numbers",
    ),
    (
        "single waypoint",
        DISC,
        f'kind = "waypoints"\nwaypoints = [{{ {POINT} 2, at = "0s" }}]',
        "terminals.waypoints: found [a table], must have at least 2 entries",
    ),
    (
        "waypoints out of order",
        DISC,
        f'kind = "waypoints"\nwaypoints = [{{ {POINT} 2, at = "9s" }}, {{ {POINT} 3, at = "5s" }}]',
        'terminals: waypoints must be in order of time: "5s" does not follow "9s"',
    ),
    (
        "opposite waypoints",
        DISC,
        f'kind = "waypoints"\nwaypoints = [{{ {POINT} 0, at = "0s" }}, {{ {POINT} 180, at = "5s" }}]',
        'terminals "ut": (0.0, 0.0) and (0.0, 180.0) are antipodes, which no single great circle'
        " joins; insert a point between them",
    ),
    (
        "standstill",
        DISC,
        'kind = "great_circle"\nstart = [0, 0]\nend = [0, 9]\nspeed_km_h = 0',
        "terminals.speed_km_h: found 0, must be more than 0",
    ),
    (
        "no file of terminals",
        DISC,
        'kind = "csv"',
        "terminals.path: is missing and has no default; it must be text (a path)",
    ),
    (
        "lost file of terminals",
        DISC,
        'kind = "csv"\npath = "placs.csv"',
        '{folder}/placs.csv: no such file of terminals; did you mean "places.csv"?',
    ),
    (
        "column of terminals",
        DISC,
        'kind = "csv"\npath = "column.csv"',
        '{folder}/column.csv:1: the column "longitude_deg" is missing (found: "latitude_deg", "longitude")'
        '; did you mean "longitude"?',
    ),
    (
        "cell of terminals",
        DISC,
        'kind = "csv"\npath = "cell.csv"',
        '{folder}/cell.csv:3: latitude_deg = "1,5" is not a number',
    ),
    (
        "short line of terminals",
        DISC,
        'kind = "csv"\npath = "short.csv"',
        "{folder}/short.csv:2: 1 values for 2 columns (latitude_deg,longitude_deg)",
    ),
    (
        "range of terminals",
        DISC,
        'kind = "csv"\npath = "range.csv"',
        "{folder}/range.csv:2: latitude_deg = 95 must lie from -90 to 90",
    ),
    (
        "terminal twice",
        DISC,
        'kind = "csv"\npath = "twice.csv"',
        '{folder}/twice.csv:3: the name "a" is already used on line 2',
    ),
    # Constellation
    ("phasing", WALKER, f"{WALKER}phasing = 6", "constellation.walker: phasing = 6 must be below planes = 6"),
    (
        "pattern",
        WALKER,
        f'{WALKER}kind = "dleta"',
        'constellation.walker.kind: found "dleta", allowed is one of "delta", "star"; did you mean "delta"?',
    ),
    (
        "inside the air",
        WALKER,
        f"{WALKER}altitude_km = 100",
        "constellation.walker.altitude_km: found 100, must be from 150 to 36,000",
    ),
    (
        "too many satellites",
        "per_plane = 10",
        "per_plane = 100000",
        "constellation.walker: planes x per_plane = 600,000 satellites, must be at most 250,000",
    ),
    (
        "lost catalogue",
        WALKER,
        '[constellation]\nsource = "strar.tle"',
        'constellation.source: {folder}/strar.tle: no such file; did you mean "star.tle"?',
    ),
    (
        "catalogue by number",
        WALKER,
        "[constellation]\nsource = 5",
        "constellation.source: found 5, must be text (a path) or a list of paths",
    ),
    (
        "web page",
        WALKER,
        '[constellation]\nsource = "page.tle"',
        "{folder}/page.tle: is a web page, possibly a server's error page; expected TLE or OMM",
    ),
    (
        "no catalogue",
        WALKER,
        '[constellation]\nsource = "prose.tle"',
        '{folder}/prose.tle: holds no element sets; it begins "hello there";'
        " expected TLE lines, or OMM as CSV, JSON or XML",
    ),
    (
        "empty catalogue",
        WALKER,
        '[constellation]\nsource = "empty.tle"',
        "{folder}/empty.tle: is empty, expected element sets (TLE or OMM)",
    ),
    (
        "packed catalogue",
        WALKER,
        '[constellation]\nsource = "packed.tle"',
        "{folder}/packed.tle: is a compressed file; unpack it first",
    ),
    (
        "binary catalogue",
        WALKER,
        '[constellation]\nsource = "binary.tle"',
        "{folder}/binary.tle: is a binary file, expected element sets as text (TLE or OMM)",
    ),
    (
        "every set damaged",
        WALKER,
        '[constellation]\nsource = "damaged.tle"',
        "{folder}/damaged.tle: none of 2 records (TLE) is a usable element set; first fault: line or record 2:"
        " line 1: checksum 5, expected 0",
    ),
    (
        "folder for a catalogue",
        WALKER,
        '[constellation]\nsource = "."',
        "{folder}: is a directory, expected a file of element sets (TLE or OMM)",
    ),
    (
        "filter that leaves nothing",
        WALKER,
        '[constellation]\nsource = "star.tle"\nnames = "STARLINK*"',
        'constellation: the selection leaves none of 6 satellites: name matches none of "STARLINK*"'
        '; no satellite is named "STARLINK*"',
    ),
    (
        "range the wrong way round",
        WALKER,
        '[constellation]\nsource = "star.tle"\nperigee_km = [600, 500]',
        "constellation.perigee_km: [600, 500] must be [from, to] with from <= to",
    ),
    (
        "half a range",
        WALKER,
        '[constellation]\nsource = "star.tle"\nperigee_km = [600]',
        "constellation.perigee_km: found [600], must be a list of 2 numbers",
    ),
    # Plug-ins
    (
        "lost module",
        "seed = 3",
        'plugins = "no_such_module"',
        'plugins: "no_such_module" is not a module that can be found; the name of a file must end in .py',
    ),
    (
        "lost plug-in",
        "seed = 3",
        'plugins = "rasies.py"',
        'plugins: "{folder}/rasies.py" is not a file; did you mean "raises.py"?',
    ),
    (
        "plug-in that raises",
        "seed = 3",
        'plugins = "raises.py"',
        'plugins: "{folder}/raises.py" cannot be imported: line 3: ValueError: not today',
    ),
    (
        "plug-in that is no Python",
        "seed = 3",
        'plugins = ["syntax.py"]',
        'plugins: "{folder}/syntax.py" cannot be imported: line 2: SyntaxError: invalid syntax',
    ),
    (
        "plug-in with a name that is taken",
        "seed = 3",
        'plugins = ["taken.py"]',
        'plugins: "{folder}/taken.py" cannot be imported: line 3: ValueError:'
        ' the precoder "smrt" is registered already',
    ),
    ("plug-in by number", "seed = 3", "plugins = 5", "plugins: found 5, must be text or a list of texts"),
    (
        "plug-in that no file can be",
        "seed = 3",
        'plugins = "x\\u0000.py"',
        'plugins: "{folder}/x\0.py" is not a file',
    ),
    # Several at once
    (
        "two faults",
        "draws = 2",
        "draws = 0\nnoise_figure_db = -1",
        "receiver.noise_figure_db: found -1, must be at least 0\n"
        "tiny.toml: receiver.draws: found 0, must be from 1 to 100,000",
    ),
    # Association in the loop, and what happens at set times
    (
        "no place",
        'every = "4s"\n\n[prec',
        "capacity = 0\n\n[prec",
        "association.capacity: found 0, must be at least 1",
    ),
    (
        "preparation beyond the time",
        'every = "4s"\n\n[prec',
        'preparation = "2s"\ntimeout = "1s"\n\n[prec',
        'association: timeout = "1s" must be at least preparation = "2s"; otherwise no change can start',
    ),
    (
        "number for a dwell",
        'every = "4s"\n\n[prec',
        "min_dwell = 5\n\n[prec",
        'association.min_dwell: found 5, must be a duration, as "15s"',
    ),
    (
        "fraction for a satellite",
        'every = "4s"\n\n[prec',
        "exclude = [1.5]\n\n[prec",
        "association.exclude[0]: found 1.5, must be a whole number or text",
    ),
    (
        "truth for satellites",
        'every = "4s"\n\n[prec',
        "exclude = true\n\n[prec",
        "association.exclude: found true, must be a whole number or text or a list of whole numbers or texts",
    ),
    (
        "unknown satellite",
        'every = "4s"\n\n[prec',
        "exclude = 7\n\n[prec",
        "association.exclude: satellite 7 is not in the catalogue",
    ),
    (
        "kind of event",
        "[receiver]",
        '[[events]]\nkind = "outge"\n[receiver]',
        'events[0].kind: unknown kind "outge"; did you mean "outage"? (known: "outage", "exclusion", "absence")',
    ),
    (
        "key of an event",
        "[receiver]",
        '[[events]]\nkind = "outage"\nsatellites = "*"\nform = "3s"\n[receiver]',
        'events[0].form: unknown key; did you mean "from"? (known: "from", "until", "kind", "satellites")',
    ),
    (
        "event of nobody",
        "[receiver]",
        '[events]\nkind = "outage"\nsatellites = []\n[receiver]',
        "events.satellites: found [], must have at least 1 entry",
    ),
    (
        "event that ends before it begins",
        "[receiver]",
        '[[events]]\nkind = "absence"\nterminals = "ut"\nfrom = "5s"\nuntil = "5s"\n[receiver]',
        'events[0]: until = "5s" must be after from = "5s"',
    ),
    (
        "event at a number",
        "[receiver]",
        '[[events]]\nkind = "absence"\nterminals = "ut"\nfrom = 5\n[receiver]',
        'events[0].from: found 5, must be a duration, as "15s"',
    ),
    (
        "number for a terminal",
        "[receiver]",
        '[[events]]\nkind = "absence"\nterminals = 5\n[receiver]',
        "events[0].terminals: found 5, must be text or a list of texts",
    ),
    (
        "satellite of an event",
        "[receiver]",
        '[[events]]\nkind = "outage"\nsatellites = ["WALKER-1-01"]\n[receiver]',
        'events[0].satellites: no satellite is named "WALKER-1-01"; did you mean "WALKER-01-01"?',
    ),
    (
        "terminal of an event",
        "[receiver]",
        '[[events]]\nkind = "absence"\nterminals = "ut-1"\n[receiver]',
        'events[0].terminals: no terminal or group is named "ut-1"; did you mean "ut-01"? (groups: "ut")',
    ),
    ("no list of events", "seed = 3", "seed = 3\nevents = 3", "events: found 3, must be a table or a list of tables"),
]

TOML = [
    ("open string", '"tiny"', '"tiny', "tiny.toml:1: is not valid TOML: Illegal character '\\n' (column 13)"),
    ("two equals", "seed = 3", "seed == 3", "tiny.toml:2: is not valid TOML: Invalid value (column 7)"),
    (
        "key twice",
        "seed = 3",
        "seed = 3\nseed = 4",
        "tiny.toml:3: is not valid TOML: Cannot overwrite a value (column 9)",
    ),
    (
        "open list",
        "draws = 2\n",
        "draws = [2\n",
        "tiny.toml: is not valid TOML: Unclosed array (at the end of the file)",
    ),
]

COMMANDS = [
    # Scenario files
    (["run", "tinny.toml"], 'tinny.toml: no such scenario file; did you mean "tiny.toml"?'),
    (["validate", "."], ".: is a folder; a scenario is a TOML file"),
    (["run", "latin.toml"], "latin.toml: is not UTF-8 text; a scenario is a TOML file"),
    (["run", f"{'x' * 300}.toml"], f"{'x' * 300}.toml: cannot be read: File name too long"),
    # Settings
    (["run", "tiny.toml", "--set", "seed"], '--set seed: write key.path=value, as in --set time.duration="1h"'),
    (
        ["run", "tiny.toml", "--set", "time..epoch=1s"],
        '--set time..epoch=1s: write key.path=value, as in --set time.duration="1h"',
    ),
    (
        ["run", "tiny.toml", "--set", "receiver.drawz=5"],
        f'--set receiver.drawz: unknown key; did you mean "draws"? (known: {keys(sections.ReceiverSection)})',
    ),
    (
        ["run", "tiny.toml", "--set", "terminals.count=x"],
        '--set terminals.count: found "x", must be a whole number, from 1 to 1,000,000',
    ),
    (["run", "tiny.toml", "--set", "seed.x=1"], "--set seed.x=1: seed holds a value, not keys"),
    (
        ["run", "two.toml", "--set", "terminals.2.count=1"],
        '--set terminals.2.count=1: "2" is not among them: terminals has 2 entries, numbers 0 to 1',
    ),
    (
        ["run", "two.toml", "--set", "terminals.count=1"],
        '--set terminals.count=1: "count" is not among them: terminals has 2 entries, numbers 0 to 1',
    ),
    (
        ["run", "two.toml", "--set", "terminals.1.count=0"],
        "--set terminals[1].count: found 0, must be from 1 to 1,000,000",
    ),
    (
        ["run", "tiny.toml", "--set", "terminals.²=1"],
        f"--set terminals.²: unknown key (known: {keys(terminals.DiscGroupSection)})",
    ),
    (
        ["run", "tiny.toml", "--set", "constellation.source=stra.tle"],
        '--set constellation.source: {folder}/stra.tle: no such file; did you mean "star.tle"?',
    ),
    # Where the trace goes
    (
        ["run", "tiny.toml", "--out", "full"],
        'full: holds "letter.txt" but no trace; choose an empty or a new directory',
    ),
    (["run", "tiny.toml", "--out", "done"], "done: already holds a trace; resume it, or choose another directory"),
    (["run", "tiny.toml", "--out", "tiny.toml"], "tiny.toml: a trace cannot be written here (File exists)"),
    (
        ["run", "tiny.toml", "--resume"],
        '--resume: there is no trace of "tiny" in traces/; give its folder with --out DIR',
    ),
    (["run", "tiny.toml", "--resume", "--out", "full"], "full: no trace here (run.json is missing)"),
    (
        ["run", "tiny.toml", "--resume", "--out", "done/terminals"],
        'done/terminals: no trace here (run.json is missing); did you mean "done"?',
    ),
    (
        ["run", "tiny.toml", "--resume", "--out", "done", "--set", "seed=4"],
        "done: cannot be resumed, because it was begun by a different run:\n"
        "  seed: 3 -> 4\n"
        "Restore the previous values, or start a new run in another directory.",
    ),
    # Commands and options
    (
        ["rnu", "tiny.toml"],
        'unknown command "rnu"; did you mean "run"?'
        ' (known: "run", "validate", "compare", "report", "precoders", "policies", "catalogue")\nsee: twin --help',
    ),
    (
        [],
        'a command is missing (known: "run", "validate", "compare", "report", "precoders", "policies", "catalogue")\n'
        "see: twin --help",
    ),
    (["run"], "run: SCENARIO is missing\nsee: twin run --help"),
    (["catalogue"], 'catalogue: a command is missing (known: "info", "walker", "fetch")\nsee: twin catalogue --help'),
    (
        ["catalogue", "wlaker"],
        'catalogue: unknown command "wlaker"; did you mean "walker"? (known: "info", "walker", "fetch")\n'
        "see: twin catalogue --help",
    ),
    (
        ["run", "tiny.toml", "--resme"],
        'run: unknown option "--resme"; did you mean "--resume"?'
        ' (known: "--out", "--set", "--resume", "--quiet", "-q")\nsee: twin run --help',
    ),
    (["precoders", "--plugin", "rasies.py"], '--plugin: "rasies.py" is not a file; did you mean "raises.py"?'),
    # Catalogues
    (["catalogue", "info", "stra.tle"], 'stra.tle: no such file; did you mean "star.tle"?'),
    (["catalogue", "info", "page.tle"], "page.tle: is a web page, possibly a server's error page; expected TLE or OMM"),
    (
        ["catalogue", "info", "star.tle", "--at", "noon"],
        '--at: found "noon", must be a date and time, as 2026-01-01T00:00:00Z',
    ),
    (
        ["catalogue", "fetch", "a/b", "--out", "."],
        'group: found "a/b", allowed letters, digits, dots and dashes, such as "starlink"',
    ),
    (
        ["catalogue", "fetch", "few", "--out", ".", "--url", "ftp://x/{group}"],
        'template: found "ftp://x/{group}", expected a web address that contains {group}',
    ),
]

WALKER_WORDS = {
    "pattern": "delta",
    "--planes": "6",
    "--per-plane": "10",
    "--altitude-km": "600",
    "--inclination-deg": "53",
    "--epoch": "2026-01-01T00:00:00Z",
    "--out": "made.tle",
}

WALKERS = [
    ("pattern", "detla", 'the pattern: found "detla", allowed "delta", "star"; did you mean "delta"?'),
    ("--planes", "six", '--planes: found "six", must be a whole number'),
    ("--planes", "0", "--planes: found 0, allowed a whole number from 1 to 339999"),
    ("--altitude-km", "high", '--altitude-km: found "high", must be a number'),
    ("--altitude-km", "nan", "--altitude-km: found nan, allowed 150 to 100000"),
    ("--inclination-deg", "181", "--inclination-deg: found 181, allowed 0 to 180"),
    ("--epoch", "tomorrow", '--epoch: found "tomorrow", must be a date and time, as 2026-01-01T00:00:00Z'),
    ("--epoch", "1950-01-01", "--epoch: found 1950-01-01T00:00:00.000000000, allowed 1957 to 2056, the years of a TLE"),
    ("--phasing", "6", "--phasing: found 6, allowed a whole number from 0 to 5"),
    ("--out", "nowhere/made.tle", "nowhere/made.tle: cannot be written: No such file or directory"),
]


@pytest.fixture(scope="module")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with many kinds of files, most of them wrong."""
    folder = tmp_path_factory.mktemp("wrong")
    made = walker_text(
        Walker(
            pattern="star",
            planes=2,
            per_plane=3,
            altitude_km=780.0,
            inclination_deg=86.4,
            phasing=0,
            epoch=np.datetime64("2026-01-01"),
        )
    )
    lines = made.splitlines()[:6]
    for number in (1, 4):
        lines[number] = lines[number][:-1] + str((int(lines[number][-1]) + 5) % 10)
    for name, text in {
        "tiny.toml": TINY,
        "two.toml": TINY.replace("[terminals]\n" + DISC, f'[[terminals]]\n{DISC}\n[[terminals]]\nname = "b"\n{DISC}'),
        "star.tle": made,
        "damaged.tle": "\n".join(lines) + "\n",
        "page.tle": "<!DOCTYPE html><html><body>403</body></html>",
        "prose.tle": "hello there\n",
        "empty.tle": "",
        "places.csv": "latitude_deg,longitude_deg\n1,2\n",
        "column.csv": "latitude_deg,longitude\n1,2\n",
        "cell.csv": 'latitude_deg,longitude_deg\n1,2\n"1,5",2\n',
        "short.csv": "latitude_deg,longitude_deg\n1\n",
        "range.csv": "latitude_deg,longitude_deg\n95,2\n",
        "twice.csv": "name,latitude_deg,longitude_deg\na,1,2\na,3,4\n",
        "raises.py": 'x = 1\n\nraise ValueError("not today")\n',
        "syntax.py": "x = 1\ndef f(:\n",
        "taken.py": TAKEN,
    }.items():
        (folder / name).write_text(text)
    (folder / "binary.tle").write_bytes(b"\0\1\2" * 50)
    (folder / "packed.tle").write_bytes(b"\x1f\x8b\x08\0" * 9)
    (folder / "latin.toml").write_bytes('name = "Zürich"\n'.encode("latin-1"))
    (folder / "full").mkdir()
    (folder / "full" / "letter.txt").touch()
    assert main(["run", str(folder / "tiny.toml"), "--quiet", "--out", str(folder / "done")]) == 0
    return folder


GOOD = {"terminals": {"kind": "disc", "latitude_deg": 0, "longitude_deg": 0, "radius_km": 1, "count": 1}}
TAKEN = """\
from twin.precoding import precoders

@precoders.register("smrt", source="ours")
def again(problem, *, options):
    pass
"""


@pytest.fixture
def folder(prepared: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder with the files, made the current folder."""
    monkeypatch.chdir(prepared)
    return prepared


def refused(capsys: pytest.CaptureFixture[str], words: list[str]) -> str:
    """The error message for a wrong command line."""
    capsys.readouterr()
    status = main(words)
    out, err = capsys.readouterr()
    assert (status, out) == (2, ""), err
    first, *more = err.rstrip("\n").split("\n")
    assert first.startswith("twin: error: ")
    assert all(line.startswith("  ") for line in more)
    return "\n".join([first.removeprefix("twin: error: "), *(line[2:] for line in more)])


@pytest.mark.parametrize(
    ("old", "new", "message"), [case[1:] for case in SCENARIOS], ids=[case[0] for case in SCENARIOS]
)
def test_scenario(folder: Path, capsys: pytest.CaptureFixture[str], old: str, new: str, message: str) -> None:
    assert TINY.count(old) >= 1
    Path("wrong.toml").write_text(TINY.replace(old, new, 1))
    expected = "wrong.toml: " + filled(message, folder).replace("tiny.toml", "wrong.toml")
    assert refused(capsys, ["run", "wrong.toml", "--out", "never"]) == expected
    assert refused(capsys, ["validate", "wrong.toml"]) == expected
    assert not Path("never").exists()


@pytest.mark.parametrize(("old", "new", "message"), [case[1:] for case in TOML], ids=[case[0] for case in TOML])
def test_toml(folder: Path, capsys: pytest.CaptureFixture[str], old: str, new: str, message: str) -> None:
    Path("wrong.toml").write_text(TINY.replace(old, new, 1))
    assert refused(capsys, ["run", "wrong.toml"]) == message.replace("tiny.toml", "wrong.toml")


@pytest.mark.parametrize(("words", "message"), COMMANDS, ids=[" ".join(words)[:60] for words, _ in COMMANDS])
def test_command_line(folder: Path, capsys: pytest.CaptureFixture[str], words: list[str], message: str) -> None:
    assert refused(capsys, words) == filled(message, folder)


@pytest.mark.parametrize(("option", "value", "message"), WALKERS, ids=[" ".join(case[:2]) for case in WALKERS])
def test_walker(folder: Path, capsys: pytest.CaptureFixture[str], option: str, value: str, message: str) -> None:
    options = WALKER_WORDS | {option: value}
    words = [word for pair in options.items() if pair[0] != "pattern" for word in pair]
    assert refused(capsys, ["catalogue", "walker", options["pattern"], *words]) == message
    assert not Path("made.tle").exists()


@pytest.mark.parametrize("option", [option for option in WALKER_WORDS if option != "pattern"])
def test_walker_without_an_option(folder: Path, capsys: pytest.CaptureFixture[str], option: str) -> None:
    words = [word for pair in WALKER_WORDS.items() if pair[0] not in ("pattern", option) for word in pair]
    expected = f"catalogue walker: {option} is missing\nsee: twin catalogue walker --help"
    assert refused(capsys, ["catalogue", "walker", "delta", *words]) == expected


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["run", "tinny.toml"], 'tinny.toml: no such scenario file; did you mean "tiny.toml"?'),
        (["run", "tiny.toml", "--set", "seed=-1"], "--set seed: found -1, must be at least 0"),
        (["catalogue", "info", "stra.tle"], 'stra.tle: no such file; did you mean "star.tle"?'),
        (["--nonsense"], 'unknown option "--nonsense" (known: "--version", "--debug")'),
    ],
)
def test_in_a_process_of_its_own(folder: Path, words: list[str], message: str) -> None:
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run(
        [sys.executable, "-m", "twin", *words], env=environment, capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.splitlines()[0] == f"twin: error: {message}"


def test_an_option_without_its_value(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert refused(capsys, ["run", "tiny.toml", "--out"]).startswith("--out: needs a value")


def test_a_word_too_many(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    said = refused(capsys, ["run", "tiny.toml", "two.toml"])
    # the middle of it is the library's
    assert said.startswith("run: ")
    assert "two.toml" in said


def test_plain_data_is_checked_as_well() -> None:
    with pytest.raises(InputError, match=r'^scenario: seed: found "x", must be a whole number, at least 0$'):
        from_mapping({"name": "x", "seed": "x", **GOOD})
