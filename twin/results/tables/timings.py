"""The table ``timings/``."""

from __future__ import annotations

from typing import Final

import numpy as np

from twin.results.tables.column import TableSchema, column, epoch_column

TIMINGS: Final = TableSchema(
    name="timings",
    description="Wall-clock time of each stage of an epoch: the one table in which equal runs differ",
    columns=(
        epoch_column(lambda r: len(r.wall_s)),
        column("stage", "label", "", "Name of the stage", lambda r: list(r.wall_s)),
        column("wall_s", "float", "s", "Wall-clock time spent in it", lambda r: np.array(list(r.wall_s.values()))),
    ),
)
