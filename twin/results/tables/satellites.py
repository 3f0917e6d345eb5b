"""The table ``satellites/``."""

from __future__ import annotations

from typing import Final

from twin.results.record import EpochRecord
from twin.results.tables.column import TableSchema, column, epoch_column, time_column


def _count(record: EpochRecord) -> int:
    return len(record.score.norad_id)


SATELLITES: Final = TableSchema(
    name="satellites",
    description="One row for each epoch and active satellite",
    columns=(
        epoch_column(_count),
        time_column(_count),
        column("satellite", "integer", "NORAD id", "Satellite", lambda r: r.score.norad_id),
        column(
            "served",
            "integer",
            "1",
            "Number of terminals that the satellite serves",
            lambda r: r.score.serving.sum(axis=1),
        ),
        column(
            "power_w",
            "float",
            "W",
            "Transmit power on one subcarrier at the end of the epoch",
            lambda r: r.score.power_w,
        ),
    ),
)
