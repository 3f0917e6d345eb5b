"""The report of a run: one HTML page without references to other files."""

from __future__ import annotations

import json
from base64 import b64encode
from collections.abc import Iterable, Mapping, Sequence
from html import escape
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from twin.catalogue.files import write_whole
from twin.errors import InputError
from twin.report.findings import Findings
from twin.results import Trace
from twin.text import counted, number, rate, span
from twin.vocabulary import EventKind

if TYPE_CHECKING:
    import pandas as pd

MAX_ROWS: Final = 500
"""Maximum number of listed terminals; of more terminals, those with the lowest mean rates are listed."""
COLUMNS: Final = {
    "latitude_deg": "latitude °",
    "longitude_deg": "longitude °",
    "mean_rate_bps": "mean Mbit/s",
    "low_rate_bps": "5th percentile Mbit/s",
    "availability": "availability",
    EventKind.HARD.value: "hard / h",
    EventKind.ADD.value: "add / h",
    EventKind.SERVICE_START.value: "service starts / h",
    "outages": "outages",
    "longest_outage_s": "longest outage s",
    "mean_stay_s": "mean stay s",
    "mean_cluster_size": "mean cluster size",
}
STYLE: Final = """
body { font: 15px/1.45 system-ui, sans-serif; color: #1c2530; background: #fff; margin: 2em auto; max-width: 66em;
  padding: 0 1em; }
h1 { margin: 0; } h2 { margin: 2em 0 .5em; font-size: 1.15em; border-bottom: 1px solid #dde3ea; }
p.about, figcaption { color: #55606e; } figcaption { font-size: .88em; }
.state { font-size: .5em; vertical-align: middle; padding: .25em .6em; border-radius: 1em; background: #fbe3c4; }
.state.complete { background: #d8efe0; }
.tiles { display: flex; flex-wrap: wrap; gap: .6em; margin: 1.2em 0; }
.tile { background: #f4f6f9; border-radius: .5em; padding: .6em .9em; min-width: 8em; }
.tile b { display: block; font-size: 1.25em; } .tile span { color: #55606e; font-size: .85em; }
.charts { display: flex; flex-wrap: wrap; gap: 1em 2%; } figure { margin: 0; }
.wide { width: 100%; } .narrow { width: 49%; } figure h3 { margin: .6em 0 .2em; font-size: 1em; } img { width: 100%; }
@media (max-width: 45em) { .narrow { width: 100%; } }
.scroll { overflow: auto; max-height: 30em; } table { border-collapse: collapse; font-size: .88em; }
th, td { padding: .2em .7em; text-align: right; white-space: nowrap; }
th:first-child, td:first-child { text-align: left; }
th { position: sticky; top: 0; background: #eef1f5; } tr:nth-child(even) td { background: #f8f9fb; }
pre { background: #f4f6f9; padding: 1em; overflow: auto; font-size: .85em; }
"""


def write_report(trace: Trace, file: Path) -> None:
    """Write the report of the durable epochs of a run.

    Raises
    ------
    InputError
        If matplotlib is not installed, no epoch is durable yet, or a table is damaged.
    """
    write_whole(file, page_of(Findings.of(trace)).encode())


def page_of(findings: Findings) -> str:
    """The whole page; equal runs give equal text.

    Raises
    ------
    InputError
        If matplotlib is not installed.
    """
    if find_spec("matplotlib") is None:
        raise InputError("a report needs matplotlib, which is not installed: pip install 'constellation-twin[viz]'")
    name = escape(str(findings.header["name"]))
    body = [*_head(findings, name), *_figures(findings), *_tables(findings), *_provenance(findings)]
    lines = [
        "<!DOCTYPE html>",
        '<html lang="en">',
        '<head><meta charset="utf-8">',
        f"<title>{name}: a run of twin</title>",
    ]
    lines += ['<meta name="viewport" content="width=device-width">', f"<style>{STYLE}</style></head>", "<body>"]
    return "\n".join([*lines, *body, "</body>", "</html>", ""])


def _head(findings: Findings, name: str) -> list[str]:
    header, run = findings.header, findings.run
    status, planned = str(header["status"]), int(header.get("epochs") or run.epochs)
    end = findings.begin + np.timedelta64(run.duration_ns, "ns")
    done = "" if run.epochs == planned else f", {run.epochs:,} of {planned:,} epochs so far"
    about = (
        f"{_minute(findings.begin)} to {_minute(end)} UTC in epochs of {span(run.epoch_s)}{done};"
        f" {counted(len(run.names), 'terminal')}; {_models(header['scenario'])}; seed {header['seed']}"
    )
    tiles = "".join(
        f'<div class="tile"><b>{escape(value)}</b><span>{escape(label)}</span></div>'
        for label, value in _tiles(findings)
    )
    return [
        f'<h1>{name} <span class="state {escape(status)}">{escape(status)}</span></h1>',
        f'<p class="about">{escape(about)}</p>',
        f'<div class="tiles">{tiles}</div>',
    ]


