"""Fetching elements: limited request rate, and no loss of a usable file. The server is local."""

import json
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest

from twin.catalogue import FetchResult, fetch, read_catalogue
from twin.errors import InputError

HEADER = (
    "OBJECT_NAME,OBJECT_ID,EPOCH,MEAN_MOTION,ECCENTRICITY,INCLINATION,RA_OF_ASC_NODE,"
    "ARG_OF_PERICENTER,MEAN_ANOMALY,NORAD_CAT_ID,BSTAR"
)
START = datetime(2026, 9, 19, 12, 0, tzinfo=UTC)
HOUR = timedelta(hours=1)


def elements(count: int, *, day: int = 19) -> bytes:
    rows = [
        f"SAT-{index},2026-001A,2026-09-{day}T00:00:00.000000,15.2,.0001,53.0,{index},0,0,{1000 + index},0"
        for index in range(count)
    ]
    return "\r\n".join([HEADER, *rows, ""]).encode()


@dataclass
class Server:
    """Next response of the local server, and the requests received."""

    template: str
    status: int = 200
    body: bytes = b""
    headers: dict[str, str] = field(default_factory=dict)
    hang_up: bool = False
    requests: list[tuple[str, dict[str, str]]] = field(default_factory=list)


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    monkeypatch.setenv("no_proxy", "127.0.0.1")

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            plan.requests.append((self.path, {key.lower(): value for key, value in self.headers.items()}))
            if plan.hang_up:
                return
            self.send_response(plan.status)
            headers = {"Content-Length": str(len(plan.body))} | plan.headers
            for key, value in headers.items():
                self.send_header(key, value)
            self.end_headers()
            self.wfile.write(plan.body)

        def log_message(self, *_: object) -> None:
            pass

    http = HTTPServer(("127.0.0.1", 0), Handler)
    plan = Server(template=f"http://127.0.0.1:{http.server_port}/gp.php?GROUP={{group}}&FORMAT=csv")
    thread = threading.Thread(target=http.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield plan
    http.shutdown()
    thread.join()
    http.server_close()


def fetched(server: Server, folder: Path, *, after: timedelta = timedelta(0), **options: object) -> FetchResult:
    return fetch("starlink", folder, template=server.template, now=START + after, **options)  # type: ignore[arg-type]


@pytest.fixture
def stored(server: Server, tmp_path: Path) -> Path:
    """A folder into which ten satellites were fetched at the start."""
    server.body = elements(10)
    server.headers = {"ETag": '"first"', "Last-Modified": "Sat, 19 Sep 2026 11:00:00 GMT"}
    assert fetched(server, tmp_path).status == "fetched"
    server.requests.clear()
    server.headers = {}
    return tmp_path


def test_the_first_fetch_writes_the_file(server: Server, tmp_path: Path) -> None:
    server.body = elements(10)
    result = fetched(server, tmp_path / "new" / "folder")
    assert (result.status, result.satellites) == ("fetched", 10)
    assert result.path == tmp_path / "new" / "folder" / "starlink.csv"
    assert result.path.read_bytes() == server.body
    assert read_catalogue([result.path]).health.used == 10
    ((path, headers),) = server.requests
    assert path == "/gp.php?GROUP=starlink&FORMAT=csv"
    assert headers["user-agent"] == "constellation-twin"
    assert "if-none-match" not in headers
    names = sorted(path.name for path in result.path.parent.iterdir())
    assert names == ["starlink.csv", "starlink.csv.fetch"]


def test_no_request_is_repeated_within_two_hours(server: Server, stored: Path) -> None:
    assert fetched(server, stored, after=1.99 * HOUR).status == "fresh"
    assert server.requests == []
    server.body = elements(11, day=20)
    result = fetched(server, stored, after=2.01 * HOUR)
    assert (result.status, result.satellites) == ("fetched", 11)


def test_the_interval_can_be_chosen_and_a_clock_set_back_does_not_block(server: Server, stored: Path) -> None:
    assert fetched(server, stored, after=HOUR, min_age_s=60.0).status == "fetched"
    assert fetched(server, stored, after=-HOUR).status == "fetched"


@pytest.mark.parametrize("status", [304, 403])
def test_nothing_newer_keeps_the_file_and_requests_carry_its_tag(server: Server, stored: Path, status: int) -> None:
    before = (stored / "starlink.csv").read_bytes()
    server.status, server.body = status, b""
    result = fetched(server, stored, after=3 * HOUR)
    assert (result.status, result.satellites) == ("unchanged", 10)
    ((_, headers),) = server.requests
    assert headers["if-none-match"] == '"first"'
    assert headers["if-modified-since"] == "Sat, 19 Sep 2026 11:00:00 GMT"
    assert (stored / "starlink.csv").read_bytes() == before
    # the response restarts the interval of two hours, and the tag is kept
    assert fetched(server, stored, after=4 * HOUR).status == "fresh"
    assert fetched(server, stored, after=6 * HOUR).status == "unchanged"
    assert server.requests[-1][1]["if-none-match"] == '"first"'


def test_a_refusal_without_a_file_is_explained_and_not_repeated(server: Server, tmp_path: Path) -> None:
    server.status = 403
    with pytest.raises(InputError, match=r"HTTP status 403.*within two hours"):
        fetched(server, tmp_path)
    with pytest.raises(InputError, match="try again later"):
        fetched(server, tmp_path, after=HOUR)
    assert len(server.requests) == 1


def refuse(server: Server) -> None:
    server.status, server.body = 503, b""


def break_off(server: Server) -> None:
    server.body, server.headers = elements(10, day=20)[:300], {"Content-Length": "5000"}


def hang_up(server: Server) -> None:
    server.hang_up = True


def apologise(server: Server) -> None:
    server.body = b"<html><body>Something went wrong</body></html>"


def know_nothing(server: Server) -> None:
    server.body = b"No GP data found"


def shrink(server: Server) -> None:
    server.body = elements(4, day=20)


@pytest.mark.parametrize(
    ("failure", "words"),
    [
        (refuse, "HTTP status 503"),
        (break_off, "no complete response"),
        (hang_up, "no complete response"),
        (apologise, "is a web page"),
        (know_nothing, "holds no element sets"),
        (shrink, "the response has 4 satellites, the file 10"),
    ],
)
def test_a_failure_keeps_a_usable_file(server: Server, stored: Path, failure, words: str) -> None:
    before = (stored / "starlink.csv").read_bytes()
    failure(server)
    result = fetched(server, stored, after=3 * HOUR)
    assert (result.status, result.satellites) == ("kept", 10)
    assert words in result.detail
    assert (stored / "starlink.csv").read_bytes() == before
    assert len(list(stored.iterdir())) == 2


@pytest.mark.parametrize("failure", [refuse, break_off, hang_up, apologise, know_nothing])
def test_a_failure_without_a_file_is_an_error_and_leaves_none(server: Server, tmp_path: Path, failure) -> None:
    failure(server)
    with pytest.raises(InputError, match="no elements are stored"):
        fetched(server, tmp_path)
    assert not (tmp_path / "starlink.csv").exists()


def test_no_network_keeps_the_file(server: Server, stored: Path) -> None:
    # no server listens on the discard port
    result = fetch("starlink", stored, template="http://127.0.0.1:9/{group}", now=START + 3 * HOUR)
    assert result.status == "kept"
    assert "refused" in result.detail
    with pytest.raises(InputError, match="no elements are stored"):
        fetch("other", stored, template="http://127.0.0.1:9/{group}", now=START)


def test_a_silent_server_times_out(server: Server, stored: Path) -> None:
    import socket

    with socket.create_server(("127.0.0.1", 0)) as silent:
        template = f"http://127.0.0.1:{silent.getsockname()[1]}/{{group}}"
        result = fetch("starlink", stored, template=template, timeout_s=0.1, now=START + 3 * HOUR)
    assert result.status == "kept"
    assert "timed out" in result.detail


def test_a_damaged_file_is_fetched_again_without_its_tag(server: Server, stored: Path) -> None:
    (stored / "starlink.csv").write_bytes(b"damaged")
    assert fetched(server, stored, after=3 * HOUR).status == "fetched"
    assert "if-none-match" not in server.requests[0][1]


def test_requests_for_an_edited_file_do_not_carry_the_old_tag(server: Server, stored: Path) -> None:
    (stored / "starlink.csv").write_bytes(elements(9))
    server.status = 304
    assert fetched(server, stored, after=3 * HOUR).status == "unchanged"
    assert "if-none-match" not in server.requests[0][1]
    assert json.loads((stored / "starlink.csv.fetch").read_text())["etag"] == ""


@pytest.mark.parametrize("record", ["", "[]", "{", '{"url": 1}', '{"url": "", "asked": "yesterday"}'])
def test_a_damaged_record_is_ignored(server: Server, stored: Path, record: str) -> None:
    (stored / "starlink.csv.fetch").write_text(record)
    assert fetched(server, stored, after=HOUR).status == "fetched"


@pytest.mark.parametrize("group", ["", "../etc", "a/b", "a b", "a&b=c", ".hidden"])
def test_a_group_is_a_plain_word(tmp_path: Path, group: str) -> None:
    with pytest.raises(InputError, match="group: found"):
        fetch(group, tmp_path)


@pytest.mark.parametrize("template", ["file:///{group}", "https://example.org/", "{group}"])
def test_a_template_is_a_web_address(tmp_path: Path, template: str) -> None:
    with pytest.raises(InputError, match="template: found"):
        fetch("starlink", tmp_path, template=template)


def test_a_file_in_place_of_the_folder_is_rejected(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(InputError, match="cannot be used as a folder"):
        fetch("starlink", tmp_path / "file")
