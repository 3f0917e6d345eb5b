"""What the tables of a trace hold: columns, types, units and descriptions."""

from __future__ import annotations

import json
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from types import MappingProxyType
from typing import Any, Final, Literal

import pyarrow as pa

from twin.vocabulary import AttemptOutcome, EventKind

Kind = Literal["integer", "float", "boolean", "label", "instant", "integer list"]

_ARROW: Final[dict[Kind, Any]] = {
    "integer": pa.int64(),
    "float": pa.float64(),
    "boolean": pa.bool_(),
    "label": pa.string(),
    "instant": pa.timestamp("us", tz="UTC"),
    "integer list": pa.list_(pa.field("element", pa.int64(), nullable=False)),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class ColumnSchema:
    """One column of a table."""

    name: str
    """Name, with the unit at its end where there is one."""
    kind: Kind
    """What a value is."""
    unit: str
    """Unit of the values; "1" for counts and ratios, empty for names and truth values."""
    description: str
    """What a value means."""
    nullable: bool = False
    """Whether a value may be absent."""

    @property
    def arrow_type(self) -> Any:
        """The Arrow data type."""
        return _ARROW[self.kind]

    @property
    def arrow_field(self) -> Any:
        """The Arrow field, with unit and description as its metadata."""
        metadata = {"unit": self.unit, "description": self.description}
        return pa.field(self.name, self.arrow_type, nullable=self.nullable, metadata=metadata)


@dataclass(frozen=True, slots=True, kw_only=True)
class TableSchema:
    """One table of a trace; the first column is always ``epoch``, and rows stand in epoch order."""

    name: str
    """Name of the table and of its folder."""
    description: str
    """What one row is."""
    columns: tuple[ColumnSchema, ...]
    """The columns, in order."""

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the columns, in order."""
        return tuple(column.name for column in self.columns)

    @property
    def arrow(self) -> Any:
        """The Arrow schema; its metadata make pandas read nullable integers as ``Int64``."""
        return _arrow_schema(self)


@cache
def _arrow_schema(table: TableSchema) -> Any:
    nullable_integers = [column for column in table.columns if column.kind == "integer" and column.nullable]
    for_pandas = {
        "index_columns": [],
        "column_indexes": [],
        "columns": [
            {
                "name": column.name,
                "field_name": column.name,
                "pandas_type": "int64",
                "numpy_type": "Int64",
                "metadata": None,
            }
            for column in nullable_integers
        ],
    }
    metadata = {"description": table.description, "pandas": json.dumps(for_pandas)}
    return pa.schema([column.arrow_field for column in table.columns], metadata=metadata)


def _column(name: str, kind: Kind, unit: str, description: str, *, nullable: bool = False) -> ColumnSchema:
    return ColumnSchema(name=name, kind=kind, unit=unit, description=description, nullable=nullable)


def _alternatives(words: type[StrEnum]) -> str:
    """All members of an enumeration, as a description lists them."""
    *first, last = words
    return f"{', '.join(first)} or {last}"


_EPOCH = _column("epoch", "integer", "1", "Number of the epoch, from 0")
_TIME = _column("time", "instant", "UTC", "Start of the epoch")
_TERMINAL = _column("terminal", "label", "", "Name of the terminal")
_SATELLITE = _column("satellite", "integer", "NORAD id", "The satellite")

_TERMINALS = TableSchema(
    name="terminals",
    description="One row for each epoch and terminal",
    columns=(
        _EPOCH,
        _TIME,
        _TERMINAL,
        _column("latitude_deg", "float", "deg", "Geodetic latitude (WGS-84), north positive"),
        _column("longitude_deg", "float", "deg", "Longitude, east positive"),
        _column("altitude_km", "float", "km", "Height above the WGS-84 ellipsoid"),
        _column("se_bps_hz", "float", "bit/s/Hz", "Mean spectral efficiency in the true channel"),
        _column("se_ap1_bps_hz", "float", "bit/s/Hz", "Mean of its surrogate AP1, from statistical CSI alone"),
        _column("rate_bps", "float", "bit/s", "Mean rate: spectral efficiency times bandwidth"),
        _column("sinr_db", "float", "dB", "SINR at the end of the epoch; null without a signal", nullable=True),
        _column("in_service", "boolean", "", "Whether any satellite serves the terminal"),
        _column("present", "boolean", "", "Whether the terminal is there at the end of the epoch"),
        _column("present_fraction", "float", "1", "Share of the epoch in which it is there, 0 to 1"),
        _column("interrupted_fraction", "float", "1", "Share of the epoch lost to handover execution, 0 to 1"),
        _column("serving", "integer list", "NORAD id", "Serving satellites; empty out of service"),
        _column("master", "integer", "NORAD id", "Master of the serving satellites; null without", nullable=True),
    ),
)

_HANDOVERS = TableSchema(
    name="handovers",
    description="One row for each change of who serves a terminal",
    columns=(
        _EPOCH,
        _column("time", "instant", "UTC", "When it happens"),
        _TERMINAL,
        _column("kind", "label", "", _alternatives(EventKind)),
        _column("from_satellite", "integer", "NORAD id", "Satellite left; null without", nullable=True),
        _column("to_satellite", "integer", "NORAD id", "Satellite taken; null without", nullable=True),
        _column(
            "from_beam",
            "integer",
            "1",
            "Number of the beam left, of an earth-fixed cell 1,000,000 and more; null without",
            nullable=True,
        ),
        _column("to_beam", "integer", "1", "Number of the beam taken, likewise; null without", nullable=True),
        _column("reason", "label", "", "Why the policy decided so"),
        _column("interruption_s", "float", "s", "How long the terminal receives nothing"),
    ),
)

_ATTEMPTS = TableSchema(
    name="attempts",
    description="One row for each change that was decided, when it is known what became of it",
    columns=(
        _EPOCH,
        _column("time", "instant", "UTC", "When its outcome is known"),
        _TERMINAL,
        _column("decided", "instant", "UTC", "When the policy decided"),
        _column("begun", "instant", "UTC", "When its execution began; null if it never did", nullable=True),
        _column("from_satellites", "integer list", "NORAD id", "The cluster then, before the change"),
        _column("to_satellites", "integer list", "NORAD id", "The cluster that was decided for"),
        _column("outcome", "label", "", _alternatives(AttemptOutcome)),
        _column("reason", "label", "", "Why the policy decided so, and who was refused"),
    ),
)

_CANDIDATES = TableSchema(
    name="candidates",
    description="One row for each decision, terminal and satellite that it could choose",
    columns=(
        _EPOCH,
        _TIME,
        _TERMINAL,
        _SATELLITE,
        _column("score", "float", "", "What the policy ranks by, the higher the better; null without", nullable=True),
        _column("elevation_deg", "float", "deg", "Elevation of the satellite above the terminal's horizon"),
        _column("chosen", "boolean", "", "Whether the policy wants the satellite to serve the terminal"),
    ),
)

_SATELLITES = TableSchema(
    name="satellites",
    description="One row for each epoch and active satellite",
    columns=(
        _EPOCH,
        _TIME,
        _SATELLITE,
        _column("served", "integer", "1", "Number of terminals that it serves"),
        _column("power_w", "float", "W", "Transmit power in use"),
    ),
)

_EPOCHS = TableSchema(
    name="epochs",
    description="One row for each epoch",
    columns=(
        _EPOCH,
        _TIME,
        _column("visible_satellites", "integer", "1", "Satellites in view of at least one terminal"),
        _column("active_satellites", "integer", "1", "Satellites that serve at least one terminal"),
        _column("in_service_terminals", "integer", "1", "Terminals with at least one serving satellite"),
        _column("sum_se_bps_hz", "float", "bit/s/Hz", "Spectral efficiency, summed over all terminals"),
        _column("precoder_iterations", "integer", "1", "Iterations that the precoder took; 0 where it did not run"),
        _column("converged", "boolean", "", "Whether the precoder in force met its tolerance"),
    ),
)

_LINKS = TableSchema(
    name="links",
    description="One row for each epoch, satellite and terminal in view of each other",
    columns=(
        _EPOCH,
        _TIME,
        _SATELLITE,
        _TERMINAL,
        _column("elevation_deg", "float", "deg", "Elevation of the satellite above the terminal's horizon"),
        _column("azimuth_deg", "float", "deg", "Azimuth of the satellite, clockwise from north"),
        _column("range_km", "float", "km", "Distance"),
        _column("delay_s", "float", "s", "Propagation delay"),
        _column("doppler_hz", "float", "Hz", "Doppler shift, positive in approach"),
        _column("path_gain_db", "float", "dB", "Large-scale gain without arrays; negative"),
        _column(
            "rician_k_db", "float", "dB", "Rician factor; null if zero (no line of sight) or infinite", nullable=True
        ),
        _column("residual_delay_s", "float", "s", "Delay left by precompensation; null without it", nullable=True),
        _column("residual_doppler_hz", "float", "Hz", "Doppler left by it; null without it", nullable=True),
        _column("phase_variance_rad2", "float", "rad2", "Variance of the phase error; null if uniform", nullable=True),
        _column("phase_error_rad", "float", "rad", "Phase error left by it; null without it", nullable=True),
        _column("serving", "boolean", "", "Whether the satellite serves the terminal"),
    ),
)

_TIMINGS = TableSchema(
    name="timings",
    description="Wall-clock time of each stage of an epoch: the one table in which equal runs differ",
    columns=(
        _EPOCH,
        _column("stage", "label", "", "Name of the stage"),
        _column("wall_s", "float", "s", "Wall-clock time spent in it"),
    ),
)

_ALL: Final = (_TERMINALS, _HANDOVERS, _ATTEMPTS, _SATELLITES, _EPOCHS, _LINKS, _CANDIDATES, _TIMINGS)

TABLES: Final = MappingProxyType({table.name: table for table in _ALL})
"""The tables that a trace may hold, by name."""
