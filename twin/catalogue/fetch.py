"""Current elements from a server that wants to be asked seldom.

CelesTrak updates every two hours, answers 403 to a client that has the current data already, and blocks one
that goes on asking. So an answer is kept on disk beside a note of when it was given, and is replaced only by
a whole and plausible one.
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

CELESTRAK: Final = "https://celestrak.org/NORAD/elements/gp.php?GROUP={group}&FORMAT=csv"
"""Address of a group's elements; CSV holds the catalogue numbers that a TLE cannot."""

MIN_AGE_S: Final = 7200.0
"""CelesTrak's own interval of updates."""

USER_AGENT: Final = "constellation-twin"

SHRUNK: Final = 0.5
"""An answer with a smaller share of the satellites held so far is not believed."""

log = logging.getLogger(__name__)

Status = Literal["fetched", "unchanged", "fresh", "kept"]


@dataclass(frozen=True, slots=True, kw_only=True)
class FetchResult:
    """What became of a request; the file at `path` is whole and readable in every case."""

    path: Path
    """The file of elements (OMM CSV)."""
    status: Status
    """New; the server has nothing newer; not asked, being young; or no usable answer and the old one kept."""
    satellites: int
    """Satellites in the file."""
    detail: str
    """The same, for a person to read."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Note:
    """What is remembered of the last answer, in a small JSON beside the file."""

    url: str
    asked: str
    sha256: str = ""
    etag: str = ""
    last_modified: str = ""

    def age_s(self, now: datetime) -> float:
        return (now - datetime.fromisoformat(self.asked)).total_seconds()


class _Answer(NamedTuple):
    """A server's answer: its body, and the headers to ask with next time."""

    content: bytes
    etag: str
    last_modified: str


@dataclass(frozen=True, slots=True, kw_only=True)
class _Cache:
    """A group's place on disk."""

    path: Path
    url: str
    satellites: int
    sha256: str
    note: _Note | None

    @property
    def note_path(self) -> Path:
        return _note_path(self.path)

    @property
    def holds(self) -> bool:
        return self.satellites > 0

    def remember(self, now: datetime, answer: _Answer | None = None) -> None:
        """Note that the server has answered; without a new body, what is known of the file stays."""
        old = self.note if self.note is not None and self.note.sha256 == self.sha256 else None
        note = _Note(
            url=self.url,
            asked=now.isoformat(),
            sha256=hashlib.sha256(answer.content).hexdigest() if answer else self.sha256,
            etag=answer.etag if answer else (old.etag if old else ""),
            last_modified=answer.last_modified if answer else (old.last_modified if old else ""),
        )
        write_whole(self.note_path, (json.dumps(asdict(note), indent=1) + "\n").encode())

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
    """Get a group's current elements into a folder, asking the server no more often than it wants.

    Parameters
    ----------
    group
        As the server names it: "starlink", "oneweb", "stations".
    directory
        Folder to keep the file in, as GROUP.csv; made if absent.
    template
        Address with ``{group}`` in it.
    min_age_s
        The server is not asked again before this.
    timeout_s
        Patience with a silent server.
    now
        Time of the request (aware); the clock's without it.

    Raises
    ------
    InputError
        If the group or address is no such thing, or the server gives nothing usable and no file is held.
    """
    snapshot = now or datetime.now(UTC)
    cache = _open(group, Path(directory), template)
    if cache.note is not None and cache.note.url == cache.url:
        age_s = cache.note.age_s(snapshot)
        if 0.0 <= age_s < min_age_s:
            return _not_asked(cache, age_s, min_age_s)
    try:
        answer = _ask(cache, timeout_s)
    except urllib.error.HTTPError as fault:
        fault.close()
        if fault.code < 500:
            cache.remember(snapshot)
        return _refused(cache, fault.code)
    except (OSError, ValueError, http.client.HTTPException) as fault:
        return _keep(cache, f"no whole answer ({getattr(fault, 'reason', None) or fault!r})")
    return _take(cache, answer, snapshot)


