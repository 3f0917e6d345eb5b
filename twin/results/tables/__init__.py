"""The tables of a trace, one file each; a column defines its name, type, unit, meaning and the source of its values."""

from types import MappingProxyType
from typing import Final

from twin.results.tables.attempts import ATTEMPTS
from twin.results.tables.candidates import CANDIDATES
from twin.results.tables.column import ColumnSchema, ListColumn, TableSchema
from twin.results.tables.epochs import EPOCHS
from twin.results.tables.handovers import HANDOVERS
from twin.results.tables.links import LINKS
from twin.results.tables.satellites import SATELLITES
from twin.results.tables.terminals import TERMINALS
from twin.results.tables.timings import TIMINGS

_ALL: Final = (TERMINALS, HANDOVERS, ATTEMPTS, SATELLITES, EPOCHS, LINKS, CANDIDATES, TIMINGS)

TABLES: Final = MappingProxyType({table.name: table for table in _ALL})
"""The tables that a trace may hold, by name."""

__all__ = ["TABLES", "ColumnSchema", "ListColumn", "TableSchema"]
