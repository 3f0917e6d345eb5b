"""The tables of a trace: columns, types, units and descriptions."""

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
    """Name, which ends in the unit if there is one."""
    kind: Kind
    """Type of the values."""
    unit: str
    """Unit of the values; "1" for counts and ratios, empty for names and booleans."""
    description: str
    """Meaning of the values."""
    nullable: bool = False
    """Whether values may be null."""

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
    """One table of a trace; the first column is ``epoch``, and rows are in epoch order."""

    name: str
    """Name of the table and of its folder."""
    description: str
    """Meaning of one row."""
    columns: tuple[ColumnSchema, ...]
    """The columns, in order."""

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the columns, in order."""
        return tuple(column.name for column in self.columns)

    @property
    def arrow(self) -> Any:
        """The Arrow schema; its metadata makes pandas read nullable integers as ``Int64``."""
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
    """The members of an enumeration as text: "a, b or c"."""
    *first, last = words
    return f"{', '.join(first)} or {last}"


_EPOCH = _column("epoch", "integer", "1", "Number of the epoch, from 0")
_TIME = _column("time", "instant", "UTC", "Start of the epoch")
_TERMINAL = _column("terminal", "label", "", "Name of the terminal")
_SATELLITE = _column("satellite", "integer", "NORAD id", "Satellite")

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
        _column("se_ap1_bps_hz", "float", "bit/s/Hz", "Mean of the surrogate AP1, computed from statistical CSI only"),
        _column("rate_bps", "float", "bit/s", "Mean rate: spectral efficiency times bandwidth"),
        _column("sinr_db", "float", "dB", "SINR at the end of the epoch; null if no signal is received", nullable=True),
        _column("in_service", "boolean", "", "Whether any satellite serves the terminal at the end of the epoch"),
        _column("present", "boolean", "", "Whether the terminal is present at the end of the epoch"),
        _column("present_fraction", "float", "1", "Fraction of the epoch in which the terminal is present, 0 to 1"),
        _column("interrupted_fraction", "float", "1", "Fraction of the epoch lost to handover execution, 0 to 1"),
        _column(
            "serving", "integer list", "NORAD id", "Serving satellites at the end of the epoch; empty out of service"
        ),
        _column(
            "master", "integer", "NORAD id", "Master of the serving satellites; null out of service", nullable=True
        ),
    ),
)

_HANDOVERS = TableSchema(
    name="handovers",
    description="One row for each change of the satellites or the beam that serve a terminal",
    columns=(
        _EPOCH,
        _column("time", "instant", "UTC", "Instant of the event"),
        _TERMINAL,
        _column("kind", "label", "", _alternatives(EventKind)),
        _column(
            "from_satellite", "integer", "NORAD id", "Satellite before the change; null if there is none", nullable=True
        ),
        _column(
            "to_satellite", "integer", "NORAD id", "Satellite after the change; null if there is none", nullable=True
        ),
        _column(
            "from_beam",
            "integer",
            "1",
            "Number of the beam before the change, from 1,000,000 for earth-fixed cells; null if there is none",
            nullable=True,
        ),
        _column(
            "to_beam",
            "integer",
            "1",
            "Number of the beam after the change, in the same numbering; null if there is none",
            nullable=True,
        ),
        _column("reason", "label", "", "Reason of the change, given by the policy or the network"),
        _column("interruption_s", "float", "s", "Time without service that the event causes"),
    ),
)

_ATTEMPTS = TableSchema(
    name="attempts",
    description="One row for each decided change, written when its outcome is known",
    columns=(
        _EPOCH,
        _column("time", "instant", "UTC", "Instant at which the outcome is known"),
        _TERMINAL,
        _column("decided", "instant", "UTC", "Instant of the decision"),
        _column("begun", "instant", "UTC", "Instant at which execution began; null if it did not begin", nullable=True),
        _column(
            "from_satellites", "integer list", "NORAD id", "Cluster before the change, at the instant of the outcome"
        ),
        _column("to_satellites", "integer list", "NORAD id", "Cluster that was decided"),
        _column("outcome", "label", "", _alternatives(AttemptOutcome)),
        _column("reason", "label", "", "Reason of the decision, and the number of satellites that rejected admission"),
    ),
)

_CANDIDATES = TableSchema(
    name="candidates",
    description="One row for each decision, terminal and candidate satellite",
    columns=(
        _EPOCH,
        _TIME,
        _TERMINAL,
        _SATELLITE,
        _column(
            "score", "float", "", "Ranking score of the policy, higher is better; null if it has none", nullable=True
        ),
        _column("elevation_deg", "float", "deg", "Elevation of the satellite above the terminal's horizon"),
        _column("chosen", "boolean", "", "Whether the policy selects the satellite to serve the terminal"),
    ),
)

_SATELLITES = TableSchema(
    name="satellites",
    description="One row for each epoch and active satellite",
    columns=(
        _EPOCH,
        _TIME,
        _SATELLITE,
        _column("served", "integer", "1", "Number of terminals that the satellite serves"),
        _column("power_w", "float", "W", "Transmit power that is used"),
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
        _column("precoder_iterations", "integer", "1", "Iterations of the precoder; 0 if it did not run"),
        _column("converged", "boolean", "", "Whether the precoder in use converged to its tolerance"),
    ),
)

_LINKS = TableSchema(
    name="links",
    description="One row for each epoch and each pair of a satellite and a terminal in view of each other",
    columns=(
        _EPOCH,
        _TIME,
        _SATELLITE,
        _TERMINAL,
        _column("elevation_deg", "float", "deg", "Elevation of the satellite above the terminal's horizon"),
        _column("azimuth_deg", "float", "deg", "Azimuth of the satellite, clockwise from north"),
        _column("range_km", "float", "km", "Distance between satellite and terminal"),
        _column("delay_s", "float", "s", "Propagation delay"),
        _column("doppler_hz", "float", "Hz", "Doppler shift, positive when the satellite approaches"),
        _column("path_gain_db", "float", "dB", "Large-scale channel gain without array gains; negative"),
        _column(
            "rician_k_db", "float", "dB", "Rician factor; null if zero (no line of sight) or infinite", nullable=True
        ),
        _column(
            "residual_delay_s", "float", "s", "Residual delay after precompensation; null without it", nullable=True
        ),
        _column(
            "residual_doppler_hz",
            "float",
            "Hz",
            "Residual Doppler shift after precompensation; null without it",
            nullable=True,
        ),
        _column(
            "phase_variance_rad2",
            "float",
            "rad2",
            "Variance of the phase error; null if the phase is uniform",
            nullable=True,
        ),
        _column("phase_error_rad", "float", "rad", "Phase error after precompensation; null without it", nullable=True),
        _column("serving", "boolean", "", "Whether the satellite serves the terminal"),
    ),
)

_TIMINGS = TableSchema(
    name="timings",
    description="One row for each epoch and stage: wall-clock time, the only table in which equal runs differ",
    columns=(
        _EPOCH,
        _column("stage", "label", "", "Name of the stage"),
        _column("wall_s", "float", "s", "Wall-clock time of the stage"),
    ),
)

_ALL: Final = (_TERMINALS, _HANDOVERS, _ATTEMPTS, _SATELLITES, _EPOCHS, _LINKS, _CANDIDATES, _TIMINGS)

TABLES: Final = MappingProxyType({table.name: table for table in _ALL})
"""The tables that a trace may hold, by name."""
