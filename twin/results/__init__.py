"""The trace: what a run leaves on disk, whole at any moment.

A trace is a directory with a Parquet dataset for each table and a ``run.json`` that says what made it.
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
