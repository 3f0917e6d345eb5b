"""Download current elements, with a cache that limits the rate of requests.

CelesTrak updates every two hours, answers 403 to a client that already has the current data, and blocks clients that
continue to request. Therefore a response is stored on disk together with a record of the request. It is replaced only
by a complete and plausible response.
"""

import hashlib
import http.client
import json
import logging
import re
import urllib.error
import urllib.request
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Final, Literal, NamedTuple

from twin.catalogue.files import read_bytes, write_whole
from twin.catalogue.read import read_contents
from twin.errors import InputError
from twin.records import documented

CELESTRAK: Final = "https://celestrak.org/NORAD/elements/gp.php?GROUP={group}&FORMAT=csv"
"""URL of the elements of a group; unlike TLE, CSV can represent every catalogue number."""

MIN_AGE_S: Final = 7200.0
"""Update interval of CelesTrak."""

USER_AGENT: Final = "constellation-twin"

SMALLEST_FRACTION: Final = 0.5
"""A response with fewer satellites than this fraction of the stored file is rejected."""

log = logging.getLogger(__name__)

Status = Literal["fetched", "unchanged", "fresh", "kept"]


@documented
@dataclass(frozen=True, slots=True, kw_only=True)
class FetchResult:
    """Result of a request; the file at `path` is complete and readable in every case."""

    path: Path
    """File of elements (OMM CSV)."""
    status: Status
    """Fetched: new elements. Unchanged: the server has nothing newer. Fresh: the file is recent, so that no request was
    made. Kept: the response was unusable, so that the old file is kept."""
    satellites: int
    """Number of satellites in the file."""
    detail: str
    """Explanation of the status, as text."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Record:
    """Record of the last response, stored as JSON next to the file."""

    url: str
    asked: str
    """UTC time of the request, ISO 8601."""
    sha256: str = ""
    """Digest of the stored file."""
    etag: str = ""
    last_modified: str = ""

    def age_s(self, now: datetime) -> float:
        return (now - datetime.fromisoformat(self.asked)).total_seconds()


class _Response(NamedTuple):
    """Body of a response, and its headers for the next conditional request."""

    content: bytes
    etag: str
    last_modified: str


@dataclass(frozen=True, slots=True, kw_only=True)
class _Cache:
    """Stored file of a group, and the record of the last response."""

    path: Path
    url: str
    satellites: int
    sha256: str
    record: _Record | None

    @property
    def record_path(self) -> Path:
        return _record_path(self.path)

    @property
    def usable(self) -> bool:
        return self.satellites > 0

    def remember(self, now: datetime, response: _Response | None = None) -> None:
        """Store a record of a response; without a new body, the headers of the stored file are kept."""
        old = self.record if self.record is not None and self.record.sha256 == self.sha256 else None
        record = _Record(
            url=self.url,
            asked=now.isoformat(),
            sha256=hashlib.sha256(response.content).hexdigest() if response else self.sha256,
            etag=response.etag if response else (old.etag if old else ""),
            last_modified=response.last_modified if response else (old.last_modified if old else ""),
        )
        write_whole(self.record_path, (json.dumps(asdict(record), indent=1) + "\n").encode())

    def result(self, status: Status, detail: str) -> FetchResult:
        return FetchResult(path=self.path, status=status, satellites=self.satellites, detail=detail)


def fetch(
    group: str,
    directory: Path,
    *,
    template: str = CELESTRAK,
    min_age_s: float = MIN_AGE_S,
    timeout_s: float = 30.0,
    now: datetime | None = None,
) -> FetchResult:
    """Download the current elements of a group into a folder, within the request limits of the server.

    Parameters
    ----------
    group
        Name of the group at the server: "starlink", "oneweb", "stations".
    directory
        Folder of the file GROUP.csv; created if absent.
    template
        URL that contains ``{group}``.
    min_age_s
        Smallest time between two requests.
    timeout_s
        Timeout of the request.
    now
        Time of the request (with time zone). None means the system clock.

    Raises
    ------
    InputError
        If the group or URL is invalid, or the response is unusable and no file is stored.
    """
    requested = now or datetime.now(UTC)
    cache = _opened(group, Path(directory), template)
    if cache.record is not None and cache.record.url == cache.url:
        age_s = cache.record.age_s(requested)
        if 0.0 <= age_s < min_age_s:
            return _fresh(cache, age_s, min_age_s)
    try:
        response = _request(cache, timeout_s)
    except urllib.error.HTTPError as fault:
        fault.close()
        if fault.code < 500:
            cache.remember(requested)
        return _rejected(cache, fault.code)
    except (OSError, ValueError, http.client.HTTPException) as fault:
        return _keep(cache, f"no complete response ({getattr(fault, 'reason', None) or fault!r})")
    return _store(cache, response, requested)


def _opened(group: str, directory: Path, template: str) -> _Cache:
    if re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9_.-]*", group) is None:
        raise InputError(f'group: found "{group}", allowed letters, digits, dots and dashes, such as "starlink"')
    if not template.startswith(("https://", "http://")) or "{group}" not in template:
        raise InputError(f'template: found "{template}", expected a web address that contains {{group}}')
    try:
        directory.mkdir(parents=True, exist_ok=True)
    except OSError as fault:
        raise InputError(f"{directory}: cannot be used as a folder for elements: {fault.strerror}") from None
    path = directory / f"{group}.csv"
    satellites, digest = _stored_file(path)
    return _Cache(
        path=path,
        url=template.replace("{group}", group),
        satellites=satellites,
        sha256=digest,
        record=_read_record(_record_path(path)),
    )


def _record_path(path: Path) -> Path:
    return path.with_name(f"{path.name}.fetch")


def _stored_file(path: Path) -> tuple[int, str]:
    """Number of satellites and digest of the stored file; zero and an empty string if there is no usable file."""
    if not path.exists():
        return 0, ""
    try:
        contents = read_contents(read_bytes(path), str(path))
    except InputError as fault:
        log.warning("%s is not used: %s", path, fault)
        return 0, ""
    return len({one.norad_id for one in contents.sets}), contents.file.sha256


def _read_record(path: Path) -> _Record | None:
    try:
        record = _Record(**json.loads(path.read_text(encoding="utf-8")))
        record.age_s(datetime.now(UTC))
    except (OSError, ValueError, TypeError):
        return None
    return record


def _request(cache: _Cache, timeout_s: float) -> _Response:
    headers = {"User-Agent": USER_AGENT, "Accept": "text/csv, */*;q=0.5"}
    # only if the stored file is the one of the record
    if cache.record is not None and cache.usable and cache.record.sha256 == cache.sha256:
        conditions = {"If-None-Match": cache.record.etag, "If-Modified-Since": cache.record.last_modified}
        headers |= {key: value for key, value in conditions.items() if value}
    request = urllib.request.Request(cache.url, headers=headers)
    with urllib.request.urlopen(request, timeout=timeout_s) as response:
        return _Response(
            content=response.read(),
            etag=response.headers.get("ETag", ""),
            last_modified=response.headers.get("Last-Modified", ""),
        )


def _fresh(cache: _Cache, age_s: float, min_age_s: float) -> FetchResult:
    when = f"{cache.url} answered {age_s / 60.0:.0f} min ago; the shortest interval is {min_age_s / 60.0:.0f} min"
    if not cache.usable:
        raise InputError(f"{when}; no elements are stored in {cache.path}: try again later")
    return cache.result("fresh", when)


def _rejected(cache: _Cache, code: int) -> FetchResult:
    """Interpret 304, and the 403 of CelesTrak, as "nothing newer" if a usable file is stored."""
    if code not in (304, 403):
        return _keep(cache, f"HTTP status {code}")
    if cache.usable:
        return cache.result("unchanged", f"{cache.url} has nothing newer (HTTP status {code})")
    raise InputError(
        f"{cache.url}: HTTP status {code}, and no elements are stored in {cache.path}. CelesTrak gives this answer"
        " if this network address downloaded the group within two hours: use that file, or try again later"
    )


def _store(cache: _Cache, response: _Response, requested: datetime) -> FetchResult:
    """Store a response if it is complete and plausible."""
    try:
        sets = read_contents(response.content, cache.path.name).sets
    except InputError as fault:
        cache.remember(requested)
        return _keep(cache, f"the response is unusable ({fault})")
    found = len({one.norad_id for one in sets})
    if found < SMALLEST_FRACTION * cache.satellites:
        cache.remember(requested)
        return _keep(
            cache,
            f"the response has {found:,} satellites, the file {cache.satellites:,}; delete the file if this is correct",
        )
    write_whole(cache.path, response.content)
    cache.remember(requested, response)
    return FetchResult(
        path=cache.path, status="fetched", satellites=found, detail=f"{found:,} satellites from {cache.url}"
    )


def _keep(cache: _Cache, reason: str) -> FetchResult:
    if cache.usable:
        log.warning("%s: %s; the stored elements are kept", cache.url, reason)
        return cache.result("kept", f"{cache.url}: {reason}; the stored elements are kept")
    raise InputError(f"{cache.url}: {reason}, and no elements are stored in {cache.path}")
