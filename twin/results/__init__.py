"""The trace of a run on disk; it can be read at any time, during the run and after a kill.

A trace is a directory with one Parquet dataset per table and a ``run.json`` that records what the run was made from.
"""

from twin.results.provenance import Manifest, file_sha256, versions
from twin.results.reader import Trace, read_trace
from twin.results.tables import TABLES, ColumnSchema, ListColumn, TableSchema
from twin.results.writer import TraceWriter

__all__ = [
    "TABLES",
    "ColumnSchema",
    "ListColumn",
    "Manifest",
    "TableSchema",
    "Trace",
    "TraceWriter",
    "file_sha256",
    "read_trace",
    "versions",
]
