"""Checks of the input frames of metrics."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from twin.arrays import FloatArray, IntArray
from twin.errors import InputError, did_you_mean

if TYPE_CHECKING:
    import pandas as pd


def check_columns(table: str, frame: pd.DataFrame, columns: Sequence[str]) -> None:
    """Refuse a frame that lacks a column."""
    missing = [name for name in columns if name not in frame.columns]
    if missing:
        raise InputError(f'{table}: no column "{missing[0]}"{did_you_mean(missing[0], map(str, frame.columns))}')


def check_range(what: str, values: IntArray, last: int) -> None:
    """Refuse values outside 0 to last."""
    outside = (values < 0) | (values > last)
    if outside.any():
        raise InputError(f"{what}: found {values[outside][0]}, allowed 0 to {last}")


def finite(frame: pd.DataFrame, table: str, column: str) -> FloatArray:
    """A column as floats; refuses numbers that are not finite."""
    values = frame[column].to_numpy(np.float64)
    if not np.isfinite(values).all():
        raise InputError(f"{table}: {column}: found {values[~np.isfinite(values)][0]}, allowed finite numbers")
    return values
