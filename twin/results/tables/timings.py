"""The table ``timings/``."""

from __future__ import annotations

from typing import Final

import numpy as np

from twin.results.tables.column import TableSchema, column, epoch_column

TIMINGS: Final = TableSchema(
    name="timings",
    description="One row for each epoch and stage: wall-clock time, the only table in which equal runs differ",
    columns=(
        epoch_column(lambda r: len(r.wall_s)),
        column("stage", "label", "", "Name of the stage", lambda r: list(r.wall_s)),
        column("wall_s", "float", "s", "Wall-clock time of the stage", lambda r: np.array(list(r.wall_s.values()))),
    ),
)
