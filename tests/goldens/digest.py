"""A trace as digests and sums, column by column, in the words and the time unit of today."""

from __future__ import annotations

import hashlib
from typing import Any

import numpy as np
import pandas as pd

RENAMED = {
    "kind": {"attach": "service_start", "detach": "service_end", "satellite": "hard"},
    "outcome": {"capacity refused": "admission rejected"},
    "reason": {"departure": "terminal_left"},
}
"""Words of traces that were written before they were renamed, by column."""


def digests(trace: Any) -> dict[str, dict[str, Any]]:
    """Every table but ``timings``: its number of rows, and of each column a digest and what sums say of it."""
    names = [name for name in trace.run["tables"] if name != "timings"]
    return {name: _table(trace.table(name)) for name in sorted(names)}


def _table(frame: pd.DataFrame) -> dict[str, Any]:
    return {"rows": len(frame), "columns": {name: _column(name, frame[name]) for name in frame}}


def _column(name: str, column: pd.Series) -> list[Any]:
    """[digest] of what is exact, [digest, sum, weighted sum, norm] of floats."""
    if isinstance(column.dtype, pd.DatetimeTZDtype):
        lost = column.isna().to_numpy()
        whole = column.dt.tz_convert("UTC").dt.tz_localize(None).to_numpy().astype("datetime64[us]").astype(np.int64)
        return [_digest(np.where(lost, 0, whole), lost)]
    if column.dtype == np.float64:
        values = column.to_numpy()
        lost = np.isnan(values)
        filled = np.where(lost, 0.0, values)
        turned = np.cos(np.arange(len(filled)) * 0.7)
        return [_digest(filled, lost), float(filled.sum()), float(filled @ turned), float(np.abs(filled).sum())]
    if str(column.dtype) == "Int64":
        lost = column.isna().to_numpy()
        return [_digest(column.fillna(0).to_numpy(np.int64), lost)]
    if column.dtype in (np.int64, np.bool_):
        return [_digest(column.to_numpy())]
    return [hashlib.sha256("\n".join(_words(name, column)).encode()).hexdigest()[:16]]


def _words(name: str, column: pd.Series) -> list[str]:
    renamed = RENAMED.get(name, {})
    if name in ("serving", "from_satellites", "to_satellites"):
        return [" ".join(str(int(one)) for one in row) for row in column]
    return [renamed.get(str(word), str(word)) for word in column]


def _digest(*arrays: np.ndarray[Any, Any]) -> str:
    made = hashlib.sha256()
    for array in arrays:
        made.update(np.ascontiguousarray(array).tobytes())
    return made.hexdigest()[:16]
