"""The trace: what a run leaves on disk, whole at any moment.

A trace is a directory with a Parquet dataset for each table and a ``run.json`` that says what made it.
"""

from twin.trace.buffer import ListColumn
from twin.trace.provenance import Manifest, file_sha256, versions
from twin.trace.reader import Trace, read_trace
from twin.trace.schema import TABLES, ColumnSchema, TableSchema
from twin.trace.writer import TraceWriter

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
