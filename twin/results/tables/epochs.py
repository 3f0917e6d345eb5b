"""The table ``epochs/``."""

from __future__ import annotations

from typing import Final

import numpy as np

from twin.results.record import EpochRecord
from twin.results.tables.column import TableSchema, column, epoch_column, time_column


def _one(_: EpochRecord) -> int:
    return 1


EPOCHS: Final = TableSchema(
    name="epochs",
    description="One row for each epoch",
    columns=(
        epoch_column(_one),
        time_column(_one),
        column(
            "visible_satellites",
            "integer",
            "1",
            "Satellites in view of at least one terminal",
            lambda r: np.array([r.visible_satellites]),
        ),
        column(
            "active_satellites",
            "integer",
            "1",
            "Satellites that serve at least one terminal",
            lambda r: np.array([int(r.score.serving.any(axis=1).sum())]),
        ),
        column(
            "in_service_terminals",
            "integer",
            "1",
            "Terminals with at least one serving satellite",
            lambda r: np.array([int(r.score.serving.any(axis=0).sum())]),
        ),
        column(
            "sum_se_bps_hz",
            "float",
            "bit/s/Hz",
            "Spectral efficiency, summed over all terminals",
            lambda r: np.array([r.score.spectral_efficiency_bps_hz.sum()]),
        ),
        column(
            "precoder_iterations",
            "integer",
            "1",
            "Iterations of the precoder; 0 if it did not run",
            lambda r: np.array([r.iterations]),
        ),
        column(
            "converged",
            "boolean",
            "",
            "Whether the precoder in use converged to its tolerance",
            lambda r: np.array([r.converged]),
        ),
    ),
)