def _models(scenario: Mapping[str, Any]) -> str:
    """The names of the selected models."""
    channel = scenario["channel"]
    named = [scenario[key]["name"] for key in ("association", "precoding", "precompensation")]
    return ", ".join([*named, f"path loss {channel['path_loss']['name']}", f"fading {channel['fading']['name']}"])


def _tiles(findings: Findings) -> Iterable[tuple[str, str]]:
    totals = findings.metrics.totals
    yield "mean rate", rate(totals["mean_rate_bps"])
    yield "5th percentile over terminals", rate(totals["low_rate_bps"])
    yield "availability", _percent(totals["availability"])
    yield "hard handovers per terminal and hour", number(totals["hard"])
    yield "satellites added per terminal and hour", number(totals["add"])
    yield "hard ping-pongs within 10 s per terminal and hour", number(totals["hard_ping_pongs_per_hour"])
    if not np.isnan(totals["mean_stay_s"]):
        yield "mean stay duration", span(totals["mean_stay_s"])
    yield "mean cluster size", number(totals["mean_cluster_size"])
    yield "mean number of serving satellites", number(float(findings.epochs["active_satellites"].mean()))


def _figures(findings: Findings) -> list[str]:
    from twin.report.charts import WIDE, charts

    lines = ['<div class="charts">']
    for chart in charts(findings):
        picture = b64encode(chart.svg).decode()
        lines += [
            f'<figure class="{"wide" if chart.width == WIDE else "narrow"}"><h3>{escape(chart.title)}</h3>',
            f'<img alt="{escape(chart.title)}: {escape(chart.caption)}" src="data:image/svg+xml;base64,{picture}">',
            f"<figcaption>{escape(chart.caption)}</figcaption></figure>",
        ]
    return [*lines, "</div>"]


def _tables(findings: Findings) -> list[str]:
    table = findings.locations.join(findings.metrics.terminals)[list(COLUMNS)].rename_axis("terminal")
    for name in ("mean_rate_bps", "low_rate_bps"):
        table[name] = table[name] / 1e6
    selection = ""
    if len(table) > MAX_ROWS:
        selection = (
            f"<p>The {MAX_ROWS} of {len(table):,} terminals with the lowest mean rates; `twin.metrics` gives all.</p>"
        )
        table = table.sort_values("mean_rate_bps").head(MAX_ROWS)
    lines = ["<h2>Terminals</h2>", selection, _table(table.rename(columns=COLUMNS).reset_index())]
    lines += ["<h2>Events by kind and reason</h2>", _table(findings.reasons)]
    if len(findings.outcomes):
        lines += ["<h2>Attempts by outcome</h2>", _table(findings.outcomes)]
    return lines


def _provenance(findings: Findings) -> list[str]:
    """Provenance of the run: element sets, masked satellites, inputs, versions and the resolved scenario."""
    header = findings.header
    notes = header.get("notes", {})
    lines = ["<h2>Provenance</h2>"]
    for title, entries in (
        ("Element sets", notes.get("catalogue", ())),
        ("Masked satellites", notes.get("masked", ())),
    ):
        lines.append(_details(f"{title} ({len(entries):,})", entries))
    lines.append(_details("Inputs and versions", {key: header[key] for key in ("inputs", "versions")}))
    lines.append(_details("Scenario with all defaults", header["scenario"]))
    return lines


def _details(title: str, content: Any) -> str:
    text = content if isinstance(content, str) else json.dumps(content, indent=1, ensure_ascii=False)
    return f"<details><summary>{escape(title)}</summary><pre>{escape(text)}</pre></details>"


def _table(frame: pd.DataFrame) -> str:
    head = "".join(f"<th>{escape(str(column))}</th>" for column in frame.columns)
    rows = "".join(f"<tr>{_cells(row)}</tr>" for row in frame.itertuples(index=False, name=None))
    return f'<div class="scroll"><table><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table></div>'


def _cells(row: Sequence[Any]) -> str:
    return "".join(f"<td>{escape(_formatted(value))}</td>" for value in row)


def _formatted(value: Any) -> str:
    if isinstance(value, str):
        return value
    if isinstance(value, int | np.integer):
        return f"{value:,}"
    return "–" if np.isnan(value) else f"{value:,.4g}"


def _percent(value: float) -> str:
    return "–" if np.isnan(value) else f"{100.0 * value:.2f} %"


def _minute(instant: np.datetime64) -> str:
    return str(np.datetime_as_string(instant, unit="s")).replace("T", " ")
