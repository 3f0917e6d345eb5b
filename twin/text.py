"""Quantities as people read them."""

from __future__ import annotations

from collections.abc import Iterable

_RATES = ((1e9, "Gbit/s"), (1e6, "Mbit/s"), (1e3, "kbit/s"))
_SIZES = ((1e12, "TB"), (1e9, "GB"), (1e6, "MB"), (1e3, "kB"))


def number(value: float) -> str:
    """Three digits, without an exponent.

    >>> number(12345.6), number(72.04), number(0.01234), number(0.0)
    ('12,346', '72.0', '0.0123', '0')
    """
    if value == 0.0:
        return "0"
    if abs(value) >= 100.0:
        return f"{value:,.0f}"
    if abs(value) >= 1.0:
        return f"{value:#.3g}"
    return f"{value:.3g}"


def span(seconds: float) -> str:
    """A length of time.

    >>> span(3723.4), span(200_000.0), span(0.25)
    ('1:02:03', '2 d 7:33:20', '0.25 s')
    """
    if seconds < 10.0:
        return f"{number(seconds)} s"
    minutes, rest = divmod(int(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    days, hours = divmod(hours, 24)
    clock = f"{hours}:{minutes:02}:{rest:02}"
    return f"{days} d {clock}" if days else clock


def rate(bps: float) -> str:
    """A data rate.

    >>> rate(139.012e6), rate(0.0)
    ('139 Mbit/s', '0 bit/s')
    """
    return _scaled(bps, _RATES, "bit/s")


def size(count: float) -> str:
    """An amount of data.

    >>> size(1_234_567), size(12)
    ('1.23 MB', '12 bytes')
    """
    return _scaled(count, _SIZES, "bytes") if count >= 1e3 else f"{count:.0f} bytes"


def counted(count: int, one: str, many: str | None = None) -> str:
    """A number of things.

    >>> counted(1, "terminal"), counted(1200, "terminal")
    ('1 terminal', '1,200 terminals')
    """
    return f"{count:,} {one if count == 1 else many or one + 's'}"


def listed_words(words: Iterable[str]) -> str:
    """Alternatives in a sentence.

    >>> listed_words(["add", "drop", "master"])
    'add, drop or master'
    """
    found = [str(word) for word in words]
    return f"{', '.join(found[:-1])} or {found[-1]}" if len(found) > 1 else "".join(found)


def _scaled(value: float, units: tuple[tuple[float, str], ...], plain: str) -> str:
    for factor, unit in units:
        if value >= factor:
            return f"{number(value / factor)} {unit}"
    return f"{number(value)} {plain}"