def _open(group: str, directory: Path, template: str) -> _Cache:
    if re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9_.-]*", group) is None:
        raise InputError(f'group: found "{group}", allowed letters, digits, dots and dashes, as "starlink"')
    if not template.startswith(("https://", "http://")) or "{group}" not in template:
        raise InputError(f'template: found "{template}", expected a web address with {{group}} in it')
    try:
        directory.mkdir(parents=True, exist_ok=True)
    except OSError as fault:
        raise InputError(f"{directory}: is no folder to keep elements in: {fault.strerror}") from None
    path = directory / f"{group}.csv"
    satellites, digest = _held(path)
    return _Cache(
        path=path,
        url=template.replace("{group}", group),
        satellites=satellites,
        sha256=digest,
        note=_read_note(_note_path(path)),
    )


def _note_path(path: Path) -> Path:
    return path.with_name(f"{path.name}.fetch")


def _held(path: Path) -> tuple[int, str]:
    """Satellites and digest of the file held, if it is a good one."""
    if not path.exists():
        return 0, ""
    try:
        contents = read_contents(read_bytes(path), str(path))
    except InputError as fault:
        log.warning("%s is not used: %s", path, fault)
        return 0, ""
    return len({one.norad_id for one in contents.sets}), contents.file.sha256


def _read_note(path: Path) -> _Note | None:
    try:
        note = _Note(**json.loads(path.read_text(encoding="utf-8")))
        note.age_s(datetime.now(UTC))
    except (OSError, ValueError, TypeError):
        return None
    return note


def _ask(cache: _Cache, timeout_s: float) -> _Answer:
    headers = {"User-Agent": USER_AGENT, "Accept": "text/csv, */*;q=0.5"}
    # only where the file is the one that the note speaks of
    if cache.note is not None and cache.holds and cache.note.sha256 == cache.sha256:
        conditions = {"If-None-Match": cache.note.etag, "If-Modified-Since": cache.note.last_modified}
        headers |= {key: value for key, value in conditions.items() if value}
    request = urllib.request.Request(cache.url, headers=headers)
    with urllib.request.urlopen(request, timeout=timeout_s) as answer:
        return _Answer(
            content=answer.read(),
            etag=answer.headers.get("ETag", ""),
            last_modified=answer.headers.get("Last-Modified", ""),
        )


def _not_asked(cache: _Cache, age_s: float, min_age_s: float) -> FetchResult:
    when = f"{cache.url} answered {age_s / 60.0:.0f} min ago and is asked every {min_age_s / 60.0:.0f} min"
    if not cache.holds:
        raise InputError(f"{when}; no elements are held in {cache.path}: try again later")
    return cache.result("fresh", when)


def _refused(cache: _Cache, code: int) -> FetchResult:
    """Read 304, and CelesTrak's 403, as "nothing newer" where a good file is held."""
    if code not in (304, 403):
        return _keep(cache, f"HTTP status {code}")
    if cache.holds:
        return cache.result("unchanged", f"{cache.url} has nothing newer (HTTP status {code})")
    raise InputError(
        f"{cache.url}: HTTP status {code}, and no elements are held in {cache.path}. CelesTrak answers so"
        " when the group went to this network address within two hours: use that file, or try again later"
    )


def _take(cache: _Cache, answer: _Answer, snapshot: datetime) -> FetchResult:
    """Put an answer in the file's place if it is whole and plausible."""
    try:
        sets = read_contents(answer.content, cache.path.name).sets
    except InputError as fault:
        cache.remember(snapshot)
        return _keep(cache, f"the answer is of no use ({fault})")
    found = len({one.norad_id for one in sets})
    if found < SHRUNK * cache.satellites:
        cache.remember(snapshot)
        return _keep(
            cache,
            f"the answer has {found:,} satellites and the file {cache.satellites:,}; delete the file if that is right",
        )
    write_whole(cache.path, answer.content)
    cache.remember(snapshot, answer)
    return FetchResult(
        path=cache.path, status="fetched", satellites=found, detail=f"{found:,} satellites from {cache.url}"
    )


def _keep(cache: _Cache, why: str) -> FetchResult:
    if cache.holds:
        log.warning("%s: %s; the elements held are kept", cache.url, why)
        return cache.result("kept", f"{cache.url}: {why}; the elements held are kept")
    raise InputError(f"{cache.url}: {why}, and no elements are held in {cache.path}")
