"""The table ``candidates/``, with ``trace.candidates``."""

from __future__ import annotations

from typing import Final

from twin.results.record import Candidates, EpochRecord
from twin.results.tables.column import TableSchema, column, epoch_column, finite, names, time_column


def _candidates(record: EpochRecord) -> Candidates:
    assert record.candidates is not None
    return record.candidates


def _count(record: EpochRecord) -> int:
    return len(_candidates(record).satellite)


CANDIDATES: Final = TableSchema(
    name="candidates",
    description="One row for each decision, terminal and candidate satellite",
    key="candidates",
    occurs=lambda r: r.candidates,
    columns=(
        epoch_column(_count),
        time_column(_count),
        column("terminal", "label", "", "Name of the terminal", lambda r: names(r, _candidates(r).terminal)),
        column("satellite", "integer", "NORAD id", "Satellite", lambda r: _candidates(r).satellite),
        column(
            "score",
            "float",
            "",
            "Ranking score of the policy, higher is better; null if it has none",
            lambda r: finite(_candidates(r).score),
            nullable=True,
        ),
        column(
            "elevation_deg",
            "float",
            "deg",
            "Elevation of the satellite above the terminal's horizon",
            lambda r: _candidates(r).elevation_deg,
        ),
        column(
            "chosen",
            "boolean",
            "",
            "Whether the policy selects the satellite to serve the terminal",
            lambda r: _candidates(r).chosen,
        ),
    ),
)
