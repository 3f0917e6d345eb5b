"""Units: decibels, durations and instants."""

import re
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, Final, Self

import numpy as np
from numpy.typing import ArrayLike

from twin.arrays import FloatArray

NS_PER: Final = {
    "ns": 1,
    "us": 1_000,
    "ms": 1_000_000,
    "s": 1_000_000_000,
    "min": 60_000_000_000,
    "h": 3_600_000_000_000,
    "d": 86_400_000_000_000,
}
"""Nanoseconds in each unit of a duration."""

_PART = re.compile(r"\s*(\d+(?:\.\d+)?)\s*(ns|us|ms|s|min|h|d)\s*")


def from_db(value_db: ArrayLike) -> FloatArray:
    """Convert decibels to a linear power ratio.

    >>> float(from_db(30.0))
    1000.0
    """
    return np.asarray(10.0 ** (np.asarray(value_db, dtype=np.float64) / 10.0))


def to_db(ratio: ArrayLike) -> FloatArray:
    """Convert a linear power ratio to decibels; zero gives -inf without a warning.

    >>> float(to_db(0.5).round(4))
    -3.0103
    """
    with np.errstate(divide="ignore"):
        return np.asarray(10.0 * np.log10(np.asarray(ratio, dtype=np.float64)))


def watts_from_dbm(power_dbm: float) -> float:
    """Convert power from dBm to watts.

    >>> watts_from_dbm(30.0)
    1.0
    """
    return float(10.0 ** ((power_dbm - 30.0) / 10.0))


class Duration(int):
    """A simulated time span in whole nanoseconds, written as ``15s``, ``1.5h`` or ``1h 30min``.

    >>> Duration.parse("1.5h") == Duration.parse("1h 30min") == 5_400_000_000_000
    True
    >>> str(Duration.parse("90s")), str(Duration.parse("1500ms"))
    ('90s', '1500ms')
    >>> Duration.parse("0.067s") == 67_000_000
    True
    """

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read a duration from text.

        Raises
        ------
        ValueError
            If the text is not a sum of numbers with units, or not a whole number of nanoseconds.
        """
        end, total_ns = 0, Decimal(0)
        while (part := _PART.match(text, end)) is not None:
            total_ns += Decimal(part[1]) * NS_PER[part[2]]
            end = part.end()
        if end != len(text) or not text.strip() or total_ns != int(total_ns):
            raise ValueError(
                f'"{text}" is not a duration; write a number and a unit, as "15s", "1.5h" or "1h 30min"'
                f" (units: {', '.join(NS_PER)})"
            )
        return cls(int(total_ns))

    @property
    def seconds(self) -> float:
        """The duration in s."""
        return self / 1e9

    def __str__(self) -> str:
        for unit in ("d", "h", "min", "s", "ms", "us"):
            if self and self % NS_PER[unit] == 0:
                return f"{self // NS_PER[unit]}{unit}"
        return f"{int(self)}ns" if self else "0s"

    def __repr__(self) -> str:
        return f"Duration.parse({str(self)!r})"

    @classmethod
    def __get_pydantic_core_schema__(cls, _source: Any, _handler: Any) -> Any:
        """Let pydantic read a duration from text and write it as text."""
        from pydantic_core import core_schema

        def read(value: object) -> Duration:
            if isinstance(value, Duration):
                return value
            if not isinstance(value, str):
                raise ValueError(f'{value!r} is not a duration; write text with a unit, as "15s"')
            return cls.parse(value)

        return core_schema.no_info_plain_validator_function(
            read, serialization=core_schema.plain_serializer_function_ser_schema(str)
        )


def instant(time: datetime) -> np.datetime64:
    """Convert a datetime to a UTC instant in nanoseconds; a datetime without a time zone is in UTC.

    >>> instant(datetime(2026, 5, 30, 12))
    np.datetime64('2026-05-30T12:00:00.000000000')
    """
    aware = time if time.tzinfo else time.replace(tzinfo=UTC)
    return np.datetime64(aware.astimezone(UTC).replace(tzinfo=None), "ns")
