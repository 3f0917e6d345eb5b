"""Reports show the values of the trace, for every kind of trace, and are self-contained."""

import base64
import re
from html.parser import HTMLParser

import numpy as np
import pytest

import twin
from twin.cli.entry import main
from twin.errors import InputError
from twin.report import Findings
from twin.report.charts import CHARTS, charts
from twin.report.page import page_of, write_report
from twin.scenario import from_mapping
from twin.text import number, rate

SMALL = {
    "name": "small",
    "time": {"duration": "20min", "epoch": "20s"},
    "constellation": {"walker": {"planes": 16, "per_plane": 20, "altitude_km": 700.0}},
    "satellites": {"array": {"rows": 4, "columns": 4}},
    "terminals": {"kind": "disc", "latitude_deg": 40.0, "longitude_deg": 10.0, "radius_km": 900.0, "count": 5},
    "association": {"name": "max_elevation", "min_elevation_deg": 20.0},
    "precoding": {"name": "ss_smrt"},
    "receiver": {"draws": 2},
}

MARKUP = {"name": "<b>&", "latitude_deg": 0.0, "longitude_deg": 179.9}
NO_SATELLITE_IN_VIEW = {"name": "max_elevation", "min_elevation_deg": 89.99}


def trace_of(folder, **sections):
    return twin.run(from_mapping(SMALL | sections), out=folder / "trace")


@pytest.fixture(scope="module")
def trace(tmp_path_factory):
    return trace_of(tmp_path_factory.mktemp("report"))


class Outline(HTMLParser):
    """Open tags, and all attributes that could refer to other files."""

    def __init__(self):
        super().__init__()
        self.open, self.references, self.pictures, self.text = [], [], [], []

    def handle_starttag(self, tag, attrs):
        values = dict(attrs)
        self.references += [values[key] for key in ("href", "srcset", "action", "data") if key in values]
        if tag == "img":
            self.pictures.append(values["src"])
        if tag not in ("meta", "img", "br"):
            self.open.append(tag)
        assert tag not in ("script", "link", "iframe")

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.text.append(data)


def outline(text: str) -> Outline:
    parser = Outline()
    parser.feed(text)
    assert not parser.open
    return parser


def test_the_page_is_self_contained(trace):
    findings = Findings.of(trace)
    text = page_of(findings)
    found = outline(text)
    assert not found.references
    assert "url(" not in text
    assert len(found.pictures) == len(charts(findings)) >= len(CHARTS) - 1
    for picture in found.pictures:
        kind, _, data = picture.partition(",")
        assert kind == "data:image/svg+xml;base64"
        svg = base64.b64decode(data).decode()
        assert svg.startswith("<svg ")
        assert svg.count("</svg>") == 1
        assert not re.search(r'(?:href|src)="(?!#|data:)', svg.replace("xlink:href", "href"))


def test_the_same_run_gives_the_same_page(trace):
    assert page_of(Findings.of(trace)) == page_of(Findings.of(twin.read_trace(trace.directory)))


def test_figures_are_those_of_the_metrics(trace):
    findings = Findings.of(trace)
    shown, totals = "".join(outline(page_of(findings)).text), findings.metrics.totals
    for value in (rate(totals["mean_rate_bps"]), number(totals["hard"]), rate(totals["low_rate_bps"])):
        assert value in shown
    for name in findings.run.names:
        assert name in shown
    counts = trace.handovers.groupby(["kind", "reason"]).size()
    assert sorted(findings.reasons["count"]) == sorted(counts)
    assert findings.outcomes["count"].sum() == len(trace.attempts)


@pytest.mark.parametrize("most", [1, 7, 60, 1000])
def test_bins_are_means_over_the_time_in_which_a_terminal_is_there(tmp_path, most):
    away = {"kind": "absence", "terminals": ["ut-01"], "from": "5min", "until": "12min30s"}
    findings = Findings.of(trace_of(tmp_path, events=[away]))
    begins, rate_mbps = findings.binned_mbps(most)
    assert len(begins) <= most
    frame = twin.read_trace(tmp_path / "trace").terminals
    frame["bin"] = np.searchsorted(begins, frame["epoch"], side="right") - 1
    for name, row in zip(findings.run.names, rate_mbps, strict=True):
        own = frame[frame["terminal"] == name].groupby("bin")
        there = own["present_fraction"].sum()
        expected = own["rate_bps"].sum() / there.where(there > 0.0) / 1e6
        np.testing.assert_allclose(row, expected.to_numpy(), rtol=1e-12)


@pytest.mark.parametrize(
    "sections",
    [
        {"time": {"duration": "20s", "epoch": "20s"}},
        {"association": NO_SATELLITE_IN_VIEW},
        {"association": {"name": "nearest_cluster", "cluster_size": 3, "min_elevation_deg": 20.0}},
        {"events": [{"kind": "absence", "terminals": ["ut-01"], "from": "0s"}]},
        {"terminals": {"kind": "list", "positions": [MARKUP]}},
    ],
    ids=["one epoch", "nobody served", "clusters", "never there", "a name with markup"],
)
def test_every_run_has_a_page(tmp_path, sections):
    findings = Findings.of(trace_of(tmp_path, **sections))
    text = page_of(findings)
    shown = "".join(outline(text).text)
    assert not re.search(r"\bnan\b|\binf\b|NaT", shown)
    assert "<b>&</" not in text
    for name in findings.run.names:
        assert name in shown


def test_a_long_table_lists_the_terminals_with_the_lowest_rates(trace, monkeypatch):
    import twin.report.page as module

    monkeypatch.setattr(module, "MAX_ROWS", 2)
    findings = Findings.of(trace)
    shown = "".join(outline(module.page_of(findings)).text)
    assert "The 2 of 5 terminals with the lowest mean rates" in shown
    lowest = findings.metrics.terminals["mean_rate_bps"].nsmallest(2).index
    assert all(name in shown for name in lowest)


def test_figures_without_data_are_omitted(tmp_path):
    titles = [chart.title for chart in charts(Findings.of(trace_of(tmp_path, association=NO_SATELLITE_IN_VIEW)))]
    assert "Handovers and other events over time" not in titles
    assert "Stay durations" not in titles
    assert "Rate over time" in titles


def test_the_command_writes_the_page_beside_the_tables(trace, tmp_path, capsys):
    assert main(["report", str(trace.directory)]) == 0
    assert capsys.readouterr().out.strip() == str(trace.directory / "report.html")
    assert main(["report", str(trace.directory), "--out", str(tmp_path / "a.html")]) == 0
    assert (tmp_path / "a.html").read_bytes() == (trace.directory / "report.html").read_bytes()
    assert not list(tmp_path.glob("*.part"))


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["report", "{folder}/none"], "none"),
        (["report", "{trace}", "--out", "{folder}/none/a.html"], "does not exist"),
        (["report", "{trace}", "--out", "{folder}"], "is a folder"),
        (["report"], "DIR is missing"),
    ],
)
def test_invalid_arguments_are_refused(trace, tmp_path, capsys, words, message):
    assert main([word.format(folder=tmp_path, trace=trace.directory) for word in words]) == 2
    error = capsys.readouterr().err
    assert message in error
    assert "Traceback" not in error


def test_the_error_without_matplotlib_names_the_package(trace, tmp_path, monkeypatch):
    import twin.report.page as module

    monkeypatch.setattr(module, "find_spec", lambda name: None)
    with pytest.raises(
        InputError, match=r"matplotlib, which is not installed: pip install 'constellation-twin\[viz\]'"
    ):
        write_report(trace, tmp_path / "a.html")
    assert not list(tmp_path.iterdir())
